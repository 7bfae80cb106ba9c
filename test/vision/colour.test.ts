import { describe, expect, test } from 'vitest'
import { tensor, zeros } from '../../lib/tensor/creation'
import type { Tensor } from '../../lib/tensor/tensor'
import { hsvToRgb, labToRgb, rgbToGrey, rgbToHsv, rgbToLab, rgbToYcbcr, ycbcrToRgb } from '../../lib/vision'

/** One pixel as an image `[3, 1, 1]`. */
const pixel = (...rgb: number[]) => tensor(rgb, { dtype: 'float64', shape: [3, 1, 1] })
const valuesOf = (image: Tensor) => [...(image.dataSync() as Float64Array)]

function expectClose(image: Tensor, expected: readonly number[], digits = 6): void {
  const values = valuesOf(image)
  expect(values).toHaveLength(expected.length)
  for (const [i, value] of values.entries()) expect(value).toBeCloseTo(expected[i] as number, digits)
}

/** Colours on a 6 × 6 × 6 grid with some that are no multiple of it, `[3, 6, 37]`. */
function palette(): Tensor {
  const colours = Array.from({ length: 222 }, (_, i) =>
    i < 216 ? [i % 6, Math.floor(i / 6) % 6, Math.floor(i / 36)].map((level) => level / 5) : [0.013, i / 260, 0.777],
  )
  return tensor(colours, { dtype: 'float64' }).transpose(0, 1).contiguous().view([3, 6, 37])
}

describe('rgbToGrey', () => {
  test('weighs by Rec. 601', () => {
    expectClose(rgbToGrey(pixel(1, 0, 0)), [0.299])
    expectClose(rgbToGrey(pixel(0, 1, 0)), [0.587])
    expectClose(rgbToGrey(pixel(0, 0, 1)), [0.114])
  })

  test('rounds bytes and keeps grey ones', () => {
    const bytes = tensor(Uint8Array.from([10, 7, 20, 7, 30, 7]), { shape: [3, 1, 2] })
    const grey = rgbToGrey(bytes)
    expect([grey.dtype, grey.shape]).toEqual(['uint8', [1, 1, 2]])
    // 0.299·10 + 0.587·20 + 0.114·30 = 18.15
    expect([...grey.dataSync()]).toEqual([18, 7])
  })

  test('keeps the batch', () => {
    expect(rgbToGrey(zeros([2, 5, 3, 4, 6])).shape).toEqual([2, 5, 1, 4, 6])
  })
})

describe('HSV', () => {
  test.each([
    ['red', [1, 0, 0], [0, 1, 1]],
    ['yellow', [1, 1, 0], [1 / 6, 1, 1]],
    ['green', [0, 1, 0], [1 / 3, 1, 1]],
    ['cyan', [0, 1, 1], [1 / 2, 1, 1]],
    ['blue', [0, 0, 1], [2 / 3, 1, 1]],
    ['magenta', [1, 0, 1], [5 / 6, 1, 1]],
    ['black', [0, 0, 0], [0, 0, 0]],
    ['grey', [0.5, 0.5, 0.5], [0, 0, 0.5]],
    // range 0.4; green is largest: hue = (2 + (0.2 − 0.4)/0.4)/6 = 0.25; saturation 0.4/0.6
    ['olive green', [0.4, 0.6, 0.2], [0.25, 2 / 3, 0.6]],
    // red is largest, blue above green: hue = ((0.1 − 0.3)/0.8)/6 + 1
    ['crimson', [0.9, 0.1, 0.3], [1 - 0.25 / 6, 0.8 / 0.9, 0.9]],
  ])('%s', (_, rgb, hsv) => {
    expectClose(rgbToHsv(pixel(...rgb)), hsv)
    expectClose(hsvToRgb(pixel(...hsv)), rgb)
  })

  test('a round trip gives every colour back', () => {
    const image = palette()
    expectClose(hsvToRgb(rgbToHsv(image)), valuesOf(image), 10)
  })

  test('hue stays below 1 in float32, and is periodic', () => {
    const almostRed = tensor([1, 0.3, 0.3 + 3e-8], { shape: [3, 1, 1] })
    expect(Number(rgbToHsv(almostRed).at(0, 0, 0).item())).toBeLessThan(1)
    expectClose(hsvToRgb(pixel(-1 / 3, 1, 1)), [0, 0, 1])
  })
})

describe('YCbCr', () => {
  test.each([
    // Cb = 0.5 + (B − Y)/1.772, Cr = 0.5 + (R − Y)/1.402
    ['red', [1, 0, 0], [0.299, 0.5 - 0.299 / 1.772, 1]],
    ['green', [0, 1, 0], [0.587, 0.5 - 0.587 / 1.772, 0.5 - 0.587 / 1.402]],
    ['blue', [0, 0, 1], [0.114, 1, 0.5 - 0.114 / 1.402]],
    ['grey', [0.3, 0.3, 0.3], [0.3, 0.5, 0.5]],
  ])('%s', (_, rgb, ycbcr) => {
    expectClose(rgbToYcbcr(pixel(...rgb)), ycbcr)
    expectClose(ycbcrToRgb(pixel(...ycbcr)), rgb)
  })
})

describe('Lab', () => {
  test.each([
    // Published values of sRGB's primaries under D65 (two digits).
    ['white', [1, 1, 1], [100, 0, 0]],
    ['black', [0, 0, 0], [0, 0, 0]],
    ['red', [1, 0, 0], [53.24, 80.09, 67.2]],
    ['green', [0, 1, 0], [87.73, -86.18, 83.18]],
    ['blue', [0, 0, 1], [32.3, 79.19, -107.86]],
    // 0.5 is linear 0.21404; L* = 116·0.21404^(1/3) − 16
    ['mid grey', [0.5, 0.5, 0.5], [116 * 0.214041 ** (1 / 3) - 16, 0, 0]],
    // 0.01 is linear 0.01/12.92, below the cube root's range: L* = 903.296 Y
    ['near black', [0.01, 0.01, 0.01], [(24389 / 27) * (0.01 / 12.92), 0, 0]],
  ])('%s', (_, rgb, lab) => {
    for (const [i, value] of valuesOf(rgbToLab(pixel(...rgb))).entries()) {
      expect(Math.abs(value - (lab[i] as number))).toBeLessThan(0.01)
    }
  })

  test('a round trip gives every colour back', () => {
    const image = palette()
    // sRGB's two pieces meet only to 1e-7.
    expectClose(labToRgb(rgbToLab(image)), valuesOf(image), 6)
  })
})

test.each([rgbToGrey, rgbToHsv, hsvToRgb, rgbToYcbcr, ycbcrToRgb, rgbToLab, labToRgb])(
  '$name refuses other shapes and types by name',
  (convert) => {
    const named = (code: string) => expect.objectContaining({ code, message: expect.stringContaining(convert.name) })
    for (const shape of [
      [4, 5],
      [4, 5, 3],
      [1, 4, 4],
    ]) {
      expect(() => convert(zeros(shape))).toThrow(named('ERR_VISION_NATIVE_SHAPE'))
    }
    expect(() => convert(zeros([3, 4, 4], { dtype: 'int32' }))).toThrow(named('ERR_VISION_NATIVE_DTYPE'))
  },
)
