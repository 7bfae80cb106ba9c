import { spawnSync } from 'node:child_process'
import { beforeAll, describe, expect, test } from 'vitest'
import { ArgumentError, DTypeError, ShapeError } from '../../lib/native/errors'
import {
  capsuleLengths,
  capsuleRouting,
  capsuleRoutingAsync,
  capsuleRoutingWithCouplings,
  capsuleVotes,
  marginLoss,
  squash,
} from '../../lib/ops'
import {
  autocast,
  call,
  conv3d,
  grad,
  memory,
  noGrad,
  randn,
  setNumThreads,
  type Tensor,
  tensor,
  tidy,
} from '../../lib/tensor'
import { routingReference, squashReference } from '../support/capsule-reference'
import { largestDifference, noise, testOp } from '../support/test-op'

// Threads that wait for one another are slow on a machine that is busy with other tests.
beforeAll(() => setNumThreads(1))

const float64 = (values: readonly number[], shape: readonly number[] = [values.length]) =>
  tensor([...values], { shape: [...shape], dtype: 'float64' })
const numbers = (t: Tensor) => Array.from(t.to('float64').contiguous().dataSync() as Float64Array)
const last = <T>(values: readonly T[]): T => values[values.length - 1] as T

testOp('check 7: capsule_routing', {
  tolerances: { float64: 1e-12, float32: 1e-5, float16: 5e-3, bfloat16: 4e-2 },
  cases: [
    { shape: [2, 3, 2, 4, 3, 3], iterations: 3 },
    { shape: [1, 2, 3, 5, 1, 1], iterations: 1 },
    { shape: [1, 1, 2, 1, 2, 3], iterations: 4 },
    { shape: [1, 5, 2, 3, 11, 13], iterations: 2 },
    { shape: [3, 2, 3, 17, 5, 7], iterations: 3 },
  ].map(({ shape, iterations }) => ({
    name: `[${shape}], ${iterations} iterations`,
    inputs: () => [noise(shape, 3).mul(2), noise([shape[2] as number, shape[3] as number], 4)],
    run: (votes: Tensor, bias: Tensor) => {
      const { capsules, couplings } = capsuleRoutingWithCouplings(votes, { bias, iterations })
      return [capsules, couplings]
    },
    reference: (votes: Tensor, bias: Tensor) => {
      const { capsules, couplings } = routingReference(votes, bias, iterations)
      return [last(capsules), last(couplings)]
    },
    skipGradients: true,
  })),
})

testOp('squash', {
  tolerances: { float64: 1e-14, float32: 1e-6, float16: 1e-3, bfloat16: 8e-3 },
  cases: [{ dim: 0 }, { dim: 1 }, { dim: -1 }].map(({ dim }) => ({
    name: `along ${dim}`,
    inputs: () => [noise([3, 4, 5])],
    run: (s: Tensor) => squash(s, { kappa: 0.5, dim }),
    reference: (s: Tensor) => squashReference(s, 0.5, dim),
    differentiable: [0],
  })),
})

describe('check 1: squash by hand', () => {
  test.each([
    { kappa: 1, value: [0.576923, 0.769231], column: [0.128402, -0.085207] },
    { kappa: 0.5, value: [0.588235, 0.784314], column: [0.128258, -0.090427] },
  ])('of [3, 4] with κ = $kappa', ({ kappa, value, column }) => {
    tidy(() => {
      const s = float64([3, 4]).requiresGrad_()
      const out = squash(s, { kappa })
      for (const [i, x] of numbers(out.detach()).entries()) expect(x).toBeCloseTo(value[i] as number, 6)
      const [jacobian] = grad(out, [s], { gradOutputs: [float64([1, 0])] })
      for (const [i, x] of numbers(jacobian as Tensor).entries()) expect(x).toBeCloseTo(column[i] as number, 6)
    })
  })

  test('of 0 is 0 and passes no gradient', () => {
    tidy(() => {
      const s = float64([0, 0]).requiresGrad_()
      const out = squash(s)
      expect(numbers(out.detach())).toEqual([0, 0])
      expect(numbers(grad(out.sum(), [s])[0] as Tensor)).toEqual([0, 0])
    })
  })
})

