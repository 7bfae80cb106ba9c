// Time of correlation and of upfirdn2d beside the same in LibTorch's operators: a product and a sum for each displacement,
// and a convolution of each channel by itself.
import { correlation, downsample2d, filter2d, setupFilter, upsample2d } from '../lib/ops'
import { constantPadNd, conv2d, convTranspose2d, randn, stack, type Tensor } from '../lib/tensor'
import { type OperatorCase, operatorRows } from './support/operator-rows'
import type { Row } from './support/result'

const volume = (name: string, shape: readonly number[], reach: number, step: number): OperatorCase => ({
  name: `${name}: [${shape}], ±${reach * step}`,
  peer: 'LibTorch products',
  inputs: () => [randn([...shape]), randn([...shape])],
  ours: (first, second) =>
    correlation(first, second, { patchSize: 2 * reach + 1, dilationPatch: step }).flatten({ startDim: 1, endDim: 2 }),
  theirs: (first, second) => products(first, second, reach, step),
})

const [CHANNELS, SIDE] = [64, 128]
const TAPS = [1, 3, 3, 1]

const resampling = (name: string, ours: OperatorCase['ours'], theirs: OperatorCase['theirs']): OperatorCase => ({
  name: `${name}: [2, ${CHANNELS}, ${SIDE}, ${SIDE}], 4 taps`,
  peer: 'LibTorch depthwise convolution',
  inputs: () => [randn([2, CHANNELS, SIDE, SIDE]), setupFilter(TAPS, { separable: true })],
  ours,
  theirs,
})

/** The volumes of PWC-Net and FlowNetC, and StyleGAN's resampling. */
export const CASES = [
  volume('correlation', [1, 128, 48, 112], 4, 1),
  volume('correlation', [1, 256, 24, 32], 10, 2),
  resampling(
    'blur',
    (x, filter) => filter2d(x, filter.detach()),
    (x, filter) => conv2d(constantPadNd(x, [2, 1, 2, 1]), depthwise(filter), { groups: CHANNELS }),
  ),
  resampling(
    'upsampling',
    (x, filter) => upsample2d(x, filter.detach()),
    (x, filter) => convTranspose2d(x, depthwise(filter).mul(4), { stride: 2, padding: 1, groups: CHANNELS }),
  ),
  resampling(
    'downsampling',
    (x, filter) => downsample2d(x, filter.detach()),
    (x, filter) => conv2d(x, depthwise(filter), { stride: 2, padding: 1, groups: CHANNELS }),
  ),
]

/** Both numbers of threads, whatever is asked for. */
export function correlationTime(): { rows: Row[] } {
  return { rows: operatorRows(CASES, import.meta.url) }
}

function products(first: Tensor, second: Tensor, reach: number, step: number): Tensor {
  const [height, width] = [first.size(2), first.size(3)]
  const side = reach * step
  const padded = constantPadNd(second, [side, side, side, side])
  const places = Array.from({ length: 2 * reach + 1 }, (_, i) => i * step)
  const planes = places.flatMap((y) =>
    places.map((x) => first.mul(padded.narrow(2, y, height).narrow(3, x, width)).sum({ dim: [1] })),
  )
  return stack(planes, { dim: 1 })
}

/** The symmetric filter as weights of a convolution; without a gradient, which ours has not. */
function depthwise(filter: Tensor): Tensor {
  const fixed = filter.detach()
  return fixed.unsqueeze(1).mul(fixed.unsqueeze(0)).expand([CHANNELS, 1, TAPS.length, TAPS.length]).contiguous()
}
