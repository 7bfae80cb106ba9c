// Blocks against hand calculation: signs, estimators, shortcuts, padding.
import { describe, expect, test } from 'vitest'
import {
  type BinaryUnit,
  Config,
  createNetwork,
  type Sign2,
  StagedBinaryConv3d,
  setStage,
} from '../../../lib/models/video/binary-3d-bitconv'
import { createUnit, type UnitPlan } from '../../../lib/models/video/binary-3d-bitconv/units'
import type { MaxPool3d } from '../../../lib/nn'
import { bconv3d, binarySign, binConv3d, packBinaryWeight, signBiasPack } from '../../../lib/ops'
import {
  conv3d,
  full,
  grad,
  manualSeed,
  noGrad,
  ones,
  randn,
  type Tensor,
  tensor,
  tidy,
  zeros,
} from '../../../lib/tensor'

const PLAN: UnitPlan = {
  precision: 'binary',
  shortcut: true,
  sign2: true,
  scale: 'mean-abs',
  estimator: 'quadratic',
  downsample: 'conv',
}
const numbers = (t: Tensor) => t.to('float64').flatten().toArray() as number[]
const unitOf = (from: number, to: number, kernel: [number, number, number], plan: Partial<UnitPlan> = {}) =>
  createUnit({ ...PLAN, ...plan }, { from, to, kernel, stride: [1, 1, 1] }) as BinaryUnit
const set = (target: Tensor, values: readonly number[]) =>
  noGrad(() => void target.copy_(tensor([...values]).reshape([...target.shape])))

test('2. a convolution of ones counts the taps inside: 1728 in the centre, 512 at corners, 768 at edges, 1152 at faces', () =>
  tidy(() => {
    const sums = bconv3d(signBiasPack(ones([1, 64, 3, 3, 3])), packBinaryWeight(ones([8, 64, 3, 3, 3])), { padding: 1 })
    const at = (t: number, h: number, w: number) =>
      sums.select(0, 0).select(0, t).select(0, h).select(0, w).select(0, 5).item()
    expect(at(1, 1, 1)).toBe(1728)
    expect(at(0, 2, 0)).toBe(512)
    expect(at(0, 1, 0)).toBe(768)
    expect(at(1, 1, 2)).toBe(1152)
  }))

test('3. the packed convolution equals a float one of signs; 0 and −0 are +1, NaN is −1', () =>
  tidy(() => {
    manualSeed(3)
    for (const channels of [5, 64, 70, 512]) {
      for (const stride of [
        [1, 1, 1],
        [1, 2, 2],
        [2, 2, 2],
      ] as const) {
        for (const kernel of [
          [1, 1, 1],
          [3, 1, 1],
          [1, 3, 3],
          [3, 3, 3],
        ] as const) {
          const x = randn([2, channels, 3, 5, 7])
          for (const [i, special] of [0, -0, Number.NaN].entries()) x.select(0, 0).select(0, i).fill_(special)
          const w = randn([9, channels, ...kernel])
          const padding = kernel.map((size) => Math.floor(size / 2)) as [number, number, number]
          const packed = bconv3d(signBiasPack(x), packBinaryWeight(w), { stride, padding }).permute([0, 4, 1, 2, 3])
          // NaN ≥ 0 is false, so that it is −1 here too.
          const sign = (t: Tensor) => t.ge(0).to('float32').mul(2).sub(1)
          const float = conv3d(sign(x), sign(w), { stride: [...stride], padding })
          expect(packed.to('float32').equal(float), `${channels} ${stride} ${kernel}`).toBe(true)
        }
      }
    }
  }))

describe('4. the approximate gradient of sign', () => {
  const POINTS = [-1.5, -1, -0.5, 0, 0.25, 1]

  test('is 0, 0, 1, 2, 1.5, 0 at −1.5, −1, −0.5, 0, 0.25, 1, and 1 within ±1 for clip', () =>
    tidy(() => {
      const slopes = (estimator: 'quadratic' | 'clip') => {
        const x = tensor(POINTS).requiresGrad_()
        const [dx] = grad(binarySign(x, estimator).sum(), [x])
        return numbers(dx as Tensor)
      }
      expect(slopes('quadratic')).toEqual([0, 0, 1, 2, 1.5, 0])
      expect(slopes('clip')).toEqual([0, 1, 1, 1, 1, 1])
      expect(numbers(binarySign(tensor([-2, -0.1, 0, -0, 0.3, 5])))).toEqual([-1, -1, 1, 1, 1, 1])
      // The same as in the convolution of one bit.
      const x = tensor(POINTS).reshape([1, 1, 1, 1, 6]).requiresGrad_()
      const [dx] = grad(binConv3d(x, ones([1, 1, 1, 1, 1])).sum(), [x])
      expect(numbers(dx as Tensor)).toEqual([0, 0, 1, 2, 1.5, 0])
    }))

  test('has the integral 2, the jump of sign', () =>
    tidy(() => {
      const step = 1e-3
      const x = tensor(
        Array.from({ length: 3000 }, (_, i) => -1.5 + (i + 0.5) * step),
        { dtype: 'float64' },
      ).requiresGrad_()
      const [dx] = grad(binarySign(x).sum(), [x])
      expect((dx as Tensor).sum().mul(step).item()).toBeCloseTo(2, 9)
    }))
})

