import { describe, expect, test } from 'vitest'
import { generateSquareSubsequentMask, MultiheadAttention } from '../../lib/nn/attention'
import { manualSeed, ones, randn, type Tensor, tidy, zeros } from '../../lib/tensor'
import { layerCase, testFirstValues, testLayerCases } from '../support/layer-cases'

type MHA = MultiheadAttention
const extended = () => new MultiheadAttention(6, 2, { addBiasKv: true, addZeroAttn: true })
const different = () => new MultiheadAttention(6, 3, { kdim: 4, vdim: 5, batchFirst: true })

testLayerCases('attention', [
  layerCase(
    'MultiheadAttention self',
    () => new MultiheadAttention(6, 3),
    (m, x) => m.forward(x, x, x),
  ),
  layerCase(
    'MultiheadAttention causal',
    () => new MultiheadAttention(6, 2, { bias: false, batchFirst: true }),
    (m, x) => m.forward(x, x, x, { isCausal: true, needWeights: false }),
  ),
  layerCase('MultiheadAttention masked', extended, (m: MHA, q, k, v, keyPaddingMask, attnMask) =>
    m.forward(q, k, v, { keyPaddingMask, attnMask, averageAttnWeights: false }),
  ),
  layerCase('MultiheadAttention masked-fast', extended, (m: MHA, q, k, v, keyPaddingMask, attnMask) =>
    m.forward(q, k, v, { keyPaddingMask, attnMask, needWeights: false }),
  ),
  layerCase('MultiheadAttention weights', different, (m: MHA, q, k, v, keyPaddingMask, attnMask) =>
    m.forward(q, k, v, { keyPaddingMask, attnMask }),
  ),
  layerCase('MultiheadAttention output', different, (m: MHA, q, k, v, keyPaddingMask, attnMask) =>
    m.forward(q, k, v, { keyPaddingMask, attnMask, needWeights: false }),
  ),
  layerCase(
    'MultiheadAttention single',
    () => new MultiheadAttention(6, 3, { kdim: 4, vdim: 4, addBiasKv: true, bias: false }),
    (m, q, k, keyPaddingMask) => m.forward(q, k, k, { keyPaddingMask, averageAttnWeights: false }),
  ),
])

testFirstValues('MultiheadAttention same', 7, () => new MultiheadAttention(6, 2, { addBiasKv: true }))
testFirstValues('MultiheadAttention different', 8, () => new MultiheadAttention(6, 2, { kdim: 3, vdim: 4 }))

describe('a causal mask', () => {
  const infinity = Number.POSITIVE_INFINITY

  test('hides what is above the diagonal', () => {
    const mask = generateSquareSubsequentMask(3, { dtype: 'float64' })
    expect(mask.dtype).toBe('float64')
    expect(mask.toArray()).toEqual([
      [0, -infinity, -infinity],
      [0, 0, -infinity],
      [0, 0, 0],
    ])
  })

  test('is the same whether it is said, given, or asked for with weights', () => {
    tidy(() => {
      const layer = new MultiheadAttention(6, 2, { addBiasKv: true })
      const x = randn([5, 2, 6])
      const run = (options: Parameters<MHA['forward']>[3]) => layer.forward(x, x, x, options)[0]
      const given = run({ attnMask: generateSquareSubsequentMask(5), needWeights: false })
      expect(run({ isCausal: true, needWeights: false }).allclose(given, { atol: 1e-6 })).toBe(true)
      expect(run({ isCausal: true }).allclose(given, { atol: 1e-6 })).toBe(true)
    })
  })
})

describe('dropout', () => {
  const weightsOf = (layer: MHA, x: Tensor) => layer.forward(x, x, x)[1] as Tensor

  test('drops attention weights with its probability and scales the others', () => {
    tidy(() => {
      manualSeed(3)
      const layer = new MultiheadAttention(4, 1, { dropout: 0.25, batchFirst: true })
      // Equal positions attend to all equally: 1/50, or 1/50 / 0.75 where kept.
      const weights = weightsOf(layer, ones([1, 50, 4]))
      const kept = weights.gt(0)
      expect(kept.to('float32').mean().toNumber()).toBeCloseTo(0.75, 1)
      expect(weights.sum().div(kept.sum()).toNumber()).toBeCloseTo(1 / 50 / 0.75, 5)
      layer.eval()
      expect(
        weightsOf(layer, ones([1, 50, 4]))
          .gt(0)
          .all()
          .item(),
      ).toBe(true)
    })
  })

  test('happens without weights too', () => {
    tidy(() => {
      const layer = new MultiheadAttention(4, 2, { dropout: 0.5 })
      const x = randn([7, 1, 4])
      const run = () => layer.forward(x, x, x, { needWeights: false })[0]
      expect(run().equal(run())).toBe(false)
      layer.eval()
      expect(run().equal(run())).toBe(true)
    })
  })
})

describe('bad input is refused by name', () => {
  const layer = new MultiheadAttention(6, 2, { kdim: 4 })
  const [q, k] = [zeros([5, 2, 6]), zeros([7, 2, 4])]

  test('shapes', () => {
    const error = 'MultiheadAttention: key is [5, 2, 6]; expected [L, N, 4], or [L, 4] for all three'
    expect(() => layer.forward(q, q, q)).toThrow(error)
    expect(() => layer.forward(q, k, zeros([7, 6]))).toThrow('value is [7, 6]')
    const v = zeros([7, 2, 6])
    expect(() => layer.forward(q, k, v, { attnMask: zeros([7, 5]) })).toThrow(
      'attnMask is [7, 5]; expected [5, 7] or [4, 5, 7]',
    )
    expect(() => layer.forward(q, k, v, { keyPaddingMask: zeros([7, 2]) })).toThrow(
      'keyPaddingMask is [7, 2]; expected [2, 7]',
    )
  })

  test('options', () => {
    expect(() => new MultiheadAttention(6, 4)).toThrow(
      'embedDim is 6 and numHeads 4; embedDim must be a multiple of it',
    )
    expect(() => new MultiheadAttention(6, 2, { dropout: 2 })).toThrow('dropout is 2; it must be a probability')
    expect(() => layer.forward(q, k, q, { mask: q } as never)).toThrow("there is no option 'mask'")
  })
})
