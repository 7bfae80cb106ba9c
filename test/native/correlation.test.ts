import { beforeAll, describe, expect, test } from 'vitest'
import { ArgumentError, DTypeError, ShapeError } from '../../lib/native/errors'
import { correlation, correlationAsync, costVolume } from '../../lib/ops'
import { autocast, grad, setNumThreads, type Tensor, tensor, tidy } from '../../lib/tensor'
import { bytesOf, largestDifference, noise, testOp } from '../support/test-op'

// Threads that wait for one another are slow on a machine that is busy with other tests.
beforeAll(() => setNumThreads(1))

const numbers = (t: Tensor) => Array.from(t.to('float64').contiguous().dataSync() as Float64Array)
type Two = readonly [number, number]

interface Geometry {
  readonly kernelSize: Two
  readonly patchSize: Two
  readonly stride: Two
  readonly padding: Two
  readonly dilation: Two
  readonly dilationPatch: Two
}

/** The definition, a product at a time. */
function reference(first: Tensor, second: Tensor, g: Geometry): Tensor {
  const [batch, channels, height, width] = first.shape as [number, number, number, number]
  const [a, b] = [numbers(first), numbers(second)]
  const outs = [height, width].map((size, i) => {
    const span = (g.kernelSize[i as 0] - 1) * g.dilation[i as 0] + 1
    return Math.floor((size + 2 * g.padding[i as 0] - span) / g.stride[i as 0]) + 1
  }) as [number, number]
  const at = (values: readonly number[], n: number, c: number, y: number, x: number) =>
    y >= 0 && y < height && x >= 0 && x < width
      ? (values[((n * channels + c) * height + y) * width + x] as number)
      : undefined
  const result: number[] = []
  for (let n = 0; n < batch; n++)
    for (let p = 0; p < g.patchSize[0]; p++)
      for (let q = 0; q < g.patchSize[1]; q++)
        for (let h = 0; h < outs[0]; h++)
          for (let w = 0; w < outs[1]; w++) {
            const dy = (p - Math.floor((g.patchSize[0] - 1) / 2)) * g.dilationPatch[0]
            const dx = (q - Math.floor((g.patchSize[1] - 1) / 2)) * g.dilationPatch[1]
            let sum = 0
            for (let i = 0; i < g.kernelSize[0]; i++)
              for (let j = 0; j < g.kernelSize[1]; j++)
                for (let c = 0; c < channels; c++) {
                  const y = h * g.stride[0] - g.padding[0] + i * g.dilation[0]
                  const x = w * g.stride[1] - g.padding[1] + j * g.dilation[1]
                  const [one, other] = [at(a, n, c, y, x), at(b, n, c, y + dy, x + dx)]
                  if (one !== undefined && other !== undefined) sum += one * other
                }
            result.push(sum)
          }
  return tensor(result, { shape: [batch, ...g.patchSize, ...outs], dtype: 'float64' })
}

const PLAIN: Geometry = {
  kernelSize: [1, 1],
  patchSize: [1, 1],
  stride: [1, 1],
  padding: [0, 0],
  dilation: [1, 1],
  dilationPatch: [1, 1],
}
const cases: readonly (Partial<Geometry> & { readonly shape: readonly number[] })[] = [
  { shape: [2, 3, 5, 9], patchSize: [3, 5] },
  { shape: [1, 37, 4, 17], patchSize: [9, 9] },
  { shape: [1, 1, 1, 1], patchSize: [3, 3], kernelSize: [3, 3], padding: [1, 1] },
  { shape: [1, 2, 6, 7], patchSize: [3, 1], kernelSize: [3, 1], stride: [2, 3], padding: [2, 1], dilation: [2, 1] },
  { shape: [1, 2, 5, 6], patchSize: [5, 7], dilationPatch: [2, 3] },
  { shape: [1, 2, 5, 5], patchSize: [2, 4], kernelSize: [2, 2], stride: [3, 2], padding: [3, 0] },
]

testOp('correlation', {
  tolerances: { float64: 1e-12, float32: 2e-5, float16: 2e-2, bfloat16: 1.6e-1 },
  cases: cases.map(({ shape, ...options }) => ({
    name: `[${shape}] ${JSON.stringify(options)}`,
    inputs: () => [noise(shape), noise(shape, 2)],
    run: (first: Tensor, second: Tensor) => correlation(first, second, options),
    reference: (first: Tensor, second: Tensor) => reference(first, second, { ...PLAIN, ...options }),
    differentiable: [0, 1],
    skipGradients: shape.reduce((x, y) => x * y) > 100,
  })),
})

test('its gradients are those of sums of products, whatever the channels', () => {
  tidy(() => {
    const [first, second] = [noise([1, 21, 3, 10]).requiresGrad_(), noise([1, 21, 3, 10], 2).requiresGrad_()]
    const upstream = noise([1, 1, 3, 3, 10], 3)
    const slow = [-1, 0, 1].map((dx) => {
      const moved = second.narrow(3, Math.max(dx, 0), 10 - Math.abs(dx))
      const still = first.narrow(3, Math.max(-dx, 0), 10 - Math.abs(dx))
      const weight = upstream.select(2, dx + 1).narrow(3, Math.max(-dx, 0), 10 - Math.abs(dx))
      return still.mul(moved).mul(weight).sum()
    })
    const total = slow.reduce((a, b) => a.add(b))
    const expected = grad(total, [first, second])
    const made = correlation(first, second, { patchSize: [1, 3] })
      .mul(upstream)
      .sum()
    const actual = grad(made, [first, second])
    for (const [i, value] of actual.entries()) {
      expect(largestDifference(value as Tensor, expected[i] as Tensor)).toBeLessThan(1e-13)
    }
  })
})

