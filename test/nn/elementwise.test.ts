import { describe, expect, test } from 'vitest'
import * as nn from '../../lib/nn'
import * as F from '../../lib/nn/functional'
import { manualSeed, memory, ones, type Tensor, tensor, tidy } from '../../lib/tensor'
import { functionCase, type LayerCase, layerCase, testLayerCases } from '../support/layer-cases'
import { testPrintedLayers } from '../support/printed-layers'

const PLAIN = [
  nn.ReLU,
  nn.ReLU6,
  nn.SELU,
  nn.SiLU,
  nn.Mish,
  nn.Hardswish,
  nn.Hardsigmoid,
  nn.Sigmoid,
  nn.LogSigmoid,
  nn.Tanh,
  nn.Tanhshrink,
  nn.Softsign,
]

const INPLACE: readonly nn.Layer[] = [
  new nn.ReLU({ inplace: true }),
  new nn.ReLU6({ inplace: true }),
  new nn.SELU({ inplace: true }),
  new nn.SiLU({ inplace: true }),
  new nn.Mish({ inplace: true }),
  new nn.Hardswish({ inplace: true }),
  new nn.Hardsigmoid({ inplace: true }),
  new nn.ELU({ alpha: 0.7, inplace: true }),
  new nn.CELU({ alpha: 0.7, inplace: true }),
  new nn.LeakyReLU({ negativeSlope: 0.2, inplace: true }),
  new nn.Hardtanh({ inplace: true }),
  new nn.Threshold(0.1, 2, { inplace: true }),
  new nn.RReLU({ inplace: true }).eval(),
  new nn.Dropout({ p: 0.3, inplace: true }).eval(),
]

const seeded = (layer: nn.Layer, x: Tensor) => {
  manualSeed(5)
  return layer.forward(x)
}
/** Drawn in float64, as in the fixture: float32 draws other numbers. */
const drawn = (run: (x: Tensor) => Tensor) => (x: Tensor) => {
  manualSeed(5)
  return run(x.to('float64')).to(x.dtype)
}

const cases: readonly LayerCase[] = [
  ...PLAIN.map((Activation) => layerCase(Activation.name, () => new Activation())),
  layerCase('ELU', () => new nn.ELU({ alpha: 1.7 })),
  layerCase('CELU', () => new nn.CELU({ alpha: 0.6 })),
  layerCase('LeakyReLU', () => new nn.LeakyReLU({ negativeSlope: 0.3 })),
  layerCase('Hardtanh', () => new nn.Hardtanh({ minVal: -0.7, maxVal: 1.3 })),
  layerCase('Threshold', () => new nn.Threshold(0.4, -3)),
  layerCase('Softplus', () => new nn.Softplus({ beta: 1.5, threshold: 2 })),
  layerCase('Softshrink', () => new nn.Softshrink({ lambd: 0.8 })),
  layerCase('Hardshrink', () => new nn.Hardshrink({ lambd: 1.2 })),
  layerCase('GELU', () => new nn.GELU()),
  layerCase('GELU tanh', () => new nn.GELU({ approximate: 'tanh' })),
  layerCase('GLU', () => new nn.GLU({ dim: 1 })),
  layerCase('PReLU', () => new nn.PReLU()),
  layerCase('PReLU channels', () => new nn.PReLU({ numParameters: 4, init: 0.1 })),
  layerCase('Softmax', () => new nn.Softmax(1)),
  layerCase('Softmin', () => new nn.Softmin(0)),
  layerCase('LogSoftmax', () => new nn.LogSoftmax(-1)),
  layerCase('Softmax2d', () => new nn.Softmax2d()),
  layerCase('RReLU train', () => new nn.RReLU({ lower: 0.2, upper: 0.6 }), seeded),
  layerCase('RReLU eval', () => new nn.RReLU({ lower: 0.2, upper: 0.6 }).eval()),
  ...INPLACE.map((layer) =>
    layerCase(
      `${layer.constructor.name} inplace`,
      () => layer,
      (_, x) => {
        // The input of an in-place layer must not be a leaf, and its change must show.
        const changed = x.mul(1)
        return [layer.forward(changed), changed]
      },
    ),
  ),
  functionCase('softmin', (x) => F.softmin(x, 0)),
  functionCase('softsign', F.softsign),
  functionCase('tanhshrink', F.tanhshrink),
  functionCase(
    'gumbelSoftmax',
    drawn((x) => F.gumbelSoftmax(x, { tau: 0.7, dim: 0 })),
  ),
  functionCase(
    'gumbelSoftmax hard',
    drawn((x) => F.gumbelSoftmax(x, { tau: 1.3, hard: true })),
  ),

  layerCase('Embedding', () => new nn.Embedding(6, 3, { paddingIdx: -2 })),
  layerCase(
    'Embedding norm',
    () => new nn.Embedding(5, 3, { maxNorm: 0.5, normType: 1, scaleGradByFreq: true }),
    (layer, i) => [layer.forward(i), layer.weight.detach().clone()],
  ),
  functionCase('embedding', (i, w) => F.embedding(i as Tensor, w as Tensor, { paddingIdx: 1 })),
  layerCase('EmbeddingBag', () => new nn.EmbeddingBag(6, 3)),
  layerCase(
    'EmbeddingBag offsets',
    () => new nn.EmbeddingBag(6, 3, { mode: 'sum', paddingIdx: 2, includeLastOffset: true }),
    (layer, i, offsets) => layer.forward(i as Tensor, { offsets }),
  ),
  layerCase(
    'EmbeddingBag weighted',
    () => new nn.EmbeddingBag(6, 3, { mode: 'sum' }),
    (layer, i, perSampleWeights) => layer.forward(i as Tensor, { perSampleWeights }),
  ),
  layerCase(
    'EmbeddingBag max',
    () => new nn.EmbeddingBag(6, 3, { mode: 'max', maxNorm: 0.5 }),
    (layer, i, offsets) => layer.forward(i as Tensor, { offsets }),
  ),
  functionCase('embeddingBag', (i, w) => F.embeddingBag(i as Tensor, w as Tensor, { scaleGradByFreq: true })),

  layerCase('CosineSimilarity', () => new nn.CosineSimilarity({ dim: -1, eps: 1e-3 })),
  layerCase('PairwiseDistance', () => new nn.PairwiseDistance({ p: 3, eps: 1e-2, keepdim: true })),
]

