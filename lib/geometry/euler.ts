// Three turns about axes, in the order and with the letters of scipy and PyTorch3D.
import { ArgumentError } from '../native/errors'
import { atan2, hypot, onesLike, stack, type Tensor, where, zerosLike } from '../tensor'
import { tidy } from '../tensor/scope'
import { checkEnds } from './check'

/**
 * Three axes. Capitals turn with the body: `'XYZ'` is R = X(a) · Y(b) · Z(c), as in PyTorch3D. Small letters stay with
 * the world: `'xyz'` is R = Z(c) · Y(b) · X(a). Neighbours differ.
 */
export type EulerConvention = string

interface Axes {
  /** Axes of the factors of R, from the left. */
  readonly factors: readonly [number, number, number]
  /** Whether angles come in the order of the factors. */
  readonly forwards: boolean
}

/**
 * @param angles `[..., 3]` radians, in the order of the letters
 * @param convention default `'XYZ'`
 * @returns `[..., 3, 3]`
 * @throws ArgumentError for letters that are no convention
 */
export function eulerToMatrix(angles: Tensor, convention: EulerConvention = 'XYZ'): Tensor {
  const { factors, forwards } = axesOf('eulerToMatrix', convention)
  checkEnds('eulerToMatrix', 'angles', angles, [3])
  return tidy(() => {
    const matrices = factors.map((axis, i) => aboutAxis(axis, angles.select(-1, forwards ? i : 2 - i)))
    return matrices.reduce((product, matrix) => product.matmul(matrix))
  })
}

/**
 * The middle angle is −π/2 to π/2, or 0 to π where the first axis is the third. Where it is at an end, the other two do
 * not differ: the last of the factors is 0 then, and there is no gradient of use.
 *
 * @param matrices `[..., 3, 3]`
 * @returns `[..., 3]` radians, in the order of the letters
 * @throws ArgumentError for letters that are no convention
 */
export function matrixToEuler(matrices: Tensor, convention: EulerConvention = 'XYZ'): Tensor {
  const { factors, forwards } = axesOf('matrixToEuler', convention)
  checkEnds('matrixToEuler', 'matrices', matrices, [3, 3])
  return tidy(() => {
    const [i, j, last] = factors
    const k = 3 - i - j
    const sign = (j - i + 3) % 3 === 1 ? 1 : -1
    const m = (row: number, column: number) => matrices.select(-2, row).select(-1, column)
    const proper = last === i
    const [middleSine, middleCosine] = proper
      ? [hypot(m(i, j), m(i, k)), m(i, i)]
      : [m(i, k).mul(sign), hypot(m(i, i), m(i, j))]
    const locked = (proper ? middleSine : middleCosine).lt(matrices.dtype === 'float64' ? 1e-10 : 1e-5)
    const first: Sides = proper ? [m(j, i), m(k, i).mul(-sign)] : [m(j, k).mul(-sign), m(k, k)]
    const third: Sides = proper ? [m(i, j), m(i, k).mul(sign)] : [m(i, j).mul(-sign), m(i, i)]
    const alone: Sides = [m(k, j).mul(sign), m(j, j)]
    const angles = [
      where(locked, angleOf(alone), angleOf(first, locked)),
      atan2(middleSine, middleCosine),
      angleOf(third, locked).maskedFill(locked, 0),
    ]
    return stack(forwards ? angles : angles.reverse(), { dim: -1 })
  })
}

type Sides = readonly [sine: Tensor, cosine: Tensor]

/** An angle; 0 where it is not asked for, so that its gradient is finite there. */
function angleOf([sine, cosine]: Sides, without?: Tensor): Tensor {
  if (without === undefined) return atan2(sine, cosine)
  return atan2(sine.maskedFill(without, 0), cosine.maskedFill(without, 1))
}

function aboutAxis(axis: number, angle: Tensor): Tensor {
  const [cosine, sine, one, none] = [angle.cos(), angle.sin(), onesLike(angle), zerosLike(angle)]
  const next = (axis + 1) % 3
  const elements = Array.from({ length: 9 }, (_, place) => {
    const [row, column] = [Math.floor(place / 3), place % 3]
    if (row === axis || column === axis) return row === column ? one : none
    if (row === column) return cosine
    return column === next ? sine : sine.neg()
  })
  return stack(elements, { dim: -1 }).reshape([...angle.shape, 3, 3])
}

function axesOf(caller: string, convention: EulerConvention): Axes {
  const letters = [...String(convention)]
  const [a, b, c] = letters.map((letter) => 'XYZ'.indexOf(letter.toUpperCase()))
  const oneCase = convention === convention.toUpperCase() || convention === convention.toLowerCase()
  if (letters.length !== 3 || a === undefined || b === undefined || c === undefined || !oneCase || a === b || b === c) {
    throw badConvention(caller, convention)
  }
  if (Math.min(a, b, c) < 0) throw badConvention(caller, convention)
  const forwards = convention === convention.toUpperCase()
  return { factors: forwards ? [a, b, c] : [c, b, a], forwards }
}

function badConvention(caller: string, convention: EulerConvention): ArgumentError {
  return new ArgumentError(
    `${caller}: convention is '${convention}'; it is three letters of 'XYZ' (with the body) or 'xyz' (with the world), neighbours different`,
  )
}
