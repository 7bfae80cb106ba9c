import { describe, expect, test } from 'vitest'
import { DenoisingUNet, objectiveOf } from '../../../lib/models/enhancement/stn-stochastic-triplet-neighboring'
import { Config } from '../../../lib/models/enhancement/stn-stochastic-triplet-neighboring/config'
import { Adam } from '../../../lib/optim'
import { parseConfig } from '../../../lib/pipeline'
import { noGrad, scalarTensor, type Tensor, tensor, tidy, zeros } from '../../../lib/tensor'

/** The numbers that the checks of the independent implementation are made with. */
function unit(name: string, count: number): Float64Array {
  let base = 0x811c9dc5
  for (const byte of Buffer.from(name)) base = Math.imul(base ^ byte, 0x01000193)
  return Float64Array.from({ length: count }, (_, i) => {
    let a = (Math.imul(i, 2654435761) + base) >>> 0
    for (let round = 0; round < 2; round++) a = Math.imul(a ^ (a >>> 16), 0x45d9f3b) >>> 0
    return ((a ^ (a >>> 16)) >>> 0) / 2 ** 31 - 1
  })
}

function fill(model: DenoisingUNet): void {
  noGrad(() =>
    tidy(() => {
      for (const [name, values] of model.namedParameters()) {
        const [, ...rest] = values.shape
        const fan = rest.reduce((product, size) => product * size, 1)
        const scale = name.endsWith('bias') ? 0.1 : 1.4 * Math.sqrt(3 / fan)
        const numbers = unit(name, values.numel).map((u) => Math.fround(scale * u))
        values.copy_(tensor(numbers, { shape: [...values.shape] }))
      }
    }),
  )
}

function picture(shape: readonly number[]): Tensor {
  const count = shape.reduce((product, size) => product * size, 1)
  const noise = unit('input:Y', count)
  return tensor(
    Float32Array.from(noise, (u, i) => Math.sin(0.013 * i) + 0.5 * u),
    { shape: [...shape] },
  )
}

describe('DenoisingUNet', () => {
  test('7. has the published number of parameters under the names of the released weights', () => {
    tidy(() => {
      const count = (model: DenoisingUNet) => model.parameters().reduce((sum, { numel }) => sum + numel, 0)
      const colour = new DenoisingUNet()
      expect(count(colour)).toBe(1_259_475)
      expect(count(new DenoisingUNet({ channels: 1 }))).toBe(1_256_689)
      const names = [...colour.stateDict().keys()].filter((name) => name.endsWith('.weight')).sort()
      const expected = [
        ...[0, 1, 2, 3, 4, 5, 6].map((i) => `enc_conv${i}.weight`),
        ...[1, 2, 3, 4, 5].flatMap((i) => [`up${i}.deconv.weight`, `dec_conv${i}a.weight`, `dec_conv${i}b.weight`]),
        ...['nin_a.weight', 'nin_b.weight', 'nin_c.weight'],
      ]
      expect(names).toEqual(expected.sort())
    })
  })

  test('7. gives pictures of the size it got, and refuses sides that are no multiples of 32', () => {
    tidy(() => {
      const model = new DenoisingUNet({ width: 4 })
      for (const size of [
        [128, 128],
        [96, 160],
      ]) {
        expect(noGrad(() => model.forward(zeros([1, 3, ...size]))).shape).toEqual([1, 3, ...size])
      }
      expect(() => model.forward(zeros([1, 3, 96, 100]))).toThrow(/96 × 100 pixels; both must be multiples of 32/)
    })
  })

  test('begins with weights of a tenth of He’s spread, and no biases', () => {
    tidy(() => {
      const model = new DenoisingUNet()
      const spread = (values: Tensor) => values.square().mean().sqrt().toNumber()
      expect(spread(model.decConv4a.weight) / (0.1 * Math.sqrt(2 / (144 * 9)))).toBeCloseTo(1, 1)
      // PyTorch counts the outputs of a transposed convolution's weight.
      expect(spread(model.up3.deconv.weight) / (0.1 * Math.sqrt(2 / (96 * 4)))).toBeCloseTo(1, 1)
      expect(model.ninC.bias?.abs().max().toNumber()).toBe(0)
      expect(spread(new DenoisingUNet({ initScale: 1 }).encConv1.weight) / Math.sqrt(2 / (48 * 9))).toBeCloseTo(1, 1)
    })
  })

  test('S6. computes what an independent implementation does', () => {
    tidy(() => {
      const model = new DenoisingUNet()
      fill(model)
      const output = noGrad(() => model.forward(picture([1, 3, 64, 96]))).to('float64')
      const mean = output.mean().toNumber()
      expect(mean).toBeCloseTo(-0.4190098, 5)
      expect(output.sub(mean).square().mean().sqrt().toNumber()).toBeCloseTo(0.8894216, 5)
    })
  })

  test('S6. trains as an independent implementation does, in double precision', () => {
    tidy(() => {
      const model = new DenoisingUNet()
      fill(model)
      model.to('float64')
      const loss = objectiveOf(model, parseConfig(Config, { training: { seed: 7 } }, 'test'))
      const optimizer = new Adam(model.parameters(), { lr: 1e-3 })
      const noisy = picture([2, 3, 64, 64]).to('float64')
      const weight = scalarTensor(1, { dtype: 'float64' })
      const losses = [1, 2, 3].map((step) => {
        const output = loss({ noisy, weight, iteration: scalarTensor(step, { dtype: 'int64' }) })
        const value = 'loss' in output ? (output.loss as Tensor) : output
        optimizer.zeroGrad()
        value.backward()
        optimizer.step()
        return value.toNumber()
      })
      for (const [i, expected] of [4.8674954, 4.1399353, 1.9320053].entries())
        expect(losses[i]).toBeCloseTo(expected, 5)
    })
  })
})
