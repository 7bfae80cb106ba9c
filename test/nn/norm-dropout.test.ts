import { describe, expect, test } from 'vitest'
import * as nn from '../../lib/nn'
import * as F from '../../lib/nn/functional'
import { manualSeed, memory, ones, type Tensor, tidy, zeros } from '../../lib/tensor'
import { functionCase, type LayerCase, layerCase, testLayerCases } from '../support/layer-cases'
import { testPrintedLayers } from '../support/printed-layers'

type Layer = nn.Layer

/** Runs with the seed that the fixture's draws start from. */
const seeded = (layer: Layer, x: Tensor) => {
  manualSeed(5)
  return layer.forward(x)
}
const seededFunction = (run: (x: Tensor) => Tensor) => (x: Tensor) => {
  manualSeed(5)
  return run(x)
}

const BATCH = [nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d]
const INSTANCE = [nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d]
const DROPOUT = [nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d]
const ALPHA = [nn.AlphaDropout, nn.FeatureAlphaDropout]

const cases: readonly LayerCase[] = [
  ...BATCH.flatMap((BatchNorm) => [
    layerCase(`${BatchNorm.name} train`, () => new BatchNorm(3, { eps: 1e-3, momentum: 0.3 })),
    layerCase(`${BatchNorm.name} eval`, () => new BatchNorm(3).eval()),
  ]),
  ...INSTANCE.flatMap((InstanceNorm) => [
    layerCase(InstanceNorm.name, () => new InstanceNorm(3, { eps: 1e-3, affine: true })),
    layerCase(`${InstanceNorm.name} eval`, () => new InstanceNorm(3, { trackRunningStats: true }).eval()),
    layerCase(`${InstanceNorm.name} train`, () => new InstanceNorm(3, { trackRunningStats: true, momentum: 0.4 })),
  ]),
  layerCase('InstanceNorm2d unbatched', () => new nn.InstanceNorm2d(3)),
  layerCase('BatchNorm1d flat', () => new nn.BatchNorm1d(4, { affine: false })),
  layerCase('BatchNorm2d cumulative', () => new nn.BatchNorm2d(3, { momentum: null })),
  layerCase('BatchNorm2d untracked', () => new nn.BatchNorm2d(3, { trackRunningStats: false })),
  layerCase('BatchNorm2d untracked eval', () => new nn.BatchNorm2d(3, { trackRunningStats: false }).eval()),
  functionCase('batchNorm', (x, runningMean, runningVar, weight, bias) =>
    F.batchNorm(x as Tensor, { runningMean, runningVar, weight, bias, eps: 1e-2 }),
  ),
  functionCase('instanceNorm', (x, weight, bias) => F.instanceNorm(x as Tensor, { weight, bias, eps: 1e-2 })),

  layerCase('GroupNorm', () => new nn.GroupNorm(3, 6, { eps: 1e-3 })),
  layerCase('GroupNorm plain', () => new nn.GroupNorm(2, 4, { affine: false })),
  layerCase('LayerNorm', () => new nn.LayerNorm([3, 5], { eps: 1e-3 })),
  layerCase('LayerNorm no bias', () => new nn.LayerNorm(5, { bias: false })),
  layerCase('LayerNorm plain', () => new nn.LayerNorm([5], { elementwiseAffine: false })),
  layerCase('RMSNorm', () => new nn.RMSNorm([3, 5], { eps: 1e-3 })),
  layerCase('RMSNorm plain', () => new nn.RMSNorm(5, { elementwiseAffine: false })),
  layerCase('LocalResponseNorm', () => new nn.LocalResponseNorm(4, { alpha: 0.5, beta: 0.6, k: 1.5 })),
  layerCase('LocalResponseNorm signal', () => new nn.LocalResponseNorm(3, { alpha: 0.5 })),
  layerCase('LocalResponseNorm volume', () => new nn.LocalResponseNorm(2, { alpha: 0.3 })),
  functionCase('localResponseNorm', (x) => F.localResponseNorm(x, 5, { alpha: 0.2 })),
  functionCase('normalize', (x) => F.normalize(x, { p: 3, dim: -1, eps: 0.5 })),
  functionCase('normalize default', (x) => F.normalize(x)),

  ...[...DROPOUT, ...ALPHA].flatMap((Dropout) => [
    layerCase(`${Dropout.name} train`, () => new Dropout({ p: 0.3 }), seeded),
    layerCase(`${Dropout.name} eval`, () => new Dropout({ p: 0.3 }).eval()),
  ]),
  ...([F.dropout, F.dropout1d, F.dropout2d, F.dropout3d] as const).map((dropout) =>
    functionCase(
      dropout.name,
      seededFunction((x) => dropout(x, { p: 0.6 })),
    ),
  ),
  layerCase('Dropout1d unbatched', () => new nn.Dropout1d(), seeded),
  layerCase('Dropout3d unbatched', () => new nn.Dropout3d(), seeded),
  functionCase(
    'alphaDropout',
    seededFunction((x) => F.alphaDropout(x, { p: 0.4, training: true })),
  ),
  functionCase('alphaDropout default', (x) => F.alphaDropout(x)),
  functionCase(
    'featureAlphaDropout',
    seededFunction((x) => F.featureAlphaDropout(x, { p: 0.4, training: true })),
  ),
  functionCase('featureAlphaDropout default', (x) => F.featureAlphaDropout(x)),
  layerCase('StochasticDepth row', () => new nn.StochasticDepth(0.4, 'row'), seeded),
  layerCase('StochasticDepth batch', () => new nn.StochasticDepth(0.4, 'batch'), seeded),
  layerCase('StochasticDepth eval', () => new nn.StochasticDepth(0.4, 'row').eval()),
  functionCase(
    'stochasticDepth',
    seededFunction((x) => F.stochasticDepth(x, 0.7, 'row')),
  ),
]

