import { setTimeout as wait } from 'node:timers/promises'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  BatchSampler,
  DataLoader,
  type Dataset,
  DistributedSampler,
  MapDataset,
  type SampleContext,
  SequentialSampler,
  sampleGenerator,
  TensorDataset,
} from '../../lib/data'
import { sampleSeed } from '../../lib/data/random'
import { arange, full, isTensor, keep, manualSeed, memory, rand, type Tensor, tidy, tidyAsync } from '../../lib/tensor'
import { collect, plain } from '../support/data/collect'
import { order as fixture } from '../support/data/order'

const { permutations } = fixture
const orderOf = (n: number, seed: number, epoch: number): number[] =>
  permutations.find((p) => p.n === n && p.seed === seed && p.epoch === epoch)?.order ?? []

let before = 0
beforeEach(() => {
  before = memory.stats().tensors
})
afterEach(() => expect(memory.stats().tensors).toBe(before))

const indices = (length: number): Dataset<number> => ({ length, get: (i) => i })
const noisy = (length: number): Dataset<{ i: number; noise: Tensor; seed: bigint }> => ({
  length,
  get: (i, context) => ({ i, noise: rand([2], { generator: context?.generator }), seed: BigInt(context?.seed ?? -1) }),
})
const failure = async (promise: Promise<unknown>) => {
  try {
    await promise
  } catch (error) {
    return error as Error & { kind: string; sample?: number; batch?: number; cause?: Error }
  }
  throw new Error('nothing was thrown')
}

describe('order', () => {
  test('without shuffle is that of the data set, in batches whose last may be smaller', async () => {
    const loader = new DataLoader(indices(5), { batchSize: 2 })
    expect(loader.length).toBe(3)
    expect(await collect(loader)).toEqual([[0, 1], [2, 3], [4]])
    const dropping = new DataLoader(indices(5), { batchSize: 2, dropLast: true })
    expect([dropping.length, await collect(dropping)]).toEqual([
      2,
      [
        [0, 1],
        [2, 3],
      ],
    ])
  })

  test('with shuffle follows from the seed and the epoch, which each loop raises', async () => {
    const loader = new DataLoader(indices(10), { batchSize: 10, shuffle: true, seed: 42 })
    expect(await collect(loader)).toEqual([orderOf(10, 42, 0)])
    expect(loader.epoch).toBe(1)
    expect(await collect(loader)).toEqual([orderOf(10, 42, 1)])
    loader.setEpoch(0)
    expect(await collect(loader)).toEqual([orderOf(10, 42, 0)])
  })

  test('of a loop that was left early is not that of the next', async () => {
    const loader = new DataLoader(indices(10), { batchSize: 5, shuffle: true, seed: 42 })
    for await (const _ of loader) break
    expect(loader.epoch).toBe(0)
    expect((await collect(loader)).flat()).toEqual(orderOf(10, 42, 1))
  })

  test('is decided by manualSeed where no seed is given', async () => {
    const orderUnder = async (seed: number) => {
      manualSeed(seed)
      return collect(new DataLoader(indices(20), { batchSize: 20, shuffle: true }))
    }
    expect(await orderUnder(1)).toEqual(await orderUnder(1))
    expect(await orderUnder(1)).not.toEqual(await orderUnder(2))
  })

  test('may be a sampler’s, which is told the epoch, or a batch sampler’s', async () => {
    const sampler = new DistributedSampler(indices(10), { numReplicas: 2, rank: 1, seed: 42 })
    const loader = new DataLoader(indices(10), { batchSize: 5, sampler })
    expect((await collect(loader)).flat()).toEqual(orderOf(10, 42, 0).filter((_, i) => i % 2 === 1))
    expect((await collect(loader)).flat()).toEqual(orderOf(10, 42, 1).filter((_, i) => i % 2 === 1))
    const batchSampler = new BatchSampler(new SequentialSampler({ length: 3 }), 2)
    expect(await collect(new DataLoader(indices(9), { batchSampler }))).toEqual([[0, 1], [2]])
  })

  test('without batches hands out the samples as they are', async () => {
    const dataset: Dataset<unknown> = { length: 2, get: (i) => ({ i, when: null }) }
    expect(await collect(new DataLoader(dataset, { batchSize: null }))).toEqual([
      { i: 0, when: null },
      { i: 1, when: null },
    ])
  })

  test('and collation may be of one’s own', async () => {
    const loader = new DataLoader(indices(3), { batchSize: 2, collate: (samples) => samples.join('-') })
    expect(await collect(loader)).toEqual(['0-1', '2'])
  })
})

