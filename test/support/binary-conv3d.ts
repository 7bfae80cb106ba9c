// Binary convolution the slow way: LibTorch's float convolution of signs, whose sums are exact to 2^24.
import { conv3d, scalarTensor, type Tensor, where } from '../../lib/tensor'

export type Triple = readonly [number, number, number]

export function signs(values: Tensor): Tensor {
  const one = (value: number) => scalarTensor(value, { dtype: values.dtype })
  return where(values.ge(0), one(1), one(-1))
}

/** `[C]` beside `[N, C, T, H, W]`. */
export const perChannel = (values: Tensor) => values.reshape([1, -1, 1, 1, 1])

/** `[N, Co, To, Ho, Wo]`. */
export function floatSums(x: Tensor, weight: Tensor, stride: Triple, padding: Triple): Tensor {
  return conv3d(signs(x.to('float32')), signs(weight.to('float32')), { stride, padding })
}

/** `[N, To, Ho, Wo, Co]` as `[N, Co, To, Ho, Wo]` of the same dtype as the reference. */
export const channelsSecond = (sums: Tensor) => sums.permute([0, 4, 1, 2, 3]).to('float32')

export const equal = (a: Tensor, b: Tensor): boolean =>
  a.shape.join() === b.shape.join() && (a.numel === 0 || a.eq(b).all().item() === true)

export interface Layer {
  readonly channels: number
  readonly outChannels: number
  readonly kernel: Triple
  readonly stride: Triple
  readonly padding: Triple
  readonly batch: number
}

const CHANNELS = [1, 3, 5, 63, 64, 65, 70, 128, 512]
const OUT_CHANNELS = [1, 7, 8, 33, 256]
const KERNELS: readonly Triple[] = [
  [1, 1, 1],
  [3, 1, 1],
  [1, 3, 3],
  [3, 3, 3],
]

/** Every pair of channels with every kernel; strides, paddings and batches of all kinds in turn. */
export function layers(): Layer[] {
  const all = CHANNELS.flatMap((channels) =>
    OUT_CHANNELS.flatMap((outChannels) => KERNELS.map((kernel) => ({ channels, outChannels, kernel }))),
  )
  const bits = (i: number): Triple => [i & 1, (i >> 1) & 1, (i >> 2) & 1]
  return all.map((layer, i) => {
    const [st, sh, sw] = bits(3 * i + (i >> 3))
    return { ...layer, stride: [st + 1, sh + 1, sw + 1], padding: bits(5 * i + (i >> 2)), batch: 1 + (i % 3) }
  })
}
