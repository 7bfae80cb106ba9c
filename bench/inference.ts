// Time of a forward pass: our captured graph, batch norms folded and activations merged, beside PyTorch, onnxruntime
// and tfjs with the same weights.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mobilenetV2, resnet50 } from '../lib/backbones'
import { readSafetensors } from '../lib/io'
import { type Layer, skipInit } from '../lib/nn'
import { capture, inferenceMode, setNumThreads, type Tensor, tidy } from '../lib/tensor'
import type { Context } from './benchmarks'
import { installPeers, onnxruntime, tfjs } from './support/peers'
import { PythonPeer } from './support/python'
import { largestDifference, median, type Row } from './support/result'
import { inTfjs } from './support/tfjs-networks'

const ROUNDS = 15
const WARM_UP = 1
const RUNS = 1

/** A network of inference.py, which makes its weights, its input and its ONNX file. */
export interface InferenceCase {
  readonly name: string
  readonly peer: string
  /** Ours, of the same names; made without first values. */
  model(): Layer
  /** The same in tfjs, where it is written there. */
  readonly inTfjs?: boolean
}

const CASES: readonly InferenceCase[] = [
  { name: 'ResNet-50, 1×3×224×224', peer: 'resnet50', model: () => resnet50(), inTfjs: true },
  { name: 'MobileNetV2, 1×3×224×224', peer: 'mobilenet_v2', model: () => mobilenetV2(), inTfjs: true },
]

interface Contestant {
  readonly name: string
  /** One pass; the scores. */
  once(): Promise<ArrayLike<number>>
  /** Milliseconds a pass over several. */
  time(runs: number): Promise<number>
}

export function inference(context: Context): Promise<{ rows: Row[] }> {
  return inferenceRows(CASES, context)
}

export async function inferenceRows(
  cases: readonly InferenceCase[],
  { python, threads }: Context,
): Promise<{ rows: Row[] }> {
  installPeers()
  setNumThreads(threads)
  const folder = mkdtempSync(join(tmpdir(), 'inference-'))
  const peer = new PythonPeer(python, 'inference.py')
  try {
    const rows: Row[] = []
    for (const each of cases) rows.push(...(await compare(each, peer, folder, threads)))
    return { rows }
  } finally {
    peer.close()
    rmSync(folder, { recursive: true })
  }
}

async function compare(each: InferenceCase, peer: PythonPeer, folder: string, threads: number): Promise<Row[]> {
  const { file, onnx } = await peer.ask<{ file: string; onnx: string | null }>({ make: each.peer, folder })
  const tensors = await readSafetensors(file)
  const tensor = (name: string) => tensors.get(name) as Tensor
  const expected = tensor('output').dataSync() as Float32Array
  const model = skipInit(() => each.model().eval())
  const weights = [...tensors].filter(([name]) => name.startsWith('model.'))
  model.loadStateDict(new Map(weights.map(([name, value]) => [name.slice('model.'.length), value])))

  const optimized = ours('captured, optimized', model, tensor('input'), true)
  const plain = ours('captured', model, tensor('input'), false)
  const torch: Contestant = {
    name: 'torch (Python), eager',
    once: async () => expected,
    time: async (runs) => (await peer.ask<{ ms: number }>({ case: each.peer, runs, threads })).ms,
  }
  const contestants = [
    optimized,
    plain,
    torch,
    ...(onnx === null ? [] : [await onnxContestant(onnx, tensor('input'), threads)]),
    ...(each.inTfjs ? [await tfjsContestant(model, tensor('input'), threads)] : []),
  ]
  const differences = new Map<Contestant, number>()
  for (const each of contestants) differences.set(each, largestDifference(await each.once(), expected))
  const times = new Map(contestants.map((each): [Contestant, number[]] => [each, []]))
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    for (const contestant of contestants) {
      const ms = await contestant.time(RUNS)
      if (round >= 0) times.get(contestant)?.push(ms)
    }
  }
  const ms = (contestant: Contestant) => median(times.get(contestant) ?? [])
  const row = (mine: Contestant, other: Contestant): Row => ({
    case: `${each.name}, ${mine.name}`,
    oursMs: ms(mine),
    peer: other.name,
    peerMs: ms(other),
    ratio: ms(other) / ms(mine),
    equalTo: Math.max(differences.get(mine) ?? Number.NaN, differences.get(other) ?? Number.NaN),
  })
  return [...contestants.slice(2).map((other) => row(optimized, other)), row(plain, torch)]
}

function ours(name: string, model: Layer, input: Tensor, optimize: boolean): Contestant {
  const graph = capture((x: Tensor) => inferenceMode(() => model.forward(x)), { optimize })
  const pass = () => graph(input)
  return {
    name,
    once: async () => {
      ;(await pass()).dispose()
      const scores = await pass()
      return tidy(() => scores.dataSync() as Float32Array)
    },
    time: (runs) => timed(runs, async () => (await pass()).dispose()),
  }
}

async function onnxContestant(file: string, input: Tensor, threads: number): Promise<Contestant> {
  const ort = await onnxruntime()
  const session = await ort.InferenceSession.create(file, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
  })
  const feed = { input: new ort.Tensor('float32', input.dataSync() as Float32Array, input.shape) }
  const pass = async () => (await session.run(feed)).output?.data as Float32Array
  return { name: 'onnxruntime-node', once: pass, time: (runs) => timed(runs, pass) }
}

async function tfjsContestant(model: Layer, input: Tensor, threads: number): Promise<Contestant> {
  const tf = await tfjs(threads)
  const run = inTfjs(tf, model)
  const nhwc = tidy(() => input.permute([0, 2, 3, 1]).contiguous().dataSync() as Float32Array)
  const [batch, channels, height, width] = input.shape as [number, number, number, number]
  const image = tf.tensor(nhwc, [batch, height, width, channels])
  const pass = async () => {
    const scores = run(image)
    const data = await scores.data()
    scores.dispose()
    return data
  }
  return { name: 'tfjs (wasm)', once: pass, time: (runs) => timed(runs, pass) }
}

async function timed(runs: number, pass: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  for (let i = 0; i < runs; i++) await pass()
  return (performance.now() - start) / runs
}
