import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ArgumentError, CancelledError, DTypeError, ShapeError } from '../../lib/native/errors'
import {
  CosineIndex,
  packBits,
  quantizeRows,
  topkCosine,
  topkCosineAsync,
  topkHamming,
  topkHammingAsync,
} from '../../lib/ops'
import { cat, getNumThreads, setNumThreads, type Tensor, tensor, tidy, tidyAsync, zeros } from '../../lib/tensor'
import { liveTensors } from '../support/live-tensors'
import { bytesOf, noise, testOp } from '../support/test-op'

// Threads that wait for one another are slow on a machine that is busy with other tests.
beforeAll(() => setNumThreads(1))

const numbers = (t: Tensor) => Array.from(t.to('float64').contiguous().dataSync() as Float64Array)
const rows = (values: readonly (readonly number[])[]) =>
  tensor(values.flat(), { shape: [values.length, values[0]?.length ?? 0], dtype: 'float64' })

/** All cosines in float64, and a stable sort. */
function cosineReference(queries: Tensor, base: Tensor, k: number): readonly [Tensor, Tensor] {
  const unit = (t: Tensor) => t.to('float64').div(t.to('float64').norm(1, { p: 2, keepdim: true }))
  const [sorted, order] = unit(queries).matmul(unit(base).t()).sort({ stable: true, dim: 1, descending: true })
  return [sorted.narrow(1, 0, k), order.narrow(1, 0, k)]
}

const shapes = [
  { queries: 1, count: 1, dims: 1, k: 1 },
  { queries: 1, count: 300, dims: 19, k: 7 },
  { queries: 4, count: 70, dims: 64, k: 70 },
  { queries: 5, count: 900, dims: 33, k: 40 },
  { queries: 130, count: 150, dims: 16, k: 3 },
] as const

testOp('topk_cosine', {
  tolerances: { float64: 1e-14, float32: 1e-6, float16: 1e-3, bfloat16: 8e-3 },
  cases: shapes.map(({ queries, count, dims, k }) => ({
    name: `${queries} in ${count}, D ${dims}, k ${k}`,
    inputs: () => [noise([queries, dims], 1), noise([count, dims], 2)],
    run: (query: Tensor, base: Tensor) => topkCosine(query, base, k).scores,
    reference: (query: Tensor, base: Tensor) => cosineReference(query, base, k)[0],
  })),
})

