import { afterAll, describe, expect, test } from 'vitest'
import * as nn from '../../lib/nn'
import { empty, eye, Generator, manualSeed, memory, rand, type Tensor, tidy, zeros } from '../../lib/tensor'
import { caseNames, caseParts } from '../support/layer-cases'

const { init } = nn

/** Layers whose first values stand in the fixture, made as there. */
const LAYERS: Readonly<Record<string, () => nn.Module>> = {
  Linear: () => new nn.Linear(5, 3),
  Bilinear: () => new nn.Bilinear(3, 4, 2),
  Conv1d: () => new nn.Conv1d(4, 6, 3, { groups: 2 }),
  Conv2d: () => new nn.Conv2d(3, 4, [3, 2]),
  Conv3d: () => new nn.Conv3d(2, 3, 2),
  ConvTranspose1d: () => new nn.ConvTranspose1d(4, 6, 3, { groups: 2 }),
  ConvTranspose2d: () => new nn.ConvTranspose2d(3, 4, 3),
  ConvTranspose3d: () => new nn.ConvTranspose3d(2, 3, 2),
  Embedding: () => new nn.Embedding(5, 4, { paddingIdx: 2 }),
  EmbeddingBag: () => new nn.EmbeddingBag(5, 4),
  PReLU: () => new nn.PReLU({ numParameters: 3 }),
  BatchNorm2d: () => new nn.BatchNorm2d(3),
  GroupNorm: () => new nn.GroupNorm(2, 4),
  LayerNorm: () => new nn.LayerNorm(4),
  RMSNorm: () => new nn.RMSNorm(4),
}

const SCHEMES: Readonly<Record<string, (t: Tensor) => Tensor>> = {
  uniform_: (t) => init.uniform_(t, { a: -1, b: 3 }),
  normal_: (t) => init.normal_(t, { mean: 2, std: 0.5 }),
  truncNormal_: (t) => init.truncNormal_(t, { mean: 0.5, std: 2, a: -1, b: 1.5 }),
  xavierUniform_: (t) => init.xavierUniform_(t, { gain: 1.5 }),
  xavierNormal_: (t) => init.xavierNormal_(t, { gain: 1.5 }),
  kaimingUniform_: (t) => init.kaimingUniform_(t, { a: 0.3, mode: 'fanOut' }),
  kaimingNormal_: (t) => init.kaimingNormal_(t, { nonlinearity: 'relu' }),
  orthogonal_: (t) => init.orthogonal_(t, { gain: 1.5 }),
  dirac_: (t) => init.dirac_(t, { groups: 2 }),
  sparse_: (t) => init.sparse_(t, 0.4, { std: 0.5 }),
  eye_: (t) => init.eye_(t),
}

describe("PyTorch's numbers with its seed", () => {
  test('a test for each case of the fixture', () => {
    expect([...Object.keys(LAYERS), ...Object.keys(SCHEMES)].sort()).toEqual([...caseNames('initial')].sort())
  })

  test.each(Object.entries(LAYERS))('%s by default', async (name, make) => {
    const expected = await caseParts('initial', name)
    manualSeed(3)
    const state = make().stateDict()
    expect([...state.keys()].map((key) => `state|${key}`).sort()).toEqual([...expected.keys()].sort())
    for (const [key, value] of state) expectClose(value, expected.get(`state|${key}`) as Tensor)
  })

  test.each(Object.entries(SCHEMES))('%s', async (name, fill) => {
    const expected = (await caseParts('initial', name)).get('filled|0') as Tensor
    const target = empty(expected.shape)
    manualSeed(3)
    expect(fill(target)).toBe(target)
    expectClose(target, expected)
  })
})

/** Other processors draw normal numbers by other instructions, so the last digit may differ. */
function expectClose(actual: Tensor, expected: Tensor): void {
  expect(actual.shape).toEqual(expected.shape)
  expect(tidy(() => actual.detach().sub(expected).abs().max().toNumber())).toBeLessThanOrEqual(2e-6)
}

