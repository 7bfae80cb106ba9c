import { describe, expect, test } from 'vitest'
import {
  createFeatureExtractor,
  extractFeatures,
  freezeUntil,
  IMAGENET_224,
  prepareImage,
  resnet18,
} from '../../lib/backbones'
import { BatchNorm1d, type Layer, Linear, Module, ReLU, Sequential, skipInit } from '../../lib/nn'
import { capture, full, noGrad, ones, stack, type Tensor, tensor, tidy, tidyAsync } from '../../lib/tensor'
import { fillWithHash, hashTensor } from '../support/hash-weights'
import { liveTensors } from '../support/live-tensors'

function network() {
  const model = skipInit(() => resnet18())
  fillWithHash(model)
  return model.eval()
}

/** Doubles its input in place, after a layer whose output may be wanted. */
class Overwriting extends Module {
  readonly layer = new Linear(2, 2)
  readonly idle = new ReLU()
  forward(x: Tensor): Tensor {
    return this.layer.forward(x).mul_(2)
  }
}

const equal = (a: Tensor | undefined, b: Tensor) => expect(a?.equal(b)).toBe(true)

describe('createFeatureExtractor', () => {
  test('gives what the named parts give, the network’s names and parameters unchanged', async () => {
    const before = await liveTensors()
    tidy(() => {
      const model = network()
      const names = [...model.stateDict().keys()]
      const image = hashTensor('image', [2, 3, 64, 64])
      const extractor = createFeatureExtractor(model, ['bn1', 'layer1', 'layer3.1.conv2', 'fc'])
      const features = noGrad(() => extractor.forward(image))
      noGrad(() => {
        const normed = model.bn1.forward(model.conv1.forward(image))
        equal(features.bn1, normed)
        const first = model.layer1.forward(model.maxpool.forward(normed.relu()))
        equal(features.layer1, first)
        equal(features.fc, model.forward(image))
      })
      expect(features['layer3.1.conv2'].shape).toEqual([2, 256, 4, 4])
      expect(Object.keys(features)).toEqual(['bn1', 'layer1', 'layer3.1.conv2', 'fc'])
      expect([...model.stateDict().keys()]).toEqual(names)
    })
    expect(await liveTensors()).toBe(before)
  })

  test('takes what a layer gives before an in-place layer overwrites it', () => {
    tidy(() => {
      const model = new Sequential(new Linear(4, 4), new ReLU({ inplace: true }))
      const { 0: before, 1: after } = createFeatureExtractor(model, ['0', '1']).forward(hashTensor('x', [8, 4]))
      expect(before?.min().toNumber()).toBeLessThan(0)
      equal(after, before?.relu() as Tensor)
    })
  })

  test('is captured, and gradients pass through it', async () => {
    const before = await liveTensors()
    await tidyAsync(async () => {
      const model = network()
      const extractor = createFeatureExtractor(model, ['layer2', 'layer4'])
      const image = hashTensor('image', [1, 3, 64, 64])
      const captured = capture((x: Tensor) => noGrad(() => extractor.forward(x)))
      await captured(image)
      const { layer2, layer4 } = await captured(image)
      const eager = extractor.forward(image)
      equal(layer2, eager.layer2)
      equal(layer4, eager.layer4)
      eager.layer2.sum().backward()
      expect(model.conv1.weight.grad?.isfinite().all().item()).toBe(true)
      expect(model.fc.weight.grad).toBeNull()
      captured.dispose()
      model.zeroGrad()
      model.dispose()
    })
    expect(await liveTensors()).toBe(before)
  })

  test('of a shared layer it is the last run, and no other output stays alive', async () => {
    const before = await liveTensors()
    tidy(() => {
      const relu = new ReLU()
      const model = new Sequential(relu, new Linear(3, 3), relu)
      const x = hashTensor('x', [2, 3])
      const features = createFeatureExtractor(model, ['0']).forward(x)
      equal(features[0], model.forward(x))
    })
    expect(await liveTensors()).toBe(before)
  })

  test('names the nearest layers when there is none of a name', () => {
    tidy(() => {
      expect(() => createFeatureExtractor(network(), ['layr1'])).toThrow(
        /ResNet has no layer 'layr1'; the nearest names are layer1, /,
      )
      expect(() => createFeatureExtractor(network(), [])).toThrow(/name a layer/)
    })
  })

  test('refuses a layer that does not run, that gives no tensor, or whose output is overwritten', async () => {
    const before = await liveTensors()
    tidy(() => {
      const x = ones([1, 2])
      expect(() => createFeatureExtractor(new Overwriting(), ['idle']).forward(x)).toThrow(/layer 'idle' did not run/)
      expect(() => createFeatureExtractor(new Overwriting(), ['layer']).forward(x)).toThrow(
        /what layer 'layer' gave was overwritten/,
      )
      class Pair extends Module {
        readonly two = new (class extends Module {
          forward(y: Tensor): Tensor[] {
            return [y, y]
          }
        })()
        forward(y: Tensor): Tensor {
          return this.two.forward(y)[0] as Tensor
        }
      }
      expect(() => createFeatureExtractor(new Pair(), ['two']).forward(x)).toThrow(/layer 'two' gives .*, not a Tensor/)
    })
    expect(await liveTensors()).toBe(before)
  })
})

