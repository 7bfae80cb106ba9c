// Time of capsule routing in both forms beside the same in LibTorch's operators, with the bytes that a call allocates.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { capsuleRouting, capsuleRoutingDense } from '../lib/ops/capsule-routing'
import {
  call,
  full,
  grad,
  manualSeed,
  memory,
  noGrad,
  randn,
  setNumThreads,
  type Tensor,
  tidy,
  zeros,
} from '../lib/tensor'
import type { Context } from './benchmarks'
import { largestDifference, median, type Row } from './support/result'

const ROUNDS = 15
const ISAS = ['scalar', 'AVX2', 'AVX-512', 'AVX-512 VPOPCNTDQ'] as const
const CHILD = fileURLToPath(new URL('support/capsule-scalar.ts', import.meta.url))

/** A row, and what a call holds at most beyond what is there before it; what it returns is part of that. */
export interface CapsuleRow extends Row {
  readonly threads: number
  readonly oursBytes: number
  readonly peerBytes: number
}

interface Case {
  readonly name: string
  readonly first: () => Tensor
  readonly second: () => Tensor
  readonly ours: (first: Tensor, second: Tensor) => Tensor
  readonly peer: (first: Tensor, second: Tensor) => Tensor
}

const routed = (batch: number, side: number): Case => ({
  name: `3D, ${batch} of ${side}×${side}, 8 to 8 types of 16`,
  first: () => randn([batch, 8, 8, 16, side, side]),
  second: () => full([8, 16], 0.1),
  ours: (votes, bias) => capsuleRouting(votes, { bias }),
  peer: routing,
})

const dense = (batch: number, inputs: number, outputs: number, from: number): Case => ({
  name: `dense, ${batch} of ${inputs} to ${outputs}, ${from} to 16`,
  first: () => randn([batch, inputs, from]),
  second: () => randn([inputs, outputs, 16, from]).mul(0.1),
  ours: capsuleRoutingDense,
  peer: denseRouting,
})

const CASES = [routed(1, 64), routed(8, 16), dense(32, 4096, 2, 16), dense(16, 1152, 10, 8)]

/** Both numbers of threads whatever is asked for; the scalar path in a process of its own, beside the times of the peer. */
export function capsuleRoutingTime(_: Context): { rows: CapsuleRow[] } {
  const isa = ISAS[call('vision_native::_cpu_isa', []) as unknown as number] ?? 'unknown'
  const rows = [1, 2].flatMap((threads) =>
    CASES.flatMap((each) => [false, true].map((backward) => compare(each, backward, threads, isa))),
  )
  const environment = { ...process.env, VISION_NATIVE_ISA: 'scalar' }
  const child = execFileSync(process.execPath, ['--import', 'tsx', CHILD], { encoding: 'utf8', env: environment })
  for (const [i, oursMs] of (JSON.parse(child) as number[]).entries()) {
    const row = rows[i]
    if (row) rows.push({ ...row, case: row.case.replace(isa, 'scalar'), oursMs, ratio: row.peerMs / oursMs })
  }
  return { rows }
}

/** Our times alone with one thread, in the order of the first rows. */
export function ownTimes(): number[] {
  return CASES.flatMap((each) =>
    [false, true].map((backward) => prepare(each, backward, 1, ({ ours }) => timed([ours])[0])),
  ).map((time) => time ?? Number.NaN)
}

interface Runs {
  readonly ours: () => Tensor
  readonly peer: () => Tensor
}

function prepare<T>(each: Case, backward: boolean, threads: number, measure: (runs: Runs) => T): T {
  setNumThreads(threads)
  manualSeed(1)
  return tidy(() => {
    const [first, second] = [each.first().requiresGrad_(backward), each.second().requiresGrad_(backward)]
    const upstream = noGrad(() => each.ours(first, second).mul(0).add(1))
    const run = (operator: Case['ours']) => () =>
      tidy(() => {
        if (!backward) return noGrad(() => operator(first, second))
        return grad(operator(first, second), [first, second], { gradOutputs: [upstream] })[0] as Tensor
      })
    return measure({ ours: run(each.ours), peer: run(each.peer) })
  })
}

function compare(each: Case, backward: boolean, threads: number, isa: string): CapsuleRow {
  return prepare(each, backward, threads, ({ ours, peer }) => {
    const values = (run: () => Tensor) => tidy(() => run().contiguous().dataSync() as Float32Array)
    const equalTo = largestDifference(values(ours), values(peer))
    const [oursBytes, peerBytes] = [bytesOf(ours), bytesOf(peer)]
    const [oursMs = Number.NaN, peerMs = Number.NaN] = timed([ours, peer])
    const name = `${each.name}, ${backward ? 'forward and backward' : 'forward'}, ${isa}, ${threads} threads`
    const times = { oursMs, peer: 'LibTorch composition', peerMs, ratio: peerMs / oursMs }
    return { case: name, threads, ...times, equalTo, oursBytes, peerBytes }
  })
}

function timed(bodies: readonly (() => Tensor)[]): number[] {
  const times = bodies.map((): number[] => [])
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, body] of bodies.entries()) {
      const start = performance.now()
      const result = body()
      times[i]?.push(performance.now() - start)
      result.dispose()
    }
  }
  return times.map(median)
}

function bytesOf(body: () => Tensor): number {
  const before = memory.stats().allocatedCpuBytes
  memory.resetPeak()
  body().dispose()
  return memory.stats().peakCpuBytes - before
}

function routing(votes: Tensor, bias: Tensor): Tensor {
  const [batch = 0, inputs = 0, outputs = 0, dims = 0, height = 0, width = 0] = votes.shape
  let logits: Tensor = zeros([batch, inputs, outputs, height, width])
  let out: Tensor = logits
  for (let t = 0; t < 3; t++) {
    const shares = logits.flatten({ startDim: 2 }).softmax(-1).reshape([batch, inputs, outputs, 1, height, width])
    const sums = shares
      .mul(votes)
      .sum({ dim: 1 })
      .add(bias.reshape([1, outputs, dims, 1, 1]))
    const squared = sums.square().sum({ dim: 2, keepdim: true })
    out = sums.mul(squared.sqrt()).div(squared.add(0.5))
    if (t < 2) logits = logits.add(out.unsqueeze(1).mul(votes).sum({ dim: 3 }))
  }
  return out
}

/** Samples last, so that the votes are one batched matrix product and nothing is copied. */
function denseRouting(input: Tensor, weight: Tensor): Tensor {
  const [inputs = 0, outputs = 0, dims = 0, from = 0] = weight.shape
  const batch = input.size(0)
  const votes = weight
    .reshape([inputs, outputs * dims, from])
    .matmul(input.permute([1, 2, 0]))
    .reshape([inputs, outputs, dims, batch])
  let logits: Tensor = zeros([inputs, outputs, batch])
  let out: Tensor = logits
  for (let t = 0; t < 3; t++) {
    const sums = logits.softmax(1).unsqueeze(2).mul(votes).sum({ dim: 0 })
    const squared = sums.square().sum({ dim: 1, keepdim: true })
    out = sums.mul(squared.sqrt()).div(squared.add(1))
    if (t < 2) logits = logits.add(out.mul(votes).sum({ dim: 2 }))
  }
  return out.permute([2, 0, 1])
}
