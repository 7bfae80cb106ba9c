import { ArgumentError, ShapeError } from '../../native/errors'
import { isTensor, type Tensor } from '../../tensor'
import { describe } from '../../tensor/call'

const KIND: unique symbol = Symbol.for('@lab/vision-native/kind') as never

/** What a tensor shows. Only images and videos change colour; where pixels move, all move. */
export type Kind = 'image' | 'video' | 'mask' | 'boundingBoxes' | 'keyPoints'

export const KINDS: readonly Kind[] = ['image', 'video', 'mask', 'boundingBoxes', 'keyPoints']

interface Marked<K extends Kind> {
  readonly [KIND]: K
}

/** Height and width of the image that boxes or points lie on, in pixels. */
export type CanvasSize = readonly [height: number, width: number]

/** Corners (x1, y1, x2, y2), a corner and the size (x, y, w, h), or the centre and the size (cx, cy, w, h). */
export type BoxFormat = 'xyxy' | 'xywh' | 'cxcywh'

export const BOX_FORMATS: readonly BoxFormat[] = ['xyxy', 'xywh', 'cxcywh']

/** A tensor known to be an image `[..., C, H, W]`; see `image()`. */
export type Image = Tensor & Marked<'image'>
/** A tensor known to be a clip `[..., T, C, H, W]`; see `video()`. */
export type Video = Tensor & Marked<'video'>
/** A tensor known to be a segmentation mask `[..., H, W]`; see `mask()`. */
export type Mask = Tensor & Marked<'mask'>
/** A tensor known to hold boxes `[N, 4]`; see `boundingBoxes()`. */
export type BoundingBoxes = Tensor &
  Marked<'boundingBoxes'> & { readonly format: BoxFormat; readonly canvasSize: CanvasSize }
/** A tensor known to hold points `[..., 2]`; see `keyPoints()`. */
export type KeyPoints = Tensor & Marked<'keyPoints'> & { readonly canvasSize: CanvasSize }

/** What becomes of a tensor of type `T`: its kind stays, its dtype may not. */
export type Like<T> = T extends Image
  ? Image
  : T extends Video
    ? Video
    : T extends Mask
      ? Mask
      : T extends BoundingBoxes
        ? BoundingBoxes
        : T extends KeyPoints
          ? KeyPoints
          : Tensor

/**
 * Marks a tensor `[..., C, H, W]` as an image. It stays a tensor, of the same data; what operators compute from it is a
 * plain tensor again, as with torchvision's `tv_tensors`.
 *
 * A plain tensor is taken for an image too where a sample has no other, so a lone image needs no mark.
 *
 * @throws ShapeError for fewer than three dimensions
 */
export function image(tensor: Tensor): Image {
  return marked(withRank('image', tensor, 3, '[..., C, H, W]'), 'image')
}

/** Marks a tensor `[..., T, C, H, W]` as a clip, whose frames are all transformed alike. */
export function video(tensor: Tensor): Video {
  return marked(withRank('video', tensor, 4, '[..., T, C, H, W]'), 'video')
}

/** Marks a tensor `[H, W]` or `[N, H, W]` as a mask: it moves with the image, by nearest neighbour, and keeps its values. */
export function mask(tensor: Tensor): Mask {
  return marked(withRank('mask', tensor, 2, '[..., H, W]'), 'mask')
}

export interface BoundingBoxesOptions {
  readonly format: BoxFormat
  /** Of the image that the boxes lie on. */
  readonly canvasSize: CanvasSize
}

/**
 * Marks a tensor `[N, 4]` of pixel coordinates as boxes. Transforms clamp them to the canvas.
 *
 * @throws ShapeError unless the last dimension has four elements
 * @throws ArgumentError for an unknown format or a canvas without size
 */
export function boundingBoxes(tensor: Tensor, { format, canvasSize }: BoundingBoxesOptions): BoundingBoxes {
  if (!BOX_FORMATS.includes(format)) {
    throw new ArgumentError(`boundingBoxes: format is ${describe(format)}; it must be 'xyxy', 'xywh' or 'cxcywh'`)
  }
  const { shape } = tensorArgument('boundingBoxes', tensor)
  if (shape.length !== 2 || shape[1] !== 4) {
    throw new ShapeError(`boundingBoxes: the tensor has shape [${shape.join(', ')}]; boxes are [N, 4]`)
  }
  const canvas = checkCanvas('boundingBoxes', canvasSize)
  return Object.assign(marked(tensor, 'boundingBoxes'), { format, canvasSize: canvas })
}

