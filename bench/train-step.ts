// Time of a training step (forward, backward, fused AdamW), captured and eager, beside eager PyTorch in Python.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { resnet18 } from '../lib/backbones'
import { readSafetensors } from '../lib/io'
import type { Layer } from '../lib/nn'
import { AdamW } from '../lib/optim'
import { capture, crossEntropyLoss, keep, memory, setNumThreads, type Tensor, tensor, tidy } from '../lib/tensor'
import type { Context } from './benchmarks'
import { EncoderClassifier } from './support/networks'
import { PythonPeer } from './support/python'
import { largestDifference, median, type Row } from './support/result'

const LEARNING_RATE = 1e-4
const ROUNDS = 15
const WARM_UP = 2
/** Steps whose losses are compared. */
const COMPARED = 3

interface Case {
  readonly name: string
  readonly peer: string
  /** Steps in a round. */
  readonly steps: number
  model(): Layer
}

const CASES: readonly Case[] = [
  { name: 'ResNet-18, 8×3×64×64', peer: 'resnet18', steps: 2, model: () => resnet18({ numClasses: 10 }) },
  {
    name: 'Transformer, 6 layers, d 256, 8×128 tokens',
    peer: 'transformer',
    steps: 1,
    model: () => new EncoderClassifier(10),
  },
]

/** Trains `steps` steps; the losses, and milliseconds a step. */
type Train = (steps: number) => Promise<{ readonly ms: number; readonly losses: readonly number[] }>

export async function trainStep({
  python,
  threads,
}: Context): Promise<{ rows: Row[]; longestMainThreadCallMs: number }> {
  setNumThreads(threads)
  const folder = mkdtempSync(join(tmpdir(), 'train-step-'))
  const peer = new PythonPeer(python, 'train-step.py')
  try {
    const rows: Row[] = []
    let longest = 0
    for (const each of CASES) {
      const { file } = await peer.ask<{ file: string }>({ make: each.peer, folder })
      const theirs: Train = (steps) => peer.ask({ case: each.peer, steps, threads })
      const captured = await makeOurs(each, file, true)
      const eager = await makeOurs(each, file, false)
      const compared = [await theirs(COMPARED), await captured(COMPARED), await eager(COMPARED)] as const
      const [reference, ...ours] = compared.map(({ losses }) => losses)
      const differences = ours.map((losses) => largestDifference(losses, reference ?? []))
      const times = { theirs: [] as number[], captured: [] as number[], eager: [] as number[] }
      for (let round = -WARM_UP; round < ROUNDS; round++) {
        const contestants = [
          ['captured', captured],
          ['theirs', theirs],
          ['eager', eager],
        ] as const
        // Each comes first in turn, as what ran before warms or cools the caches.
        for (let turn = 0; turn < contestants.length; turn++) {
          const [name, train] = contestants[(turn + round + WARM_UP) % contestants.length] ?? contestants[0]
          memory.takeLongestCallMs()
          const { ms } = await train(each.steps)
          if (round < 0) continue
          times[name].push(ms)
          if (name === 'captured') longest = Math.max(longest, memory.takeLongestCallMs())
        }
      }
      const peerMs = median(times.theirs)
      for (const [index, kind] of (['captured', 'eager'] as const).entries()) {
        const oursMs = median(times[kind])
        const equalTo = differences[index] ?? Number.NaN
        rows.push({
          case: `${each.name}, ${kind}`,
          oursMs,
          peer: 'torch (Python), eager',
          peerMs,
          ratio: peerMs / oursMs,
          equalTo,
        })
      }
    }
    return { rows, longestMainThreadCallMs: longest }
  } finally {
    peer.close()
    rmSync(folder, { recursive: true })
  }
}

async function makeOurs({ model: make }: Case, file: string, isCaptured: boolean): Promise<Train> {
  const tensors = await readSafetensors(file)
  const [input, target] = [tensors.get('input') as Tensor, tensors.get('target') as Tensor]
  const model = make()
  const prefix = 'model.'
  model.loadStateDict(
    new Map(
      [...tensors].filter(([name]) => name.startsWith(prefix)).map(([name, t]) => [name.slice(prefix.length), t]),
    ),
  )
  const optimizer = new AdamW(model.parameters(), { lr: keep(tensor(LEARNING_RATE)) })
  optimizer.initialize()
  const step = (x: Tensor, y: Tensor): Tensor => {
    optimizer.zeroGrad()
    const loss = crossEntropyLoss(model.forward(x), y)
    loss.backward()
    optimizer.step()
    return loss.detach()
  }
  const graph = isCaptured ? capture(step) : undefined
  return async (steps) => {
    const losses: Tensor[] = []
    const start = performance.now()
    for (let i = 0; i < steps; i++) losses.push(graph ? await graph(input, target) : tidy(() => step(input, target)))
    const ms = (performance.now() - start) / steps
    const values = losses.map((loss) => loss.toNumber())
    for (const loss of losses) loss.dispose()
    return { ms, losses: values }
  }
}
