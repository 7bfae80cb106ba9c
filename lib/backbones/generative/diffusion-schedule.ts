// How much noise images hold at each step of diffusion, and what follows for adding and taking it away.
import { ArgumentError } from '../../native/errors'
import { oneOf, wholeNumber } from '../../nn/options'
import { type Generator, randint, randn, type Tensor, tensor } from '../../tensor'

/**
 * How variances grow: evenly (Ho et al. 2020), their roots evenly, or so that the signal falls as a squared cosine (Nichol
 * and Dhariwal 2021).
 */
export type NoiseGrowth = 'linear' | 'quadratic' | 'cosine'

/** What a network tells: the noise, the clean images, or `√ᾱ ε − √(1 − ᾱ) x₀` (Salimans and Ho 2022). */
export type DiffusionTarget = 'noise' | 'clean' | 'velocity'

export interface NoiseScheduleOptions {
  /** Default 1000. */
  readonly steps?: number
  /** Default `'linear'`. */
  readonly growth?: NoiseGrowth
  /** Variance of the first step, for linear and quadratic growth; default 1e-4. */
  readonly betaStart?: number
  /** Variance of the last step, for linear and quadratic growth; default 0.02. */
  readonly betaEnd?: number
}

/** Noisy images with what a network should tell of them. */
export interface DiffusionExample {
  readonly noisy: Tensor
  readonly noise: Tensor
  /** int64 `[N]`. */
  readonly steps: Tensor
  readonly target: Tensor
}

/**
 * The variances βₜ of a diffusion's steps, and `ᾱₜ = Πᵢ≤ₜ (1 − βᵢ)`: at step t, counted from 0, an image is
 * `xₜ = √ᾱₜ x₀ + √(1 − ᾱₜ) ε`.
 */
export class NoiseSchedule {
  readonly steps: number
  readonly betas: readonly number[]
  readonly alphasCumprod: readonly number[]

  /** @throws ArgumentError for variances outside (0, 1) */
  constructor(options: NoiseScheduleOptions = {}) {
    const { steps = 1000, growth = 'linear', betaStart = 1e-4, betaEnd = 0.02 } = options
    this.steps = wholeNumber('NoiseSchedule: steps', steps)
    oneOf('NoiseSchedule: growth', growth, ['linear', 'quadratic', 'cosine'])
    if (!(betaStart > 0 && betaStart <= betaEnd && betaEnd < 1)) {
      throw new ArgumentError(
        `NoiseSchedule: betaStart ${betaStart} and betaEnd ${betaEnd}; they are variances above 0 and below 1, the smaller one first`,
      )
    }
    this.betas = growth === 'cosine' ? cosineBetas(steps) : rootBetas(steps, betaStart, betaEnd, growth)
    let product = 1
    this.alphasCumprod = this.betas.map((beta) => {
      product *= 1 - beta
      return product
    })
  }

  /** ᾱ of a step; 1 before the first. @throws ArgumentError for a step that is not there */
  alphaCumprod(step: number): number {
    const value = step === -1 ? 1 : this.alphasCumprod[step]
    if (value !== undefined) return value
    throw new ArgumentError(`NoiseSchedule: step is ${step}; it must be a whole number from 0 to ${this.steps - 1}`)
  }

  /**
   * Images as they are at a step: `√ᾱ x₀ + √(1 − ᾱ) ε`.
   *
   * @param steps one for all, or int64 `[N]`
   */
  addNoise(clean: Tensor, noise: Tensor, steps: Tensor | number): Tensor {
    const { signal, noise: share } = this.#shares(steps, clean)
    return clean.mul(signal).add(noise.mul(share))
  }

  /** What a network with this target should tell of images at a step. */
  targetOf(target: DiffusionTarget, clean: Tensor, noise: Tensor, steps: Tensor | number): Tensor {
    oneOf('NoiseSchedule: target', target, ['noise', 'clean', 'velocity'])
    if (target === 'noise') return noise
    if (target === 'clean') return clean
    const { signal, noise: share } = this.#shares(steps, clean)
    return noise.mul(signal).sub(clean.mul(share))
  }

  /** Clean images and noise, from images at a step and what a network tells of them. */
  split(
    target: DiffusionTarget,
    noisy: Tensor,
    told: Tensor,
    steps: Tensor | number,
  ): { readonly clean: Tensor; readonly noise: Tensor } {
    oneOf('NoiseSchedule: target', target, ['noise', 'clean', 'velocity'])
    const { signal, noise: share } = this.#shares(steps, noisy)
    if (target === 'noise') return { clean: noisy.sub(told.mul(share)).div(signal), noise: told }
    if (target === 'clean') return { clean: told, noise: noisy.sub(told.mul(signal)).div(share) }
    return { clean: noisy.mul(signal).sub(told.mul(share)), noise: told.mul(signal).add(noisy.mul(share)) }
  }

  /**
   * Draws a step and noise for each image, as training takes them.
   *
   * @param clean `[N, …]`
   */
  example(
    clean: Tensor,
    { target = 'noise', generator }: { readonly target?: DiffusionTarget; readonly generator?: Generator } = {},
  ): DiffusionExample {
    const { device, dtype } = clean
    const steps = randint(0, this.steps, [clean.size(0)], { dtype: 'int64', device, generator })
    const noise = randn([...clean.shape], { device, dtype, generator })
    return {
      noisy: this.addNoise(clean, noise, steps),
      noise,
      steps,
      target: this.targetOf(target, clean, noise, steps),
    }
  }

  /** √ᾱ and √(1 − ᾱ), one for all or one for each image of `like`. */
  #shares(steps: Tensor | number, like: Tensor): { readonly signal: Tensor | number; readonly noise: Tensor | number } {
    if (typeof steps === 'number') {
      const alpha = this.alphaCumprod(steps)
      return { signal: Math.sqrt(alpha), noise: Math.sqrt(1 - alpha) }
    }
    const each = (values: readonly number[]) =>
      tensor(Float64Array.from(values), { device: like.device })
        .to(like.dtype)
        .indexSelect(0, steps)
        .reshape([-1, ...like.shape.slice(1).map(() => 1)])
    return {
      signal: each(this.alphasCumprod.map(Math.sqrt)),
      noise: each(this.alphasCumprod.map((alpha) => Math.sqrt(1 - alpha))),
    }
  }
}

function rootBetas(steps: number, first: number, last: number, growth: 'linear' | 'quadratic'): number[] {
  const power = growth === 'linear' ? 1 : 2
  const [from, to] = [first ** (1 / power), last ** (1 / power)]
  return Array.from({ length: steps }, (_, i) => (from + (to - from) * (steps === 1 ? 0 : i / (steps - 1))) ** power)
}

function cosineBetas(steps: number): number[] {
  const signal = (time: number) => Math.cos((((time + 0.008) / 1.008) * Math.PI) / 2) ** 2
  return Array.from({ length: steps }, (_, i) => Math.min(1 - signal((i + 1) / steps) / signal(i / steps), 0.999))
}
