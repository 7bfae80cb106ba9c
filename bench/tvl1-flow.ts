// Time of TV-L1 flow beside OpenCV's DualTVL1 on RubberWhale and on a 640×480 pair, with and without the early stop, on one
// and two threads; beside our own code without AVX, and beside LibTorch's operators.
import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readImage } from '../lib/io'
import { type Tvl1Options, tvl1Flow } from '../lib/ops'
import { call, keep, rand, setNumThreads, slice, type Tensor, tensor, tidy } from '../lib/tensor'
import type { Context } from './benchmarks'
import { PythonPeer } from './support/python'
import { largestDifference, median, type Row } from './support/result'
import { iteratedByLibTorch } from './tvl1-composition'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const ISAS = ['scalar', 'avx2', 'avx512', 'avx512 + vpopcntdq']
// OpenCV takes seconds for a pair: more rounds would take minutes.
const ROUNDS = 2
const OURS_PER_ROUND = 3
/** Samples as OpenCV 5 does, so that both make the same iterations. */
const LIKE_OPENCV: Tvl1Options = { bicubicA: -0.75, zeroBorder: true }

interface Pair {
  readonly name: string
  readonly first: Tensor
  readonly second: Tensor
}

interface Mode {
  readonly name: string
  readonly epsilon: number
  readonly outer: number
  readonly inner: number
}

const MODES: readonly Mode[] = [
  { name: 'early stop', epsilon: 0.01, outer: 10, inner: 30 },
  // All of OpenCV's 300 iterations a warp would take it a minute.
  { name: 'no early stop, 15 iterations a warp', epsilon: 0, outer: 1, inner: 15 },
]

interface Answer {
  readonly ms: number
  readonly cpuMs: number
  readonly flow: string
}

export async function tvl1FlowTime({ python, threads }: Context): Promise<{ rows: Row[]; [figure: string]: unknown }> {
  const isa = ISAS[call('vision_native::_cpu_isa', []) as unknown as number] ?? 'unknown'
  const folder = await mkdtemp(join(tmpdir(), 'tvl1-flow-'))
  const peer = new PythonPeer(python, 'tvl1-flow.py')
  try {
    const [whale, hands] = [await rubberWhale(), await handsAndBottles(peer, folder)]
    const rows: Row[] = []
    const cpuRatios: Record<string, number> = {}
    for (const pair of [whale, hands]) {
      for (const mode of MODES) {
        for (const count of [1, 2]) {
          const { row, cpuRatio } = await besideOpenCV(pair, mode, count, peer, folder, isa)
          rows.push(row)
          cpuRatios[row.case] = cpuRatio
        }
      }
    }
    setNumThreads(1)
    rows.push(await besideScalar(whale, folder, isa), besideLibTorch(isa))
    const crop = (image: Tensor) => tidy(() => keep(image.at(null, slice(0, 256), slice(0, 340)).contiguous()))
    const small = [crop(whale.first), crop(whale.second)] as const
    const pairsPerSecond = Object.fromEntries(
      [1, 2].map((count) => {
        setNumThreads(count)
        return [`340×256, ${count} threads`, 1000 / median(timesOf(7, () => solve(...small)))]
      }),
    )
    return { rows, isa, cpuRatios, pairsPerSecond }
  } finally {
    setNumThreads(threads)
    peer.close()
    await rm(folder, { recursive: true })
  }
}

async function rubberWhale(): Promise<Pair> {
  const [first, second] = await Promise.all(
    [1, 2].map((index) => readImage(join(ROOT, `examples/data/rubberwhale${index}.png`), { mode: 'grey' })),
  )
  if (!first || !second) throw new Error('bench: the photographs are missing')
  return { name: 'RubberWhale 584×388', first, second }
}

/** Two neighbouring frames of a video of 640×360, stretched. */
async function handsAndBottles(peer: PythonPeer, folder: string): Promise<Pair> {
  const video = join(ROOT, 'test/fixtures/video/hand-bottle.mp4')
  const { paths } = await peer.ask<{ paths: [string, string] }>({
    video,
    frames: [40, 41],
    height: 480,
    width: 640,
    folder,
  })
  const [first, second] = await Promise.all(
    paths.map(async (path) => tensor(Uint8Array.from(await readFile(path)), { shape: [1, 480, 640] })),
  )
  if (!first || !second) throw new Error(`bench: ${video} has no frames 40 and 41`)
  return { name: 'hands 640×480', first, second }
}

const solve = (first: Tensor, second: Tensor, options: Tvl1Options = {}) =>
  tidy(() => tvl1Flow(first, second, options).flow.dataSync() as Float32Array)

function timesOf(count: number, run: () => unknown): number[] {
  run()
  return Array.from({ length: count }, () => {
    const start = performance.now()
    run()
    return performance.now() - start
  })
}

