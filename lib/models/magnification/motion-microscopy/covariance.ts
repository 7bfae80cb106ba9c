// 2×2 covariances of every pixel, as maps uu, uv, vv.
import { hypot, stack, type Tensor, tidy, where } from '../../../tensor'
import { UNKNOWN } from './noise'

/** Eigenvalues and the direction of the smaller one. */
export interface Principal {
  readonly smaller: Tensor
  readonly larger: Tensor
  /** `[2, H, W]`: unit vector in which motion is surest. */
  readonly direction: Tensor
}

/** @param covariance `[3, H, W]` */
export function principal(covariance: Tensor): Principal {
  return tidy(() => {
    const [a, b, c] = covariance.unbind() as [Tensor, Tensor, Tensor]
    const gap = hypot(a.sub(c), b.mul(2))
    const larger = a.add(c).add(gap).div(2)
    // Not by a difference, which would lose a small eigenvalue beside a large one.
    const determinant = a.mul(c).sub(b.square()).clamp({ min: 0 })
    const smaller = where(larger.gt(0), determinant.div(larger.clamp({ min: 1e-300 })), larger)
    // The eigenvector of the larger one, turned by 90°.
    const angle = b.mul(2).atan2(a.sub(c)).div(2)
    return { smaller, larger, direction: stack([angle.sin().neg(), angle.cos()]) }
  })
}

export interface ClampOptions {
  /** Variances above, px², count as unknown; 0.1 unless stated. */
  readonly largest?: number
  /** What is compared with it: `'eigenvalues'` (default), or `'components'`, the literal text. */
  readonly clamp?: 'eigenvalues' | 'components'
}

/** No motion is surer than this, px². */
const FLOOR = 1e-8

/**
 * The inverse of covariances whose large variances count as 10,000 px².
 *
 * @param covariance `[3, H, W]` float64
 * @returns `[3, H, W]`
 */
export function inverseCovariance(covariance: Tensor, options: ClampOptions = {}): Tensor {
  const { largest = 0.1, clamp = 'eigenvalues' } = options
  return tidy(() => {
    const raised = (values: Tensor) => where(values.gt(largest), values.mul(0).add(UNKNOWN), values)
    const { smaller, larger, direction } = principal(clamp === 'components' ? raised(covariance) : covariance)
    const settle = (values: Tensor) => (clamp === 'components' ? values : raised(values)).clamp({ min: FLOOR })
    const [p, q] = [settle(smaller).reciprocal(), settle(larger).reciprocal()]
    const [x, y] = direction.unbind() as [Tensor, Tensor]
    const change = p.sub(q)
    return stack([q.add(change.mul(x.square())), change.mul(x).mul(y), q.add(change.mul(y.square()))])
  })
}
