// A ten-minute H.264 video (640×360, 29.83 frames a second) decoded as a stream: memory, and speed beside OpenCV's.
import { existsSync } from 'node:fs'
import { mkdir, rename } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readVideo, videoInfo } from '../lib/io'
import { memory, type Tensor } from '../lib/tensor'
import type { Context } from './benchmarks'
import { loopVideo } from './support/loop-video'
import { PythonPeer } from './support/python'
import { largestDifference, median, type Row } from './support/result'

const CLIP = fileURLToPath(new URL('../test/fixtures/video/hand-bottle.mp4', import.meta.url))
const FOLDER = join(tmpdir(), 'vision-native-bench')
const SECONDS = 600
/** Of the video, in the rounds beside the peer. */
const PART_FRAMES = 1800
const ROUNDS = 5
/** Every how many frames the mean of one is compared. */
const COMPARE = 100

interface Decoded {
  readonly ms: number
  readonly frames: number
  /** Mean of the pixels of every `COMPARE`-th frame. */
  readonly means: readonly number[]
}

export async function videoDecode({ python, threads }: Context): Promise<{ rows: Row[]; stream: object }> {
  const path = await longVideo()
  const whole = await decodeWhole(path, threads)
  const peer = new PythonPeer(python, 'video-decode.py')
  try {
    const ours: number[] = []
    const theirs: number[] = []
    let equalTo = Number.NaN
    for (let round = -1; round < ROUNDS; round++) {
      const compare = round < 0
      const mine = await decode(path, threads, PART_FRAMES, compare)
      const other = await peer.ask<Decoded>({ path, threads, frames: PART_FRAMES, compare: compare ? COMPARE : 0 })
      if (mine.frames !== other.frames) throw new Error(`bench: ${mine.frames} frames, the peer has ${other.frames}`)
      if (compare) equalTo = largestDifference(mine.means, other.means)
      else {
        ours.push(mine.ms)
        theirs.push(other.ms)
      }
    }
    const [oursMs, peerMs] = [median(ours), median(theirs)]
    const name = `${PART_FRAMES} frames of 640×360 H.264`
    return {
      rows: [{ case: name, oursMs, peer: 'OpenCV VideoCapture', peerMs, ratio: peerMs / oursMs, equalTo }],
      stream: whole,
    }
  } finally {
    peer.close()
  }
}

async function decode(path: string, threads: number, endFrame: number, compare: boolean): Promise<Decoded> {
  const means: number[] = []
  let frames = 0
  const start = performance.now()
  for await (using chunk of readVideo(path, { threads, endFrame })) {
    for (let i = 0; compare && i < chunk.timestampsS.length; i++) {
      if ((chunk.index + i) % COMPARE === 0) means.push(meanOf(chunk.frames, i))
    }
    frames += chunk.timestampsS.length
  }
  return { ms: performance.now() - start, frames, means }
}

function meanOf(frames: Tensor, index: number): number {
  const size = frames.numel / frames.size(0)
  const pixels = frames.dataSync().subarray(index * size, (index + 1) * size) as Uint8Array
  return pixels.reduce((sum, value) => sum + value, 0) / size
}

/** The ten minutes from beginning to end: what the process holds at most, and how much faster than it plays. */
async function decodeWhole(path: string, threads: number): Promise<object> {
  const { durationS } = await videoInfo(path)
  let frames = 0
  let peakRss = 0
  let peakTensorBytes = 0
  const start = performance.now()
  for await (using chunk of readVideo(path, { threads })) {
    frames += chunk.timestampsS.length
    peakRss = Math.max(peakRss, process.memoryUsage.rss())
    peakTensorBytes = Math.max(peakTensorBytes, memory.stats().allocatedCpuBytes)
  }
  const seconds = (performance.now() - start) / 1000
  return {
    frames,
    durationS: round(durationS),
    seconds: round(seconds),
    framesPerSecond: round(frames / seconds),
    timesRealTime: round(durationS / seconds),
    peakRssMB: round(peakRss / 1e6),
    peakTensorMB: round(peakTensorBytes / 1e6),
  }
}

function round(value: number): number {
  return Number(value.toPrecision(3))
}

/** The photographed clip over and over; made once. */
async function longVideo(): Promise<string> {
  const path = join(FOLDER, `hands-${SECONDS}s.mp4`)
  if (existsSync(path)) return path
  await mkdir(FOLDER, { recursive: true })
  await loopVideo(CLIP, `${path}.part`, SECONDS)
  await rename(`${path}.part`, path)
  return path
}
