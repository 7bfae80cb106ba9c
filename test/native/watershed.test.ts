import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { ArgumentError, CancelledError, DTypeError, ShapeError } from '../../lib/native/errors'
import { type Connectivity, watershed, watershedAsync } from '../../lib/ops'
import { type DType, setNumThreads, type Tensor, tensor, tidy, zeros } from '../../lib/tensor'
import { testOp } from '../support/test-op'
import { randomNumbers } from '../support/tvl1'

beforeAll(() => setNumThreads(1))

interface WatershedCase {
  readonly shape: readonly number[]
  readonly connectivity: Connectivity
  readonly compactness: number
  readonly scale: number
  readonly image: readonly number[]
  readonly markers: readonly number[]
  readonly mask: readonly number[]
  readonly labels: readonly number[]
}

const fixture = new URL('../fixtures/native/segmentation.json', import.meta.url)
const { watershed: cases } = JSON.parse(readFileSync(fixture, 'utf8')) as { watershed: readonly WatershedCase[] }

const numbers = (t: Tensor) => Array.from(t.to('float64').contiguous().dataSync() as Float64Array)
const image = (values: readonly number[], shape: readonly number[], dtype: DType = 'int32') =>
  tensor([...values], { shape: [...shape], dtype })

/**
 * The flood by its rule, slowly: of all places that wait the one with the least level, and of these the one that came
 * first; seeds come in raster order, neighbours by distance and in raster order.
 */
function flooded(levels: readonly number[], markers: readonly number[], shape: readonly number[], far: number) {
  const [d, h, w] = (shape.length === 3 ? shape : [1, ...shape]) as [number, number, number]
  const steps = Array.from({ length: 27 }, (_, k) => [Math.floor(k / 9) - 1, (Math.floor(k / 3) % 3) - 1, (k % 3) - 1])
    .map((step) => ({ step: step as [number, number, number], length: step.reduce((a, b) => a + Math.abs(b), 0) }))
    .filter(({ step, length }) => length >= 1 && length <= far && (shape.length === 3 || step[0] === 0))
    .sort((a, b) => a.length - b.length)
  const labels = [...markers]
  const waiting = labels.flatMap((label, place) => (label === 0 ? [] : [place]))
  while (waiting.length > 0) {
    let best = 0
    for (const [i, place] of waiting.entries()) {
      if ((levels[place] as number) < (levels[waiting[best] as number] as number)) best = i
    }
    const [place] = waiting.splice(best, 1) as [number]
    const [z, y, x] = [Math.floor(place / (h * w)), Math.floor(place / w) % h, place % w]
    for (const { step } of steps) {
      const [a, b, c] = [z + step[0], y + step[1], x + step[2]]
      if (a < 0 || b < 0 || c < 0 || a >= d || b >= h || c >= w) continue
      const other = (a * h + b) * w + c
      if (labels[other] !== 0) continue
      labels[other] = labels[place] as number
      waiting.push(other)
    }
  }
  return labels
}

function random(count: number, values: number, seed: number): number[] {
  const next = randomNumbers(seed)
  return Array.from({ length: count }, () => Math.floor(next() * values))
}

describe('equals scikit-image’s where levels differ', () => {
  test.each(cases)('$shape, connectivity $connectivity, compactness $compactness', (c) => {
    tidy(() => {
      const levels = image(c.image, c.shape, 'float64').div(c.scale)
      const [markers, mask] = [image(c.markers, c.shape), image(c.mask, c.shape, 'bool')]
      const options = { connectivity: c.connectivity, compactness: c.compactness, mask }
      expect(numbers(watershed(levels, markers, options))).toEqual(c.labels)
      if (c.scale !== 1 || c.compactness > 0) return
      for (const dtype of ['int16', 'int32', 'int64', 'float32'] as const) {
        expect(numbers(watershed(image(c.image, c.shape, dtype), markers, options))).toEqual(c.labels)
      }
    })
  })
})

testOp('levels that tie: value, then age', {
  tolerances: { int64: 0 },
  cases: (
    [
      [[14, 19], 4, 1, 256],
      [[14, 19], 8, 2, 4],
      [[4, 9, 11], 6, 1, 5],
      [[4, 9, 11], 18, 2, 5],
      [[4, 9, 11], 26, 3, 5],
    ] as const
  ).flatMap(([shape, connectivity, far, values]) =>
    (['uint8', 'int8', 'int16', 'int32', 'int64', 'float32'] as const)
      .slice(0, connectivity === 8 ? 6 : 1)
      .map((dtype) => {
        const count = shape.reduce<number>((a, b) => a * b, 1)
        const levels = random(count, values, 3).map((v) => (dtype === 'int8' ? v - 2 : v))
        const markers = random(count, 40, 4).map((v, i) => (v === 0 ? 1 + (i % 7) : 0))
        return {
          name: `[${shape}], connectivity ${connectivity}, ${dtype}`,
          inputs: () => [image(levels, shape, dtype), image(markers, shape)],
          run: (a: Tensor, b: Tensor) => watershed(a.to(dtype), b, { connectivity }),
          reference: () => image(flooded(levels, markers, shape, far), shape),
        }
      }),
  ),
})

