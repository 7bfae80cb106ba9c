// Time of binary 3D convolution at the layers of C3D, beside LibTorch's float32 convolution of the same signs, which is
// oneDNN's; of a layer as it is trained, beside its composition; and of a whole clip through the 1-bit network.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { bconv3d, binConv3d, packBinaryWeight, signBiasPack } from '../lib/ops'
import {
  call,
  conv3d,
  grad,
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
import { BinaryC3d, C3d, C3dEnds } from './support/c3d'
import { timeOf } from './support/operator'
import { median, type Row } from './support/result'

const ROUNDS = 15
const ISA = ['scalar', 'AVX2', 'AVX-512', 'AVX-512 VPOPCNTDQ'] as const
const PEER = 'LibTorch conv3d, float32'

/** Channels in and out, and the size of the input: time, height, width. */
const LAYERS = [
  ['2a', 64, 128, [16, 56, 56]],
  ['3a', 128, 256, [8, 28, 28]],
  ['3b', 256, 256, [8, 28, 28]],
  ['4a', 256, 512, [4, 14, 14]],
  ['4b', 512, 512, [4, 14, 14]],
  ['5a', 512, 512, [2, 7, 7]],
] as const
type LayerShape = (typeof LAYERS)[number]

export interface PackingTime {
  readonly layer: string
  readonly inputMs: number
  readonly weightMs: number
  /** 2 × multiplications a second of the convolution, in 10⁹. */
  readonly binaryGops: number
}

export type BinaryConv3dFigures = {
  readonly rows: Row[]
  readonly packing: PackingTime[]
  /** One thread's time over that of two, for layer 3b and the clip. */
  readonly twoThreads: { readonly layer3b: number; readonly clip: number }
}

/** All layers on one thread; layer 3b, and the clip, on two as well. */
export function binaryConv3dTime({ threads }: Context): BinaryConv3dFigures {
  try {
    setNumThreads(1)
    const layers = LAYERS.map((layer) => noGrad(() => tidy(() => measureLayer(layer, 1))))
    const [one, two] = clipRows()
    const training = trainingRow()
    setNumThreads(2)
    const pair = noGrad(() => tidy(() => measureLayer(LAYERS[2], 2)))
    const single = layers[2]?.row as Row
    const scalar = scalarRow(single)
    return {
      rows: [...layers.map(({ row }) => row), pair.row, scalar, one, two, training],
      packing: layers.map(({ packing }) => packing),
      twoThreads: { layer3b: single.oursMs / pair.row.oursMs, clip: one.oursMs / two.oursMs },
    }
  } finally {
    setNumThreads(threads)
  }
}

function measureLayer([name, from, to, size]: LayerShape, threads: number): { row: Row; packing: PackingTime } {
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
      if (round < 0) equalTo = largest(sums.permute([0, 4, 1, 2, 3]), expected)
      else {
        ours.push(ms)
        theirs.push(peerMs)
        inputs.push(inputMs)
        weights.push(weightMs)
      }
    })
  }
  const multiplications = from * to * 27 * size.reduce((a, b) => a * b, 1)
  const row = rowOf(`${name}: ${from}→${to}, ${size.join('×')}, ${isa()}${on(threads)}`, ours, PEER, theirs, equalTo)
  return {
    row,
    packing: {
      layer: name,
      inputMs: median(inputs),
      weightMs: median(weights),
      binaryGops: (2 * multiplications) / row.oursMs / 1e6,
    },
  }
}

