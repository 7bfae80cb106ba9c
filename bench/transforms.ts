// Time of transforms beside torchvision's v2 on tensors: the same photograph, the same seeds, so the same parameters.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  AugMix,
  CenterCrop,
  ColorJitter,
  Compose,
  functional,
  GaussianBlur,
  Normalize,
  RandAugment,
  RandomAffine,
  RandomHorizontalFlip,
  RandomResizedCrop,
  Resize,
  type SampleTransform,
  ToDtype,
} from '../lib/data/transforms'
import { readImage } from '../lib/io'
import { Generator, keep, setNumThreads, type Tensor, tidy } from '../lib/tensor'
import type { Context } from './benchmarks'
import { PythonPeer } from './support/python'
import { largestDifference, median, type Row } from './support/result'

const PHOTOGRAPH = fileURLToPath(new URL('../examples/data/rubberwhale1.png', import.meta.url))
const ROUNDS = 15
/** Samples in a round, of seeds of their own. */
const SAMPLES = 10

const toFloats = [
  new ToDtype('float32', { scale: true }),
  new Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
] as const

/** By name of the case, which the peer knows too. */
const PIPELINES: Readonly<Record<string, SampleTransform>> = {
  train: new Compose([new RandomResizedCrop(224), new RandomHorizontalFlip(), ...toFloats]),
  evaluate: new Compose([new Resize(232), new CenterCrop(224), ...toFloats]),
  jitter: new ColorJitter({ brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 }),
  affine: new RandomAffine(20, { translate: [0.1, 0.1], scale: [0.8, 1.2], interpolation: 'bilinear' }),
  blur: new GaussianBlur(9),
  randAugment: new RandAugment(),
  augMix: new AugMix(),
}

export async function transformsTime({ python, threads }: Context): Promise<{ rows: Row[] }> {
  setNumThreads(threads)
  const folder = await mkdtemp(join(tmpdir(), 'transforms-'))
  const peer = new PythonPeer(python, 'transforms.py')
  try {
    const photograph = await readImage(PHOTOGRAPH)
    const image = tidy(() => keep(functional.resize(photograph, [256, 256])))
    const path = join(folder, 'image')
    await writeFile(path, image.dataSync() as Uint8Array)
    const rows: Row[] = []
    for (const name of Object.keys(PIPELINES)) rows.push(await compare(name, image, peer, { path, threads }))
    return { rows }
  } finally {
    peer.close()
    await rm(folder, { recursive: true })
  }
}

interface Question {
  readonly path: string
  readonly threads: number
}

async function compare(name: string, image: Tensor, peer: PythonPeer, question: Question): Promise<Row> {
  const transform = PIPELINES[name]
  if (transform === undefined) throw new Error(`bench: no pipeline '${name}'`)
  const ours: number[] = []
  const theirs: number[] = []
  let equalTo = 0
  for (let round = -1; round < ROUNDS; round++) {
    const seeds = Array.from({ length: SAMPLES }, (_, i) => (round + 1) * SAMPLES + i)
    const generators = seeds.map((seed) => new Generator(seed))
    const start = performance.now()
    for (const generator of generators) tidy(() => void transform.forward(image, { generator }))
    const ms = (performance.now() - start) / SAMPLES
    const answer = await peer.ask<{ ms: number; output: string }>({ ...question, case: name, seeds })
    if (round < 0) {
      const result = tidy(() =>
        transform
          .forward(image, { generator: new Generator(seeds[0] ?? 0) })
          .to('float32')
          .dataSync(),
      )
      const bytes = await readFile(answer.output)
      equalTo = largestDifference(result, new Float32Array(Uint8Array.from(bytes).buffer))
    } else {
      ours.push(ms)
      theirs.push(answer.ms)
    }
  }
  const [oursMs, peerMs] = [median(ours), median(theirs)]
  return { case: name, oursMs, peer: 'torchvision v2', peerMs, ratio: peerMs / oursMs, equalTo }
}
