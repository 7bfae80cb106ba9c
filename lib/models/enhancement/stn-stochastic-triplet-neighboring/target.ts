// Algorithm 1: three neighbours of each cell, two of them mixed at random into what the first is to become.
import { noGrad, ones, stack, type Tensor, tidy } from '../../../tensor'
import {
  type CounterRandomOptions,
  counterRandom,
  drawNeighbourPatterns,
  neighbourTriplet,
  uniformOf,
} from '../../../vision'

/** The range of the mixing weight, uniform and its own for each element. */
export interface Mixing {
  readonly low: number
  readonly high: number
  /** One weight for all channels of a cell. */
  readonly shared?: boolean | undefined
}

/**
 * Mixing weights α for the cells of sub-images.
 *
 * @returns `[B, C, h, w]` float32 in [low, high)
 */
export function drawMixing(
  [batch, channels, rows, columns]: readonly [number, number, number, number],
  { low, high, shared = false }: Mixing,
  options: CounterRandomOptions,
): Tensor<'float32'> {
  return tidy(() => {
    const cells = [batch, rows, columns]
    if (low === high)
      return ones([batch, channels, rows, columns], { device: options.device ?? 'cpu' }).mul(low) as Tensor<'float32'>
    const groups = Array.from({ length: shared ? 1 : Math.ceil(channels / 3) }, (_, group) =>
      counterRandom(cells, options, group),
    )
    // Word 0 of each cell chooses its pattern; three are left for its channels.
    const of = (channel: number) => uniformOf(groups[Math.floor(channel / 3)]?.[1 + (channel % 3)] as Tensor<'int64'>)
    const uniform = Array.from({ length: channels }, (_, channel) => of(shared ? 0 : channel))
    return stack(uniform, { dim: 1 })
      .mul(high - low)
      .add(low) as Tensor<'float32'>
  })
}

/** `α · second + (1 − α) · third` (Eq. 5), products rounded before they are added. */
export function mixNeighbours(second: Tensor, third: Tensor, alpha: Tensor): Tensor {
  return alpha.mul(second).add(alpha.neg().add(1).mul(third))
}

/** What a step learns from. */
export interface StnTarget {
  /** First neighbours of the noisy pictures: the network's input, `[B, C, ⌊H / 2⌋, ⌊W / 2⌋]`. */
  readonly first: Tensor
  /** Their second neighbours. */
  readonly second: Tensor
  /** Second and third neighbours mixed: what the network is to make of the first. */
  readonly mixed: Tensor
  /** How much the denoised neighbours differ, r1 − sm′: what the input's mistake is expected to be. */
  readonly gap: Tensor
}

/**
 * Cuts noisy pictures and the network's current results for them alike (Eqs. 5 and 7): patterns and mixing weights are
 * those of the seed and the step. Nothing is recorded for `backward()`.
 *
 * @param noisy `[B, C, H, W]`
 * @param denoised of the same shape
 */
export function stnTarget(noisy: Tensor, denoised: Tensor, mixing: Mixing, options: CounterRandomOptions): StnTarget {
  const [batch = 0, channels = 0, height = 0, width = 0] = noisy.shape
  return noGrad(() =>
    tidy(() => {
      const random = { ...options, device: noisy.device }
      const patterns = drawNeighbourPatterns(batch, height, width, random)
      const cells = [batch, channels, Math.floor(height / 2), Math.floor(width / 2)] as const
      const alpha = drawMixing(cells, mixing, random).to(noisy.dtype)
      const [first, second, third] = neighbourTriplet(noisy, patterns)
      const [r1, r2, r3] = neighbourTriplet(denoised, patterns)
      return { first, second, mixed: mixNeighbours(second, third, alpha), gap: r1.sub(mixNeighbours(r2, r3, alpha)) }
    }),
  )
}
