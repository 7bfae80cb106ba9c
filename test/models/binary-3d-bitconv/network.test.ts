// Networks counted on their modules, and their shapes.
import { describe, expect, test } from 'vitest'
import {
  type BinaryUnit,
  type BitC3d,
  type BitResNet3d,
  binaryWeights,
  Config,
  convolutionOperations,
  createNetwork,
  equivalentParameters,
} from '../../../lib/models/video/binary-3d-bitconv'
import { skipInit } from '../../../lib/nn'
import { mergeConfigs, parseConfig } from '../../../lib/pipeline'
import { manualSeed, noGrad, randn, type Tensor, tidy } from '../../../lib/tensor'

const configOf = (network: object, over: object = {}) => parseConfig(Config, mergeConfigs({ network }, over), 'test')

function counted(network: object, options: { shifts?: boolean } = {}, over: object = {}): number {
  return tidy(() => {
    using model = skipInit(() => createNetwork(configOf(network, over)))
    return equivalentParameters(model, options)
  })
}

describe('1. memory as the paper counts it', () => {
  test.each([
    ['C3D', { precision: 'float' }, {}, 77_995_776],
    ['1-bit C3D', {}, {}, 51_224_768],
    ['ResNet3D-18', { backbone: 'resnet3d-18', precision: 'float' }, {}, 33_166_272],
    ['I3D-50', { backbone: 'i3d-50', precision: 'float' }, {}, 27_223_872],
    ['1-bit I3D-50 without shifts', { backbone: 'i3d-50' }, { shifts: false }, 8_502_848],
    ['1-bit ResNet3D-18', { backbone: 'resnet3d-18' }, {}, 1_254_656],
  ])('%s', (_name, network, options, expected) => {
    expect(counted(network, options)).toBe(expected)
  })
})

describe('sharper 4. variants', () => {
  test.each([
    ['SlowOnly-50', { backbone: 'slowonly-50', precision: 'float' }, {}, 31_634_496],
    ['1-bit SlowOnly-50', { backbone: 'slowonly-50' }, {}, 8_689_088],
    ['1-bit SlowOnly-50 without shifts', { backbone: 'slowonly-50' }, { shifts: false }, 8_604_224],
    ['1-bit I3D-50', { backbone: 'i3d-50' }, {}, 8_587_712],
    ['1-bit ResNet3D-18 without shifts', { backbone: 'resnet3d-18' }, { shifts: false }, 1_239_744],
    ['1-bit C3D without Sign2', { sign2: false }, {}, 51_216_704],
    ['1-bit ResNet3D-18 without shortcuts', { backbone: 'resnet3d-18', shortcut: false }, {}, 1_080_832],
    ['1-bit ResNet3D-18, averaging shortcuts', { backbone: 'resnet3d-18', downsample: 'avgpool' }, {}, 1_254_656],
    ['C3D, an eighth of the channels', { width: 0.125, hidden: 512, precision: 'float' }, {}, 1_220_448],
    ['1-bit C3D, an eighth of the channels', { width: 0.125, hidden: 512 }, {}, 803_572],
  ])('%s', (_name, network, options, expected) => {
    expect(counted(network, options)).toBe(expected)
  })

  test.each([
    ['c3d', 27_648_000],
    ['slowonly-50', 23_773_184],
    ['resnet3d-18', 32_956_416],
    ['i3d-50', 19_324_928],
  ])('%s has %d weights of one bit', (backbone, expected) => {
    tidy(() => {
      using model = skipInit(() => createNetwork(configOf({ backbone })))
      expect(binaryWeights(model)).toBe(expected)
    })
  })
})

/** Shapes of what modules give, by their names. */
function shapesOf(model: BitC3d | BitResNet3d, clip: Tensor): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>()
  const hooks = [...model.namedModules()].map(([name, module]) =>
    module.registerForwardHook((_m, _a, output) => void shapes.set(name, (output as Tensor).shape)),
  )
  noGrad(() => tidy(() => void model.forward(clip)))
  for (const hook of hooks) hook.remove()
  return shapes
}

