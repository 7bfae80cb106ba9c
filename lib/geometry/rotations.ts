// Rotations in their forms. Matrices turn columns: p′ = R · p, counter-clockwise about an axis that points at the viewer.
import { ArgumentError } from '../native/errors'
import { atan2, type DType, type Generator, linalgCross, randn, stack, type Tensor, zerosLike } from '../tensor'
import { tidy } from '../tensor/scope'
import type { Device } from '../tensor/types'
import { checkEnds } from './check'
import {
  axisAngleToQuaternion,
  matrixToQuaternion,
  quaternionToAxisAngle,
  quaternionToMatrix,
  standardizeQuaternion,
} from './quaternions'
import { dot, lengths, unit } from './vectors'

/**
 * Rodrigues' formula, smooth at angle 0 too.
 *
 * @param axisAngle `[..., 3]`: along the axis, as long as the angle in radians
 * @returns `[..., 3, 3]`
 */
export function axisAngleToMatrix(axisAngle: Tensor): Tensor {
  return tidy(() => quaternionToMatrix(axisAngleToQuaternion(axisAngle)))
}

/**
 * @param matrices `[..., 3, 3]`
 * @returns `[..., 3]` along the axis, as long as the angle, 0 to π
 */
export function matrixToAxisAngle(matrices: Tensor): Tensor {
  return tidy(() => quaternionToAxisAngle(matrixToQuaternion(matrices)))
}

/**
 * Rotations from six numbers without a jump anywhere (Zhou et al., CVPR 2019), by Gram and Schmidt. As in PyTorch3D the
 * numbers are the first two rows; the paper's are columns.
 *
 * @param numbers `[..., 6]`
 * @returns `[..., 3, 3]`
 */
export function rotation6dToMatrix(numbers: Tensor): Tensor {
  checkEnds('rotation6dToMatrix', 'numbers', numbers, [6])
  return tidy(() => {
    const [first, second] = [numbers.narrow(-1, 0, 3), numbers.narrow(-1, 3, 3)]
    const one = unit(first)
    const two = unit(second.sub(one.mul(dot(one, second))))
    return stack([one, two, linalgCross(one, two)], { dim: -2 })
  })
}

/**
 * The first two rows.
 *
 * @param matrices `[..., 3, 3]`
 * @returns `[..., 6]`
 */
export function matrixToRotation6d(matrices: Tensor): Tensor {
  checkEnds('matrixToRotation6d', 'matrices', matrices, [3, 3])
  return tidy(() =>
    matrices
      .narrow(-2, 0, 2)
      .reshape([...matrices.shape.slice(0, -2), 6])
      .clone(),
  )
}

/**
 * The matrix that multiplies as a cross product: `hat(v) · p = v × p`.
 *
 * @param vectors `[..., 3]`
 * @returns `[..., 3, 3]`
 */
export function hat(vectors: Tensor): Tensor {
  checkEnds('hat', 'vectors', vectors, [3])
  return tidy(() => {
    const [x, y, z] = [vectors.select(-1, 0), vectors.select(-1, 1), vectors.select(-1, 2)]
    const none = zerosLike(x)
    const elements = [none, z.neg(), y, z, none, x.neg(), y.neg(), x, none]
    return stack(elements, { dim: -1 }).reshape([...vectors.shape.slice(0, -1), 3, 3])
  })
}

/**
 * The angle between rotations, the length of the way from one to the other.
 *
 * @param first `[..., 3, 3]`
 * @param second `[..., 3, 3]`; the two broadcast
 * @returns `[...]` in radians, 0 to π
 */
export function rotationAngle(first: Tensor, second: Tensor): Tensor {
  checkEnds('rotationAngle', 'first', first, [3, 3])
  checkEnds('rotationAngle', 'second', second, [3, 3])
  return tidy(() => {
    const between = first.transpose(-1, -2).matmul(second)
    const m = (row: number, column: number) => between.select(-2, row).select(-1, column)
    const sines = stack([m(2, 1).sub(m(1, 2)), m(0, 2).sub(m(2, 0)), m(1, 0).sub(m(0, 1))], { dim: -1 })
    // An arc cosine alone would lose half of the digits near 0 and π.
    return atan2(lengths(sines).squeeze(-1), m(0, 0).add(m(1, 1)).add(m(2, 2)).sub(1))
  })
}

export interface RandomRotationsOptions {
  /** Draws from this generator instead of the default one. */
  readonly generator?: Generator | undefined
  /** Default float32. */
  readonly dtype?: DType | undefined
  readonly device?: Device | undefined
}

/**
 * Quaternions of rotations, each as likely as any other, with real parts that are not negative.
 *
 * @returns `[count, 4]`
 */
export function randomQuaternions(count: number, options: RandomRotationsOptions = {}): Tensor {
  if (!Number.isSafeInteger(count) || count < 0) {
    throw new ArgumentError(`randomQuaternions: count is ${count}; it must be a whole number of 0 or more`)
  }
  return tidy(() => standardizeQuaternion(unit(randn([count, 4], options))))
}

/**
 * Rotations, each as likely as any other.
 *
 * @returns `[count, 3, 3]`
 */
export function randomRotations(count: number, options: RandomRotationsOptions = {}): Tensor {
  return tidy(() => quaternionToMatrix(randomQuaternions(count, options)))
}
