// How fast JPEG files of 256 × 256 become batches, and how long training waits for them, beside PyTorch's DataLoader.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { DataLoader, type Dataset, workerDataset } from '../lib/data'
import { AdaptiveAvgPool2d, BatchNorm2d, Conv2d, Flatten, Linear, ReLU, Sequential } from '../lib/nn'
import { crossEntropy } from '../lib/nn/functional'
import { SGD } from '../lib/optim'
import type { Tensor } from '../lib/tensor'
import { tidy } from '../lib/tensor'
import jpegs, { type JpegOptions, type JpegSample } from './support/jpeg-dataset'
import { PythonPeer } from './support/python'
import { largestDifference, median, type Row } from './support/result'

const PHOTOS = ['rubberwhale1.png', 'rubberwhale2.png']
const IMAGES = 384
const SIDE = 256
const SIZE = 224
const BATCH = 32
const ROUNDS = 3
const WORKERS = [0, 1, 2]

interface Batch {
  readonly image: Tensor
  readonly label: Tensor
}

export async function dataLoading({ python, threads }: { readonly python: string; readonly threads: number }) {
  const folder = await mkdtemp(join(tmpdir(), 'vision-native-jpeg-'))
  const peer = new PythonPeer(python, 'data-loading.py')
  try {
    await writePhotos(folder)
    await peer.ask({ folder, size: SIZE, batch: BATCH, threads })
    const equalTo = await decodedDifference(folder, peer)
    const module = new URL('./support/jpeg-dataset.ts', import.meta.url)
    const dataset = await workerDataset<Dataset<JpegSample>>(module, { folder, size: SIZE } satisfies JpegOptions)
    const rows: Row[] = []
    for (const workers of WORKERS) rows.push(await compare(dataset, workers, peer, equalTo))
    const training = []
    for (const workers of WORKERS) training.push({ workers, ...(await train(dataset, workers)) })
    return { rows, training }
  } finally {
    peer.close()
    await rm(folder, { recursive: true })
  }
}

/** Pieces of the example photographs, as JPEG files of quality 90. */
async function writePhotos(folder: string): Promise<void> {
  for (let i = 0; i < IMAGES; i++) {
    const photo = sharp(fileURLToPath(new URL(`../examples/data/${PHOTOS[i % PHOTOS.length]}`, import.meta.url)))
    const { width, height } = await photo.metadata()
    const left = (i * 37) % (width - SIDE)
    const top = (i * 53) % (height - SIDE)
    const piece = photo.extract({ left, top, width: SIDE, height: SIDE }).flop(i % 3 === 0)
    await piece.jpeg({ quality: 90 }).toFile(join(folder, `${String(i).padStart(4, '0')}.jpg`))
  }
}

/** The two decode and normalise a whole picture alike. */
async function decodedDifference(folder: string, peer: PythonPeer): Promise<number> {
  const { image } = await jpegs({ folder, size: SIZE, whole: true }).get(0)
  const { values } = await peer.ask<{ values: number[] }>({ decode: '0000.jpg' })
  return largestDifference(image.dataSync() as Float32Array, values)
}

function loaderOf(dataset: Dataset<JpegSample>, workers: number) {
  const options = { batchSize: BATCH, shuffle: true, seed: 1, dropLast: true, workers, persistentWorkers: workers > 0 }
  return new DataLoader<JpegSample, Batch>(dataset, options)
}

/** Milliseconds a batch, of an epoch whose workers run already. */
async function compare(dataset: Dataset<JpegSample>, workers: number, peer: PythonPeer, equalTo: number): Promise<Row> {
  await using loader = loaderOf(dataset, workers)
  const epoch = async () => {
    const start = performance.now()
    let batches = 0
    for await (const _ of loader) batches += 1
    return (performance.now() - start) / batches
  }
  await epoch()
  await peer.ask({ workers })
  const [ours, theirs]: [number[], number[]] = [[], []]
  for (let round = 0; round < ROUNDS; round++) {
    ours.push(await epoch())
    theirs.push((await peer.ask<{ ms: number }>({ workers })).ms)
  }
  const [oursMs, peerMs] = [median(ours), median(theirs)]
  const name = `${BATCH} JPEG ${SIDE}² a batch, ${workers} workers`
  return { case: name, oursMs, peer: 'PyTorch DataLoader', peerMs, ratio: peerMs / oursMs, equalTo }
}

/** The share of the time that training a small network waits for batches, from the second batch on. */
async function train(dataset: Dataset<JpegSample>, workers: number) {
  const model = new Sequential(
    ...[conv(3, 32), conv(32, 64), conv(64, 128)].flat(),
    new AdaptiveAvgPool2d(1),
    new Flatten(),
    new Linear(128, 10),
  )
  const optimizer = new SGD(model.parameters(), { lr: 0.01, momentum: 0.9 })
  await using loader = loaderOf(dataset, workers)
  for await (const { image, label } of loader) {
    tidy(() => {
      optimizer.zeroGrad()
      crossEntropy(model.forward(image), label).backward()
      optimizer.step()
    })
  }
  const { batches, elapsedMs, waitMs, firstWaitMs } = loader.stats()
  const share = (waitMs - firstWaitMs) / (elapsedMs - firstWaitMs)
  return { batches, msPerBatch: (elapsedMs - firstWaitMs) / (batches - 1), waitShare: share, firstWaitMs }
}

function conv(from: number, to: number) {
  return [new Conv2d(from, to, 3, { stride: 2, padding: 1 }), new BatchNorm2d(to), new ReLU()]
}
