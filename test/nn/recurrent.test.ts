import { describe, expect, test } from 'vitest'
import {
  packPaddedSequence,
  packSequence,
  padPackedSequence,
  padSequence,
  unpackSequence,
} from '../../lib/nn/packed-sequence'
import { GRU, LSTM, type LSTMState, RNN } from '../../lib/nn/recurrent'
import { GRUCell, LSTMCell, RNNCell } from '../../lib/nn/recurrent-cells'
import { manualSeed, memory, ones, type Tensor, tensor, tidy, zeros } from '../../lib/tensor'
import { functionCase, layerCase, testFirstValues, testLayerCases } from '../support/layer-cases'

const deep = { numLayers: 2, bidirectional: true }
const lstm = (m: { forward(x: Tensor, state: LSTMState): unknown }, x: Tensor, h: Tensor, c: Tensor) =>
  m.forward(x, [h, c])

/** Over a padded batch whose sequences do not come sorted, and back. */
function packed(m: RNN | GRU | LSTM, x: Tensor, lengths: Tensor, ...states: Tensor[]): unknown {
  const pack = packPaddedSequence(x, lengths, { enforceSorted: false })
  const [h, c] = states
  const [output, last] = m instanceof LSTM ? m.forward(pack, h && c && [h, c]) : m.forward(pack, h)
  return [...padPackedSequence(output, { paddingValue: -2, totalLength: 8 }), last]
}

testLayerCases('recurrent', [
  layerCase('RNN relu', () => new RNN(3, 5, { nonlinearity: 'relu' })),
  layerCase('RNN deep', () => new RNN(3, 5, { batchFirst: true, ...deep })),
  layerCase('GRU default', () => new GRU(3, 5)),
  layerCase('GRU single', () => new GRU(3, 4, { bias: false, ...deep })),
  layerCase('LSTM default', () => new LSTM(3, 5)),
  layerCase('LSTM deep', () => new LSTM(3, 3, { batchFirst: true, ...deep }), lstm),
  layerCase('LSTM projected', () => new LSTM(3, 5, { projSize: 3, bidirectional: true, bias: false }), lstm),
  layerCase('LSTM single', () => new LSTM(3, 4, { numLayers: 2, batchFirst: true })),
  layerCase('RNN packed', () => new RNN(3, 4, deep), packed),
  layerCase('RNN packed-relu', () => new RNN(3, 4, { nonlinearity: 'relu' }), packed),
  layerCase('GRU packed', () => new GRU(3, 4, deep), packed),
  layerCase('LSTM packed', () => new LSTM(3, 3, { projSize: 2, ...deep }), packed),
  layerCase('RNNCell relu', () => new RNNCell(3, 5, { nonlinearity: 'relu' })),
  layerCase('RNNCell tanh', () => new RNNCell(3, 5, { bias: false })),
  layerCase('GRUCell default', () => new GRUCell(3, 5)),
  layerCase('GRUCell state', () => new GRUCell(3, 5, { bias: false })),
  layerCase('LSTMCell default', () => new LSTMCell(3, 5)),
  layerCase('LSTMCell state', () => new LSTMCell(3, 5, { bias: false }), lstm),
  functionCase('packPaddedSequence unsorted', (x, lengths) =>
    packPaddedSequence(x, lengths, { batchFirst: true, enforceSorted: false }),
  ),
  functionCase('padPackedSequence sorted', (x, lengths) =>
    padPackedSequence(packPaddedSequence(x, lengths), { batchFirst: true }),
  ),
  functionCase('packSequence unsorted', (...xs) => packSequence(xs, { enforceSorted: false })),
  functionCase('unpackSequence unsorted', (...xs) => unpackSequence(packSequence(xs, { enforceSorted: false }))),
  functionCase('padSequence left', (...xs) =>
    padSequence(xs, { batchFirst: true, paddingValue: 1.5, paddingSide: 'left' }),
  ),
])

testFirstValues('LSTM', 5, () => new LSTM(3, 5, { ...deep, projSize: 2 }))
testFirstValues('GRUCell', 6, () => new GRUCell(3, 5))

