import { beforeAll, describe, expect, test } from 'vitest'
import { ArgumentError, DTypeError, ShapeError } from '../../lib/native/errors'
import { capsuleLengths, capsuleRoutingDense, capsuleRoutingDenseAsync, marginLoss, squash } from '../../lib/ops'
import { autocast, grad, memory, noGrad, randn, setNumThreads, type Tensor, tensor, tidy } from '../../lib/tensor'
import { denseReference, squashReference } from '../support/capsule-reference'
import { largestDifference, noise, testOp } from '../support/test-op'

// Threads that wait for one another are slow on a machine that is busy with other tests.
beforeAll(() => setNumThreads(1))

const last = <T>(values: readonly T[]): T => values[values.length - 1] as T
const numbers = (t: Tensor) => Array.from(t.to('float64').contiguous().dataSync() as Float64Array)
const float64 = (values: readonly number[], shape: readonly number[]) =>
  tensor([...values], { shape: [...shape], dtype: 'float64' })

/** Samples, input capsules, output capsules, their dimension and that of the input. */
const SIZES = [
  { sizes: [2, 5, 3, 4, 6], iterations: 3 },
  { sizes: [17, 70, 2, 16, 16], iterations: 3 },
  { sizes: [3, 9, 10, 5, 8], iterations: 2 },
  { sizes: [1, 3, 1, 1, 1], iterations: 1 },
  { sizes: [33, 1, 4, 3, 2], iterations: 4 },
] as const

const inputsOf = ([samples, inputs, outputs, dims, from]: readonly [number, number, number, number, number]) => [
  noise([samples, inputs, from]).mul(1.5),
  noise([inputs, outputs, dims, from], 3),
  noise([outputs, dims], 4).mul(0.2),
]

testOp('check 7: capsule_routing_dense', {
  tolerances: { float64: 1e-12, float32: 1e-5, float16: 5e-3, bfloat16: 4e-2 },
  cases: SIZES.map(({ sizes, iterations }) => ({
    name: `[${sizes}], ${iterations} iterations`,
    inputs: () => inputsOf(sizes),
    run: (x: Tensor, w: Tensor, bias: Tensor) => capsuleRoutingDense(x, w, { bias, iterations }),
    reference: (x: Tensor, w: Tensor, bias: Tensor) => last(denseReference(x, w, bias, iterations).capsules),
    differentiable: [0, 1, 2],
    skipGradients: sizes[0] * sizes[1] > 20,
  })),
})

test('one input and two outputs by hand: the recursion of check 2 with a softmax over outputs', () => {
  tidy(() => {
    // û = (1, 2) of dimension 1; c0 = (½, ½), y = s·|s|/(1 + s²) = (0.2, 0.5); b = (0.2, 1)
    const [x, w] = [float64([1], [1, 1, 1]), float64([1, 2], [1, 2, 1, 1])]
    const [first, second] = [0, 1].map((t) => numbers(capsuleRoutingDense(x, w, { iterations: t + 1 }))) as [
      number[],
      number[],
    ]
    expect(first[0]).toBeCloseTo(0.2, 12)
    expect(first[1]).toBeCloseTo(0.5, 12)
    const share = 1 / (1 + Math.exp(0.8))
    const lengths = [share, 2 * (1 - share)].map((s) => (s * s) / (1 + s * s)) as [number, number]
    expect(second[0]).toBeCloseTo(lengths[0], 12)
    expect(second[1]).toBeCloseTo(lengths[1], 12)
  })
})

