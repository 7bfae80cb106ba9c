import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { ArgumentError, CancelledError, DTypeError, ShapeError } from '../../lib/native/errors'
import {
  type Connectivity,
  connectedComponents,
  connectedComponentsAsync,
  connectedComponentsWithStats,
  labelStatistics,
} from '../../lib/ops'
import { call, type DType, getNumThreads, setNumThreads, type Tensor, tensor, tidy, zeros } from '../../lib/tensor'
import { runChild } from '../support/child'
import { bytesOf, laidOut, testOp } from '../support/test-op'
import { randomNumbers } from '../support/tvl1'

// Threads that wait for one another are slow on a machine that is busy with other tests.
beforeAll(() => setNumThreads(1))

interface ComponentsCase {
  readonly shape: readonly number[]
  readonly connectivity: Connectivity
  readonly image: readonly number[]
  readonly labels: readonly number[]
  readonly area: readonly number[]
  readonly box: readonly (readonly number[])[]
  readonly centroid: readonly (readonly number[])[]
}

const fixture = new URL('../fixtures/native/segmentation.json', import.meta.url)
const { components: cases } = JSON.parse(readFileSync(fixture, 'utf8')) as { components: readonly ComponentsCase[] }

const numbers = (t: Tensor) => Array.from(t.to('float64').contiguous().dataSync() as Float64Array)
const image = (values: readonly number[], shape: readonly number[], dtype: DType = 'int32') =>
  tensor([...values], { shape: [...shape], dtype })

/** Labels by a flood from each place in raster order: slow and obvious. */
function flooded(values: readonly number[], [depth, height, width]: readonly number[], connectivity: Connectivity) {
  const far = connectivity === 4 || connectivity === 6 ? 1 : connectivity === 26 ? 3 : 2
  const [d, h, w] = [depth as number, height as number, width as number]
  const labels = new Array<number>(values.length).fill(0)
  let count = 0
  for (let start = 0; start < values.length; start++) {
    if (values[start] === 0 || labels[start] !== 0) continue
    const waiting = [start]
    labels[start] = ++count
    for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
      const [z, y, x] = [Math.floor(place / (h * w)), Math.floor(place / w) % h, place % w]
      for (let k = 0; k < 27; k++) {
        const [dz, dy, dx] = [Math.floor(k / 9) - 1, (Math.floor(k / 3) % 3) - 1, (k % 3) - 1]
        if (Math.abs(dz) + Math.abs(dy) + Math.abs(dx) > far) continue
        const [a, b, c] = [z + dz, y + dy, x + dx]
        if (a < 0 || b < 0 || c < 0 || a >= d || b >= h || c >= w) continue
        const other = (a * h + b) * w + c
        if (labels[other] !== 0 || values[other] !== values[start]) continue
        labels[other] = count
        waiting.push(other)
      }
    }
  }
  return { labels, count }
}

function speckle(count: number, values: number, seed: number): number[] {
  const random = randomNumbers(seed)
  return Array.from({ length: count }, () => Math.floor(random() * values))
}

describe('equal scikit-image’s', () => {
  test.each(cases)('$shape, connectivity $connectivity', ({ shape, connectivity, ...expected }) => {
    tidy(() => {
      const result = connectedComponentsWithStats(image(expected.image, shape), { connectivity })
      const count = expected.area.length
      expect(numbers(result.labels)).toEqual(expected.labels)
      expect([result.labels.dtype, result.count.dtype, result.count.toNumber()]).toEqual(['int32', 'int64', count])
      expect(numbers(result.area).slice(1)).toEqual(expected.area)
      expect(numbers(result.box.narrow(0, 1, count))).toEqual(expected.box.flat())
      for (const [i, value] of numbers(result.centroid.narrow(0, 1, count)).entries()) {
        expect(value).toBeCloseTo(expected.centroid.flat()[i] as number, 10)
      }
      expect(numbers(result.area).reduce((a, b) => a + b)).toBe(expected.image.length)
    })
  })
})

