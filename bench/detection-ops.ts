// Time of suppression, RoIAlign and deformable convolution beside torchvision's, on the same numbers; forward, and forward
// and backward.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { batchedNms, deformConv2d, nms, roiAlign } from '../lib/ops'
import {
  call,
  cat,
  grad,
  manualSeed,
  noGrad,
  rand,
  randint,
  randn,
  setNumThreads,
  type Tensor,
  tidy,
  zeros,
} from '../lib/tensor'
import type { Context } from './benchmarks'
import { timeOf } from './support/operator'
import { PythonPeer } from './support/python'
import { largestDifference, median, type Row } from './support/result'

const ISAS = ['scalar', 'avx2', 'avx512', 'avx512 + vpopcntdq']
const THRESHOLD = 0.5

interface Case {
  readonly name: string
  readonly op: 'nms' | 'batched_nms' | 'roi_align' | 'deform_conv2d'
  readonly tensors: Readonly<Record<string, Tensor>>
  readonly options: Readonly<Record<string, number>>
  /** Tensors whose gradients are wanted; none measures forward alone. */
  readonly backward: readonly string[]
  readonly run: (tensors: Readonly<Record<string, Tensor>>) => Tensor
  /** Fewer where the peer takes seconds. */
  readonly rounds: number
}

export async function detectionOps({ python, threads }: Context): Promise<{ rows: Row[]; [figure: string]: unknown }> {
  setNumThreads(threads)
  manualSeed(1)
  const isa = ISAS[call('vision_native::_cpu_isa', []) as unknown as number] ?? 'unknown'
  const folder = await mkdtemp(join(tmpdir(), 'detection-ops-'))
  const peer = new PythonPeer(python, 'detection-ops.py')
  try {
    const rows: Row[] = []
    for (const make of [...suppressions(), ...regions(), ...convolutions()]) {
      rows.push(await beside(make(), peer, folder, threads, isa))
    }
    return { rows, isa }
  } finally {
    peer.close()
    await rm(folder, { recursive: true })
  }
}

/** Boxes of 10 to 150 pixels in an image of 1000 × 1000. */
function boxesOf(count: number): { boxes: Tensor; scores: Tensor } {
  const corner = rand([count, 2]).mul(1000)
  const boxes = cat([corner, corner.add(rand([count, 2]).mul(140).add(10))], { dim: 1 })
  return { boxes, scores: rand([count]) }
}

function suppressions(): (() => Case)[] {
  const options = { threshold: THRESHOLD }
  const single =
    ([count, rounds]: readonly [number, number]) =>
    (): Case => ({
      name: `nms, ${count} boxes`,
      op: 'nms',
      tensors: boxesOf(count),
      options,
      backward: [],
      run: ({ boxes, scores }) => nms(boxes as Tensor, scores as Tensor, THRESHOLD),
      rounds,
    })
  const batched = (): Case => ({
    name: 'batched nms, 5000 boxes of 80 classes',
    op: 'batched_nms',
    tensors: { ...boxesOf(5000), idxs: randint(0, 80, [5000]) },
    options,
    backward: [],
    run: ({ boxes, scores, idxs }) => batchedNms(boxes as Tensor, scores as Tensor, idxs as Tensor, THRESHOLD),
    rounds: 15,
  })
  return [
    ...(
      [
        [1000, 15],
        [5000, 15],
        [20000, 5],
      ] as const
    ).map(single),
    batched,
  ]
}