test('check 2: couplings and capsules of two votes by hand', () => {
  tidy(() => {
    const votes = float64([1, 2], [1, 1, 2, 1, 1, 1])
    const couplings = [
      [0.5, 0.5],
      [0.268941, 0.731059],
      [0.076243, 0.923757],
    ]
    const capsules = [
      [1 / 3, 2 / 3],
      [0.126377, 0.810447],
      [0.011493, 0.872231],
    ]
    for (const [t, expected] of couplings.entries()) {
      const routed = capsuleRoutingWithCouplings(votes, { iterations: t + 1 })
      for (const [i, x] of numbers(routed.couplings).entries()) expect(x).toBeCloseTo(expected[i] as number, 6)
      for (const [i, x] of numbers(routed.capsules).entries()) {
        expect(x).toBeCloseTo((capsules[t] as number[])[i] as number, 6)
      }
    }
  })
})

test('check 3: couplings of every iteration are those of the reference', () => {
  tidy(() => {
    const votes = noise([2, 3, 2, 4, 8, 9]).mul(2)
    const { couplings } = routingReference(votes, undefined, 4)
    for (const [t, expected] of couplings.entries()) {
      const actual = capsuleRoutingWithCouplings(votes, { iterations: t + 1 }).couplings
      expect(largestDifference(actual, expected)).toBeLessThan(1e-14)
    }
  })
})

test('check 3: couplings of a sample and input type sum to 1', () => {
  tidy(() => {
    const votes = randn([1, 2, 8, 4, 64, 64])
    for (const iterations of [1, 2, 3]) {
      const { couplings } = capsuleRoutingWithCouplings(votes, { iterations })
      for (const sum of numbers(couplings.to('float64').flatten({ startDim: 2 }).sum({ dim: 2 }))) {
        expect(Math.abs(sum - 1)).toBeLessThan(1e-5)
      }
    }
  })
})

test.each([3, 16])('check 4: votes of depth %i are those of a 3D convolution', (depth) => {
  tidy(() => {
    const input = noise([2, 3, 16, 5, 4])
    const weight = noise([8, 1, depth, 3, 3], 2)
    const stacked = conv3d(input.reshape([2, 1, 48, 5, 4]), weight, { stride: [16, 1, 1], padding: [0, 1, 1] })
    const expected = stacked.reshape([2, 2, 4, 3, 5, 4]).permute([0, 3, 1, 2, 4, 5])
    expect(largestDifference(capsuleVotes(input, weight, 2), expected)).toBeLessThan(1e-13)
  })
})

