// The keypoint branch of Mask R-CNN (He et al., ICCV 2017, section 5).
import { Conv2d, ConvTranspose2d, init, type Layer, Module, ReLU, Sequential } from '../../nn'
import { crossEntropy, interpolate } from '../../nn/functional'
import { arange, cat, nonzero, onesLike, scalarTensor, stack, type Tensor, zeros } from '../../tensor'
import type { DetectionTarget } from './types'

/** Convolutions of the regions. */
export class KeypointRCNNHeads extends Sequential {
  constructor(inChannels: number, layers: readonly number[]) {
    super(
      ...layers.flatMap((channels, i): Layer[] => {
        const conv = new Conv2d(layers[i - 1] ?? inChannels, channels, 3, { padding: 1 })
        reset(conv)
        return [conv, new ReLU({ inplace: true })]
      }),
    )
  }
}

/** A heat map for each keypoint, four times the size of the regions. */
export class KeypointRCNNPredictor extends Module {
  readonly kpsScoreLowres: ConvTranspose2d

  constructor(inChannels: number, numKeypoints: number) {
    super()
    this.kpsScoreLowres = new ConvTranspose2d(inChannels, numKeypoints, 4, { stride: 2, padding: 1 })
    reset(this.kpsScoreLowres)
  }

  forward(input: Tensor): Tensor {
    return interpolate(this.kpsScoreLowres.forward(input), { scaleFactor: 2, mode: 'bilinear' })
  }
}

function reset({ weight, bias }: Conv2d | ConvTranspose2d): void {
  init.kaimingNormal_(weight, { mode: 'fanOut', nonlinearity: 'relu' })
  if (bias) init.zeros_(bias)
}

/** Cross entropy over the places of the heat maps, of keypoints that are visible and in their proposal. */
export function keypointLoss(
  logits: Tensor,
  proposals: readonly Tensor[],
  targets: readonly DetectionTarget[],
  matches: readonly Tensor[],
): Tensor {
  const side = logits.size(-1)
  const truths = targets.map(({ keypoints }, i) =>
    placesOf((keypoints as Tensor).indexSelect(0, matches[i] as Tensor), proposals[i] as Tensor, side),
  )
  const places = cat(truths.map((truth) => truth.places.flatten()))
  const valid = nonzero(cat(truths.map((truth) => truth.valid.flatten()))).squeeze(1)
  if (valid.size(0) === 0) return logits.sum().mul(0)
  const flat = logits.reshape([-1, side * side])
  return crossEntropy(flat.indexSelect(0, valid), places.indexSelect(0, valid))
}

/** Where keypoints `[P, K, 3]` lie on the heat maps of proposals `[P, 4]`, and which do at all. */
function placesOf(keypoints: Tensor, proposals: Tensor, side: number): { places: Tensor; valid: Tensor } {
  const [x1, y1, x2, y2] = proposals.unsqueeze(1).unbind({ dim: 2 }) as [Tensor, Tensor, Tensor, Tensor]
  const [x, y, visible] = keypoints.unbind({ dim: 2 }) as [Tensor, Tensor, Tensor]
  const column = bin(x, x1, x2, side)
  const row = bin(y, y1, y2, side)
  const inside = [column, row].map((place) => place.ge(0).logicalAnd(place.lt(side))) as [Tensor, Tensor]
  const valid = inside[0].logicalAnd(inside[1]).logicalAnd(visible.gt(0))
  return { places: row.mul(side).add(column).mul(valid), valid }
}

/** The bin of a coordinate; the far edge belongs to the last one. */
function bin(value: Tensor, from: Tensor, to: Tensor, side: number): Tensor {
  const places = value
    .sub(from)
    .mul(scalarTensor(side, { dtype: to.dtype, device: to.device }).div(to.sub(from)))
    .floor()
    .to('int64')
  return places.maskedFill(value.eq(to), side - 1)
}

export interface FoundKeypoints {
  /** `[D, K, 3]` as (x, y, 1). */
  readonly keypoints: Tensor
  /** `[D, K]` values of the heat maps there. */
  readonly keypointsScores: Tensor
}

/**
 * The highest place of each heat map, in pixels of the image: maps are resized to their box by cubic interpolation.
 *
 * @param maps `[D, K, S, S]`
 * @param boxes `[D, 4]`
 */
export function keypointsOf(maps: Tensor, boxes: Tensor): FoundKeypoints {
  const [count, keypoints] = [maps.size(0), maps.size(1)]
  if (count === 0) {
    const { device } = maps
    return { keypoints: zeros([0, keypoints, 3], { device }), keypointsScores: zeros([0, keypoints], { device }) }
  }
  const found = maps.unbind().map((own, i) => peaks(own, boxes.at(i)))
  return {
    keypoints: stack(found.map((each) => each.keypoints)),
    keypointsScores: stack(found.map((each) => each.keypointsScores)),
  }
}

function peaks(maps: Tensor, box: Tensor): FoundKeypoints {
  const [x1, y1, x2, y2] = box.unbind() as [Tensor, Tensor, Tensor, Tensor]
  const [width, height] = [x2.sub(x1).clamp({ min: 1 }), y2.sub(y1).clamp({ min: 1 })]
  const [columns, rows] = [Math.ceil(width.toNumber()), Math.ceil(height.toNumber())]
  const resized = interpolate(maps.unsqueeze(1), { size: [rows, columns], mode: 'bicubic' }).flatten({ startDim: 1 })
  const places = resized.argmax({ dim: 1 })
  const x = places.remainder(columns).to('float32').add(0.5).mul(width.div(columns)).add(x1)
  const y = places.floorDivide(columns).to('float32').add(0.5).mul(height.div(rows)).add(y1)
  const all = arange(maps.size(0), { dtype: 'int64', device: maps.device })
  return { keypoints: stack([x, y, onesLike(x)], { dim: 1 }), keypointsScores: resized.at(all, places) }
}
