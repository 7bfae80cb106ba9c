import { ArgumentError } from '../../../native/errors'
import { cat, ones, type Tensor, tensor } from '../../../tensor'

/** Rows of a map of points: x' = a x + b y + c, y' = d x + e y + f. */
export type AffineMatrix = readonly [a: number, b: number, c: number, d: number, e: number, f: number]

export type Pair = readonly [x: number, y: number]

/** Rotation, scale and shear about a centre, then translation. */
export interface AffineMap {
  /** Degrees, clockwise in an image whose y points down. */
  readonly angle: number
  readonly translate: Pair
  readonly scale: number
  /** Degrees along x and y. */
  readonly shear: Pair
  readonly center: Pair
}

/** @throws ArgumentError for a scale that is not positive, or numbers that are not finite */
export function checkAffine(name: string, { angle, translate, scale, shear }: Omit<AffineMap, 'center'>): void {
  const numbers = {
    angle,
    'translate x': translate[0],
    'translate y': translate[1],
    'shear x': shear[0],
    'shear y': shear[1],
  }
  for (const [what, value] of Object.entries({ ...numbers, scale })) {
    if (!Number.isFinite(value)) throw new ArgumentError(`${name}: ${what} is ${value}; it must be a finite number`)
  }
  if (scale <= 0) throw new ArgumentError(`${name}: scale is ${scale}; it must be above 0, and below 1 to shrink`)
}

/** Where points of the input come to lie. */
export function forwardMatrix({ angle, translate, scale, shear, center }: AffineMap): AffineMatrix {
  const { a, b, c, d } = rotationAndShear(angle, shear)
  const [[cx, cy], [tx, ty]] = [center, translate]
  const [p, q, r, s] = [a * scale, b * scale, c * scale, d * scale]
  return [p, q, cx + tx - p * cx - q * cy, r, s, cy + ty - r * cx - s * cy]
}

/** Where points of the output are read. */
export function inverseMatrix({ angle, translate, scale, shear, center }: AffineMap): AffineMatrix {
  const { a, b, c, d } = rotationAndShear(angle, shear)
  const [[cx, cy], [tx, ty]] = [center, translate]
  // The determinant of rotation and shear is 1.
  const [p, q, r, s] = [d / scale, -b / scale, -c / scale, a / scale]
  return [p, q, cx - p * (cx + tx) - q * (cy + ty), r, s, cy - r * (cx + tx) - s * (cy + ty)]
}

/** The linear part without scale: a rotation after a shear along y after one along x. */
function rotationAndShear(angle: number, shear: Pair): { a: number; b: number; c: number; d: number } {
  const radians = (degrees: number) => (degrees * Math.PI) / 180
  const rotation = radians(angle)
  const [sx, sy] = [radians(shear[0]), radians(shear[1])]
  const a = Math.cos(rotation - sy) / Math.cos(sy)
  const c = Math.sin(rotation - sy) / Math.cos(sy)
  const b = -(a * Math.tan(sx) + Math.sin(rotation))
  const d = Math.cos(rotation) - c * Math.tan(sx)
  return { a, b, c, d }
}

/** Points `[N, 2]` mapped. */
export function mapPoints(points: Tensor, [a, b, c, d, e, f]: AffineMatrix): Tensor {
  const options = { dtype: points.dtype, device: points.device } as const
  const matrix = tensor([a, b, c, d, e, f], options).reshape([2, 3])
  return homogeneous(points).matmul(matrix.t())
}

/** Points `[N, 2]` with a 1 beside them, `[N, 3]`. */
export function homogeneous(points: Tensor): Tensor {
  const column = ones([points.size(0), 1], { dtype: points.dtype, device: points.device })
  return cat([points, column], { dim: 1 })
}
