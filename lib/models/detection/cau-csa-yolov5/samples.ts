// From pictures of a data set to batches of the network's size.
import type { Dataset, SampleContext } from '../../../data'
import { fraction, permutation, wholeNumberBetween } from '../../../data/transforms/draw'
import { cat, Generator, stack, type Tensor, tensor, tidy, tidyAsync } from '../../../tensor'
import {
  boxConvert,
  cropLabelled,
  hsvJitter,
  type LabelledImage,
  letterbox,
  mixupLabelled,
  mosaic,
  randomFlipLabelled,
  randomWarp,
} from '../../../vision'
import { type Config, sizeDefaults } from './config'
import type { LabelledPicture } from './labelled'

/** What the network learns from. */
export interface DetectionBatch {
  /** `[B, 3, H, W]` in 0–1. */
  readonly image: Tensor
  /** `[objects, 6]`: number of the picture, class, centre x and y, width, height; the last four in 0–1. */
  readonly targets: Tensor
}

/** A picture of the network's size; targets `[objects, 5]`, without the number of the picture. */
export interface DetectionSample {
  readonly image: Tensor
  readonly targets: Tensor
}

/** How likely a random square of a larger picture is made to hold an object. */
const OBJECT_SHARE = 0.9

/** Pictures for training, another one from the same in every epoch. */
export class TrainingSamples implements Dataset<DetectionSample> {
  readonly length: number

  constructor(
    readonly pictures: readonly LabelledPicture[],
    readonly config: Config,
  ) {
    this.length = pictures.length
  }

  get(index: number, context?: SampleContext): Promise<DetectionSample> {
    return tidyAsync(async () => {
      using generator = new Generator(context?.seed ?? index)
      const { training, size } = this.config
      let sample = await this.#composed(index, generator)
      if (fraction(generator) < sizeDefaults(this.config).mixup) {
        const other = await this.#composed(wholeNumberBetween(0, this.length, generator), generator)
        sample = mixupLabelled(sample, other, { generator })
      }
      const { hue, saturation, value, flip } = training
      if (hue > 0 || saturation > 0 || value > 0) {
        sample = { ...sample, image: hsvJitter(sample.image, { hue, saturation, value, generator }) }
      }
      return sampleOf(randomFlipLabelled(sample, { p: flip, generator }), size)
    })
  }

  /** A picture of the network's size: a mosaic, or one alone. */
  async #composed(index: number, generator: Generator): Promise<LabelledImage> {
    const { training, size } = this.config
    const place = { scale: sizeDefaults(this.config).scale, translate: training.translate, generator }
    if (fraction(generator) < training.mosaic) {
      const others = [0, 1, 2].map(() => wholeNumberBetween(0, this.length, generator))
      const order = permutation(4, generator).map((which) => [index, ...others][which] as number)
      const four: LabelledImage[] = []
      for (const each of order) four.push(await this.#read(each, generator))
      return randomWarp(mosaic(four, { size, generator }), { ...place, border: -size / 2 })
    }
    const alone = boxed(await this.#read(index, generator), size)
    return place.scale === 0 && place.translate === 0 ? alone : randomWarp(alone, place)
  }

  /** A picture, or a random square of a large one. */
  async #read(index: number, generator: Generator): Promise<LabelledImage> {
    const picture = this.pictures[index] as LabelledPicture
    const { crop } = this.config
    const objects = picture.objects.filter((object) => !object.crowd)
    const boxes = objects.flatMap(({ box }) => box)
    const whole = {
      image: await picture.read(),
      boxes: tensor(boxes, { shape: [objects.length, 4], dtype: 'float32' }),
      labels: tensor(
        objects.map(({ category }) => category),
        { shape: [objects.length], dtype: 'float32' },
      ),
    }
    return crop === undefined ? whole : randomCrop(whole, crop, generator)
  }
}

/** A random square of a picture; of most pictures one that an object is in. */
export function randomCrop(picture: LabelledImage, side: number, generator: Generator): LabelledImage {
  const { image, boxes } = picture
  const [, height = 0, width = 0] = image.shape
  const [tall, wide] = [Math.min(height, side), Math.min(width, side)]
  const held = boxes.size(0) > 0 && fraction(generator) < OBJECT_SHARE
  const wanted = held ? (boxes.at(wholeNumberBetween(0, boxes.size(0), generator)).toArray() as number[]) : undefined
  const start = (length: number, part: number, axis: 0 | 1) => {
    const [from, to] = [wanted?.[axis] ?? 0, wanted?.[axis + 2] ?? 0]
    const [least, most] = wanted ? [Math.ceil(to - part), Math.floor(from)] : [0, length - part]
    const [first, last] = [Math.max(0, Math.min(least, length - part)), Math.min(length - part, Math.max(most, 0))]
    return first + wholeNumberBetween(0, Math.max(1, last - first + 1), generator)
  }
  const [left, top] = [start(width, wide, 0), start(height, tall, 1)]
  return cropLabelled(picture, { top, left, height: tall, width: wide })
}

/** A picture in the middle of a square of the network's size. */
function boxed({ image, boxes, labels }: LabelledImage, size: number): LabelledImage {
  const { image: square, scale, padding } = letterbox(image, { size })
  const [left, top] = padding.map(Math.floor) as [number, number]
  return { image: square, boxes: boxes.mul(scale).add(tensor([left, top, left, top])), labels }
}

function sampleOf({ image, boxes, labels }: LabelledImage, size: number): DetectionSample {
  const places = boxConvert(boxes, 'xyxy', 'cxcywh').div(size)
  return { image: image.contiguous(), targets: cat([labels.unsqueeze(1), places], { dim: 1 }) }
}

/** A batch of samples; their targets in one list, with the number of the picture in front. */
export function collateDetection(samples: readonly DetectionSample[]): DetectionBatch {
  return tidy(() => {
    const rows = samples.map(({ targets }, i) => cat([targets.narrow(1, 0, 1).mul(0).add(i), targets], { dim: 1 }))
    return { image: stack(samples.map(({ image }) => image)), targets: cat(rows) }
  })
}