describe('an empty data set', () => {
  test('has no batches', async () => {
    const loader = new DataLoader(indices(0), { batchSize: 4 })
    expect([loader.length, await collect(loader)]).toEqual([0, []])
  })

  test('has no random order', () => {
    expect(() => new DataLoader(indices(0), { shuffle: true })).toThrow(/empty/)
  })
})

describe('randomness of samples', () => {
  const byIndex = (batches: readonly unknown[]) =>
    (batches as { i: number[]; noise: number[][]; seed: number[] }[])
      .flatMap(({ i, noise, seed }) => i.map((at, k) => [at, noise[k], seed[k]]))
      .sort(([a], [b]) => Number(a) - Number(b))

  test('depends on seed, epoch and number alone', async () => {
    const of = async (options: object, epoch = 0) => {
      const loader = new DataLoader(noisy(7), { seed: 5, ...options })
      loader.setEpoch(epoch)
      return byIndex(await collect(loader))
    }
    const reference = await of({ batchSize: 7 })
    expect(await of({ batchSize: 2, shuffle: true, prefetchFactor: 0 })).toEqual(reference)
    expect(await of({ batchSize: 3, prefetchFactor: 4 })).toEqual(reference)
    expect(await of({ batchSize: 7 }, 1)).not.toEqual(reference)
    expect(await of({ batchSize: 7, seed: 6 })).not.toEqual(reference)
    expect(reference.map(([, , seed]) => seed)).toEqual(reference.map(([i]) => sampleSeed(5, 0, Number(i))))
  })

  test('is found by what a data set calls, across awaits, and is absent outside', async () => {
    const dataset: Dataset<Tensor> = {
      length: 4,
      async get() {
        await wait(1)
        return rand([], { generator: sampleGenerator() })
      },
    }
    const explicit = new MapDataset(indices(4), (_, context) => rand([], { generator: context?.generator }))
    const options = { batchSize: 4, seed: 1 }
    expect(await collect(new DataLoader(dataset, options))).toEqual(await collect(new DataLoader(explicit, options)))
    expect(sampleGenerator()).toBeUndefined()
  })

  test('leaves the default generator alone', async () => {
    const draw = () => tidy(() => rand([3]).toArray())
    manualSeed(7)
    const alone = [draw(), draw()]
    manualSeed(7)
    const beside = [draw()]
    await collect(new DataLoader(noisy(4), { seed: 1 }))
    beside.push(draw())
    expect(beside).toEqual(alone)
  })

  test('ends with the sample', async () => {
    let kept: SampleContext | undefined
    const dataset: Dataset<number> = {
      length: 1,
      get(_, context) {
        kept = context
        tidy(() => void rand([1], { generator: context?.generator }))
        return 0
      },
    }
    await collect(new DataLoader(dataset))
    expect(() => rand([1], { generator: kept?.generator })).toThrow()
  })
})

describe('loading ahead', () => {
  /** Tells which samples were begun. */
  function controlled(length: number) {
    const begun: number[] = []
    const dataset: Dataset<number> = {
      length,
      get(i) {
        begun.push(i)
        return i
      },
    }
    return { begun, dataset }
  }

  test.each([
    [0, 1],
    [1, 2],
    [3, 4],
  ])('with prefetchFactor %d has begun %d batches when the first is handed out', async (prefetchFactor, expected) => {
    const { begun, dataset } = controlled(9)
    const loader = new DataLoader(dataset, { prefetchFactor })
    for await (const _ of loader) {
      await wait(20)
      expect(begun).toEqual(Array.from({ length: expected }, (_, i) => i))
      break
    }
  })

  test('hands out in order what is ready in another', async () => {
    const dataset: Dataset<number> = {
      length: 6,
      async get(i) {
        await wait(i % 2 === 0 ? 30 : 1)
        return i
      },
    }
    expect(await collect(new DataLoader(dataset, { prefetchFactor: 3 }))).toEqual([[0], [1], [2], [3], [4], [5]])
  })
})