describe('check 5: gradients', () => {
  test.each([1, 2, 3, 5])('of input, weight and bias equal those of the reference, %i iterations', (iterations) => {
    tidy(() => {
      for (const { sizes } of SIZES) {
        const leaves = inputsOf(sizes).map((t) => t.requiresGrad_()) as [Tensor, Tensor, Tensor]
        const upstream = noise([sizes[0], sizes[2], sizes[3]], 7)
        const reference = last(denseReference(...leaves, iterations).capsules)
        const expected = grad(reference, leaves, { gradOutputs: [upstream] })
        const [x, w, bias] = leaves
        const actual = grad(capsuleRoutingDense(x, w, { bias, iterations }), leaves, { gradOutputs: [upstream] })
        for (const [i, value] of actual.entries()) {
          expect(largestDifference(value as Tensor, expected[i] as Tensor)).toBeLessThan(1e-11)
        }
      }
    })
  })

  test('with detached couplings are the terms of the last iteration', () => {
    tidy(() => {
      const [x, w] = inputsOf([3, 7, 4, 5, 6]).map((t) => t.requiresGrad_()) as [Tensor, Tensor]
      const { couplings, votes } = denseReference(x, w, undefined)
      const sums = last(couplings).detach().unsqueeze(3).mul(votes).sum({ dim: 1 })
      const expected = grad(squashReference(sums, 1, 2).square().sum(), [x, w])
      const actual = grad(capsuleRoutingDense(x, w, { detach: true }).square().sum(), [x, w])
      for (const [i, value] of actual.entries()) {
        expect(largestDifference(value as Tensor, expected[i] as Tensor)).toBeLessThan(1e-12)
      }
    })
  })

  test('do not depend on the number of threads', () => {
    tidy(() => {
      const runs = [1, 2].map((threads) => {
        setNumThreads(threads)
        const [x, w] = inputsOf([18, 40, 3, 8, 8]).map((t) => t.to('float32').requiresGrad_()) as [Tensor, Tensor]
        return grad(capsuleRoutingDense(x, w).square().sum(), [x, w]) as Tensor[]
      })
      setNumThreads(1)
      for (const i of [0, 1]) {
        expect(largestDifference(runs[0]?.[i] as Tensor, runs[1]?.[i] as Tensor)).toBe(0)
      }
    })
  })

  test('reach the weights of a network with margin loss, and have no second order', () => {
    tidy(() => {
      const [x, w] = inputsOf([2, 5, 3, 4, 6]).map((t) => t.requiresGrad_()) as [Tensor, Tensor]
      const loss = marginLoss(capsuleLengths(capsuleRoutingDense(x, w)), float64([1, 0, 0, 0, 1, 0], [2, 3]))
      expect((grad(loss, [w], { retainGraph: true })[0] as Tensor).abs().sum().toNumber()).toBeGreaterThan(0)
      expect(() => grad(loss, [w], { createGraph: true })).toThrow('no second derivative')
    })
  })
})

test('check 6: input capsules that change places with their weights leave the output', () => {
  tidy(() => {
    const [x, w] = inputsOf([2, 6, 3, 4, 5]) as [Tensor, Tensor]
    const out = capsuleRoutingDense(x.flip([1]), w.flip([0]))
    expect(largestDifference(out, capsuleRoutingDense(x, w))).toBeLessThan(1e-14)
    const samples = capsuleRoutingDense(x.flip([0]), w)
    expect(largestDifference(samples.flip([0]), capsuleRoutingDense(x, w))).toBe(0)
  })
})

test('check 9: votes are never stored', () => {
  tidy(() => {
    const [x, w] = [randn([64, 1024, 8]), randn([1024, 10, 16, 8])]
    const votes = 4 * 64 * 1024 * 10 * 16
    memory.resetPeak()
    const before = memory.stats().allocatedCpuBytes
    noGrad(() => capsuleRoutingDense(x, w))
    expect(memory.stats().peakCpuBytes - before).toBeLessThan(votes / 8)
    const leaves = [x.requiresGrad_(), w.requiresGrad_()]
    memory.resetPeak()
    const start = memory.stats().allocatedCpuBytes
    grad(capsuleRoutingDense(x, w).sum(), leaves)
    const gradients = 4 * (x.numel + w.numel)
    expect(memory.stats().peakCpuBytes - start - gradients).toBeLessThan(votes / 8)
  })
})

