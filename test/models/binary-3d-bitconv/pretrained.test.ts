// First weights: C3D's, and a ResNet of images inflated.
import { describe, expect, test } from 'vitest'
import { c3d, resnet18, resnet50 } from '../../../lib/backbones'
import { writeSafetensors } from '../../../lib/io'
import {
  type BitResNet3d,
  Config,
  createNetwork,
  inflate,
  initialise,
  loadPretrained,
  setStage,
} from '../../../lib/models/video/binary-3d-bitconv'
import { skipInit } from '../../../lib/nn'
import { mergeConfigs, parseConfig } from '../../../lib/pipeline'
import { keep, manualSeed, noGrad, randn, type Tensor, tidy, tidyAsync } from '../../../lib/tensor'
import { temporaryFolder } from '../../support/temporary-folder'

const folder = temporaryFolder()
const configOf = (network: object, over: object = {}) =>
  parseConfig(Config, mergeConfigs({ network, classes: 6 }, over), 'test')

describe('11. inflation', () => {
  test('repeats a filter over time and divides it by the number of frames', () =>
    tidy(() => {
      const w = randn([4, 3, 7, 7])
      const inflated = inflate(w, 5)
      expect(inflated.shape).toEqual([4, 3, 5, 7, 7])
      expect(
        inflated
          .sum({ dim: [2] })
          .sub(w)
          .abs()
          .max()
          .item(),
      ).toBeLessThan(1e-6)
      expect(inflated.select(2, 1).equal(inflated.select(2, 4))).toBe(true)
    }))

  test.each(['i3d-50', 'slowonly-50'])('%s on 40 equal frames has the maps of the images in its middle', (backbone) =>
    tidy(() => {
      manualSeed(2)
      using flat = resnet50().eval()
      const config = configOf({ backbone, precision: 'float' })
      using model = createNetwork(config).eval() as BitResNet3d
      expect(initialise(model, config, flat.stateDict())).toBeGreaterThan(250)
      const image = randn([1, 3, 64, 64])
      const clip = image.unsqueeze(2).expand([1, 3, 40, 64, 64])
      let last: Tensor = image
      using _hook = flat.layer4.registerForwardHook((_m, _args, output) => {
        last = keep(output as Tensor)
      })
      noGrad(() => flat.forward(image))
      const maps = noGrad(() => model.maps(clip))
      const middle = maps.select(2, Math.floor(maps.size(2) / 2))
      expect(middle.shape).toEqual(last.shape)
      const error = middle.sub(last).abs().max().item() as number
      expect(error).toBeLessThan(1e-5 * (last.abs().max().item() as number))
      // The first step sees zeros before the clip.
      expect(maps.select(2, 0).sub(last).abs().max().item()).toBeGreaterThan(10 * error)
      last.dispose()
    }),
  )
})

describe('first weights', () => {
  test('of C3D: biases of convolutions become those of norms; the classifier keeps its own', () =>
    tidyAsync(async () => {
      using source = skipInit(() => c3d({ numClasses: 487 }))
      const config = configOf({})
      using model = skipInit(() => createNetwork(config))
      noGrad(() => {
        for (const [i, each] of source.parameters().entries()) each.fill_(i + 1)
        for (const each of model.parameters()) each.fill_(-1)
      })
      const before = model.classifier.weight.clone()
      const path = folder('c3d.safetensors')
      await writeSafetensors(path, source.stateDict())
      expect(await loadPretrained(model, config, path)).toMatch(/first weights: \d+ tensors of .*c3d\.safetensors/)
      const own = model.stateDict()
      expect(own.get('block3b.conv.weight')?.equal(source.conv3b.weight)).toBe(true)
      expect(own.get('block3b.norm.bias')?.equal(source.conv3b.bias as Tensor)).toBe(true)
      expect(own.get('block2a.norm.weight')?.eq(1).all().item()).toBe(true)
      expect(own.get('conv1a.bias')?.equal(source.conv1.bias as Tensor)).toBe(true)
      expect(own.get('fc6.weight')?.equal(source.fc6.weight)).toBe(true)
      expect(model.classifier.weight.equal(before)).toBe(true)
    }))

  test('of a ResNet of images for 18 layers, each filter a third', () =>
    tidy(() => {
      using flat = resnet18()
      const config = configOf({ backbone: 'resnet3d-18' })
      using model = createNetwork(config)
      setStage(model, 'real')
      initialise(model, config, flat.stateDict())
      const own = model.stateDict().get('stage2.0.conv1.conv.weight') as Tensor
      const source = flat.stateDict().get('layer2.0.conv1.weight') as Tensor
      expect(own.select(2, 1).mul(3).sub(source).abs().max().item()).toBeLessThan(1e-6)
      expect(own.size(2)).toBe(3)
    }))

  test('of another network are refused by what is missing', () =>
    tidy(() => {
      using flat = skipInit(() => resnet18())
      for (const [network, message] of [
        [{ width: 0.125, hidden: 8 }, /not those of C3D: \d+ tensors have no source, such as conv1a/],
        [{ backbone: 'i3d-50', width: 0.125 }, /not those of a ResNet of as many layers: \d+ tensors/],
        [{ backbone: 'resnet3d-18', width: 0.125 }, /take network.width=1/],
      ] as const) {
        const config = configOf(network)
        using model = createNetwork(config)
        expect(() => initialise(model, config, flat.stateDict())).toThrow(message)
      }
    }))
})
