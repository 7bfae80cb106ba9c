// Time of TV-L1 flow with its defaults beside OpenCV's DualTVL1: a 340×256 crop and the whole of RubberWhale.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readImage } from '../lib/io'
import { tvl1Flow } from '../lib/ops'
import { keep, setNumThreads, slice, type Tensor, tidy } from '../lib/tensor'
import type { Context } from './benchmarks'
import { PythonPeer } from './support/python'
import { median, type Row } from './support/result'

const DATA = fileURLToPath(new URL('../examples/data/', import.meta.url))
const ROUNDS = 15

interface Case {
  readonly name: string
  readonly first: Tensor
  readonly second: Tensor
}

export async function tvl1FlowTime({ python, threads }: Context): Promise<{ rows: Row[]; pairsPerSecond: object }> {
  setNumThreads(threads)
  const folder = await mkdtemp(join(tmpdir(), 'tvl1-flow-'))
  const peer = new PythonPeer(python, 'tvl1-flow.py')
  try {
    const rows: Row[] = []
    for (const each of await makeCases()) rows.push(await compare(each, peer, folder, threads))
    const pairsPerSecond = Object.fromEntries(rows.map((row) => [row.case, 1000 / row.oursMs]))
    return { rows, pairsPerSecond }
  } finally {
    peer.close()
    await rm(folder, { recursive: true })
  }
}

async function makeCases(): Promise<Case[]> {
  const [first, second] = await Promise.all(
    ['rubberwhale1.png', 'rubberwhale2.png'].map((name) => readImage(DATA + name, { mode: 'grey' })),
  )
  if (!first || !second) throw new Error('bench: the photographs are missing')
  const crop = (image: Tensor) => tidy(() => keep(image.at(null, slice(0, 256), slice(0, 340)).contiguous()))
  return [
    { name: '340×256', first: crop(first), second: crop(second) },
    { name: '584×388', first, second },
  ]
}

async function compare({ name, first, second }: Case, peer: PythonPeer, folder: string, threads: number): Promise<Row> {
  const [height, width] = [first.size(1), first.size(2)]
  const paths = { first: join(folder, `${name}-1`), second: join(folder, `${name}-2`) }
  await writeFile(paths.first, first.dataSync() as Uint8Array)
  await writeFile(paths.second, second.dataSync() as Uint8Array)
  const ours: number[] = []
  const theirs: number[] = []
  let equalTo = Number.NaN
  for (let round = -1; round < ROUNDS; round++) {
    const start = performance.now()
    const flow = tidy(() => tvl1Flow(first, second).flow.dataSync() as Float32Array)
    const ms = performance.now() - start
    const answer = await peer.ask<{ ms: number; flow: string }>({ ...paths, height, width, threads })
    if (round < 0) equalTo = medianDifference(flow, await readFile(answer.flow))
    else {
      ours.push(ms)
      theirs.push(answer.ms)
    }
  }
  const [oursMs, peerMs] = [median(ours), median(theirs)]
  return { case: name, oursMs, peer: 'OpenCV DualTVL1', peerMs, ratio: peerMs / oursMs, equalTo }
}

/** Median difference of u and v: OpenCV samples with another cubic, so single pixels may end in another minimum. */
function medianDifference(ours: Float32Array, bytes: Buffer): number {
  const theirs = new Float32Array(Uint8Array.from(bytes).buffer)
  const count = ours.length / 2
  return median(
    Array.from(ours, (value, i) => Math.abs(value - (theirs[2 * (i % count) + Math.floor(i / count)] as number))),
  )
}
