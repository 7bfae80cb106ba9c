import { ArgumentError, ShapeError } from '../../native/errors'
import { interpolate } from '../../nn/functional'
import { empty, pad, stack, type Tensor, tensor } from '../../tensor'
import type { ImageSize } from '../../vision'
import { pasteMasks } from './mask'
import { type Detection, type DetectionTarget, type ImageBatch, sizeOf } from './types'

export interface DetectionTransformOptions {
  /** The shorter side becomes this long; of several, training draws one for each image and evaluation takes the last. */
  readonly minSize?: number | readonly number[]
  /** … unless the longer side would pass this. */
  readonly maxSize?: number
  /** Every image becomes this [height, width] instead. */
  readonly fixedSize?: ImageSize
  readonly imageMean?: readonly number[]
  readonly imageStd?: readonly number[]
  /** Sides of the batch are multiples of this; default 32. */
  readonly sizeDivisible?: number
}

/** Resizes and normalises images and their targets, and brings detections back, as torchvision's `GeneralizedRCNNTransform`. */
export class DetectionTransform {
  readonly #minSizes: readonly number[]
  readonly #maxSize: number
  readonly #fixed: ImageSize | undefined
  readonly #mean: readonly number[]
  readonly #std: readonly number[]
  readonly #divisible: number

  /** @throws ArgumentError for sizes below 1 */
  constructor(options: DetectionTransformOptions = {}) {
    const { minSize = 800, maxSize = 1333, fixedSize, sizeDivisible = 32 } = options
    const { imageMean = [0.485, 0.456, 0.406], imageStd = [0.229, 0.224, 0.225] } = options
    this.#minSizes = typeof minSize === 'number' ? [minSize] : minSize
    const sizes = [...this.#minSizes, maxSize, ...(fixedSize ?? []), sizeDivisible]
    if (this.#minSizes.length === 0 || sizes.some((size) => !(size >= 1))) {
      throw new ArgumentError(`DetectionTransform: minSize ${minSize}, maxSize ${maxSize}; sizes are 1 or more`)
    }
    this.#maxSize = maxSize
    this.#fixed = fixedSize
    this.#mean = imageMean
    this.#std = imageStd
    this.#divisible = sizeDivisible
  }

  /** @param training whether the size is drawn */
  apply(
    images: readonly Tensor[],
    targets: readonly DetectionTarget[] | undefined,
    training: boolean,
  ): { batch: ImageBatch; targets: DetectionTarget[] | undefined } {
    const resized = images.map((image, i) =>
      resize(this.#normalise(image), targets?.[i], (size) => this.#target(size, training)),
    )
    const sizes = resized.map(({ image }) => sizeOf(image))
    const batch = { tensors: this.#pad(resized.map(({ image }) => image)), sizes }
    return { batch, targets: targets && resized.map(({ target }) => target as DetectionTarget) }
  }

  /** Detections in pixels of the images as they were. */
  restore(found: readonly Detection[], sizes: readonly ImageSize[], originals: readonly ImageSize[]): Detection[] {
    return found.map((detection, i) => {
      const [from, to] = [sizes[i] as ImageSize, originals[i] as ImageSize]
      const boxes = scaleBoxes(detection.boxes, from, to)
      const { masks, keypoints } = detection
      return {
        ...detection,
        boxes,
        ...(masks && { masks: pasteMasks(masks, boxes, to) }),
        ...(keypoints && { keypoints: scaleKeypoints(keypoints, from, to) }),
      }
    })
  }

  #normalise(image: Tensor): Tensor {
    const channels = this.#mean.length
    if (image.size(0) !== channels) {
      throw new ShapeError(
        `DetectionTransform: the mean has ${channels} channels, the image [${image.shape.join(', ')}] has ${image.size(0)}`,
      )
    }
    const { dtype, device } = image
    const [mean, std] = [this.#mean, this.#std].map((list) => tensor([...list], { dtype, device }).reshape([-1, 1, 1]))
    return image.sub(mean as Tensor).div(std as Tensor)
  }

  /** The size of an image of such a size. */
  #target([height, width]: ImageSize, training: boolean): ImageSize {
    // Drawn even where there is one, so that seeds go on as PyTorch's do.
    const drawn = training ? Math.floor(empty([1]).uniform_({ from: 0, to: this.#minSizes.length }).toNumber()) : -1
    if (this.#fixed) return this.#fixed
    const shorter = this.#minSizes.at(drawn) ?? 0
    const factor = Math.min(shorter / Math.min(height, width), this.#maxSize / Math.max(height, width))
    return [Math.floor(height * factor), Math.floor(width * factor)]
  }

  #pad(images: readonly Tensor[]): Tensor {
    const up = (size: number): number => Math.ceil(size / this.#divisible) * this.#divisible
    const height = up(Math.max(...images.map((image) => image.size(1))))
    const width = up(Math.max(...images.map((image) => image.size(2))))
    return stack(images.map((image) => pad(image, [0, width - image.size(2), 0, height - image.size(1)])))
  }
}

function resize(
  image: Tensor,
  target: DetectionTarget | undefined,
  sizeFor: (size: ImageSize) => ImageSize,
): { image: Tensor; target: DetectionTarget | undefined } {
  const from = sizeOf(image)
  const size = sizeFor(from)
  const resized = interpolate(image.unsqueeze(0), { size, mode: 'bilinear' }).squeeze(0)
  if (target === undefined) return { image: resized, target }
  const { boxes, masks, keypoints } = target
  return {
    image: resized,
    target: {
      ...target,
      boxes: scaleBoxes(boxes, from, size),
      ...(masks && { masks: interpolate(masks.unsqueeze(1).to('float32'), { size }).squeeze(1).to('uint8') }),
      ...(keypoints && { keypoints: scaleKeypoints(keypoints, from, size) }),
    },
  }
}

/** In float32, whose rounding the boxes keep. */
function ratio(to: number, from: number): number {
  return Math.fround(to / from)
}

function scaleBoxes(boxes: Tensor, [height, width]: ImageSize, [toHeight, toWidth]: ImageSize): Tensor {
  const [x, y] = [ratio(toWidth, width), ratio(toHeight, height)]
  return boxes.mul(tensor([x, y, x, y], { dtype: 'float32', device: boxes.device }))
}

function scaleKeypoints(keypoints: Tensor, [height, width]: ImageSize, [toHeight, toWidth]: ImageSize): Tensor {
  const factors = [ratio(toWidth, width), ratio(toHeight, height), 1]
  return keypoints.mul(tensor(factors, { dtype: 'float32', device: keypoints.device }))
}
