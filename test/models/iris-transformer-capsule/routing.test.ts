// Capsules as the card of the paper has them by numbers; numbers 2 to 6, A, B and C of its checks.
import { describe, expect, test } from 'vitest'
import { pairMarginLoss } from '../../../lib/models/biometrics/iris-transformer-capsule'
import {
  capsuleLengths,
  capsuleRouting,
  capsuleRoutingDense,
  capsuleRoutingWithCouplings,
  capsuleVotes,
  squash,
} from '../../../lib/ops'
import { full, gradcheck, manualSeed, randn, type Tensor, tensor, tidy } from '../../../lib/tensor'

const float64 = { dtype: 'float64' } as const
const values = (x: Tensor) => [...(x.detach().flatten().to('float64').dataSync() as Float64Array)]
const close = (x: Tensor, expected: readonly number[], digits = 6) => {
  const got = values(x)
  expect(got.length).toBe(expected.length)
  for (const [i, value] of expected.entries()) expect(got[i]).toBeCloseTo(value, digits)
}
const counted = (count: number, of: (i: number) => number) =>
  tensor(
    Array.from({ length: count }, (_, i) => of(i)),
    float64,
  )

test('2. squash shortens (3, 4) to length 25/26 or 25/25.5, and leaves 0 alone', () =>
  tidy(() => {
    const x = tensor([3, 4], float64)
    close(squash(x), [0.576923, 0.769231])
    close(squash(x, { kappa: 0.5 }), [0.588235, 0.784314])
    const zero = full([2], 0, { ...float64, requiresGrad: true })
    const y = squash(zero)
    y.sum().backward()
    expect(values(y)).toEqual([0, 0])
    expect(values(zero.grad as Tensor)).toEqual([0, 0])
  }))

test('3. couplings of a tiny routing go 0.5, 0.731, 0.924', () =>
  tidy(() => {
    const votes = tensor([1, 2], float64).reshape([1, 1, 2, 1, 1, 1])
    const after = (iterations: number) => capsuleRoutingWithCouplings(votes, { iterations }).couplings
    close(after(1), [0.5, 0.5])
    close(after(2), [0.268941, 0.731059])
    close(after(3), [0.076243, 0.923757])
    close(capsuleRouting(votes), [0.011493, 0.872231])
  }))

test('4. couplings of an input type add up to 1, and positions are all alike', () =>
  tidy(() => {
    manualSeed(1)
    const votes = randn([2, 3, 4, 5, 6, 7], float64)
    const { couplings, capsules } = capsuleRoutingWithCouplings(votes)
    close(couplings.sum({ dim: [2, 3, 4] }), [1, 1, 1, 1, 1, 1], 12)
    const order = [3, 5, 0, 1, 4, 2]
    const turned = (x: Tensor, dim: number) => x.indexSelect(dim, tensor(order.map(BigInt)))
    close(capsuleRouting(turned(votes, 4)), values(turned(capsules, 3)), 12)
  }))

test('5. gradients of squash, both routings and the margin loss are those of differences', () =>
  tidy(() => {
    manualSeed(2)
    const random = (...shape: number[]) => randn(shape, { ...float64, requiresGrad: true })
    const options = { eps: 1e-5, atol: 1e-7, rtol: 1e-7 }
    expect(gradcheck((x) => squash(x as Tensor), [random(4, 3)], options)).toBe(true)
    const route = (v: Tensor, bias: Tensor) => capsuleRouting(v, { bias })
    expect(gradcheck(route as never, [random(1, 2, 2, 3, 2, 2), random(2, 3)], options)).toBe(true)
    const dense = (x: Tensor, w: Tensor) => capsuleRoutingDense(x, w)
    expect(gradcheck(dense as never, [random(2, 3, 2), random(3, 2, 4, 2)], options)).toBe(true)
    const label = tensor([1n, 0n])
    const margin = (x: Tensor) => pairMarginLoss(capsuleLengths(x), label)
    expect(gradcheck(margin as never, [random(2, 2, 3)], options)).toBe(true)
  }))

test('6. margin loss of a genuine pair', () =>
  tidy(() => {
    const loss = (imposter: number, genuine: number) =>
      pairMarginLoss(tensor([[imposter, genuine]], float64), tensor([1n])).item() as number
    expect(loss(0.3, 0.7)).toBeCloseTo(0.06, 12)
    expect(loss(0.05, 0.95)).toBe(0)
    expect(loss(0, 0)).toBeCloseTo(0.81, 12)
    // The best constant answer to half genuine pairs: both lengths 0.6333.
    const constant = full([2, 2], 19 / 30, float64)
    expect(pairMarginLoss(constant, tensor([0n, 1n])).item()).toBeCloseTo(0.2133, 4)
  }))

describe('routing over positions and types', () => {
  const votes = () => counted(24, (i) => 2 * Math.sin(i + 1)).reshape([1, 3, 2, 2, 1, 2])

  test('A. with β = 0.1, and with couplings twice as large', () =>
    tidy(() => {
      const route = (gain: number) =>
        capsuleRouting(votes(), { bias: full([2, 2], 0.1 / gain, float64), kappa: 0.5 / gain ** 2 })
      close(route(1), [0.575877, -0.013721, -0.190599, 0.062241, 0.170374, 0.563909, 0.141805, -0.345033])
      close(route(2), [0.891452, -0.178118, -0.323095, 0.351405, 0.069586, 0.579944, 0.227175, -0.75042])
    }))
})

test('B. votes read the first components of each capsule, capsule by capsule', () =>
  tidy(() => {
    const votesOf = (depth: number, input: Tensor) => {
      const weight = counted(2 * depth * 9, (j) => Math.cos(j)).reshape([2, 1, depth, 3, 3])
      return capsuleVotes(input, weight, 1, tensor([0.5, -0.25], float64))
    }
    const u = () => counted(32, (i) => Math.sin(i + 1)).reshape([1, 2, 4, 2, 2])
    close(votesOf(3, u()).flatten().narrow(0, 0, 4), [-2.84591, -4.509539, 3.275474, 5.566611])
    close(votesOf(4, u()).flatten().narrow(0, 0, 4), [-1.926816, -3.302905, 2.484658, 4.32725])
    for (const [depth, reaches] of [
      [3, false],
      [4, true],
    ] as const) {
      const input = u().requiresGrad_()
      votesOf(depth, input).square().sum().backward()
      const beyond = (input.grad as Tensor).narrow(2, 3, 1).abs().sum().item() as number
      expect(beyond > 0).toBe(reaches)
    }
  }))

test('C. digit capsules, their matrices by input, output, row and column', () =>
  tidy(() => {
    const x = counted(6, (i) => Math.cos(i)).reshape([1, 3, 2])
    const weight = counted(24, (i) => Math.sin(i + 1)).reshape([3, 2, 2, 2])
    const g = capsuleRoutingDense(x, weight)
    close(g, [0.271841, 0.131891, -0.732476, 0.405322])
    close(capsuleLengths(g), [0.302147, 0.837143])
  }))
