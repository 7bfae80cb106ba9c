// YOLOv5's augmentation: mosaics, changes of place and size, mixtures, colours, mirror images.
import type { RandomStream } from '../../../data/random'
import { functional as F } from '../../../nn'
import { full, stack, type Tensor, tensor, tidy } from '../../../tensor'
import { hsvToRgb, rgbToHsv } from '../../../vision'
import { type LabelledBox, type LabelledImage, moveBoxes } from './labelled'

/** Grey of what no picture covers. */
const FILL = 114 / 255

/** A random number from `from` to `to`. */
function between(random: RandomStream, from: number, to: number): number {
  return from + (to - from) * random.uniform()
}

/** Beta(n, n) as the middle one of 2n − 1 uniform numbers. */
function beta(random: RandomStream, n: number): number {
  const draws = Array.from({ length: 2 * n - 1 }, () => random.uniform()).sort((a, b) => a - b)
  return draws[n - 1] ?? 0.5
}

/**
 * Four pictures around a random point of a canvas of twice the side: a quarter each, cut where they are larger, grey
 * where they are smaller (Bochkovskiy et al., "YOLOv4", 2020).
 *
 * @param pictures four, no side longer than `size`
 */
export function mosaic(pictures: readonly LabelledImage[], size: number, random: RandomStream): LabelledImage {
  const [cx, cy] = [between(random, size / 2, 1.5 * size), between(random, size / 2, 1.5 * size)].map(Math.trunc) as [
    number,
    number,
  ]
  return tidy(() => {
    const canvas = full([3, 2 * size, 2 * size], FILL)
    const boxes: LabelledBox[] = []
    for (const [i, picture] of pictures.entries()) {
      const [, height = 0, width = 0] = picture.image.shape
      const [left, top] = [i % 2 === 0 ? cx - width : cx, i < 2 ? cy - height : cy]
      paste(canvas, picture.image, left, top)
      boxes.push(...moveBoxes(picture.boxes, { scale: 1, left, top, width: 2 * size, height: 2 * size }))
    }
    return { image: canvas, boxes }
  })
}

/** Copies a picture to a place of a canvas; what is outside is left out. */
function paste(canvas: Tensor, image: Tensor, left: number, top: number): void {
  const span = (start: number, length: number, most: number) => {
    const from = Math.max(start, 0)
    return { from, skip: from - start, length: Math.min(start + length, most) - from }
  }
  const [rows, columns] = [span(top, image.size(1), canvas.size(1)), span(left, image.size(2), canvas.size(2))]
  if (rows.length <= 0 || columns.length <= 0) return
  const part = image.narrow(1, rows.skip, rows.length).narrow(2, columns.skip, columns.length)
  canvas.narrow(1, rows.from, rows.length).narrow(2, columns.from, columns.length).copy_(part)
}

/** A square of `size` out of a picture, its middle moved and its size changed at random. */
export function randomPlace(
  { image, boxes }: LabelledImage,
  size: number,
  { scale: gain, translate }: { readonly scale: number; readonly translate: number },
  random: RandomStream,
): LabelledImage {
  const [, height = 0, width = 0] = image.shape
  const scale = between(random, 1 - gain, 1 + gain)
  const [x, y] = [0, 1].map(() => between(random, 0.5 - translate, 0.5 + translate) * size) as [number, number]
  const place = { scale, left: x - (scale * width) / 2, top: y - (scale * height) / 2, width: size, height: size }
  return tidy(() => {
    // From places of the square to places of the picture, both from −1 to 1.
    const row = (length: number, middle: number) =>
      [size / (length * scale), (size - 2 * middle) / (length * scale)] as const
    const [[xx, x1], [yy, y1]] = [row(width, x), row(height, y)]
    const theta = tensor([xx, 0, x1, 0, yy, y1]).reshape([1, 2, 3])
    const grid = F.affineGrid(theta, [1, 3, size, size])
    const moved = F.gridSample(image.sub(FILL).unsqueeze(0), grid).add(FILL)
    return { image: moved.squeeze(0), boxes: moveBoxes(boxes, place) }
  })
}

/** A mixture of two pictures with the objects of both (Zhang et al., "mixup", ICLR 2018). */
export function mix(first: LabelledImage, second: LabelledImage, random: RandomStream): LabelledImage {
  const share = beta(random, 32)
  return {
    image: tidy(() => first.image.mul(share).add(second.image.mul(1 - share))),
    boxes: [...first.boxes, ...second.boxes],
  }
}

/** Hue, saturation and value times random numbers from 1 − gain to 1 + gain. */
export function jitterColours(
  image: Tensor,
  { hue, saturation, value }: { readonly hue: number; readonly saturation: number; readonly value: number },
  random: RandomStream,
): Tensor {
  const [h, s, v] = [hue, saturation, value].map((gain) => between(random, 1 - gain, 1 + gain)) as [
    number,
    number,
    number,
  ]
  if (h === 1 && s === 1 && v === 1) return image
  return tidy(() => {
    const planes = rgbToHsv(image.clamp({ min: 0, max: 1 })).unbind() as [Tensor, Tensor, Tensor]
    const limited = (plane: Tensor, factor: number) => plane.mul(factor).clamp({ min: 0, max: 1 })
    return hsvToRgb(stack([planes[0].mul(h), limited(planes[1], s), limited(planes[2], v)]))
  })
}

/** The mirror image, left and right exchanged. */
export function mirror({ image, boxes }: LabelledImage): LabelledImage {
  const width = image.size(2)
  return {
    image: image.flip([2]),
    boxes: boxes.map(({ category, box: [x1, y1, x2, y2] }) => ({ category, box: [width - x2, y1, width - x1, y2] })),
  }
}
