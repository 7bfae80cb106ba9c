// Which of an image's true boxes each candidate is to predict.
import { ArgumentError, ShapeError } from '../../native/errors'
import { full, nonzero, randperm, scalarTensor, where, zeros } from '../../tensor'
import { tidy } from '../../tensor/scope'
import type { Tensor } from '../../tensor/tensor'

/** Stands for a candidate that matches no true box: background. */
export const NO_MATCH = -1
/** Stands for a candidate between the thresholds, which training leaves out. */
export const BETWEEN_MATCH = -2

/**
 * Gives each candidate the true box that it overlaps most, by two thresholds (Ren et al., NeurIPS 2015, section 3.1.2),
 * as torchvision's `Matcher`.
 */
export class Matcher {
  /**
   * @param high a match from this quality on
   * @param low background below it
   * @param allowLowQualityMatches gives each true box its best candidates, however low their quality
   * @throws ArgumentError when `low` is above `high`
   */
  constructor(
    readonly high: number,
    readonly low: number,
    readonly allowLowQualityMatches = false,
  ) {
    if (!(low <= high)) throw new ArgumentError(`Matcher: low is ${low}, high ${high}; low must not be above high`)
  }

  /**
   * @param quality `[true boxes, candidates]`, such as IoU
   * @returns `[candidates]` int64: the place of the true box, −1 (background) or −2 (between the thresholds)
   * @throws ShapeError
   */
  match(quality: Tensor): Tensor {
    const [truths, candidates] = checkQuality('Matcher', quality)
    if (truths === 0 || candidates === 0) {
      return full([candidates], NO_MATCH, { dtype: 'int64', device: quality.device })
    }
    return tidy(() => {
      const [best, places] = quality.max(0)
      const between = where(best.lt(this.low), fixed(NO_MATCH, quality), fixed(BETWEEN_MATCH, quality))
      const matches = where(best.ge(this.high), places, between)
      if (!this.allowLowQualityMatches) return matches
      const rescued = quality.eq(quality.amax({ dim: 1, keepdim: true })).any(0)
      return where(rescued, places, matches)
    })
  }
}

/** Gives each true box its best candidate, and others by a threshold (Liu et al., ECCV 2016, section 2.2). */
export class SSDMatcher {
  readonly #matcher: Matcher

  constructor(readonly threshold: number) {
    this.#matcher = new Matcher(threshold, threshold)
  }

  /** As `Matcher.match`. Of two true boxes with the same best candidate the last has it. */
  match(quality: Tensor): Tensor {
    const [truths, candidates] = checkQuality('SSDMatcher', quality)
    if (truths === 0 || candidates === 0) return this.#matcher.match(quality)
    return tidy(() => {
      const [, best] = quality.max(1)
      const matches = this.#matcher.match(quality)
      // Written in order, so that which of two comes last does not depend on the device.
      for (const [truth, candidate] of (best.toArray() as number[]).entries()) matches.setAt([candidate], truth)
      return matches
    })
  }
}

function fixed(value: number, like: Tensor): Tensor {
  return scalarTensor(value, { dtype: 'int64', device: like.device })
}

function checkQuality(caller: string, { shape }: Tensor): [number, number] {
  const [truths, candidates] = shape
  if (shape.length === 2 && truths !== undefined && candidates !== undefined) return [truths, candidates]
  throw new ShapeError(`${caller}: quality is [true boxes, candidates], got [${shape.join(', ')}]`)
}

export interface SampledCandidates {
  /** `[candidates]` bool. */
  readonly positive: Tensor
  readonly negative: Tensor
}

/** Draws candidates of an image, a share of them positive as far as there are, as torchvision's `BalancedPositiveNegativeSampler`. */
export class BalancedSampler {
  /**
   * @param perImage how many are drawn
   * @param positiveFraction the most of them that are positive
   * @throws ArgumentError when out of range
   */
  constructor(
    readonly perImage: number,
    readonly positiveFraction: number,
  ) {
    if (!Number.isInteger(perImage) || perImage < 1 || !(positiveFraction >= 0 && positiveFraction <= 1)) {
      throw new ArgumentError(
        `BalancedSampler: ${perImage} an image, ${positiveFraction} of them positive; give 1 or more, and 0 to 1`,
      )
    }
  }

  /** @param labels `[candidates]`: positive from 1 on, negative at 0, left out below; draws from the default generator */
  sample(labels: Tensor): SampledCandidates {
    return tidy(() => {
      const [positives, negatives] = [nonzero(labels.ge(1)).squeeze(1), nonzero(labels.eq(0)).squeeze(1)]
      const positive = Math.min(positives.size(0), Math.floor(this.perImage * this.positiveFraction))
      const negative = Math.min(negatives.size(0), this.perImage - positive)
      return { positive: drawn(labels, positives, positive), negative: drawn(labels, negatives, negative) }
    })
  }
}

/** True at `count` of the places, chosen at random. */
function drawn(labels: Tensor, places: Tensor, count: number): Tensor {
  const order = randperm(places.size(0), { device: labels.device }).narrow(0, 0, count)
  const mask = zeros([...labels.shape], { dtype: 'bool', device: labels.device })
  return mask.indexFill(0, places.indexSelect(0, order), 1)
}

/**
 * FCOS's assignment (Tian et al., ICCV 2019): a place belongs to the smallest true box whose centre is within
 * `centreRadius` strides of it, that it lies in, and whose furthest side is in the range of its map: 4 to 8 strides, without
 * an end for the first and the last map.
 *
 * @param anchors `[N, 4]` squares of one stride around the places, of all maps in order
 * @param perMap how many of them each map has
 * @param boxes `[M, 4]` true boxes
 * @returns `[N]` int64: the place of the true box or −1
 * @throws ShapeError when `perMap` does not add up to N
 */
