import { constantPadNd, im2col, replicationPad2d, type Tensor } from '../../lib/tensor'

/** Windows, softmax and sum as operators of LibTorch: everything that the kernel does not store is stored here. */
export function upsampleReference(
  features: Tensor,
  logits: Tensor,
  { scale = 2, window = 5, groups = 1, border = 'zeros' } = {},
): Tensor {
  const [batch, channels, height, width] = features.shape as [number, number, number, number]
  const side = (window - 1) / 2
  const pad = [side, side, side, side]
  const padded = border === 'zeros' ? constantPadNd(features, pad, { value: 0 }) : replicationPad2d(features, pad)
  const taps = im2col(padded, window, 1, 0, 1).reshape([
    batch,
    groups,
    channels / groups,
    window ** 2,
    1,
    height,
    width,
  ])
  const weights = logits.reshape([batch, groups, 1, window ** 2, scale ** 2, height, width]).softmax(3)
  return taps
    .mul(weights)
    .sum({ dim: 3 })
    .reshape([batch, channels, scale, scale, height, width])
    .permute([0, 1, 4, 2, 5, 3])
    .reshape([batch, channels, scale * height, scale * width])
}
