import { describe, expect, test } from 'vitest'
import { tensor, zeros } from '../../lib/tensor/creation'
import { flowToColour, middleburyWheel } from '../../lib/vision'

/** The colour of one vector. */
function colourOf(u: number, v: number, options: Parameters<typeof flowToColour>[1] = { maxLength: 1 }): number[] {
  return [...flowToColour(tensor([u, v], { shape: [2, 1, 1] }), options).dataSync()]
}

describe('middleburyWheel', () => {
  // Baker et al. 2011: RY 15, YG 6, GC 4, CB 11, BM 13, MR 6 hues; the primaries begin at 0, 15, 21, 25, 36, 49.
  test('has 55 hues with the primaries at their places', () => {
    const wheel = middleburyWheel()
    expect(wheel).toHaveLength(55)
    expect([0, 15, 21, 25, 36, 49].map((i) => wheel[i])).toEqual([
      [255, 0, 0],
      [255, 255, 0],
      [0, 255, 0],
      [0, 255, 255],
      [0, 0, 255],
      [255, 0, 255],
    ])
  })

  test('rounds the levels between them down', () => {
    const wheel = middleburyWheel()
    // 255·1/15 = 17; 255·2/6 = 85; 255·3/4 = 191.25; 255·2/11 = 46.36; 255·4/13 = 78.46; 255·5/6 = 212.5
    expect(wheel[1]).toEqual([255, 17, 0])
    expect(wheel[17]).toEqual([170, 255, 0])
    expect(wheel[24]).toEqual([0, 255, 191])
    expect(wheel[27]).toEqual([0, 209, 255])
    expect(wheel[40]).toEqual([78, 0, 255])
    expect(wheel[54]).toEqual([255, 0, 43])
  })
})