testLayerCases('norm', cases)
testPrintedLayers(cases)

describe('dropout by its statistics', () => {
  const n = 100_000

  test.each([0.1, 0.5, 0.8])('p = %d: that share is zero, the rest scaled so that the mean stays', (p) => {
    tidy(() => {
      manualSeed(1)
      const y = new nn.Dropout({ p }).forward(ones([n]))
      const zeroShare = y.eq(0).to('float64').mean().toNumber()
      // Four standard deviations of a share of n draws.
      expect(Math.abs(zeroShare - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / n))
      expect(y.max().toNumber()).toBeCloseTo(1 / (1 - p), 5)
    })
  })

  test('alpha dropout keeps mean 0 and variance 1', () => {
    tidy(() => {
      manualSeed(1)
      const x = zeros([n]).normal_()
      const y = new nn.AlphaDropout({ p: 0.4 }).forward(x)
      expect(Math.abs(y.mean().toNumber())).toBeLessThan(0.02)
      expect(Math.abs(y.std().toNumber() - 1)).toBeLessThan(0.02)
    })
  })

  test('channels fall whole', () => {
    tidy(() => {
      manualSeed(1)
      const sums = new nn.Dropout2d({ p: 0.5 }).forward(ones([50, 40, 3, 3])).sum({ dim: [2, 3] })
      const values = new Set(Array.from(sums.dataSync() as Float32Array))
      expect([...values].sort((a, b) => a - b)).toEqual([0, 18])
    })
  })

  test('rows of stochastic depth fall whole, in the share asked for', () => {
    tidy(() => {
      manualSeed(1)
      const sums = new nn.StochasticDepth(0.25, 'row').forward(ones([20_000, 3])).sum({ dim: [1] })
      expect(Math.abs(sums.eq(0).to('float64').mean().toNumber() - 0.25)).toBeLessThan(0.0125)
      expect(sums.max().toNumber()).toBeCloseTo(4, 5)
    })
  })

  test('p = 1 leaves nothing', () => {
    tidy(() =>
      expect(
        new nn.Dropout({ p: 1 })
          .forward(ones([5]))
          .sum()
          .toNumber(),
      ).toBe(0),
    )
  })
})

describe('running statistics', () => {
  test('forget what they saw', () => {
    const norm = new nn.BatchNorm1d(2)
    tidy(() => norm.forward(ones([3, 2]).cumsum(0)))
    expect(norm.numBatchesTracked?.toNumber()).toBe(1)
    norm.resetRunningStats()
    expect(norm.numBatchesTracked?.toNumber()).toBe(0)
    expect(norm.runningMean?.toArray()).toEqual([0, 0])
    expect(norm.runningVar?.toArray()).toEqual([1, 1])
    norm.dispose()
  })

  test('training leaves no tensor behind', () => {
    const norm = new nn.BatchNorm2d(2)
    const x = ones([2, 2, 3, 3])
    const before = memory.stats().tensors
    for (let i = 0; i < 3; i++) norm.forward(x).dispose()
    expect(memory.stats().tensors).toBe(before)
  })
})

const mistakes: readonly (readonly [attempt: () => unknown, message: RegExp])[] = [
  [() => new nn.BatchNorm2d(3).forward(ones([2, 3, 4])), /BatchNorm2d: the input has shape \(2, 3, 4\).*4 dimensions/],
  [() => new nn.BatchNorm1d(3).forward(ones([2, 4])), /the layer has 3 features, the input \(2, 4\) has 4 channels/],
  [() => new nn.BatchNorm1d(3).forward(ones([1, 3])), /one value per channel.*evaluation mode/],
  [() => new nn.InstanceNorm2d(3).forward(ones([2, 3, 1, 1])), /one value per channel/],
  [() => new nn.InstanceNorm1d(3).forward(ones([4, 5])), /the layer has 3 features/],
  [() => new nn.GroupNorm(4, 6), /6 channels do not divide into 4 groups/],
  [() => new nn.LayerNorm([]), /normalizedShape is \(\)/],
  [() => new nn.LocalResponseNorm(2).forward(ones([2, 3])), /3 dimensions or more/],
  [() => new nn.Dropout({ p: 1.5 }), /Dropout: p is 1.5; it must be a probability/],
  [() => new nn.Dropout(0.5 as never), /expected an object of options \(p, inplace\), got 0.5/],
  [() => new nn.Dropout3d().forward(ones([2, 3])), /it must have 4 or 5 dimensions/],
  [() => new nn.StochasticDepth(0.5, 'column' as never), /mode is 'column'; it must be one of 'batch', 'row'/],
]

describe('what does not fit', () => {
  test.each(mistakes.map(([attempt, message]) => ({ attempt, message })))('$message', ({ attempt, message }) => {
    expect(attempt).toThrow(message)
  })
})
