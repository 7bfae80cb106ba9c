import { gridSample } from '../../../nn/functional/vision'
import { cat, type DType, full, linspace, ones, stack, type Tensor, tensor } from '../../../tensor'
import { checkFill, type Fill, fillTensor } from './fill'
import { asBatch, isFloating } from './pixels'

/** How a warp reads between pixels. */
export type WarpInterpolation = 'nearest' | 'bilinear'

export const WARP_INTERPOLATIONS: readonly WarpInterpolation[] = ['nearest', 'bilinear']

/** The dtype in which places are computed for an image: its own, or float32 for integers. */
export function gridDType(image: Tensor): DType {
  return isFloating(image.dtype) ? image.dtype : 'float32'
}

/** Points (x, y, 1) of all pixels, `[1, height · width, 3]`, x from `x0` and y from `y0` in steps of 1. */
export function pixelPoints(height: number, width: number, x0: number, y0: number, dtype: DType, like: Tensor): Tensor {
  const options = { dtype, device: like.device } as const
  const x = linspace(x0, x0 + width - 1, width, options).expand([height, width])
  const y = linspace(y0, y0 + height - 1, height, options)
    .unsqueeze(-1)
    .expand([height, width])
  return stack([x, y, ones([height, width], options)], { dim: -1 }).reshape([1, height * width, 3])
}

/** Rows of three coefficients as `[1, 3, rows]`, each row divided by `divisors`. */
export function coefficients(
  rows: readonly (readonly number[])[],
  divisors: readonly number[] | undefined,
  dtype: DType,
  like: Tensor,
): Tensor {
  const options = { dtype, device: like.device } as const
  // Transposed in place of being written transposed: LibTorch multiplies the two in different orders of summation.
  const matrix = tensor(rows, options).reshape([1, rows.length, 3]).transpose(1, 2)
  return divisors === undefined ? matrix : matrix.div_(tensor(divisors, options))
}

/**
 * Reads an image `[..., C, H, W]` at the places of a grid `[1, Hout, Wout, 2]`, from −1 to 1. Places outside read as
 * `fill`, or as zeros that fade in at the border where it is null. Integers are rounded.
 */
export function readAtGrid(image: Tensor, grid: Tensor, mode: WarpInterpolation, fill: Fill): Tensor {
  checkFill('warp', fill, image)
  return asBatch(image, (batch) => {
    const { dtype } = batch
    const count = batch.size(0)
    const pixels = dtype === grid.dtype ? batch : batch.to(grid.dtype)
    const places = count > 1 ? grid.expand([count, -1, -1, -1]) : grid
    const read = fill === null ? sample(pixels, places, mode) : sampleOnFill(pixels, places, mode, fill)
    return dtype === grid.dtype ? read : read.round_().to(dtype)
  })
}

function sample(pixels: Tensor, places: Tensor, mode: WarpInterpolation): Tensor {
  return gridSample(pixels, places, { mode, paddingMode: 'zeros', alignCorners: false })
}

/** A channel of ones, read along with the others, tells how much of each result lies inside the image. */
function sampleOnFill(
  pixels: Tensor,
  places: Tensor,
  mode: WarpInterpolation,
  fill: number | readonly number[],
): Tensor {
  const { shape, dtype, device } = pixels
  const [count = 0, channels = 0, height = 0, width = 0] = shape
  const inside = full([count, 1, height, width], 1, { dtype, device })
  const read = sample(cat([pixels, inside], { dim: 1 }), places, mode)
  const [values, coverage] = [read.narrow(1, 0, channels), read.narrow(1, channels, 1)]
  const colour = fillTensor(fill, dtype, pixels)
  if (mode === 'nearest') return colour.where(coverage.lt(0.5), values)
  return values.sub(colour).mul_(coverage).add_(colour)
}