describe('flowToColour', () => {
  // Position on the wheel: (atan2(−v, −u)/π + 1)/2 · 54.
  test.each([
    ['right: position 0', 1, 0, [255, 0, 0]],
    ['left: position 27', -1, 0, [0, 209, 255]],
    ['down: 13.5, between (255, 221, 0) and (255, 238, 0)', 0, 1, [255, 229, 0]],
    ['up: 40.5, between (78, 0, 255) and (98, 0, 255)', 0, -1, [88, 0, 255]],
    // 6.75: 0.25·(255, 102, 0) + 0.75·(255, 119, 0) = 114.75
    ['down right: 6.75', Math.SQRT1_2, Math.SQRT1_2, [255, 114, 0]],
    // 20.25: 0.75·(255 − 212, 255, 0) + 0.25·(0, 255, 0) = 32.25
    ['down left: 20.25', -Math.SQRT1_2, Math.SQRT1_2, [32, 255, 0]],
  ])('%s', (_, u, v, colour) => {
    // A hair inside the circle: √½ has no exact square.
    expect(colourOf(u * (1 - 1e-7), v * (1 - 1e-7))).toEqual(colour)
  })

  test('zero is white', () => {
    expect(colourOf(0, 0)).toEqual([255, 255, 255])
    expect(colourOf(0, 0, {})).toEqual([255, 255, 255])
    expect(colourOf(-0, -0, {})).toEqual([255, 255, 255])
  })

  test('a shorter vector is paler: 255 − r·(255 − hue), rounded down', () => {
    // Left at half length: 255 − 0.5·255 = 127.5, 255 − 0.5·46 = 232, 255
    expect(colourOf(-0.5, 0)).toEqual([127, 232, 255])
    // In units of maxLength: the same at 4 of 8 pixels.
    expect(colourOf(-4, 0, { maxLength: 8 })).toEqual([127, 232, 255])
  })

  test('a vector beyond maxLength is its hue at three quarters', () => {
    // 0.75·(0, 209, 255) = (0, 156.75, 191.25)
    expect(colourOf(-1.01, 0)).toEqual([0, 156, 191])
    expect(colourOf(-500, 0)).toEqual([0, 156, 191])
  })

  test('the longest known vector sets the range unless maxLength is given', () => {
    const flow = tensor([[[2, 4, -1000]], [[0, 0, 0]]])
    const valid = tensor([[true, true, false]])
    // 2 of 4 px to the right: 255 − 0.5·255 = 127.5; the unknown −1000 is black.
    expect(flowToColour(flow, { valid }).toArray()).toEqual([[[255, 255, 0]], [[127, 0, 0]], [[127, 0, 0]]])
  })

  test('unknown vectors are black, with a mask or without', () => {
    const { NaN: nan, POSITIVE_INFINITY: infinity } = Number
    const flow = tensor([[[1, nan, 0, 1e10, infinity, -infinity]], [[0, 0, nan, 0, 0, infinity]]])
    expect(flowToColour(flow).toArray()).toEqual([[[255, 0, 0, 0, 0, 0]], [[0, 0, 0, 0, 0, 0]], [[0, 0, 0, 0, 0, 0]]])
    const valid = tensor([[false, false, false, false, false, false]])
    expect(flowToColour(flow, { valid }).amax().item()).toBe(0)
  })

  test('keeps the places of the pixels', () => {
    const flow = tensor([
      [
        [0, 0, 1],
        [0, 0, 0],
      ],
      [
        [0, 0, 0],
        [0, 0, 0],
      ],
    ])
    const colours = flowToColour(flow)
    expect([colours.dtype, colours.shape]).toEqual(['uint8', [3, 2, 3]])
    expect(colours.at(1).toArray()).toEqual([
      [255, 255, 0],
      [255, 255, 255],
    ])
  })

  test('opposite vectors far apart on the wheel, neighbours close together', () => {
    const ring = Array.from({ length: 720 }, (_, i) => (i * Math.PI) / 360)
    const flow = tensor([[ring.map(Math.cos)], [ring.map(Math.sin)]])
    const [red, green, blue] = flowToColour(flow, { maxLength: 1.001 }).toArray() as number[][][]
    const at = (i: number) => [red, green, blue].map((plane) => plane?.[0]?.[i % 720] as number)
    const apart = (i: number, j: number) => Math.max(...at(i).map((value, c) => Math.abs(value - (at(j)[c] as number))))
    // The steepest transition takes 4 of 54 steps: 255 levels in 53.3 half degrees.
    for (let i = 0; i < 719; i++) expect(apart(i, i + 1)).toBeLessThanOrEqual(6)
    for (let i = 0; i < 720; i++) expect(apart(i, i + 360)).toBeGreaterThan(150)
    // The published rule has a seam at "right": the wheel's last hue, (255, 0, 43), meets its first.
    expect(apart(719, 720)).toBeGreaterThan(40)
    expect(apart(719, 720)).toBeLessThanOrEqual(49)
  })

  test('bad input is refused by name', () => {
    const shape = expect.objectContaining({ code: 'ERR_VISION_NATIVE_SHAPE' })
    const dtype = expect.objectContaining({ code: 'ERR_VISION_NATIVE_DTYPE' })
    expect(() => flowToColour(zeros([3, 4, 4]))).toThrow(shape)
    expect(() => flowToColour(zeros([1, 2, 4, 4]))).toThrow(shape)
    expect(() => flowToColour(zeros([2, 4, 0]))).toThrow(shape)
    expect(() => flowToColour(zeros([2, 4, 4], { dtype: 'int32' }))).toThrow(dtype)
    expect(() => flowToColour(zeros([2, 4, 4]), { valid: zeros([4, 5], { dtype: 'bool' }) })).toThrow(shape)
    expect(() => flowToColour(zeros([2, 4, 4]), { valid: zeros([4, 4]) })).toThrow(dtype)
    for (const maxLength of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => flowToColour(zeros([2, 4, 4]), { maxLength })).toThrow(
        expect.objectContaining({
          code: 'ERR_VISION_NATIVE_ARGUMENT',
          message: expect.stringContaining(`${maxLength}`),
        }),
      )
    }
  })
})