export function fcosAssign(anchors: Tensor, perMap: readonly number[], boxes: Tensor, centreRadius = 1.5): Tensor {
  const count = anchors.size(0)
  if (perMap.reduce((sum, each) => sum + each, 0) !== count) {
    throw new ShapeError(`fcosAssign: the maps have ${perMap.join(' + ')} anchors, there are ${count}`)
  }
  if (boxes.size(0) === 0) return full([count], NO_MATCH, { dtype: 'int64', device: anchors.device })
  return tidy(() => {
    const { x, y, width: size } = middles(anchors)
    const truth = middles(boxes)
    const [x1, y1, x2, y2] = boxes.unbind({ dim: 1 }) as [Tensor, Tensor, Tensor, Tensor]
    const [px, py, stride] = [x.unsqueeze(1), y.unsqueeze(1), size.unsqueeze(1)]
    const offset = px.sub(truth.x).abs().maximum(py.sub(truth.y).abs())
    const sides = [px.sub(x1), py.sub(y1), x2.sub(px), y2.sub(py)] as const
    const nearest = sides[0].minimum(sides[1]).minimum(sides[2].minimum(sides[3]))
    const furthest = sides[0].maximum(sides[1]).maximum(sides[2].maximum(sides[3]))
    const lower = size.mul(4)
    const upper = size.mul(8)
    lower.narrow(0, 0, perMap[0] ?? 0).fill_(0)
    const last = perMap.at(-1) ?? 0
    upper.narrow(0, count - last, last).fill_(Number.POSITIVE_INFINITY)
    const fits = offset
      .lt(stride.mul(centreRadius))
      .logicalAnd(nearest.gt(0))
      .logicalAnd(furthest.gt(lower.unsqueeze(1)))
      .logicalAnd(furthest.lt(upper.unsqueeze(1)))
    const areas = where(fits, truth.width.mul(truth.height), fixedLike(Number.POSITIVE_INFINITY, boxes))
    const [smallest, places] = areas.min(1)
    return where(smallest.isinf(), fixed(NO_MATCH, anchors), places)
  })
}

/**
 * ATSS's assignment (Zhang et al., CVPR 2020, algorithm 1): candidates of a true box are the `topk` anchors of each map
 * nearest its centre; positive are those whose IoU is at least the mean plus the standard deviation of the candidates', and
 * whose centre lies in the box. An anchor that fits several has the one it overlaps most.
 *
 * @param overlaps `[M, N]` IoU of true boxes with anchors, as `boxIou`
 * @param anchors `[N, 4]` of all maps in order
 * @param perMap how many of them each map has
 * @param boxes `[M, 4]` true boxes
 * @returns `[N]` int64: the place of the true box or −1
 * @throws ShapeError
 */
export function atssAssign(
  overlaps: Tensor,
  anchors: Tensor,
  perMap: readonly number[],
  boxes: Tensor,
  topk = 9,
): Tensor {
  const [truths, count] = checkQuality('atssAssign', overlaps)
  if (count !== anchors.size(0) || truths !== boxes.size(0) || perMap.reduce((sum, each) => sum + each, 0) !== count) {
    throw new ShapeError(
      `atssAssign: overlaps [${truths}, ${count}] of ${boxes.size(0)} boxes with ${anchors.size(0)} anchors of maps with ` +
        `${perMap.join(' + ')}; the numbers must agree`,
    )
  }
  if (truths === 0 || count === 0) return full([count], NO_MATCH, { dtype: 'int64', device: anchors.device })
  return tidy(() => {
    const { x, y } = middles(anchors)
    const truth = middles(boxes)
    const distance = truth.x.unsqueeze(1).sub(x).square().add(truth.y.unsqueeze(1).sub(y).square()).sqrt()
    const candidate = zeros([truths, count], { dtype: 'bool', device: anchors.device })
    let first = 0
    for (const size of perMap) {
      const [, near] = distance.narrow(1, first, size).topk(Math.min(topk, size), { dim: 1, largest: false })
      candidate.scatter_(1, near.add(first), 1)
      first += size
    }
    const chosen = candidate.sum({ dim: [1], keepdim: true })
    const own = overlaps.mul(candidate)
    const mean = own.sum({ dim: [1], keepdim: true }).div(chosen)
    const deviation = overlaps
      .sub(mean)
      .mul(candidate)
      .square()
      .sum({ dim: [1], keepdim: true })
      .div(chosen.sub(1))
      .sqrt()
    const [x1, y1, x2, y2] = boxes.unsqueeze(1).unbind({ dim: 2 }) as [Tensor, Tensor, Tensor, Tensor]
    const inside = x.gt(x1).logicalAnd(x.lt(x2)).logicalAnd(y.gt(y1)).logicalAnd(y.lt(y2))
    const fits = candidate.logicalAnd(overlaps.ge(mean.add(deviation))).logicalAnd(inside)
    const [best, places] = where(fits, overlaps, fixedLike(-1, overlaps)).max(0)
    return where(best.ge(0), places, fixed(NO_MATCH, anchors))
  })
}

function fixedLike(value: number, like: Tensor): Tensor {
  return scalarTensor(value, { dtype: like.dtype, device: like.device })
}

function middles(boxes: Tensor): { x: Tensor; y: Tensor; width: Tensor; height: Tensor } {
  const [x1, y1, x2, y2] = boxes.unbind({ dim: 1 }) as [Tensor, Tensor, Tensor, Tensor]
  return { x: x1.add(x2).div(2), y: y1.add(y2).div(2), width: x2.sub(x1), height: y2.sub(y1) }
}
