import { setTimeout as wait } from 'node:timers/promises'
import { threadId } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  ConcatDataset,
  DataLoader,
  type DataLoaderOptions,
  type Dataset,
  MapDataset,
  randomSplit,
  Subset,
  workerDataset,
} from '../../lib/data'
import { getNumThreads, memory, type Tensor, tensorsOnTheirWay } from '../../lib/tensor'
import { runChild } from '../support/child'
import { collect } from '../support/data/collect'
import type { NumberSample, NumbersOptions } from '../support/data/numbers'

let before = 0
beforeEach(() => {
  before = memory.stats().tensors
})
afterEach(() => {
  expect(memory.stats().tensors).toBe(before)
  expect(tensorsOnTheirWay()).toBe(0)
})

const module = (name: string, type = 'ts') => new URL(`../support/data/${name}.${type}`, import.meta.url)
const numbers = (options: NumbersOptions) => workerDataset<Dataset<NumberSample>>(module('numbers'), options)
const loaderOf = (dataset: Dataset<NumberSample>, options: DataLoaderOptions<NumberSample, never>) =>
  new DataLoader<NumberSample, { x: Tensor; noise: Tensor; thread: Tensor }>(dataset, { seed: 3, ...options })
interface Plain {
  readonly x: readonly (readonly number[])[]
  readonly noise: unknown
  readonly seed: unknown
  readonly thread: readonly number[]
}
const plainOf = async (loader: AsyncIterable<unknown>) => (await collect(loader)) as Plain[]
const withoutThreads = (batches: readonly Plain[]) => batches.map(({ thread, ...rest }) => rest)
const threadsOf = (batches: readonly Plain[]) => new Set(batches.flatMap(({ thread }) => thread))
const failure = async (promise: Promise<unknown>) => {
  try {
    await promise
  } catch (error) {
    return error as Error & { kind: string; sample?: number; batch?: number; worker?: number; cause?: Error }
  }
  throw new Error('nothing was thrown')
}

describe('workers', () => {
  test('give the batches that this thread gives, bit by bit and in order, whoever is ready first', async () => {
    const delayMs = { 0: 60, 3: 1, 5: 40, 8: 20 }
    const dataset = await numbers({ length: 11, delayMs })
    const options = { batchSize: 2, shuffle: true }
    const expected = await plainOf(loaderOf(dataset, options))
    expect(threadsOf(expected)).toEqual(new Set([threadId]))
    for (const workers of [1, 3]) {
      const batches = await plainOf(loaderOf(dataset, { ...options, workers }))
      expect(withoutThreads(batches)).toEqual(withoutThreads(expected))
      expect(threadsOf(batches)).not.toContain(threadId)
      expect(threadsOf(batches).size).toBe(workers)
    }
  })

  test('leave this thread’s number of threads as it is', async () => {
    const threads = getNumThreads()
    await collect(loaderOf(await numbers({ length: 2 }), { workers: 1 }))
    expect(getNumThreads()).toBe(threads)
  })

  test('load ahead no more than prefetchFactor batches each', async () => {
    const begun = new SharedArrayBuffer(4)
    const dataset = await numbers({ length: 40, begun })
    for await (const _ of loaderOf(dataset, { workers: 2, prefetchFactor: 3 })) {
      // The batch at hand, and three ahead for each of two.
      while ((new Int32Array(begun)[0] as number) < 1 + 2 * 3) await wait(10)
      await wait(200)
      expect(new Int32Array(begun)[0]).toBe(1 + 2 * 3)
      break
    }
  })

  test('end with the loop that is left early, and free what they had loaded', async () => {
    const pulse = new SharedArrayBuffer(4)
    const beats = () => Atomics.load(new Int32Array(pulse), 0)
    const dataset = await numbers({ length: 100, pulse, delayMs: { 5: 200 } })
    for await (const _ of loaderOf(dataset, { workers: 2 })) {
      while (beats() === 0) await wait(5)
      // Blocks this thread, so that batches come which the loop will not take.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)
      expect(tensorsOnTheirWay()).toBeGreaterThan(0)
      break
    }
    const last = beats()
    await wait(100)
    expect(beats()).toBe(last)
  })

  test('are others for each loop, unless they persist until close()', async () => {
    const dataset = await numbers({ length: 6 })
    const passing = loaderOf(dataset, { workers: 1 })
    const [a, b] = [threadsOf(await plainOf(passing)), threadsOf(await plainOf(passing))]
    expect(a).not.toEqual(b)

    const lasting = loaderOf(dataset, { workers: 1, persistentWorkers: true, prefetchFactor: 2 })
    const first = await plainOf(lasting)
    // Left with batches on their way, which must not be taken for those of the next loop.
    for await (const _ of lasting) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)
      break
    }
    lasting.setEpoch(0)
    const again = await plainOf(lasting)
    expect(again).toEqual(first)
    expect(tensorsOnTheirWay()).toBe(0)
    await lasting.close()
    lasting.setEpoch(0)
    const after = await plainOf(lasting)
    expect(withoutThreads(after)).toEqual(withoutThreads(first))
    expect(threadsOf(after)).not.toEqual(threadsOf(first))
    await lasting.close()
  })

  test('resume in the middle of an epoch', async () => {
    const dataset = await numbers({ length: 9 })
    const options = { batchSize: 2, shuffle: true, workers: 2 }
    const expected = withoutThreads(await plainOf(loaderOf(dataset, { ...options, workers: 0 })))
    const first = loaderOf(dataset, options)
    for await (const _ of first) if (first.state().batch === 3) break
    const second = loaderOf(dataset, { ...options, workers: 1 })
    second.loadState(first.state())
    expect(withoutThreads(await plainOf(second))).toEqual(expected.slice(3))
  })

  test('load subsets, splits and concatenations of data sets that their modules make', async () => {
    const [a, b] = [await numbers({ length: 10 }), await numbers({ length: 3 })]
    const parts = randomSplit(new ConcatDataset([a, b]), [8, 5], { seed: 1 })
    const dataset = new Subset(parts[1] as Dataset<NumberSample>, [4, 0])
    const options = { batchSize: 2 }
    const expected = await plainOf(loaderOf(dataset, options))
    const batches = await plainOf(loaderOf(dataset, { ...options, workers: 2 }))
    expect(withoutThreads(batches)).toEqual(withoutThreads(expected))
  })

  test('collate by the module’s function, and are told who they are before', async () => {
    const dataset = await workerDataset<Dataset<string>>(module('strings'), ['a', 'b', 'c'])
    const loader = new DataLoader<string, string>(dataset, { batchSize: 2, workers: 1, seed: 8 })
    expect(await collect(loader)).toEqual(['a+b in 0 of 1, seed 8', 'c in 0 of 1, seed 8'])
  })

  test('hand out samples as they are without batches', async () => {
    const dataset = await numbers({ length: 3 })
    const samples = (await collect(loaderOf(dataset, { batchSize: null, workers: 1 }))) as {
      x: unknown
      seed: unknown
    }[]
    expect(samples.map(({ x }) => x)).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
    ])
    expect(typeof samples[0]?.seed).toBe('bigint')
  })
})

