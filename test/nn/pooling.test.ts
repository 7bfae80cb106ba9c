import { describe, expect, test } from 'vitest'
import * as nn from '../../lib/nn'
import * as F from '../../lib/nn/functional'
import { manualSeed, ones, type Tensor, tensor } from '../../lib/tensor'
import { functionCase, type LayerCase, layerCase, testLayerCases } from '../support/layer-cases'
import { testPrintedLayers } from '../support/printed-layers'

const samples2d = tensor(
  [...Array(2)].map(() => [
    [0.1, 0.7],
    [0.4, 0.2],
    [0.9, 0.55],
  ]),
  { dtype: 'float64' },
)
const samples3d = tensor(
  [
    [
      [0.1, 0.7, 0.3],
      [0.4, 0.2, 0.8],
    ],
  ],
  { dtype: 'float64' },
)

/** Drawn in float64, as in the fixture: float32 draws other numbers. */
const drawn = (run: (x: Tensor) => Tensor | [Tensor, Tensor]) => (x: Tensor) => {
  manualSeed(5)
  const [values, places] = [run(x.to('float64'))].flat()
  return [values?.to(x.dtype), places]
}
const indices = (pool: { forwardWithIndices(x: Tensor): unknown }, x: Tensor) => pool.forwardWithIndices(x)

const cases: readonly LayerCase[] = [
  layerCase('MaxPool1d', () => new nn.MaxPool1d(3, { stride: 2, padding: 1, ceilMode: true })),
  layerCase('MaxPool2d', () => new nn.MaxPool2d(3, { stride: 2, padding: 1, ceilMode: true })),
  layerCase('MaxPool3d', () => new nn.MaxPool3d(3, { stride: 2, padding: 1, ceilMode: true })),
  layerCase('MaxPool1d dilation', () => new nn.MaxPool1d([2], { dilation: [2] })),
  layerCase('MaxPool2d dilation', () => new nn.MaxPool2d([2, 3], { dilation: [2, 1] })),
  layerCase('MaxPool3d dilation', () => new nn.MaxPool3d([2, 3, 2], { dilation: [2, 1, 2] })),
  layerCase('MaxPool1d indices', () => new nn.MaxPool1d(2), indices),
  layerCase('MaxPool2d indices', () => new nn.MaxPool2d(2), indices),
  layerCase('MaxPool3d indices', () => new nn.MaxPool3d(2), indices),
  layerCase('AvgPool1d', () => new nn.AvgPool1d(3, { stride: 2, padding: 1, ceilMode: true, countIncludePad: false })),
  layerCase('AvgPool2d', () => new nn.AvgPool2d(3, { stride: 2, padding: 1, ceilMode: true, countIncludePad: false })),
  layerCase('AvgPool3d', () => new nn.AvgPool3d(3, { stride: 2, padding: 1, ceilMode: true, countIncludePad: false })),
  layerCase('AvgPool1d default', () => new nn.AvgPool1d([2])),
  layerCase('AvgPool2d default', () => new nn.AvgPool2d([2, 3])),
  layerCase('AvgPool3d default', () => new nn.AvgPool3d([2, 3, 2])),
  layerCase('AvgPool2d divisor', () => new nn.AvgPool2d(2, { divisorOverride: 3 })),
  layerCase('AvgPool3d divisor', () => new nn.AvgPool3d(2, { divisorOverride: 3 })),
  layerCase('AdaptiveAvgPool1d', () => new nn.AdaptiveAvgPool1d([3])),
  layerCase('AdaptiveAvgPool2d', () => new nn.AdaptiveAvgPool2d([null, 3])),
  layerCase('AdaptiveAvgPool3d', () => new nn.AdaptiveAvgPool3d([null, 3, 2])),
  layerCase('AdaptiveMaxPool1d', () => new nn.AdaptiveMaxPool1d([3])),
  layerCase('AdaptiveMaxPool2d', () => new nn.AdaptiveMaxPool2d([null, 3])),
  layerCase('AdaptiveMaxPool3d', () => new nn.AdaptiveMaxPool3d([null, 3, 2])),
  layerCase('AdaptiveMaxPool1d indices', () => new nn.AdaptiveMaxPool1d(2), indices),
  layerCase('AdaptiveMaxPool2d indices', () => new nn.AdaptiveMaxPool2d(2), indices),
  layerCase('AdaptiveMaxPool3d indices', () => new nn.AdaptiveMaxPool3d(2), indices),
  functionCase('adaptiveMaxPool1dWithIndices', (x) => F.adaptiveMaxPool1dWithIndices(x, 2)),
  functionCase('adaptiveMaxPool2dWithIndices', (x) => F.adaptiveMaxPool2dWithIndices(x, 2)),
  functionCase('adaptiveMaxPool3dWithIndices', (x) => F.adaptiveMaxPool3dWithIndices(x, 2)),
  functionCase('adaptiveMaxPool1d', (x) => F.adaptiveMaxPool1d(x, 2)),
  functionCase('adaptiveMaxPool2d', (x) => F.adaptiveMaxPool2d(x, 2)),
  functionCase('adaptiveMaxPool3d', (x) => F.adaptiveMaxPool3d(x, 2)),

  layerCase('LPPool1d', () => new nn.LPPool1d(2, 3, { stride: 2, ceilMode: true })),
  layerCase('LPPool2d', () => new nn.LPPool2d(2, 3, { stride: 2, ceilMode: true })),
  layerCase('LPPool3d', () => new nn.LPPool3d(2, 3, { stride: 2, ceilMode: true })),
  layerCase('LPPool1d cubes', () => new nn.LPPool1d(3, 2)),
  layerCase('LPPool2d cubes', () => new nn.LPPool2d(3, [2, 3])),
  layerCase('LPPool3d cubes', () => new nn.LPPool3d(3, [2, 3, 2])),
  functionCase('lpPool1d', (x) => F.lpPool1d(x, 4, 2)),
  functionCase('lpPool2d', (x) => F.lpPool2d(x, 4, 2)),
  functionCase('lpPool3d', (x) => F.lpPool3d(x, 4, 2)),
  layerCase(
    'MaxUnpool1d',
    () => new nn.MaxUnpool1d(3, { stride: 2, padding: 1 }),
    (layer, x, i) => layer.forward(x as Tensor, i as Tensor, [11]),
  ),
  layerCase(
    'MaxUnpool2d',
    () => new nn.MaxUnpool2d(3, { stride: 2, padding: 1 }),
    (layer, x, i) => layer.forward(x as Tensor, i as Tensor, [7, 9]),
  ),
  layerCase(
    'MaxUnpool3d',
    () => new nn.MaxUnpool3d(3, { stride: 2, padding: 1 }),
    (layer, x, i) => layer.forward(x as Tensor, i as Tensor, [5, 7, 5]),
  ),
  functionCase('maxUnpool1d', (x, i) => F.maxUnpool1d(x as Tensor, i as Tensor, 2)),
  functionCase('maxUnpool2d', (x, i) => F.maxUnpool2d(x as Tensor, i as Tensor, 2)),
  functionCase('maxUnpool3d', (x, i) => F.maxUnpool3d(x as Tensor, i as Tensor, 2)),

  layerCase(
    'FractionalMaxPool2d',
    () => new nn.FractionalMaxPool2d(2, { outputSize: [3, 4], randomSamples: samples2d }),
  ),
  layerCase(
    'FractionalMaxPool2d indices',
    () => new nn.FractionalMaxPool2d([2, 3], { outputRatio: [0.5, 0.6], randomSamples: samples2d }),
    indices,
  ),
  layerCase(
    'FractionalMaxPool3d',
    () => new nn.FractionalMaxPool3d([2, 3, 2], { outputSize: [3, 2, 3], randomSamples: samples3d }),
  ),
  functionCase(
    'fractionalMaxPool2d drawn',
    drawn((x) => F.fractionalMaxPool2d(x, 2, { outputRatio: 0.5 })),
  ),
  functionCase(
    'fractionalMaxPool2dWithIndices drawn',
    drawn((x) => F.fractionalMaxPool2dWithIndices(x, 2, { outputSize: 3 })),
  ),
  functionCase(
    'fractionalMaxPool3d drawn',
    drawn((x) => F.fractionalMaxPool3d(x, 2, { outputSize: 3 })),
  ),
  functionCase(
    'fractionalMaxPool3dWithIndices drawn',
    drawn((x) => F.fractionalMaxPool3dWithIndices(x, 2, { outputRatio: 0.5 })),
  ),
]