test('a map that is moved has its largest cost where it went', () => {
  tidy(() => {
    const map = noise([1, 16, 8, 12])
    const moved = map.roll([1, -2], { dims: [2, 3] })
    const volume = costVolume(map, moved, { maxDisplacement: 2 })
    expect(volume.shape).toEqual([1, 25, 8, 12])
    // Displacements (1, −2): row 3, column 0.
    expect(volume.argmax({ dim: 1 }).at(0, 4, 6).toNumber()).toBe(15)
    const own = map
      .square()
      .mean({ dim: [1] })
      .at(0, 4, 6)
      .toNumber()
    expect(volume.at(0, 15, 4, 6).toNumber()).toBeCloseTo(own, 12)
  })
})

describe('degenerate input', () => {
  test('no samples give none; no channels give sums of 0', () => {
    tidy(() => {
      expect(correlation(noise([0, 2, 3, 4]), noise([0, 2, 3, 4]), { patchSize: 3 }).shape).toEqual([0, 3, 3, 3, 4])
      const out = correlation(noise([1, 0, 3, 4]), noise([1, 0, 3, 4]), { patchSize: 3 })
      expect(out.eq(0).all().item()).toBe(true)
    })
  })

  test('displacements far beyond the map have no products', () => {
    tidy(() => {
      const out = correlation(noise([1, 1, 2, 2]), noise([1, 1, 2, 2], 2), {
        patchSize: [1, 5],
        dilationPatch: 1 << 20,
      })
      expect(out.select(2, 2).ne(0).any().item()).toBe(true)
      expect([0, 1, 3, 4].every((q) => out.select(2, q).eq(0).all().item())).toBe(true)
    })
  })

  test('NaN and infinity reach the products that they are in, and no others', () => {
    tidy(() => {
      const [first, second] = [noise([1, 2, 3, 12]), noise([1, 2, 3, 12], 2)]
      const clean = correlation(first, second, { patchSize: 3 })
      first.select(3, 5).fill_(Number.NaN)
      second.select(3, 10).fill_(Number.POSITIVE_INFINITY)
      const out = correlation(first, second, { patchSize: 3 })
      expect(out.select(4, 5).isnan().any().item()).toBe(true)
      expect(largestDifference(out.narrow(4, 0, 5), clean.narrow(4, 0, 5))).toBe(0)
      expect(largestDifference(out.narrow(4, 6, 3), clean.narrow(4, 6, 3))).toBe(0)
    })
  })

  test('what does not fit is refused', () => {
    tidy(() => {
      const [first, second] = [noise([1, 2, 3, 4]), noise([1, 2, 3, 4], 2)]
      for (const options of [{ kernelSize: 0 }, { patchSize: 0 }, { stride: 0 }, { padding: -1 }, { dilation: 0 }]) {
        expect(() => correlation(first, second, options)).toThrow(ArgumentError)
      }
      expect(() => correlation(first, second, { dilationPatch: 2 ** 30 })).toThrow(ArgumentError)
      expect(() => correlation(first, second, { kernelSize: 5 })).toThrow(ShapeError)
      expect(() => correlation(first, noise([1, 2, 3, 5]))).toThrow(ShapeError)
      expect(() => correlation(first.select(0, 0), second.select(0, 0))).toThrow(ShapeError)
      expect(() => correlation(first.to('int32'), second.to('int32'))).toThrow(DTypeError)
      expect(() => correlation(first, second.to('float32'))).toThrow(DTypeError)
      expect(() => costVolume(first, second, { maxDisplacement: 0.5 })).toThrow(ArgumentError)
      expect(() => correlation(first, second, { patchSize: 1 << 20, padding: 1 << 20 })).toThrow()
    })
  })

  test('a second derivative is refused by name', () => {
    tidy(() => {
      const first = noise([1, 1, 2, 2]).requiresGrad_()
      const out = correlation(first, first.detach())
      expect(() => grad(out.square().sum(), [first], { createGraph: true })).toThrow(/has no second derivative/)
    })
  })
})

test('maps of two dtypes meet in the wider one under autocast', () => {
  tidy(() => {
    const [first, second] = [noise([1, 2, 3, 4]).to('float32'), noise([1, 2, 3, 4], 2).to('bfloat16')]
    const out = autocast({}, () => correlation(first, second, { patchSize: 3 }))
    expect(out.dtype).toBe('float32')
    expect(largestDifference(out, correlation(first, second.to('float32'), { patchSize: 3 }))).toBe(0)
  })
})

test('the asynchronous form gives the same', async () => {
  const [first, second] = [noise([1, 2, 5, 6]), noise([1, 2, 5, 6], 2)]
  const out = await correlationAsync(first, second, { patchSize: 3 })
  expect(Buffer.compare(bytesOf(out), bytesOf(correlation(first, second, { patchSize: 3 })))).toBe(0)
  for (const t of [first, second, out]) t.dispose()
})
