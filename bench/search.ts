// Time of searches among points and among rows, beside the same in LibTorch's operators: distances by cdist, products by
// its BLAS, and topk. Peers are given what may be prepared: rows of length 1, codes and signs as float32.
import {
  ballQuery,
  chamferDistances,
  furthestPointSample,
  knn,
  packBits,
  quantizeRows,
  topkCosine,
  topkHamming,
} from '../lib/ops'
import {
  arange,
  call,
  cdist,
  grad,
  manualSeed,
  rand,
  randn,
  setNumThreads,
  stack,
  type Tensor,
  tensor,
  tidy,
  where,
} from '../lib/tensor'
import type { Context } from './benchmarks'
import { timeOf } from './support/operator'
import { largestDifference, median, type Row } from './support/result'

const ROUNDS = 15
const ISAS = ['scalar', 'avx2', 'avx512', 'avx512 vpopcntdq']

/** What both sides give must be equal before they are timed. */
interface Comparison {
  readonly name: string
  readonly peer: string
  readonly ours: () => Tensor
  readonly theirs: () => Tensor
  readonly rounds?: number
  /** Largest difference that rounding explains. */
  readonly tolerance: number
}

export function searchTime({ threads }: Context): { rows: Row[] } {
  setNumThreads(threads)
  manualSeed(1)
  return tidy(() => ({ rows: [...points(), ...cosines(), ...quantized()].map(compare) }))
}

