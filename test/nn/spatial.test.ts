import { describe, expect, test } from 'vitest'
import * as nn from '../../lib/nn'
import * as F from '../../lib/nn/functional'
import { ones, type Tensor } from '../../lib/tensor'
import { functionCase, type LayerCase, layerCase, testLayerCases } from '../support/layer-cases'
import { testPrintedLayers } from '../support/printed-layers'

const PADS_1D = [nn.ZeroPad1d, nn.ReflectionPad1d, nn.ReplicationPad1d, nn.CircularPad1d]
const PADS_2D = [nn.ZeroPad2d, nn.ReflectionPad2d, nn.ReplicationPad2d, nn.CircularPad2d]
const PADS_3D = [nn.ZeroPad3d, nn.ReflectionPad3d, nn.ReplicationPad3d, nn.CircularPad3d]

const cases: readonly LayerCase[] = [
  ...PADS_1D.map((Pad) => layerCase(Pad.name, () => new Pad([2, 1]))),
  ...PADS_2D.map((Pad) => layerCase(Pad.name, () => new Pad([1, 2, 2, 0]))),
  ...PADS_3D.map((Pad) => layerCase(Pad.name, () => new Pad([1, 0, 2, 1, 0, 1]))),
  layerCase('ConstantPad1d', () => new nn.ConstantPad1d([2, 1], 1.5)),
  layerCase('ConstantPad2d', () => new nn.ConstantPad2d([1, 2, 2, 0], 1.5)),
  layerCase('ConstantPad3d', () => new nn.ConstantPad3d([1, 0, 2, 1, 0, 1], 1.5)),
  ...[nn.ReflectionPad1d, nn.ReflectionPad2d, nn.ReflectionPad3d].map((Pad) =>
    layerCase(`${Pad.name} number`, () => new Pad(2)),
  ),
  layerCase('ZeroPad2d crop', () => new nn.ZeroPad2d([-1, 1, 0, -2])),

  layerCase('Upsample', () => new nn.Upsample({ scaleFactor: 1.7 })),
  layerCase('Upsample signal', () => new nn.Upsample({ size: 7 })),
  layerCase('Upsample volume', () => new nn.Upsample({ scaleFactor: [2, 1, 0.5] })),
  layerCase('Upsample exact', () => new nn.Upsample({ size: [7, 4], mode: 'nearest-exact' })),
  layerCase('Upsample exact signal', () => new nn.Upsample({ scaleFactor: 1.4, mode: 'nearest-exact' })),
  layerCase('Upsample exact volume', () => new nn.Upsample({ size: [2, 5, 7], mode: 'nearest-exact' })),
  layerCase('Upsample linear', () => new nn.Upsample({ scaleFactor: 1.5, mode: 'linear' })),
  layerCase('Upsample bilinear', () => new nn.Upsample({ size: [8, 3], mode: 'bilinear', alignCorners: true })),
  layerCase(
    'Upsample recomputed',
    () => new nn.Upsample({ scaleFactor: [1.3, 0.7], mode: 'bilinear', recomputeScaleFactor: true }),
  ),
  layerCase('Upsample bicubic', () => new nn.Upsample({ scaleFactor: 1.3, mode: 'bicubic', alignCorners: false })),
  layerCase('Upsample trilinear', () => new nn.Upsample({ size: [4, 3, 7], mode: 'trilinear', alignCorners: true })),
  layerCase('UpsamplingNearest2d', () => new nn.UpsamplingNearest2d({ scaleFactor: 2 })),
  layerCase('UpsamplingBilinear2d', () => new nn.UpsamplingBilinear2d({ size: [7, 3] })),
  ...(['bilinear', 'bicubic'] as const).map((mode) =>
    functionCase(`interpolate antialias ${mode}`, (x) => F.interpolate(x, { size: [3, 4], mode, antialias: true })),
  ),
  functionCase('interpolate area signal', (x) => F.interpolate(x, { size: 3, mode: 'area' })),
  functionCase('interpolate area image', (x) => F.interpolate(x, { size: [2, 5], mode: 'area' })),
  functionCase('interpolate area volume', (x) => F.interpolate(x, { size: [2, 3, 2], mode: 'area' })),
  functionCase('interpolate area factor', (x) => F.interpolate(x, { scaleFactor: 0.6, mode: 'area' })),

  layerCase('PixelShuffle', () => new nn.PixelShuffle(3)),
  layerCase('PixelUnshuffle', () => new nn.PixelUnshuffle(2)),
  layerCase('ChannelShuffle', () => new nn.ChannelShuffle(3)),
  layerCase('Unfold', () => new nn.Unfold([2, 3], { dilation: [2, 1], padding: 1, stride: [1, 2] })),
  layerCase('Fold', () => new nn.Fold([5, 6], [2, 3], { dilation: [2, 1], padding: 1, stride: [1, 2] })),
  functionCase('unfold', (x) => F.unfold(x, 2, { stride: 2 })),
  functionCase('fold', (x) => F.fold(x, [4, 5], 2)),

  ...(['bilinear', 'nearest', 'bicubic'] as const).flatMap((mode) =>
    (['zeros', 'border', 'reflection'] as const).map((paddingMode) =>
      functionCase(`gridSample ${mode} ${paddingMode}`, (x, grid) =>
        F.gridSample(x as Tensor, grid as Tensor, { mode, paddingMode, alignCorners: paddingMode === 'border' }),
      ),
    ),
  ),
  functionCase('gridSample volume', (x, grid) => F.gridSample(x as Tensor, grid as Tensor)),
  functionCase('affineGrid', (theta) => F.affineGrid(theta, [2, 3, 4, 5])),
  functionCase('affineGrid volume', (theta) => F.affineGrid(theta, [1, 1, 2, 3, 4], { alignCorners: true })),
]

