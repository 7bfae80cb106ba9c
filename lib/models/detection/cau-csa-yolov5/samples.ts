// From pictures of a data set to batches of the network's size.
import type { Dataset, SampleContext } from '../../../data'
import { RandomStream, Stream } from '../../../data/random'
import { functional as F } from '../../../nn'
import { cat, stack, type Tensor, tensor, tidy, tidyAsync, zeros } from '../../../tensor'
import { letterbox } from '../../../vision'
import { jitterColours, mirror, mix, mosaic, randomPlace } from './augment'
import { type Config, sizeDefaults } from './config'
import { type LabelledBox, type LabelledImage, type LabelledPicture, moveBoxes } from './labelled'

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
    const random = new RandomStream(context?.seed ?? index, 0, Stream.Samples)
    return tidyAsync(async () => {
      const { training, size } = this.config
      let sample = await this.#composed(index, random)
      if (random.uniform() < sizeDefaults(this.config).mixup) {
        sample = mix(sample, await this.#composed(random.below(this.length), random), random)
      }
      sample = { ...sample, image: jitterColours(sample.image, training, random) }
      if (random.uniform() < training.flip) sample = mirror(sample)
      return sampleOf(sample, size)
    })
  }

  /** A picture of the network's size: a mosaic, or one alone. */
  async #composed(index: number, random: RandomStream): Promise<LabelledImage> {
    const { training, size } = this.config
    const place = { scale: sizeDefaults(this.config).scale, translate: training.translate }
    if (random.uniform() < training.mosaic) {
      const others = [0, 1, 2].map(() => random.below(this.length))
      const four = await Promise.all([index, ...others].map((each) => this.#fitted(each, random.word())))
      return randomPlace(mosaic(random.shuffle(four), size, random), size, place, random)
    }
    const alone = boxed(await this.#fitted(index, random.word()), size)
    return place.scale === 0 && place.translate === 0 ? alone : randomPlace(alone, size, place, random)
  }

  /** A picture, or a random part of a large one, whose longer side is that of the network. */
  async #fitted(index: number, seed: number): Promise<LabelledImage> {
    const picture = this.pictures[index] as LabelledPicture
    const { crop, size } = this.config
    const boxes = picture.objects.filter((object) => !object.crowd)
    const whole = { image: await picture.read(), boxes }
    return enlarged(
      crop === undefined ? whole : randomCrop(whole, crop, new RandomStream(seed, 1, Stream.Samples)),
      size,
    )
  }
}

/** A random square of a picture; of most pictures one that an object is in. */
export function randomCrop({ image, boxes }: LabelledImage, side: number, random: RandomStream): LabelledImage {
  const [, height = 0, width = 0] = image.shape
  const [tall, wide] = [Math.min(height, side), Math.min(width, side)]
  const wanted = boxes.length > 0 && random.uniform() < OBJECT_SHARE ? boxes[random.below(boxes.length)] : undefined
  const start = (length: number, part: number, [from, to]: readonly [number, number] = [0, 0]) => {
    const [least, most] = wanted ? [Math.ceil(to - part), Math.floor(from)] : [0, length - part]
    const [first, last] = [Math.max(0, Math.min(least, length - part)), Math.min(length - part, Math.max(most, 0))]
    return first + random.below(Math.max(1, last - first + 1))
  }
  const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = wanted?.box ?? []
  const [left, top] = [start(width, wide, [x1, x2]), start(height, tall, [y1, y2])]
  return {
    image: image.narrow(1, top, tall).narrow(2, left, wide),
    boxes: moveBoxes(boxes, { scale: 1, left: -left, top: -top, width: wide, height: tall }),
  }
}

function enlarged({ image, boxes }: LabelledImage, size: number): LabelledImage {
  const [, height = 0, width = 0] = image.shape
  const scale = size / Math.max(height, width)
  if (scale === 1) return { image, boxes }
  const [tall, wide] = [Math.max(1, Math.round(height * scale)), Math.max(1, Math.round(width * scale))]
  const resized = F.interpolate(image.unsqueeze(0), { size: [tall, wide], mode: 'bilinear', alignCorners: false })
  return { image: resized.squeeze(0), boxes: scaled(boxes, wide / width, tall / height) }
}

function scaled(boxes: readonly LabelledBox[], x: number, y: number): LabelledBox[] {
  return boxes.map(({ category, box }) => ({ category, box: [box[0] * x, box[1] * y, box[2] * x, box[3] * y] }))
}

/** A picture in the middle of a square of the network's size. */
function boxed({ image, boxes }: LabelledImage, size: number): LabelledImage {
  const { image: square, scale, padding } = letterbox(image, { size })
  const [left, top] = padding.map(Math.floor) as [number, number]
  return { image: square, boxes: moveBoxes(boxes, { scale, left, top, width: size, height: size }) }
}

function sampleOf({ image, boxes }: LabelledImage, size: number): DetectionSample {
  const rows = boxes.flatMap(({ category, box: [x1, y1, x2, y2] }) => [
    category,
    ...[(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1].map((length) => length / size),
  ])
  return { image: image.contiguous(), targets: boxes.length === 0 ? zeros([0, 5]) : tensor(rows).reshape([-1, 5]) }
}

/** A batch of samples; their targets in one list, with the number of the picture in front. */
export function collateDetection(samples: readonly DetectionSample[]): DetectionBatch {
  return tidy(() => {
    const rows = samples.map(({ targets }, i) => cat([targets.narrow(1, 0, 1).mul(0).add(i), targets], { dim: 1 }))
    return { image: stack(samples.map(({ image }) => image)), targets: cat(rows) }
  })
}
