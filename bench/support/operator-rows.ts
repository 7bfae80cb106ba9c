// Rows for operators of two tensors: forward, forward and backward, one and two threads, and the scalar path, whose kernels
// are chosen when a process begins.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { call, manualSeed, setNumThreads, type Tensor, tidy } from '../../lib/tensor'
import { operatorRun, timeOf } from './operator'
import { largestDifference, median, type Row } from './result'

export interface OperatorCase {
  readonly name: string
  readonly peer: string
  readonly inputs: () => readonly [Tensor, Tensor]
  readonly ours: (first: Tensor, second: Tensor) => Tensor
  readonly theirs: (first: Tensor, second: Tensor) => Tensor
}

const ROUNDS = 15
/** Milliseconds after which a comparison ends, with fewer rounds where its peer is slow. */
const ENOUGH_MS = 8000
const FEWEST_ROUNDS = 5
const ISAS = ['scalar', 'AVX2', 'AVX-512', 'AVX-512 VPOPCNTDQ'] as const
const CHILD = fileURLToPath(new URL('scalar-times.ts', import.meta.url))

/** @param module file URL of a benchmark whose `CASES` are these, for the process that takes the scalar path */
export function operatorRows(cases: readonly OperatorCase[], module: string): Row[] {
  const isa = ISAS[Number(call('vision_native::_cpu_isa', []))] ?? 'unknown'
  const both = (threads: number) =>
    cases.flatMap((each) => [false, true].map((backward) => rowOf(each, backward, threads, isa)))
  const rows = [1, 2].flatMap(both)
  const env = { ...process.env, VISION_NATIVE_ISA: 'scalar' }
  const child = execFileSync(process.execPath, ['--import', 'tsx', CHILD, module], { encoding: 'utf8', env })
  const scalar = (JSON.parse(child) as number[]).flatMap((oursMs, i) => {
    const row = rows[i]
    return row ? [{ ...row, case: row.case.replace(isa, 'scalar'), oursMs, ratio: row.peerMs / oursMs }] : []
  })
  return [...rows, ...scalar]
}

/** Our times alone with one thread, in the order of the first rows. */
export function ownTimes(cases: readonly OperatorCase[]): number[] {
  return cases.flatMap((each) => [false, true].map((backward) => measured(each, backward, 1, false).ours))
}

function rowOf(each: OperatorCase, backward: boolean, threads: number, isa: string): Row {
  const { ours, theirs, equalTo } = measured(each, backward, threads, true)
  const passes = backward ? 'forward and backward' : 'forward'
  const name = `${each.name}, ${passes}, ${isa}, ${threads} thread${threads > 1 ? 's' : ''}`
  return { case: name, oursMs: ours, peer: each.peer, peerMs: theirs, ratio: theirs / ours, equalTo }
}

function measured(each: OperatorCase, backward: boolean, threads: number, withPeer: boolean) {
  setNumThreads(threads)
  manualSeed(1)
  return tidy(() => {
    const [first, second] = each.inputs()
    const ours = operatorRun(each.ours, first, second, backward)
    const theirs = operatorRun(each.theirs, first, second, backward)
    const equalTo = withPeer ? largestDifference(ours(), theirs()) : 0
    const times: [number[], number[]] = [[], []]
    ours()
    const start = performance.now()
    for (let round = 0; round < ROUNDS; round++) {
      if (round >= FEWEST_ROUNDS && performance.now() - start > ENOUGH_MS) break
      times[0].push(timeOf(ours))
      if (withPeer) times[1].push(timeOf(theirs))
    }
    return { ours: median(times[0]), theirs: median(times[1]), equalTo }
  })
}
