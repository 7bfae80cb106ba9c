import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { type BoxFormat, boundingBoxes, type CanvasSize, keyPoints, mask, video } from '../../../lib/data/transforms'
import { readSafetensors } from '../../../lib/io/safetensors'
import type { Tensor } from '../../../lib/tensor'

export const CANVAS: CanvasSize = [13, 17]

export type Fixture = ReadonlyMap<string, Tensor>

/** What tools/reference/transforms.py wrote. */
export async function readFixture(name: 'functional' | 'seeded'): Promise<Fixture> {
  return readSafetensors(fileURLToPath(new URL(`../../fixtures/transforms/${name}.safetensors`, import.meta.url)))
}

export function entry(fixture: Fixture, name: string): Tensor {
  const tensor = fixture.get(name)
  if (tensor === undefined) throw new Error(`the fixture has no '${name}'; add it to tools/reference/transforms.py`)
  return tensor
}

const BOXES: Readonly<Record<string, BoxFormat>> = { whole: 'xyxy', wholeCentres: 'cxcywh' }

/** An input of the functional fixture, marked as it was in Python. */
export function input(fixture: Fixture, name: string): Tensor {
  const tensor = entry(fixture, `input|${name}`)
  if (name === 'mask' || name === 'masks') return mask(tensor)
  if (name === 'clip') return video(tensor)
  if (name === 'points' || name === 'wholePoints' || name === 'far') return keyPoints(tensor, { canvasSize: CANVAS })
  const format = BOXES[name] ?? (['xyxy', 'xywh', 'cxcywh'] as const).find((each) => name.split(' ').at(-1) === each)
  return format ? boundingBoxes(tensor, { format, canvasSize: CANVAS }) : tensor
}

/** One step of float16 below 1. */
const HALF_STEP = 2 ** -11

/**
 * Equal in shape, dtype and values: for integers exactly unless `steps` are allowed, otherwise to 1e-5 of the larger of 1
 * and the value.
 */
export function expectAs(actual: Tensor, expected: Tensor, steps = 0): void {
  const tolerance = actual.dtype === 'float16' ? HALF_STEP : 1e-5
  expect(actual.dtype).toBe(expected.dtype)
  expect(actual.shape).toEqual(expected.shape)
  const [ours, theirs] = [actual, expected].map((t) => Array.from(t.to('float64').dataSync(), Number))
  const exact = !actual.isFloatingPoint()
  let worst = 0
  theirs?.forEach((value, i) => {
    const scale = exact ? 1 : Math.max(1, Math.abs(value))
    worst = Math.max(worst, Math.abs(value - (ours?.[i] ?? Number.NaN)) / scale)
  })
  expect(worst).toBeLessThanOrEqual(exact ? steps : tolerance)
}