describe('a stream in workers', () => {
  const make = (options: object, loader: object) =>
    workerDataset(module('stream'), options).then(
      (dataset) => new DataLoader<unknown, unknown>(dataset as never, { seed: 1, batchSize: 2, ...loader }),
    )

  test('that has no parts is the same as in this thread', async () => {
    const expected = await collect(await make({ length: 11 }, {}))
    expect(await collect(await make({ length: 11 }, { workers: 3 }))).toEqual(expected)
    const dropping = await collect(await make({ length: 11 }, { workers: 2, dropLast: true }))
    expect(dropping).toEqual(expected.slice(0, 5))
  })

  test('that has parts alternates between them, until the last is read', async () => {
    const batches = (await collect(await make({ length: 9, shards: true }, { workers: 2 }))) as { i: number[] }[]
    // Part 0 is 0 2 4 6 8, part 1 is 1 3 5 7.
    expect(batches.map(({ i }) => i)).toEqual([[0, 2], [1, 3], [4, 6], [5, 7], [8]])
    const noise = (batches as unknown as { noise: unknown[] }[]).flatMap((batch) => batch.noise)
    expect(new Set(noise.map(String)).size).toBe(9)
  })

  test('is resumed where it was left', async () => {
    for (const shards of [false, true]) {
      await using loader = await make({ length: 13, shards }, { workers: 2, persistentWorkers: true })
      const expected = await collect(loader)
      loader.setEpoch(0)
      for await (const _ of loader) if (loader.state().batch === 3) break
      loader.loadState(loader.state())
      expect(await collect(loader)).toEqual(expected.slice(3))
    }
  })
})