describe('off the event loop', () => {
  test('gives the same, and is stopped within a call', async () => {
    const [x, w] = [randn([64, 1024, 8]), randn([1024, 10, 16, 8])]
    const out = await capsuleRoutingDenseAsync(x, w)
    expect(largestDifference(out, capsuleRoutingDense(x, w))).toBe(0)
    const controller = new AbortController()
    const running = capsuleRoutingDenseAsync(x, w, { iterations: 64, signal: controller.signal })
    setTimeout(() => controller.abort('enough'), 5)
    await expect(running).rejects.toMatchObject({ kind: 'Cancelled', cause: 'enough' })
  })
})

test('under autocast input and weights are those of a matrix product', () => {
  tidy(() => {
    const [x, w] = inputsOf([2, 5, 3, 4, 6]).map((t) => t.to('float32')) as [Tensor, Tensor]
    const out = autocast({ device: 'cpu', dtype: 'bfloat16' }, () => capsuleRoutingDense(x, w))
    expect(out.dtype).toBe('bfloat16')
    expect(largestDifference(out, capsuleRoutingDense(x.to('bfloat16'), w.to('bfloat16')))).toBe(0)
  })
})

describe('degenerate input', () => {
  test('no samples, no inputs, no outputs', () => {
    tidy(() => {
      expect(capsuleRoutingDense(noise([0, 2, 3]), noise([2, 4, 5, 3])).shape).toEqual([0, 4, 5])
      expect(capsuleRoutingDense(noise([2, 2, 3]), noise([2, 0, 5, 3])).shape).toEqual([2, 0, 5])
      const bias = float64([3, 4], [1, 2])
      const out = capsuleRoutingDense(noise([1, 0, 3]), noise([0, 1, 2, 3]), { bias })
      expect(largestDifference(out.flatten(), squash(float64([3, 4], [2])))).toBeLessThan(1e-14)
      const [x, w] = [noise([0, 2, 3]).requiresGrad_(), noise([2, 4, 5, 3]).requiresGrad_()]
      const [, slope] = grad(capsuleRoutingDense(x, w).sum(), [x, w])
      expect(numbers(slope as Tensor).every((value) => value === 0)).toBe(true)
    })
  })

  test('zeros give zeros and no gradient, large agreement stays finite, NaN stays in its sample', () => {
    tidy(() => {
      const [x, w] = inputsOf([2, 5, 3, 4, 6]) as [Tensor, Tensor]
      const zero = x.mul(0).requiresGrad_()
      expect(numbers(grad(capsuleRoutingDense(zero, w).sum(), [zero])[0] as Tensor).every((v) => v === 0)).toBe(true)
      expect(capsuleRoutingDense(x.mul(1e4), w).isfinite().all().item()).toBe(true)
      const broken = x.clone()
      broken.select(0, 0).fill_(Number.NaN)
      const out = capsuleRoutingDense(broken, w)
      expect(out.select(0, 0).isnan().all().item()).toBe(true)
      expect(out.select(0, 1).isnan().any().item()).toBe(false)
    })
  })

  test('what cannot be routed is refused', () => {
    tidy(() => {
      const [x, w] = inputsOf([2, 5, 3, 4, 6]) as [Tensor, Tensor]
      expect(() => capsuleRoutingDense(x.select(0, 0), w)).toThrow(ShapeError)
      expect(() => capsuleRoutingDense(x, w.narrow(0, 0, 4))).toThrow(ShapeError)
      expect(() => capsuleRoutingDense(x, w.narrow(3, 0, 5))).toThrow(ShapeError)
      expect(() => capsuleRoutingDense(x, w, { bias: noise([4, 3]) })).toThrow(ShapeError)
      expect(() => capsuleRoutingDense(x, w.to('float32'))).toThrow(DTypeError)
      expect(() => capsuleRoutingDense(x.to('int32'), w.to('int32'))).toThrow(DTypeError)
      expect(() => capsuleRoutingDense(x, w, { iterations: 0 })).toThrow(ArgumentError)
      expect(() => capsuleRoutingDense(x, w, { kappa: -1 })).toThrow(ArgumentError)
    })
  })
})
