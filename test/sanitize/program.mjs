// Every part of the bridge a few times over, for tools/sanitize/leaks.ts and races.ts; with an addon as its argument, that
// addon's planted leak too. Plain JavaScript on the built package: there is no loader whose work would take minutes.
import { createRequire } from 'node:module'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import {
  autocast,
  callAsync,
  capture,
  cat,
  conv2d,
  grad,
  manualSeed,
  memory,
  noGrad,
  ones,
  rand,
  randn,
  split,
  tensor,
  tidy,
  tidyAsync,
  topk,
} from '../../dist/index.js'

const ROUNDS = 3

function refused(fn) {
  try {
    fn()
  } catch {
    return
  }
  throw new Error(`not refused: ${fn}`)
}

/** A small network's step by hand: operators, saved tensors, gradients, hooks, changes in place. */
function trainingStep() {
  const [x, weight] = [randn([4, 3, 8, 8]), randn([5, 3, 3, 3]).requiresGrad_()]
  const hook = weight.registerHook((gradient) => gradient.mul(2))
  const loss = conv2d(x, weight, { padding: 1 }).relu().mean()
  loss.backward()
  hook.remove()
  noGrad(() => weight.sub_(weight.grad.mul(0.1)))
}

async function round() {
  tidy(() => {
    for (const dtype of ['float32', 'float64', 'int64', 'uint8', 'bool', 'float16']) {
      const x = ones([3, 4], { dtype })
      x.dataSync()
      x.to('float32').toArray()
    }
    tensor([
      [1, 2, 3],
      [4, 5, 6],
    ])
      .t()
      .contiguous()
      .at(0)
      .toString()
    const [values] = topk(rand([10]), 3)
    cat([values, values]).sum().item()
    split(rand([10, 2]), 3).map((part) => part.shape)
    trainingStep()
    autocast({ dtype: 'bfloat16' }, () => randn([8, 8]).matmul(randn([8, 8])))
    const x = randn([3]).requiresGrad_()
    grad(x.mul(x).sum(), [x])
    refused(() => ones([2]).add(ones([3])))
    refused(() => ones([2]).reshape([7]))
    refused(() => tensor(['no']))
    const gone = ones([1])
    gone.dispose()
    refused(() => gone.add(1))
  })
  await tidyAsync(async () => {
    const [a, b] = [rand([16, 16]), rand([16, 16])]
    await Promise.all([callAsync('aten::matmul', [a, b]), callAsync('aten::add.Tensor', [a, b])])
    await callAsync('aten::matmul', [a, rand([3])]).catch(() => {})
    const stopped = new AbortController()
    const late = callAsync('aten::matmul', [a, b], {}, { signal: stopped.signal }).catch(() => {})
    stopped.abort()
    await late
    await a.data()
    const captured = capture((x, y) => x.matmul(y).relu().add(1))
    await captured(a, b)
    await captured(b, a)
    captured.sync(a, b)
    captured.dispose()
  })
}

manualSeed(0)
for (let i = 0; i < ROUNDS; i++) await round()
if (memory.stats().tensors > 0) throw new Error(`${memory.stats().tensors} tensors are left`)
if (isMainThread) {
  // The environment of a worker is torn down while the process goes on.
  const worker = new Worker(new URL(import.meta.url))
  await new Promise((resolve, reject) => worker.once('error', reject).once('exit', resolve))
  const [, , planted] = process.argv
  if (planted) createRequire(import.meta.url)(planted).leak()
  // No tensor of these is given back before the end.
  globalThis.left = [ones([2]), rand([3]).requiresGrad_()]
} else parentPort.postMessage('done')
