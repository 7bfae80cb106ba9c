import { ArgumentError } from '../native/errors'

/** What random numbers are for; each use of a seed draws from numbers of its own. */
export enum Stream {
  Order = 0,
  Samples = 1,
  Split = 2,
}

const MULTIPLIERS = [0xd2511f53, 0xcd9e8d57] as const
const WEYL = [0x9e3779b9, 0xbb67ae85] as const
const ROUNDS = 10

type Words = readonly [number, number, number, number]

/**
 * Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011): four random
 * words from a counter and a key, without state. The same on every machine.
 *
 * @param counter four words of 32 bits
 * @param key two words of 32 bits
 */
export function philox(counter: Words, key: readonly [number, number]): Words {
  let [a, b, c, d] = counter
  let [k0, k1] = key
  for (let round = 0; round < ROUNDS; round++) {
    const [high0, low0] = multiply(MULTIPLIERS[0], a)
    const [high1, low1] = multiply(MULTIPLIERS[1], c)
    a = (high1 ^ b ^ k0) >>> 0
    b = low1
    c = (high0 ^ d ^ k1) >>> 0
    d = low0
    k0 = (k0 + WEYL[0]) >>> 0
    k1 = (k1 + WEYL[1]) >>> 0
  }
  return [a, b, c, d]
}

/** The product of two words as its upper and its lower word, by halves that doubles hold exactly. */
function multiply(x: number, y: number): readonly [number, number] {
  const low = (x & 0xffff) * y
  const high = (x >>> 16) * y
  const middle = Math.floor(low / 0x10000) + high
  return [Math.floor(middle / 0x10000), Math.imul(x, y) >>> 0]
}

/** A whole number as two words. */
function words(value: number): [number, number] {
  return [value >>> 0, Math.floor(value / 2 ** 32) >>> 0]
}

/** 53 bits of two words, as a fraction in [0, 1) has them. */
function bits53(high: number, low: number): number {
  return (high >>> 5) * 0x4000000 + (low >>> 6)
}

/**
 * Random numbers of a seed, an epoch and a use: word i of four is Philox of counter (i, 0, epoch, stream) under the seed.
 */
export class RandomStream {
  readonly #key: readonly [number, number]
  #block = 0
  #words: Words = [0, 0, 0, 0]
  #used = 4

  constructor(
    seed: number,
    readonly epoch: number,
    readonly stream: Stream,
  ) {
    this.#key = words(checkSeed(seed))
  }

  /** 0 to 2^32 − 1. */
  word(): number {
    if (this.#used === 4) {
      const [low, high] = words(this.#block++)
      this.#words = philox([low, high, this.epoch >>> 0, this.stream], this.#key)
      this.#used = 0
    }
    return this.#words[this.#used++] as number
  }

  /** In [0, 1), with 53 random bits. */
  uniform(): number {
    const high = this.word()
    return bits53(high, this.word()) / 2 ** 53
  }

  /** 0 to n − 1, each as likely: words past the last multiple of n are drawn again. */
  below(n: number): number {
    const end = 2 ** 32 - (2 ** 32 % n)
    for (;;) {
      const word = this.word()
      if (word < end) return word % n
    }
  }

  /** 0 to n − 1 in random order, by the shuffle of Fisher and Yates from the last place to the first. */
  permutation(n: number): number[] {
    return this.shuffle(Array.from({ length: n }, (_, i) => i))
  }

  /** Puts items in random order, in place. */
  shuffle<T>(items: T[]): T[] {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.below(i + 1)
      const item = items[i] as T
      items[i] = items[j] as T
      items[j] = item
    }
    return items
  }
}

/** The seed of a sample: 0 to 2^53 − 1 from the loader's seed, the epoch, the sample's number and the part it is in. */
export function sampleSeed(seed: number, epoch: number, index: number, part = 0): number {
  const [low, high] = words(index)
  // The part lies above the 21 bits that an index may have beyond 32.
  const [first, second] = philox([low, (high + part * 2 ** 21) >>> 0, epoch >>> 0, Stream.Samples], words(seed))
  return bits53(first, second)
}

/** @throws ArgumentError unless it is a whole number within ±2^53 */
export function checkSeed(seed: number, name = 'seed'): number {
  if (Number.isSafeInteger(seed)) return seed
  throw new ArgumentError(`${name}: ${String(seed)} is no whole number between ±2^53`)
}
