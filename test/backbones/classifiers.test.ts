// What the loop over the registry does not see of the image classifiers: first values, options, wrong sizes, the networks
// that differ from one that is run in a number only.
import { describe, expect, test } from 'vitest'
import {
  type BackboneName,
  convnextTiny,
  createBackbone,
  efficientnetB0,
  fidInception,
  type InceptionV3,
  inceptionV3,
  lpipsSqueeze,
  mnasnet0_5,
  mtcnnRnet,
  regnetX400mf,
  resnet18,
  seresnet50,
  squeezenet1_1,
} from '../../lib/backbones'
import { TensorFlowConv2d } from '../../lib/backbones/conv-norm'
import { makeDivisible } from '../../lib/backbones/make-divisible'
import { Conv2d, type Layer, Linear, type Module, skipInit } from '../../lib/nn'
import { manualSeed, noGrad, ones, type Tensor, tidy, zeros } from '../../lib/tensor'
import { hashTensor } from '../support/hash-weights'

/** `num_params` of torchvision's weights. */
const PUBLISHED: readonly (readonly [BackboneName, number])[] = [
  ['wide_resnet101_2', 126_886_696],
  ['densenet161', 28_681_000],
  ['mnasnet0_75', 3_170_208],
  ['mnasnet1_3', 6_282_256],
  ['shufflenet_v2_x1_5', 3_503_624],
  ['shufflenet_v2_x2_0', 7_393_996],
  ['efficientnet_v2_m', 54_139_356],
  ['efficientnet_v2_l', 118_515_272],
  ['tf_efficientnet_b1', 7_794_184],
  ['tf_efficientnet_b2', 9_109_994],
  ['tf_efficientnet_b5', 30_389_784],
  ['tf_efficientnet_b6', 43_040_704],
  ['regnet_x_800mf', 7_259_656],
  ['regnet_x_1_6gf', 9_190_136],
  ['regnet_x_3_2gf', 15_296_552],
  ['regnet_x_8gf', 39_572_648],
  ['regnet_x_16gf', 54_278_536],
  ['regnet_x_32gf', 107_811_560],
  ['regnet_y_800mf', 6_432_512],
  ['regnet_y_1_6gf', 11_202_430],
  ['regnet_y_3_2gf', 19_436_338],
  ['regnet_y_8gf', 39_381_472],
  ['regnet_y_16gf', 83_590_140],
  ['regnet_y_32gf', 145_046_770],
]

test.each(PUBLISHED)('%s has as many parameters as the published one', (name, count) => {
  tidy(() => {
    const network = skipInit(() => createBackbone(name)) as Module
    expect(network.parameterCount()).toBe(count)
  })
})

/** Standard deviation of a tensor's values. */
const deviation = (values: Tensor) => values.detach().to('float64').std().toNumber()
const all = <T extends Module>(network: Module, kind: new (...args: never[]) => T): T[] =>
  [...network.modules()].filter((module): module is T => module instanceof kind)

describe('first values are those of the original', () => {
  test('EfficientNet: He by fan-out, a uniform classifier within 1/√outputs', () => {
    tidy(() => {
      manualSeed(1)
      const network = efficientnetB0()
      const last = all(network, Conv2d).at(-1) as Conv2d
      expect(deviation(last.weight) / Math.sqrt(2 / 1280)).toBeCloseTo(1, 1)
      const [classifier] = all(network, Linear)
      const bound = 1 / Math.sqrt(1000)
      expect(deviation(classifier?.weight as Tensor) / (bound / Math.sqrt(3))).toBeCloseTo(1, 1)
      expect(classifier?.weight.abs().max().toNumber()).toBeLessThanOrEqual(bound)
      expect(classifier?.bias?.abs().max().toNumber()).toBe(0)
    })
  })

  test('RegNet: by all outputs of a grouped convolution', () => {
    tidy(() => {
      manualSeed(1)
      const grouped = all(regnetX400mf(), Conv2d)
        .filter(({ groups }) => groups > 1)
        .at(-1) as Conv2d
      expect(deviation(grouped.weight) / Math.sqrt(2 / (9 * 400))).toBeCloseTo(1, 1)
    })
  })

  test('MNASNet: a classifier uniform by its outputs', () => {
    tidy(() => {
      manualSeed(1)
      const [classifier] = all(mnasnet0_5(), Linear)
      expect(deviation(classifier?.weight as Tensor) / Math.sqrt(1 / 1000)).toBeCloseTo(1, 1)
    })
  })

  test('SqueezeNet: a narrow last convolution', () => {
    tidy(() => {
      manualSeed(1)
      expect(deviation((all(squeezenet1_1(), Conv2d).at(-1) as Conv2d).weight) / 0.01).toBeCloseTo(1, 1)
    })
  })

  test('ConvNeXt: truncated normals, and branches that begin as almost nothing', () => {
    tidy(() => {
      manualSeed(1)
      const state = convnextTiny().stateDict()
      expect(deviation(state.get('classifier.2.weight') as Tensor) / 0.02).toBeCloseTo(1, 1)
      expect(state.get('features.1.0.layer_scale')?.max().toNumber()).toBeCloseTo(1e-6, 12)
    })
  })

  test('SE-ResNet: the last norm of each block is zero', () => {
    tidy(() => {
      const state = skipInit(() => seresnet50({ zeroInitResidual: false })).stateDict()
      expect(state.get('layer1.0.bn3.weight')?.min().toNumber()).toBe(1)
      expect(seresnet50().stateDict().get('layer1.0.bn3.weight')?.max().toNumber()).toBe(0)
    })
  })
})

