import { describe, expect, test } from 'vitest'
import { full, tensor, zeros } from '../../lib/tensor/creation'
import { cat } from '../../lib/tensor/ops.generated'
import type { Tensor } from '../../lib/tensor/tensor'
import { drawFlowArrows } from '../../lib/vision'

const grey = (height: number, width: number) => full([3, height, width], 100, { dtype: 'uint8' })
const uniform = (u: number, v: number, height: number, width: number) =>
  cat([full([1, height, width], u), full([1, height, width], v)])

/** Where a picture differs from the grey ground: bounds `[left, top, right, bottom]`, the last two excluded. */
function changed(picture: Tensor): number[] {
  const [, height = 0, width = 0] = picture.shape
  const values = picture.dataSync() as Uint8Array
  const pixels = Array.from({ length: height * width }, (_, i) => i).filter((i) =>
    [0, 1, 2].some((c) => values[c * height * width + i] !== 100),
  )
  const [xs, ys] = [pixels.map((i) => i % width), pixels.map((i) => Math.floor(i / width))]
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs) + 1, Math.max(...ys) + 1]
}

describe('drawFlowArrows', () => {
  test.each([
    ['right', 10, 0],
    ['left', -10, 0],
    ['down', 0, 10],
    ['up', 0, -10],
  ])('an arrow %s goes from the centre of its cell to the tip', async (_, u, v) => {
    // One cell of 40 px, tail at (20, 20), 10 px · 1.5 = 15 px long; outline and smoothing take 2 px more.
    const picture = await drawFlowArrows(grey(40, 40), uniform(u, v, 40, 40), { step: 40, scale: 1.5 })
    expect([picture.dtype, picture.shape]).toEqual(['uint8', [3, 40, 40]])
    const [left = 0, top = 0, right = 0, bottom = 0] = changed(picture)
    const tip = [20 + 1.5 * u, 20 + 1.5 * v] as const
    const near = (edge: number, place: number) => expect(Math.abs(edge - place)).toBeLessThanOrEqual(2)
    if (u !== 0) {
      near(left, Math.min(20, tip[0]))
      near(right, Math.max(20, tip[0]))
      near((top + bottom) / 2, 20)
    } else {
      near(top, Math.min(20, tip[1]))
      near(bottom, Math.max(20, tip[1]))
      near((left + right) / 2, 20)
    }
    // The head is at the tip: it is wider than the tail.
    const width = (place: number) => {
      const line = u !== 0 ? picture.at(0, null, place) : picture.at(0, place)
      return Number(line.ne(100).sum().item())
    }
    const along = (share: number) => Math.round(20 + share * 1.5 * (u || v))
    expect(width(along(0.62))).toBeGreaterThanOrEqual(width(along(0.2)) + 3)
  })

  test('is filled with the colour and outlined dark', async () => {
    const picture = await drawFlowArrows(grey(60, 60), uniform(20, 0, 60, 60), { step: 60, scale: 1, colour: '#08f' })
    // Within the head: 6 px behind the tip at (50, 30).
    expect([0, 1, 2].map((c) => picture.at(c, 30, 43).item())).toEqual([0, 136, 255])
    expect(Number(picture.amin().item())).toBeLessThan(40)
  })

  test('without a scale, uniform motion is a step long', async () => {
    const picture = await drawFlowArrows(grey(30, 90), uniform(0.01, 0, 30, 90), { step: 30 })
    // The last tail is at 75; the tip is 30 px on, past the right edge; the first begins at 15.
    const [left = 0, , right] = changed(picture)
    expect(left).toBeGreaterThanOrEqual(13)
    expect(right).toBe(90)
  })

  test('no motion is a dot', async () => {
    const [left = 0, top = 0, right = 0, bottom = 0] = changed(await drawFlowArrows(grey(20, 20), zeros([2, 20, 20])))
    expect(right - left).toBeLessThanOrEqual(6)
    expect(bottom - top).toBeLessThanOrEqual(6)
    expect([left + right, top + bottom]).toEqual([20, 20])
  })

  test('unknown flow is not drawn', async () => {
    const flow = uniform(5, 0, 20, 40)
    const left = tensor([[...Array(20).fill(false), ...Array(20).fill(true)]]).expand([20, 40])
    const [start = 0] = changed(await drawFlowArrows(grey(20, 40), flow, { valid: left, scale: 1 }))
    expect(start).toBeGreaterThan(20)
    const nothing = full([20, 40], false)
    const untouched = await drawFlowArrows(grey(20, 40), flow, { valid: nothing })
    expect([untouched.amin().item(), untouched.amax().item()]).toEqual([100, 100])
    const nan = await drawFlowArrows(grey(20, 40), uniform(Number.NaN, 0, 20, 40))
    expect([nan.amin().item(), nan.amax().item()]).toEqual([100, 100])
  })

  test('takes grey and floating-point images, and leaves them as they are', async () => {
    const image = full([20, 20], 0.4)
    const picture = await drawFlowArrows(image, zeros([2, 20, 20]))
    expect(picture.at(null, 0, 0).toArray()).toEqual([102, 102, 102])
    expect(Number(image.amax().item())).toBeCloseTo(0.4)
    expect((await drawFlowArrows(full([1, 20, 20], 0.4), zeros([2, 20, 20]))).shape).toEqual([3, 20, 20])
  })

  test('bad input is refused by name', async () => {
    const shape = { code: 'ERR_VISION_NATIVE_SHAPE' }
    const argument = { code: 'ERR_VISION_NATIVE_ARGUMENT' }
    const flow = zeros([2, 20, 20])
    await expect(drawFlowArrows(grey(20, 21), flow)).rejects.toMatchObject(shape)
    await expect(drawFlowArrows(zeros([4, 20, 20]), flow)).rejects.toMatchObject(shape)
    await expect(drawFlowArrows(grey(20, 20), zeros([20, 20]))).rejects.toMatchObject(shape)
    await expect(drawFlowArrows(zeros([3, 20, 20], { dtype: 'int64' }), flow)).rejects.toMatchObject({
      code: 'ERR_VISION_NATIVE_DTYPE',
    })
    for (const options of [
      { step: 3 },
      { step: 7.5 },
      { scale: 0 },
      { scale: Number.NaN },
      { colour: 'red"/><script>' },
    ]) {
      await expect(drawFlowArrows(grey(20, 20), flow, options)).rejects.toMatchObject(argument)
    }
  })
})