describe('freezeUntil', () => {
  test('stops gradients and statistics up to a stage, also after train(), until it is undone', () => {
    tidy(() => {
      const model = network()
      const { parameters, unfreeze } = freezeUntil(model, 'layer1')
      expect(parameters).toEqual(
        [...model.namedParameters()].map(([name]) => name).filter((name) => /^(conv1|bn1|layer1)\./.test(name)),
      )
      model.train()
      const statistics = () => [model.bn1, block(model.layer1).bn1, block(model.layer2).bn1].map(meanOf)
      const before = statistics()
      model
        .forward(hashTensor('image', [2, 3, 64, 64]))
        .sum()
        .backward()
      const after = statistics()
      expect(after[0]).toEqual(before[0])
      expect(after[1]).toEqual(before[1])
      expect(after[2]).not.toEqual(before[2])
      expect([...model.namedParameters()].filter(([, { grad }]) => grad === null).map(([name]) => name)).toEqual(
        parameters,
      )

      unfreeze()
      expect(model.parameters().every(({ requiresGrad }) => requiresGrad)).toBe(true)
      model.forward(hashTensor('image', [2, 3, 64, 64]))
      expect(statistics()[0]).not.toEqual(before[0])
      expect(model.eval().bn1.training).toBe(false)
      model.zeroGrad()
    })
  })

  test('goes into a stage, and stays as it was before the name', () => {
    tidy(() => {
      const model = new Sequential(
        new Sequential(new Linear(1, 1), new BatchNorm1d(1), new Linear(1, 1)),
        new Linear(1, 1),
      )
      expect(freezeUntil(model, '0.1').parameters).toEqual(['0.0.weight', '0.0.bias', '0.1.weight', '0.1.bias'])
      expect(() => freezeUntil(model, 'layer9')).toThrow(/Sequential has no layer 'layer9'/)
    })
  })
})

function block(stage: Sequential) {
  return stage.at(0) as unknown as { readonly bn1: Layer }
}

function meanOf(norm: Layer): unknown {
  return (norm as unknown as { runningMean: Tensor }).runningMean.toArray()
}

describe('extractFeatures', () => {
  test('equals the network on the images one by one, whatever the batches', async () => {
    const before = await liveTensors()
    await tidyAsync(async () => {
      const model = network().train()
      const folder = new URL('../../examples/data/', import.meta.url)
      const input = { ...IMAGENET_224, resize: 72, crop: [64, 64] } as const
      const noise = hashTensor('photo', [3, 90, 70], 0.5, 0.5)
      const images = [new URL('rubberwhale1.png', folder), noise, new URL('rubberwhale2.png', folder)]
      const progress: number[] = []
      const features = await extractFeatures(model, images, {
        ...{ layer: 'avgpool', input, batchSize: 2 },
        onProgress: ({ done }) => progress.push(done),
      })
      expect(features.shape).toEqual([3, 512])
      expect(progress).toEqual([2, 3])
      expect([...model.modules()].every(({ training }) => training)).toBe(true)

      model.eval()
      const alone = createFeatureExtractor(model, ['avgpool']).forward(prepareImage(noise, input).unsqueeze(0)).avgpool
      expect(features.select(0, 1).sub(alone.flatten()).abs().max().toNumber()).toBeLessThan(1e-4)
      expect(features.select(0, 0).sub(features.select(0, 2)).abs().max().toNumber()).toBeGreaterThan(1e-4)
      model.dispose()
    })
    expect(await liveTensors()).toBe(before)
  })

  test('gives the network’s output where no layer is named', async () => {
    await tidyAsync(async () => {
      const model = network()
      const image = hashTensor('photo', [3, 224, 224], 0.5, 0.5)
      const features = await extractFeatures(model, [image])
      const expected = noGrad(() => model.forward(stack([prepareImage(image, IMAGENET_224)])))
      expect(features.sub(expected).abs().max().toNumber()).toBeLessThan(1e-4)
    })
  })

  test('refuses what it cannot run, and leaves nothing behind', async () => {
    const before = await liveTensors()
    await tidyAsync(async () => {
      const model = network()
      await expect(extractFeatures(model, [])).rejects.toThrow(/there are no images/)
      await expect(extractFeatures(model, ['a.png'], { batchSize: 0 })).rejects.toThrow(/batchSize is 0/)
      await expect(extractFeatures(model, ['a.png'], { layer: 'neck' })).rejects.toThrow(/has no layer 'neck'/)
      await expect(extractFeatures(model, ['no-such-file.png'])).rejects.toThrow(/no-such-file\.png/)
      const input = { ...IMAGENET_224, resize: 32, crop: null }
      const photos = [ones([3, 32, 40]), ones([3, 32, 50])]
      await expect(extractFeatures(model, photos, { input })).rejects.toThrow(
        /\[3,32,40\] after preparation.*\[3,32,50\]/,
      )
      const signal = AbortSignal.abort()
      await expect(extractFeatures(model, photos.slice(1), { signal })).rejects.toThrow(/cancelled/)
      model.dispose()
    })
    expect(await liveTensors()).toBe(before)
  })
})

test('prepareImage resizes the shorter side, cuts the middle out and normalises by channel', () => {
  tidy(() => {
    // 40 rows of 0, then 80 of 255: the crop of the middle keeps half as many of each.
    const image = full([3, 120, 100], 0).to('uint8')
    image.narrow(1, 60, 60).fill_(255)
    const input = { ...IMAGENET_224, resize: 50, crop: [20, 10], mean: [0, 0.5, 1], std: [1, 0.5, 2] } as const
    const prepared = prepareImage(image, input)
    expect(prepared.shape).toEqual([3, 20, 10])
    expect(prepared.select(1, 0).select(1, 0).toArray()).toEqual([0, -1, -0.5])
    expect(prepared.select(1, 19).select(1, 9).toArray()).toEqual([1, 1, 0])
    expect(() => prepareImage(tensor(new Uint8Array(4), { shape: [1, 2, 2] }), IMAGENET_224)).toThrow(/1 channels/)
  })
})
