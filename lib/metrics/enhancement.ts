// Qualities of enhanced pictures that need no photograph in good light.
import { ShapeError } from '../native/errors'
import { functional as F } from '../nn'
import { type Tensor, tensor, tidy } from '../tensor'

export interface LightnessOrderOptions {
  /**
   * `'local-maximum'` (default): lightness is the largest value within 15 × 15 pixels, as in the widely used script;
   * `'plain'`: that of the pixel, as printed.
   */
  readonly variant?: 'local-maximum' | 'plain'
}

const WINDOW = 15
const SAMPLES = 50

/**
 * Lightness order error (Wang, Zheng, Hu and Li, IEEE TIP 2013): for each sampled pixel, how many others change sides in
 * the order of lightness; smaller is better. Pixels are sampled at about 50 along the short side, without interpolation.
 *
 * @param original `[3, H, W]`, the dark picture
 * @param enhanced `[3, H, W]`
 * @returns 0-dimensional float32
 * @throws ShapeError when the pictures do not fit
 */
export function lightnessOrderError(
  original: Tensor,
  enhanced: Tensor,
  { variant = 'local-maximum' }: LightnessOrderOptions = {},
): Tensor {
  checkPictures('lightnessOrderError', original, enhanced)
  return tidy(() => {
    const [before, after] = [sampled(original, variant), sampled(enhanced, variant)]
    const order = (x: Tensor) => x.unsqueeze(1).ge(x.unsqueeze(0))
    return order(before).logicalXor(order(after)).to('float32').sum().div(before.numel)
  })
}

function sampled(image: Tensor, variant: 'local-maximum' | 'plain'): Tensor {
  const lightness = image.amax({ dim: 0 })
  const [height = 0, width = 0] = lightness.shape
  const step = Math.max(1, Math.floor(Math.min(height, width) / SAMPLES))
  const wide = variant === 'plain' ? lightness : localMaximum(lightness)
  const every = (size: number) =>
    tensor(Array.from({ length: Math.floor(size / step) }, (_, i) => BigInt((i + 1) * step - 1)))
  return wide.indexSelect(0, every(height)).indexSelect(1, every(width)).flatten()
}

/** The largest value around each pixel; a mirrored border holds nothing that is not inside already. */
function localMaximum(lightness: Tensor): Tensor {
  const planes = lightness.unsqueeze(0).unsqueeze(0).to('float32')
  return F.maxPool2d(planes, WINDOW, { stride: 1, padding: (WINDOW - 1) / 2 })
    .squeeze(0)
    .squeeze(0)
}

const BLOCK = 5

/**
 * Measure of enhancement (Agaian, Panetta and Grigoryan, IEEE TIP 2001): the mean over blocks of 5 × 5 pixels of
 * 20·ln(largest / smallest luminance). Blocks that hold a 0 count as 0; rows and columns that make no whole block are
 * left out.
 *
 * @param image `[3, H, W]` in 0–1; luminance is rounded on 0–255
 * @returns 0-dimensional float32
 * @throws ShapeError for a picture without a block
 */
export function measureOfEnhancement(image: Tensor): Tensor {
  if (image.ndim !== 3 || image.size(0) !== 3 || image.size(1) < BLOCK || image.size(2) < BLOCK) {
    throw new ShapeError(
      `measureOfEnhancement: the image is [${image.shape.join(', ')}]; it must be [3, H, W] with sides of at least ${BLOCK}`,
    )
  }
  return tidy(() => {
    const luminance = luma255(image).unsqueeze(0).unsqueeze(0)
    const largest = F.maxPool2d(luminance, BLOCK)
    const smallest = F.maxPool2d(luminance.neg(), BLOCK).neg()
    const ratio = largest.div(smallest.clampMin(1)).log().mul(20)
    return ratio.where(smallest.gt(0), 0).mean()
  })
}

/** Luminance of Rec. 601 rounded on 0–255, `[H, W]`. */
export function luma255(image: Tensor): Tensor {
  const weights = tensor([0.299, 0.587, 0.114], { device: image.device }).reshape([3, 1, 1])
  return image.to('float32').mul(255).mul(weights).sum({ dim: 0 }).round()
}

function checkPictures(caller: string, a: Tensor, b: Tensor): void {
  if (a.ndim === 3 && a.size(0) === 3 && String(a.shape) === String(b.shape)) return
  throw new ShapeError(
    `${caller}: pictures are [${a.shape.join(', ')}] and [${b.shape.join(', ')}]; both must be the same [3, H, W]`,
  )
}