describe('statistics', () => {
  const rows = 300
  const columns = 200
  const fanIn = columns
  const fanOut = rows

  /** Mean, deviation and extremes of 60,000 values; of n draws of deviation s the mean is within 4 s / √n. */
  function figures(fill: (t: Tensor) => Tensor): { mean: number; std: number; least: number; most: number } {
    return tidy(() => {
      manualSeed(7)
      const t = fill(empty([rows, columns]))
      const number = (x: Tensor) => x.toNumber()
      return { mean: number(t.mean()), std: number(t.std()), least: number(t.min()), most: number(t.max()) }
    })
  }

  const uniform = (bound: number) => ({ std: bound / Math.sqrt(3), bound })
  const normal = (std: number) => ({ std, bound: Number.POSITIVE_INFINITY })
  test.each([
    ['uniform_', (t: Tensor) => init.uniform_(t, { a: -2, b: 2 }), uniform(2)],
    ['normal_', (t: Tensor) => init.normal_(t, { std: 3 }), normal(3)],
    ['xavierUniform_', init.xavierUniform_, uniform(Math.sqrt(6 / (fanIn + fanOut)))],
    ['xavierNormal_', init.xavierNormal_, normal(Math.sqrt(2 / (fanIn + fanOut)))],
    ['kaimingUniform_', init.kaimingUniform_, uniform(Math.sqrt(6 / fanIn))],
    ['kaimingNormal_ fanOut', (t: Tensor) => init.kaimingNormal_(t, { mode: 'fanOut' }), normal(Math.sqrt(2 / fanOut))],
    // A standard normal cut off at ±2 has variance 1 − 2·2·φ(2) / (Φ(2) − Φ(−2)) = 0.7737.
    ['truncNormal_', init.truncNormal_, { std: Math.sqrt(0.7737), bound: 2 }],
  ])('%s', (_, fill, { std, bound }) => {
    const found = figures((t) => fill(t))
    expect(Math.abs(found.mean)).toBeLessThan((4 * std) / Math.sqrt(rows * columns))
    expect(Math.abs(found.std / std - 1)).toBeLessThan(0.02)
    expect(Math.max(-found.least, found.most)).toBeLessThanOrEqual(bound * (1 + 1e-6))
    if (Number.isFinite(bound)) expect(found.most).toBeGreaterThan(0.99 * bound)
  })

  test.each([
    [[7, 4], 'columns'],
    [[3, 2, 3], 'rows'],
  ])('orthogonal_ of %j has orthogonal %s of the length of the gain', (shape) => {
    tidy(() => {
      manualSeed(1)
      const t = init.orthogonal_(empty(shape, { dtype: 'float64' }), { gain: 2 }).reshape([shape[0] as number, -1])
      const [height = 0, width = 0] = t.shape
      const product = height < width ? t.matmul(t.t()) : t.t().matmul(t)
      const identity = eye(Math.min(height, width), { dtype: 'float64' }).mul(4)
      expect(product.sub(identity).abs().max().toNumber()).toBeLessThan(1e-12)
    })
  })

  test('sparse_ leaves the share asked for in every column', () => {
    tidy(() => {
      const t = init.sparse_(empty([10, 6]), 0.25)
      expect(
        t
          .eq(0)
          .sum({ dim: [0] })
          .toArray(),
      ).toEqual([3, 3, 3, 3, 3, 3])
    })
  })

  test('equal generators draw equal values', () => {
    tidy(() => {
      const draw = () => init.kaimingNormal_(empty([3, 4]), { generator: new Generator(9) }).toArray()
      expect(draw()).toEqual(draw())
    })
  })
})

describe('fans and gains', () => {
  test('a kernel counts in both fans', () => {
    expect(init.calculateFanInAndFanOut(empty([8, 3, 5, 5]))).toEqual({ fanIn: 75, fanOut: 200 })
  })

  test.each([
    ['linear', 1],
    ['convTranspose2d', 1],
    ['sigmoid', 1],
    ['tanh', 5 / 3],
    ['relu', Math.sqrt(2)],
    ['leakyRelu', Math.sqrt(2 / 1.0001)],
    ['selu', 0.75],
  ] as const)('the gain of %s is %d', (nonlinearity, gain) => {
    expect(init.calculateGain(nonlinearity)).toBeCloseTo(gain, 14)
  })

  test('a steeper leaky ReLU needs less gain', () => {
    expect(init.calculateGain('leakyRelu', 1)).toBe(1)
  })
})

describe('what does not fit', () => {
  const mistakes: readonly (readonly [attempt: () => unknown, message: RegExp])[] = [
    [() => init.xavierNormal_(zeros([3])), /shape \[3\] has no fan; it needs 2 dimensions/],
    [() => init.orthogonal_(zeros([3])), /orthogonal_.*2 dimensions or more/],
    [() => init.eye_(zeros([3, 3, 3])), /eye_.*2 dimensions/],
    [() => init.dirac_(zeros([3, 3])), /dirac_.*3, 4 or 5 dimensions/],
    [() => init.dirac_(zeros([3, 3, 3]), { groups: 2 }), /3 output channels do not divide into 2 groups/],
    [() => init.sparse_(zeros([3]), 0.5), /sparse_.*2 dimensions/],
    [() => init.calculateGain('softmax' as never), /'softmax' is no known nonlinearity; they are linear/],
    [() => init.kaimingNormal_(zeros([2, 2]), { mode: 'fan_in' as never }), /mode is 'fan_in'; it must be 'fanIn'/],
  ]
  test.each(mistakes.map(([attempt, message]) => ({ attempt, message })))('$message', ({ attempt, message }) => {
    expect(attempt).toThrow(message)
  })
})

describe('side effects', () => {
  const weight = nn.parameter(empty([6, 5]))
  afterAll(() => weight.dispose())

  test('a parameter stays a leaf, and nothing is left behind', () => {
    const before = memory.stats().tensors
    init.orthogonal_(weight)
    init.truncNormal_(weight)
    init.sparse_(weight, 0.5)
    init.eye_(weight)
    expect(weight.isLeaf && weight.requiresGrad).toBe(true)
    expect(memory.stats().tensors).toBe(before)
  })
})

describe('skipInit', () => {
  const drawn = (make: () => unknown) =>
    tidy(() => {
      manualSeed(7)
      make()
      return rand([1]).item()
    })
  const untouched = drawn(() => undefined)

  test('draws no first values, and ends with the function', () => {
    expect(drawn(() => nn.skipInit(() => new nn.Conv2d(3, 4, 3)))).toBe(untouched)
    expect(drawn(() => new nn.Conv2d(3, 4, 3))).not.toBe(untouched)
  })

  test('ends when the function throws, and refuses a promise', () => {
    const fail = () => {
      throw new RangeError('no')
    }
    expect(() => nn.skipInit(fail)).toThrow(RangeError)
    expect(() => nn.skipInit(() => Promise.resolve(1))).toThrow(/skipInit: the function returned a promise/)
    expect(drawn(() => new nn.Linear(2, 2))).not.toBe(untouched)
  })
})
