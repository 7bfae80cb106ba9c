import { ArgumentError, ShapeError } from '../native/errors'
import { gridSample } from '../nn/functional'
import { arange, linalgInv, ones, stack, type Tensor, tidy } from '../tensor'
import { projectPoints } from './homography'

export interface WarpPerspectiveOptions {
  /** Height and width of the result; the image's unless stated. */
  readonly size?: readonly [height: number, width: number]
  /** Default `'bilinear'`. */
  readonly interpolation?: 'bilinear' | 'nearest' | 'bicubic'
  /** What lies outside of the image: zeros (default), its edge, or its mirror image. */
  readonly padding?: 'zeros' | 'border' | 'reflection'
}

/**
 * An image through a homography, as `cv2.warpPerspective`: what is at p is at `matrix · p` afterwards. Whole numbers
 * are the middles of pixels. Gradients pass to the image and to the matrix.
 *
 * @param image `[C, H, W]` or `[N, C, H, W]`, floating point
 * @param matrix `[3, 3]`
 * @returns `[…, height, width]` of `size`
 * @throws ShapeError for other shapes; ArgumentError for a size below 1
 */
export function warpPerspective(image: Tensor, matrix: Tensor, options: WarpPerspectiveOptions = {}): Tensor {
  const { interpolation = 'bilinear', padding = 'zeros' } = options
  if ((image.ndim !== 3 && image.ndim !== 4) || String(matrix.shape) !== '3,3') {
    throw new ShapeError(
      `warpPerspective: image [${image.shape}], matrix [${matrix.shape}]; they are [C, H, W] or [N, C, H, W], and [3, 3]`,
    )
  }
  const [imageHeight = 1, imageWidth = 1] = image.shape.slice(-2)
  const [height, width] = options.size ?? [imageHeight, imageWidth]
  if (!(Number.isInteger(height) && Number.isInteger(width) && height > 0 && width > 0)) {
    throw new ArgumentError(`warpPerspective: size is [${height}, ${width}]; it is two whole numbers from 1`)
  }
  return tidy(() => {
    const batch = image.ndim === 3 ? image.unsqueeze(0) : image
    const { device } = image
    const back = linalgInv(matrix.to({ dtype: 'float64', device }))
    const [rows, columns] = [arange(height, { dtype: 'float64', device }), arange(width, { dtype: 'float64', device })]
    const blank = ones([height, width], { dtype: 'float64', device })
    const points = projectPoints(stack([blank.mul(columns), blank.mul(rows.unsqueeze(1))], { dim: -1 }), back)
    // Middles of pixels at −1 + (2 i + 1) ∕ length, which a picture of one pixel has too.
    const [x, y] = [points.select(-1, 0), points.select(-1, 1)]
    const normalised = stack([x.mul(2).add(1).div(imageWidth).sub(1), y.mul(2).add(1).div(imageHeight).sub(1)], {
      dim: -1,
    })
    const grid = normalised.to(image.dtype).expand([batch.shape[0] ?? 1, height, width, 2])
    const warped = gridSample(batch, grid, { mode: interpolation, paddingMode: padding, alignCorners: false })
    return image.ndim === 3 ? warped.squeeze(0) : warped
  })
}