testLayerCases('elementwise', cases)
testPrintedLayers(cases)

describe('in place', () => {
  test.each(INPLACE.map((layer) => ({ name: layer.constructor.name, layer })))(
    '$name returns its input',
    ({ layer }) => {
      tidy(() => {
        const x = tensor([-2, -0.5, 0.5, 2])
        expect(layer.forward(x)).toBe(x)
      })
    },
  )
})

describe('embeddings', () => {
  test('a pretrained table is taken over, frozen unless asked', () => {
    const table = tensor([
      [1, 2],
      [3, 4],
    ])
    const layer = nn.Embedding.fromPretrained(table)
    expect(layer.weight.requiresGrad).toBe(false)
    expect(layer.forward(tensor([1n])).toArray()).toEqual([[3, 4]])
    const bag = nn.EmbeddingBag.fromPretrained(table, { freeze: false, mode: 'sum' })
    expect(bag.weight.requiresGrad).toBe(true)
    expect(bag.forward(tensor([[0n, 1n]])).toArray()).toEqual([[4, 6]])
  })

  test('the padding row begins as zeros', () => {
    const { weight } = new nn.Embedding(4, 3, { paddingIdx: -1 })
    expect(weight.at(3).toArray()).toEqual([0, 0, 0])
    expect(weight.at(2).toArray()).not.toContain(0)
  })
})

test('functions leave no tensors but their results', () => {
  const x = ones([3, 4])
  const before = memory.stats().tensors
  for (const y of [F.softsign(x), F.tanhshrink(x), F.softmin(x, 1), F.gumbelSoftmax(x, { hard: true })]) y.dispose()
  expect(memory.stats().tensors).toBe(before)
})

const mistakes: readonly (readonly [attempt: () => unknown, message: RegExp])[] = [
  [() => new nn.Embedding(3, 2, { paddingIdx: 3 }), /Embedding: paddingIdx is 3; there are 3 rows/],
  [() => nn.Embedding.fromPretrained(ones([3])), /must be \[rows, width\]/],
  [() => new nn.EmbeddingBag(3, 2, { mode: 'median' as never }), /mode is 'median'.*'sum', 'mean', 'max'/],
  [() => new nn.EmbeddingBag(3, 2, { mode: 'max', scaleGradByFreq: true }), /needs mode 'sum' or 'mean'/],
  [() => new nn.EmbeddingBag(3, 2).forward(tensor([1n])), /or a flat list with offsets/],
  [
    () => new nn.EmbeddingBag(3, 2).forward(tensor([[1n]]), { perSampleWeights: ones([1, 1]) }),
    /perSampleWeights with mode 'mean'; they need mode 'sum'/,
  ],
  [() => new nn.GELU({ approximate: 'erf' as never }), /approximate is 'erf'; it must be one of 'none', 'tanh'/],
  [() => new nn.Softmax(undefined as never), /Softmax: dim/],
  [() => new nn.Softmax2d().forward(ones([2, 3])), /must be \[N, C, H, W\] or \[C, H, W\]/],
  [() => new nn.ELU(1 as never), /expected an object of options \(alpha, inplace\), got 1/],
]

describe('what does not fit', () => {
  test.each(mistakes.map(([attempt, message]) => ({ attempt, message })))('$message', ({ attempt, message }) => {
    expect(attempt).toThrow(message)
  })
})
