import { expect, test } from 'vitest'
import { stnLoss } from '../../../lib/models/enhancement/stn-stochastic-triplet-neighboring'
import { full, gradcheck, manualSeed, rand, type Tensor, tidy } from '../../../lib/tensor'

const drawn = () => rand([2, 3, 4, 4], { dtype: 'float64' })

test('5. has the gradient of finite differences, which is the closed one', () => {
  tidy(() => {
    manualSeed(1)
    const [output, mixed, gap] = [drawn().requiresGrad_(true), drawn(), drawn()]
    expect(gradcheck((x: Tensor) => stnLoss(x, mixed, gap, 1.7).loss, [output])).toBe(true)
    stnLoss(output, mixed, gap, 1.7).loss.backward()
    const closed = output
      .detach()
      .sub(mixed)
      .mul(2.7)
      .sub(gap.mul(1.7))
      .mul(2 / output.numel)
    const error = (output.grad as Tensor).sub(closed).abs().max().toNumber() / closed.abs().max().toNumber()
    expect(error).toBeLessThan(1e-12)
  })
})

test('5. is the mean square without regularisation, and 1 + γ times it without a gap', () => {
  tidy(() => {
    const [output, mixed, gap] = [drawn(), drawn(), drawn()]
    const square = output.sub(mixed).square().mean().toNumber()
    expect(stnLoss(output, mixed, gap, 0).loss.toNumber()).toBeCloseTo(square, 14)
    expect(stnLoss(output, mixed, gap.mul(0), 2.5).loss.toNumber()).toBeCloseTo(3.5 * square, 13)
  })
})

test('S2. is what the hand finds', () => {
  tidy(() => {
    const of = (value: number) => full([1], value, { dtype: 'float64' })
    const output = of(0.5).requiresGrad_(true)
    const { loss, reconstruction, regularisation } = stnLoss(output, of(0.2), of(0.1), 2)
    expect(reconstruction.toNumber()).toBeCloseTo(0.09, 14)
    expect(regularisation.toNumber()).toBeCloseTo(0.04, 14)
    expect(loss.toNumber()).toBeCloseTo(0.17, 14)
    loss.backward()
    expect(output.grad?.toNumber()).toBeCloseTo(1.4, 14)
  })
})