testLayerCases('pooling', cases)
testPrintedLayers(cases)

const mistakes: readonly (readonly [attempt: () => unknown, message: RegExp])[] = [
  [() => new nn.MaxPool2d([2, 0]), /MaxPool2d: kernelSize is \[2, 0\]/],
  [() => new nn.AvgPool2d(2, { divisorOverride: 0 }), /divisorOverride is 0/],
  [() => new nn.AdaptiveAvgPool2d([1, 2, 3] as never), /AdaptiveAvgPool2d: outputSize is \[1, 2, 3\].*list of 2/],
  [() => new nn.FractionalMaxPool2d(2, {}), /give outputSize, or outputRatio/],
  [() => new nn.FractionalMaxPool2d(2, { outputSize: 2, outputRatio: 0.5 }), /not both/],
  [() => new nn.FractionalMaxPool3d(2, { outputRatio: 1.5 }), /between 0 and 1/],
  [() => F.maxUnpool2d(ones([1, 1, 2, 2]), ones([1, 1, 2, 2]), 2, { outputSize: [7, 7] }), /less than the stride/],
  [() => F.fractionalMaxPool2d(ones([2, 2]), 2, { outputSize: 1 }), /it must have 3 or 4 dimensions/],
]

describe('what does not fit', () => {
  test.each(mistakes.map(([attempt, message]) => ({ attempt, message })))('$message', ({ attempt, message }) => {
    expect(attempt).toThrow(message)
  })
})
