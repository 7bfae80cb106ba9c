import { beforeAll, describe, expect, test } from 'vitest'
import { ArgumentError, CancelledError, DTypeError, ShapeError } from '../../lib/native/errors'
import { ContentAwareUpsample } from '../../lib/nn'
import { contentAwareUpsample, contentAwareUpsampleAsync, expandPyramid, poolPyramid } from '../../lib/ops'
import {
  autocast,
  grad,
  gradcheck,
  memory,
  randn,
  setNumThreads,
  type Tensor,
  tensor,
  tidy,
  upsampleNearest2d,
} from '../../lib/tensor'
import { bytesOf, laidOut, largestDifference, noise, testOp } from '../support/test-op'
import { upsampleReference } from '../support/upsample-reference'

// Threads that wait for one another are slow on a machine that is busy with other tests.
beforeAll(() => setNumThreads(1))

const cases = [
  { channels: 1, height: 1, width: 1, scale: 2, window: 5, groups: 1, border: 'zeros' },
  { channels: 3, height: 5, width: 17, scale: 1, window: 3, groups: 1, border: 'zeros' },
  { channels: 16, height: 3, width: 2, scale: 3, window: 7, groups: 2, border: 'replicate' },
  { channels: 33, height: 17, width: 5, scale: 2, window: 5, groups: 1, border: 'zeros' },
  { channels: 4, height: 2, width: 9, scale: 2, window: 1, groups: 4, border: 'replicate' },
] as const

const logitsShape = (c: { scale: number; window: number; groups: number; height: number; width: number }) => [
  1,
  c.groups * c.scale ** 2 * c.window ** 2,
  c.height,
  c.width,
]

testOp('check 4: content_aware_upsample', {
  tolerances: { float64: 1e-13, float32: 1e-5, float16: 2e-3, bfloat16: 1.6e-2 },
  cases: cases.map(({ channels, height, width, ...options }) => ({
    name: `[${channels}, ${height}, ${width}] ${JSON.stringify(options)}`,
    inputs: () => [noise([1, channels, height, width]), noise(logitsShape({ height, width, ...options }), 2).mul(3)],
    run: (features: Tensor, logits: Tensor) => contentAwareUpsample(features, logits, options),
    reference: (features: Tensor, logits: Tensor) => upsampleReference(features, logits, options),
    differentiable: [0, 1],
    // Differences of every logit take long; check 5 compares these gradients with the reference's.
    skipGradients: channels * height * width > 90 || options.scale ** 2 * options.window ** 2 * options.groups > 400,
  })),
})

test('check 4: every pair of sides with every scale and window, channels and layouts in turn', () => {
  const sides = [1, 2, 3, 5, 17]
  const places = sides.flatMap((height) => sides.map((width) => [height, width] as const))
  const sizes = [1, 2, 3].flatMap((scale) => [1, 3, 5, 7].map((window) => [scale, window] as const))
  let turn = 0
  for (const [height, width] of places) {
    for (const [scale, window] of sizes) {
      tidy(() => {
        // 256 channels of a large window are hundreds of megabytes in the reference.
        const kinds = height * width * scale ** 2 * window ** 2 > 2000 ? [1, 3, 16, 33] : [1, 3, 16, 33, 256]
        const channels = kinds[turn % kinds.length] as number
        const layout = turn % 2 === 0 ? 'contiguous' : 'channels last'
        const border = turn++ % 3 === 0 ? 'replicate' : 'zeros'
        const options = { scale, window, groups: 1, border } as const
        const features = randn([1, channels, height, width])
        const logits = randn(logitsShape({ height, width, ...options })).mul(3)
        const out = contentAwareUpsample(laidOut(features, layout), laidOut(logits, layout), options)
        const expected = upsampleReference(features.to('float64'), logits.to('float64'), options)
        const scaleOf = Math.max(1, expected.abs().max().toNumber())
        expect(largestDifference(out, expected) / scaleOf).toBeLessThan(1e-5)
      })
    }
  }
})

test('check 5: gradients of maps and logits in every pair of layouts, float32', () => {
  for (const channels of [3, 16, 40]) {
    for (const border of ['zeros', 'replicate'] as const) {
      for (const places of [
        [0, 0],
        [0, 1],
        [1, 0],
        [1, 1],
      ] as const) {
        tidy(() => {
          const of = (t: Tensor, place: number) => laidOut(t, place === 0 ? 'contiguous' : 'channels last')
          const [features, logits] = [randn([2, channels, 4, 7]), randn([2, 100, 4, 7])]
          const upstream = randn([2, channels, 8, 14])
          const gradients = (run: typeof contentAwareUpsample, f: Tensor, z: Tensor, g: Tensor) => {
            const [a, b] = [f.detach().requiresGrad_(), z.detach().requiresGrad_()]
            return grad(run(a, b, { border }), [a, b], { gradOutputs: [g] }) as Tensor[]
          }
          const made = gradients(contentAwareUpsample, of(features, places[0]), logits, of(upstream, places[1]))
          const slow = gradients(
            upsampleReference,
            features.to('float64'),
            logits.to('float64'),
            upstream.to('float64'),
          )
          for (const [i, value] of made.entries()) {
            const expected = slow[i] as Tensor
            const size = Math.max(1, expected.abs().max().toNumber())
            expect(largestDifference(value, expected) / size).toBeLessThan(1e-5)
          }
        })
      }
    }
  }
})