describe('5. gradients', () => {
  test('of weights are 0 beyond ±1, and those of a float convolution of the signs within', () =>
    tidy(() => {
      manualSeed(5)
      const x = randn([2, 3, 3, 4, 4])
      const w = randn([4, 3, 3, 3, 3]).requiresGrad_()
      const [dw] = grad(binConv3d(x, w, { padding: 1 }).pow(2).sum(), [w])
      const sign = (t: Tensor) => t.ge(0).to('float32').mul(2).sub(1)
      const alpha = w
        .detach()
        .abs()
        .mean({ dim: [1, 2, 3, 4], keepdim: true })
      const scaled = sign(w.detach()).mul(alpha).requiresGrad_()
      const [float] = grad(conv3d(sign(x), scaled, { padding: 1 }).pow(2).sum(), [scaled])
      const inside = w.detach().abs().le(1).to('float32')
      const expected = (float as Tensor).mul(inside)
      expect((dw as Tensor).sub(expected).abs().max().item()).toBeLessThan(
        1e-5 * (expected.abs().max().item() as number),
      )
      expect(inside.mean().item()).toBeLessThan(0.9)
    }))

  test('of biases and slopes agree with finite differences where the sign is a clip', () =>
    tidy(() => {
      manualSeed(6)
      const unit = unitOf(2, 4, [3, 3, 3]).to('float64').eval()
      unit.conv.stage = 'real'
      set(unit.conv.bias as Tensor, [0.1, -0.2])
      const { sign2 } = unit as { sign2: Sign2 }
      set(sign2.bias1, [0.3, -0.4, 0.1, 0])
      set(sign2.slope, [0.25, 0.1, 0.4, -0.2])
      const x = randn([1, 2, 3, 4, 4], { dtype: 'float64' }).mul(0.6)
      const loss = () => unit.forward(x, x).pow(2).sum()
      const parameters = [unit.conv.bias as Tensor, sign2.bias1, sign2.slope, sign2.bias2]
      const gradients = grad(loss(), parameters)
      for (const [i, parameter] of parameters.entries()) {
        const analytic = numbers(gradients[i] as Tensor)
        for (let k = 0; k < parameter.numel; k++) {
          const at = (delta: number) =>
            noGrad(() => {
              const place = parameter.detach().narrow(0, k, 1)
              place.add_(delta)
              const value = loss().item() as number
              place.sub_(delta)
              return value
            })
          const numeric = (at(1e-6) - at(-1e-6)) / 2e-6
          expect(analytic[k]).toBeCloseTo(numeric, 4)
        }
      }
    }))
})

test('sharper 1. a block by hand', () =>
  tidy(() => {
    const unit = unitOf(1, 2, [1, 1, 1]).eval()
    set(unit.conv.weight, [0.5, -0.25])
    set(unit.conv.bias as Tensor, [0.1])
    const { sign2 } = unit as { sign2: Sign2 }
    set(sign2.bias1, [-0.4, -0.4])
    set(sign2.bias2, [1, 1])
    const x = tensor([-0.5, 0, 2]).reshape([1, 1, 1, 1, 3]).requiresGrad_()
    const y = unit.forward(x, x)
    const close = (t: Tensor, expected: readonly number[]) => {
      for (const [i, value] of numbers(t.detach()).entries()) expect(value).toBeCloseTo(expected[i] as number, 4)
    }
    close(y, [0.65, 1.1, 3.1, 0.8375, 0.8375, 2.35])
    const { weight } = unit.norm
    const inputs = [x, unit.conv.weight, unit.conv.bias as Tensor, sign2.bias1, sign2.slope, weight as Tensor]
    const [dx, dw, db0, db1, dslope, dgamma] = grad(y.sum(), inputs) as [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]
    close(dx, [0.575, 2.0375, 2])
    close(dw, [1.75, 1])
    close(db0, [0.8625])
    close(db1, [2.25, 1.5])
    close(dslope, [-1.4, -1.3])
    close(dgamma, [0.875, -0.25])
  }))

