// Rotation, scale, shear, translation and perspective of pictures with boxes, by the rules of YOLOv5.
import { uniform } from '../data/transforms/draw'
import { ArgumentError } from '../native/errors'
import { cat, type Generator, tensor, tidy } from '../tensor'
import { clipBoxesToImage } from './boxes'
import { projectPoints } from './homography'
import { type BoxCandidateOptions, boxCandidates, checkLabelled, type LabelledImage, sizeOfImage } from './labelled'
import { warpPerspective } from './warp-perspective'

export interface RandomWarpOptions extends BoxCandidateOptions {
  /** Most degrees either way; default 0, as all of YOLOv5's usual settings but translate and scale. */
  readonly degrees?: number
  /** Most that it is moved, as a part of width and height; default 0.1. */
  readonly translate?: number
  /** Most that it grows or shrinks: factors from 1 − scale to 1 + scale; default 0.5. */
  readonly scale?: number
  /** Most degrees of shear either way along x and along y; default 0. */
  readonly shear?: number
  /** Most of the two elements of perspective, up to 0.001; default 0. */
  readonly perspective?: number
  /** Pixels that the result is wider and higher on each side: −size ∕ 2 after `mosaic`; default 0. */
  readonly border?: number
  /** Where there is no picture; default 114 ∕ 255. */
  readonly fill?: number
  readonly generator?: Generator | undefined
}

export interface Warp {
  /** Takes points of the picture to points of the result, `[3, 3]` row by row. */
  readonly matrix: readonly number[]
  /** The factor that is in it. */
  readonly scale: number
  /** Of the result. */
  readonly size: readonly [height: number, width: number]
}

/** Draws a warp for pictures of a size. */
export function drawWarp([height, width]: readonly [number, number], options: RandomWarpOptions = {}): Warp {
  const { degrees = 0, translate = 0.1, scale = 0.5, shear = 0, perspective = 0, border = 0, generator } = options
  for (const [name, value] of Object.entries({ degrees, translate, scale, shear, perspective })) {
    if (!(value >= 0 && Number.isFinite(value))) {
      throw new ArgumentError(`drawWarp: ${name} is ${value}; it must be 0 or more`)
    }
  }
  const size = [height + 2 * border, width + 2 * border] as const
  if (!(scale < 1) || !size.every((length) => Number.isInteger(length) && length > 0)) {
    throw new ArgumentError(
      `drawWarp: scale ${scale}, border ${border}; scale is below 1, and a result of [${size}] has pixels`,
    )
  }
  const draw = (low: number, high: number) => (low === high ? low : uniform(low, high, generator))
  const tangent = (angle: number) => Math.tan((angle * Math.PI) / 180)
  const [px, py] = [draw(-perspective, perspective), draw(-perspective, perspective)]
  const angle = (draw(-degrees, degrees) * Math.PI) / 180
  const factor = draw(1 - scale, 1 + scale)
  const [cosine, sine] = [factor * Math.cos(angle), factor * Math.sin(angle)]
  const [shearX, shearY] = [tangent(draw(-shear, shear)), tangent(draw(-shear, shear))]
  const shiftX = draw(0.5 - translate, 0.5 + translate) * size[1]
  const shiftY = draw(0.5 - translate, 0.5 + translate) * size[0]
  const matrices = [
    [1, 0, shiftX, 0, 1, shiftY, 0, 0, 1],
    [1, shearX, 0, shearY, 1, 0, 0, 0, 1],
    [cosine, sine, 0, -sine, cosine, 0, 0, 0, 1],
    [1, 0, 0, 0, 1, 0, px, py, 1],
    [1, 0, -width / 2, 0, 1, -height / 2, 0, 0, 1],
  ]
  return { matrix: matrices.reduce(multiply), scale: factor, size }
}

/** A picture and its boxes through a warp; boxes become those around their corners, and some are taken out. */
export function warpLabelled(
  picture: LabelledImage,
  { matrix, scale, size }: Warp,
  { fill = 114 / 255, ...rules }: BoxCandidateOptions & { readonly fill?: number } = {},
): LabelledImage {
  checkLabelled('warpLabelled', picture)
  return tidy(() => {
    const { image, boxes, labels } = picture
    const map = tensor([...matrix], { dtype: 'float64', device: image.device, shape: [3, 3] })
    // What comes from outside is 0 and becomes the fill, fading in at the border as it should.
    const warped = warpPerspective(image.sub(fill), map, { size }).add(fill)
    if (boxes.size(0) === 0) return { image: warped, boxes: boxes.clone(), labels: labels.clone() }
    const corners = boxes.indexSelect(1, tensor([0, 1, 2, 3, 0, 3, 2, 1], { dtype: 'int64', device: boxes.device }))
    const moved = projectPoints(corners.reshape([-1, 4, 2]), map)
    const around = clipBoxesToImage(cat([moved.amin({ dim: [1] }), moved.amax({ dim: [1] })], { dim: 1 }), size)
    const kept = boxCandidates(boxes.mul(scale), around, rules)
    return { image: warped, boxes: around.at(kept), labels: labels.at(kept) }
  })
}

/**
 * Warps a picture with boxes at random.
 *
 * @returns image `[C, H + 2·border, W + 2·border]`, the boxes that are still of use, and their labels
 */
export function randomWarp(picture: LabelledImage, options: RandomWarpOptions = {}): LabelledImage {
  checkLabelled('randomWarp', picture)
  return warpLabelled(picture, drawWarp(sizeOfImage(picture), options), options)
}

function multiply(a: readonly number[], b: readonly number[]): number[] {
  return Array.from({ length: 9 }, (_, place) => {
    const [row, column] = [Math.floor(place / 3), place % 3]
    return [0, 1, 2].reduce((sum, k) => sum + (a[3 * row + k] ?? 0) * (b[3 * k + column] ?? 0), 0)
  })
}
