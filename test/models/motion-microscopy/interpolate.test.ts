// Checks 10 and 17: filling in where nothing can be measured.
import { expect, test } from 'vitest'
import { interpolateField } from '../../../lib/models/magnification/motion-microscopy'
import { inverseCovariance } from '../../../lib/models/magnification/motion-microscopy/covariance'
import {
  arange,
  hypot,
  linalgSolve,
  manualSeed,
  rand,
  randn,
  stack,
  type Tensor,
  tensor,
  tidyAsync,
  where,
} from '../../../lib/tensor'

/** Equal variances without correlation, `[3, H, W]`. */
function isotropic(variances: Tensor): Tensor {
  return stack([variances, variances.mul(0), variances])
}

const worst = (a: Tensor, b: Tensor) => a.sub(b).abs().amax().item() as number

test('17. two pixels by hand: each edge is counted from both of its ends', async () => {
  await tidyAsync(async () => {
    const motion = tensor([[[0, 1]], [[0, 0]]], { dtype: 'float64' }).reshape([2, 1, 2])
    const covariance = isotropic(tensor([[0.01, 0.01]], { dtype: 'float64' }).reshape([1, 2]))
    const { motion: found } = await interpolateField(motion, covariance, { lambda: 50 })
    const [u] = found.toArray() as number[][][]
    expect(u?.[0]?.[0]).toBeCloseTo(1 / 3, 6)
    expect(u?.[0]?.[1]).toBeCloseTo(2 / 3, 6)
  })
})

test('17. large eigenvalues are unknown; large components would leave no covariance', async () => {
  await tidyAsync(async () => {
    const covariance = tensor([5, 4.99, 5], { dtype: 'float64' }).reshape([3, 1, 1])
    const inverse = inverseCovariance(covariance).flatten().toArray() as number[]
    for (const [i, value] of [50, -50, 50].entries()) expect(inverse[i]).toBeCloseTo(value, 3)
    // Each component becomes 10,000: a covariance of rank one, whose unknown direction nothing keeps at 10,000.
    const literal = inverseCovariance(covariance, { clamp: 'components' }).flatten().toArray() as number[]
    expect(Math.abs(literal[0] as number)).toBeGreaterThan(1e6)
  })
})

test('10. without smoothness the field stays, and a constant field stays whatever the smoothness', async () => {
  await tidyAsync(async () => {
    manualSeed(5)
    const motion = randn([2, 9, 7], { dtype: 'float64' })
    const covariance = isotropic(rand([9, 7], { dtype: 'float64' }).mul(0.05).add(0.01))
    const { motion: same } = await interpolateField(motion, covariance, { lambda: 1e-9 })
    expect(worst(same, motion)).toBeLessThan(1e-5)
    const constant = tensor([0.3, -0.2], { dtype: 'float64' }).reshape([2, 1, 1]).expand([2, 9, 7])
    const { motion: still } = await interpolateField(constant, covariance)
    expect(worst(still, constant)).toBeLessThan(1e-5)
  })
})

test('10. equals a dense solve', async () => {
  await tidyAsync(async () => {
    manualSeed(6)
    const [n, lambda] = [12, 3]
    const motion = randn([2, n, n], { dtype: 'float64' })
    const [a, b] = [
      rand([n, n], { dtype: 'float64' }).mul(0.05).add(0.02),
      rand([n, n], { dtype: 'float64' }).mul(0.01),
    ]
    const covariance = stack([a, b, a.mul(0.7).add(0.01)])
    const inverse = inverseCovariance(covariance).toArray() as number[][][]
    const values = motion.toArray() as number[][][]
    const matrix = new Float64Array((2 * n * n) ** 2)
    const right = new Float64Array(2 * n * n)
    const add = (array: Float64Array, at: number, value: number) => {
      array[at] = (array[at] ?? 0) + value
    }
    const place = (i: number, y: number, x: number) => 2 * (y * n + x) + i
    for (let y = 0; y < n; y++) {
      for (let x = 0; x < n; x++) {
        const block = [
          [inverse[0]?.[y]?.[x] ?? 0, inverse[1]?.[y]?.[x] ?? 0],
          [inverse[1]?.[y]?.[x] ?? 0, inverse[2]?.[y]?.[x] ?? 0],
        ]
        for (const i of [0, 1]) {
          const row = place(i, y, x)
          for (const j of [0, 1]) {
            add(matrix, row * 2 * n * n + place(j, y, x), block[i]?.[j] ?? 0)
            add(right, row, (block[i]?.[j] ?? 0) * (values[j]?.[y]?.[x] ?? 0))
          }
          for (const [dy, dx] of [
            [0, 1],
            [1, 0],
            [0, -1],
            [-1, 0],
          ] as const) {
            if (y + dy < 0 || x + dx < 0 || y + dy >= n || x + dx >= n) continue
            add(matrix, row * 2 * n * n + row, 2 * lambda)
            add(matrix, row * 2 * n * n + place(i, y + dy, x + dx), -(2 * lambda))
          }
        }
      }
    }
    const size = 2 * n * n
    const dense = linalgSolve(tensor(matrix, { shape: [size, size] }), tensor(right, { shape: [size] }))
    const { motion: found, residual } = await interpolateField(motion, covariance, { lambda, tolerance: 1e-12 })
    expect(residual).toBeLessThan(1e-12)
    expect(worst(found.permute([1, 2, 0]).flatten(), dense)).toBeLessThan(1e-9)
  })
})

test('10. a hole without texture takes the motion of the disc around it', async () => {
  await tidyAsync(async () => {
    const axis = arange(0, 64, { dtype: 'float64' }).sub(31.5)
    const radius = hypot(axis.unsqueeze(0), axis.unsqueeze(1))
    const inside = radius.le(20).logicalAnd(radius.ge(8))
    const u = where(inside, radius.mul(0).add(0.25), radius.mul(0))
    const motion = stack([u, u.mul(-0.4)])
    const known = where(inside.logicalOr(radius.gt(20)), radius.mul(0).add(1e-5), radius.mul(0).add(10_000))
    const { motion: found } = await interpolateField(motion, isotropic(known))
    const [middleU, middleV] = found.select(2, 31).select(1, 31).toArray() as number[]
    expect(Math.abs((middleU as number) - 0.25)).toBeLessThan(0.0125)
    expect(Math.abs((middleV as number) + 0.1)).toBeLessThan(0.005)
  })
})
