// Time of connected components and of the watershed beside OpenCV's, scikit-image's and cc3d's: smooth masks, noise,
// several values, volumes; how it depends on the threads.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Connectivity, connectedComponents, connectedComponentsWithStats, watershed } from '../lib/ops'
import { avgPool2d, call, manualSeed, rand, setNumThreads, type Tensor, tensor, tidy } from '../lib/tensor'
import type { Context } from './benchmarks'
import { PythonPeer } from './support/python'
import { largestDifference, median, type Row } from './support/result'

const ISAS = ['scalar', 'avx2', 'avx512', 'avx512 + vpopcntdq']

type Task = 'opencv' | 'opencv-stats' | 'scikit-image' | 'cc3d' | 'watershed'

interface Comparison {
  readonly name: string
  readonly task: Task
  readonly image: Tensor
  readonly dtype: 'uint8' | 'float32'
  readonly connectivity: Connectivity
  readonly markers?: Tensor
  readonly rounds: number
}

const PEERS: Readonly<Record<Task, string>> = {
  opencv: 'OpenCV connectedComponents',
  'opencv-stats': 'OpenCV connectedComponentsWithStats',
  'scikit-image': 'scikit-image label',
  cc3d: 'cc3d',
  watershed: 'scikit-image watershed',
}

export async function componentsTime({
  python,
  threads,
}: Context): Promise<{ rows: Row[]; [figure: string]: unknown }> {
  setNumThreads(threads)
  manualSeed(1)
  const isa = ISAS[call('vision_native::_cpu_isa', []) as unknown as number] ?? 'unknown'
  const folder = await mkdtemp(join(tmpdir(), 'components-'))
  const peer = new PythonPeer(python, 'components.py')
  const missing = new Set<string>()
  try {
    const rows: Row[] = []
    for (const comparison of comparisons()) {
      const row = await compare(comparison, peer, folder, threads, isa)
      if (typeof row === 'string') missing.add(row)
      else rows.push(row)
    }
    return { rows, isa, notInstalled: [...missing], ...threadTimes(threads) }
  } finally {
    peer.close()
    await rm(folder, { recursive: true })
  }
}

/** Smooth noise in 0–1: `[H, W]`, or `[D, H, W]` that changes slowly from plane to plane. */
function smooth(shape: readonly number[], size: number): Tensor {
  return tidy(() => {
    const [height, width] = shape.slice(-2) as [number, number]
    const depth = shape.length === 3 ? (shape[0] as number) : 1
    let planes: Tensor = rand([1, depth, height, width])
    const options = { stride: 1, padding: (size - 1) / 2, countIncludePad: false }
    for (let i = 0; i < 3; i++) planes = avgPool2d(planes, size, options)
    if (depth > 1) planes = planes.add(planes.roll([1], { dims: [1] })).add(planes.roll([2], { dims: [1] }))
    const low = planes.min()
    return planes
      .sub(low)
      .div(planes.max().sub(low))
      .reshape([...shape])
      .contiguous()
  })
}

const masked = (values: Tensor) => tidy(() => values.gt(values.median()).to('uint8'))

function comparisons(): readonly Comparison[] {
  const blobs = masked(smooth([2048, 2048], 9))
  const cells = masked(smooth([64, 256, 256], 7))
  const noise = tidy(() => rand([2048, 2048]).gt(0.5).to('uint8'))
  const classes = tidy(() => smooth([1024, 1024], 9).mul(5.99).floor().to('uint8'))
  const image = tidy(() => smooth([512, 512], 9).mul(255).to('uint8'))
  const volume = tidy(() => smooth([48, 128, 128], 5).mul(255).to('uint8'))
  const levels = smooth([512, 512], 9)
  const binary = { dtype: 'uint8', rounds: 15 } as const
  return [
    { ...binary, name: '2048² blobs, 8', task: 'opencv', image: blobs, connectivity: 8 },
    { ...binary, name: '2048² blobs, 4', task: 'opencv', image: blobs, connectivity: 4 },
    { ...binary, name: '2048² noise, 8', task: 'opencv', image: noise, connectivity: 8 },
    { ...binary, name: '2048² blobs, 8, statistics', task: 'opencv-stats', image: blobs, connectivity: 8 },
    { ...binary, name: '1024² of 6 values, 8', task: 'scikit-image', image: classes, connectivity: 8 },
    { ...binary, name: '1024² of 6 values, 8', task: 'cc3d', image: classes, connectivity: 8 },
    { ...binary, name: '64 × 256² blobs, 26', task: 'scikit-image', image: cells, connectivity: 26, rounds: 7 },
    { ...binary, name: '64 × 256² blobs, 26', task: 'cc3d', image: cells, connectivity: 26 },
    {
      ...binary,
      name: '512² watershed, bytes (differ: share)',
      task: 'watershed',
      image,
      connectivity: 4,
      markers: seedsOf(image),
    },
    {
      name: '512² watershed, float32',
      task: 'watershed',
      image: levels,
      dtype: 'float32',
      connectivity: 4,
      markers: seedsOf(tidy(() => levels.mul(255).to('uint8'))),
      rounds: 15,
    },
    {
      ...binary,
      name: '48 × 128² watershed, bytes (differ: share)',
      task: 'watershed',
      image: volume,
      connectivity: 6,
      markers: seedsOf(volume),
      rounds: 5,
    },
  ]
}

