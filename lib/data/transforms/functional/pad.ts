import { ArgumentError } from '../../../native/errors'
import { oneOf } from '../../../nn/options'
import { type Tensor, tensor, pad as tensorPad } from '../../../tensor'
import { describe } from '../../../tensor/call'
import type { BoundingBoxes, KeyPoints, Like } from '../kinds'
import { clampCoordinates } from './boxes'
import { dispatch, type Moved } from './dispatch'
import { checkFill, type Fill, fillTensor } from './fill'
import { asBatch, isFloating } from './pixels'

/** One value; `reflect` without the edge itself, `symmetric` with it; `edge` repeats the last pixel. */
export type PaddingMode = 'constant' | 'edge' | 'reflect' | 'symmetric'

export const PADDING_MODES: readonly PaddingMode[] = ['constant', 'edge', 'reflect', 'symmetric']

/** Pixels at every side; at left and right, and top and bottom; or at left, top, right and bottom. */
export type PaddingSize =
  | number
  | readonly [all: number]
  | readonly [leftRight: number, topBottom: number]
  | readonly [left: number, top: number, right: number, bottom: number]

export interface Sides {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}

export interface PadOptions {
  /** For `'constant'`; default 0. */
  readonly fill?: Fill
  /** Default `'constant'`. Boxes and points can be padded by no other. */
  readonly paddingMode?: PaddingMode
}

/**
 * Adds pixels at the sides of images, clips and masks, and moves boxes and points. Negative numbers take pixels away.
 *
 * @throws ArgumentError for a padding that is no list of 1, 2 or 4 whole numbers, or a fill that does not fit
 */
export function pad<T extends Tensor>(input: T, padding: PaddingSize, options: PadOptions = {}): Like<T> {
  const { fill = 0, paddingMode = 'constant' } = options
  const sides = paddingSides('pad', padding)
  oneOf('pad: paddingMode', paddingMode, PADDING_MODES)
  const pixels = (image: Tensor) => padPixels(image, sides, fill, paddingMode)
  return dispatch('pad', input, {
    image: pixels,
    mask: pixels,
    boxes: (boxes) => padBoxes(boxes, sides, paddingMode),
    points: (points) => padPoints(points, sides, paddingMode),
  })
}

/** @throws ArgumentError unless the padding is 1, 2 or 4 whole numbers */
export function paddingSides(name: string, padding: PaddingSize): Sides {
  const list: readonly number[] = typeof padding === 'number' ? [padding] : padding
  if (!Array.isArray(list) || ![1, 2, 4].includes(list.length) || !list.every(Number.isSafeInteger)) {
    const given = Array.isArray(list) ? `[${list.join(', ')}]` : describe(padding)
    throw new ArgumentError(
      `${name}: padding is ${given}; it must be a whole number, [leftRight, topBottom] or [left, top, right, bottom]`,
    )
  }
  const [left = 0, top = left, right = left, bottom = top] = list
  return { left, top, right, bottom }
}

export function padPixels(image: Tensor, sides: Sides, fill: Fill, mode: PaddingMode): Tensor {
  const { left, top, right, bottom } = sides
  const ends = [left, right, top, bottom]
  checkFill('pad', fill, image)
  const value = typeof fill === 'number' ? fill : (fill?.[0] ?? 0)
  const byChannel = Array.isArray(fill) && fill.length > 1
  if (byChannel && mode !== 'constant') {
    throw new ArgumentError(`pad: fill of ${fill.length} values with paddingMode '${mode}'; it is for 'constant'`)
  }
  checkResult(image, sides, mode)
  return asBatch(image, (batch) => {
    if (mode === 'symmetric') return padSymmetric(batch, sides)
    if (mode === 'constant') {
      const padded = tensorPad(batch, ends, { value: byChannel ? 0 : value })
      return byChannel ? fillSides(padded, sides, fill) : padded
    }
    // LibTorch mirrors and repeats floating point only.
    const { dtype } = batch
    const padded = tensorPad(isFloating(dtype) ? batch : batch.to('float32'), ends, {
      mode: mode === 'edge' ? 'replicate' : 'reflect',
    })
    return padded.to(dtype)
  })
}