testOp('crossed with layouts and threads', {
  tolerances: { int64: 0 },
  cases: ([4, 8, 6, 18, 26] as const).flatMap((connectivity) =>
    [
      [2, 3, 14, 67],
      [1, 1, 33, 64],
    ].map((shape) => {
      const volume = connectivity !== 4 && connectivity !== 8
      const batch = volume ? (shape[0] as number) : (shape[0] as number) * (shape[1] as number)
      const [d, h, w] = volume ? shape.slice(1) : [1, ...shape.slice(2)]
      const size = (d as number) * (h as number) * (w as number)
      const values = Array.from({ length: batch }, (_, i) => speckle(size, 2 + (i % 2), 7 + i))
      return {
        name: `[${shape}], connectivity ${connectivity}`,
        inputs: () => [image(values.flat(), shape, 'uint8')],
        run: (input: Tensor) => {
          const { labels, count } = connectedComponents(input, { connectivity })
          return [labels, count]
        },
        reference: () => {
          const found = values.map((one) => flooded(one, [d, h, w] as number[], connectivity))
          const labels = found.flatMap((one) => one.labels)
          const counts = found.map(({ count }) => count)
          const outer = volume ? shape.slice(0, 1) : shape.slice(0, 2)
          return [tensor(labels, { shape }), tensor(counts, { shape: outer })]
        },
      }
    }),
  ),
})

describe('element types', () => {
  test.each(['bool', 'uint8', 'int8', 'int16', 'int32', 'int64'] as const)('%s, rows of every length', (dtype) => {
    tidy(() => {
      for (const width of [1, 2, 7, 63, 64, 65, 66, 127, 128, 129, 200]) {
        const values = speckle(3 * width, dtype === 'bool' ? 2 : 3, width)
        const { labels } = connectedComponents(image(values, [3, width], dtype), { connectivity: 4 })
        expect(numbers(labels)).toEqual(flooded(values, [1, 3, width], 4).labels)
      }
    })
  })

  test('values that differ in their highest bits alone are different', () => {
    tidy(() => {
      const wide = image([2 ** 40, 2 ** 40, 2 ** 41, -1], [1, 4], 'int64')
      expect(numbers(connectedComponents(wide).labels)).toEqual([1, 1, 2, 3])
      const narrow = image([-128, 127, 127, 0], [1, 4], 'int8')
      expect(numbers(connectedComponents(narrow).labels)).toEqual([1, 2, 2, 0])
    })
  })

  test('a mask of several values is one component by ne(0)', () => {
    tidy(() => {
      const mask = image([1, 2, 0, 3], [1, 4])
      expect(numbers(connectedComponents(mask.ne(0)).labels)).toEqual([1, 1, 0, 2])
    })
  })
})

