// Made-up pictures of small signs on noise: what is on them is known to the pixel.
import { RandomStream, Stream } from '../../../data/random'
import { type Tensor, tensor } from '../../../tensor'
import type { DetectionData, LabelledObject, LabelledPicture } from './labelled'

export interface SyntheticOptions {
  /** Side of the pictures in pixels. */
  readonly side: number
  /** Objects of a picture. */
  readonly objects: number
  /** Their sides in pixels, ends included. */
  readonly sizes: readonly [least: number, most: number]
  /** Plain squares of red, green and blue, or shapes of any light colour, which are harder. */
  readonly kind: 'plain' | 'shapes'
  readonly seed?: number
}

const CLASSES = {
  plain: ['red', 'green', 'blue'],
  shapes: ['disc', 'frame', 'triangle'],
} as const

/** Where a shape is, by place within its box from −1 to 1. */
const SHAPES: readonly ((x: number, y: number) => boolean)[] = [
  (x, y) => x ** 2 + y ** 2 <= 1,
  (x, y) => Math.max(Math.abs(x), Math.abs(y)) > 0.45,
  (x, y) => Math.abs(x) <= (y + 1) / 2,
]

/** Pictures for training and others for validation, for which no files are needed. */
export function syntheticData(part: 'train' | 'val', side: number): DetectionData {
  const options = { side, objects: 3, sizes: [8, 16], kind: 'shapes' } as const
  return part === 'train' ? syntheticPictures(8, options) : syntheticPictures(4, { ...options, seed: 1_000_000 })
}

/** `count` pictures, the same on every machine. */
export function syntheticPictures(count: number, options: SyntheticOptions): DetectionData {
  return {
    classes: CLASSES[options.kind],
    pictures: Array.from({ length: count }, (_, index) => pictureOf(index, options)),
  }
}

function pictureOf(index: number, options: SyntheticOptions): LabelledPicture {
  const { side, seed = 0 } = options
  const objects = placed(new RandomStream(seed + index, 0, Stream.Samples), options)
  return {
    ...{ name: `synthetic ${seed + index}`, height: side, width: side, objects },
    read: async () => syntheticImage(index, options),
  }
}

/** The picture of `syntheticPictures` of this number: `[3, side, side]`. */
export function syntheticImage(index: number, options: SyntheticOptions): Tensor<'float32'> {
  const { seed = 0 } = options
  const objects = placed(new RandomStream(seed + index, 0, Stream.Samples), options)
  return painted(objects, new RandomStream(seed + index, 1, Stream.Samples), options)
}

/** Boxes that do not touch one another. */
function placed(
  random: RandomStream,
  { side, objects, sizes: [least, most], kind }: SyntheticOptions,
): LabelledObject[] {
  const found: LabelledObject[] = []
  for (let tries = 0; found.length < objects && tries < 100 * objects; tries++) {
    const length = least + random.below(most - least + 1)
    const [x, y] = [random.below(side - length + 1), random.below(side - length + 1)]
    const box = [x, y, x + length, y + length] as const
    const category = random.below(CLASSES[kind].length)
    const apart = found.every(({ box: [x1, y1, x2, y2] }) => x > x2 || y > y2 || box[2] < x1 || box[3] < y1)
    if (apart) found.push({ category, box, area: length ** 2, crowd: false })
  }
  return found
}

function painted(
  objects: readonly LabelledObject[],
  random: RandomStream,
  { side, kind }: SyntheticOptions,
): Tensor<'float32'> {
  const planes = new Float32Array(3 * side * side)
  for (let i = 0; i < planes.length; i++) planes[i] = (90 + random.below(60)) / 255
  for (const { category, box } of objects) {
    const colour = [0, 1, 2].map((plane) => {
      if (kind === 'plain') return plane === category ? 1 : 0
      return random.uniform()
    })
    // A light colour: its strongest plane is full.
    const most = Math.max(...colour)
    paint(planes, side, box, kind === 'plain' ? () => true : (SHAPES[category] ?? (() => true)), (plane) =>
      most > 0 ? (colour[plane] ?? 0) / most : 0,
    )
  }
  return tensor(planes, { shape: [3, side, side], dtype: 'float32' })
}

function paint(
  planes: Float32Array,
  side: number,
  [x1, y1, x2, y2]: LabelledObject['box'],
  covers: (x: number, y: number) => boolean,
  colour: (plane: number) => number,
): void {
  const within = (place: number, from: number, to: number) => (2 * (place + 0.5 - from)) / (to - from) - 1
  for (let y = y1; y < y2; y++) {
    for (let x = x1; x < x2; x++) {
      if (!covers(within(x, x1, x2), within(y, y1, y2))) continue
      for (let plane = 0; plane < 3; plane++) planes[(plane * side + y) * side + x] = colour(plane)
    }
  }
}