describe('state', () => {
  test('resumes with the batches that were left, bit by bit, after any number of them', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 5 }),
        fc.nat(3),
        fc.nat(12),
        fc.boolean(),
        async (n, batchSize, epoch, taken, shuffle) => {
          const make = (seed: number) => new DataLoader(noisy(n), { batchSize, shuffle, seed })
          const whole = make(9)
          whole.setEpoch(epoch)
          const expected = [...(await collect(whole)), ...(await collect(whole))]

          const first = make(9)
          first.setEpoch(epoch)
          const iterator = first[Symbol.asyncIterator]()
          const count = Math.min(taken, first.length ?? 0)
          for (let i = 0; i < count; i++) await iterator.next()
          const state = JSON.parse(JSON.stringify(first.state()))
          await iterator.return()

          const second = make(1)
          second.loadState(state)
          const rest = count === first.length ? [] : await collect(second)
          expect([...rest, ...(await collect(second))]).toEqual(expected.slice(count))
        },
      ),
      { numRuns: 40 },
    )
  })

  test('counts what was handed out, not what was loaded ahead', async () => {
    const loader = new DataLoader(indices(6), { batchSize: 2, prefetchFactor: 3, seed: 4 })
    for await (const _ of loader) {
      expect(loader.state()).toEqual({ version: 1, seed: 4, epoch: 0, batch: 1, samples: 6, batches: 3 })
      break
    }
  })

  test('of a loaded epoch is kept by setEpoch of the same one', async () => {
    const loader = new DataLoader(indices(4), { seed: 4 })
    loader.loadState({ version: 1, seed: 4, epoch: 2, batch: 3, samples: 4, batches: 4 })
    loader.setEpoch(2)
    expect(await collect(loader)).toEqual([[3]])
    expect(loader.epoch).toBe(3)
  })

  test('is refused where it is none, or of other data', () => {
    const loader = new DataLoader(indices(4), { seed: 4 })
    const state = loader.state()
    for (const wrong of [null, 7, {}, { ...state, version: 2 }, { ...state, batch: -1 }, { ...state, seed: 'x' }]) {
      expect(() => loader.loadState(wrong)).toThrow(expect.objectContaining({ kind: 'Format' }))
    }
    expect(() => loader.loadState({ ...state, samples: 5 })).toThrow(/5 samples in 4 batches/)
    expect(() => loader.loadState({ ...state, batches: 2 })).toThrow(expect.objectContaining({ kind: 'Config' }))
  })
})

describe('the tensors of a batch', () => {
  test('live until the next one is asked for, unless they are kept', async () => {
    const seen: Tensor[] = []
    for await (const batch of new DataLoader(indices(3))) {
      expect(seen.map(({ disposed }) => disposed)).toEqual([false, true].slice(0, seen.length))
      seen.push(seen.length === 0 ? keep(batch) : batch)
    }
    expect(seen.map(({ disposed }) => disposed)).toEqual([false, true, true])
    seen[0]?.dispose()
  })

  test('do not pile up in a scope around the loop', async () => {
    await tidyAsync(async () => {
      for await (const _ of new DataLoader(indices(20), { prefetchFactor: 1 })) {
        await wait(1)
        // This batch, and the one that is loaded ahead.
        expect(memory.stats().tensors).toBeLessThanOrEqual(before + 2)
      }
    })
  })

  test('outlive a scope around the request', async () => {
    const iterator = new DataLoader(indices(2), { prefetchFactor: 2 })[Symbol.asyncIterator]()
    let batch: Tensor | undefined
    for (const expected of [0, 1]) {
      await tidyAsync(async () => {
        batch = (await iterator.next()).value as Tensor
        await wait(5)
      })
      expect(batch?.toArray()).toEqual([expected])
    }
    expect((await iterator.next()).done).toBe(true)
  })

  test('are freed when the loop is left, with those that were loaded ahead', async () => {
    for await (const _ of new DataLoader(indices(9), { prefetchFactor: 4 })) break
  })

  test('that belong to the data set stay', async () => {
    const own = [arange(2), arange(3)]
    const dataset: Dataset<Tensor> = { length: 2, get: (i) => own[i] as Tensor }
    expect(await collect(new DataLoader(dataset, { batchSize: null }))).toEqual([
      [0, 1],
      [0, 1, 2],
    ])
    expect(own.map(({ disposed }) => disposed)).toEqual([false, false])
    for (const x of own) x.dispose()
  })

  test('of a TensorDataset are rows of its tensors', async () => {
    const x = arange(6)
    expect(await collect(new DataLoader(new TensorDataset(x), { batchSize: 4 }))).toEqual([[[0, 1, 2, 3]], [[4, 5]]])
    x.dispose()
  })
})

