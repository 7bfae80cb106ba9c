import { beforeAll, describe, expect, test } from 'vitest'
import { ArgumentError, DTypeError, ShapeError } from '../../lib/native/errors'
import { batchedNms, nms, nmsAsync, type SoftNmsOptions, softNms } from '../../lib/ops'
import { setNumThreads, type Tensor, tensor, tidy, tidyAsync, zeros } from '../../lib/tensor'
import { type DetectionCase, detectionCases, detectionTensors } from '../support/detection-cases'
import { laidOut, largestDifference, noise } from '../support/test-op'

// Threads that wait for one another are slow on a machine that is busy with other tests.
beforeAll(() => setNumThreads(1))

const numbers = (t: Tensor) => Array.from(t.to('float64').contiguous().dataSync() as Float64Array)
const boxesOf = (rows: readonly (readonly number[])[]) =>
  tensor(rows.flat(), { shape: [rows.length, 4], dtype: 'float32' })
const scoresOf = (values: readonly number[]) => tensor([...values], { shape: [values.length], dtype: 'float32' })
const classesOf = (values: readonly number[]) => tensor([...values], { shape: [values.length], dtype: 'int64' })

/** Runs a case within a scope. */
function withTensors(one: DetectionCase<unknown>, body: (part: (role: string) => Tensor) => void): Promise<void> {
  return tidyAsync(async () => {
    const tensors = await detectionTensors(one)
    body((role) => {
      const found = tensors.get(role)
      if (!found) throw new Error(`the case has no tensor ${role}`)
      return found
    })
  })
}

describe('equals torchvision', () => {
  test.each(detectionCases<{ threshold: number }>('nms'))('nms, $name', (one) =>
    withTensors(one, (part) => {
      const expected = numbers(part('out'))
      for (const layout of ['contiguous', 'strided'] as const) {
        const kept = nms(laidOut(part('boxes'), layout), laidOut(part('scores'), layout), one.options.threshold)
        expect(kept.dtype).toBe('int64')
        expect(numbers(kept)).toEqual(expected)
      }
      for (const threads of [1, 2, 3]) {
        setNumThreads(threads)
        expect(numbers(nms(part('boxes'), part('scores'), one.options.threshold))).toEqual(expected)
      }
      setNumThreads(1)
    }),
  )

  test.each(detectionCases<{ threshold: number }>('batched_nms'))('batched nms, $name', (one) =>
    withTensors(one, (part) => {
      for (const threads of [1, 2]) {
        setNumThreads(threads)
        const kept = batchedNms(part('boxes'), part('scores'), part('idxs'), one.options.threshold)
        expect(numbers(kept)).toEqual(numbers(part('out')))
      }
      setNumThreads(1)
    }),
  )

  test('float16 and bfloat16 boxes are as their values in float32', () => {
    tidy(() => {
      for (const dtype of ['float16', 'bfloat16'] as const) {
        const corner = noise([200, 2]).mul(40)
        const narrow = tensor(
          numbers(corner).flatMap((x, i, all) => (i % 2 ? [] : [x, all[i + 1] ?? 0, x + 9, (all[i + 1] ?? 0) + 7])),
          { shape: [200, 4], dtype: 'float32' },
        ).to(dtype)
        const scores = noise([200], 3).to(dtype)
        expect(numbers(nms(narrow, scores, 0.3))).toEqual(numbers(nms(narrow.to('float32'), scores.to('float32'), 0.3)))
      }
    })
  })
})

describe('soft-NMS equals the pseudo-code of its paper', () => {
  test.each(detectionCases<SoftNmsOptions>('soft_nms'))('$name', (one) =>
    withTensors(one, (part) => {
      for (const [dtype, tolerance] of [
        ['float64', 1e-14],
        ['float32', 1e-6],
      ] as const) {
        const { keep, scores } = softNms(part('boxes').to(dtype), part('scores').to(dtype), one.options)
        expect(numbers(keep)).toEqual(numbers(part('out')))
        expect(scores.dtype).toBe(dtype)
        expect(largestDifference(scores, part('lowered'))).toBeLessThan(tolerance)
      }
    }),
  )
})

