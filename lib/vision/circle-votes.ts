import { ArgumentError, ShapeError } from '../native/errors'
import { arange, stack, type Tensor, tidy, zeros } from '../tensor'

export interface CircleVoteOptions {
  /** In pixels. */
  readonly radii: readonly number[]
  /** What each pixel's vote counts, `[H, W]`, or `[K, H, W]` for K counts; the length of its gradient unless stated. */
  readonly weight?: Tensor
}

/**
 * Votes of edges for the circles they may be on (Hough transform with gradients; Kimme, Ballard, Sklansky 1975): a pixel
 * votes for the place a radius away against its gradient, the middle of a circle that is darker within.
 *
 * @param down gradient along y, `[H, W]` floating point; negate both for circles that are brighter within
 * @param across gradient along x, of the same shape
 * @returns `[R, H, W]`, or `[K, R, H, W]`: sums of votes for a circle of each radius about each pixel; divided by 2πr
 *   they are its mean contrast
 * @throws ShapeError unless both are `[H, W]` and weights go with them; ArgumentError for radii that are not above 0
 */
export function circleVotes(down: Tensor, across: Tensor, { radii, weight }: CircleVoteOptions): Tensor {
  if (down.ndim !== 2 || `${down.shape}` !== `${across.shape}`) {
    throw new ShapeError(`circleVotes: gradients are [${down.shape}] and [${across.shape}]; both must be [H, W]`)
  }
  const wrong = radii.find((radius) => !(radius > 0 && Number.isFinite(radius)))
  if (radii.length === 0 || wrong !== undefined) {
    throw new ArgumentError(`circleVotes: radii are [${radii.join(', ')}]; they are numbers above 0, at least one`)
  }
  const [height = 0, width = 0] = down.shape
  if (weight !== undefined && (weight.ndim > 3 || `${weight.shape.slice(-2)}` !== `${down.shape}`)) {
    throw new ShapeError(`circleVotes: weights are [${weight.shape}]; they go with gradients of [${down.shape}]`)
  }
  return tidy(() => {
    const { device, dtype } = down
    const length = down.square().add(across.square()).sqrt()
    const votes = (weight ?? length).reshape([-1, height * width])
    const unit = length.clampMin(1e-12)
    const y = arange(height, { dtype, device }).unsqueeze(1)
    const x = arange(width, { dtype, device }).unsqueeze(0)
    const [stepY, stepX] = [down.div(unit), across.div(unit)]
    const planes = radii.map((radius) =>
      tidy(() => {
        const row = y.sub(stepY.mul(radius)).round()
        const column = x.sub(stepX.mul(radius)).round()
        const inside = row.ge(0).logicalAnd(row.lt(height)).logicalAnd(column.ge(0)).logicalAnd(column.lt(width))
        const place = row.mul(width).add(column).where(inside, 0).to('int64').reshape([-1])
        const counted = votes.mul(inside.to(dtype).reshape([-1]))
        return zeros(votes.shape, { dtype, device }).scatterAdd(1, place.expand(votes.shape), counted)
      }),
    )
    const kinds = weight?.ndim === 3 ? [votes.size(0)] : []
    return stack(planes, { dim: 1 }).reshape([...kinds, radii.length, height, width])
  })
}