describe('failures', () => {
  const broken = (at: number, get: (i: number) => unknown): Dataset<unknown> => ({
    length: 6,
    get: (i) => (i === at ? get(i) : full([1], i)),
  })

  test.each([
    [
      'thrown',
      () => {
        throw new RangeError('the file is broken')
      },
    ],
    [
      'rejected',
      async () => {
        await wait(5)
        throw new RangeError('the file is broken')
      },
    ],
  ])('%s by the data set name the sample, and keep message and stack', async (_, get) => {
    const error = await failure(collect(new DataLoader(broken(4, get), { batchSize: 3 })))
    expect(error.message).toBe('DataLoader: sample 4 of batch 1: the file is broken')
    expect([error.kind, error.sample, error.batch]).toEqual(['Data', 4, 1])
    expect(error.cause).toBeInstanceOf(RangeError)
    expect(error.stack).toContain('loader.test.ts')
  })

  test('come after the batches before them', async () => {
    const seen: unknown[] = []
    const dataset = broken(2, () => {
      throw new Error('broken')
    })
    const loader = new DataLoader(dataset, { batchSize: 1, prefetchFactor: 4 })
    await failure(
      (async () => {
        for await (const batch of loader) seen.push(plain(batch))
      })(),
    )
    expect(seen).toEqual([[[0]], [[1]]])
  })

  test('of collation name the batch and the place', async () => {
    const dataset: Dataset<Tensor> = { length: 4, get: (i) => full([i === 3 ? 2 : 1], 0) }
    const error = await failure(collect(new DataLoader(dataset, { batchSize: 2 })))
    expect(error.message).toMatch(/^DataLoader: batch 1: collate: \[1\]: shape \[2\]/)
    expect((error.cause as { kind?: string }).kind).toBe('Shape')
  })

  test('by the clock: a batch that takes too long ends the loop', async () => {
    const dataset = broken(1, () => new Promise(() => {}))
    const error = await failure(collect(new DataLoader(dataset, { timeoutMs: 50 })))
    expect(error.message).toMatch(/batch 1 took more than 50 ms/)
  })

  test('by an AbortSignal: before, and while a batch is loaded', async () => {
    const reason = new Error('enough')
    const aborted = await failure(collect(new DataLoader(indices(2), { signal: AbortSignal.abort(reason) })))
    expect([aborted.kind, aborted.cause]).toEqual(['Cancelled', reason])
    const controller = new AbortController()
    const running = failure(
      collect(
        new DataLoader(
          broken(0, () => new Promise(() => {})),
          { signal: controller.signal },
        ),
      ),
    )
    await wait(10)
    controller.abort(reason)
    expect(await running).toMatchObject({ kind: 'Cancelled', cause: reason })
  })

  test('a loop ends when another of the same loader begins', async () => {
    const loader = new DataLoader(indices(4), { prefetchFactor: 0 })
    const [first, second] = [loader[Symbol.asyncIterator](), loader[Symbol.asyncIterator]()]
    await first.next()
    expect(plain((await second.next()).value)).toEqual([0])
    await expect(first.next()).rejects.toThrow(/another one began/)
    await second.return()
  })

  test('a loader may be walked again after each of them', async () => {
    let bad = true
    const dataset: Dataset<number> = {
      length: 2,
      get(i) {
        if (bad) throw new Error('not now')
        return i
      },
    }
    const loader = new DataLoader(dataset)
    await failure(collect(loader))
    bad = false
    expect(await collect(loader)).toEqual([[0], [1]])
  })
})

