// What the network is to say, from numbered objects: inside, at the edge, together with the neighbour before.
import { functional as F } from '../../../nn'
import { cat, type Tensor, tidy, where } from '../../../tensor'
import { type Representation, TARGETS } from './model'

/** Largest number in a square window of each slice. Beyond the edge a slice mirrors, which adds no number to a window. */
function largestNear(values: Tensor, half: number): Tensor {
  const planes = values.to('float32').unsqueeze(1)
  return F.maxPool2d(planes, 2 * half + 1, { stride: 1, padding: half }).squeeze(1)
}

function smallestNear(values: Tensor, half: number): Tensor {
  return largestNear(values.to('float32').neg(), half).neg()
}

/** The numbers, with background above all of them. */
function backgroundLast(labels: Tensor): Tensor {
  return where(labels.gt(0), labels.to('float32'), labels.amax().to('float32').add(1))
}

/**
 * Objects without the places at which two of them meet in a slice: where a square window holds two numbers above 0.
 *
 * @param labels `[D, H, W]` whole numbers
 * @param half of the window's side; 1, a window of 3 × 3, in the paper
 */
export function erodeContacts(labels: Tensor, half = 1): Tensor {
  if (half === 0) return labels
  return tidy(() => {
    const meet = smallestNear(backgroundLast(labels), half).lt(largestNear(labels, half))
    return labels.maskedFill(meet, 0)
  })
}

/** 1 inside of objects: `[1, D, H, W]` float32. */
export function maskTarget(labels: Tensor): Tensor {
  return labels.gt(0).to('float32').unsqueeze(0)
}

export interface ContourOptions {
  /** Of the window's side; 2, a window of 5 × 5, unless stated. */
  readonly half?: number
  /** Whether the border to the background is a contour too; true unless stated. */
  readonly background?: boolean
}

/** 1 where the window in the slice holds more than one number, one of them above 0: `[1, D, H, W]` float32. */
export function contourTarget(labels: Tensor, { half = 2, background = true }: ContourOptions = {}): Tensor {
  return tidy(() => {
    const lowest = smallestNear(background ? labels : backgroundLast(labels), half)
    return lowest.lt(largestNear(labels, half)).to('float32').unsqueeze(0)
  })
}

/**
 * 1 where a place and the one before it along z, y or x are of one object; at the first place of an axis, where it is of
 * an object at all: `[3, D, H, W]` float32.
 */
export function affinityTarget(labels: Tensor): Tensor {
  return tidy(() => {
    const inside = labels.gt(0)
    const maps = [0, 1, 2].map((dim) => {
      const count = labels.size(dim) - 1
      const joined = labels
        .narrow(dim, 1, count)
        .eq(labels.narrow(dim, 0, count))
        .logicalAnd(inside.narrow(dim, 1, count))
      return cat([inside.narrow(dim, 0, 1), joined], { dim })
    })
    return cat(
      maps.map((map) => map.to('float32').unsqueeze(0)),
      { dim: 0 },
    )
  })
}

/** All targets of a representation, `[C, D, H, W]` float32 of 0 and 1. */
export function emTargets(labels: Tensor, representation: Representation, contour: ContourOptions = {}): Tensor {
  return tidy(() =>
    cat(
      TARGETS[representation].map((target) => {
        if (target === 'mask') return maskTarget(labels)
        return target === 'contour' ? contourTarget(labels, contour) : affinityTarget(labels)
      }),
    ),
  )
}
