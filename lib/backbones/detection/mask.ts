// The mask branch of Mask R-CNN (He et al., ICCV 2017).
import { Conv2d, ConvTranspose2d, init, Module, ReLU, Sequential } from '../../nn'
import { binaryCrossEntropyWithLogits, interpolate } from '../../nn/functional'
import { roiAlign } from '../../ops'
import { arange, cat, pad, stack, type Tensor, zeros } from '../../tensor'
import type { ImageSize } from '../../vision'
import type { DetectionTarget } from './types'

/** Convolutions of the regions. */
export class MaskRCNNHeads extends Sequential {
  constructor(inChannels: number, layers: readonly number[]) {
    super(
      ...layers.map((channels, i) => {
        const conv = new Conv2d(layers[i - 1] ?? inChannels, channels, 3, { padding: 1 })
        init.kaimingNormal_(conv.weight, { mode: 'fanOut', nonlinearity: 'relu' })
        if (conv.bias) init.zeros_(conv.bias)
        return new Sequential(conv, new ReLU({ inplace: true }))
      }),
    )
  }
}

/** Twice the size, and a mask for each class. */
export class MaskRCNNPredictor extends Module {
  readonly conv5Mask: ConvTranspose2d
  readonly relu = new ReLU({ inplace: true })
  readonly maskFcnLogits: Conv2d

  constructor(inChannels: number, reduced: number, numClasses: number) {
    super()
    this.conv5Mask = new ConvTranspose2d(inChannels, reduced, 2, { stride: 2 })
    this.maskFcnLogits = new Conv2d(reduced, numClasses, 1)
    for (const { weight } of [this.conv5Mask, this.maskFcnLogits]) {
      init.kaimingNormal_(weight, { mode: 'fanOut', nonlinearity: 'relu' })
    }
  }

  forward(input: Tensor): Tensor {
    return this.maskFcnLogits.forward(this.relu.forward(this.conv5Mask.forward(input)))
  }
}

/** Cross entropy of the true class's masks with the targets', cut out by the proposals. */
export function maskLoss(
  logits: Tensor,
  proposals: readonly Tensor[],
  targets: readonly DetectionTarget[],
  matches: readonly Tensor[],
): Tensor {
  const side = logits.size(-1)
  const labels = cat(targets.map(({ labels: own }, i) => own.indexSelect(0, matches[i] as Tensor)))
  const truths = cat(
    targets.map(({ masks }, i) => cutOut(masks as Tensor, proposals[i] as Tensor, matches[i] as Tensor, side)),
  )
  if (truths.numel === 0) return logits.sum().mul(0)
  return binaryCrossEntropyWithLogits(ofClass(logits, labels), truths)
}

function cutOut(masks: Tensor, boxes: Tensor, matches: Tensor, side: number): Tensor {
  const rois = cat([matches.unsqueeze(1).to(boxes.dtype), boxes], { dim: 1 })
  return roiAlign(masks.unsqueeze(1).to(boxes.dtype), rois, side).squeeze(1)
}

function ofClass(logits: Tensor, labels: Tensor): Tensor {
  return logits.at(arange(labels.size(0), { dtype: 'int64', device: labels.device }), labels)
}

/** Probabilities `[D, 1, S, S]` of each image's detections, of the class found. */
export function maskProbabilities(logits: Tensor, labels: readonly Tensor[]): Tensor[] {
  const own = ofClass(logits.sigmoid(), cat(labels)).unsqueeze(1)
  return own.split(labels.map((each) => each.size(0)))
}

/**
 * Masks of boxes as masks of the image.
 *
 * @param masks `[D, 1, S, S]` probabilities within the boxes
 * @param boxes `[D, 4]` in pixels
 * @returns `[D, 1, H, W]`
 */
export function pasteMasks(masks: Tensor, boxes: Tensor, [height, width]: ImageSize): Tensor {
  if (masks.size(0) === 0) return zeros([0, 1, height, width], { dtype: masks.dtype, device: masks.device })
  const side = masks.size(-1)
  // A ring of zeros, so that what is resized falls to zero at the box's edge.
  const ringed = pad(masks, [1, 1, 1, 1])
  const places = grown(boxes, (side + 2) / side)
    .to('int64')
    .toArray() as number[][]
  return stack(places.map((box, i) => pasted(ringed.at(i), box, height, width)))
}

function grown(boxes: Tensor, factor: number): Tensor {
  const [x1, y1, x2, y2] = boxes.unbind({ dim: 1 }) as [Tensor, Tensor, Tensor, Tensor]
  const [x, y] = [x2.add(x1).mul(0.5), y2.add(y1).mul(0.5)]
  const [halfWidth, halfHeight] = [x2.sub(x1).mul(0.5).mul(factor), y2.sub(y1).mul(0.5).mul(factor)]
  return stack([x.sub(halfWidth), y.sub(halfHeight), x.add(halfWidth), y.add(halfHeight)], { dim: 1 })
}

/** A mask `[1, S, S]` resized to its box, in an image of zeros. Both of the box's last pixels are within. */
function pasted(mask: Tensor, box: readonly number[], height: number, width: number): Tensor {
  const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = box
  const size = [Math.max(y2 - y1 + 1, 1), Math.max(x2 - x1 + 1, 1)]
  const resized = interpolate(mask.unsqueeze(0), { size, mode: 'bilinear' }).squeeze(0)
  const image = zeros([1, height, width], { dtype: mask.dtype, device: mask.device })
  const [left, right] = [Math.max(x1, 0), Math.min(x2 + 1, width)]
  const [top, bottom] = [Math.max(y1, 0), Math.min(y2 + 1, height)]
  if (right <= left || bottom <= top) return image
  const part = resized.narrow(1, top - y1, bottom - top).narrow(2, left - x1, right - left)
  image
    .narrow(1, top, bottom - top)
    .narrow(2, left, right - left)
    .copy_(part)
  return image
}