testLayerCases('spatial', cases)
testPrintedLayers(cases)

const image = ones([1, 1, 3, 4])
const mistakes: readonly (readonly [attempt: () => unknown, message: RegExp])[] = [
  [() => new nn.ZeroPad2d([1, 2] as never), /ZeroPad2d: padding is \(1, 2\); .*a list of 4/],
  [() => new nn.ReflectionPad1d(0.5), /ReflectionPad1d: padding is 0.5/],
  [() => F.interpolate(image, {}), /give size or scaleFactor/],
  [() => F.interpolate(image, { size: 2, scaleFactor: 2 }), /one of the two/],
  [() => F.interpolate(image, { size: 2, mode: 'cubic' as never }), /mode is 'cubic'.*'bicubic'/],
  [() => F.interpolate(image, { size: 2, mode: 'linear' }), /'linear' is for 1 spatial dimensions.*has 2/],
  [() => F.interpolate(image, { size: 2, alignCorners: true }), /alignCorners with mode 'nearest'/],
  [() => F.interpolate(image, { size: 2, antialias: true }), /antialias with mode 'nearest'/],
  [() => F.interpolate(image, { scaleFactor: [1, 2, 3] }), /scaleFactor is \(1, 2, 3\).*2 dimensions/],
  [() => F.interpolate(image, { size: [2, 0] }), /size is \[2, 0\]/],
  [() => F.interpolate(image, { size: 2, recomputeScaleFactor: true }), /needs scaleFactor, not size/],
  [() => F.interpolate(ones([2, 3]), { size: 2 }), /must be \[N, C\] and 1 to 3 spatial sizes/],
  [() => F.gridSample(image, image, { mode: 'cubic' as never }), /mode is 'cubic'/],
  [() => F.affineGrid(ones([2, 2, 3]), [1, 1, 2, 2]), /theta \(2, 2, 3\) and size \(1, 1, 2, 2\)/],
  [() => new nn.PixelShuffle(0), /upscaleFactor is 0/],
  [() => new nn.Fold([4, 4], 0), /Fold: kernelSize is 0/],
]

describe('what does not fit', () => {
  test.each(mistakes.map(([attempt, message]) => ({ attempt, message })))('$message', ({ attempt, message }) => {
    expect(attempt).toThrow(message)
  })
})