describe('check 5: gradients', () => {
  test.each([1, 2, 3, 5])('of votes and bias equal those of the reference, %i iterations', (iterations) => {
    tidy(() => {
      for (const shape of [
        [2, 3, 2, 4, 3, 3],
        [1, 4, 2, 3, 9, 10],
      ]) {
        const votes = noise(shape).mul(2).requiresGrad_()
        const bias = noise([2, shape[3] as number], 9).requiresGrad_()
        const upstream = noise([shape[0], ...shape.slice(2)] as number[], 7)
        const reference = last(routingReference(votes, bias, iterations).capsules)
        const expected = grad(reference, [votes, bias], { gradOutputs: [upstream] })
        const actual = grad(capsuleRouting(votes, { bias, iterations }), [votes, bias], { gradOutputs: [upstream] })
        for (const [i, value] of actual.entries()) {
          expect(largestDifference(value as Tensor, expected[i] as Tensor)).toBeLessThan(1e-12)
        }
      }
    })
  })

  test('with detached couplings are the terms of the last iteration', () => {
    tidy(() => {
      const votes = noise([2, 3, 2, 4, 3, 3]).mul(2).requiresGrad_()
      const { couplings } = routingReference(votes.detach(), undefined)
      const sums = last(couplings).unsqueeze(3).mul(votes).sum({ dim: 1 })
      const [expected] = grad(squashReference(sums, 0.5, 2).square().sum(), [votes])
      const [actual] = grad(capsuleRouting(votes, { detach: true }).square().sum(), [votes])
      expect(largestDifference(actual as Tensor, expected as Tensor)).toBeLessThan(1e-12)
    })
  })

  test.each([false, true])('of half precision are those of its rounded values, detached: %s', (detach) => {
    tidy(() => {
      const votes = noise([1, 3, 2, 4, 9, 9]).to('float16').requiresGrad_()
      const exact = votes.detach().to('float64').requiresGrad_()
      const [actual] = grad(capsuleRouting(votes, { detach }).sum(), [votes])
      const [expected] = grad(capsuleRouting(exact, { detach }).sum(), [exact])
      expect((actual as Tensor).dtype).toBe('float16')
      expect(largestDifference(actual as Tensor, expected as Tensor)).toBeLessThan(2e-3)
    })
  })

  test('do not depend on the layout of the votes', () => {
    tidy(() => {
      const votes = noise([2, 3, 2, 4, 5, 7]).mul(2)
      const slopes = [votes, votes.permute([0, 4, 5, 2, 1, 3]).contiguous().permute([0, 4, 3, 5, 1, 2])].map((laid) => {
        const leaf = laid.detach().requiresGrad_()
        return grad(capsuleRouting(leaf).square().sum(), [leaf])[0] as Tensor
      })
      expect(largestDifference(slopes[0] as Tensor, slopes[1] as Tensor)).toBe(0)
    })
  })

  test('of a bias alone, where votes have none', () => {
    tidy(() => {
      const votes = noise([2, 3, 2, 4, 3, 3])
      const bias = noise([2, 4], 9).requiresGrad_()
      const [actual] = grad(capsuleRouting(votes, { bias }).sum(), [bias])
      const [expected] = grad(last(routingReference(votes, bias).capsules).sum(), [bias])
      expect(largestDifference(actual as Tensor, expected as Tensor)).toBeLessThan(1e-12)
    })
  })

  test('have no second order', () => {
    tidy(() => {
      const votes = noise([1, 2, 2, 2, 2, 2]).requiresGrad_()
      const loss = capsuleRouting(votes).square().sum()
      expect(() => grad(loss, [votes], { createGraph: true })).toThrow('no second derivative')
    })
  })
})

describe('check 6: symmetries', () => {
  test('positions that change places change those of the output, input types do not', () => {
    tidy(() => {
      const votes = noise([1, 3, 2, 4, 1, 6])
      const out = capsuleRouting(votes)
      expect(largestDifference(capsuleRouting(votes.flip([5])), out.flip([4]))).toBeLessThan(1e-14)
      expect(largestDifference(capsuleRouting(votes.flip([1])), out)).toBeLessThan(1e-14)
    })
  })

  test('an input type that votes louder is coupled more where it agrees', () => {
    tidy(() => {
      const share = (scale: number) => {
        const votes = float64([1, 0, 0.1, 0], [1, 1, 2, 2, 1, 1]).mul(scale)
        return numbers(capsuleRoutingWithCouplings(votes).couplings)[0] as number
      }
      expect(share(2)).toBeGreaterThan(share(1))
    })
  })
})

describe('check 8: lengths at 64 × 64', () => {
  test('without a bias are below 1e-6, with one between 0.1 and 0.6', () => {
    tidy(() => {
      const votes = randn([1, 8, 8, 16, 64, 64])
      votes.div_(votes.norm(3, { p: 2, keepdim: true }))
      const length = (out: Tensor) => capsuleLengths(out, 2).max().toNumber()
      expect(length(capsuleRouting(votes))).toBeLessThan(1e-6)
      const bias = tensor(new Array(128).fill(0.1), { shape: [8, 16], dtype: 'float32' })
      const biased = length(capsuleRouting(votes, { bias }))
      expect(biased).toBeGreaterThan(0.1)
      expect(biased).toBeLessThan(0.6)
    })
  })
})

test('margin loss by hand: one class there and too short, one not there and too long', () => {
  tidy(() => {
    const lengths = float64([0.5, 0.3], [1, 2]).requiresGrad_()
    const loss = marginLoss(lengths, float64([1, 0], [1, 2]))
    expect(loss.toNumber()).toBeCloseTo(0.4 ** 2 + 0.5 * 0.2 ** 2, 12)
    const [slope] = grad(loss, [lengths])
    for (const [i, x] of numbers(slope as Tensor).entries()) expect(x).toBeCloseTo([-0.8, 0.2][i] as number, 12)
  })
})