describe('by hand', () => {
  test('two valleys meet at the ridge; the lower side takes it', () => {
    tidy(() => {
      const levels = image([1, 2, 3, 9, 4, 2, 1], [1, 7], 'uint8')
      const markers = image([5, 0, 0, 0, 0, 0, 8], [1, 7])
      expect(numbers(watershed(levels, markers))).toEqual([5, 5, 5, 5, 8, 8, 8])
    })
  })

  test('a mask stops the flood; markers outside it are dropped; what none reaches is 0', () => {
    tidy(() => {
      const mask = image([1, 1, 0, 1, 0, 1], [1, 6], 'bool')
      const markers = image([3, 0, 4, 0, 0, 6], [1, 6])
      expect(numbers(watershed(zeros([1, 6]), markers, { mask }))).toEqual([3, 3, 0, 0, 0, 6])
    })
  })

  test('lower levels that a flood uncovers go before higher ones that waited', () => {
    tidy(() => {
      // Behind the ridge of 5 the first marker finds a valley and takes all of it before the other crosses its own of 6.
      const levels = image([5, 5, 0, 0, 0, 6, 7], [1, 7])
      expect(numbers(watershed(levels, image([1, 0, 0, 0, 0, 0, 2], [1, 7])))).toEqual([1, 1, 1, 1, 1, 1, 2])
    })
  })

  test('infinite levels come last and first, −0 is 0', () => {
    tidy(() => {
      const { POSITIVE_INFINITY: top, NEGATIVE_INFINITY: bottom } = Number
      const levels = tensor([0, top, -0, bottom, 0], { shape: [1, 5], dtype: 'float32' })
      expect(numbers(watershed(levels, image([1, 0, 0, 0, 2], [1, 5])))).toEqual([1, 1, 2, 2, 2])
      const flat = tensor([-0, 0, -0, 0, -0], { shape: [1, 5], dtype: 'float64' })
      expect(numbers(watershed(flat, image([1, 0, 0, 0, 2], [1, 5])))).toEqual([1, 1, 1, 2, 2])
    })
  })

  test('images of a batch are flooded alone; float16 as its values', () => {
    tidy(() => {
      const levels = image([3, 1, 2, 3, 1, 2], [2, 1, 3], 'float16')
      const markers = image([1, 0, 0, 0, 0, 4], [2, 1, 3], 'int64')
      const labels = watershed(levels, markers)
      expect([numbers(labels), labels.dtype]).toEqual([[1, 1, 1, 4, 4, 4], 'int64'])
      expect(numbers(watershed(levels.to('bfloat16'), markers))).toEqual(numbers(labels))
    })
  })
})

describe('degenerate input', () => {
  test.each([[[0, 4]], [[4, 0]], [[0, 3, 3]], [[1, 1]], [[2, 0, 3]]])('%j', (shape) => {
    tidy(() => {
      const labels = watershed(zeros(shape, { dtype: 'uint8' }), zeros(shape, { dtype: 'int32' }))
      expect(labels.shape).toEqual(shape)
      expect(numbers(labels).every((n) => n === 0)).toBe(true)
    })
  })

  test('no marker, one marker, all marked, negative markers', () => {
    tidy(() => {
      const levels = image(random(70, 9, 1), [7, 10], 'float32')
      const none = zeros([7, 10], { dtype: 'int32' })
      expect(numbers(watershed(levels, none)).every((n) => n === 0)).toBe(true)
      const one = none.clone()
      one.select(0, 3).select(0, 4).fill_(-9)
      expect(numbers(watershed(levels, one)).every((n) => n === -9)).toBe(true)
      const all = image(random(70, 5, 2), [7, 10]).add(1)
      expect(numbers(watershed(levels, all))).toEqual(numbers(all))
    })
  })
})

test('what does not fit is refused', () => {
  tidy(() => {
    const [levels, markers] = [zeros([3, 3]), zeros([3, 3], { dtype: 'int32' })]
    expect(() => watershed(levels, zeros([3, 4], { dtype: 'int32' }))).toThrow(ShapeError)
    expect(() => watershed(levels, levels)).toThrow(DTypeError)
    expect(() => watershed(levels.gt(0), markers)).toThrow(DTypeError)
    expect(() => watershed(levels, markers, { mask: markers })).toThrow(DTypeError)
    expect(() => watershed(levels, markers, { mask: zeros([3]).eq(0) })).toThrow(ShapeError)
    expect(() => watershed(levels, markers, { connectivity: 6 })).toThrow(ShapeError)
    expect(() => watershed(levels, markers, { connectivity: 7 as 6 })).toThrow(ArgumentError)
    expect(() => watershed(levels, markers, { compactness: -1 })).toThrow(ArgumentError)
    expect(() => watershed(levels, markers, { compactness: Number.NaN })).toThrow(ArgumentError)
    const spoilt = levels.clone()
    spoilt.select(0, 1).select(0, 1).fill_(Number.NaN)
    expect(() => watershed(spoilt, markers)).toThrow(/NaN/)
    expect(() => watershed(spoilt, markers, { compactness: 1 })).toThrow(ArgumentError)
    expect(numbers(watershed(spoilt, markers.add(1), { mask: spoilt.eq(spoilt) }))).toEqual([1, 1, 1, 1, 0, 1, 1, 1, 1])
  })
})

test('the asynchronous form gives the same, and stops when the signal fires', async () => {
  const levels = image(random(64 * 64, 200, 5), [64, 64], 'uint8')
  const markers = image(
    random(64 * 64, 100, 6).map((v, i) => (v === 0 ? i : 0)),
    [64, 64],
  )
  const [labels, expected] = [await watershedAsync(levels, markers), watershed(levels, markers)]
  expect(numbers(labels)).toEqual(numbers(expected))
  const stopped = watershedAsync(levels, markers, { signal: AbortSignal.abort() })
  await expect(stopped).rejects.toBeInstanceOf(CancelledError)
  for (const t of [levels, markers, labels, expected]) t.dispose()
})
