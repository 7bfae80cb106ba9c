// Quaternions, real part first as in PyTorch3D and kornia: [w, x, y, z] with i·j = k.
import { atan2, stack, type Tensor, where } from '../tensor'
import { tidy } from '../tensor/scope'
import { checkEnds } from './check'
import { cross, dot, lengths } from './vectors'

/**
 * Of the two quaternions of a rotation the one whose real part is not negative.
 *
 * @param quaternions `[..., 4]`
 */
export function standardizeQuaternion(quaternions: Tensor): Tensor {
  checkEnds('standardizeQuaternion', 'quaternions', quaternions, [4])
  return tidy(() => where(quaternions.narrow(-1, 0, 1).lt(0), quaternions.neg(), quaternions))
}

/**
 * Hamilton's product: the rotation of `second`, then that of `first`. Its sign is left as it comes.
 *
 * @param first `[..., 4]`
 * @param second `[..., 4]`; the two broadcast
 */
export function quaternionMultiply(first: Tensor, second: Tensor): Tensor {
  checkEnds('quaternionMultiply', 'first', first, [4])
  checkEnds('quaternionMultiply', 'second', second, [4])
  return tidy(() => {
    const [aw, ax, ay, az] = parts(first)
    const [bw, bx, by, bz] = parts(second)
    const w = aw.mul(bw).sub(ax.mul(bx)).sub(ay.mul(by)).sub(az.mul(bz))
    const x = aw.mul(bx).add(ax.mul(bw)).add(ay.mul(bz)).sub(az.mul(by))
    const y = aw.mul(by).sub(ax.mul(bz)).add(ay.mul(bw)).add(az.mul(bx))
    const z = aw.mul(bz).add(ax.mul(by)).sub(ay.mul(bx)).add(az.mul(bw))
    return stack([w, x, y, z], { dim: -1 })
  })
}

/**
 * The opposite rotation: the conjugate, which is the inverse of a unit quaternion.
 *
 * @param quaternions `[..., 4]`, of length 1
 */
export function quaternionInvert(quaternions: Tensor): Tensor {
  checkEnds('quaternionInvert', 'quaternions', quaternions, [4])
  return tidy(() => {
    const [w, x, y, z] = parts(quaternions)
    return stack([w, x.neg(), y.neg(), z.neg()], { dim: -1 })
  })
}

/**
 * Points rotated.
 *
 * @param quaternions `[..., 4]`, of length 1
 * @param points `[..., 3]`; the two broadcast
 */
export function quaternionApply(quaternions: Tensor, points: Tensor): Tensor {
  checkEnds('quaternionApply', 'quaternions', quaternions, [4])
  checkEnds('quaternionApply', 'points', points, [3])
  return tidy(() => {
    const real = quaternions.narrow(-1, 0, 1)
    const vector = quaternions.narrow(-1, 1, 3)
    const turned = cross(vector, points).mul(2)
    return points.add(real.mul(turned)).add(cross(vector, turned))
  })
}

/**
 * The rotation matrix of each quaternion, of any length but 0.
 *
 * @param quaternions `[..., 4]`
 * @returns `[..., 3, 3]`
 */
export function quaternionToMatrix(quaternions: Tensor): Tensor {
  checkEnds('quaternionToMatrix', 'quaternions', quaternions, [4])
  return tidy(() => {
    const [w, x, y, z] = parts(quaternions)
    const scale = quaternions
      .square()
      .sum({ dim: [-1] })
      .reciprocal()
      .mul(2)
    const product = (a: Tensor, b: Tensor) => a.mul(b).mul(scale)
    const onDiagonal = (a: Tensor, b: Tensor) => product(a, a).add(product(b, b)).neg().add(1)
    const elements = [
      ...[onDiagonal(y, z), product(x, y).sub(product(z, w)), product(x, z).add(product(y, w))],
      ...[product(x, y).add(product(z, w)), onDiagonal(x, z), product(y, z).sub(product(x, w))],
      ...[product(x, z).sub(product(y, w)), product(y, z).add(product(x, w)), onDiagonal(x, y)],
    ]
    return stack(elements, { dim: -1 }).reshape([...quaternions.shape.slice(0, -1), 3, 3])
  })
}

/**
 * The quaternion of each rotation, its real part not negative (Shepperd 1978: by the largest of the four).
 *
 * @param matrices `[..., 3, 3]`
 * @returns `[..., 4]`, of length 1
 */