describe('check 7: the same results', () => {
  test('on every instruction set of this machine, bit for bit', () => {
    const runs = ['scalar', 'avx2', 'avx512']
      .map((isa) =>
        spawnSync(process.execPath, ['--import', 'tsx', 'test/support/capsule-digest.ts'], {
          encoding: 'utf8',
          env: { ...process.env, VISION_NATIVE_ISA: isa },
        }),
      )
      .filter(({ stderr }) => !/this CPU has not all of it/.test(stderr))
    const first = JSON.parse(runs[0]?.stdout ?? '')
    for (const { stdout, stderr } of runs) {
      expect(stdout, stderr).not.toBe('')
      expect(JSON.parse(stdout)).toEqual({ digest: first.digest, near: true })
    }
  })

  test('with one thread and two, gradients too', () => {
    tidy(() => {
      const runs = [1, 2].map((threads) => {
        setNumThreads(threads)
        const leaf = noise([1, 3, 2, 4, 16, 17]).to('float32').requiresGrad_()
        return grad(capsuleRouting(leaf).square().sum(), [leaf])[0] as Tensor
      })
      setNumThreads(1)
      expect(largestDifference(runs[0] as Tensor, runs[1] as Tensor)).toBe(0)
    })
  })
})

describe('check 9: memory', () => {
  /** Bytes beyond what is there before and what `body` returns. What threads keep of their own is 4 MiB at most. */
  const extra = (body: () => readonly Tensor[]) => {
    const before = memory.stats().allocatedCpuBytes
    memory.resetPeak()
    const made = body()
    const kept = made.reduce((sum, { numel }) => sum + 4 * numel, 0)
    return memory.stats().peakCpuBytes - before - kept
  }

  test('neither pass allocates what has the size of the votes', () => {
    tidy(() => {
      const votes = randn([1, 8, 8, 16, 64, 64])
      const bytes = 4 * votes.numel
      expect(extra(() => [noGrad(() => capsuleRouting(votes))])).toBeLessThan(bytes / 16)
      votes.requiresGrad_()
      const upstream = randn([1, 8, 16, 64, 64])
      // Kept for the backward pass: logits of two iterations, an eighth of the votes. The result is there meanwhile.
      const used = extra(() => grad(capsuleRouting(votes), [votes], { gradOutputs: [upstream] }) as Tensor[])
      expect(used).toBeLessThan(0.3 * bytes)
    })
  })
})

describe('off the event loop', () => {
  test('gives the same', async () => {
    const votes = noise([1, 3, 2, 4, 5, 6])
    const out = await capsuleRoutingAsync(votes, { iterations: 2 })
    expect(largestDifference(out, capsuleRouting(votes, { iterations: 2 }))).toBe(0)
  })

  test('is stopped within a call', async () => {
    const votes = randn([4, 8, 8, 16, 64, 64])
    const controller = new AbortController()
    const running = capsuleRoutingAsync(votes, { iterations: 64, signal: controller.signal })
    setTimeout(() => controller.abort('enough'), 5)
    await expect(running).rejects.toMatchObject({ kind: 'Cancelled', cause: 'enough' })
    votes.dispose()
  })
})

test('under autocast votes of half the digits keep their dtype, and a float32 bias goes with them', () => {
  tidy(() => {
    const votes = noise([1, 3, 2, 4, 5, 6]).to('bfloat16')
    const bias = noise([2, 4], 9).to('float32')
    const out = autocast({ device: 'cpu' }, () => capsuleRouting(votes, { bias }))
    expect(out.dtype).toBe('bfloat16')
    expect(largestDifference(out, capsuleRouting(votes, { bias }))).toBe(0)
  })
})

