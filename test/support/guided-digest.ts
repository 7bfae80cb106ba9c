// Run alone by guided-filter.test.ts, once for each instruction set: digests of what the box and the guided filter give.
import { createHash } from 'node:crypto'
import {
  boxMean,
  boxMeanAdjoint,
  fastGuidedFilter,
  type GuidedMode,
  guidedCoefficients,
  guidedFilter,
} from '../../lib/ops'
import { grad, manualSeed, rand, setNumThreads, type Tensor, tensor, tidy } from '../../lib/tensor'
import { bytesOf } from './test-op'

const digests: Record<string, string> = {}

function digest(name: string, results: readonly Tensor[]): void {
  const hash = createHash('sha256')
  for (const result of results) hash.update(bytesOf(result))
  digests[name] = hash.digest('hex').slice(0, 16)
}

const guidesOf: Readonly<Record<GuidedMode, number>> = { gray: 1, perChannel: 2, color: 3 }
manualSeed(7)
setNumThreads(1)
// float64 has no vectors of its own.
for (const dtype of ['float32', 'bfloat16'] as const) {
  for (const edge of ['clip', 'reflect'] as const) {
    tidy(() => {
      const x = rand([70, 300]).to(dtype)
      digest(`${dtype} ${edge} box`, [boxMean(x, 3, { edge }), boxMeanAdjoint(x, 3, { edge })])
    })
    for (const mode of ['gray', 'perChannel', 'color'] as const) {
      tidy(() => {
        const [I, p] = [rand([1, guidesOf[mode], 70, 270]), rand([1, 2, 70, 270])].map((t) =>
          t.to(dtype).requiresGrad_(),
        )
        const [guide, input, eps] = [I as Tensor, p as Tensor, tensor(0.02).requiresGrad_()]
        const options = { radius: 5, eps, mode, edge }
        const weights = rand([1, 2, 70, 270]).to(dtype)
        const gradients = (q: Tensor, gradOutput: Tensor) =>
          grad([q], [guide, input, eps], { gradOutputs: [gradOutput] }) as Tensor[]
        const exact = guidedFilter(guide, input, options)
        digest(`${dtype} ${edge} ${mode}`, [exact, ...gradients(exact, weights)])
        const fast = fastGuidedFilter(guide, input, { ...options, subsample: 3 })
        digest(`${dtype} ${edge} ${mode} fast`, [fast, ...gradients(fast, weights)])
        const plain = guidedCoefficients(guide, input, options)
        digest(`${dtype} ${edge} ${mode} plain`, [plain, ...gradients(plain, plain.detach())])
      })
    }
  }
}
console.log(JSON.stringify(digests))
