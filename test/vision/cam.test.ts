import { describe, expect, test } from 'vitest'
import { AdaptiveAvgPool2d, Conv2d, Linear, Module, ReLU } from '../../lib/nn'
import { noGrad, type Tensor, tensor, tidy, zeros } from '../../lib/tensor'
import { classActivationMap, gradCam } from '../../lib/vision'
import { fillWithHash, hashTensor } from '../support/hash-weights'
import { liveTensors } from '../support/live-tensors'

/** Ends in global pooling and one linear layer. */
class Pooled extends Module {
  readonly conv = new Conv2d(3, 8, 3, { stride: 2, padding: 1 })
  readonly relu = new ReLU({ inplace: true })
  readonly pool = new AdaptiveAvgPool2d(1)
  readonly fc = new Linear(8, 5)

  forward(x: Tensor): Tensor {
    return this.fc.forward(this.pool.forward(this.relu.forward(this.conv.forward(x))).flatten({ startDim: 1 }))
  }
}

function network(): Pooled {
  const model = new Pooled()
  fillWithHash(model)
  return model.eval().freeze() as Pooled
}

describe('gradCam', () => {
  test('of pooled networks is their class activation map, and nothing stays alive', async () => {
    const before = await liveTensors()
    tidy(() => {
      const model = network()
      const input = hashTensor('input', [2, 3, 16, 12])
      const activations = noGrad(() => model.conv.forward(input).relu())
      const expected = classActivationMap(activations, model.fc.weight, [1, 3], [16, 12])
      for (const layer of ['relu', model.relu]) {
        const map = gradCam(model, input, { layer, target: [1, 3] })
        expect(map.shape).toEqual([2, 16, 12])
        expect(map.sub(expected).abs().max().toNumber()).toBeLessThan(1e-5)
      }
      expect(model.parameters().every(({ grad }) => grad === null)).toBe(true)
      model.dispose()
    })
    expect(await liveTensors()).toBe(before)
  })

  test('is of the class that the network chooses unless one is named, and from 0 to 1', () => {
    tidy(() => {
      const model = network()
      const input = hashTensor('input', [3, 3, 16, 16])
      const chosen = model.forward(input).argmax({ dim: 1 }).toArray() as (number | bigint)[]
      const map = gradCam(model, input, { layer: 'relu' })
      expect(map.equal(gradCam(model, input, { layer: 'relu', target: chosen.map(Number) }))).toBe(true)
      expect(map.min().toNumber()).toBeGreaterThanOrEqual(0)
      expect(
        map
          .amax({ dim: [1, 2] })
          .le(1)
          .all()
          .item(),
      ).toBe(true)
    })
  })

  test('with the weights of Grad-CAM++ equals a sum by hand', () => {
    tidy(() => {
      const model = network()
      const input = hashTensor('input', [1, 3, 8, 8])
      const activations = noGrad(() => model.conv.forward(input).relu())
      // The slope of a pooled score is w ∕ 16 at each place of a 4 × 4 map.
      const [maps, weight] = [activations.toArray() as number[][][][], model.fc.weight.toArray() as number[][]]
      const sums = (maps[0] ?? []).map((map, c) => {
        const slope = (weight[2]?.[c] ?? 0) / 16
        const total = map.flat().reduce((sum, value) => sum + value, 0)
        const alpha = slope ** 2 / (2 * slope ** 2 + total * slope ** 3)
        return 16 * alpha * Math.max(slope, 0)
      })
      const plain = activations
        .mul(tensor(sums).reshape([1, 8, 1, 1]))
        .sum({ dim: [1] })
        .unsqueeze(1)
      const expected = classActivationMap(plain, tensor([[1]]), 0, [8, 8])
      const map = gradCam(model, input, { layer: 'relu', target: 2, method: 'grad-cam++' })
      expect(map.sub(expected).abs().max().toNumber()).toBeLessThan(1e-5)
    })
  })

  test('takes tokens that are arranged as a picture', () => {
    tidy(() => {
      class Tokens extends Module {
        readonly embed = new Linear(4, 6)
        readonly head = new Linear(6, 2)
        forward(x: Tensor): Tensor {
          return this.head.forward(this.embed.forward(x.flatten({ startDim: 2 }).transpose(1, 2)).mean({ dim: [1] }))
        }
      }
      const model = new Tokens()
      const input = hashTensor('tokens', [1, 4, 3, 5])
      const arrange = (tokens: Tensor) => tokens.transpose(1, 2).reshape([1, 6, 3, 5])
      expect(gradCam(model, input, { layer: 'embed', arrange }).shape).toEqual([1, 3, 5])
      expect(() => gradCam(model, input, { layer: 'embed' })).toThrow(/the layer gives \[1,15,6\]/)
    })
  })

  test('refuses layers and classes that there are not', async () => {
    const before = await liveTensors()
    tidy(() => {
      const model = network()
      const input = zeros([1, 3, 8, 8])
      expect(() => gradCam(model, input, { layer: 'con' })).toThrow(/has no layer 'con'; the nearest names are conv/)
      expect(() => gradCam(model, input, { layer: new ReLU() })).toThrow(/the layer did not run/)
      expect(() => gradCam(model, input, { layer: 'relu', target: 5 })).toThrow(/one class from 0 to 4/)
      expect(() => gradCam(model.conv, input, { layer: model.conv })).toThrow(/scores \[N, classes\]/)
      expect(() => classActivationMap(input, zeros([5, 4]), 0)).toThrow(/activations \[1,3,8,8\]/)
      model.dispose()
    })
    expect(await liveTensors()).toBe(before)
  })
})
