// Dark pictures to learn from, and pairs to be judged by.
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Dataset } from '../../../data'
import { sampleGenerator } from '../../../data'
import { listImages, readImagePairs, usableImages } from '../../../datasets'
import { readImage, readNpy, writeNpy } from '../../../io'
import { type DataOptions, SYNTHETIC, throwIfCancelled } from '../../../pipeline'
import { cat, noGrad, randint, type Tensor, tidyAsync } from '../../../tensor'
import { denoisedGuide } from './guide'
import type { LowLightNetworks } from './model'
import { syntheticPicture } from './synthetic'

const SYNTHETIC_COUNT = 4
const SYNTHETIC_SIDE = 64

/** A picture that may be read again and again. */
export interface Picture {
  readonly name: string
  /** `[3, H, W]` in 0–1. */
  read(): Promise<Tensor<'float32'>>
}

/** A dark picture and how it should be. */
export interface PicturePair {
  readonly name: string
  readonly dark: Picture
  readonly bright: Picture
}

/** The dark pictures of a folder: of LOL's `our485/low`, or all that it holds. */
export async function trainingPictures({ data, skipBroken, note }: DataOptions, least: number): Promise<Picture[]> {
  if (data === SYNTHETIC) return synthetic().map(({ dark }) => dark)
  const lol = join(data, 'our485', 'low')
  const paths = await listImages(existsSync(lol) ? lol : data)
  const usable = await usableImages(paths, { what: `training pictures of ${data}`, least, skipBroken, note })
  return usable.map(pictureOf)
}

/** Pairs of LOL's `eval15`, or of `low` and `high` of a folder. */
export async function testPairs({ data, skipBroken, note }: DataOptions): Promise<PicturePair[]> {
  if (data === SYNTHETIC) return synthetic()
  const lol = join(data, 'eval15')
  const pairs = await readImagePairs(existsSync(lol) ? lol : data, { input: 'low', target: 'high', skipBroken, note })
  return pairs.map(({ input, target }) => ({
    name: basename(input),
    dark: pictureOf(input),
    bright: pictureOf(target),
  }))
}

const pictureOf = (path: string): Picture => ({ name: path, read: () => readImage(path, { dtype: 'float32' }) })

function synthetic(): PicturePair[] {
  return Array.from({ length: SYNTHETIC_COUNT }, (_, index) => {
    const picture = (part: 'dark' | 'bright'): Picture => ({
      name: `synthetic ${index}, ${part}`,
      read: () => tidyAsync(async () => syntheticPicture(index, SYNTHETIC_SIDE)[part]),
    })
    return { name: `synthetic ${index}`, dark: picture('dark'), bright: picture('bright') }
  })
}

/** Largest crop that fits every picture, its sides multiples of 16 and at most `side`. */
export async function cropFor(pictures: readonly Picture[], side: number): Promise<readonly [number, number]> {
  let [height, width] = [side, side]
  for (const picture of pictures) {
    const image = await picture.read()
    const fits = (size: number) => Math.floor(size / 16) * 16
    height = Math.min(height, fits(image.size(1)))
    width = Math.min(width, fits(image.size(2)))
    image.dispose()
  }
  return [height, width]
}

/** Random crops of planes `[C, H, W]`, mirrored or not. */
export class Crops implements Dataset<Tensor> {
  readonly length: number

  /** @param repeats how often each picture is taken in an epoch */
  constructor(
    readonly pictures: readonly Picture[],
    readonly size: readonly [height: number, width: number],
    readonly repeats = 1,
  ) {
    this.length = pictures.length * repeats
  }

  get(index: number): Promise<Tensor> {
    return tidyAsync(async () => {
      const image = await (this.pictures[index % this.pictures.length] as Picture).read()
      const [height, width] = this.size
      const [top, left] = [whole(image.size(1) - height + 1), whole(image.size(2) - width + 1)]
      const crop = image.narrow(1, top, height).narrow(2, left, width)
      const mirrored = [1, 2].filter(() => whole(2) === 1)
      return mirrored.length > 0 ? crop.flip(mirrored) : crop.clone()
    })
  }
}

/** A number from 0 to `count − 1` of the sample's own random numbers. */
function whole(count: number): number {
  return Number(randint(0, count, [1], { generator: sampleGenerator() }).item())
}

/** A batch for the fusion network. */
export interface FusionSample {
  /** `[3, H, W]`, bright and noisy. */
  readonly noisy: Tensor
  /** `[3, H, W]`, dark and clean. */
  readonly guide: Tensor
  /** `[H / 2, W / 2]`, patterns of the neighbours. */
  readonly patterns: Tensor
}

/** Crops of brightened pictures and of their guides, cut alike. */
export class FusionCrops implements Dataset<FusionSample> {
  readonly length: number
  readonly #crops: Crops

  /** @param stacked pictures of six planes: brightened, then guide */
  constructor(stacked: readonly Picture[], size: readonly [height: number, width: number], repeats = 1) {
    this.#crops = new Crops(stacked, size, repeats)
    this.length = this.#crops.length
  }

  async get(index: number): Promise<FusionSample> {
    const planes = await this.#crops.get(index)
    const [height, width] = this.#crops.size
    const patterns = randint(0, 8, [height / 2, width / 2], { generator: sampleGenerator() })
    const [noisy, guide] = planes.split(3) as [Tensor, Tensor]
    return { noisy, guide, patterns }
  }
}

/**
 * Brightened pictures and denoised guides, six planes each, computed once and kept as files of a folder: the guide takes
 * far longer than a step.
 */
export async function fusionPictures(
  pictures: readonly Picture[],
  model: LowLightNetworks,
  folder: string,
  { device, signal }: Pick<DataOptions, 'device' | 'signal'>,
): Promise<Picture[]> {
  await mkdir(folder, { recursive: true })
  const stacked: Picture[] = []
  for (const [index, picture] of pictures.entries()) {
    throwIfCancelled(signal, 'train')
    const path = join(folder, `${String(index).padStart(5, '0')}.npy`)
    if (!existsSync(path)) {
      await tidyAsync(async () => {
        const image = (await picture.read()).to(device)
        await writeNpy(path, (await brightAndGuide(model, image, signal)).to('cpu'))
      })
    }
    stacked.push({ name: picture.name, read: async () => (await readNpy(path)) as Tensor<'float32'> })
  }
  return stacked
}

/** `[6, H, W]`: the brightened picture, then its guide (the picture itself in the ablation `cascade`). */
export function brightAndGuide(model: LowLightNetworks, image: Tensor, signal?: AbortSignal): Promise<Tensor> {
  return tidyAsync(async () => {
    const bright = noGrad(() => model.upperBranch(image.unsqueeze(0)).image.squeeze(0))
    const guide =
      model.config.ablation === 'cascade' ? bright : (await denoisedGuide(image, model.config, { signal })).guide
    return cat([bright, guide])
  })
}