function checkResult(image: Tensor, { left, top, right, bottom }: Sides, mode: PaddingMode): void {
  const [height = 0, width = 0] = image.shape.slice(-2)
  if (height + top + bottom < 1 || width + left + right < 1) {
    throw new ArgumentError(
      `pad: padding [${left}, ${top}, ${right}, ${bottom}] leaves nothing of ${height} × ${width}; take less away`,
    )
  }
  const mirrored = mode === 'reflect' ? 1 : 0
  if (mode !== 'reflect' && mode !== 'symmetric') return
  if (Math.max(left, right) > width - mirrored || Math.max(top, bottom) > height - mirrored) {
    throw new ArgumentError(
      `pad: padding [${left}, ${top}, ${right}, ${bottom}] with paddingMode '${mode}' is more than ${height} × ${width} has pixels to mirror; use 'edge' or pad less`,
    )
  }
}

function padSymmetric(batch: Tensor, { left, top, right, bottom }: Sides): Tensor {
  const [height = 0, width = 0] = batch.shape.slice(-2)
  const index = (places: readonly number[]) => tensor(places, { dtype: 'int64', device: batch.device })
  return batch
    .indexSelect(-2, index(mirroredPlaces(height, top, bottom)))
    .indexSelect(-1, index(mirroredPlaces(width, left, right)))
}

/** Where each pixel of a padded side comes from; the edge pixel is repeated. */
function mirroredPlaces(length: number, before: number, after: number): number[] {
  // What is taken away is taken before the rest is mirrored.
  const first = Math.max(-before, 0)
  const last = length - Math.max(-after, 0) - 1
  return Array.from({ length: length + before + after }, (_, i) => {
    const place = i - before
    if (place < first) return 2 * first - place - 1
    return place > last ? 2 * last - place + 1 : place
  })
}

function fillSides(padded: Tensor, { left, top, right, bottom }: Sides, fill: readonly number[]): Tensor {
  const [height = 0, width = 0] = padded.shape.slice(-2)
  const colour = fillTensor(fill, padded.dtype, padded)
  const paint = (dim: number, start: number, length: number) => {
    if (length > 0) padded.narrow(dim, start, length).copy_(colour)
  }
  paint(-2, 0, top)
  paint(-1, 0, left)
  paint(-2, height - bottom, bottom)
  paint(-1, width - right, right)
  return padded
}

function refuseMode(kind: string, mode: PaddingMode): void {
  if (mode === 'constant') return
  throw new ArgumentError(`pad: paddingMode '${mode}' with ${kind}, of which it would make more; use 'constant'`)
}

function padBoxes(boxes: BoundingBoxes, sides: Sides, mode: PaddingMode): Moved {
  refuseMode('bounding boxes', mode)
  const { left, top, right, bottom } = sides
  const canvasSize = [boxes.canvasSize[0] + top + bottom, boxes.canvasSize[1] + left + right] as const
  const shift = tensor(boxes.format === 'xyxy' ? [left, top, left, top] : [left, top, 0, 0], {
    dtype: boxes.dtype,
    device: boxes.device,
  })
  return { tensor: clampCoordinates(boxes.add(shift), boxes.format, canvasSize), canvasSize }
}

function padPoints(points: KeyPoints, { left, top, right, bottom }: Sides, mode: PaddingMode): Moved {
  refuseMode('key points', mode)
  const canvasSize = [points.canvasSize[0] + top + bottom, points.canvasSize[1] + left + right] as const
  const shift = tensor([left, top], { dtype: points.dtype, device: points.device })
  return { tensor: points.add(shift), canvasSize }
}