/** A seed at the first place of each level. */
function seedsOf(image: Tensor): Tensor {
  const values = image.dataSync() as Uint8Array
  const markers = new Int32Array(values.length)
  const seen = new Set<number>()
  for (const [place, value] of values.entries()) {
    if (seen.has(value)) continue
    seen.add(value)
    markers[place] = seen.size
  }
  return tensor(markers, { shape: [...image.shape] })
}

async function compare(c: Comparison, peer: PythonPeer, folder: string, threads: number, isa: string) {
  const paths = { image: join(folder, 'image'), markers: c.markers ? join(folder, 'markers') : '' }
  await writeFile(paths.image, c.image.dataSync() as Uint8Array)
  if (c.markers) await writeFile(paths.markers, c.markers.dataSync() as Int32Array)
  const question = {
    ...paths,
    task: c.task,
    shape: c.image.shape,
    dtype: c.dtype,
    connectivity: c.connectivity,
    threads,
  }
  const run = () => {
    if (c.markers) return watershed(c.image, c.markers, { connectivity: c.connectivity })
    const options = { connectivity: c.connectivity }
    if (c.task === 'opencv-stats') return connectedComponentsWithStats(c.image, options).labels
    return connectedComponents(c.image, options).labels
  }
  const ours: number[] = []
  const theirs: number[] = []
  let equalTo = Number.NaN
  for (let round = -1; round < c.rounds; round++) {
    const ms = timed(run)
    const answer = await peer.ask<{ ms: number; output: string } | { missing: string }>(question)
    if ('missing' in answer) return answer.missing
    if (round < 0) {
      const labels = tidy(() => run().dataSync() as Int32Array)
      const peers = new Int32Array(Uint8Array.from(await readFile(answer.output)).buffer)
      // Bytes tie, and scikit-image has another order of places of one level.
      const share = c.markers !== undefined && c.dtype === 'uint8'
      equalTo = share ? shareApart(labels, peers) : largestDifference(labels, c.markers ? peers : inRasterOrder(peers))
    } else {
      ours.push(ms)
      theirs.push(answer.ms)
    }
  }
  const [oursMs, peerMs] = [median(ours), median(theirs)]
  return { case: `${c.name}, ${isa}`, oursMs, peer: PEERS[c.task], peerMs, ratio: peerMs / oursMs, equalTo }
}

function shareApart(labels: Int32Array, peers: Int32Array): number {
  return labels.reduce((count, label, place) => count + (label === peers[place] ? 0 : 1), 0) / labels.length
}

/** The same components, numbered by their first place. */
function inRasterOrder(labels: Int32Array): Int32Array {
  const names = new Map<number, number>([[0, 0]])
  return labels.map((label) => {
    const known = names.get(label)
    if (known !== undefined) return known
    names.set(label, names.size)
    return names.size - 1
  })
}

function threadTimes(threads: number): Record<string, unknown> {
  const [image, volume] = [masked(smooth([4096, 4096], 9)), masked(smooth([64, 256, 256], 7))]
  const times = { image: [[], []], volume: [[], []] } as { image: [number[], number[]]; volume: [number[], number[]] }
  for (let round = 0; round < 15; round++) {
    for (const count of [1, 2] as const) {
      setNumThreads(count)
      times.image[count - 1]?.push(timed(() => connectedComponents(image)))
      times.volume[count - 1]?.push(timed(() => connectedComponents(volume, { connectivity: 26 })))
    }
  }
  setNumThreads(threads)
  const ratio = ([one, two]: [number[], number[]]) => median(one) / median(two)
  return { oneThreadOverTwo: { '4096² blobs': ratio(times.image), '64 × 256² blobs': ratio(times.volume) } }
}

function timed(run: () => unknown): number {
  const start = performance.now()
  tidy(() => void run())
  return performance.now() - start
}
