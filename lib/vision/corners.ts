// Corners: places that can be found again in another picture.
import { ArgumentError, ShapeError } from '../native/errors'
import { functional as F } from '../nn'
import { type Tensor, tensor, tidy } from '../tensor'
import { describe } from '../tensor/call'

export interface CornerOptions {
  /** Most corners, the strongest first; 1000 unless stated. */
  readonly maxCorners?: number
  /** Least response, as a share of the strongest one; 0.01 unless stated. */
  readonly quality?: number
  /** Least distance between two corners in pixels; 5 unless stated. */
  readonly minDistance?: number
  /** Side of the square over which gradients are summed, an odd number of pixels; 3 unless stated. */
  readonly blockSize?: number
  /** Harris' constant, 0.04 unless stated. */
  readonly k?: number
}

/** Derivative across and smoothing along. */
const SOBEL = [
  [-1, 0, 1],
  [-2, 0, 2],
  [-1, 0, 1],
] as const

/**
 * Harris' corner response (Harris and Stephens 1988), det M − k (tr M)² of the summed products of Sobel gradients, on
 * the scale of `cv2.cornerHarris`. Borders are mirrored.
 *
 * @param image `[H, W]`, uint8 or floating point in 0–255
 * @returns `[H, W]` float32
 */
export function harrisResponse(image: Tensor, { blockSize = 3, k = 0.04 }: CornerOptions = {}): Tensor<'float32'> {
  if (image.ndim !== 2 || image.size(0) <= blockSize || image.size(1) <= blockSize) {
    throw new ShapeError(
      `harrisResponse: the image is [${image.shape}]; it must be [H, W], larger than the block of ${blockSize}`,
    )
  }
  if (!(Number.isInteger(blockSize) && blockSize >= 1 && blockSize % 2 === 1)) {
    throw new ArgumentError(`harrisResponse: blockSize is ${describe(blockSize)}; it must be an odd whole number`)
  }
  return tidy(() => {
    const { device } = image
    const across = tensor(SOBEL, { device }).to('float32')
    const kernels = across.reshape([1, 1, 3, 3])
    const picture = image.to('float32').reshape([1, 1, image.size(0), image.size(1)])
    const mirrored = F.pad(picture, [1, 1, 1, 1], { mode: 'reflect' })
    const scale = 1 / (4 * blockSize * 255)
    const dx = F.conv2d(mirrored, kernels).mul(scale)
    const dy = F.conv2d(mirrored, kernels.transpose(2, 3).contiguous()).mul(scale)
    const half = (blockSize - 1) / 2
    const summed = (products: Tensor) =>
      F.avgPool2d(F.pad(products, [half, half, half, half], { mode: 'reflect' }), blockSize, { stride: 1 }).mul(
        blockSize ** 2,
      )
    const [a, b, c] = [summed(dx.square()), summed(dx.mul(dy)), summed(dy.square())] as const
    const response = a.mul(c).sub(b.square()).sub(a.add(c).square().mul(k))
    return response.squeeze(0).squeeze(0) as Tensor<'float32'>
  })
}

/**
 * Corners of a picture by Harris' response, as `cv2.goodFeaturesToTrack` with `useHarrisDetector`: local maxima, the
 * strongest first, none closer than `minDistance` to a stronger one.
 *
 * @param image `[H, W]`, uint8 or floating point in 0–255
 * @returns `[N, 2]` float32, x and y; N may be 0
 * @throws ShapeError when the image is no larger than a block; ArgumentError when an option is out of its range
 */
export function harrisCorners(image: Tensor, options: CornerOptions = {}): Tensor<'float32'> {
  const { maxCorners = 1000, quality = 0.01, minDistance = 5 } = options
  if (!(Number.isInteger(maxCorners) && maxCorners > 0 && quality > 0 && quality < 1 && minDistance >= 0)) {
    throw new ArgumentError(
      `harrisCorners: maxCorners ${maxCorners}, quality ${quality}, minDistance ${minDistance}; they are a whole number from 1, a share between 0 and 1, and 0 or more`,
    )
  }
  const [height = 0, width = 0] = image.shape
  const response = tidy(() => harrisResponse(image, options).contiguous().dataSync() as Float32Array)
  const candidates = localMaxima(response, width, height, quality)
  const corners = spread(candidates, width, height, minDistance, maxCorners)
  return tensor(Float32Array.from(corners.flatMap((at) => [at % width, Math.floor(at / width)])), {
    shape: [corners.length, 2],
    device: image.device,
  }) as Tensor<'float32'>
}

/** Places above the threshold that no neighbour surpasses, the strongest first. */
function localMaxima(response: Float32Array, width: number, height: number, quality: number): number[] {
  let strongest = 0
  for (const value of response) if (value > strongest) strongest = value
  const least = strongest * quality
  const found: number[] = []
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const at = y * width + x
      const value = response[at] as number
      if (!(value > least)) continue
      let isPeak = true
      for (let dy = -width; dy <= width && isPeak; dy += width) {
        for (let dx = -1; dx <= 1; dx++) if ((response[at + dy + dx] as number) > value) isPeak = false
      }
      if (isPeak) found.push(at)
    }
  }
  return found.sort((p, q) => (response[q] as number) - (response[p] as number) || p - q)
}

/** The first of the candidates that keep their distance, found by a grid of cells as large as the distance. */
function spread(
  candidates: readonly number[],
  width: number,
  height: number,
  minDistance: number,
  most: number,
): readonly number[] {
  if (minDistance < 1) return candidates.slice(0, most)
  const cell = Math.max(1, Math.round(minDistance))
  const [columns, rows] = [Math.ceil(width / cell), Math.ceil(height / cell)]
  const cells = Array.from({ length: columns * rows }, (): number[] => [])
  const taken: number[] = []
  for (const at of candidates) {
    const [x, y] = [at % width, Math.floor(at / width)]
    const [column, row] = [Math.floor(x / cell), Math.floor(y / cell)]
    let isFree = true
    for (let r = Math.max(0, row - 1); r <= Math.min(rows - 1, row + 1) && isFree; r++) {
      for (let c = Math.max(0, column - 1); c <= Math.min(columns - 1, column + 1) && isFree; c++) {
        isFree = !(cells[r * columns + c] ?? []).some((other) => {
          const [ox, oy] = [other % width, Math.floor(other / width)]
          return (x - ox) ** 2 + (y - oy) ** 2 < minDistance ** 2
        })
      }
    }
    if (!isFree) continue
    cells[row * columns + column]?.push(at)
    taken.push(at)
    if (taken.length === most) break
  }
  return taken
}
