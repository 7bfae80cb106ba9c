import { describe, expect, test } from 'vitest'
import {
  bernoulli,
  Generator,
  manualSeed,
  ones,
  rand,
  randint,
  randn,
  randperm,
  type Tensor,
  tidy,
} from '../../lib/tensor'

const scoped = (name: string, fn: () => void) => test(name, () => tidy(fn))
const values = (t: Tensor) => Array.from(t.dataSync() as ArrayLike<number | bigint>, Number)

describe('seeds', () => {
  scoped('equal seeds, equal numbers; other seeds, other numbers', () => {
    const draw = (seed: number | bigint) => {
      manualSeed(seed)
      return [values(randn([5])), values(rand([5])), values(randint(0, 1000, [5])), values(randperm(20))]
    }
    expect(draw(1)).toEqual(draw(1))
    expect(draw(1)).toEqual(draw(1n))
    expect(draw(1)).not.toEqual(draw(2))
  })

  scoped('are PyTorch’s: seed 0 draws its first normal numbers', () => {
    manualSeed(0)
    // torch.manual_seed(0); torch.randn(3)
    const expected = [1.5409960746765137, -0.293428897857666, -2.1787893772125244]
    values(randn([3])).forEach((value, i) => void expect(value).toBeCloseTo(expected[i] as number, 6))
  })

  test('that are no whole numbers are refused', () => {
    expect(() => manualSeed(0.5)).toThrow(/0.5 is no whole number/)
    expect(() => manualSeed(2 ** 60)).toThrow(/bigint/)
    expect(() => new Generator(Number.NaN)).toThrow(/NaN/)
    manualSeed(2n ** 63n)
  })
})

describe('generators', () => {
  scoped('draw apart from the default one and from one another', () => {
    const [a, b] = [new Generator(3), new Generator(3)]
    manualSeed(9)
    const first = values(rand([4], { generator: a }))
    const untouched = values(rand([4]))
    expect(values(rand([4], { generator: b }))).toEqual(first)
    manualSeed(9)
    expect(values(rand([4]))).toEqual(untouched)
    expect(values(rand([4], { generator: a }))).not.toEqual(first)
  })

  scoped('serve every function that takes one', () => {
    const draw = (fn: (generator: Generator) => Tensor) => [values(fn(new Generator(5))), values(fn(new Generator(5)))]
    for (const fn of [
      (generator: Generator) => randn([3], { generator }),
      (generator: Generator) => randint(0, 100, [3], { generator }),
      (generator: Generator) => randperm(9, { generator }),
      (generator: Generator) => bernoulli(ones([9]).mul(0.5), { generator }),
      (generator: Generator) => ones([3]).normal_({ generator }),
    ]) {
      const [first, second] = draw(fn)
      expect(first).toEqual(second)
    }
  })

  test('on no device of random numbers are refused', () => {
    expect(() => new Generator(1, 'meta')).toThrow(expect.objectContaining({ kind: 'Device' }))
    expect(() => new Generator(1, 'gpu' as never)).toThrow(expect.objectContaining({ kind: 'Device' }))
  })
})
