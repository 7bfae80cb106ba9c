import { describe, expect, test } from 'vitest'
import {
  Bilinear,
  Conv1d,
  Conv2d,
  Conv3d,
  ConvTranspose1d,
  ConvTranspose2d,
  ConvTranspose3d,
  Flatten,
  Identity,
  Linear,
  ModuleDict,
  ModuleList,
  ParameterDict,
  ParameterList,
  ReLU,
  Sequential,
  Tanh,
  Unflatten,
} from '../../lib/nn'
import { ones, type Tensor, zeros } from '../../lib/tensor'
import { type LayerCase, layerCase, testLayerCases } from '../support/layer-cases'
import { testPrintedLayers } from '../support/printed-layers'

const cases: readonly LayerCase[] = [
  layerCase('Identity', () => new Identity()),
  layerCase('Linear', () => new Linear(5, 3)),
  layerCase('Linear no bias', () => new Linear(7, 2, { bias: false })),
  layerCase('Bilinear', () => new Bilinear(3, 4, 2)),
  layerCase('Bilinear no bias', () => new Bilinear(3, 4, 2, { bias: false })),
  layerCase('Flatten', () => new Flatten({ startDim: 1, endDim: -2 })),
  layerCase('Unflatten', () => new Unflatten(1, [2, -1])),

  layerCase('Conv1d', () => new Conv1d(4, 6, 3, { stride: 2, padding: 2, dilation: 2, groups: 2 })),
  layerCase('Conv1d same', () => new Conv1d(3, 2, 4, { padding: 'same', dilation: 3, bias: false })),
  layerCase('Conv1d circular', () => new Conv1d(2, 3, 4, { padding: 'same', paddingMode: 'circular' })),
  layerCase('Conv2d', () => new Conv2d(4, 6, [3, 2], { stride: [2, 1], padding: [0, 1], dilation: [1, 2], groups: 2 })),
  layerCase('Conv2d default', () => new Conv2d(3, 2, 3)),
  layerCase('Conv2d valid', () => new Conv2d(3, 4, 3, { stride: 2, padding: 'valid' })),
  layerCase('Conv2d same', () => new Conv2d(2, 3, [4, 3], { padding: 'same' })),
  layerCase('Conv2d reflect', () => new Conv2d(2, 3, 3, { stride: 2, padding: [2, 1], paddingMode: 'reflect' })),
  layerCase('Conv2d replicate', () => new Conv2d(2, 3, 3, { padding: 2, paddingMode: 'replicate', bias: false })),
  layerCase('Conv2d depthwise', () => new Conv2d(3, 6, 3, { padding: 1, groups: 3 })),
  layerCase('Conv3d', () => new Conv3d(2, 4, [3, 2, 1], { stride: [1, 2, 1], padding: [1, 0, 1], groups: 2 })),
  layerCase('Conv3d circular', () => new Conv3d(2, 2, 3, { padding: [1, 2, 0], paddingMode: 'circular', bias: false })),
  layerCase(
    'ConvTranspose1d',
    () => new ConvTranspose1d(4, 6, 3, { stride: 3, padding: 1, outputPadding: 2, groups: 2, dilation: 2 }),
  ),
  layerCase(
    'ConvTranspose2d',
    () =>
      new ConvTranspose2d(4, 2, [3, 2], {
        stride: [2, 3],
        padding: [1, 0],
        outputPadding: [1, 0],
        groups: 2,
        bias: false,
      }),
  ),
  layerCase(
    'ConvTranspose2d size',
    () => new ConvTranspose2d(2, 3, 3, { stride: 3 }),
    (layer, x) => layer.forward(x, [11, 12]),
  ),
  layerCase('ConvTranspose3d', () => new ConvTranspose3d(2, 3, [2, 3, 1], { stride: [1, 2, 2], dilation: [2, 1, 1] })),

  layerCase('Sequential', () => new Sequential(new Conv2d(2, 3, 3), new ReLU(), new Flatten(), new Linear(9, 2))),
  layerCase('Sequential named', () => new Sequential({ first: new Linear(3, 4), act: new Tanh() })),
  {
    name: 'ModuleList',
    make: () => new ModuleList([new Linear(3, 3), new Linear(3, 3), new ReLU()]),
    run: (list, [x]) => [...(list as ModuleList<ReLU>)].reduce((y, layer) => layer.forward(y), x as Tensor),
  },
  {
    name: 'ModuleDict',
    make: () => new ModuleDict({ up: new Linear(3, 4), down: new Linear(4, 2) }),
    run: (module, [x]) => {
      const dict = module as ModuleDict<{ up: Linear; down: Linear }>
      return dict.get('down').forward(dict.get('up').forward(x as Tensor))
    },
  },
  {
    name: 'ParameterList',
    make: () => new ParameterList([zeros([2, 3]), zeros([3])]),
    run: (list, [x]) => (x as Tensor).matmul((list as ParameterList).at(0)).add((list as ParameterList).at(-1)),
  },
  {
    name: 'ParameterDict',
    make: () => new ParameterDict({ up: zeros([2, 3]), offset: zeros([3]) }),
    run: (dict, [x]) =>
      (x as Tensor).matmul((dict as ParameterDict).get('up')).add((dict as ParameterDict).get('offset')),
  },
]