describe('topk_cosine', () => {
  test.each(shapes)('finds the rows that a sort of all finds: $queries in $count', ({ queries, count, dims, k }) => {
    tidy(() => {
      const [query, base] = [noise([queries, dims], 3), noise([count, dims], 4)]
      expect(numbers(topkCosine(query, base, k).indices)).toEqual(numbers(cosineReference(query, base, k)[1]))
      const codes = (t: Tensor) => quantizeRows(t).codes
      const { scores, indices } = topkCosine(codes(query), codes(base), k)
      const [expected, order] = cosineReference(codes(query), codes(base), k)
      expect(scores.sub(expected).abs().max().toNumber()).toBeLessThan(1e-6)
      // Products are whole numbers, so that equal rows alone tie; float32 may round others together.
      const differ = numbers(indices).filter((row, i) => row !== numbers(order)[i])
      expect(differ.length).toBeLessThanOrEqual(count > 1 ? 2 : 0)
    })
  })

  test('of equal rows the lower one comes first, however many queries and threads there are', () => {
    tidy(() => {
      const one = noise([40, 24], 5).to('float32')
      const base = cat(new Array(60).fill(one))
      const before = getNumThreads()
      try {
        const runs = [1, 2, 3].flatMap((threads) => {
          setNumThreads(threads)
          return [1, 9, 40].map((queries) => {
            const { scores, indices } = topkCosine(one.narrow(0, 0, queries), base, 100)
            expect(numbers(indices.at(0).narrow(0, 0, 60))).toEqual(Array.from({ length: 60 }, (_, i) => 40 * i))
            return Buffer.from(bytesOf(scores.at(0)))
          })
        })
        // A query alone is scanned, many are multiplied; the scores have the same bits.
        for (const run of runs) expect(run.equals(runs[0] as Buffer)).toBe(true)
      } finally {
        setNumThreads(before)
      }
    })
  })

  test('by hand: scale does not matter, length 0 is 0, NaN comes last', () => {
    tidy(() => {
      const base = rows([
        [0, 0],
        [0, 1],
        [Number.NaN, 1],
        [1, 1],
        [-3, 0],
        [5, 0],
      ])
      for (const query of [
        [2, 0],
        [2, 0, 0, 4, 1, 1, -1, 0, 3, 3],
      ]) {
        const queries = tensor(query, { shape: [query.length / 2, 2], dtype: 'float64' })
        const { scores, indices } = topkCosine(queries, base, 6)
        expect(numbers(indices.at(0))).toEqual([5, 3, 0, 1, 4, 2])
        for (const [i, expected] of [1, Math.SQRT1_2, 0, 0, -1].entries()) {
          expect(scores.at(0, i).toNumber()).toBeCloseTo(expected, 14)
        }
        expect(scores.at(0, 5).toNumber()).toBeNaN()
      }
      const nothing = topkCosine(rows([[0, 0]]), base, 5)
      expect(numbers(nothing.indices)).toEqual([0, 1, 3, 4, 5])
      expect(numbers(topkCosine(rows([[Number.NaN, 0]]), base, 2).indices)).toEqual([0, 1])
    })
  })

  test('norms that are given are taken', () => {
    tidy(() => {
      const base = rows([
        [1, 0],
        [3, 4],
      ])
      const baseNorms = tensor([2, 4], { dtype: 'float64' })
      expect(numbers(topkCosine(rows([[1, 0]]), base, 2, { baseNorms }).scores)).toEqual([0.75, 0.5])
    })
  })

  test('codes of −128 are multiplied exactly', () => {
    tidy(() => {
      const base = tensor(new Array(3 * 70).fill(-128), { shape: [3, 70], dtype: 'int8' })
      const { scores, indices } = topkCosine(base.narrow(0, 0, 1), base, 3)
      expect(numbers(indices)).toEqual([0, 1, 2])
      for (const score of numbers(scores)) expect(score).toBeCloseTo(1, 6)
    })
  })

  test('what does not fit is refused; no queries are none', () => {
    tidy(() => {
      const base = noise([9, 4])
      expect(topkCosine(noise([0, 4]), base, 3).indices.shape).toEqual([0, 3])
      expect(() => topkCosine(base, base, 10)).toThrow(/k is at most 9/)
      expect(() => topkCosine(base, base, 0)).toThrow(ArgumentError)
      expect(() => topkCosine(base, noise([0, 4]), 1)).toThrow(ArgumentError)
      expect(() => topkCosine(base, noise([9, 5]), 1)).toThrow(ShapeError)
      expect(() => topkCosine(noise([4]), base, 1)).toThrow(ShapeError)
      expect(() => topkCosine(noise([2, 0]), noise([2, 0]), 1)).toThrow(ShapeError)
      expect(() => topkCosine(base, base.to('float32'), 1)).toThrow(DTypeError)
      expect(() => topkCosine(base.to('int64'), base.to('int64'), 1)).toThrow(DTypeError)
      expect(() => topkCosine(base, base, 1, { baseNorms: noise([9]).to('float32') })).toThrow(DTypeError)
      expect(() => topkCosine(base, base, 1, { baseNorms: noise([8]) })).toThrow(ShapeError)
    })
  })

  test('runs off the event loop, and stops when told to', async () => {
    await tidyAsync(async () => {
      const base = noise([50, 64]).repeat([400, 1]).to('float32')
      const { indices } = await topkCosineAsync(base.narrow(0, 0, 3), base, 2)
      expect(numbers(indices)).toEqual([0, 50, 1, 51, 2, 52])
      const controller = new AbortController()
      const search = topkCosineAsync(base, base, 500, { signal: controller.signal })
      setTimeout(() => controller.abort(), 20)
      await expect(search).rejects.toThrow(CancelledError)
    })
  })
})

/** Bits that differ, counted one by one from the signs. */
function hammingReference(queries: Tensor, base: Tensor, k: number): readonly [Tensor, Tensor] {
  const all = queries
    .gt(0)
    .unsqueeze(1)
    .ne(base.gt(0).unsqueeze(0))
    .to('float64')
    .sum({ dim: [2] })
  const [sorted, order] = all.sort({ stable: true, dim: 1 })
  return [sorted.narrow(1, 0, k), order.narrow(1, 0, k)]
}