/**
 * Marks a tensor `[..., 2]` of (x, y) in pixels as points.
 *
 * @throws ShapeError unless the last dimension has two elements
 */
export function keyPoints(tensor: Tensor, { canvasSize }: { readonly canvasSize: CanvasSize }): KeyPoints {
  const { shape } = tensorArgument('keyPoints', tensor)
  if (shape.at(-1) !== 2) {
    throw new ShapeError(`keyPoints: the tensor has shape [${shape.join(', ')}]; points are [..., 2]`)
  }
  return Object.assign(marked(tensor, 'keyPoints'), { canvasSize: checkCanvas('keyPoints', canvasSize) })
}

/**
 * Marks a tensor as `like` is marked, with its format and canvas: for what an operator computed from marked data
 * (`wrapLike(boxes.to('cuda'), boxes)`).
 */
export function wrapLike<T extends Tensor>(tensor: Tensor, like: T): Like<T> {
  // The kind is what `Like` looks up; TypeScript does not resolve it for an unknown T.
  return remarked(tensor, like) as Like<T>
}

function remarked(tensor: Tensor, like: Tensor): Tensor {
  if (isBoundingBoxes(like)) return boundingBoxes(tensor, like)
  if (isKeyPoints(like)) return keyPoints(tensor, like)
  const kind = kindOf(like)
  if (kind === 'image') return image(tensor)
  if (kind === 'video') return video(tensor)
  return kind === 'mask' ? mask(tensor) : tensor
}

/** The kind that a tensor was marked as; undefined for a plain tensor and for anything else. */
export function kindOf(value: unknown): Kind | undefined {
  return isTensor(value) && KIND in value ? (value as Marked<Kind>)[KIND] : undefined
}

export function isImage(value: unknown): value is Image {
  return kindOf(value) === 'image'
}

export function isVideo(value: unknown): value is Video {
  return kindOf(value) === 'video'
}

export function isMask(value: unknown): value is Mask {
  return kindOf(value) === 'mask'
}

export function isBoundingBoxes(value: unknown): value is BoundingBoxes {
  return kindOf(value) === 'boundingBoxes'
}

export function isKeyPoints(value: unknown): value is KeyPoints {
  return kindOf(value) === 'keyPoints'
}

/** Height and width of an image, a clip or a mask, or of the canvas of boxes and points. */
export function sizeOf(tensor: Tensor): CanvasSize {
  if (isBoundingBoxes(tensor) || isKeyPoints(tensor)) return tensor.canvasSize
  const { shape } = tensor
  const [height, width] = shape.slice(-2)
  if (height === undefined || width === undefined) {
    throw new ShapeError(`an image of shape [${shape.join(', ')}]; images are [..., C, H, W], masks [..., H, W]`)
  }
  return [height, width]
}

/** A tensor object of its own for the mark: the caller's stays plain. */
function marked<K extends Kind>(tensor: Tensor, kind: K): Tensor & Marked<K> {
  const mark: Marked<K> = { [KIND]: kind }
  return Object.assign(tensor.viewAs(tensor), mark)
}

function tensorArgument(name: string, tensor: Tensor): Tensor {
  if (isTensor(tensor)) return tensor
  throw new ArgumentError(`${name}: expected a Tensor, got ${describe(tensor)}`)
}

function withRank(name: string, tensor: Tensor, least: number, layout: string): Tensor {
  const { shape } = tensorArgument(name, tensor)
  if (shape.length >= least) return tensor
  throw new ShapeError(`${name}: the tensor has shape [${shape.join(', ')}]; it must be ${layout}`)
}

function checkCanvas(name: string, canvas: CanvasSize): CanvasSize {
  if (Array.isArray(canvas) && canvas.length === 2 && canvas.every((side) => Number.isSafeInteger(side) && side > 0)) {
    return [canvas[0], canvas[1]]
  }
  const given = Array.isArray(canvas) ? `[${canvas.join(', ')}]` : describe(canvas)
  throw new ArgumentError(`${name}: canvasSize is ${given}; it must be [height, width] in whole pixels of 1 or more`)
}
