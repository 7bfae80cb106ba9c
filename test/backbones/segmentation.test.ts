// What the loop over all networks does not see: sizes that do not fit, first values, training.
import { describe, expect, test } from 'vitest'
import {
  FeaturePyramidNetwork,
  lrasppMobilenetV3Large,
  ResidualUNet,
  ResNetEncoder,
  smpUnet,
  UNet,
  UNet3d,
} from '../../lib/backbones'
import { Conv2d } from '../../lib/nn'
import { rand, tidy, zeros } from '../../lib/tensor'

describe('U-Nets', () => {
  test('have the parameters of the figure', () => {
    tidy(() => {
      // Convolutions of Ronneberger et al. 2015, Fig. 1, counted by hand: 31,030,658 weights and biases with 2 classes;
      // batch norm adds two for each of the channels that a 3 × 3 convolution gives.
      expect(new UNet().parameterCount()).toBe(31_030_658 + 2 * (4 * (64 + 128 + 256 + 512) + 2 * 1024))
    })
  })

  test('refuse sides that the levels do not divide', () => {
    tidy(() => {
      const widths = [
        [2, 2],
        [2, 2],
        [2, 2],
      ] as const
      expect(() => new UNet({ widths }).forward(zeros([1, 1, 8, 10]))).toThrow(
        'UNet: sides are multiples of 4 for 3 levels, got 8 × 10',
      )
      expect(() => new UNet3d({ widths }).forward(zeros([1, 1, 6, 8, 8]))).toThrow('got 6 × 8 × 8')
      expect(() => new ResidualUNet({ widths: [2, 2] }).forward(zeros([1, 3, 7, 8]))).toThrow('multiples of 2')
      expect(() => new UNet({ widths: [[2, 2]] })).toThrow('widths has 1 levels; it needs 2 or more')
    })
  })
})

describe('encoders and decoders', () => {
  test('refuse images that are no multiple of the stride', () => {
    tidy(() => {
      const encoder = new ResNetEncoder('resnet18')
      expect(() => encoder.forward(zeros([1, 3, 64, 40]))).toThrow('sides of images are multiples of 32, got 64 × 40')
      expect(() => new ResNetEncoder('resnet18', 3, { dilated: true })).toThrow('need bottleneck blocks')
      expect(() => smpUnet({ encoder: 'resnet18', classes: 0 })).toThrow('classes is 0')
    })
  })

  test('begin as the package does: the decoder by He et al. from its inputs, biases zero', () => {
    tidy(() => {
      const { decoder, segmentationHead } = smpUnet({ encoder: 'resnet18', inChannels: 1, classes: 3 })
      const convs = [...decoder.modules()].filter((module) => module instanceof Conv2d)
      for (const { weight } of convs) {
        const bound = Math.sqrt(6 / (weight.size(1) * 9))
        expect(weight.abs().max().toNumber()).toBeLessThanOrEqual(bound * (1 + 1e-6))
        expect(weight.abs().max().toNumber()).toBeGreaterThan(0.95 * bound)
      }
      const [last] = [...segmentationHead.modules()].filter((module) => module instanceof Conv2d)
      expect(last?.weight.shape).toEqual([3, 16, 3, 3])
      expect(last?.bias?.abs().max().toNumber()).toBe(0)
    })
  })
})

test('a pyramid refuses another number of maps', () => {
  tidy(() => {
    const pyramid = new FeaturePyramidNetwork([4, 8], 4)
    expect(() => pyramid.forward([zeros([1, 4, 8, 8])])).toThrow('it joins 2 maps, got 1')
  })
})

test('LR-ASPP trains: every parameter has a gradient with two images', () => {
  tidy(() => {
    const network = lrasppMobilenetV3Large({ numClasses: 3 })
    network
      .forward(rand([2, 3, 64, 64]))
      .out.square()
      .mean()
      .backward()
    const without = [...network.namedParameters()].filter(([, { grad }]) => grad === null).map(([name]) => name)
    expect(without).toEqual([])
  })
})
