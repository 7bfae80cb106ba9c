import { describe, expect, test } from 'vitest'
import { ArgumentError } from '../../lib/native/errors'
import { ConvCapsules, DenseCapsules } from '../../lib/nn'
import { capsuleRouting, capsuleVotes } from '../../lib/ops'
import { grad, noGrad, type Tensor, tidy } from '../../lib/tensor'
import { denseReference, routingReference } from '../support/capsule-reference'
import { largestDifference, noise } from '../support/test-op'

const made = { dtype: 'float64' } as const

describe('ConvCapsules', () => {
  test('convolves and routes, with β', () => {
    tidy(() => {
      const layer = new ConvCapsules(4, 3, 5, { ...made, kernelDepth: 4 })
      const input = noise([2, 2, 4, 6, 7])
      const votes = capsuleVotes(input, layer.weight, 3, layer.bias)
      const { capsules } = routingReference(votes, layer.routingBias as Tensor)
      expect(largestDifference(layer.forward(input), capsules[2] as Tensor)).toBeLessThan(1e-12)
    })
  })

  test('a gain of positions multiplies the couplings by their number', () => {
    tidy(() => {
      const layer = new ConvCapsules(4, 2, 3, { ...made, couplingGain: 'positions', iterations: 1 })
      const input = noise([1, 2, 4, 5, 4])
      const votes = capsuleVotes(input, layer.weight, 2, layer.bias)
      // One iteration: couplings are 1/(positions·types), and 20 times that with the gain.
      const sums = votes
        .sum({ dim: 1 })
        .div(2)
        .add((layer.routingBias as Tensor).reshape([1, 2, 3, 1, 1]))
      const squared = sums.square().sum({ dim: 2, keepdim: true })
      const expected = sums.mul(squared.sqrt()).div(squared.add(0.5))
      expect(largestDifference(layer.forward(input), expected)).toBeLessThan(1e-12)
    })
  })

  test('has the parameters of the iris matcher, and is literal without β', () => {
    tidy(() => {
      const layer = new ConvCapsules(16, 8, 16)
      expect(layer.parameters().reduce((sum, { numel }) => sum + numel, 0)).toBe(3584 + 128)
      expect([...layer.stateDict().keys()].sort()).toEqual(['bias', 'routing_bias', 'weight'])
      const literal = new ConvCapsules(4, 2, 3, { ...made, routingBias: false, bias: false })
      const input = noise([1, 2, 4, 3, 3])
      const expected = capsuleRouting(capsuleVotes(input, literal.weight, 2))
      expect(largestDifference(literal.forward(input), expected)).toBe(0)
    })
  })

  test('passes gradients to all parameters', () => {
    tidy(() => {
      const layer = new ConvCapsules(4, 2, 3)
      const loss = layer
        .forward(noise([1, 2, 4, 3, 3]).to('float32'))
        .square()
        .sum()
      for (const slope of grad(loss, [...layer.parameters()])) {
        expect((slope as Tensor).abs().sum().toNumber()).toBeGreaterThan(0)
      }
    })
  })

  test('refuses sizes that do not fit', () => {
    expect(() => new ConvCapsules(4, 2, 3, { kernelSize: 2 })).toThrow(ArgumentError)
    expect(() => new ConvCapsules(2, 2, 3)).toThrow(ArgumentError)
    expect(() => new ConvCapsules(4, 0, 3)).toThrow(ArgumentError)
  })
})

describe('DenseCapsules', () => {
  test('routes, with a bias that begins at 0', () => {
    tidy(() => {
      const layer = new DenseCapsules(7, 4, 3, 5, { ...made, bias: true })
      noGrad(() => layer.weight.mul_(50))
      const input = noise([2, 7, 4])
      const { capsules } = denseReference(input, layer.weight, layer.bias as Tensor)
      expect(largestDifference(layer.forward(input), capsules[2] as Tensor)).toBeLessThan(1e-12)
    })
  })

  test('prints its sizes and begins with small weights', () => {
    tidy(() => {
      const layer = new DenseCapsules(1152, 8, 10, 16)
      expect(`${layer}`).toBe('DenseCapsules(1152, 8, 10, 16, iterations=3, kappa=1)')
      expect(layer.weight.std().toNumber()).toBeCloseTo(0.01, 3)
    })
  })
})