describe('degenerate input', () => {
  test('no samples, no positions, no input types', () => {
    tidy(() => {
      expect(capsuleRouting(noise([0, 2, 2, 3, 2, 2])).shape).toEqual([0, 2, 3, 2, 2])
      expect(capsuleRouting(noise([1, 2, 2, 3, 0, 2])).shape).toEqual([1, 2, 3, 0, 2])
      const bias = float64([3, 4], [1, 2])
      const out = capsuleRouting(noise([1, 0, 1, 2, 1, 1]), { bias })
      expect(largestDifference(out.flatten(), squash(float64([3, 4]), { kappa: 0.5 }))).toBeLessThan(1e-14)
    })
  })

  test('large agreement stays finite, NaN stays in its sample', () => {
    tidy(() => {
      const loud = noise([1, 2, 2, 3, 2, 2]).mul(1e4)
      expect(capsuleRouting(loud).isfinite().all().item()).toBe(true)
      const votes = noise([2, 2, 2, 3, 2, 2])
      votes.select(0, 0).fill_(Number.NaN)
      const out = capsuleRouting(votes)
      expect(out.select(0, 0).isnan().all().item()).toBe(true)
      expect(out.select(0, 1).isnan().any().item()).toBe(false)
    })
  })

  test('no gradient flows where nothing is', () => {
    tidy(() => {
      const none = noise([0, 2, 2, 3, 2, 2]).requiresGrad_()
      expect((grad(capsuleRouting(none).sum(), [none])[0] as Tensor).shape).toEqual([0, 2, 2, 3, 2, 2])
      const zero = float64([0, 0], [1, 1, 1, 2, 1, 1]).requiresGrad_()
      expect(numbers(grad(capsuleRouting(zero).sum(), [zero])[0] as Tensor)).toEqual([0, 0])
    })
  })

  test('the backward operator refuses what is not of its forward pass', () => {
    tidy(() => {
      const [votes, bias] = [noise([1, 2, 2, 3, 2, 2]), noise([2, 3])]
      const [grads, logits, statistics] = [noise([1, 2, 3, 2, 2]), noise([2, 1, 2, 2, 2, 2]), noise([2, 1, 2, 2])]
      const backward = (grad: Tensor, votes: Tensor, bias: Tensor, ...rest: readonly unknown[]) =>
        call('vision_native::_capsule_routing_backward', [grad, votes, ...rest], { bias })
      expect(() => backward(noise([1, 2, 3, 2, 1]), votes, bias, logits, statistics, 3, 0.5, false)).toThrow(ShapeError)
      expect(() => backward(grads, votes, bias, logits, statistics, 4, 0.5, false)).toThrow(ShapeError)
      expect(() => backward(grads, votes, bias, logits, statistics, 0, 0.5, false)).toThrow(ArgumentError)
      expect(() => backward(grads, votes, bias, logits, statistics, 3, 0, false)).toThrow(ArgumentError)
      expect(() => backward(grads, votes, bias, logits.to('float32'), statistics, 3, 0.5, false)).toThrow(DTypeError)
      expect(() => backward(grads, votes, noise([3, 2]), logits, statistics, 3, 0.5, false)).toThrow(ShapeError)
    })
  })

  test('what cannot be routed is refused', () => {
    tidy(() => {
      const votes = noise([1, 2, 2, 3, 2, 2])
      expect(() => capsuleRouting(noise([2, 2]))).toThrow(ShapeError)
      expect(() => capsuleRouting(votes, { iterations: 0 })).toThrow(ArgumentError)
      expect(() => capsuleRouting(votes, { iterations: 65 })).toThrow(ArgumentError)
      expect(() => capsuleRouting(votes, { kappa: 0 })).toThrow(ArgumentError)
      expect(() => capsuleRouting(votes, { kappa: Number.NaN })).toThrow(ArgumentError)
      expect(() => capsuleRouting(votes, { bias: noise([3, 2]) })).toThrow(ShapeError)
      expect(() => capsuleRouting(votes.to('float32'), { bias: noise([2, 3]) })).toThrow(DTypeError)
      expect(() => capsuleRouting(votes.to('int32'))).toThrow(DTypeError)
      expect(() => squash(votes, { dim: 6 })).toThrow(ArgumentError)
      expect(() => capsuleVotes(noise([1, 2, 3, 4, 4]), noise([4, 1, 4, 3, 3]), 2)).toThrow(ShapeError)
      expect(() => capsuleVotes(noise([1, 2, 3, 4, 4]), noise([4, 1, 3, 3, 3]), 3)).toThrow(ArgumentError)
      expect(() => marginLoss(noise([2, 3]), noise([3, 2]))).toThrow(ShapeError)
    })
  })
})
