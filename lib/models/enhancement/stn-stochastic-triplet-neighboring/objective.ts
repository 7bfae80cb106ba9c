// What a step minimises: the paper's objective, and those of the methods it is compared with.
import { noGrad, randnLike, type Tensor } from '../../../tensor'
import type { StepOutput } from '../../../train'
import type { Config } from './config'
import { stnLoss } from './loss'
import type { DenoisingUNet } from './model'
import { stnTarget } from './target'

/** A batch of noisy pictures. */
export interface DenoisingBatch {
  /** `[B, C, H, W]`, sides multiples of 64. */
  readonly noisy: Tensor
  /** Clean pictures (n2c) or others of the same with noise of their own (n2n). */
  readonly target?: Tensor
  /** Number of the step, 0-dimensional int64: the neighbours and weights are drawn by it. */
  readonly iteration: Tensor
  /** γ, 0-dimensional. */
  readonly weight: Tensor
}

/** Whether a method learns from a second picture of each scene. */
export const needsTarget = (method: Config['method']): boolean => method === 'n2n' || method === 'n2c'

/** The objective of a config's method, as `Trainer` takes it. */
export function objectiveOf(model: DenoisingUNet, config: Config): (batch: DenoisingBatch) => StepOutput {
  const { method, mixing, training } = config
  const sigma = config.noise.sigma / 255
  const fit = (input: Tensor, wanted: Tensor): StepOutput => {
    const output = model.forward(input)
    return { loss: output.sub(wanted).square().mean(), contrast: contrastOf(output, input, wanted) }
  }
  switch (method) {
    case 'n2n':
    case 'n2c':
      return ({ noisy, target = noisy }) => fit(noisy, target)
    case 'nr2n':
      return ({ noisy }) => fit(noisy.add(randnLike(noisy).mul(sigma)), noisy)
    case 'r2r':
      return ({ noisy }) => {
        const more = randnLike(noisy).mul(sigma)
        return fit(noisy.add(more.div(2)), noisy.sub(more.mul(2)))
      }
    default:
      return ({ noisy, iteration, weight }) => {
        const denoised = noGrad(() => model.forward(noisy))
        // Neighbor2Neighbor is the method with a weight that is always 1: the third neighbour does not count.
        const range = method === 'nb2nb' ? { low: 1, high: 1 } : mixing
        const { first, second, mixed, gap } = stnTarget(noisy, denoised, range, { seed: training.seed, iteration })
        const output = model.forward(first)
        return { ...stnLoss(output, mixed, gap, weight), contrast: contrastOf(output, first, second) }
      }
  }
}

/** Variance of the output beside that of the clean picture, which two pictures of independent noise have in common. */
function contrastOf(output: Tensor, input: Tensor, other: Tensor): Tensor {
  return noGrad(() => {
    const common = input.sub(input.mean()).mul(other.sub(other.mean())).mean()
    return output
      .sub(output.mean())
      .square()
      .mean()
      .div(common.clamp({ min: 1e-9 }))
  })
}