/** The scalar path of layer 3b, in a process of its own; its results are compared in the tests. */
function scalarRow({ case: name, peerMs }: Row): Row {
  const script = join(import.meta.dirname, 'support/binary-scalar.ts')
  const env = { ...process.env, VISION_NATIVE_ISA: 'scalar' }
  const { stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', script], { encoding: 'utf8', env })
  const oursMs = Number(stdout)
  if (!(oursMs > 0)) throw new Error(`bench: the scalar path did not run: ${stderr}`)
  return { case: name.replace(isa(), 'scalar'), oursMs, peer: PEER, peerMs, ratio: peerMs / oursMs, equalTo: 0 }
}

/** A clip through 1-bit C3D, packed, beside C3D in float32; the results are those of 1-bit C3D in float32. */
function clipRows(): [one: Row, two: Row] {
  manualSeed(2)
  return noGrad(() =>
    tidy(() => {
      const ends = new C3dEnds()
      const [binary, float] = [new BinaryC3d(ends), new C3d(ends)]
      const packed = binary.pack()
      const clip = randn([1, 3, 16, 112, 112])
      const rows = [1, 2].map((threads) => {
        setNumThreads(threads)
        const equalTo = largest(packed.forward(clip), binary.forward(clip))
        const run = (network: { forward(x: Tensor): Tensor }) => timeOf(() => tidy(() => void network.forward(clip)))
        const times = Array.from({ length: ROUNDS }, () => [run(packed), run(float)] as const)
        const [ours, theirs] = [times.map(([ms]) => ms), times.map(([, ms]) => ms)]
        return rowOf(
          `C3D, a clip of 16×112×112, ${isa()}${on(threads)}`,
          ours,
          'C3D in LibTorch, float32',
          theirs,
          equalTo,
        )
      })
      return [rows[0] as Row, rows[1] as Row]
    }),
  )
}

/** Layer 4a as it is trained, forward and backward, beside the same of LibTorch's operators. Differences are relative. */
function trainingRow(): Row {
  manualSeed(3)
  setNumThreads(1)
  return tidy(() => {
    const [x, w] = [randn([1, 256, 4, 14, 14]).requiresGrad_(), randn([512, 256, 3, 3, 3]).mul(0.01).requiresGrad_()]
    const gradients = (network: (x: Tensor, w: Tensor) => Tensor) =>
      grad([network(x, w).square().sum()], [x, w]) as Tensor[]
    const ours = (a: Tensor, b: Tensor) => binConv3d(a, b, { padding: 1 })
    const [made, expected] = [gradients(ours), gradients(composition)]
    const equalTo = Math.max(...made.map((g, i) => largest(g, expected[i] as Tensor) / g.abs().max().toNumber()))
    const run = (network: (x: Tensor, w: Tensor) => Tensor) => timeOf(() => tidy(() => void gradients(network)))
    const times = Array.from({ length: ROUNDS }, () => [run(ours), run(composition)] as const)
    const peer = 'LibTorch composition'
    return rowOf(
      `4a in training, forward and backward, ${isa()}`,
      times.map(([a]) => a),
      peer,
      times.map(([, b]) => b),
      equalTo,
    )
  })
}

/** Signs whose gradient is the estimator's: value − value′ + value″, of which only the last has a gradient. */
function composition(x: Tensor, w: Tensor): Tensor {
  const size = x.abs()
  const integral = where(size.lt(1), x.mul(2).sub(x.mul(size)), signs(x))
  const alpha = w
    .detach()
    .abs()
    .mean({ dim: [1, 2, 3, 4], keepdim: true })
  const clipped = w.clamp({ min: -1, max: 1 })
  const a = signs(x.detach()).sub(integral.detach()).add(integral)
  const b = signs(w.detach()).mul(alpha).sub(clipped.detach()).add(clipped)
  return conv3d(a, b, { padding: 1 })
}

function rowOf(name: string, ours: readonly number[], peer: string, theirs: readonly number[], equalTo: number): Row {
  const [oursMs, peerMs] = [median(ours), median(theirs)]
  return { case: name, oursMs, peer, peerMs, ratio: peerMs / oursMs, equalTo }
}

const isa = () => ISA[Number(call('vision_native::_cpu_isa', []))] ?? ''
const on = (threads: number) => (threads === 1 ? '' : `, ${threads} threads`)
const largest = (a: Tensor, b: Tensor) => a.sub(b).abs().max().toNumber()

function timed<T>(body: () => T): [result: T, ms: number] {
  const start = performance.now()
  const result = body()
  return [result, performance.now() - start]
}

function signs(values: Tensor): Tensor {
  return where(values.ge(0), ones([]), scalarTensor(-1))
}