describe('by hand', () => {
  // The second overlaps the first by 1/2, the third neither.
  const boxes = [
    [0, 0, 2, 1],
    [0, 0, 1, 1],
    [8, 8, 9, 9],
  ]

  test('an overlap that equals the threshold stays', () => {
    tidy(() => {
      expect(numbers(nms(boxesOf(boxes), scoresOf([0.5, 0.9, 0.1]), 0.5))).toEqual([1, 0, 2])
      expect(numbers(nms(boxesOf(boxes), scoresOf([0.5, 0.9, 0.1]), 0.49))).toEqual([1, 2])
    })
  })

  test('below 0, boxes that are apart drop one another too', () => {
    tidy(() => expect(numbers(nms(boxesOf(boxes), scoresOf([0.5, 0.9, 0.1]), -0.5))).toEqual([1]))
  })

  test('of equal scores the first stays; −0 and 0 are equal', () => {
    tidy(() => {
      expect(numbers(nms(boxesOf(boxes), scoresOf([0.5, 0.5, 0.5]), 0.3))).toEqual([0, 2])
      expect(numbers(nms(boxesOf(boxes), scoresOf([-0, 0, -0]), 0.5))).toEqual([0, 1, 2])
    })
  })

  test('classes drop nothing of one another', () => {
    tidy(() => {
      const scores = scoresOf([0.5, 0.9, 0.7])
      expect(numbers(batchedNms(boxesOf(boxes), scores, classesOf([7, 7, -1]), 0.3))).toEqual([1, 2])
      expect(numbers(batchedNms(boxesOf(boxes), scores, classesOf([7, 8, 7]), 0.3))).toEqual([1, 2, 0])
    })
  })

  test('soft: the second falls by its overlap, or by exp(−IoU²/σ)', () => {
    tidy(() => {
      const scores = scoresOf([1, 0.6, 0.5])
      const linear = softNms(boxesOf(boxes), scores)
      expect(numbers(linear.keep)).toEqual([0, 2, 1])
      expect(numbers(linear.scores)[2]).toBeCloseTo(0.3, 6)
      const gaussian = softNms(boxesOf(boxes), scores, { method: 'gaussian', sigma: 0.25 })
      expect(numbers(gaussian.scores)[2]).toBeCloseTo(0.6 * Math.exp(-1 / 4 / 0.25), 6)
      expect(numbers(softNms(boxesOf(boxes), scores, { scoreThreshold: 0.45 }).keep)).toEqual([0, 2])
    })
  })

  test('soft: scores that are NaN are dropped, boxes that are NaN lower nothing', () => {
    tidy(() => {
      const { keep, scores } = softNms(
        boxesOf([...boxes, [Number.NaN, 0, 2, 1]]),
        scoresOf([0.5, Number.NaN, 0.25, 0.75]),
      )
      expect(numbers(keep)).toEqual([3, 0, 2])
      expect(numbers(scores)).toEqual([0.75, 0.5, 0.25])
    })
  })
})

describe('degenerate and bad input', () => {
  test('no boxes', () => {
    tidy(() => {
      expect(nms(zeros([0, 4]), zeros([0]), 0.5).shape).toEqual([0])
      expect(batchedNms(zeros([0, 4]), zeros([0]), classesOf([]), 0.5).shape).toEqual([0])
      expect(softNms(zeros([0, 4]), zeros([0])).scores.shape).toEqual([0])
    })
  })

  test('boxes without area, the same many times: none covers another', () => {
    tidy(() => expect(nms(zeros([700, 4]), zeros([700]), 0.5).shape).toEqual([700]))
  })

  test('what does not fit is refused', () => {
    tidy(() => {
      const [boxes, scores] = [zeros([3, 4]), zeros([3])]
      expect(() => nms(zeros([3, 5]), scores, 0.5)).toThrow(ShapeError)
      expect(() => nms(boxes, zeros([2]), 0.5)).toThrow(ShapeError)
      expect(() => nms(boxes.to('int32'), scores, 0.5)).toThrow(DTypeError)
      expect(() => nms(boxes, scores, Number.NaN)).toThrow(ArgumentError)
      expect(() => batchedNms(boxes, scores, zeros([3]), 0.5)).toThrow(DTypeError)
      expect(() => batchedNms(boxes, scores, classesOf([1]), 0.5)).toThrow(ShapeError)
      expect(() => softNms(boxes, scores, { sigma: 0 })).toThrow(ArgumentError)
      expect(() => softNms(boxes, scores, { method: 'hard' as 'linear' })).toThrow(ArgumentError)
      expect(() => nms(boxes.to('meta'), scores.to('meta'), 0.5)).toThrow(/depends on their values/)
      expect(() => nms(boxes, scores.to('meta'), 0.5)).toThrow()
    })
  })

  test('results require no gradient', () => {
    tidy(() => {
      const [boxes, scores] = [noise([5, 4]).requiresGrad_(), noise([5]).add(2).requiresGrad_()]
      expect(softNms(boxes, scores).scores.requiresGrad).toBe(false)
      expect(nms(boxes, scores, 0.5).requiresGrad).toBe(false)
    })
  })

  test('a signal stops a suppression that would take long', async () => {
    await tidyAsync(async () => {
      // Nothing overlaps, so each of 300 000 boxes is compared with all before it.
      const corner = Array.from({ length: 300_000 }, (_, i) => [2 * i, 0, 2 * i + 1, 1]).flat()
      const boxes = tensor(corner, { shape: [300_000, 4], dtype: 'float64' })
      const controller = new AbortController()
      const call = nmsAsync(boxes, zeros([300_000]), 0.5, { signal: controller.signal })
      setTimeout(() => controller.abort(), 50)
      await expect(call).rejects.toMatchObject({ kind: 'Cancelled' })
    })
  })
})
