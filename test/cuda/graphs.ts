// Captured functions replayed as CUDA graphs, on a machine with a GPU:
//
//     npx tsx test/cuda/graphs.ts
//
// Prints a line for each check and a count last; without a GPU it says why nothing was checked.

import { loadCudaLibraries } from '../../lib/native/load-cuda'
import { BatchNorm1d, Linear, Sequential } from '../../lib/nn'
import { AdamW, clipGradNorm_ } from '../../lib/optim'
import {
  capture,
  crossEntropyLoss,
  dropout,
  manualSeed,
  noGrad,
  ones,
  randn,
  type Tensor,
  tensor,
} from '../../lib/tensor'

const device = 'cuda:0'
const results: boolean[] = []

function check(name: string, passed: boolean, detail: string): void {
  results.push(passed)
  console.log(`${passed ? 'ok  ' : 'FAIL'} ${name}: ${detail}`)
}

const lastLine = (graph: { toString(): string }) => graph.toString().trimEnd().split('\n').at(-1) ?? ''
const largest = (a: Tensor, b: Tensor) => a.sub(b).abs().amax().toNumber()

function trainer(captured: boolean) {
  manualSeed(1)
  const model = new Sequential(new Linear(16, 64), new BatchNorm1d(64), new Linear(64, 4)).to(device)
  const optimizer = new AdamW(model.parameters(), { lr: tensor(1e-2, { device }) })
  optimizer.initialize()
  const step = (x: Tensor, y: Tensor): Tensor => {
    optimizer.zeroGrad()
    const loss = crossEntropyLoss(model.forward(x), y)
    loss.backward()
    clipGradNorm_(model.parameters(), 1)
    optimizer.step()
    return loss.detach()
  }
  const graph = captured ? capture(step) : undefined
  return { model, graph, step: graph ?? step }
}

async function training(): Promise<void> {
  const [eager, captured] = [trainer(false), trainer(true)]
  let worst = 0
  for (let i = 0; i < 20; i++) {
    manualSeed(100 + i)
    const x = randn([32, 16], { device })
    const y = x.narrow(1, 0, 4).argmax({ dim: 1 })
    worst = Math.max(worst, Math.abs((await eager.step(x, y)).toNumber() - (await captured.step(x, y)).toNumber()))
  }
  const pairs = eager.model.parameters().map((p, i) => largest(p, captured.model.parameters()[i] as Tensor))
  check('20 training steps equal eager ones', worst < 1e-4 && Math.max(...pairs) < 1e-4, `losses differ by ${worst}`)
  check(
    'the step is one CUDA graph',
    /replayed as a CUDA graph/.test(lastLine(captured.graph ?? '')),
    lastLine(captured.graph ?? ''),
  )
  const { grad } = captured.model.parameters()[0] as Tensor
  check('gradients are those of the last step', grad !== null && grad.abs().sum().toNumber() > 0, 'there and not zero')
}

async function inference(): Promise<void> {
  const weight = randn([8, 8], { device })
  const graph = capture((x: Tensor) => x.matmul(weight).relu())
  const outputs: [Tensor, Tensor][] = []
  for (let i = 0; i < 8; i++) {
    const x = randn([4, 8], { device })
    outputs.push([await noGrad(() => graph(x)), noGrad(() => x.matmul(weight).relu())])
  }
  const worst = Math.max(...outputs.map(([a, b]) => largest(a, b)))
  check('outputs of earlier runs keep their values', worst < 1e-5, `largest difference ${worst}`)

  const drawn = capture((x: Tensor) => dropout(x, 0.5, true))
  const seen = new Set<string>()
  for (let i = 0; i < 8; i++) seen.add(String((await drawn(ones([64], { device }))).toArray()))
  check('random numbers are new in each replay', seen.size === 8, `${seen.size} of 8 differ`)
}

async function refusals(): Promise<void> {
  const waits = capture((x: Tensor) => x.nonzero())
  await waits(ones([4], { device }))
  check('an operator that waits is run', /nonzero waits/.test(lastLine(waits)), lastLine(waits))
  const mixed = capture((x: Tensor, scale: Tensor | number) => x.mul(scale))
  await mixed(ones([4], { device }), 2)
  check('a value on the cpu is named', /is on cpu/.test(lastLine(mixed)), lastLine(mixed))
}

try {
  loadCudaLibraries()
} catch (error) {
  console.log(`no GPU: ${(error as Error).message}; nothing was checked\n0 passed, 0 failed, 1 skipped`)
  process.exit(3)
}
await training()
await inference()
await refusals()
const failed = results.filter((passed) => !passed).length
console.log(`${results.length - failed} passed, ${failed} failed, 0 skipped`)
process.exitCode = failed > 0 ? 1 : 0