test('results and gradients are in the memory format of the map', () => {
  tidy(() => {
    const features = laidOut(randn([1, 16, 3, 5]), 'channels last').requiresGrad_()
    const out = contentAwareUpsample(features, randn([1, 100, 3, 5]))
    expect(out.strides).toEqual([960, 1, 160, 16])
    const [slope] = grad(out.sum(), [features])
    expect((slope as Tensor).strides).toEqual([240, 1, 80, 16])
  })
})

test.each(['contiguous', 'channels last'] as const)('check 9: less than 2 MB beside the result, %s', (layout) => {
  tidy(() => {
    const features = laidOut(randn([1, 256, 40, 40]), layout).requiresGrad_()
    const logits = randn([1, 100, 40, 40]).requiresGrad_()
    const upstream = laidOut(randn([1, 256, 80, 80]), layout)
    const extra = (run: () => readonly Tensor[]) => {
      memory.resetPeak()
      const before = memory.stats().allocatedCpuBytes
      const made = run()
      const results = made.reduce((bytes, t) => bytes + 4 * t.numel, 0)
      return memory.stats().peakCpuBytes - before - results
    }
    let out: Tensor | undefined
    const forward = extra(() => {
      out = contentAwareUpsample(features, logits)
      return [out]
    })
    const backward = extra(() => grad(out as Tensor, [features, logits], { gradOutputs: [upstream] }) as Tensor[])
    expect(forward).toBeLessThan(2e6)
    expect(backward).toBeLessThan(2e6)
    // Workspaces come from the allocator that is asked here.
    expect(forward).toBeGreaterThan(1e4)
  })
})

test('under autocast nothing is cast: the map and the logits may differ in dtype', () => {
  tidy(() => {
    const [features, logits] = [randn([1, 4, 3, 3]), randn([1, 100, 3, 3]).to('bfloat16')]
    const out = autocast({}, () => contentAwareUpsample(features, logits))
    expect(out.dtype).toBe('float32')
    expect(largestDifference(out, contentAwareUpsample(features, logits.to('float32')))).toBe(0)
  })
})

test('the asynchronous form gives the same, and stops', async () => {
  const [features, logits] = [noise([1, 3, 4, 5]), noise([1, 100, 4, 5], 2)]
  const out = await contentAwareUpsampleAsync(features, logits)
  const same = contentAwareUpsample(features, logits)
  expect(Buffer.compare(bytesOf(out), bytesOf(same))).toBe(0)
  const stopped = contentAwareUpsampleAsync(features, logits, { signal: AbortSignal.abort() })
  await expect(stopped).rejects.toThrow(CancelledError)
  for (const t of [features, logits, out, same]) t.dispose()
})

describe('the layer', () => {
  test('begins as a box filter, and learns', () => {
    tidy(() => {
      const layer = new ContentAwareUpsample(8, { compressed: 4 })
      const x = noise([2, 8, 5, 6]).to('float32')
      const out = layer.forward(x)
      expect(out.shape).toEqual([2, 8, 10, 12])
      const box = contentAwareUpsample(x, noise([2, 100, 5, 6]).mul(0).to('float32'))
      expect(largestDifference(out, box)).toBeLessThan(0.01)
      out.square().sum().backward()
      for (const [name, p] of layer.namedParameters()) expect([name, p.grad?.ne(0).any().item()]).toEqual([name, true])
      layer.dispose()
    })
  })

  test('has the parameters of its two convolutions', () => {
    const layer = new ContentAwareUpsample(256)
    const count = [...layer.parameters()].reduce((sum, p) => sum + p.numel, 0)
    // 256·64 + 64, and 64·9·100 + 100.
    expect(count).toBe(16448 + 57700)
    layer.dispose()
    expect(() => new ContentAwareUpsample(8, { scale: 0 })).toThrow(ArgumentError)
    expect(() => new ContentAwareUpsample(8, { border: 'wrap' as 'zeros' })).toThrow(ArgumentError)
  })
})

