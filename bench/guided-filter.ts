// Time of the guided filter beside OpenCV's and beside a composition of LibTorch's operators: 1080p, grey and colour, with
// one and two threads, forward and backward; how it depends on the radius and the size; how far it is from what memory allows.
import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fastGuidedFilter, type GuidedMode, guidedFilter } from '../lib/ops'
import { avgPool2d, call, grad, manualSeed, rand, setNumThreads, type Tensor, tidy } from '../lib/tensor'
import type { Context } from './benchmarks'
import { copyGBs } from './floor'
import { timeOf } from './support/operator'
import { PythonPeer } from './support/python'
import { largestDifference, median, type Row } from './support/result'

const ROUNDS = 15
const [HEIGHT, WIDTH, EPS] = [1080, 1920, 0.01]
const ISAS = ['scalar', 'avx2', 'avx512', 'avx512 + vpopcntdq']

export async function guidedFilterTime({
  python,
  threads,
}: Context): Promise<{ rows: Row[]; [figure: string]: unknown }> {
  manualSeed(1)
  const isa = ISAS[call('vision_native::_cpu_isa', []) as unknown as number] ?? 'unknown'
  const folder = await mkdtemp(join(tmpdir(), 'guided-filter-'))
  const peer = new PythonPeer(python, 'guided-filter.py')
  try {
    const rows: Row[] = []
    const ofCopyBandwidth: Record<string, number> = {}
    for (const count of [1, 2]) {
      setNumThreads(count)
      const bandwidth = copyGBs()
      for (const mode of ['gray', 'color'] as const) {
        const row = await besideOpenCV(mode, peer, folder, count, isa)
        rows.push(row)
        // A single sweep reads the guide and the input once and writes the result.
        const bytes = 4 * ((mode === 'gray' ? 1 : 3) + 2) * HEIGHT * WIDTH
        ofCopyBandwidth[row.case] = bytes / row.oursMs / 1e6 / bandwidth
      }
    }
    setNumThreads(threads)
    rows.push(besideComposition(false, isa), besideComposition(true, isa))
    return {
      rows,
      isa,
      ofCopyBandwidth,
      scalarMilliseconds: scalarMilliseconds(),
      ...shapes(threads),
    }
  } finally {
    peer.close()
    await rm(folder, { recursive: true })
  }
}

async function besideOpenCV(
  mode: GuidedMode,
  peer: PythonPeer,
  folder: string,
  threads: number,
  isa: string,
): Promise<Row> {
  const channels = mode === 'gray' ? 1 : 3
  const guide = rand([1, channels, HEIGHT, WIDTH])
  const input = rand([1, 1, HEIGHT, WIDTH])
  const paths = { guide: join(folder, `guide-${channels}`), input: join(folder, `input-${channels}`) }
  await writeFile(paths.guide, guide.permute([0, 2, 3, 1]).contiguous().dataSync() as Float32Array)
  await writeFile(paths.input, input.dataSync() as Float32Array)
  const question = { ...paths, height: HEIGHT, width: WIDTH, channels, radius: 8, eps: EPS, threads }
  const filter = () => guidedFilter(guide, input, { radius: 8, eps: EPS, mode, edge: 'reflect' })
  const ours: number[] = []
  const theirs: number[] = []
  let equalTo = Number.NaN
  for (let round = -1; round < ROUNDS; round++) {
    // While the peer had its turn this core slept; the peer, too, calls once before it measures.
    timed(filter)
    const ms = timed(filter)
    const answer = await peer.ask<{ ms: number; output: string }>(question)
    if (round < 0) {
      const output = tidy(() => filter().dataSync() as Float32Array)
      equalTo = largestDifference(output, new Float32Array(Uint8Array.from(await readFile(answer.output)).buffer))
    } else {
      ours.push(ms)
      theirs.push(answer.ms)
    }
  }
  const [oursMs, peerMs] = [median(ours), median(theirs)]
  return {
    case: `1080p ${mode}, r = 8, ${threads} thread${threads > 1 ? 's' : ''}, ${isa}`,
    oursMs,
    peer: 'OpenCV ximgproc',
    peerMs,
    ratio: peerMs / oursMs,
    equalTo,
  }
}

/** Six `avg_pool2d` that leave the padding out of their counts: what one writes without a kernel. */
function composed(guide: Tensor, input: Tensor): Tensor {
  const mean = (x: Tensor) => avgPool2d(x, 17, { stride: 1, padding: 8, countIncludePad: false })
  const mu = mean(guide)
  const pi = mean(input)
  const a = mean(guide.mul(input))
    .sub(mu.mul(pi))
    .div(mean(guide.mul(guide)).sub(mu.mul(mu)).add(EPS))
  return mean(a)
    .mul(guide)
    .add(mean(pi.sub(a.mul(mu))))
}

