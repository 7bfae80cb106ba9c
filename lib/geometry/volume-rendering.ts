// Colours of rays through a glowing fog (Max, TVCG 1995; Mildenhall et al., NeRF, ECCV 2020, equation 3).
import { ShapeError } from '../native/errors'
import { cat, full, onesLike, type Tensor, zerosLike } from '../tensor'
import { tidy } from '../tensor/scope'
import { checkEnds } from './check'

export interface RayWeights {
  /** `[..., S]`: how much of each place is seen. */
  readonly weights: Tensor
  /** `[...]`: how much of what is behind the last place is seen; with the weights it sums to 1. */
  readonly transmittance: Tensor
}

/**
 * Weights of places by their opacity: αᵢ · Π (1 − αⱼ) of those before.
 *
 * @param alphas `[..., S]`, 0 to 1
 */
export function alphaWeights(alphas: Tensor): RayWeights {
  checkEnds('alphaWeights', 'alphas', alphas, [-1])
  return tidy(() => {
    const through = alphas.neg().add(1).cumprod(-1)
    const before = cat([onesLike(alphas.narrow(-1, 0, 1)), through], { dim: -1 })
    const count = alphas.size(-1)
    return { weights: alphas.mul(before.narrow(-1, 0, count)), transmittance: before.select(-1, count) }
  })
}

export interface DensityWeightsOptions {
  /** How far the last place reaches; 1e10 as in the paper's code unless stated. */
  readonly lastDistance?: number
  /** Lengths of the rays' directions, `[...]`, by which steps of depth are multiplied; 1 unless given. */
  readonly directionLengths?: Tensor | undefined
}

/**
 * Weights of places by their density, each counting up to the next: αᵢ = 1 − exp(−σᵢ·δᵢ).
 *
 * @param densities `[..., S]`, not negative
 * @param depths `[..., S]`, rising
 */
export function densityWeights(densities: Tensor, depths: Tensor, options: DensityWeightsOptions = {}): RayWeights {
  const { lastDistance = 1e10, directionLengths } = options
  checkEnds('densityWeights', 'densities', densities, [-1])
  if (String(densities.shape) !== String(depths.shape)) {
    throw new ShapeError(
      `densityWeights: densities are [${densities.shape}], depths [${depths.shape}]; they have one shape`,
    )
  }
  return tidy(() => {
    const count = depths.size(-1)
    const steps = depths.narrow(-1, 1, count - 1).sub(depths.narrow(-1, 0, count - 1))
    const last = full([...depths.shape.slice(0, -1), 1], lastDistance, { dtype: depths.dtype, device: depths.device })
    const distances = cat([steps, last], { dim: -1 })
    const lengths = directionLengths === undefined ? distances : distances.mul(directionLengths.unsqueeze(-1))
    const depthsOfFog = densities.mul(lengths)
    // Sums of exponents stay exact where products of small transmittances would not.
    const sums = cat([zerosLike(depthsOfFog.narrow(-1, 0, 1)), depthsOfFog.cumsum(-1)], { dim: -1 })
    const seen = sums.neg().exp()
    const weights = depthsOfFog
      .neg()
      .expm1()
      .neg()
      .mul(seen.narrow(-1, 0, count))
    return { weights, transmittance: seen.select(-1, count) }
  })
}

/**
 * What rays show: the sum of the values of their places, and of a background behind.
 *
 * @param values `[..., S, C]`, such as colours
 * @param background a number or `[C]`; nothing unless given
 * @returns `[..., C]`
 */
export function renderRays(
  { weights, transmittance }: RayWeights,
  values: Tensor,
  background?: number | Tensor,
): Tensor {
  checkEnds('renderRays', 'values', values, [-1, -1])
  if (String(values.shape.slice(0, -1)) !== String(weights.shape)) {
    throw new ShapeError(`renderRays: values are [${values.shape}], weights [${weights.shape}]; values are [..., S, C]`)
  }
  return tidy(() => {
    const sum = weights
      .unsqueeze(-1)
      .mul(values)
      .sum({ dim: [-2] })
    return background === undefined ? sum : sum.add(transmittance.unsqueeze(-1).mul(background))
  })
}