const numbers = (t: Tensor) => Array.from(t.to('float64').contiguous().dataSync() as Float64Array)
/** Logits of which tap `k` of sub-pixel `part` has all the weight. */
function oneHot(taps: readonly number[], height: number, width: number): Tensor {
  const values = new Float32Array(100 * height * width).fill(-1e4)
  for (const [part, k] of taps.entries())
    values.fill(0, (k * 4 + part) * height * width, (k * 4 + part + 1) * height * width)
  return tensor(Array.from(values), { shape: [1, 100, height, width], dtype: 'float32' })
}

test('check 1: all weight on the centre gives the nearest neighbour bit for bit', () => {
  tidy(() => {
    const features = noise([1, 3, 7, 9]).to('float32')
    const out = contentAwareUpsample(features, oneHot([12, 12, 12, 12], 7, 9))
    expect(numbers(out)).toEqual(numbers(upsampleNearest2d(features, [14, 18])))
  })
})

test('check 2: equal weights on a map of ones', () => {
  tidy(() => {
    const ones = noise([1, 1, 5, 5]).mul(0).add(1)
    const out = contentAwareUpsample(ones, noise([1, 100, 5, 5]).mul(0))
    const at = (y: number, x: number) => out.at(0, 0, y, x).toNumber()
    for (const [y, x, expected] of [
      [4, 4, 1],
      [0, 0, 0.36],
      [9, 9, 0.36],
      [0, 4, 0.6],
      [2, 2, 0.64],
    ] as const) {
      expect(at(y, x)).toBeCloseTo(expected, 12)
    }
  })
})

test('check 3: all weight on one tap moves the map, each sub-pixel by its own', () => {
  tidy(() => {
    const [height, width] = [4, 6]
    const features = noise([1, 1, height, width]).to('float32')
    const values = numbers(features)
    const taps = [0, 9, 17, 24]
    const out = numbers(contentAwareUpsample(features, oneHot(taps, height, width)))
    for (let y = 0; y < 2 * height; y++) {
      for (let x = 0; x < 2 * width; x++) {
        const k = taps[(y % 2) * 2 + (x % 2)] as number
        const [i, j] = [(y >> 1) + Math.floor(k / 5) - 2, (x >> 1) + (k % 5) - 2]
        const inside = i >= 0 && i < height && j >= 0 && j < width
        expect(out[y * 2 * width + x]).toBe(inside ? values[i * width + j] : 0)
      }
    }
  })
})

describe('check 5: gradients', () => {
  test.each(cases)('equal those of the reference, $channels channels', ({ channels, height, width, ...options }) => {
    tidy(() => {
      const features = noise([1, channels, height, width]).requiresGrad_()
      const logits = noise(logitsShape({ height, width, ...options }), 2).requiresGrad_()
      const upstream = noise([1, channels, options.scale * height, options.scale * width], 5)
      const gradients = (out: Tensor) => grad(out, [features, logits], { gradOutputs: [upstream] })
      const expected = gradients(upsampleReference(features, logits, options))
      const actual = gradients(contentAwareUpsample(features, logits, options))
      for (const [i, value] of actual.entries()) {
        expect(largestDifference(value as Tensor, expected[i] as Tensor)).toBeLessThan(1e-12)
      }
      const places = [options.groups, options.window ** 2, options.scale ** 2 * height * width]
      const sums = (actual[1] as Tensor).reshape(places).sum({ dim: 1 }).abs().max()
      expect(sums.toNumber()).toBeLessThan(1e-12)
    })
  })
})

test('check 6: linear in the map; a constant on all taps of a place changes nothing', () => {
  tidy(() => {
    const [f1, f2, logits] = [noise([1, 2, 4, 5]), noise([1, 2, 4, 5], 2), noise([1, 100, 4, 5], 3)]
    const out = (f: Tensor, z = logits) => contentAwareUpsample(f, z)
    expect(largestDifference(out(f1.mul(2).add(f2)), out(f1).mul(2).add(out(f2)))).toBeLessThan(1e-14)
    expect(largestDifference(out(f1, logits.add(7)), out(f1))).toBeLessThan(1e-14)
  })
})