describe('wrong sizes are told with the rule', () => {
  test.each([
    ['alexnet', 62, 63],
    ['vgg11', 31, 32],
    ['squeezenet1_0', 20, 21],
    ['squeezenet1_1', 16, 17],
    ['googlenet', 14, 15],
    ['inception_v3', 74, 75],
    ['inception_resnet_v1', 74, 75],
    ['densenet121', 28, 29],
    ['convnext_tiny', 31, 32],
  ] as const)('%s at %i pixels', (name, size, least) => {
    tidy(() => {
      const network = skipInit(() => createBackbone(name)) as Layer
      const image = zeros([1, 3, size, size])
      expect(() => network.forward(image)).toThrow(
        `[1, 3, ${size}, ${size}]; it must be [N, C, H, W] with H and W of ${least}`,
      )
    })
  })

  test('the auxiliary classifier of Inception v3 needs the paper’s size', () => {
    tidy(() => {
      const network: InceptionV3 = skipInit(() => inceptionV3())
      expect(() => network.forwardWithAux(zeros([1, 3, 96, 96]))).toThrow('H and W of 299 or more')
    })
  })

  test('the later networks of MTCNN take windows of one size', () => {
    tidy(() => expect(() => mtcnnRnet().forward(zeros([1, 3, 20, 24]))).toThrow('it must be [N, 3, 24, 24]'))
  })
})

describe('options', () => {
  test('places that FID does not have are refused', () => {
    expect(() => fidInception({ outputBlocks: [4 as 3] })).toThrow('outputBlocks is [4]')
    expect(() => fidInception({ outputBlocks: [] })).toThrow('it must list some of 0, 1, 2 and 3')
  })

  test('attention is refused where blocks have none', () => {
    expect(() => resnet18({ attention: () => new Linear(1, 1) })).toThrow('attention need bottleneck blocks')
  })
})

test('TensorFlow’s padding gives the odd row and column to the far end', () => {
  tidy(() => {
    const conv = new TensorFlowConv2d(1, 1, 3, { stride: 2, bias: false })
    noGrad(() => conv.weight.fill_(1))
    // Windows of a 4×4 image of ones: a whole one, and ones that the border cuts.
    expect([
      ...conv
        .forward(ones([1, 1, 4, 4]))
        .detach()
        .flatten()
        .dataSync(),
    ]).toEqual([9, 6, 6, 4])
  })
})

test('widths are rounded to multiples, never by more than a tenth down', () => {
  expect([3, 11.2, 24, 35, 67.2].map((width) => makeDivisible(width))).toEqual([8, 16, 24, 32, 64])
  expect(makeDivisible(30, 4)).toBe(32)
})

test('LPIPS of equal images is zero, of two the same both ways, and in 0–1 as in −1–1', () => {
  tidy(() => {
    manualSeed(3)
    const metric = lpipsSqueeze().eval()
    const inUnits = lpipsSqueeze({ normalize: true }).eval()
    inUnits.loadStateDict(metric.stateDict())
    const [a, b] = [hashTensor('a', [1, 3, 24, 24]), hashTensor('b', [1, 3, 24, 24])]
    expect(metric.forward(a, a).abs().max().toNumber()).toBe(0)
    const distance = metric.forward(a, b)
    expect(distance.equal(metric.forward(b, a))).toBe(true)
    const units = (x: Tensor) => x.add(1).div(2)
    expect(inUnits.forward(units(a), units(b)).allclose(distance, { rtol: 1e-4, atol: 1e-6 })).toBe(true)
  })
})
