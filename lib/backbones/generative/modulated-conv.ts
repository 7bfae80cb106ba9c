// The convolution of StyleGAN2, whose weights each image scales by its own style.
import { ShapeError } from '../../native/errors'
import type { Tensor } from '../../tensor'
import { type ResampleConvOptions, resampleConv2d } from './resample-conv'

export interface ModulatedConvOptions extends Omit<ResampleConvOptions, 'groups'> {
  /** Brings each output map back to the variance that its input had; default true. */
  readonly demodulate?: boolean
  /** Added to the result, of a shape that broadcasts to it. */
  readonly noise?: Tensor | null
  /**
   * Scales the weights and convolves each image in a group of its own; otherwise scales the maps before and after one
   * convolution of all, which needs less memory where the gradients of gradients are asked for. Default true.
   */
  readonly fused?: boolean
}

/**
 * Convolution with weights modulated by a style and demodulated (Karras et al., "Analyzing and Improving the Image Quality
 * of StyleGAN", CVPR 2020, section 2.2): `w'ₒᵢₖ = sᵢ wₒᵢₖ`, then `w'ₒ / √(Σᵢₖ w'ₒᵢₖ² + 1e-8)`.
 *
 * @param x `[N, inChannels, H, W]`
 * @param weight `[outChannels, inChannels, k, k]`
 * @param styles `[N, inChannels]`
 * @returns `[N, outChannels, H · up / down, W · up / down]` with a padding of ⌊k / 2⌋
 * @throws ShapeError when channels of maps, weight and styles differ
 */
export function modulatedConv2d(
  x: Tensor,
  weight: Tensor,
  styles: Tensor,
  { demodulate = true, noise = null, fused = true, ...resample }: ModulatedConvOptions = {},
): Tensor {
  checkShapes(x, weight, styles)
  const [images = 0, channels = 0, height = 0, width = 0] = x.shape
  const scaled =
    fused || demodulate ? weight.unsqueeze(0).mul(styles.reshape([images, 1, channels, 1, 1])) : weight.unsqueeze(0)
  const norms = demodulate
    ? scaled
        .square()
        .sum({ dim: [2, 3, 4] })
        .add(1e-8)
        .rsqrt()
    : null
  if (!fused) {
    const maps = resampleConv2d(x.mul(styles.to(x.dtype).unsqueeze(-1).unsqueeze(-1)), weight, resample)
    const unit = norms ? maps.mul(norms.to(maps.dtype).unsqueeze(-1).unsqueeze(-1)) : maps
    return noise ? unit.add(noise) : unit
  }
  const weights = norms ? scaled.mul(norms.reshape([images, -1, 1, 1, 1])) : scaled
  const maps = resampleConv2d(
    x.reshape([1, images * channels, height, width]),
    weights.flatten({ startDim: 0, endDim: 1 }),
    { ...resample, groups: images },
  )
  const apart = maps.reshape([images, -1, ...maps.shape.slice(2)])
  return noise ? apart.add(noise) : apart
}

function checkShapes(x: Tensor, weight: Tensor, styles: Tensor): void {
  const [images, channels] = x.shape
  const fits = x.ndim === 4 && weight.ndim === 4 && weight.shape[1] === channels
  if (fits && styles.ndim === 2 && styles.shape[0] === images && styles.shape[1] === channels) return
  throw new ShapeError(
    `modulatedConv2d: weight [${weight.shape}] takes images [N, ${weight.shape[1] ?? '?'}, H, W] and styles [N, ${weight.shape[1] ?? '?'}], got [${x.shape}] and [${styles.shape}]`,
  )
}
