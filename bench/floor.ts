// What this machine can do at most, through LibTorch: bytes a second copied and read, and multiply-adds of large matrix
// products, with one and two threads. Other benchmarks' rows are so far from the limit as their own bytes and FLOP say.
import { emptyLike, rand, setNumThreads, type Tensor, tidy } from '../lib/tensor'
import { median } from './support/result'

const ROUNDS = 15
// Far larger than the last cache.
const ELEMENTS = 64 * 1024 * 1024
const SIDE = 1024

export interface Floor {
  readonly threads: number
  /** Bytes read and written by a copy, in 10⁹ a second. */
  readonly copyGBs: number
  /** Bytes read by a sum. */
  readonly readGBs: number
  /** The best of the rounds, in 10⁹ additions and multiplications a second. */
  readonly gflops: number
}

/** Medians for memory; the machine's best for arithmetic, which other processes can only slow down. */
export function floor(): { rows: []; floors: Floor[] } {
  const source = rand([ELEMENTS])
  const target = emptyLike(source)
  const [a, b] = [rand([SIDE, SIDE]), rand([SIDE, SIDE])]
  const floors = [1, 2].map((threads) => {
    setNumThreads(threads)
    const copyMs = median(times(() => target.copy_(source)))
    const readMs = median(times(() => source.sum()))
    const productMs = Math.min(...times(() => a.matmul(b)))
    return {
      threads,
      copyGBs: (2 * 4 * ELEMENTS) / copyMs / 1e6,
      readGBs: (4 * ELEMENTS) / readMs / 1e6,
      gflops: (2 * SIDE ** 3) / productMs / 1e6,
    }
  })
  for (const tensor of [source, target, a, b]) tensor.dispose()
  return { rows: [], floors }
}

/** Bytes that a copy reads and writes, in 10⁹ a second, with as many threads as are set: the limit of what moves data. */
export function copyGBs(rounds = 7): number {
  return tidy(() => {
    const source = rand([ELEMENTS])
    const target = emptyLike(source)
    return (2 * 4 * ELEMENTS) / median(times(() => target.copy_(source), rounds)) / 1e6
  })
}

function times(run: () => Tensor, rounds = ROUNDS): number[] {
  const all = Array.from({ length: rounds + 1 }, () => {
    const start = performance.now()
    tidy(() => void run())
    return performance.now() - start
  })
  return all.slice(1)
}
