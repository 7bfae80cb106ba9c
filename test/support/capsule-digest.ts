// Run alone by capsule-routing.test.ts, once for each instruction set: a digest of routing, and how far dense routing is
// from its reference.
import { createHash } from 'node:crypto'
import { capsuleRouting, capsuleRoutingDense } from '../../lib/ops/capsule-routing'
import { grad, manualSeed, randn, setNumThreads, type Tensor, tidy } from '../../lib/tensor'
import { denseReference } from './capsule-reference'
import { bytesOf, largestDifference } from './test-op'

const hash = createHash('sha256')
let difference = 0
manualSeed(7)
for (const [i, dtype] of (['float32', 'float16', 'bfloat16', 'float64'] as const).entries()) {
  setNumThreads(1 + (i % 2))
  tidy(() => {
    for (const shape of [
      [2, 8, 3, 16, 9, 11],
      [1, 3, 2, 5, 4, 5],
    ]) {
      const votes = randn(shape).to(dtype).requiresGrad_()
      const bias = randn([shape[2] as number, shape[3] as number])
        .to(dtype)
        .requiresGrad_()
      const out = capsuleRouting(votes, { bias })
      const gradients = grad(out.square().sum(), [votes, bias])
      for (const each of [out.detach(), ...gradients]) hash.update(bytesOf((each as Tensor).to('float64')))
    }
  })
}
for (const [samples, inputs, outputs, dims, from] of [
  [17, 70, 2, 16, 16],
  [3, 9, 10, 5, 7],
] as const) {
  tidy(() => {
    const input = randn([samples, inputs, from])
    const weight = randn([inputs, outputs, dims, from]).mul(0.3)
    const { capsules } = denseReference(input.to('float64'), weight.to('float64'), undefined)
    difference = Math.max(difference, largestDifference(capsuleRoutingDense(input, weight), capsules[2] as Tensor))
  })
}
console.log(JSON.stringify({ digest: hash.digest('hex'), near: difference < 1e-5 }))
