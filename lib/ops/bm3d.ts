import { ArgumentError, ShapeError } from '../native/errors'
import { type AsyncCallOptions, call, callAsync } from '../tensor/call'
import { isTensor } from '../tensor/handle'
import { tidy, tidyAsync } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'

export interface Bm3dOptions {
  /** Standard deviation of the noise on the image's scale of 0–1: 25/255 for what papers call σ = 25. */
  readonly sigma: number
  /**
   * `hard`: the first stage alone, which thresholds; `both`: then the Wiener filter guided by its result. Default: `both`.
   */
  readonly stages?: 'hard' | 'both'
  /** Side of the window in which similar blocks are searched; odd, 1 to 127. Default: 39. */
  readonly search?: number
}

const OP = 'vision_native::bm3d'

/**
 * Block matching and 3D filtering (Dabov, Foi, Katkovnik, Egiazarian, IEEE TIP 2007) with the constants of the normal
 * profile as in Lebrun, IPOL 2012: blocks of 8 × 8, every third place and the last, groups of up to 16 and then 32 blocks,
 * bior1.5 and then DCT within blocks, Walsh–Hadamard along the group, threshold 2.7 σ, Kaiser window β = 2. Blocks are near
 * below a mean squared difference of 2500/255² and 400/255²; above σ = 40/255 of 5000/255² and 3500/255².
 *
 * Colour is rotated to (R + G + B)/3, (R − B)/2, (R − 2G + B)/4; blocks are matched on the first. The result is not
 * clipped. It needs no gradient, whatever the image does. It is the same bit for bit for every number of threads and every
 * instruction set of the CPU; CUDA rounds otherwise, repeats its own results, and takes values within ±512 only.
 *
 * A pixel that is NaN or infinite stays as it is, and the blocks that hold it are neither matched nor filtered.
 *
 * @param image `[H, W]`, `[C, H, W]` or `[B, C, H, W]` in 0–1, C = 1 or 3 (RGB), 8 × 8 pixels or larger; float32, or
 *   float64, float16 or bfloat16, which are filtered in float32
 * @returns of the image's shape and dtype
 * @throws ShapeError for other shapes, and for images smaller than a block
 * @throws DTypeError for other element types
 * @throws ArgumentError for options out of range
 */
export function bm3d(image: Tensor, { sigma, stages = 'both', search = 39 }: Bm3dOptions): Tensor {
  return tidy(() => {
    const result = call(OP, [asBatch(image), sigma], { stages, search }) as Tensor
    return result.reshape([...image.shape])
  })
}

/** `bm3d` on a thread of LibTorch's, with the event loop free. It stops within a band of rows when the signal fires. */
export function bm3dAsync(
  image: Tensor,
  { sigma, stages = 'both', search = 39, ...watch }: Bm3dOptions & AsyncCallOptions,
): Promise<Tensor> {
  return tidyAsync(async () => {
    const result = (await callAsync(OP, [asBatch(image), sigma], { stages, search }, watch)) as Tensor
    return result.reshape([...image.shape])
  })
}

function asBatch(image: Tensor): Tensor {
  if (!isTensor(image)) throw new ArgumentError('bm3d: expected a Tensor')
  if (image.ndim === 2) return image.unsqueeze(0).unsqueeze(0)
  if (image.ndim === 3) return image.unsqueeze(0)
  if (image.ndim === 4) return image
  throw new ShapeError(`bm3d: the image is [H, W], [C, H, W] or [B, C, H, W], got shape [${image.shape}]`)
}
