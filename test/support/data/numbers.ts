// A data set for workers: sample i is made of the number i, of what its context draws, and of the thread that loads it.
import { isMainThread, threadId } from 'node:worker_threads'
import type { Dataset, SampleContext } from '../../../lib/data/dataset'
import { full, rand, type Tensor } from '../../../lib/tensor'

export interface NumbersOptions {
  readonly length: number
  /** What to do at a sample, by its number. */
  readonly at?: Readonly<Record<number, 'throw' | 'exit' | 'hang' | 'out of memory' | 'kill'>>
  /** Milliseconds that a sample takes, by its number. */
  readonly delayMs?: Readonly<Record<number, number>>
  /** One number: how many samples were begun, in all threads. */
  readonly begun?: SharedArrayBuffer
  /** One number that grows as long as a worker lives. */
  readonly pulse?: SharedArrayBuffer
  /** As many fewer samples in workers. */
  readonly fewerInWorkers?: number
}

export interface NumberSample {
  readonly x: Tensor
  readonly noise: Tensor
  readonly seed: bigint
  readonly thread: number
}

export default function numbers(options: NumbersOptions): Dataset<NumberSample> {
  const { at = {}, delayMs = {}, begun, pulse, fewerInWorkers = 0 } = options
  if (pulse && !isMainThread) setInterval(() => Atomics.add(new Int32Array(pulse), 0, 1), 5)
  return {
    length: options.length - (isMainThread ? 0 : fewerInWorkers),
    async get(index: number, context?: SampleContext): Promise<NumberSample> {
      if (begun) Atomics.add(new Int32Array(begun), 0, 1)
      await misbehave(at[index])
      const delay = delayMs[index]
      if (delay) await new Promise((resolve) => setTimeout(resolve, delay))
      const generator = context?.generator
      return {
        x: full([2], index),
        noise: rand([3], { generator }),
        seed: BigInt(context?.seed ?? 0),
        thread: threadId,
      }
    },
  }
}

async function misbehave(how: string | undefined): Promise<void> {
  if (how === 'throw') throw new RangeError('the file is broken')
  if (how === 'exit') process.exit(3)
  if (how === 'kill') {
    setTimeout(() => {
      throw new Error('nobody catches this')
    })
  }
  if (how === 'hang' || how === 'kill') await new Promise(() => {})
  if (how === 'out of memory') {
    const hoard: unknown[] = []
    for (;;) hoard.push(new Array(1e5).fill(0).map((_, i) => ({ i })))
  }
}