describe('shapes that are hard to join', () => {
  test('a spiral, a comb and a checkerboard', () => {
    tidy(() => {
      const side = 41
      const spiral = new Array<number>(side * side).fill(0)
      let [y, x, dy, dx] = [0, 0, 0, 1]
      const at = (a: number, b: number) => (a >= 0 && b >= 0 && a < side && b < side ? (spiral[a * side + b] ?? 0) : 1)
      for (let turns = 0; turns < 2; ) {
        spiral[y * side + x] = 1
        const blocked = at(y + dy, x + dx) === 1 || (at(y + 2 * dy, x + 2 * dx) === 1 && inside(y + 2 * dy, x + 2 * dx))
        if (blocked) {
          ;[dy, dx] = [dx, -dy]
          turns++
        } else {
          ;[y, x] = [y + dy, x + dx]
          turns = 0
        }
      }
      function inside(a: number, b: number): boolean {
        return a >= 0 && b >= 0 && a < side && b < side
      }
      expect(connectedComponents(image(spiral, [side, side]), { connectivity: 4 }).count.toNumber()).toBe(1)
      const comb = Array.from({ length: 20 * 33 }, (_, i) => (i >= 19 * 33 || i % 2 === 0 ? 1 : 0))
      expect(connectedComponents(image(comb, [20, 33]), { connectivity: 4 }).count.toNumber()).toBe(
        flooded(comb, [1, 20, 33], 4).count,
      )
      const board = Array.from({ length: 30 * 30 }, (_, i) => (Math.floor(i / 30) + (i % 30)) % 2)
      const counted = (connectivity: Connectivity) =>
        connectedComponents(image(board, [30, 30]), { connectivity }).count.toNumber()
      expect([counted(4), counted(8)]).toEqual([450, 1])
    })
  })

  test('large enough for several threads, joined across them', () => {
    const before = getNumThreads()
    tidy(() => {
      const values = speckle(3 * 240 * 300, 2, 5)
      for (const [shape, connectivity] of [
        [[720, 300], 8],
        [[3, 240, 300], 26],
        [[720, 3, 100], 6],
      ] as const) {
        const volume = shape.length === 3 ? shape : ([1, ...shape] as const)
        const expected = flooded(values, volume, connectivity)
        for (const threads of [1, 2, 3]) {
          setNumThreads(threads)
          const { labels, count } = connectedComponents(image(values, shape, 'uint8'), { connectivity })
          expect(count.toNumber()).toBe(expected.count)
          expect(Buffer.compare(bytesOf(labels), new Uint8Array(Int32Array.from(expected.labels).buffer))).toBe(0)
          const single = labelStatistics(labels, expected.count, { dims: shape.length === 3 ? 3 : 2 })
          const areas = new Array<number>(expected.count + 1).fill(0)
          for (const label of expected.labels) areas[label] = (areas[label] as number) + 1
          expect(numbers(single.area)).toEqual(areas)
        }
      }
    })
    setNumThreads(before)
  })
})

test('the same with every instruction set of this CPU', async () => {
  const script = `
    import { connectedComponents, labelStatistics } from 'lib/ops/connected-components'
    import { tensor } from 'lib'
    import { createHash } from 'node:crypto'
    const hash = createHash('sha256')
    let state = 1
    for (const dtype of ['uint8', 'int16', 'int32', 'int64']) {
      for (const width of [1, 9, 64, 65, 130, 200]) {
        const values = Array.from({ length: 6 * width }, () => {
          state = (Math.imul(state, 1664525) + 1013904223) >>> 0
          return state >>> 30
        })
        const { labels, count } = connectedComponents(tensor(values, { shape: [2, 3, width], dtype }), { connectivity: 26 })
        const { box } = labelStatistics(labels, count.toNumber(), { dims: 3 })
        hash.update(labels.dataSync()).update(box.dataSync())
      }
    }
    console.log(hash.digest('hex'))`
  const digests: string[] = []
  for (const isa of ['scalar', 'avx2', 'avx512']) {
    const { stdout, stderr } = await runChild(script, { env: { VISION_NATIVE_ISA: isa } })
    if (!/has not all of it/.test(stderr)) digests.push(stdout.trim())
  }
  expect(digests[0]).toMatch(/^[0-9a-f]{64}$/)
  expect(new Set(digests).size).toBe(1)
})

describe('statistics', () => {
  test('by hand, with a label that nothing has', () => {
    tidy(() => {
      const labels = image([0, 3, 3, 0, 1, 3], [2, 3])
      const { area, box, centroid } = labelStatistics(labels, 3)
      expect(numbers(area)).toEqual([2, 1, 0, 3])
      expect(numbers(box)).toEqual([0, 0, 2, 1, 1, 1, 2, 2, 0, 0, 0, 0, 0, 1, 2, 3])
      expect(numbers(centroid)).toEqual([0.5, 0, 1, 1, Number.NaN, Number.NaN, 1 / 3, 5 / 3])
    })
  })

  test('images of a batch have rows for the largest count', () => {
    tidy(() => {
      const batch = image([1, 0, 1, 0, 0, 0], [2, 1, 3])
      const { count, area } = connectedComponentsWithStats(batch)
      expect(numbers(count)).toEqual([2, 0])
      expect(numbers(area)).toEqual([1, 1, 1, 3, 0, 0])
    })
  })

  test('labels out of range and gaps are refused', () => {
    tidy(() => {
      expect(() => labelStatistics(image([0, 4], [1, 2]), 3)).toThrow(/label is not in 0 to 3/)
      expect(() => labelStatistics(image([0, -1], [1, 2]), 3)).toThrow(ArgumentError)
      expect(() => labelStatistics(image([0, 1], [1, 2]), -1)).toThrow(ArgumentError)
      expect(() => labelStatistics(image([0, 1], [1, 2]), 2 ** 30)).toThrow(/without gaps/)
      expect(() => labelStatistics(image([0, 1], [1, 2], 'int64'), 1)).toThrow(DTypeError)
      expect(() => labelStatistics(image([0, 1], [2]), 1)).toThrow(ShapeError)
      expect(() => labelStatistics(image([0, 1], [1, 2]), 1, { dims: 4 as 3 })).toThrow(ArgumentError)
    })
  })
})