describe('dropout', () => {
  const drop = () => new GRU(4, 64, { numLayers: 2, dropout: 0.5 })

  test('changes the outputs in training and not in evaluation', () => {
    tidy(() => {
      const [layer, x] = [drop(), ones([5, 3, 4])]
      const run = () => layer.forward(x)[0]
      expect(run().equal(run())).toBe(false)
      layer.eval()
      expect(run().equal(run())).toBe(true)
    })
  })

  test('drops half of what reaches the second layer', () => {
    tidy(() => {
      manualSeed(1)
      const layer = drop()
      layer.zeroGrad()
      // A feature that was dropped at every step gives the second layer's weight no gradient in its column.
      const [output] = layer.forward(ones([1, 1, 4]))
      output.sum().backward()
      const columns = layer.weight_ih_l1?.grad
        ?.abs()
        .sum({ dim: [0] })
        .eq(0)
        .sum()
        .toNumber()
      expect(columns).toBeGreaterThan(16)
      expect(columns).toBeLessThan(48)
    })
  })
})

describe('packs', () => {
  test('outlive the scope that returns them, and nothing else does', () => {
    tidy(() => {
      const before = memory.stats().tensors
      const pack = tidy(() => packSequence([ones([2, 3]), ones([4, 3])], { enforceSorted: false }))
      expect(memory.stats().tensors - before).toBe(4)
      expect(pack.batchSizes.toArray()).toEqual([2, 2, 1, 1])
      expect(pack.sortedIndices?.toArray()).toEqual([1, 0])
    })
  })

  test('print their parts', () => {
    expect(String(packSequence([tensor([1, 2]), tensor([3])]))).toMatch(
      /^PackedSequence\(data=tensor\(\[1., 3., 2.\]\)/,
    )
  })

  test('refuse lengths that do not fit', () => {
    const x = zeros([5, 2, 3])
    expect(() => packPaddedSequence(x, [5])).toThrow(
      'lengths [1] do not fit input [5, 2, 3]; there is one for each of its 2',
    )
    expect(() => packPaddedSequence(x, [5, 0])).toThrow("a length is 0; lengths go from 1 to the input's 5 steps")
    expect(() => packPaddedSequence(x, [6, 1])).toThrow('a length is 6')
    expect(() => packPaddedSequence(x, [3, 5])).toThrow(
      'sequence 1 (5 steps) is longer than the one before it; sort them',
    )
    expect(() => padPackedSequence(x as never)).toThrow('expected a PackedSequence, got a Tensor')
  })
})

describe('bad input is refused by name', () => {
  test('shapes', () => {
    const layer = new LSTM(3, 5, { batchFirst: true })
    const [h, c] = [zeros([1, 2, 5]), zeros([1, 2, 4])]
    expect(() => layer.forward(zeros([2, 7, 4]))).toThrow('LSTM: input is [2, 7, 4]; expected [N, T, 3] or [T, 3]')
    expect(() => layer.forward(zeros([3]))).toThrow('LSTM: input is [3]')
    expect(() => layer.forward(zeros([2, 7, 3]), [h, c])).toThrow('LSTM: cell state is [1, 2, 4]; expected [1, 2, 5]')
    expect(() => layer.forward(zeros([2, 7, 3]), h as never)).toThrow(
      'LSTM: the state is a Tensor; it is [hidden, cell]',
    )
    expect(() => new RNN(3, 5).forward(packSequence([zeros([2, 4])]))).toThrow(
      'RNN: packed data is [2, 4]; expected [*, 3]',
    )
    expect(() => new GRUCell(3, 5).forward(zeros([2, 4]))).toThrow('GRUCell: input is [2, 4]; expected [N, 3] or [3]')
    expect(() => new GRUCell(3, 5).forward(zeros([2, 3]), zeros([5]))).toThrow('a state is [5]; expected [2, 5]')
  })

  test('options', () => {
    expect(() => new LSTM(3, 5, { projSize: 5 })).toThrow('projSize is 5; it must be smaller than hiddenSize, 5')
    expect(() => new GRU(0, 5)).toThrow('GRU: inputSize is 0; it must be a whole number of 1 or more')
    expect(() => new GRU(3, 5, { layers: 2 } as never)).toThrow("GRU: there is no option 'layers'")
    expect(() => new RNN(3, 5, { nonlinearity: 'sine' as never })).toThrow("'tanh', 'relu'")
  })
})

test('print as in PyTorch', () => {
  expect(String(new LSTM(3, 5))).toBe('LSTM(3, 5)')
  expect(String(new LSTM(3, 5, { ...deep, projSize: 2 }))).toBe(
    'LSTM(3, 5, projSize=2, numLayers=2, bidirectional=true)',
  )
  expect(String(new GRUCell(3, 5, { bias: false }))).toBe('GRUCell(3, 5, bias=false)')
})
