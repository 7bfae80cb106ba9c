// What lenses do to the plane one unit before the camera (Brown 1966; Conrady 1919), with OpenCV's coefficients.
import { ArgumentError, ShapeError } from '../native/errors'
import { stack, type Tensor } from '../tensor'
import { tidy } from '../tensor/scope'
import { checkEnds } from './check'

/**
 * Where a lens shows points.
 *
 * @param points `[..., N, 2]`: x ∕ z and y ∕ z
 * @param coefficients `[..., 4]` as k₁, k₂, p₁, p₂; `[..., 5]` with k₃; `[..., 8]` with k₄, k₅, k₆ of the divisor
 * @returns of the points' shape
 */
export function distortPoints(points: Tensor, coefficients: Tensor): Tensor {
  checkEnds('distortPoints', 'points', points, [-1, 2])
  const lens = lensOf('distortPoints', coefficients)
  return tidy(() => {
    const { factor, shiftX, shiftY } = bend(points, lens)
    return moved(points, (x, y) => [x.mul(factor).add(shiftX), y.mul(factor).add(shiftY)])
  })
}

/**
 * The points that a lens shows where they are seen, by fixed-point iteration as OpenCV; it does not converge far outside
 * of the image of a strong lens.
 *
 * @param points `[..., N, 2]` as seen
 * @param coefficients as of `distortPoints`
 * @param iterations default 20
 */
export function undistortPoints(points: Tensor, coefficients: Tensor, iterations = 20): Tensor {
  checkEnds('undistortPoints', 'points', points, [-1, 2])
  if (!Number.isSafeInteger(iterations) || iterations < 1) {
    throw new ArgumentError(`undistortPoints: iterations is ${iterations}; it must be a whole number from 1`)
  }
  const lens = lensOf('undistortPoints', coefficients)
  return tidy(() => {
    let guess = points
    for (let i = 0; i < iterations; i++) {
      const { factor, shiftX, shiftY } = bend(guess, lens)
      guess = moved(points, (x, y) => [x.sub(shiftX).div(factor), y.sub(shiftY).div(factor)])
    }
    return guess
  })
}

/** A coefficient `[..., 1]`, or undefined where the lens has none. */
type Lens = (index: number) => Tensor | undefined

function lensOf(caller: string, coefficients: Tensor): Lens {
  const count = coefficients.shape.at(-1) ?? 0
  if (![4, 5, 8].includes(count)) {
    throw new ShapeError(
      `${caller}: coefficients are [${coefficients.shape}]; they are 4 (k1, k2, p1, p2), 5 (with k3) or 8 (with k4, k5, k6)`,
    )
  }
  checkEnds(caller, 'coefficients', coefficients, [count])
  return (index) => (index < count ? coefficients.narrow(-1, index, 1) : undefined)
}

/** The radial factor and the tangential shift at points. */
function bend(points: Tensor, lens: Lens): { factor: Tensor; shiftX: Tensor; shiftY: Tensor } {
  const [x, y] = [points.select(-1, 0), points.select(-1, 1)]
  const square = x.square().add(y.square())
  const polynomial = (...indices: readonly number[]) =>
    indices.reduceRight((sum, index) => {
      const coefficient = lens(index)
      return coefficient === undefined ? sum : sum.add(coefficient).mul(square)
    }, square.mul(0))
  const factor = polynomial(0, 1, 4)
    .add(1)
    .div(polynomial(5, 6, 7).add(1))
  const [p1, p2] = [lens(2), lens(3)]
  const product = x.mul(y).mul(2)
  const tangent = (first: Tensor | undefined, second: Tensor | undefined, along: Tensor) =>
    along
      .square()
      .mul(2)
      .add(square)
      .mul(second ?? 0)
      .add(product.mul(first ?? 0))
  return { factor, shiftX: tangent(p1, p2, x), shiftY: tangent(p2, p1, y) }
}

function moved(points: Tensor, move: (x: Tensor, y: Tensor) => readonly Tensor[]): Tensor {
  return stack(move(points.select(-1, 0), points.select(-1, 1)), { dim: -1 })
}