function besideComposition(backward: boolean, isa: string): Row {
  // At 1080p a call of theirs takes seconds.
  const size = [1, 1, HEIGHT / 2, WIDTH / 2]
  const [guide, input, weights] = [rand(size), rand(size), rand(size)]
  if (backward) for (const tensor of [guide, input]) tensor.requiresGrad_()
  const run = (filter: () => Tensor) => () =>
    backward ? (grad([filter()], [guide, input], { gradOutputs: [weights] })[0] as Tensor) : filter()
  const exact = run(() => guidedFilter(guide, input, { radius: 8, eps: EPS }))
  const other = run(() => composed(guide, input))
  const equalTo = tidy(() => exact().sub(other()).abs().max().toNumber())
  const ours: number[] = []
  const theirs: number[] = []
  for (let round = 0; round < 5; round++) {
    ours.push(timed(exact))
    theirs.push(timed(other))
  }
  const [oursMs, peerMs] = [median(ours), median(theirs)]
  return {
    case: `960 × 540 gray, r = 8, ${backward ? 'forward and backward, ' : ''}${isa}`,
    oursMs,
    peer: 'LibTorch avg_pool2d',
    peerMs,
    ratio: peerMs / oursMs,
    equalTo,
  }
}

/** Our own path without AVX; the results have the same bits. */
function scalarMilliseconds(): Record<string, number> {
  const script = fileURLToPath(new URL('guided-filter-scalar.ts', import.meta.url))
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--import', 'tsx', script], {
    encoding: 'utf8',
    env: { ...process.env, VISION_NATIVE_ISA: 'scalar' },
  })
  if (status !== 0) throw new Error(`guided-filter-scalar.ts failed: ${stderr}`)
  return JSON.parse(stdout) as Record<string, number>
}

/** Times in turn, so that what else the machine does falls on all alike. */
function interleaved(runs: Readonly<Record<string, () => unknown>>): Record<string, number> {
  const times = new Map(Object.keys(runs).map((name) => [name, [] as number[]]))
  for (let round = -1; round < ROUNDS; round++) {
    for (const [name, run] of Object.entries(runs)) {
      const ms = timed(run)
      if (round >= 0) times.get(name)?.push(ms)
    }
  }
  return Object.fromEntries([...times].map(([name, values]) => [name, median(values)]))
}

function shapes(threads: number): Record<string, unknown> {
  const [guide, input] = [rand([1, 1, HEIGHT, WIDTH]), rand([1, 1, HEIGHT, WIDTH])]
  const [red, leaf] = [rand([1, 3, HEIGHT, WIDTH]), rand([1, 1, HEIGHT, WIDTH]).requiresGrad_()]
  const squares = [256, 512, 1024, 2048].map((side) => [side, rand([1, 1, side, side])] as const)
  const large = rand([1, 1, 2160, 3840])
  const gray = (radius: number) => () => guidedFilter(guide, input, { radius, eps: EPS })
  const color = () => guidedFilter(red, guide, { radius: 8, eps: EPS, mode: 'color' })
  const onThreads = (count: number, run: () => unknown) => () => {
    setNumThreads(count)
    run()
    setNumThreads(threads)
  }
  const millisecondsByRadius = interleaved({ 2: gray(2), 8: gray(8), 32: gray(32) })
  const nanosecondsPerPixel = interleaved(
    Object.fromEntries([
      ...squares.map(([side, image]) => [`${side}²`, () => guidedFilter(image, image, { radius: 8, eps: EPS })]),
      ['4K', () => guidedFilter(large, large, { radius: 8, eps: EPS })],
    ]),
  )
  for (const [side, image] of [
    ...squares.map(([side, image]) => [`${side}²`, image] as const),
    ['4K', large] as const,
  ]) {
    nanosecondsPerPixel[side] = ((nanosecondsPerPixel[side] ?? Number.NaN) * 1e6) / image.numel
  }
  const other = interleaved({
    'one thread': onThreads(1, gray(8)),
    'two threads': onThreads(2, gray(8)),
    'one thread, color': onThreads(1, color),
    'two threads, color': onThreads(2, color),
    'fast, s = 4': () => fastGuidedFilter(guide, input, { radius: 8, eps: EPS, subsample: 4 }),
    'color, three channels': () => guidedFilter(red, red, { radius: 8, eps: EPS, mode: 'color' }),
    'gray, forward and backward': () =>
      grad([guidedFilter(guide, leaf, { radius: 8, eps: EPS })], [leaf], { gradOutputs: [input] }),
  })
  const [slow, quick] = [millisecondsByRadius[32] ?? Number.NaN, millisecondsByRadius[2] ?? Number.NaN]
  const [one, two] = [other['one thread'] ?? Number.NaN, other['two threads'] ?? Number.NaN]
  return {
    millisecondsByRadius,
    radius32Over2: slow / quick,
    nanosecondsPerPixel,
    milliseconds: other,
    oneThreadOverTwo: one / two,
  }
}

function timed(run: () => unknown): number {
  return timeOf(() => tidy(() => void run()))
}
