// Time of content-aware upsampling beside the same in LibTorch's operators: windows by im2col, softmax and sum.
import { contentAwareUpsample } from '../lib/ops'
import { im2col, randn, type Tensor } from '../lib/tensor'
import { type OperatorCase, operatorRows } from './support/operator-rows'
import type { Row } from './support/result'

const PEER = 'LibTorch im2col'

const site = (channels: number, side: number, channelsLast: boolean): OperatorCase => ({
  name: `${channels} at ${side}×${side}${channelsLast ? ', channels last' : ''}`,
  peer: PEER,
  inputs: () => {
    const features = randn([1, channels, side, side])
    const laidOut = channelsLast ? features.contiguous({ memoryFormat: 'channels_last' }) : features
    return [laidOut, randn([1, 100, side, side])]
  },
  ours: (features, logits) => contentAwareUpsample(features, logits),
  theirs: composition,
})

/** The largest site of YOLOv5l6 in both layouts. */
export const CASES = [site(256, 40, false), site(256, 40, true)]

/** Both numbers of threads, whatever is asked for. */
export function contentAwareUpsampleTime(): { rows: Row[] } {
  return { rows: operatorRows(CASES, import.meta.url) }
}

function composition(features: Tensor, logits: Tensor): Tensor {
  const [, channels, height, width] = features.shape as [number, number, number, number]
  const taps = im2col(features, 5, 1, 2, 1).reshape([1, channels, 25, 1, height, width])
  const weights = logits.reshape([1, 1, 25, 4, height, width]).softmax(2)
  const sums = taps.mul(weights).sum({ dim: 2 })
  const parts = sums.reshape([1, channels, 2, 2, height, width]).permute([0, 1, 4, 2, 5, 3])
  return parts.reshape([1, channels, 2 * height, 2 * width])
}