describe('check 8: pyramid', () => {
  const SIDES = [1, 5, 10, 20, 37]
  const PAIRS = SIDES.flatMap((height) => SIDES.map((width) => [height, width] as const))
  test.each(PAIRS)('means over the bins of %i × %i', (height, width) => {
    tidy(() => {
      const features = noise([1, 2, height, width])
      const values = numbers(features)
      for (const [place, map] of poolPyramid(features).entries()) {
        const n = [1, 2, 3, 6][place] as number
        const edges = (side: number) =>
          Array.from({ length: n }, (_, t) => [Math.floor((t * side) / n), Math.ceil(((t + 1) * side) / n)])
        const expected = [0, 1].flatMap((c) =>
          edges(height).flatMap(([top, bottom]) =>
            edges(width).map(([left, right]) => {
              let sum = 0
              for (let y = top as number; y < (bottom as number); y++) {
                for (let x = left as number; x < (right as number); x++)
                  sum += values[(c * height + y) * width + x] as number
              }
              return sum / (((bottom as number) - (top as number)) * ((right as number) - (left as number)))
            }),
          ),
        )
        for (const [i, value] of numbers(map).entries()) expect(value).toBeCloseTo(expected[i] as number, 12)
      }
    })
  })

  test('the map comes first, then each level, enlarged between centres', () => {
    tidy(() => {
      const features = noise([1, 1, 1, 4])
      const level = tensor([0, 1, 0, 1], { shape: [1, 1, 2, 2], dtype: 'float64' })
      const out = numbers(expandPyramid(features, [level]))
      expect(out.slice(0, 4)).toEqual(numbers(features))
      for (const [i, x] of out.slice(4).entries()) expect(x).toBeCloseTo([0, 0.25, 0.75, 1][i] as number, 12)
    })
  })

  test.each(PAIRS)('levels are enlarged to %i × %i between centres of pixels', (height, width) => {
    tidy(() => {
      const features = noise([1, 1, height, width])
      const [level] = [noise([1, 1, 6, 6], 3)]
      const values = numbers(level)
      const out = numbers(expandPyramid(features, [level])).slice(height * width)
      const along = (side: number, at: number) => {
        const source = Math.max(((at + 0.5) * 6) / side - 0.5, 0)
        const first = Math.floor(source)
        return [first, Math.min(first + 1, 5), source - first] as const
      }
      for (const [i, value] of out.entries()) {
        const [top, bottom, v] = along(height, Math.floor(i / width))
        const [left, right, u] = along(width, i % width)
        const line = (y: number) => (values[y * 6 + left] as number) * (1 - u) + (values[y * 6 + right] as number) * u
        expect(value).toBeCloseTo(line(top) * (1 - v) + line(bottom) * v, 12)
      }
    })
  })

  test('its gradients agree with differences', () => {
    tidy(() => {
      const features = noise([1, 2, 5, 4]).requiresGrad_()
      gradcheck((f: Tensor) => [expandPyramid(f, poolPyramid(f))], [features])
    })
  })
})

describe('degenerate input', () => {
  test('no samples, no channels', () => {
    tidy(() => {
      expect(contentAwareUpsample(noise([0, 2, 3, 3]), noise([0, 100, 3, 3])).shape).toEqual([0, 2, 6, 6])
      expect(contentAwareUpsample(noise([1, 0, 3, 3]), noise([1, 100, 3, 3])).shape).toEqual([1, 0, 6, 6])
    })
  })

  test('places without weight are 0 and have no gradient; NaN logits give NaN there only', () => {
    tidy(() => {
      const features = noise([1, 2, 3, 3])
      const logits = noise([1, 100, 3, 3])
      logits.select(3, 0).fill_(Number.NEGATIVE_INFINITY)
      logits.requiresGrad_()
      const out = contentAwareUpsample(features, logits)
      expect(out.narrow(3, 0, 2).eq(0).all().item()).toBe(true)
      expect(out.isfinite().all().item()).toBe(true)
      const [slope] = grad(out.sum(), [logits])
      expect((slope as Tensor).select(3, 0).eq(0).all().item()).toBe(true)
      const bad = noise([1, 100, 3, 3])
      bad.select(3, 2).fill_(Number.NaN)
      const spoilt = contentAwareUpsample(features, bad)
      expect(spoilt.narrow(3, 4, 2).isnan().all().item()).toBe(true)
      expect(spoilt.narrow(3, 0, 4).isnan().any().item()).toBe(false)
    })
  })

  test('logits of ±1e4 stay finite', () => {
    tidy(() => {
      const out = contentAwareUpsample(noise([1, 2, 3, 3]), noise([1, 100, 3, 3]).mul(1e4))
      expect(out.isfinite().all().item()).toBe(true)
    })
  })

  test('what does not fit is refused', () => {
    tidy(() => {
      const [features, logits] = [noise([1, 2, 3, 3]), noise([1, 100, 3, 3])]
      expect(() => contentAwareUpsample(features, logits, { window: 4 })).toThrow(ArgumentError)
      expect(() => contentAwareUpsample(features, logits, { scale: 0 })).toThrow(ArgumentError)
      expect(() => contentAwareUpsample(features, logits, { groups: 3 })).toThrow(ArgumentError)
      expect(() => contentAwareUpsample(features, logits, { border: 'wrap' as 'zeros' })).toThrow(ArgumentError)
      expect(() => contentAwareUpsample(features, logits, { window: 3 })).toThrow(ShapeError)
      expect(() => contentAwareUpsample(features.to('int32'), logits)).toThrow(DTypeError)
      expect(() => contentAwareUpsample(features.to('float32'), logits)).toThrow(DTypeError)
      expect(() => poolPyramid(noise([3]))).toThrow(ShapeError)
    })
  })
})
