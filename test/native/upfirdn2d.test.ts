import { beforeAll, describe, expect, test } from 'vitest'
import { ArgumentError, DTypeError, ShapeError } from '../../lib/native/errors'
import { downsample2d, filter2d, setupFilter, upfirdn2d, upsample2d } from '../../lib/ops'
import { grad, gradcheck, ones, setNumThreads, type Tensor, tensor, tidy } from '../../lib/tensor'
import { largestDifference, noise, testOp } from '../support/test-op'

// Threads that wait for one another are slow on a machine that is busy with other tests.
beforeAll(() => setNumThreads(1))

const numbers = (t: Tensor) => Array.from(t.to('float64').contiguous().dataSync() as Float64Array)

interface Geometry {
  readonly up: readonly [number, number]
  readonly down: readonly [number, number]
  readonly padding: readonly [number, number, number, number]
  readonly flipFilter: boolean
  readonly gain: number
}

/** The definition: every output looks at each tap, and finds a pixel, an inserted zero or padding under it. */
function reference(x: Tensor, filter: Tensor | null, g: Geometry): Tensor {
  const [batch, channels, height, width] = x.shape as [number, number, number, number]
  const taps = filter === null ? [1] : numbers(filter)
  const [rows, columns] = filter === null ? [1, 1] : [filter.size(0), filter.size(-1)]
  const weight = (i: number, j: number) =>
    filter === null || filter.ndim === 1 ? (taps[i] as number) * (taps[j] as number) : (taps[i * columns + j] as number)
  const values = numbers(x)
  const out = [
    Math.floor((height * g.up[1] + g.padding[2] + g.padding[3] - rows) / g.down[1]) + 1,
    Math.floor((width * g.up[0] + g.padding[0] + g.padding[1] - columns) / g.down[0]) + 1,
  ] as const
  const result: number[] = []
  for (let plane = 0; plane < batch * channels; plane++)
    for (let oy = 0; oy < out[0]; oy++)
      for (let ox = 0; ox < out[1]; ox++) {
        let sum = 0
        for (let i = 0; i < rows; i++)
          for (let j = 0; j < columns; j++) {
            const [y, x] = [oy * g.down[1] + i - g.padding[2], ox * g.down[0] + j - g.padding[0]]
            if (y < 0 || x < 0 || y % g.up[1] !== 0 || x % g.up[0] !== 0) continue
            const [iy, ix] = [y / g.up[1], x / g.up[0]]
            if (iy >= height || ix >= width) continue
            const w = g.flipFilter ? weight(i, j) : weight(rows - 1 - i, columns - 1 - j)
            sum += w * (values[(plane * height + iy) * width + ix] as number)
          }
        result.push(sum * g.gain)
      }
  return tensor(result, { shape: [batch, channels, ...out], dtype: 'float64' })
}

const PLAIN: Geometry = { up: [1, 1], down: [1, 1], padding: [0, 0, 0, 0], flipFilter: false, gain: 1 }
const cases: readonly (Partial<Geometry> & {
  readonly shape: readonly number[]
  readonly filter: readonly number[]
})[] = [
  { shape: [2, 3, 5, 9], filter: [4], padding: [2, 1, 2, 1] },
  { shape: [1, 2, 4, 5], filter: [4], up: [2, 2], padding: [2, 1, 2, 1], gain: 4 },
  { shape: [1, 9, 6, 7], filter: [3, 4], down: [2, 2], padding: [1, 1, 1, 1], flipFilter: true },
  { shape: [1, 17, 3, 4], filter: [5, 2], up: [3, 2], down: [2, 3], padding: [4, 3, 2, 5], gain: 0.5 },
  { shape: [1, 1, 1, 1], filter: [7], up: [4, 1], padding: [6, 6, 6, 6] },
  { shape: [1, 2, 6, 40], filter: [6], up: [2, 1], down: [4, 1], padding: [-1, -2, 3, -1] },
  { shape: [1, 8, 3, 5], filter: [], up: [2, 3], down: [3, 1] },
]

testOp('upfirdn2d', {
  tolerances: { float64: 1e-13, float32: 1e-5, float16: 8e-3, bfloat16: 6.4e-2 },
  cases: cases.map(({ shape, filter, ...options }) => {
    // In float32, as filters are.
    const weights = () => (filter.length === 0 ? null : noise(filter, 7).to('float32'))
    return {
      name: `[${shape}] by [${filter}] ${JSON.stringify(options)}`,
      inputs: () => [noise(shape)],
      run: (x: Tensor) => upfirdn2d(x, weights()?.to(x.device) ?? null, options),
      reference: (x: Tensor) => reference(x, weights(), { ...PLAIN, ...options }),
      differentiable: [0],
      skipGradients: shape.reduce((a, b) => a * b) > 130,
    }
  }),
})

test('a band of rows meets the next without a seam', () => {
  tidy(() => {
    const [x, filter] = [noise([1, 1, 150, 3]), noise([5], 2).to('float32')]
    const padding = [2, 2, 2, 2] as const
    expect(
      largestDifference(upfirdn2d(x, filter, { padding }), reference(x, filter, { ...PLAIN, padding })),
    ).toBeLessThan(1e-13)
  })
})

