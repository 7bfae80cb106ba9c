// Noisy pictures to learn from, and pairs to be judged by.
import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { RandomStream, Stream, sampleSeed } from '../../../data/random'
import { listImages, readImagePairs, readNoisyPairs, usableImages } from '../../../datasets'
import { readImage } from '../../../io'
import { ConfigError } from '../../../native/errors'
import { type DataOptions, SYNTHETIC, throwIfCancelled } from '../../../pipeline'
import { Generator, randn, type Tensor, tidyAsync } from '../../../tensor'
import { rgbToGrey } from '../../../vision'
import type { Config } from './config'
import { syntheticScene } from './synthetic'

const SYNTHETIC_COUNT = 8
const SYNTHETIC_SIDE = 64

/** A crop of a picture, in memory. */
export interface NoisyCrop {
  readonly name: string
  /** `[C, h, w]`; where noise was added, neither clipped nor rounded after it. */
  readonly noisy: Tensor
  readonly clean?: Tensor | undefined
  /** The clean crop with other noise. */
  readonly second?: Tensor | undefined
}

/** A crop with its truth. */
export type ScoredCrop = NoisyCrop & { readonly clean: Tensor }

/** Where a crop comes from. */
interface Picture {
  readonly name: string
  /** Number among all pictures: the noise is drawn by it, so that a smaller set has the same. */
  readonly index: number
  readonly read: () => Promise<{ readonly noisy?: Tensor; readonly clean?: Tensor }>
}

type Part = 'train' | 'test'

/** Random crops of the training pictures, one each, drawn once. @throws ConfigError where the method needs what is not there */
export async function trainingCrops(options: DataOptions, config: Config): Promise<NoisyCrop[]> {
  const crops = await cropsOf('train', options, config)
  const { method } = config
  const lacks = crops.some(({ clean, second }) => (method === 'n2c' && !clean) || (method === 'n2n' && !second))
  if (lacks) {
    const what = method === 'n2c' ? 'clean pictures' : 'two noisy pictures of each scene'
    throw new ConfigError(`method ${method} learns from ${what}, and ${options.data} has none; use stn or nb2nb`)
  }
  return crops
}

/** Crops from the middle of the test pictures, or whole pictures; none where nothing is known of the truth. */
export async function testCrops(options: DataOptions, config: Config): Promise<ScoredCrop[]> {
  const crops = await cropsOf('test', options, config)
  return crops.flatMap((crop) => (crop.clean ? [{ ...crop, clean: crop.clean }] : []))
}

async function cropsOf(part: Part, options: DataOptions, config: Config): Promise<NoisyCrop[]> {
  const { seed } = config.training
  const all = await picturesOf(part, options, config)
  const order = new RandomStream(seed, part === 'train' ? 0 : 1, Stream.Split).permutation(all.length)
  const chosen = order.slice(0, config.data[part] ?? all.length).map((place) => all[place] as Picture)
  const crops: NoisyCrop[] = []
  for (const picture of chosen) {
    throwIfCancelled(options.signal, 'reading pictures')
    crops.push(await cropOf(picture, part, config))
  }
  return crops
}

function cropOf({ name, index, read }: Picture, part: Part, config: Config): Promise<NoisyCrop> {
  return tidyAsync(async () => {
    const { noisy, clean } = await read()
    const { seed } = config.training
    const first = (noisy ?? clean) as Tensor
    const side = part === 'test' && config.data.score === 'whole' ? undefined : config.data.crop
    const [, height = 0, width = 0] = first.shape
    const random = new RandomStream(seed, index, Stream.Samples)
    const start = (size: number, length: number) =>
      part === 'train' ? random.below(size - length + 1) : Math.floor((size - length) / 2)
    const [rows, columns] = [Math.min(side ?? height, height), Math.min(side ?? width, width)]
    const [top, left] = [start(height, rows), start(width, columns)]
    const cut = (image: Tensor) => {
      const crop = image.narrow(1, top, rows).narrow(2, left, columns)
      return config.network.channels === 1 && crop.size(0) === 3 ? rgbToGrey(crop) : crop.contiguous()
    }
    const truth = clean && cut(clean)
    if (noisy) return { name, noisy: cut(noisy), clean: truth }
    const draw = (number: number) =>
      (truth as Tensor).add(noiseLike(truth as Tensor, sampleSeed(seed, number, index), config))
    return part === 'train'
      ? { name, clean: truth, noisy: draw(0), second: config.method === 'n2n' ? draw(1) : undefined }
      : { name, clean: truth, noisy: draw(2) }
  })
}

function noiseLike({ shape }: Tensor, seed: number, { noise }: Config): Tensor {
  using generator = new Generator(seed)
  return randn([...shape], { generator }).mul(noise.sigma / 255)
}

async function picturesOf(part: Part, { data, skipBroken, note }: DataOptions, config: Config): Promise<Picture[]> {
  if (data === SYNTHETIC) return synthetic(part, config)
  const settle = { skipBroken, note }
  const least = config.data.crop
  const usable = async (folder: string, what: string) =>
    usableImages(await listImages(folder), { what: `${what} of ${data}`, least, ...settle })
  const image = (path: string) => readImage(path, { dtype: 'float32' })

  if (existsSync(join(data, 'images', 'train'))) {
    const paths = await usable(join(data, 'images', part), `${part} pictures`)
    return paths.map((path, index) => ({
      name: basename(path),
      index,
      read: async () => ({ clean: await image(path) }),
    }))
  }
  if (existsSync(join(data, 'noisy')) && existsSync(join(data, 'clean'))) {
    const pairs = await readImagePairs(data, { input: 'noisy', target: 'clean', ...settle })
    return pairs.map(({ input, target }, index) => ({
      name: basename(input),
      index,
      read: async () => ({ noisy: await image(input), clean: await image(target) }),
    }))
  }
  const { noisySuffix, cleanSuffix } = config.data
  const paths = await listImages(data)
  if (paths.some((path) => path.replace(/\.[^.]+$/, '').endsWith(noisySuffix))) {
    const pairs = await readNoisyPairs(data, { noisySuffix, cleanSuffix, ...settle })
    const scenes = scenesOf(
      part,
      pairs.map(({ scene }) => scene),
      config,
    )
    return pairs.flatMap(({ noisy, clean, scene }, index) =>
      scenes.has(scene)
        ? [
            {
              name: basename(noisy),
              index,
              read: async () => ({ noisy: await image(noisy), clean: await image(clean) }),
            },
          ]
        : [],
    )
  }
  const noisy = await usable(data, 'noisy pictures')
  return noisy.map((path, index) => ({ name: basename(path), index, read: async () => ({ noisy: await image(path) }) }))
}

/** Four of five scenes to train on, the rest to test on. */
function scenesOf(part: Part, scenes: readonly string[], config: Config): ReadonlySet<string> {
  const all = [...new Set(scenes)].sort()
  const shuffled = new RandomStream(config.training.seed, 2, Stream.Split).shuffle(all)
  const trained = Math.max(1, Math.round(0.8 * shuffled.length))
  return new Set(part === 'train' ? shuffled.slice(0, trained) : shuffled.slice(trained))
}

function synthetic(part: Part, { training }: Config): Picture[] {
  return Array.from({ length: SYNTHETIC_COUNT }, (_, i) => {
    const index = part === 'train' ? i : SYNTHETIC_COUNT + i
    return {
      name: `synthetic ${index}`,
      index,
      read: async () => ({ clean: syntheticScene(training.seed, index, SYNTHETIC_SIDE) }),
    }
  })
}
