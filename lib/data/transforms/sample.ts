import { ShapeError } from '../../native/errors'
import { isTensor, type Tensor } from '../../tensor'
import {
  type BoundingBoxes,
  type Image,
  isImage,
  isVideo,
  type KeyPoints,
  kindOf,
  type Like,
  type Mask,
  sizeOf,
  type Video,
} from './kinds'

type Marks = Image | Video | Mask | BoundingBoxes | KeyPoints

/** Objects that a transform does not look into. */
type Opaque = ((...args: never) => unknown) | Date | RegExp | Map<unknown, unknown> | Set<unknown> | ArrayBufferView

/**
 * What a transform makes of a sample: the same nesting, with tensors of the same kinds in it. A tensor's dtype is left
 * open, because some transforms change it.
 */
export type Transformed<T> = T extends Marks | Tensor
  ? Like<T>
  : T extends Opaque
    ? T
    : T extends object
      ? { [K in keyof T]: Transformed<T[K]> }
      : T

/** The parts of a sample that a transform changes, and the way back. */
export interface Parts {
  /** The tensors to be transformed. */
  readonly tensors: readonly Tensor[]
  /** The sample with each of `tensors` replaced by what `change` makes of it. */
  rebuild(change: (part: Tensor) => unknown): unknown
}

/**
 * Finds the parts of a sample as torchvision does: every marked tensor, in lists and plain objects however deep; and,
 * where no image and no clip is marked, the first plain tensor, which is then the image. All else passes through.
 */
export function partsOf(sample: unknown): Parts {
  const leaves: Tensor[] = []
  mapTensors(sample, (leaf) => leaves.push(leaf))
  const marked = leaves.some((leaf) => isImage(leaf) || isVideo(leaf))
  const first = marked ? -1 : leaves.findIndex((leaf) => kindOf(leaf) === undefined)
  const chosen = leaves.map((leaf, i) => i === first || kindOf(leaf) !== undefined)
  return {
    tensors: leaves.filter((_, i) => chosen[i]),
    rebuild(change) {
      let next = 0
      return mapTensors(sample, (leaf) => (chosen[next++] ? change(leaf) : leaf))
    },
  }
}

/** The value with its tensors replaced; a list or object in which nothing changes is still a new one. */
export function mapTensors(value: unknown, change: (tensor: Tensor) => unknown): unknown {
  if (isTensor(value)) return change(value as Tensor)
  if (Array.isArray(value)) return value.map((item) => mapTensors(item, change))
  if (!isPlainObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapTensors(item, change)]))
}

export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** True for what changes colour: images, clips, and the plain tensor that stands for an image. */
export function isPicture(tensor: Tensor): boolean {
  const kind = kindOf(tensor)
  return kind === undefined || kind === 'image' || kind === 'video'
}

/**
 * Height and width that all parts of a sample share.
 *
 * @throws ShapeError where two differ, or there is none
 */
export function commonSize(name: string, parts: readonly Tensor[]): readonly [height: number, width: number] {
  const [first, ...others] = parts
  if (first === undefined) throw new ShapeError(`${name}: the sample holds no image, mask, boxes or points`)
  const [height, width] = sizeOf(first)
  for (const other of others) {
    const [h, w] = sizeOf(other)
    if (h === height && w === width) continue
    throw new ShapeError(
      `${name}: the ${nameOf(first)} is ${height} × ${width}, the ${nameOf(other)} ${h} × ${w}; all parts of a sample must have one height and width (canvasSize of boxes and points)`,
    )
  }
  return [height, width]
}

/** Channels, height and width that all images and clips of a sample share. */
export function commonChannels(name: string, parts: readonly Tensor[]): number {
  const counts = new Set(parts.filter(isPicture).map((part) => part.shape.at(-3) ?? 0))
  const [count] = counts
  if (count === undefined) throw new ShapeError(`${name}: the sample holds no image and no clip`)
  if (counts.size === 1) return count
  throw new ShapeError(`${name}: images with ${[...counts].join(' and ')} channels in one sample; give them one number`)
}

function nameOf(tensor: Tensor): string {
  const kind = kindOf(tensor) ?? 'image'
  return kind === 'boundingBoxes' ? "boxes' canvas" : kind === 'keyPoints' ? "points' canvas" : kind
}