test('the second derivative is that of a linear map', () => {
  tidy(() => {
    const x = noise([1, 2, 3, 4]).requiresGrad_()
    const filter = setupFilter([1, 3, 3, 1])
    gradcheck(
      (given: Tensor) => {
        const out = upfirdn2d(given, filter, { up: [2, 1], down: [1, 2], padding: [2, 1] })
        return [out.square()]
      },
      [x],
    )
    const run = (given: Tensor) => upfirdn2d(given, filter, { up: 2, padding: [2, 1] })
    const direction = noise([1, 2, 3, 4], 5)
    const out = run(x)
    const [slope] = grad(out.pow(3).sum(), [x], { createGraph: true })
    const [made] = grad((slope as Tensor).mul(direction).sum(), [x])
    const upstream = out.detach().mul(run(direction)).mul(6)
    const [expected] = grad(run(x), [x], { gradOutputs: [upstream] })
    expect(largestDifference(made as Tensor, expected as Tensor)).toBeLessThan(1e-13)
  })
})

describe('StyleGAN’s resampling', () => {
  test('an impulse gives the outer product of a separable filter', () => {
    tidy(() => {
      const x = tensor([1], { shape: [1, 1, 1, 1], dtype: 'float64' })
      const filter = tensor([1, 2, 4], { shape: [3], dtype: 'float32' })
      const out = upfirdn2d(x, filter, { padding: 2 })
      expect(numbers(out)).toEqual([1, 2, 4, 2, 4, 8, 4, 8, 16])
    })
  })

  test('a constant image stays constant inside, up and down again', () => {
    tidy(() => {
      const filter = setupFilter([1, 3, 3, 1])
      const large = upsample2d(ones([1, 1, 6, 6], { dtype: 'float64' }), filter)
      expect(large.shape).toEqual([1, 1, 12, 12])
      expect(largestDifference(large.narrow(2, 2, 8).narrow(3, 2, 8), ones([1, 1, 8, 8]))).toBeLessThan(1e-7)
      const back = downsample2d(large, filter)
      expect(back.shape).toEqual([1, 1, 6, 6])
      expect(largestDifference(back.narrow(2, 2, 2).narrow(3, 2, 2), ones([1, 1, 2, 2]))).toBeLessThan(1e-7)
      expect(filter2d(large, filter).shape).toEqual([1, 1, 12, 12])
    })
  })

  test('filters are of the sum 1; long ones stay separable', () => {
    tidy(() => {
      expect(numbers(setupFilter([1, 3]))).toEqual([0.0625, 0.1875, 0.1875, 0.5625])
      expect(setupFilter([1, 2, 3, 4, 4, 3, 2, 1]).shape).toEqual([8])
      expect(numbers(setupFilter([1, 1], { gain: 4, separable: true }))).toEqual([1, 1])
      expect(numbers(setupFilter([2, 2], { normalize: false, separable: true }))).toEqual([2, 2])
      expect(() => setupFilter([])).toThrow(ShapeError)
      expect(() => setupFilter(noise([2, 2]), { separable: true })).toThrow(ArgumentError)
    })
  })
})

describe('degenerate input', () => {
  test('no samples, no channels', () => {
    tidy(() => {
      expect(upfirdn2d(noise([0, 2, 3, 3]), null, { up: 2 }).shape).toEqual([0, 2, 6, 6])
      expect(upfirdn2d(noise([2, 0, 3, 3]), null, { down: 2 }).shape).toEqual([2, 0, 2, 2])
    })
  })

  test('NaN reaches the outputs whose taps meet it, and no others', () => {
    tidy(() => {
      const [x, filter] = [noise([1, 1, 6, 12]), noise([3], 2).to('float32')]
      const clean = upfirdn2d(x, filter, { padding: 1 })
      x.select(3, 4).select(2, 2).fill_(Number.NaN)
      const out = upfirdn2d(x, filter, { padding: 1 })
      const spoilt = numbers(out.isnan().to('float64')).flatMap((bad, i) => (bad ? [[Math.floor(i / 12), i % 12]] : []))
      expect(spoilt).toEqual([1, 2, 3].flatMap((y) => [3, 4, 5].map((column) => [y, column])))
      expect(largestDifference(out.narrow(3, 6, 6), clean.narrow(3, 6, 6))).toBe(0)
    })
  })

  test('what does not fit is refused', () => {
    tidy(() => {
      const [x, filter] = [noise([1, 1, 3, 3]), noise([4], 2).to('float32')]
      expect(() => upfirdn2d(x, filter)).toThrow(ShapeError)
      expect(() => upfirdn2d(x, filter, { padding: -1 })).toThrow(ShapeError)
      expect(() => upfirdn2d(x, filter, { padding: 2, up: 0 })).toThrow(ArgumentError)
      expect(() => upfirdn2d(x, filter, { padding: 2, down: [1, -1] })).toThrow(ArgumentError)
      expect(() => upfirdn2d(x, filter, { padding: 2, gain: Number.NaN })).toThrow(ArgumentError)
      expect(() => upfirdn2d(x, filter, { padding: [1, 2, 3] as never })).toThrow(ArgumentError)
      expect(() => upfirdn2d(x.select(0, 0), filter, { padding: 2 })).toThrow(ShapeError)
      expect(() => upfirdn2d(x, noise([1, 2, 2]).to('float32'), { padding: 2 })).toThrow(ShapeError)
      expect(() => upfirdn2d(x, noise([0]).to('float32'), { padding: 2 })).toThrow(ShapeError)
      expect(() => upfirdn2d(x.to('int32'), filter, { padding: 2 })).toThrow(DTypeError)
      expect(() => upfirdn2d(x, filter.to('float16'), { padding: 2 })).toThrow(DTypeError)
      expect(() => upfirdn2d(x, filter.requiresGrad_(), { padding: 2 })).toThrow(/the filter has no gradient/)
    })
  })
})
