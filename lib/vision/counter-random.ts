import { checkSeed } from '../data/random'
import { arange, type Device, scalarTensor, type Tensor, tidy } from '../tensor'
import { isTensor } from '../tensor/handle'

const MULTIPLIERS = [0xd2511f53, 0xcd9e8d57] as const
const WEYL = [0x9e3779b9, 0xbb67ae85] as const
const ROUNDS = 10
const MASK = 0xffffffff

/** Which random numbers: those of a seed in a step. */
export interface CounterRandomOptions {
  /** A whole number within ±2^53. */
  readonly seed: number
  /** Number of the step; a 0-dimensional int64 tensor lets a captured graph draw anew each time it runs. */
  readonly iteration: number | Tensor
  readonly device?: Device | undefined
}

/** Words of 32 bits as int64. */
export type RandomWords = readonly [Tensor<'int64'>, Tensor<'int64'>, Tensor<'int64'>, Tensor<'int64'>]

/**
 * Random words for the places of a tensor by Philox4x32-10 (Salmon, Moraes, Dror, Shaw, SC 2011): the words of a place
 * depend on its number, the seed, the step and the group only, so every device draws the same.
 *
 * @param shape sizes of each word's tensor; place i in row-major order is word 0 of the counter
 * @param group word 1 of the counter: numbers that do not depend on those of another group
 */
export function counterRandom(
  shape: readonly number[],
  { seed, iteration, device = 'cpu' }: CounterRandomOptions,
  group = 0,
): RandomWords {
  const key = checkSeed(seed, 'counterRandom: seed')
  const places = shape.reduce((product, size) => product * size, 1)
  return tidy(() => {
    const step = isTensor(iteration)
      ? (iteration as Tensor).to({ dtype: 'int64', device })
      : scalarTensor(iteration, { dtype: 'int64', device })
    const first = arange(places, { dtype: 'int64', device })
      .bitwiseAnd(MASK)
      .reshape([...shape])
    const zero = first.mul(0)
    return philox([first, zero.add(group), zero.add(step.bitwiseAnd(MASK)), zero], key)
  })
}

function philox(counter: readonly [Tensor, Tensor, Tensor, Tensor], seed: number): RandomWords {
  let [a, b, c, d] = counter
  let [k0, k1] = [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0]
  for (let round = 0; round < ROUNDS; round++) {
    // The upper bits of a product beyond 2^63 are right although its sign is not: integers of tensors wrap around.
    const [product0, product1] = [a.mul(MULTIPLIERS[0]), c.mul(MULTIPLIERS[1])]
    a = upper(product1).bitwiseXor(b).bitwiseXor(k0)
    b = product1.bitwiseAnd(MASK)
    c = upper(product0).bitwiseXor(d).bitwiseXor(k1)
    d = product0.bitwiseAnd(MASK)
    k0 = (k0 + WEYL[0]) >>> 0
    k1 = (k1 + WEYL[1]) >>> 0
  }
  return [a, b, c, d] as unknown as RandomWords
}

function upper(product: Tensor): Tensor {
  return product.bitwiseRightShift(32).bitwiseAnd(MASK)
}

/** Words as float32 in [0, 1): their upper 24 bits. */
export function uniformOf(word: Tensor<'int64'>): Tensor<'float32'> {
  return word
    .bitwiseRightShift(8)
    .to('float32')
    .mul(2 ** -24) as Tensor<'float32'>
}