describe('topk_hamming', () => {
  test.each([
    { queries: 1, count: 1, dims: 1, k: 1 },
    { queries: 9, count: 400, dims: 130, k: 50 },
    { queries: 2, count: 70, dims: 64, k: 70 },
    { queries: 3, count: 33, dims: 1024, k: 5 },
  ])('equals a loop over bits: $queries in $count, $dims bits', ({ queries, count, dims, k }) => {
    tidy(() => {
      const [query, base] = [noise([queries, dims], 6), noise([count, dims], 7)]
      const [expected, order] = hammingReference(query, base, k)
      for (const threads of [1, 2]) {
        setNumThreads(threads)
        const { distances, indices } = topkHamming(packBits(query), packBits(base), k)
        expect(distances.dtype).toBe('int32')
        expect(numbers(distances)).toEqual(numbers(expected))
        expect(numbers(indices)).toEqual(numbers(order))
      }
      setNumThreads(1)
    })
  })

  test('what does not fit is refused; it runs off the event loop', async () => {
    await tidyAsync(async () => {
      const words = packBits(noise([9, 70]))
      expect(() => topkHamming(words, words, 10)).toThrow(ArgumentError)
      expect(() => topkHamming(words, words.narrow(1, 0, 1), 1)).toThrow(ShapeError)
      expect(() => topkHamming(words.to('int32'), words.to('int32'), 1)).toThrow(DTypeError)
      expect(numbers((await topkHammingAsync(words, words, 1)).indices)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
    })
  })
})

describe('rows for a search', () => {
  test('quantize_rows: the largest becomes 127; the rest is within half a scale', () => {
    tidy(() => {
      const input = rows([
        [1, -2, 0.5, 0],
        [0, 0, 0, 0],
        [127, 2.5, 3.5, -127],
        [1, Number.POSITIVE_INFINITY, 0, 0],
      ])
      for (const given of [input, input.to('float32'), input.t().contiguous().t()]) {
        const { codes, scales } = quantizeRows(given)
        // 63.5 and 31.75 of 127; 2.5 and 3.5 go to the even neighbour.
        expect(numbers(codes)).toEqual([64, -127, 32, 0, 0, 0, 0, 0, 127, 2, 4, -127, 0, 0, 0, 0])
        expect(numbers(scales)).toEqual([Math.fround(2 / 127), 0, 1, Number.NaN])
      }
      const wild = noise([50, 37], 8).to('float32')
      const { codes, scales } = quantizeRows(wild)
      const error = codes.to('float32').mul(scales.unsqueeze(1)).sub(wild).abs().div(scales.unsqueeze(1))
      expect(error.max().toNumber()).toBeLessThan(0.5001)
    })
  })

  test('pack_bits: bit d % 64 of word ⌊d / 64⌋', () => {
    tidy(() => {
      const input = zeros([2, 66], { dtype: 'float64' })
      input.select(1, 0).fill_(1)
      input.select(1, 65).fill_(1e-300)
      input.at(1, 1).fill_(Number.NaN)
      input.at(1, 63).fill_(7)
      input.at(1, 65).fill_(-1)
      const words = Array.from(packBits(input).dataSync() as BigInt64Array)
      expect(words).toEqual([1n, 2n, BigInt.asIntN(64, 1n + (1n << 63n)), 0n])
      expect(() => packBits(noise([3]))).toThrow(ShapeError)
      expect(() => quantizeRows(noise([3, 4]).to('int32'))).toThrow(DTypeError)
    })
  })
})

describe('CosineIndex', () => {
  test.each(['float32', 'int8', 'bit'] as const)(
    '%s: finds rows, grows, and comes back from its state',
    async (storage) => {
      await tidyAsync(async () => {
        const base = noise([200, 96], 9).to('float32')
        const index = CosineIndex.from(base.narrow(0, 0, 150), { storage })
        expect([index.size, index.dims]).toEqual([150, 96])
        index.add(base.narrow(0, 150, 50))
        expect(index.size).toBe(200)
        const queries = base.narrow(0, 148, 4)
        const { scores, indices } = index.search(queries, 3)
        expect(numbers(indices.select(1, 0))).toEqual([148, 149, 150, 151])
        for (const score of numbers(scores.select(1, 0))) expect(score).toBeCloseTo(1, 5)
        const again = CosineIndex.fromStateDict(index.stateDict())
        for (const other of [again.search(queries, 3), await index.searchAsync(queries, 3)]) {
          expect(numbers(other.scores)).toEqual(numbers(scores))
          expect(numbers(other.indices)).toEqual(numbers(indices))
        }
        // Quantized cosines are close to those of the rows themselves; signs keep their order on the whole.
        const exact = topkCosine(queries, base, 3)
        if (storage === 'int8') expect(exact.scores.sub(scores).abs().max().toNumber()).toBeLessThan(0.01)
        index.dispose()
        again.dispose()
      })
    },
  )

  test('what does not fit is refused', () => {
    tidy(() => {
      const index = CosineIndex.from(noise([4, 6]))
      expect(() => index.search(noise([1, 5]), 1)).toThrow(ShapeError)
      expect(() => index.search(noise([1, 6]), 5)).toThrow(ArgumentError)
      expect(() => index.add(noise([6]))).toThrow(ShapeError)
      expect(() => CosineIndex.from(noise([6]))).toThrow(ShapeError)
      expect(() => CosineIndex.from(noise([1, 6]), { storage: 'int4' as 'int8' })).toThrow(ArgumentError)
      expect(() => CosineIndex.fromStateDict(new Map())).toThrow(ArgumentError)
      index.dispose()
    })
  })
})

test('searches among rows and among points give the same bits with every instruction set of this machine', () => {
  const runs = ['scalar', 'avx2', 'avx512']
    .map((isa) =>
      spawnSync(process.execPath, ['--import', 'tsx', 'test/support/search-digest.ts'], {
        encoding: 'utf8',
        env: { ...process.env, VISION_NATIVE_ISA: isa },
      }),
    )
    .filter(({ stderr }) => !/this CPU has not all of it/.test(stderr))
  expect(runs.length).toBeGreaterThan(0)
  for (const { stdout, stderr } of runs) {
    expect(stdout, stderr).toMatch(/^[0-9a-f]{64}$/m)
    expect(stdout).toBe(runs[0]?.stdout)
  }
}, 180_000)

afterAll(async () => expect(await liveTensors()).toBe(0))