describe('sharper 2.', () => {
  test('weights of 1, 1.0001, −1.2 and 0.3 have the mask 1, 0, 0, 1', () =>
    tidy(() => {
      const w = tensor([1, 1.0001, -1.2, 0.3]).reshape([1, 4, 1, 1, 1]).requiresGrad_()
      const [dw] = grad(binConv3d(ones([1, 4, 1, 1, 1]), w).sum(), [w])
      expect(numbers(dw as Tensor)).toEqual([1, 0, 0, 1])
    }))

  test('behind a norm in training the scale changes nothing but gradients of weights, by its factor', () =>
    tidy(() => {
      manualSeed(7)
      const shape = { from: 6, to: 4, kernel: [3, 3, 3], stride: [1, 1, 1] } as const
      const [scaled, plain] = (['mean-abs', 'none'] as const).map((scale) => {
        const unit = createUnit({ ...PLAN, scale }, shape) as BinaryUnit
        // With an epsilon of 0 the ratio is exact.
        Object.assign(unit.norm, { eps: 1e-12 })
        return unit.to('float64')
      }) as [BinaryUnit, BinaryUnit]
      noGrad(() => plain.loadStateDict(scaled.stateDict()))
      const x = randn([2, 6, 4, 5, 5], { dtype: 'float64' }).requiresGrad_()
      const run = (unit: BinaryUnit) => {
        const y = unit.forward(x)
        const [dx, dw] = grad(y.pow(2).sum(), [x, unit.conv.weight]) as [Tensor, Tensor]
        return { y: y.detach(), dx, dw }
      }
      const [a, b] = [run(scaled), run(plain)]
      expect(a.y.sub(b.y).abs().max().item()).toBeLessThan(1e-8)
      expect(a.dx.sub(b.dx).abs().max().item()).toBeLessThan(1e-8)
      const alpha = scaled.conv.weight
        .detach()
        .abs()
        .mean({ dim: [1, 2, 3, 4], keepdim: true })
      expect(a.dw.mul(alpha).sub(b.dw).abs().max().item()).toBeLessThan(1e-7)
      expect(b.dw.abs().max().item()).toBeGreaterThan(1e-3)
    }))
})

test('sharper 3. the last pool of C3D keeps a map of −1 at its border', () =>
  tidy(() => {
    using network = createNetwork(Config.parse({ network: { width: 0.125, hidden: 8 } }))
    if (!('pool5' in network)) throw new Error('c3d has a fifth pool')
    const pooled = (network.pool5 as MaxPool3d).forward(full([1, 2, 2, 7, 7], -1))
    expect(pooled.shape).toEqual([1, 2, 1, 4, 4])
    expect(pooled.eq(-1).all().item()).toBe(true)
  }))

test('a shortcut of half the channels is taken twice, side by side', () =>
  tidy(() => {
    const unit = unitOf(2, 4, [1, 1, 1], { sign2: false }).eval()
    const x = randn([1, 2, 2, 3, 3])
    const beside = unit.forward(x, x).sub(unit.forward(x))
    const expected = x.repeat([1, 2, 1, 1, 1])
    expect(beside.sub(expected).abs().max().item()).toBeLessThan(1e-5)
  }))

test('stages: floats behind a clip, signs of activations, signs of both, of the same weights', () =>
  tidy(() => {
    manualSeed(8)
    const conv = new StagedBinaryConv3d(3, 2, 3, { padding: 1 })
    set(conv.bias as Tensor, [0.5, -0.5, 0])
    const x = randn([1, 3, 3, 4, 4])
    const shifted = x.add(tensor([0.5, -0.5, 0]).reshape([1, 3, 1, 1, 1]))
    const sign = (t: Tensor) => t.ge(0).to('float32').mul(2).sub(1)
    const expected = {
      real: conv3d(shifted.clamp({ min: -1, max: 1 }), conv.weight, { padding: 1 }),
      activations: conv3d(sign(shifted), conv.weight, { padding: 1 }),
      binary: conv3d(
        sign(shifted),
        sign(conv.weight).mul(conv.weight.abs().mean({ dim: [1, 2, 3, 4], keepdim: true })),
        { padding: 1 },
      ),
    }
    for (const stage of ['real', 'activations', 'binary'] as const) {
      setStage(conv, stage)
      expect(conv.forward(x).sub(expected[stage]).abs().max().item(), stage).toBeLessThan(1e-5)
    }
    // Zeros around the map stay zeros behind the sign, whatever the bias.
    setStage(conv, 'activations')
    expect(conv.forward(zeros([1, 3, 1, 1, 1])).shape).toEqual([1, 2, 1, 1, 1])
  }))
