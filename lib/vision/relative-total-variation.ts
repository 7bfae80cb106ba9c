import { ArgumentError, ShapeError } from '../native/errors'
import { cat, type Tensor, tidy, zeros } from '../tensor'
import { gaussianFilter } from './gaussian-filter'

export interface RelativeTotalVariationOptions {
  /** λ, how smooth, as the authors' program takes it: half of it weighs the equation. 0.015 unless stated. */
  readonly smoothness?: number
  /** σ, the scale of what counts as texture, in pixels; 3 unless stated. Each round halves it, to ½ at least. */
  readonly scale?: number
  /** Rounds of weighting and solving; 3 unless stated. */
  readonly iterations?: number
  /** Steps of conjugate gradients in a round; 60 unless stated. */
  readonly solverSteps?: number
}

/** ε of windowed and of pointwise variation, which keep weights finite. */
const WINDOWED_EPSILON = 1e-3
const POINTWISE_EPSILON = 0.02

/**
 * Takes texture away and leaves structure (Xu, Yan, Xia, Jia, "Structure extraction from texture via relative total
 * variation", SIGGRAPH Asia 2012): gradients cost less where they all go one way in a window. Each round solves
 * (1 + λ L) S = I by conjugate gradients, with weights of L from the round before.
 *
 * @param image `[H, W]` floating point in 0–1
 * @returns `[H, W]`
 * @throws ShapeError for another shape; ArgumentError for options out of range
 */
export function relativeTotalVariation(image: Tensor, options: RelativeTotalVariationOptions = {}): Tensor {
  const { smoothness = 0.015, scale = 3, iterations = 3, solverSteps = 60 } = options
  if (image.ndim !== 2) throw new ShapeError(`relativeTotalVariation: the image is [${image.shape}]; it must be [H, W]`)
  if (!(smoothness > 0 && scale > 0 && iterations >= 1 && solverSteps >= 1)) {
    throw new ArgumentError(
      `relativeTotalVariation: smoothness ${smoothness}, scale ${scale}, iterations ${iterations}, solverSteps ${solverSteps} must be above 0`,
    )
  }
  return tidy(() => {
    let structure = image
    for (let round = 0; round < iterations; round++) {
      // As in the authors' program: edges that the first rounds left blurred become sharp.
      const sigma = Math.max(scale / 2 ** round, 0.5)
      const across = variationWeights(forwardDifference(structure, 1), sigma).mul(smoothness / 2)
      const down = variationWeights(forwardDifference(structure, 0), sigma).mul(smoothness / 2)
      structure = solve(image, structure, across, down, solverSteps)
    }
    return structure
  })
}

/** What is right of (or below) each pixel less the pixel; 0 at the last. */
function forwardDifference(x: Tensor, dim: 0 | 1): Tensor {
  const inner = x.narrow(dim, 1, x.size(dim) - 1).sub(x.narrow(dim, 0, x.size(dim) - 1))
  return cat([inner, x.narrow(dim, 0, 1).mul(0)], { dim })
}

/** The transpose of `forwardDifference`, for values whose last is 0. */
function backwardDifference(x: Tensor, dim: 0 | 1): Tensor {
  const before = cat([x.narrow(dim, 0, 1).mul(0), x.narrow(dim, 0, x.size(dim) - 1)], { dim })
  return before.sub(x)
}

/** u · w of the paper's Eq. 8 and 9. */
function variationWeights(difference: Tensor, scale: number): Tensor {
  // A window that leaves the picture is smaller, not darker.
  const smooth = (x: Tensor) => {
    const planes = cat([x.unsqueeze(0), x.unsqueeze(0).mul(0).add(1)])
    const [sum, share] = gaussianFilter(planes, { sigma: scale }).unbind() as [Tensor, Tensor]
    return sum.div(share)
  }
  const windowed = smooth(smooth(difference).abs().add(WINDOWED_EPSILON).reciprocal())
  return windowed.div(difference.abs().add(POINTWISE_EPSILON))
}

/** (1 + Dᵀ w D) s = image from a first guess, with the diagonal as the preconditioner. */
function solve(image: Tensor, first: Tensor, across: Tensor, down: Tensor, steps: number): Tensor {
  const lastColumn = zeros([image.size(0), 1], { dtype: image.dtype, device: image.device })
  const lastRow = zeros([1, image.size(1)], { dtype: image.dtype, device: image.device })
  const wx = cat([across.narrow(1, 0, across.size(1) - 1), lastColumn], { dim: 1 })
  const wy = cat([down.narrow(0, 0, down.size(0) - 1), lastRow], { dim: 0 })
  const apply = (x: Tensor) =>
    x
      .add(backwardDifference(forwardDifference(x, 1).mul(wx), 1))
      .add(backwardDifference(forwardDifference(x, 0).mul(wy), 0))
  const before = (w: Tensor, dim: 0 | 1) =>
    cat([w.narrow(dim, 0, 1).mul(0), w.narrow(dim, 0, w.size(dim) - 1)], { dim })
  const inverse = wx.add(before(wx, 1)).add(wy).add(before(wy, 0)).add(1).reciprocal()

  let x = first
  let residual = image.sub(apply(first))
  let direction = inverse.mul(residual)
  let energy = residual.mul(direction).sum()
  for (let step = 0; step < steps; step++) {
    const [a, b, c, d] = tidy((): [Tensor, Tensor, Tensor, Tensor] => {
      const applied = apply(direction)
      // Nothing is left to solve where the energy is 0, and 0 / 0 must not say otherwise.
      const length = energy.div(direction.mul(applied).sum().clampMin(1e-30))
      const next = residual.sub(applied.mul(length))
      const conditioned = inverse.mul(next)
      const remaining = next.mul(conditioned).sum()
      const turned = conditioned.add(direction.mul(remaining.div(energy.clampMin(1e-30))))
      return [x.add(direction.mul(length)), next, turned, remaining]
    })
    ;[x, residual, direction, energy] = [a, b, c, d]
  }
  return x
}