async function besideOpenCV(
  { name, first, second }: Pair,
  mode: Mode,
  threads: number,
  peer: PythonPeer,
  folder: string,
  isa: string,
): Promise<{ row: Row; cpuRatio: number }> {
  setNumThreads(threads)
  const [height, width] = [first.size(1), first.size(2)]
  const paths = { first: join(folder, 'first'), second: join(folder, 'second') }
  await writeFile(paths.first, first.dataSync() as Uint8Array)
  await writeFile(paths.second, second.dataSync() as Uint8Array)
  const { epsilon, outer, inner } = mode
  const options = { ...LIKE_OPENCV, epsilon, outerIterations: outer, innerIterations: inner }
  const question = { ...paths, height, width, threads, epsilon, outer, inner }
  const [ours, oursCpu, theirs, theirsCpu]: [number[], number[], number[], number[]] = [[], [], [], []]
  let equalTo = Number.NaN
  for (let round = 0; round < ROUNDS; round++) {
    const answer = await peer.ask<Answer>(question)
    theirs.push(answer.ms)
    theirsCpu.push(answer.cpuMs)
    if (round === 0) equalTo = medianDifference(solve(first, second, options), await readFile(answer.flow))
    for (let i = 0; i < OURS_PER_ROUND; i++) {
      const [start, cpu] = [performance.now(), process.cpuUsage()]
      solve(first, second, options)
      const { user, system } = process.cpuUsage(cpu)
      ours.push(performance.now() - start)
      oursCpu.push((user + system) / 1000)
    }
  }
  const [oursMs, peerMs] = [median(ours), median(theirs)]
  const row = {
    case: `${name}, ${mode.name}, ${threads} thread${threads > 1 ? 's' : ''}, ${isa}`,
    oursMs,
    peer: 'OpenCV DualTVL1',
    peerMs,
    ratio: peerMs / oursMs,
    equalTo,
  }
  return { row, cpuRatio: median(theirsCpu) / median(oursCpu) }
}

/** Median difference of u and v: where a float32 decides between two minima, single pixels may be far apart. */
function medianDifference(ours: Float32Array, bytes: Buffer): number {
  const theirs = new Float32Array(Uint8Array.from(bytes).buffer)
  const count = ours.length / 2
  return median(
    Array.from(ours, (value, i) => Math.abs(value - (theirs[2 * (i % count) + Math.floor(i / count)] as number))),
  )
}

/** The same solve by the code for CPUs without AVX; the instruction set is chosen once in a process. */
async function besideScalar({ name, first, second }: Pair, folder: string, isa: string): Promise<Row> {
  const path = join(folder, 'scalar.flow')
  const output = execFileSync(process.execPath, ['--import', 'tsx', fileURLToPath(import.meta.url), '--scalar', path], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, VISION_NATIVE_ISA: 'scalar' },
  })
  const scalar = new Float32Array(Uint8Array.from(await readFile(path)).buffer)
  const [oursMs, peerMs] = [median(timesOf(7, () => solve(first, second))), Number(output)]
  return {
    case: `${name}, early stop, 1 thread, ${isa}`,
    oursMs,
    peer: 'ours, scalar',
    peerMs,
    ratio: peerMs / oursMs,
    equalTo: largestDifference(solve(first, second), scalar),
  }
}

/** Inner iterations alone: what one writes without a kernel. */
function besideLibTorch(isa: string): Row {
  const [height, width, iterations] = [388, 584, 30]
  const state = tidy(() => keep(rand([1, 6, height, width]).sub(0.5)))
  const data = tidy(() => keep(rand([1, 3, height, width]).sub(0.5).mul(16)))
  state.narrow(1, 2, 4).fill_(0)
  const ours = () =>
    tidy(() => {
      const [next] = call('vision_native::_tvl1_iterate', [state, data, iterations]) as [Tensor]
      return next.dataSync() as Float32Array
    })
  const theirs = () => tidy(() => iteratedByLibTorch(state, data, iterations).dataSync() as Float32Array)
  const equalTo = largestDifference(ours(), theirs())
  const [oursMs, peerMs] = [median(timesOf(7, ours)), median(timesOf(3, theirs))]
  return {
    case: `584×388, ${iterations} inner iterations, 1 thread, ${isa}`,
    oursMs,
    peer: 'LibTorch composition',
    peerMs,
    ratio: peerMs / oursMs,
    equalTo,
  }
}

const scalarPath = process.argv[2] === '--scalar' ? process.argv[3] : undefined
if (scalarPath !== undefined) {
  setNumThreads(1)
  const { first, second } = await rubberWhale()
  const ms = median(timesOf(3, () => solve(first, second)))
  await writeFile(scalarPath, solve(first, second))
  console.log(ms)
}
