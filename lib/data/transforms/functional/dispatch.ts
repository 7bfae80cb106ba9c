import { ArgumentError, ShapeError } from '../../../native/errors'
import { isTensor, type Tensor, tidy } from '../../../tensor'
import { describe } from '../../../tensor/call'
import {
  type BoundingBoxes,
  boundingBoxes,
  type CanvasSize,
  isBoundingBoxes,
  isKeyPoints,
  type KeyPoints,
  keyPoints,
  kindOf,
  type Like,
  wrapLike,
} from '../kinds'

/** Boxes or points after a transform, with the canvas where it changes. */
export interface Moved {
  readonly tensor: Tensor
  readonly canvasSize?: CanvasSize
}

/** What a function does to each kind. A kind without an entry passes through. */
export interface Kernels {
  /** Images and clips `[..., C, H, W]`. */
  readonly image?: (image: Tensor) => Tensor
  /** Masks `[..., N, H, W]`. */
  readonly mask?: (mask: Tensor) => Tensor
  readonly boxes?: (boxes: BoundingBoxes) => Moved
  readonly points?: (points: KeyPoints) => Moved
}

/** Runs the kernel of the input's kind and marks the result alike. Tensors made on the way are freed. */
export function dispatch<T extends Tensor>(name: string, input: T, kernels: Kernels): Like<T> {
  if (!isTensor(input)) throw new ArgumentError(`${name}: expected a Tensor, got ${describe(input)}`)
  return tidy(() => {
    const output = run(name, input, kernels)
    // A plain tensor stays plain, marked ones are marked by `run`.
    return output as Like<T>
  })
}

function run(name: string, input: Tensor, kernels: Kernels): Tensor {
  if (isBoundingBoxes(input)) return kernels.boxes ? remarkBoxes(input, kernels.boxes(input)) : input
  if (isKeyPoints(input)) return kernels.points ? remarkPoints(input, kernels.points(input)) : input
  const isMask = kindOf(input) === 'mask'
  const kernel = isMask ? kernels.mask : kernels.image
  if (kernel === undefined) return input
  const output = isMask ? withChannel(input, kernel) : kernel(checkPicture(name, input))
  return output === input ? input : wrapLike(output, input)
}

function remarkBoxes(input: BoundingBoxes, { tensor, canvasSize = input.canvasSize }: Moved): Tensor {
  return tensor === input ? input : boundingBoxes(tensor, { format: input.format, canvasSize })
}

function remarkPoints(input: KeyPoints, { tensor, canvasSize = input.canvasSize }: Moved): Tensor {
  return tensor === input ? input : keyPoints(tensor, { canvasSize })
}

function withChannel(mask: Tensor, kernel: (mask: Tensor) => Tensor): Tensor {
  if (mask.ndim > 2) return kernel(mask)
  const channel = mask.unsqueeze(0)
  const output = kernel(channel)
  return output === channel ? mask : output.squeeze(0)
}

function checkPicture(name: string, image: Tensor): Tensor {
  const { shape } = image
  if (shape.length >= 3) return image
  throw new ShapeError(
    `${name}: the image has shape [${shape.join(', ')}]; images are [..., C, H, W]; mark [H, W] as mask(), or unsqueeze(0)`,
  )
}
