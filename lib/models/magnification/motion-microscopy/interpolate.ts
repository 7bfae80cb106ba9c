// Motion where none can be measured, from where it can (Eq. 6 of the paper).
import { ShapeError } from '../../../native/errors'
import { capture, dispose, pad, stack, type Tensor, tidy, tidyAsync, zerosLike } from '../../../tensor'
import { type ClampOptions, inverseCovariance } from './covariance'

export interface InterpolationOptions extends ClampOptions {
  /** Weight of smoothness, λ_s; 300 unless stated. */
  readonly lambda?: number
  /** Of the residual against the right-hand side; 1e-6 unless stated. */
  readonly tolerance?: number
  readonly maxIterations?: number
  readonly signal?: AbortSignal | undefined
}

export interface Interpolated {
  /** `[2, H, W]` float64 */
  readonly motion: Tensor
  readonly iterations: number
  /** ‖b − A x‖ / ‖b‖ at the end. */
  readonly residual: number
}

/**
 * The field that is close to the measured one where that is sure, and smooth: the least
 * Σ (V_s − V) Σ_V⁻¹ (V_s − V)ᵀ + λ Σ_x Σ_{y ∈ N4(x)} |V_s(x) − V_s(y)|², by conjugate gradients with the inverse of each
 * pixel's own 2×2 block before them.
 *
 * @param motion `[2, H, W]`
 * @param covariance `[3, H, W]`: uu, uv, vv
 */
export async function interpolateField(
  motion: Tensor,
  covariance: Tensor,
  options: InterpolationOptions = {},
): Promise<Interpolated> {
  const { lambda = 300, tolerance = 1e-6, maxIterations = 500, signal } = options
  if (motion.ndim !== 3 || motion.size(0) !== 2 || covariance.size(0) !== 3) {
    throw new ShapeError(
      `interpolateField: the motion is [${motion.shape}], the covariance [${covariance.shape}]; they are [2, H, W] and [3, H, W]`,
    )
  }
  return tidyAsync(async () => {
    const weights = inverseCovariance(covariance.to('float64'), options)
    const target = applyBlocks(weights, motion.to('float64'))
    const degrees = neighbours(zerosLike(target).add(1))
    // Each pair of neighbours is counted from both of its ends.
    const smoothness = degrees.mul(2 * lambda)
    const diagonal = stack([
      weights.select(0, 0).add(smoothness.select(0, 0)),
      weights.select(0, 1),
      weights.select(0, 2).add(smoothness.select(0, 1)),
    ])
    const before = inverted(diagonal)
    const matrix = (field: Tensor) => applyBlocks(diagonal, field).sub(neighbours(field).mul(2 * lambda))
    using step = capture((x: Tensor, r: Tensor, p: Tensor, rz: Tensor) => {
      const ap = matrix(p)
      const alpha = rz.div(p.mul(ap).sum())
      const nextX = x.add(p.mul(alpha))
      const nextR = r.sub(ap.mul(alpha))
      const z = applyBlocks(before, nextR)
      const nextRz = nextR.mul(z).sum()
      return { x: nextX, r: nextR, p: z.add(p.mul(nextRz.div(rz))), rz: nextRz, size: nextR.norm() }
    })
    const goal = tolerance * Math.max((await target.norm().item()) as number, 1e-300)
    let state = tidy(() => {
      const r = target.clone()
      const z = applyBlocks(before, r)
      return { x: zerosLike(r), r, p: z, rz: r.mul(z).sum(), size: r.norm() }
    })
    let iterations = 0
    let size = (await state.size.item()) as number
    while (size > goal && iterations < maxIterations) {
      const next = await step.run([state.x, state.r, state.p, state.rz], { signal })
      dispose(state)
      state = next
      iterations++
      size = (await state.size.item()) as number
    }
    return { motion: state.x, iterations, residual: (size / goal) * tolerance }
  })
}

/** Symmetric 2×2 blocks times vectors. */
function applyBlocks(blocks: Tensor, field: Tensor): Tensor {
  const [a, b, c] = blocks.unbind() as [Tensor, Tensor, Tensor]
  const [u, v] = field.unbind() as [Tensor, Tensor]
  return stack([a.mul(u).add(b.mul(v)), b.mul(u).add(c.mul(v))])
}

function inverted(blocks: Tensor): Tensor {
  const [a, b, c] = blocks.unbind() as [Tensor, Tensor, Tensor]
  const determinant = a.mul(c).sub(b.square())
  return stack([c, b.neg(), a]).div(determinant)
}

/** Sum of the values above, below, left and right. */
function neighbours(field: Tensor): Tensor {
  const padded = pad(field, [1, 1, 1, 1])
  const [height = 0, width = 0] = field.shape.slice(1)
  const moved = (y: number, x: number) => padded.narrow(1, y, height).narrow(2, x, width)
  return moved(0, 1).add(moved(2, 1)).add(moved(1, 0)).add(moved(1, 2))
}