export function matrixToQuaternion(matrices: Tensor): Tensor {
  checkEnds('matrixToQuaternion', 'matrices', matrices, [3, 3])
  return tidy(() => {
    const m = (row: number, column: number) => matrices.select(-2, row).select(-1, column)
    const [a, b, c] = [m(0, 0), m(1, 1), m(2, 2)]
    const [x, y, z] = [m(2, 1).sub(m(1, 2)), m(0, 2).sub(m(2, 0)), m(1, 0).sub(m(0, 1))]
    const [xy, xz, yz] = [m(1, 0).add(m(0, 1)), m(2, 0).add(m(0, 2)), m(2, 1).add(m(1, 2))]
    const squares = [
      a.add(b).add(c).add(1),
      a.sub(b).sub(c).add(1),
      b.sub(a).sub(c).add(1),
      c.sub(a).sub(b).add(1),
    ] as const
    // Row i is 4 qᵢ · q; the row whose qᵢ is largest is divided by the least small number.
    const rows = [
      stack([squares[0], x, y, z], { dim: -1 }),
      stack([x, squares[1], xy, xz], { dim: -1 }),
      stack([y, xy, squares[2], yz], { dim: -1 }),
      stack([z, xz, yz, squares[3]], { dim: -1 }),
    ]
    const largest = stack(squares, { dim: -1 }).argmax({ dim: -1, keepdim: true })
    const row = stack(rows, { dim: -2 }).takeAlongDim(largest.unsqueeze(-1), { dim: -2 }).squeeze(-2)
    const square = stack(squares, { dim: -1 }).takeAlongDim(largest, { dim: -1 })
    return standardizeQuaternion(row.div(square.sqrt().mul(2)))
  })
}

/**
 * @param axisAngle `[..., 3]`: along the axis, as long as the angle in radians
 * @returns `[..., 4]`
 */
export function axisAngleToQuaternion(axisAngle: Tensor): Tensor {
  checkEnds('axisAngleToQuaternion', 'axisAngle', axisAngle, [3])
  return tidy(() => {
    const half = lengths(axisAngle).mul(0.5)
    const vector = axisAngle.mul(half.div(Math.PI).sinc().mul(0.5))
    return stack([half.cos().squeeze(-1), ...vector.unbind({ dim: -1 })], { dim: -1 })
  })
}

/**
 * @param quaternions `[..., 4]`
 * @returns `[..., 3]` along the axis, as long as the angle, 0 to π
 */
export function quaternionToAxisAngle(quaternions: Tensor): Tensor {
  checkEnds('quaternionToAxisAngle', 'quaternions', quaternions, [4])
  return tidy(() => {
    const standard = standardizeQuaternion(quaternions)
    const vector = standard.narrow(-1, 1, 3)
    const half = atan2(lengths(vector), standard.narrow(-1, 0, 1))
    const length = lengths(standard)
    return vector.div(half.div(Math.PI).sinc().mul(0.5).mul(length))
  })
}

/** Below this cosine two quaternions are so far apart that sines may be divided by. */
const NEAR = 0.9995

/**
 * Rotations between two at constant speed on the shorter way (Shoemake, SIGGRAPH 1985); of neighbours the normalised
 * mean, which is equal to rounding.
 *
 * @param from `[..., 4]` of length 1, reached at 0
 * @param to `[..., 4]`, reached at 1 up to its sign
 * @param part a number or a tensor `[...]` that broadcasts
 */
export function slerp(from: Tensor, to: Tensor, part: number | Tensor): Tensor {
  checkEnds('slerp', 'from', from, [4])
  checkEnds('slerp', 'to', to, [4])
  return tidy(() => {
    const cosine = dot(from, to)
    const target = where(cosine.lt(0), to.neg(), to)
    const nearness = cosine.abs()
    const near = nearness.gt(NEAR)
    const share = typeof part === 'number' ? part : part.unsqueeze(-1)
    const rest = typeof share === 'number' ? 1 - share : share.neg().add(1)
    // What `where` leaves out still has a gradient, which must be finite.
    const angle = nearness.maskedFill(near, 0).acos()
    const sine = angle.sin()
    const bent = from
      .mul(angle.mul(rest).sin())
      .add(target.mul(angle.mul(share).sin()))
      .div(sine)
    const straight = from.mul(rest).add(target.mul(share))
    const mixed = where(near, straight, bent)
    return mixed.div(lengths(mixed))
  })
}

function parts(quaternions: Tensor): readonly [w: Tensor, x: Tensor, y: Tensor, z: Tensor] {
  const at = (index: number) => quaternions.select(-1, index)
  return [at(0), at(1), at(2), at(3)]
}