describe('a worker that fails', () => {
  const run = async (at: NumbersOptions['at'], options: object = {}) =>
    failure(
      plainOf(loaderOf(await numbers({ length: 8, ...(at && { at }) }), { batchSize: 2, workers: 2, ...options })),
    )

  test('by what the data set throws names sample, batch and worker, and keeps message and stack', async () => {
    const error = await run({ 5: 'throw' })
    expect(error.message).toMatch(/^DataLoader: sample 5 of batch 2 \(worker \d\): the file is broken$/)
    expect([error.kind, error.sample, error.batch]).toEqual(['Data', 5, 2])
    expect([0, 1]).toContain(error.worker)
    expect([error.cause?.name, error.cause?.message]).toEqual(['RangeError', 'the file is broken'])
    expect(error.stack).toContain('numbers.ts')
  })

  test('by process.exit() is told with its code', async () => {
    const error = await run({ 3: 'exit' })
    expect(error.message).toMatch(
      /^DataLoader: worker \d ended while it loaded batch 1 with exit code 3; it had begun sample 3$/,
    )
    expect([error.kind, error.batch, error.sample]).toEqual(['Data', 1, 3])
  })

  test('by an error that nobody caught is told with it', async () => {
    const error = await run({ 0: 'kill' })
    expect(error.message).toMatch(/^DataLoader: worker \d ended while it loaded batch 0: nobody catches this/)
    expect(error.cause?.message).toBe('nobody catches this')
  })

  test('by taking too much memory', async () => {
    const error = await run({ 6: 'out of memory' }, { resourceLimits: { maxOldGenerationSizeMb: 64 } })
    expect(error.message).toMatch(/ended while it loaded batch 3: .*memory limit/)
  })

  test('by taking too long, or until it is aborted', async () => {
    expect((await run({ 2: 'hang' }, { timeoutMs: 3000 })).message).toMatch(/batch 1 took more than 3000 ms/)
    const controller = new AbortController()
    const running = run({ 0: 'hang' }, { signal: controller.signal })
    await wait(100)
    controller.abort()
    expect((await running).kind).toBe('Cancelled')
  })

  test('at making its data set, or by making another', async () => {
    const dataset = await workerDataset<Dataset<number>>(module('unmakeable'))
    const error = await failure(collect(new DataLoader(dataset, { workers: 1 })))
    expect(error.message).toBe('DataLoader: worker 0 could not make its data set: there is no such folder')
    const shrinking = await numbers({ length: 5, fewerInWorkers: 2 })
    expect((await failure(collect(loaderOf(shrinking, { workers: 1 })))).message).toMatch(
      /worker 0 has 3 samples, that of this thread 5/,
    )
  })

  test('does not end the loader for good', async () => {
    const dataset = await numbers({ length: 4, at: { 3: 'exit' } })
    const loader = loaderOf(dataset, { workers: 1, persistentWorkers: true })
    await failure(plainOf(loader))
    for await (const batch of loader) {
      expect(batch.x.toArray()).toEqual([[0, 0]])
      break
    }
    await loader.close()
  })
})

describe('workerDataset', () => {
  test.each([
    ['no URL', () => workerDataset('./numbers.ts'), 'Argument', /no file URL/],
    ['a URL of the web', () => workerDataset(new URL('https://example.org/data.js')), 'Argument', /no file URL/],
    ['a module that is not there', () => workerDataset(module('nothing')), 'Load', /nothing\.ts could not be loaded/],
    ['a module without a default export', () => workerDataset(module('collect')), 'Argument', /default export/],
    ['a module that makes no data set', () => workerDataset(module('seven')), 'Argument', /returned 7/],
    [
      'options that cannot be sent',
      () => workerDataset(module('numbers'), { f: () => 1 }),
      'Argument',
      /cannot be sent/,
    ],
  ])('refuses %s', async (_, make, kind, message) => {
    expect(await failure(make())).toMatchObject({ kind, message: expect.stringMatching(message) })
  })

  test('is what workers need', async () => {
    const dataset = await numbers({ length: 2 })
    expect(() => new DataLoader(new MapDataset(dataset, ({ x }) => x), { workers: 1 })).toThrow(
      /exists in this thread only/,
    )
    expect(() => new DataLoader(dataset, { workers: 1, collate: () => 1 })).toThrow(/export it from the module/)
    expect(() => loaderOf(dataset, { workers: 1, prefetchFactor: 0 })).toThrow(/prefetchFactor/)
  })
})

test('a process does not wait for workers that persist between loops', async () => {
  const { stdout, stderr, code } = await runChild(`
    import { DataLoader, workerDataset } from 'lib/data'
    const dataset = await workerDataset(${JSON.stringify(module('words', 'mjs').href)}, ['a', 'b'])
    const loader = new DataLoader(dataset, { workers: 1, persistentWorkers: true })
    for await (const batch of loader) console.log(batch)`)
  expect([stdout, stderr, code]).toEqual(["[ 'a' ]\n[ 'b' ]\n", '', 0])
})
