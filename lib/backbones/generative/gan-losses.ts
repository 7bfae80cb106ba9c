// What adversarial networks are trained with: losses of both sides, and penalties that take gradients of gradients.
import { ArgumentError, ShapeError } from '../../native/errors'
import { oneOf } from '../../nn/options'
import { type Generator, grad, randn, softplus, type Tensor } from '../../tensor'

/**
 * The logistic loss in its non-saturating form (Goodfellow et al. 2014), the hinge (Lim and Ye 2017), or squares (Mao et
 * al. 2017).
 */
export type GanLoss = 'nonSaturating' | 'hinge' | 'leastSquares'

/** The logits of a discriminator, or of one for each scale; of a scale that gives all its maps the last are the logits. */
export type GanLogits = Tensor | readonly (Tensor | readonly Tensor[])[]

const KINDS: readonly GanLoss[] = ['nonSaturating', 'hinge', 'leastSquares']

/** What the discriminator makes small, averaged over scales. `[…]`, `[…]` → a scalar. */
export function discriminatorLoss(kind: GanLoss, real: GanLogits, fake: GanLogits): Tensor {
  oneOf('discriminatorLoss: kind', kind, KINDS)
  const sides: Readonly<Record<GanLoss, (logits: Tensor, isReal: boolean) => Tensor>> = {
    nonSaturating: (logits, isReal) => softplus(isReal ? logits.neg() : logits).mean(),
    hinge: (logits, isReal) => (isReal ? logits.neg() : logits).add(1).relu().mean(),
    // Half of both sides, so that a discriminator that knows nothing has the loss 1/4 on each.
    leastSquares: (logits, isReal) => (isReal ? logits.sub(1) : logits).square().mean().mul(0.5),
  }
  const side = sides[kind]
  return overScales(real, (logits) => side(logits, true)).add(overScales(fake, (logits) => side(logits, false)))
}

/** What the generator makes small, averaged over scales. `[…]` → a scalar. */
export function generatorLoss(kind: GanLoss, fake: GanLogits): Tensor {
  oneOf('generatorLoss: kind', kind, KINDS)
  return overScales(fake, (logits) => {
    if (kind === 'hinge') return logits.mean().neg()
    if (kind === 'leastSquares') return logits.sub(1).square().mean().mul(0.5)
    return softplus(logits.neg()).mean()
  })
}

function overScales(logits: GanLogits, loss: (logits: Tensor) => Tensor): Tensor {
  const scales = (Array.isArray(logits) ? logits : [logits]) as readonly (Tensor | readonly Tensor[])[]
  const losses = scales.map((scale) => loss((Array.isArray(scale) ? scale.at(-1) : scale) as Tensor))
  const [first, ...others] = losses
  if (first === undefined) throw new ArgumentError('GAN loss: there are no logits; give those of one scale or more')
  return others.reduce((sum, each) => sum.add(each), first).div(losses.length)
}

/**
 * R1: the squared size of the discriminator's gradient at real images (Mescheder et al. 2018), averaged over images; it is
 * weighted by γ/2. A part of the discriminator's loss: its backward pass is of second order.
 *
 * @param discriminate gives logits, for each image its own
 * @param real `[N, …]`
 * @returns the mean of `‖∇D(x)‖²`, and the logits, of which the rest of the loss can be computed
 */
export function r1Penalty(
  discriminate: (images: Tensor) => Tensor,
  real: Tensor,
): { readonly penalty: Tensor; readonly logits: Tensor } {
  const images = real.detach().requiresGrad_()
  const logits = discriminate(images)
  const [gradient] = grad(logits.sum(), images, { createGraph: true }) as [Tensor]
  return {
    penalty: gradient
      .square()
      .flatten({ startDim: 1 })
      .sum({ dim: [1] })
      .mean(),
    logits,
  }
}

/** Where the average length of paths stands, and what this batch adds to the generator's loss. */
export interface PathLength {
  /** Mean squared difference of the lengths from their average. */
  readonly penalty: Tensor
  /** The average for the next batch, without gradients. */
  readonly average: Tensor
  /** `[N]`. */
  readonly lengths: Tensor
}

/**
 * Regularisation of path lengths (Karras et al., CVPR 2020, section 3.2): a step of w of fixed size should change images by
 * a fixed size. A part of the generator's loss: its backward pass is of second order.
 *
 * @param images `[N, C, H, W]`, painted from `ws`
 * @param ws `[N, layers, wDim]`, on which `images` depend
 * @param average what `pathLengthPenalty` gave before; a scalar 0 at first
 * @throws ShapeError when images and vectors are not of one batch
 */
export function pathLengthPenalty(
  images: Tensor,
  ws: Tensor,
  average: Tensor,
  { decay = 0.01, generator }: { readonly decay?: number; readonly generator?: Generator } = {},
): PathLength {
  if (images.ndim !== 4 || ws.ndim !== 3 || images.size(0) !== ws.size(0)) {
    throw new ShapeError(
      `pathLengthPenalty: images [${images.shape}] and ws [${ws.shape}]; they must be [N, C, H, W] and [N, layers, wDim]`,
    )
  }
  const { device, dtype } = images
  const noise = randn([...images.shape], { device, dtype, generator }).div(Math.sqrt(images.size(2) * images.size(3)))
  const [gradient] = grad(images.mul(noise).sum(), ws, { createGraph: true }) as [Tensor]
  const lengths = gradient
    .square()
    .sum({ dim: [2] })
    .mean({ dim: [1] })
    .sqrt()
  const moved = average.lerp(lengths.mean(), decay)
  return { penalty: lengths.sub(moved).square().mean(), average: moved.detach(), lengths }
}

/**
 * Mean absolute difference of a discriminator's maps for real and painted images (Wang et al., CVPR 2018), summed over
 * layers and averaged over scales. No gradient reaches the maps of real images.
 *
 * @param options `last: true` compares the logits too
 * @throws ArgumentError when the scales or layers are not as many
 */
export function featureMatchingLoss(
  real: readonly (readonly Tensor[])[],
  fake: readonly (readonly Tensor[])[],
  { last = false }: { readonly last?: boolean } = {},
): Tensor {
  const pairs = real.flatMap((maps, scale) => {
    const others = fake[scale] ?? []
    if (real.length !== fake.length || maps.length !== others.length) {
      throw new ArgumentError(
        `featureMatchingLoss: ${real.length} scales of real images and ${fake.length} of others, ${maps.length} and ${others.length} maps in one; they must be as many`,
      )
    }
    return maps.slice(0, last ? undefined : -1).map((map, i) => [map, others[i] as Tensor] as const)
  })
  const [first, ...others] = pairs.map(([wanted, map]) => map.sub(wanted.detach()).abs().mean())
  if (first === undefined)
    throw new ArgumentError('featureMatchingLoss: there are no maps; give those of one scale or more')
  return others.reduce((sum, each) => sum.add(each), first).div(real.length)
}