/** 512 regions of 7 to 21 pixels of the map, as the levels of a feature pyramid get them. */
function regions(): (() => Case)[] {
  const levels = [
    { height: 200, width: 272, stride: 4 },
    { height: 50, width: 68, stride: 16 },
  ]
  return levels.flatMap(({ height, width, stride }) =>
    [false, true].map((backward) => (): Case => {
      const corner = cat([rand([512, 1]).mul(width * stride), rand([512, 1]).mul(height * stride)], { dim: 1 }).mul(0.8)
      const extent = rand([512, 2]).mul(14).add(7).mul(stride)
      return {
        name: `roi_align, 512 boxes of 256×${height}×${width} to 7×7, ${backward ? 'forward and backward' : 'forward'}`,
        op: 'roi_align',
        tensors: {
          input: randn([1, 256, height, width]),
          boxes: cat([zeros([512, 1]), corner, corner.add(extent)], { dim: 1 }),
          upstream: randn([512, 256, 7, 7]),
        },
        options: { size: 7, scale: 1 / stride },
        backward: backward ? ['input'] : [],
        run: ({ input, boxes }) =>
          roiAlign(input as Tensor, boxes as Tensor, 7, { spatialScale: 1 / stride, samplingRatio: 2, aligned: true }),
        rounds: backward ? 5 : 11,
      }
    }),
  )
}

function convolutions(): (() => Case)[] {
  return [false, true].map(
    (backward) => (): Case => ({
      name: `deform_conv2d, 256 to 256, 3×3 at 64×64, mask, ${backward ? 'forward and backward' : 'forward'}`,
      op: 'deform_conv2d',
      tensors: {
        input: randn([1, 256, 64, 64]),
        offset: randn([1, 18, 64, 64]),
        weight: randn([256, 256, 3, 3]).mul(1 / 48),
        mask: rand([1, 9, 64, 64]),
        upstream: randn([1, 256, 64, 64]).mul(1 / 48),
      },
      options: {},
      backward: backward ? ['input', 'offset', 'weight', 'mask'] : [],
      run: ({ input, offset, weight, mask }) =>
        deformConv2d(input as Tensor, offset as Tensor, weight as Tensor, { padding: 1, mask: mask as Tensor }),
      rounds: backward ? 5 : 11,
    }),
  )
}

async function beside(one: Case, peer: PythonPeer, folder: string, threads: number, isa: string): Promise<Row> {
  const { name, op, options, backward, rounds } = one
  const tensors: Record<string, { path: string; shape: readonly number[]; dtype: string }> = {}
  for (const [role, t] of Object.entries(one.tensors)) {
    const path = join(folder, role)
    await writeFile(path, t.contiguous().dataSync() as Float32Array)
    tensors[role] = { path, shape: t.shape, dtype: t.dtype }
  }
  const { outputs } = await peer.ask<{ outputs: string[] }>({
    prepare: name,
    op,
    tensors,
    options,
    backward,
    threads,
    folder,
  })
  const leaves = Object.fromEntries(
    Object.entries(one.tensors).map(([role, t]) => [role, backward.includes(role) ? t.requiresGrad_() : t]),
  )
  const results = (): readonly Tensor[] => {
    if (backward.length === 0) return [noGrad(() => one.run(leaves))]
    const wanted = backward.map((role) => leaves[role] as Tensor)
    return grad(one.run(leaves), wanted, { gradOutputs: [leaves.upstream as Tensor] }) as Tensor[]
  }
  const differences: number[] = []
  const mine = tidy(() =>
    results().map((t) => Float32Array.from(t.to('float32').contiguous().dataSync() as Float32Array)),
  )
  for (const [i, path] of outputs.entries()) {
    const theirs = new Float32Array(Uint8Array.from(await readFile(path)).buffer)
    differences.push(largestDifference(mine[i] as Float32Array, theirs))
  }
  const [ours, theirs]: [number[], number[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    ours.push(timeOf(() => tidy(() => void results())))
    theirs.push((await peer.ask<{ ms: number }>({ run: name })).ms)
  }
  for (const t of Object.values(one.tensors)) t.dispose()
  const [oursMs, peerMs] = [median(ours), median(theirs)]
  return {
    case: `${name}, ${isa}`,
    oursMs,
    peer: 'torchvision',
    peerMs,
    ratio: peerMs / oursMs,
    equalTo: Math.max(...differences),
  }
}
