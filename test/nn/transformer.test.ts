import { expect, test } from 'vitest'
import { generateSquareSubsequentMask } from '../../lib/nn/attention'
import { LayerNorm } from '../../lib/nn/norm-layer'
import {
  Transformer,
  TransformerDecoder,
  TransformerDecoderLayer,
  TransformerEncoder,
  TransformerEncoderLayer,
} from '../../lib/nn/transformer'
import { memory, randn, silu, tidy } from '../../lib/tensor'
import { layerCase, testFirstValues, testLayerCases } from '../support/layer-cases'

const small = { dimFeedforward: 9, dropout: 0 }
const first = { ...small, activation: 'gelu', normFirst: true, batchFirst: true } as const

testLayerCases('transformer', [
  layerCase('TransformerEncoderLayer default', () => new TransformerEncoderLayer(6, 2, small)),
  layerCase(
    'TransformerEncoderLayer first',
    () => new TransformerEncoderLayer(6, 3, { ...first, layerNormEps: 0.01 }),
    (m, x, mask, srcKeyPaddingMask) => m.forward(x, { mask, srcKeyPaddingMask }),
  ),
  layerCase('TransformerEncoderLayer unbiased', () => new TransformerEncoderLayer(6, 2, { ...small, bias: false })),
  layerCase('TransformerDecoderLayer default', () => new TransformerDecoderLayer(6, 2, { ...small, bias: false })),
  layerCase(
    'TransformerDecoderLayer first',
    () => new TransformerDecoderLayer(6, 3, { ...first, layerNormEps: 0.01 }),
    (m, x, memory, memoryMask, memoryKeyPaddingMask) =>
      m.forward(x, memory, { tgtIsCausal: true, memoryMask, memoryKeyPaddingMask }),
  ),
  layerCase(
    'TransformerEncoder norm',
    () => {
      const layer = () => new TransformerEncoderLayer(6, 2, { ...small, activation: 'gelu' })
      return new TransformerEncoder(layer, 2, { norm: new LayerNorm(6) })
    },
    (m, x, mask) => m.forward(x, { mask, isCausal: true }),
  ),
  layerCase(
    'TransformerDecoder plain',
    () => new TransformerDecoder(() => new TransformerDecoderLayer(6, 2, small), 2),
    (m, x, memory, memoryKeyPaddingMask) => m.forward(x, memory, { memoryKeyPaddingMask }),
  ),
  layerCase(
    'Transformer causal',
    () =>
      new Transformer({
        ...first,
        dModel: 6,
        nhead: 2,
        numEncoderLayers: 1,
        numDecoderLayers: 1,
        layerNormEps: 0.1,
      }),
    (m, src, tgt, padding) => {
      const tgtMask = generateSquareSubsequentMask(5, { dtype: src.dtype })
      return m.forward(src, tgt, { tgtMask, srcKeyPaddingMask: padding, memoryKeyPaddingMask: padding })
    },
  ),
])

const tiny = { dModel: 4, nhead: 2, numEncoderLayers: 1, numDecoderLayers: 1, dimFeedforward: 3 }

testFirstValues('Transformer', 9, () => new Transformer(tiny))

test('dropout acts in training only, everywhere', () => {
  tidy(() => {
    const model = new Transformer({ ...tiny, dropout: 0.5 })
    const [src, tgt] = [randn([5, 1, 4]), randn([3, 1, 4])]
    const run = () => model.forward(src, tgt)
    expect(run().equal(run())).toBe(false)
    model.eval()
    expect(run().equal(run())).toBe(true)
  })
})

test('an activation may be a function', () => {
  tidy(() => {
    const layer = new TransformerEncoderLayer(4, 2, { ...small, activation: silu })
    expect(layer.forward(randn([3, 4])).shape).toEqual([3, 4])
    expect(() => new TransformerEncoderLayer(4, 2, { activation: 'tanh' as never })).toThrow("'relu', 'gelu'")
  })
})

test('a forward pass leaves its output alone behind', () => {
  tidy(() => {
    const model = new Transformer(tiny)
    const [src, tgt] = [randn([5, 1, 4]), randn([3, 1, 4])]
    const before = memory.stats().tensors
    model.forward(src, tgt, { tgtIsCausal: true })
    expect(memory.stats().tensors - before).toBe(1)
  })
})

test('a stack refuses a layer in place of the function that makes its layers', () => {
  const layer = new TransformerEncoderLayer(4, 2, small)
  expect(() => new TransformerEncoder(layer as never, 2)).toThrow(
    'makeLayer is an object of class TransformerEncoderLayer; pass a function that makes a layer, () => new TransformerEncoderLayer(…)',
  )
  expect(() => new TransformerDecoder(() => new TransformerDecoderLayer(4, 2, small), 1.5)).toThrow('numLayers is 1.5')
})
