// The ring between pupil and sclera unrolled to a rectangle (Daugman's rubber sheet).
import { functional as F } from '../../../nn'
import { arange, stack, type Tensor, tidy } from '../../../tensor'

/** A circle in pixels; whole numbers are middles of pixels. */
export interface Circle {
  readonly x: number
  readonly y: number
  readonly radius: number
}

/** Size of a strip. */
export interface StripSize {
  readonly height: number
  readonly width: number
}

/**
 * Where the pixels of a strip lie in the eye: row m is m / (height − 1) of the way from the pupil's edge to the iris',
 * column k at the angle 2πk / width from +x towards +y, which points down.
 *
 * @returns `[height, width, 2]` float64, x then y
 */
export function rubberSheetPoints(pupil: Circle, iris: Circle, { height, width }: StripSize): Tensor {
  return tidy(() => {
    const r = arange(height, { dtype: 'float64' })
      .div(height - 1)
      .unsqueeze(1)
    const theta = arange(width, { dtype: 'float64' }).mul((2 * Math.PI) / width)
    const along = (inner: number, outer: number, direction: Tensor) => {
      const from = direction.mul(pupil.radius).add(inner)
      return from.add(direction.mul(iris.radius).add(outer).sub(from).mul(r))
    }
    return stack([along(pupil.x, iris.x, theta.cos()), along(pupil.y, iris.y, theta.sin())], { dim: -1 })
  })
}

/**
 * Unrolls planes of an eye, bilinearly; what lies outside of the picture is its border.
 *
 * @param planes `[C, H, W]` floating point
 * @param points of `rubberSheetPoints`
 * @returns `[C, height, width]`
 */
export function rubberSheet(planes: Tensor, points: Tensor): Tensor {
  const [, height = 1, width = 1] = planes.shape
  return tidy(() => {
    // Middles of pixels at −1 + (2 i + 1) / length.
    const place = (axis: number, length: number) => points.select(-1, axis).mul(2).add(1).div(length).sub(1)
    const grid = stack([place(0, width), place(1, height)], { dim: -1 }).to({
      dtype: planes.dtype,
      device: planes.device,
    })
    return F.gridSample(planes.unsqueeze(0), grid.unsqueeze(0), {
      ...{ mode: 'bilinear', paddingMode: 'border', alignCorners: false },
    }).squeeze(0)
  })
}
