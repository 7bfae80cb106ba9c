import { ArgumentError, DTypeError } from '../../../native/errors'
import { show } from '../../../nn/options'
import { conv2d, type DType, type Generator, linspace, pad, randn, type Tensor, tensor } from '../../../tensor'
import type { Like } from '../kinds'
import { checkFactor } from './colour'
import { dispatch } from './dispatch'
import { asBatch, greyOrRgb, isFloating, maxValue, pictureSize, toFloat } from './pixels'

/** One number for both, or one along x and one along y. */
export type Along = number | readonly [x: number, y: number]

export interface GaussianBlurOptions {
  /** Standard deviation in pixels; default 0.15 · kernelSize + 0.35. */
  readonly sigma?: Along | null
}

/**
 * Blurs by a Gaussian; at the borders the image is mirrored.
 *
 * @param kernelSize odd, in pixels
 * @throws ArgumentError for an even kernel, a sigma that is not positive, or a kernel too large to mirror the image for
 */
export function gaussianBlur<T extends Tensor>(
  input: T,
  kernelSize: Along,
  options: GaussianBlurOptions = {},
): Like<T> {
  const [kernelX, kernelY] = checkKernelSize('gaussianBlur', kernelSize)
  const defaults = [kernelX * 0.15 + 0.35, kernelY * 0.15 + 0.35] as const
  const [sigmaX, sigmaY] = checkSigma('gaussianBlur: sigma', options.sigma ?? defaults)
  return dispatch('gaussianBlur', input, {
    image(image) {
      if (image.numel === 0) return image
      const { channels, height, width } = pictureSize(image)
      const [x, y] = [(kernelX - 1) / 2, (kernelY - 1) / 2]
      if (x >= width || y >= height) {
        throw new ArgumentError(
          `gaussianBlur: kernelSize ${show([kernelX, kernelY])} is too large for an image of ${height} × ${width}; the kernel may reach ${height - 1} pixels down and ${width - 1} across`,
        )
      }
      const pixels = toFloat(image)
      const { dtype } = pixels
      const across = gaussian(kernelX, sigmaX, dtype, image).unsqueeze(0)
      const down = gaussian(kernelY, sigmaY, dtype, image).unsqueeze(-1)
      // Of a wide kernel, a row and a column after it are a fraction of the work of the whole; of a small one they are not.
      const kernels = Math.max(kernelX, kernelY) > WIDE ? [across, down] : [down.mul(across)]
      const blurred = asBatch(pixels, (batch) =>
        kernels.reduce(
          (part, kernel) => conv2d(part, kernel.expand([channels, 1, ...kernel.shape]), { groups: channels }),
          pad(batch, [x, x, y, y], { mode: 'reflect' }),
        ),
      )
      return isFloating(image.dtype) ? blurred : blurred.round_().to(image.dtype)
    },
  })
}

/** The largest kernel that is applied as a whole, in pixels. */
const WIDE = 7

function gaussian(size: number, sigma: number, dtype: DType, like: Tensor): Tensor {
  // x² / 2σ² as the square of one quotient.
  const limit = (size - 1) / (2 * Math.SQRT2)
  const places = linspace(-limit, limit, size, { dtype, device: like.device })
  return places.div(sigma).pow(2).neg().softmax(0)
}

/** @throws ArgumentError unless both sizes are odd whole numbers */
export function checkKernelSize(name: string, size: Along): readonly [x: number, y: number] {
  const pair = typeof size === 'number' ? ([size, size] as const) : size
  if (Array.isArray(pair) && pair.length === 2 && pair.every((s) => Number.isInteger(s) && s > 0 && s % 2 === 1))
    return pair
  throw new ArgumentError(
    `${name}: kernelSize is ${show(size)}; it must be odd and positive, or two such numbers (x, y)`,
  )
}

/** @throws ArgumentError unless both are positive */
export function checkSigma(name: string, sigma: Along): readonly [x: number, y: number] {
  const pair = typeof sigma === 'number' ? ([sigma, sigma] as const) : sigma
  if (Array.isArray(pair) && pair.length === 2 && pair.every((s) => s > 0 && Number.isFinite(s))) return pair
  throw new ArgumentError(`${name} is ${show(sigma)}; it must be a positive number, or two`)
}

/**
 * Blends with a smoothed image: 0 gives the smoothed one, 1 the image, 2 one of twice the sharpness. Border pixels stay.
 *
 * @throws ArgumentError for a negative factor
 */
export function adjustSharpness<T extends Tensor>(input: T, sharpnessFactor: number): Like<T> {
  checkFactor('adjustSharpness: sharpnessFactor', sharpnessFactor)
  return dispatch('adjustSharpness', input, {
    image(image) {
      const channels = greyOrRgb('adjustSharpness', image)
      const { height, width } = pictureSize(image)
      if (image.numel === 0 || height <= 2 || width <= 2) return image
      const output = isFloating(image.dtype) ? image.clone() : image.to('float32')
      const [around, centre] = [1 / 13, 5 / 13]
      const kernel = tensor([around, around, around, around, centre, around, around, around, around], {
        dtype: output.dtype,
        device: image.device,
      }).reshape([1, 1, 3, 3])
      const smooth = asBatch(output, (batch) => conv2d(batch, kernel.expand([channels, 1, 3, 3]), { groups: channels }))
      if (!isFloating(image.dtype)) smooth.round_()
      const inner = output.narrow(-2, 1, height - 2).narrow(-1, 1, width - 2)
      inner.add_(smooth.sub_(inner), { alpha: 1 - sharpnessFactor })
      return output.clamp_({ min: 0, max: maxValue(image.dtype) }).to(image.dtype)
    },
  })
}

export interface GaussianNoiseOptions {
  /** Default 0. As `sigma` of values from 0 to 1, for uint8 too. */
  readonly mean?: number
  /** Standard deviation; default 0.1. */
  readonly sigma?: number
  /** Brings the result back to the range of values; default true. uint8 wraps around otherwise. */
  readonly clip?: boolean
  /** Of the CPU; the default generator of the image's device unless given. */
  readonly generator?: Generator | undefined
}

/**
 * Adds noise of the normal distribution, to each pixel and frame its own.
 *
 * @throws ArgumentError for a negative sigma
 * @throws DTypeError unless the image is uint8 or floating point
 */
export function gaussianNoise<T extends Tensor>(input: T, options: GaussianNoiseOptions = {}): Like<T> {
  const { mean = 0, sigma = 0.1, clip = true, generator } = options
  if (!(sigma >= 0)) throw new ArgumentError(`gaussianNoise: sigma is ${sigma}; it must be a number of 0 or more`)
  return dispatch('gaussianNoise', input, {
    image(image) {
      const { shape, dtype, device } = image
      if (dtype !== 'uint8' && !isFloating(dtype)) {
        throw new DTypeError(`gaussianNoise: the image is ${dtype}; convert it to uint8 or floating point by toDtype`)
      }
      const noiseType = dtype === 'uint8' ? 'float32' : dtype
      const place = generator === undefined ? device : 'cpu'
      const noise = randn(shape, { dtype: noiseType, device: place, generator }).to({ device })
      if (dtype !== 'uint8') {
        const noisy = image.add(noise.mul_(sigma).add_(mean))
        return clip ? noisy.clamp_({ min: 0, max: 1 }) : noisy
      }
      const noisy = noise
        .mul_(sigma * 255)
        .add_(mean * 255)
        .to('int16')
        .add_(image)
      return (clip ? noisy.clamp_({ min: 0, max: 255 }) : noisy).to('uint8')
    },
  })
}
