// Corners and tracked points against OpenCV (tools/reference/tracking.py).
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { CancelledError, ShapeError } from '../../lib/native/errors'
import { type Tensor, tensor, tidy, tidyAsync, zeros } from '../../lib/tensor'
import {
  findHomography,
  harrisCorners,
  harrisResponse,
  projectPoints,
  trackingPyramid,
  trackPoints,
} from '../../lib/vision'
import { liveTensors } from '../support/live-tensors'

const reference = JSON.parse(readFileSync(new URL('../fixtures/vision/tracking.json', import.meta.url), 'utf8'))
const [height, width] = reference.size as [number, number]
const picture = (text: string): Tensor =>
  tensor(new Uint8Array(Buffer.from(text, 'base64')), { shape: [height, width] })
const rows = (points: Tensor): number[][] => {
  const values = points.dataSync() as Float32Array
  return Array.from({ length: values.length / 2 }, (_, i) => [values[2 * i] as number, values[2 * i + 1] as number])
}
const CARD = { windowSize: 19, maxLevel: 3, maxIterations: 20, epsilon: 0.03, minEigenvalue: 0.001 }

describe('harrisCorners', () => {
  const options = { blockSize: 11, k: 0.04 }

  test('the response is that of cornerHarris', () =>
    tidy(() => {
      const response = harrisResponse(picture(reference.first), options).dataSync() as Float32Array
      const largest = response.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
      reference.response.rows.forEach((y: number, i: number) => {
        reference.response.values[i].forEach((value: number, j: number) => {
          expect(Math.abs((response[y * width + 16 * j] as number) - value)).toBeLessThan(1e-4 * largest)
        })
      })
    }))

  test('the corners are those of goodFeaturesToTrack, the strongest first', () =>
    tidy(() => {
      expect(rows(harrisCorners(picture(reference.first), options))).toEqual(reference.corners)
      const few = harrisCorners(picture(reference.first), { blockSize: 3, maxCorners: 10, minDistance: 12 })
      expect(rows(few)).toEqual(reference.strongest)
    }))

  test('a flat picture has none', () =>
    tidy(() => expect(harrisCorners(zeros([20, 30]), options).shape).toEqual([0, 2])))

  test('a picture within one block is refused', () => {
    expect(() => harrisCorners(zeros([11, 40]), options)).toThrow(ShapeError)
  })
})

describe('trackPoints', () => {
  const track = (points: readonly (readonly number[])[], options: object) =>
    tidyAsync(async () => {
      const { points: ends, found } = await trackPoints(
        picture(reference.first),
        picture(reference.second),
        tensor(points.flat(), { shape: [points.length, 2] }),
        options,
      )
      return { ends: rows(ends), found: Array.from(found.dataSync() as Uint8Array) }
    })

  test('points go where calcOpticalFlowPyrLK takes them', async () => {
    const { ends, found } = await track(reference.corners, CARD)
    expect(found).toEqual(reference.found)
    const errors = ends.map(([x = 0, y = 0], i) =>
      found[i] ? Math.hypot(x - reference.tracked[i][0], y - reference.tracked[i][1]) : 0,
    )
    // OpenCV computes in fixed point of 1/32 grey levels, and stops within 0.03 px.
    expect(Math.max(...errors)).toBeLessThan(0.02)
  })

  test('at one level, with a high threshold, the same points are lost', async () => {
    const options = { windowSize: 9, maxLevel: 0, minEigenvalue: 0.03 }
    const { found } = await track(reference.corners, options)
    expect(found).toEqual(reference.oneLevel.found)
  })

  test('tracked corners give the homography that the picture was warped by', () =>
    tidyAsync(async () => {
      const corners = tensor(reference.corners) as Tensor
      const { ends, found } = await track(reference.corners, CARD)
      const kept = found.flatMap((is, i) => (is ? [i] : []))
      const from = tensor(kept.map((i) => reference.corners[i]))
      const { matrix } = findHomography(from, tensor(kept.map((i) => ends[i] as number[])), { threshold: 0.5 })
      const edges = tensor([
        [0, 0],
        [width - 1, 0],
        [0, height - 1],
        [width - 1, height - 1],
      ]).to('float64')
      const wrong = projectPoints(edges, matrix)
        .sub(projectPoints(edges, tensor(reference.matrix).to('float64')))
        .abs()
      expect(wrong.max().item()).toBeLessThan(0.5)
      expect(corners.shape[1]).toBe(2)
    }))

  test('a flat picture loses its points; equal pictures keep them in place', () =>
    tidyAsync(async () => {
      const flat = await trackPoints(zeros([40, 40]), zeros([40, 40]), tensor([[20, 20]]))
      expect(Array.from(flat.found.dataSync() as Uint8Array)).toEqual([0])
      const pyramid = trackingPyramid(picture(reference.first))
      const still = await trackPoints(pyramid, pyramid, tensor([[40.25, 30.5]]))
      expect(rows(still.points)).toEqual([[40.25, 30.5]])
    }))

  test('sizes must agree, an aborted signal ends it, and nothing is left behind', async () => {
    const before = await liveTensors()
    await expect(tidyAsync(() => trackPoints(zeros([40, 40]), zeros([40, 41]), zeros([1, 2])))).rejects.toThrow(
      ShapeError,
    )
    const signal = AbortSignal.abort()
    await expect(
      tidyAsync(() => trackPoints(zeros([40, 40]), zeros([40, 40]), zeros([200, 2]), { signal })),
    ).rejects.toThrow(CancelledError)
    expect(await liveTensors()).toBe(before)
  })
})
