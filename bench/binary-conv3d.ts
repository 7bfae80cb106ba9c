// Time of binary 3D convolution at the layers of C3D, beside LibTorch's float32 convolution of the same signs.
import { bconv3d, packBinaryWeight, signBiasPack } from '../lib/ops'
import {
  call,
  conv3d,
  manualSeed,
  noGrad,
  ones,
  randn,
  scalarTensor,
  setNumThreads,
  type Tensor,
  tidy,
  where,
} from '../lib/tensor'
import type { Context } from './benchmarks'
import { median, type Row } from './support/result'

const ROUNDS = 15
const ISA = ['scalar', 'AVX2', 'AVX-512', 'AVX-512 VPOPCNTDQ'] as const

/** Channels in and out, and the size of the input: time, height, width. */
const LAYERS = [
  ['2a', 64, 128, [16, 56, 56]],
  ['3a', 128, 256, [8, 28, 28]],
  ['3b', 256, 256, [8, 28, 28]],
  ['4a', 256, 512, [4, 14, 14]],
  ['4b', 512, 512, [4, 14, 14]],
  ['5a', 512, 512, [2, 7, 7]],
] as const

export interface PackingTime {
  readonly layer: string
  readonly inputMs: number
  readonly weightMs: number
  /** 2 × multiplications a second of the convolution, in 10⁹. */
  readonly binaryGops: number
}

export function binaryConv3dTime({ threads }: Context): { rows: Row[]; packing: PackingTime[] } {
  setNumThreads(threads)
  const results = LAYERS.map((layer) => noGrad(() => tidy(() => measure(layer))))
  return { rows: results.map(({ row }) => row), packing: results.map(({ packing }) => packing) }
}

function measure([name, from, to, size]: (typeof LAYERS)[number]): { row: Row; packing: PackingTime } {
  manualSeed(1)
  const [x, w] = [signs(randn([1, from, ...size])), signs(randn([to, from, 3, 3, 3]))]
  const ours: number[] = []
  const theirs: number[] = []
  const inputs: number[] = []
  const weights: number[] = []
  let equalTo = Number.NaN
  for (let round = -1; round < ROUNDS; round++) {
    tidy(() => {
      const [bits, inputMs] = timed(() => signBiasPack(x))
      const [packed, weightMs] = timed(() => packBinaryWeight(w))
      const [sums, ms] = timed(() => bconv3d(bits, packed, { padding: 1 }))
      const [expected, peerMs] = timed(() => conv3d(x, w, { padding: 1 }))
      if (round < 0) equalTo = sums.permute([0, 4, 1, 2, 3]).sub(expected).abs().max().toNumber()
      else {
        ours.push(ms)
        theirs.push(peerMs)
        inputs.push(inputMs)
        weights.push(weightMs)
      }
    })
  }
  const [oursMs, peerMs] = [median(ours), median(theirs)]
  const isa = ISA[Number(call('vision_native::_cpu_isa', []))]
  const multiplications = from * to * 27 * size.reduce((a, b) => a * b, 1)
  return {
    row: {
      case: `${name}: ${from}→${to}, ${size.join('×')}, ${isa}`,
      oursMs,
      peer: 'LibTorch conv3d, float32',
      peerMs,
      ratio: peerMs / oursMs,
      equalTo,
    },
    packing: {
      layer: name,
      inputMs: median(inputs),
      weightMs: median(weights),
      binaryGops: (2 * multiplications) / oursMs / 1e6,
    },
  }
}

function timed<T>(body: () => T): [result: T, ms: number] {
  const start = performance.now()
  const result = body()
  return [result, performance.now() - start]
}

function signs(values: Tensor): Tensor {
  return where(values.ge(0), ones([]), scalarTensor(-1))
}
