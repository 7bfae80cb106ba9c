// Run alone by search.test.ts, once for each instruction set: a digest of all that they compute.
import { createHash } from 'node:crypto'
import {
  ballQuery,
  chamferDistances,
  furthestPointSample,
  knn,
  packBits,
  quantizeRows,
  topkCosine,
  topkHamming,
} from '../../lib/ops'
import { setNumThreads, type Tensor, tidy } from '../../lib/tensor'
import { bytesOf, noise } from './test-op'

const hash = createHash('sha256')
setNumThreads(1)
const take = (results: object) => {
  for (const result of Object.values(results)) hash.update(bytesOf(result as Tensor))
}

for (const dtype of ['float32', 'float64'] as const) {
  for (const [count, dims, k] of [
    [700, 3, 9],
    [90, 2, 1],
    [1500, 3, 70],
    [300, 37, 12],
  ] as const) {
    tidy(() => {
      const [query, reference] = [noise([2, 33, dims], 1).to(dtype), noise([2, count, dims], 2).to(dtype)]
      take(knn(query, reference, k))
      take(ballQuery(query, reference, 0.7, 9))
      take(chamferDistances(query, reference))
      take([furthestPointSample(reference, 40)])
    })
  }
  for (const queries of [1, 3, 20]) {
    tidy(() => {
      const [query, base] = [noise([queries, 77], 3).to(dtype), noise([400, 77], 4).to(dtype)]
      take(topkCosine(query, base, 50))
      take(topkCosine(quantizeRows(query).codes, quantizeRows(base).codes, 50))
      take(topkHamming(packBits(query), packBits(base), 50))
    })
  }
}
console.log(hash.digest('hex'))