describe('options', () => {
  const stream = { async *[Symbol.asyncIterator]() {} }
  test.each([
    ['shuffle with a sampler', indices(1), { shuffle: true, sampler: new SequentialSampler({ length: 1 }) }, 'Config'],
    [
      'a batch size with a batch sampler',
      indices(1),
      { batchSize: 2, batchSampler: new BatchSampler(new SequentialSampler({ length: 1 }), 1) },
      'Config',
    ],
    ['dropLast without batches', indices(1), { batchSize: null, dropLast: true }, 'Config'],
    ['collate without batches', indices(1), { batchSize: null, collate: () => 0 }, 'Config'],
    ['shuffle of a stream', stream, { shuffle: true }, 'Config'],
    ['a sampler of a stream', stream, { sampler: new SequentialSampler({ length: 1 }) }, 'Config'],
    ['persistent workers without workers', indices(1), { persistentWorkers: true }, 'Config'],
    ['a data set of this thread with workers', indices(1), { workers: 1 }, 'Config'],
    ['a batch size of 0', indices(1), { batchSize: 0 }, 'Argument'],
    ['half a worker', indices(1), { workers: 0.5 }, 'Argument'],
    ['a negative prefetchFactor', indices(1), { prefetchFactor: -1 }, 'Argument'],
    ['a seed that is no whole number', indices(1), { seed: 0.1 }, 'Argument'],
    ['a timeout that is none', indices(1), { timeoutMs: Number.NaN }, 'Argument'],
  ])('refuse %s', (_, dataset, options, kind) => {
    expect(() => new DataLoader<unknown, unknown>(dataset, options as never)).toThrow(expect.objectContaining({ kind }))
  })
})

describe('a stream', () => {
  let ended = 0
  const stream = (length: number, fail?: number) => ({
    epoch: 0,
    setEpoch(epoch: number) {
      this.epoch = epoch
    },
    async *[Symbol.asyncIterator]() {
      try {
        for (let i = 0; i < length; i++) {
          if (i === fail) throw new Error('the line is cut')
          yield { i: 10 * this.epoch + i, noise: rand([1], { generator: sampleGenerator() }) }
        }
      } finally {
        ended += 1
      }
    },
  })
  beforeEach(() => {
    ended = 0
  })
  const numbers = (batches: readonly unknown[]) => (batches as { i: number[] }[]).map(({ i }) => i)

  test('is cut into batches, and begins again with each epoch', async () => {
    const loader = new DataLoader(stream(5), { batchSize: 2, seed: 1 })
    expect(loader.length).toBeUndefined()
    expect(numbers(await collect(loader))).toEqual([[0, 1], [2, 3], [4]])
    expect(numbers(await collect(loader))).toEqual([[10, 11], [12, 13], [14]])
    const dropping = new DataLoader(stream(5), { batchSize: 2, seed: 1, dropLast: true })
    expect(numbers(await collect(dropping))).toEqual([
      [0, 1],
      [2, 3],
    ])
    expect(await collect(new DataLoader(stream(0), { batchSize: 2, seed: 1 }))).toEqual([])
  })

  test('draws by the numbers of its samples', async () => {
    const noise = async (batchSize: number) =>
      (await collect(new DataLoader(stream(5), { batchSize, seed: 1 }))).flatMap(
        (b) => (b as { noise: unknown[] }).noise,
      )
    expect(await noise(1)).toEqual(await noise(3))
    expect(new Set((await noise(1)).map(String)).size).toBe(5)
  })

  test('is resumed where it was left', async () => {
    const make = () => new DataLoader(stream(7), { batchSize: 2, seed: 1 })
    const expected = await collect(make())
    const first = make()
    for await (const _ of first) if (first.state().batch === 2) break
    const second = make()
    second.loadState(first.state())
    expect(await collect(second)).toEqual(expected.slice(2))
  })

  test('is ended when the loop is left, and names the sample that fails', async () => {
    for await (const _ of new DataLoader(stream(9), { seed: 1 })) break
    expect(ended).toBe(1)
    const error = await failure(collect(new DataLoader(stream(9, 4), { batchSize: 2, seed: 1 })))
    expect(error.message).toBe('DataLoader: sample 4 of batch 2: the line is cut')
  })
})

test('stats tell the share of the time that the loop waited', async () => {
  const dataset: Dataset<number> = {
    length: 3,
    async get(i) {
      await wait(20)
      return i
    },
  }
  const loader = new DataLoader(dataset, { prefetchFactor: 0 })
  expect(loader.stats()).toEqual({ batches: 0, elapsedMs: 0, waitMs: 0, firstWaitMs: 0, waitShare: 0 })
  for await (const batch of loader) expect(isTensor(batch)).toBe(true)
  const { batches, elapsedMs, waitMs, firstWaitMs, waitShare } = loader.stats()
  expect(batches).toBe(3)
  // Timers may be a millisecond early.
  expect(waitMs).toBeGreaterThan(3 * 19)
  expect(firstWaitMs).toBeGreaterThan(19)
  expect(firstWaitMs).toBeLessThan(waitMs)
  expect(waitMs).toBeLessThanOrEqual(elapsedMs)
  expect(waitShare).toBe(waitMs / elapsedMs)
})