function compare({ name, peer, ours, theirs, tolerance, rounds = ROUNDS }: Comparison): Row {
  const isa = ISAS[call('vision_native::_cpu_isa', []) as unknown as number] ?? 'unknown'
  const numbers = (run: () => Tensor) => tidy(() => run().to('float32').contiguous().dataSync() as Float32Array)
  const equalTo = largestDifference(numbers(ours), numbers(theirs))
  if (!(equalTo <= tolerance)) throw new Error(`bench: ${name} differs by ${equalTo}, which is more than ${tolerance}`)
  const times: [number[], number[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    times[0].push(timeOf(() => tidy(() => void ours())))
    times[1].push(timeOf(() => tidy(() => void theirs())))
  }
  const [oursMs, peerMs] = [median(times[0]), median(times[1])]
  return { case: `${name}, ${isa}`, oursMs, peer, peerMs, ratio: peerMs / oursMs, equalTo }
}

// ---- Points ---------------------------------------------------------------------------------------------------------

function points(): Comparison[] {
  const neighbours = (shape: readonly number[], references: number, k: number): Comparison => {
    const [batch = 1, queries = 1, dims = 3] = shape
    const [query, reference] = [randn([batch, queries, dims]), randn([batch, references, dims])]
    return {
      name: `knn ${batch} × ${queries} → ${references}, D ${dims}, k ${k}`,
      peer: 'LibTorch cdist, topk',
      ours: () => knn(query, reference, k).distances.sqrt(),
      theirs: () => cdist(query, reference).topk(k, { largest: false })[0],
      // cdist of many points is a product, which loses digits.
      tolerance: 5e-3,
    }
  }
  const [first, second] = [rand([2, 4096, 3]), rand([2, 4096, 3])]
  const chamfer = (backward: boolean): Comparison => {
    const run = (distances: (a: Tensor, b: Tensor) => Tensor) => () => {
      if (!backward) return distances(first, second)
      const [a, b] = [first.detach().requiresGrad_(), second.detach().requiresGrad_()]
      return stack(grad(distances(a, b), [a, b]) as Tensor[])
    }
    return {
      name: `Chamfer 2 × 4096 and 4096, ${backward ? 'forward and backward' : 'forward'}`,
      peer: 'LibTorch cdist, amin',
      ours: run((a, b) => {
        const { firstDistances, secondDistances } = chamferDistances(a, b, { squared: false })
        return firstDistances.mean().add(secondDistances.mean())
      }),
      theirs: run((a, b) => {
        const all = cdist(a, b)
        return all.min(2)[0].mean().add(all.min(1)[0].mean())
      }),
      rounds: 7,
      tolerance: 2e-3,
    }
  }
  const cloud = rand([1, 4096, 3])
  const centers = cloud.narrow(1, 0, 1024)
  return [
    neighbours([1, 4096, 3], 4096, 16),
    neighbours([8, 1024, 3], 1024, 24),
    neighbours([1, 2000, 128], 4000, 16),
    chamfer(false),
    chamfer(true),
    {
      name: 'furthest points, 1024 of 4096',
      peer: 'LibTorch loop',
      ours: () => furthestPointSample(cloud, 1024),
      theirs: () => furthestByLoop(cloud, 1024),
      rounds: 7,
      tolerance: 0,
    },
    {
      name: 'ball query, 1024 in 4096, radius 0.1, 32 samples',
      peer: 'LibTorch cdist, sort',
      ours: () => ballQuery(centers, cloud, 0.1, 32).counts,
      theirs: () => ballByDistances(centers, cloud, 0.1, 32),
      // A point at the radius may be on either side.
      tolerance: 1,
    },
  ]
}

function furthestByLoop(cloud: Tensor, samples: number): Tensor {
  const all = cloud.select(0, 0)
  const chosen = [0]
  let distances = all
    .sub(all.select(0, 0))
    .square()
    .sum({ dim: [1] })
  while (chosen.length < samples) {
    const before = distances
    const next = distances.argmax().toNumber()
    chosen.push(next)
    distances = tidy(() =>
      before.minimum(
        all
          .sub(all.select(0, next))
          .square()
          .sum({ dim: [1] }),
      ),
    )
    before.dispose()
  }
  return tensor(chosen, { dtype: 'int64' })
}

function ballByDistances(centers: Tensor, cloud: Tensor, radius: number, samples: number): Tensor {
  const count = cloud.size(1)
  const places = where(cdist(centers, cloud).lt(radius), arange(count), tensor(count, { dtype: 'int64' }))
  const first = places.sort({ dim: 2 })[0].narrow(2, 0, samples)
  return first.lt(count).sum({ dim: [2] })
}

// ---- Rows -----------------------------------------------------------------------------------------------------------

const DIMS = 512
const K = 100

function unitRows(count: number): Tensor {
  return tidy(() => {
    const rows = randn([count, DIMS])
    return rows.div_(rows.norm(1, { p: 2, keepdim: true }))
  })
}

function cosines(): Comparison[] {
  const base = unitRows(1_000_000)
  const baseNorms = base.norm(1, { p: 2 })
  return [1, 8, 32].map((queries) => {
    const query = unitRows(queries)
    return {
      name: `cosine, ${queries} in 1M × 512, k 100`,
      peer: 'BLAS product, topk',
      ours: () => topkCosine(query, base, K, { baseNorms }).scores,
      theirs: () => query.matmul(base.t()).topk(K)[0],
      rounds: queries === 1 ? ROUNDS : queries === 8 ? 7 : 3,
      tolerance: 1e-5,
    }
  })
}

function quantized(): Comparison[] {
  const [base, query] = [unitRows(200_000), unitRows(1)]
  const [codes, asked] = [quantizeRows(base).codes, quantizeRows(query).codes]
  const [floats, askedFloats] = [codes.to('float32'), asked.to('float32')]
  const [norms, askedNorm] = [floats.norm(1, { p: 2 }), askedFloats.norm(1, { p: 2, keepdim: true })]
  const [bits, askedBits] = [packBits(base), packBits(query)]
  const [signs, askedSigns] = [base.gt(0).to('float32').mul(2).add(-1), query.gt(0).to('float32').mul(2).add(-1)]
  return [
    {
      name: 'cosine of int8, 1 in 200k × 512, k 100',
      peer: 'BLAS product of float32, topk',
      ours: () => topkCosine(asked, codes, K, { baseNorms: norms }).scores,
      theirs: () => askedFloats.matmul(floats.t()).div(norms).div(askedNorm).topk(K)[0],
      tolerance: 1e-5,
    },
    {
      name: 'bits, 1 in 200k × 512, k 100',
      peer: 'BLAS product of signs, topk',
      ours: () => topkHamming(askedBits, bits, K).distances,
      theirs: () => askedSigns.matmul(signs.t()).topk(K)[0].neg().add(DIMS).mul(0.5),
      tolerance: 0,
    },
  ]
}
