// What the soak measures each second, and what it makes of it.

/** The process at one moment, after a collection of garbage. */
export interface Sample {
  /** Seconds since the work began. */
  readonly s: number
  readonly rssMB: number
  readonly heapMB: number
  /** Tensors alive. */
  readonly tensors: number
  /** Memory of tensors. */
  readonly tensorMB: number
  /** Longest time since the last sample that a timer was late. */
  readonly delayMs: number
}

export interface Verdict {
  /** Seconds that are left out. */
  readonly warmUpS: number
  /** Growth of the resident memory after that, by the median of the slopes of all pairs of samples. */
  readonly mbPerMinute: number
  /** What it may be: the growth over the judged stretch is at most `GROWTH_MB`. */
  readonly boundMbPerMinute: number
  /** Tensors alive when all work has ended, less those when it began. */
  readonly tensorsLeft: number
  readonly largestDelayMs: number
  readonly flat: boolean
}

/** Compilers, caches by shape and the allocator's arenas fill during the first third. */
const WARM_UP = 1 / 3
/** Larger than what the allocator keeps now and gives back then; a leak of a byte for each call is larger still. */
const GROWTH_MB = 24
/** Pairs are as many as the square of this. */
const POINTS = 200

/** @param tensorsLeft tensors alive when all work has ended, less those when it began */
export function judge(samples: readonly Sample[], tensorsLeft: number): Verdict {
  const end = samples.at(-1)?.s ?? 0
  const warmUpS = end * WARM_UP
  const judged = samples.filter(({ s }) => s >= warmUpS)
  const stride = Math.ceil(judged.length / POINTS)
  const points = judged.filter((_, index) => index % stride === 0)
  const mbPerMinute = 60 * medianSlope(points.map(({ s, rssMB }) => [s, rssMB]))
  const boundMbPerMinute = GROWTH_MB / ((end - warmUpS) / 60)
  return {
    ...{ warmUpS, mbPerMinute, boundMbPerMinute, tensorsLeft },
    largestDelayMs: samples.reduce((most, { delayMs }) => Math.max(most, delayMs), 0),
    flat: mbPerMinute <= boundMbPerMinute && tensorsLeft <= 0,
  }
}

/** The median of the slopes between any two points (Theil, 1950; Sen, 1968): single jumps do not move it. */
export function medianSlope(points: readonly (readonly [x: number, y: number])[]): number {
  const slopes = points.flatMap(([x, y], i) => points.slice(i + 1).map(([x2, y2]) => (y2 - y) / (x2 - x)))
  return slopes.sort((a, b) => a - b)[Math.floor(slopes.length / 2)] ?? Number.NaN
}