testLayerCases('linear', cases)
testPrintedLayers(cases)

const mistakes: readonly (readonly [attempt: () => unknown, message: RegExp])[] = [
  [() => new Conv2d(3, 4, 3, { groups: 2 }), /3 input and 4 output channels do not both divide into 2 groups/],
  [() => new Conv2d(3, 4, 0), /Conv2d: kernelSize is 0; it must be a whole number of 1 or more, or a list of 2/],
  [() => new Conv2d(3, 4, [3, 3, 3] as never), /kernelSize is \[3, 3, 3\]/],
  [() => new Conv1d(3, 4, 3, { padding: 'same', stride: 2 }), /padding 'same' with a stride of \(2,\)/],
  [() => new Conv2d(3, 4, 3, { paddingMode: 'mirror' as never }), /paddingMode is 'mirror'.*'reflect'/],
  [() => new Conv2d(3, 4, 3, { strides: 2 } as never), /there is no option 'strides'; it takes stride, padding/],
  [() => new Conv2d(3, 4, 3, 2 as never), /expected an object of options \(stride, padding.*got 2/],
  [() => new Linear(2.5, 1), /Linear: inFeatures is 2.5/],
  [() => new Sequential(3 as never), /layer 0 is 3; it must be a Module/],
  [() => new Sequential({ 'a.b': new ReLU() }), /'a.b' cannot be a name/],
  [() => new Sequential(new ReLU()).at(1), /there is no item 1; it has 1/],
  [() => new ModuleDict({ a: new ReLU() }).get('b' as never), /there is no 'b'; it has a/],
  [() => new ParameterDict({ a: ones([1]) }).get('b' as never), /there is no 'b'; it has a/],
  [() => new ParameterDict({ a: 3 as never }), /'a' is 3, no Tensor/],
]

describe('what does not fit', () => {
  test.each(mistakes.map(([attempt, message]) => ({ attempt, message })))('$message', ({ attempt, message }) => {
    expect(attempt).toThrow(message)
  })

  test('an output size that no stride gives names the range', () => {
    const layer = new ConvTranspose2d(1, 1, 3, { stride: 2 })
    expect(() => layer.forward(ones([1, 1, 3, 3]), [7, 9])).toThrow(/sizes range from \(7, 7\) to \(8, 8\)/)
  })

  test('an input of other channels is told by the operator', () => {
    expect(() => new Conv2d(3, 4, 3).forward(ones([1, 2, 5, 5]))).toThrow(/\[4, 3, 3, 3\].*2 channels/)
  })
})

describe('containers', () => {
  test('hold layers in their order, typed by place', () => {
    const net = new Sequential(new Linear(2, 3), new ReLU())
    const width: number = net.at(0).outFeatures
    expect([width, net.length, [...net].length]).toEqual([3, 2, 2])
    expect(net.append(new Linear(3, 1)).forward(ones([4, 2])).shape).toEqual([4, 1])
    expect([...net.stateDict().keys()]).toEqual(['0.weight', '0.bias', '2.weight', '2.bias'])
  })

  test('an empty sequence passes its input on', () => {
    const x = ones([2])
    expect(new Sequential().forward(x)).toBe(x)
  })

  test('a parameter list takes a parameter as it is', () => {
    const { weight } = new Linear(2, 3)
    const list = new ParameterList([weight])
    expect(list.at(0)).toBe(weight)
    expect(String(list)).toBe('ParameterList(\n  (0): Parameter float32 (3, 2)\n)')
  })
})