test('shapes of the backbones, with a sixteenth of the channels at the full sizes', () =>
  tidy(() => {
    manualSeed(1)
    const at = (backbone: string) => {
      using model = createNetwork(configOf({ backbone, width: 1 / 16, hidden: 8 })).eval()
      const [frames, size] = backbone === 'c3d' ? [16, 112] : [8, 224]
      return shapesOf(model, randn([1, 3, frames, size, size]))
    }
    const c3d = at('c3d')
    expect(c3d.get('block2a')).toEqual([1, 8, 16, 56, 56])
    expect(c3d.get('block3b')).toEqual([1, 16, 8, 28, 28])
    expect(c3d.get('block4b')).toEqual([1, 32, 4, 14, 14])
    expect(c3d.get('block5b')).toEqual([1, 32, 2, 7, 7])
    expect(c3d.get('pool5')).toEqual([1, 32, 1, 4, 4])
    const r18 = at('resnet3d-18')
    expect(r18.get('stem')).toEqual([1, 4, 8, 112, 112])
    expect([1, 2, 3, 4].map((stage) => r18.get(`stage${stage}.1`))).toEqual([
      [1, 4, 8, 112, 112],
      [1, 8, 4, 56, 56],
      [1, 16, 2, 28, 28],
      [1, 32, 1, 14, 14],
    ])
    const i3d = at('i3d-50')
    expect(i3d.get('stem')).toEqual([1, 4, 8, 56, 56])
    expect(i3d.get('time_pool')).toEqual([1, 16, 4, 56, 56])
    expect(i3d.get('stage4.2')).toEqual([1, 128, 4, 7, 7])
    const slow = at('slowonly-50')
    expect([1, 2, 3, 4].map((stage) => slow.get(`stage${stage}.0`))).toEqual([
      [1, 16, 8, 56, 56],
      [1, 32, 8, 28, 28],
      [1, 64, 8, 14, 14],
      [1, 128, 8, 7, 7],
    ])
  }))

test('a sixteenth of the channels takes 1/256 of the multiply-adds, and a sixteenth in the first layer', () =>
  tidy(() => {
    using model = createNetwork(configOf({ width: 1 / 16, hidden: 8 }))
    const { binary, float } = convolutionOperations(model, randn([1, 3, 16, 112, 112]))
    expect((binary * 256) / 1e9).toBeCloseTo(37.46, 2)
    expect((float * 16) / 1e9).toBeCloseTo(1.04, 2)
  }))

describe('ablations', () => {
  test('without shortcuts a unit of C3D gets none; bottlenecks lose the inner ones alone', () =>
    tidy(() => {
      const seen = (network: object) => {
        using model = createNetwork(configOf({ width: 1 / 16, hidden: 8, ...network })).eval()
        let shortcuts = 0
        for (const module of model.modules()) {
          if (module.constructor.name !== 'BinaryUnit') continue
          ;(module as BinaryUnit).registerForwardPreHook((_m, args) => {
            shortcuts += Number(args[1] != null)
          })
        }
        const [frames, size] = 'backbone' in network ? [8, 64] : [16, 112]
        noGrad(() => tidy(() => void model.forward(randn([1, 3, frames, size, size]))))
        return shortcuts
      }
      expect(seen({})).toBe(7)
      expect(seen({ shortcut: false })).toBe(0)
      expect(seen({ backbone: 'resnet3d-18' })).toBe(16)
      expect(seen({ backbone: 'resnet3d-18', shortcut: false })).toBe(0)
      // Of 16 blocks three halve the map.
      expect(seen({ backbone: 'i3d-50' })).toBe(13)
      expect(seen({ backbone: 'i3d-50', shortcut: false })).toBe(0)
    }))
})

describe('bad options', () => {
  test('are named', () => {
    const make =
      (network: object, over: object = {}) =>
      () =>
        createNetwork(configOf(network, over))
    expect(make({}, { input: { frames: 8 } })).toThrow(/8 frames of 112 × 112 vanish in the pools of c3d/)
    expect(make({}, { input: { size: 200 } })).toThrow(/input.size 200 is larger than input.shortSide 128/)
    expect(make({ backbon: 'c3d' })).toThrow(/network.backbon is no key; the nearest is network.backbone/)
    expect(make({ backbone: 'c4d' })).toThrow(/network.backbone/)
  })
})
