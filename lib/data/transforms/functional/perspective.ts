import { ArgumentError } from '../../../native/errors'
import { oneOf } from '../../../nn/options'
import { linalgSolve, type Tensor, tensor, tidy } from '../../../tensor'
import { describe } from '../../../tensor/call'
import type { BoundingBoxes, KeyPoints, Like } from '../kinds'
import type { WarpOptions } from './affine'
import { homogeneous, type Pair } from './affine-matrix'
import { dispatch, type Moved } from './dispatch'
import type { Fill } from './fill'
import { coefficients, gridDType, pixelPoints, readAtGrid, WARP_INTERPOLATIONS, type WarpInterpolation } from './grid'
import { boxesAround, cornerPoints } from './outline'
import { isFloating, pictureSize } from './pixels'

/** Four corners: top left, top right, bottom right, bottom left. */
export type Quad = readonly [Pair, Pair, Pair, Pair]

/**
 * Where a perspective reads its input: the eight coefficients (a … h) of x = (a u + b v + c) / (g u + h v + 1) and
 * y = (d u + e v + f) / (g u + h v + 1) for the point (u, v) of the output.
 */
export type PerspectiveCoefficients = readonly number[]

/**
 * The perspective that brings four points of the input to four of the output.
 *
 * @throws ArgumentError when three of the points lie on a line
 */
export function perspectiveCoefficients(startpoints: Quad, endpoints: Quad): PerspectiveCoefficients {
  for (const [name, quad] of Object.entries({ startpoints, endpoints })) {
    if (!Array.isArray(quad) || quad.length !== 4 || !quad.flat().every(Number.isFinite)) {
      throw new ArgumentError(`perspective: ${name} is ${describe(quad)}; it must be four corners [x, y]`)
    }
  }
  const rows = endpoints.flatMap(([u, v], i) => {
    const [x, y] = startpoints[i] ?? [0, 0]
    return [
      [u, v, 1, 0, 0, 0, -x * u, -x * v],
      [0, 0, 0, u, v, 1, -y * u, -y * v],
    ]
  })
  return tidy(() => {
    try {
      const solution = linalgSolve(tensor(rows, { dtype: 'float64' }), tensor(startpoints.flat(), { dtype: 'float64' }))
      return Array.from(solution.to('float32').dataSync(), Number)
    } catch (error) {
      throw new ArgumentError(`perspective: three of the points [${endpoints.join('], [')}] lie on a line; move one`, {
        cause: error,
      })
    }
  })
}

/**
 * Sees images, clips, masks, boxes and points in perspective.
 *
 * @param map from the output's points to the input's, as `perspectiveCoefficients` gives
 * @param options interpolation is `'bilinear'` unless stated
 * @throws ArgumentError unless there are eight coefficients, which can be inverted where there are boxes or points
 */
export function perspective<T extends Tensor>(
  input: T,
  map: PerspectiveCoefficients,
  options: WarpOptions = {},
): Like<T> {
  const { interpolation = 'bilinear', fill = null } = options
  oneOf('perspective: interpolation', interpolation, WARP_INTERPOLATIONS)
  if (!Array.isArray(map) || map.length !== 8 || !map.every(Number.isFinite)) {
    throw new ArgumentError(
      `perspective: coefficients is ${describe(map)}; it must be eight finite numbers, as perspectiveCoefficients() gives`,
    )
  }
  return dispatch('perspective', input, {
    image: (image) => warpPixels(image, map, interpolation, fill),
    mask: (mask) => warpPixels(mask, map, 'nearest', fill),
    boxes: (boxes) => warpBoxes(boxes, map),
    points: (points) => warpPoints(points, map),
  })
}

function warpPixels(image: Tensor, map: PerspectiveCoefficients, mode: WarpInterpolation, fill: Fill): Tensor {
  const { height, width } = pictureSize(image)
  const dtype = gridDType(image)
  const points = pixelPoints(height, width, 0.5, 0.5, dtype, image)
  const divisor = [...map.slice(6), 1]
  const above = points.bmm(coefficients([map.slice(0, 3), map.slice(3, 6)], [0.5 * width, 0.5 * height], dtype, image))
  const below = points.bmm(coefficients([divisor, divisor], undefined, dtype, image))
  return readAtGrid(image, above.div_(below).sub_(1).reshape([1, height, width, 2]), mode, fill)
}

/** Where points of the input come to lie: the inverse of where the output reads. */
function inverted([a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0]: PerspectiveCoefficients): number[] {
  const determinant = a * e - b * d
  if (determinant === 0) {
    throw new ArgumentError(
      `perspective: the coefficients ${[a, b, c, d, e, f, g, h].join(', ')} map everything to a line; boxes and points need a map that can be inverted`,
    )
  }
  return [e - f * h, c * h - b, b * f - c * e, f * g - d, a - c * g, c * d - a * f, d * h - e * g, b * g - a * h].map(
    (value) => value / determinant,
  )
}

function mapPoints(points: Tensor, map: PerspectiveCoefficients): Tensor {
  const options = { dtype: points.dtype, device: points.device } as const
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = inverted(map)
  const columns = homogeneous(points)
  const above = columns.matmul(tensor([a, b, c, d, e, f], options).reshape([2, 3]).t())
  return above.div_(columns.matmul(tensor([g, h, 1], options).reshape([3, 1])))
}

function warpBoxes(boxes: BoundingBoxes, map: PerspectiveCoefficients): Moved {
  if (boxes.numel === 0) return { tensor: boxes }
  return { tensor: boxesAround(mapPoints(cornerPoints(boxes), map), boxes, boxes.canvasSize) }
}

function warpPoints(points: KeyPoints, map: PerspectiveCoefficients): Moved {
  if (points.numel === 0) return { tensor: points }
  const places = (isFloating(points.dtype) ? points : points.to('float32')).reshape([-1, 2])
  return { tensor: mapPoints(places, map).reshape(points.shape).to(points.dtype) }
}