describe('degenerate input', () => {
  test.each([
    [[0, 5], 8],
    [[5, 0], 4],
    [[0, 3, 0, 4], 26],
    [[0, 4, 4], 8],
  ] as const)('nothing: %j', (shape, connectivity) => {
    tidy(() => {
      const { labels, count, area } = connectedComponentsWithStats(zeros([...shape], { dtype: 'uint8' }), {
        connectivity,
      })
      expect(labels.shape).toEqual(shape)
      expect(numbers(count).every((n) => n === 0)).toBe(true)
      expect(numbers(area).every((n) => n === 0)).toBe(true)
    })
  })

  test('one place, background alone, one component alone', () => {
    tidy(() => {
      expect(numbers(connectedComponents(image([7], [1, 1])).labels)).toEqual([1])
      const empty = connectedComponentsWithStats(zeros([2, 70, 70], { dtype: 'uint8' }), { connectivity: 26 })
      expect([empty.count.toNumber(), numbers(empty.area)]).toEqual([0, [9800]])
      const full = connectedComponentsWithStats(zeros([2, 70, 70], { dtype: 'uint8' }).add(3), { connectivity: 6 })
      expect([full.count.toNumber(), numbers(full.area), numbers(full.box)]).toEqual([
        1,
        [0, 9800],
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 70, 70],
      ])
      expect(numbers(full.centroid).slice(3)).toEqual([0.5, 34.5, 34.5])
    })
  })

  test('planes of a larger tensor, and every other row', () => {
    tidy(() => {
      const values = speckle(2 * 3 * 8 * 70, 2, 3)
      const whole = image(values, [2, 3, 8, 70], 'uint8')
      const part = whole.narrow(2, 1, 6).narrow(3, 2, 66).select(1, 1)
      const copy = part.contiguous()
      expect(numbers(connectedComponents(part).labels)).toEqual(numbers(connectedComponents(copy).labels))
      const rows = laidOut(copy, 'strided')
      expect(numbers(connectedComponents(rows).labels)).toEqual(numbers(connectedComponents(copy).labels))
    })
  })
})

test('what does not fit is refused', () => {
  tidy(() => {
    expect(() => connectedComponents(zeros([3, 3]))).toThrow(DTypeError)
    expect(() => connectedComponents(zeros([3, 3]))).toThrow(/threshold/)
    expect(() => connectedComponents(image([1], [1]))).toThrow(ShapeError)
    expect(() => connectedComponents(image([1], [1, 1]), { connectivity: 26 })).toThrow(ShapeError)
    expect(() => connectedComponents(image([1], [1, 1]), { connectivity: 5 as 4 })).toThrow(ArgumentError)
    expect(() => call('vision_native::connected_components', [1 as never])).toThrow(ArgumentError)
  })
})

test('the asynchronous form gives the same, and stops when the signal fires', async () => {
  const input = image(speckle(200 * 200, 2, 9), [200, 200], 'uint8')
  const { labels, count } = await connectedComponentsAsync(input, { connectivity: 4 })
  const expected = connectedComponents(input, { connectivity: 4 })
  expect(numbers(labels)).toEqual(numbers(expected.labels))
  const stopped = connectedComponentsAsync(input, { signal: AbortSignal.abort() })
  await expect(stopped).rejects.toBeInstanceOf(CancelledError)
  for (const t of [input, labels, count, expected.labels, expected.count]) t.dispose()
})
