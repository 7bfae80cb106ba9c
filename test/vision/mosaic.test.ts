// Against numpy loops and OpenCV; tools/reference/mosaic.py wrote the numbers.
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { full, Generator, ones, type Tensor, tensor, tidy, zeros } from '../../lib/tensor'
import {
  boxCandidates,
  cropLabelled,
  drawWarp,
  flipLabelled,
  hsvJitter,
  type LabelledImage,
  mixupLabelled,
  mosaic,
  mosaic9,
  randomFlipLabelled,
  randomWarp,
  scaleHsv,
  warpLabelled,
} from '../../lib/vision'
import { liveTensors } from '../support/live-tensors'

const REFERENCE = JSON.parse(readFileSync(new URL('../fixtures/vision/mosaic.json', import.meta.url), 'utf8'))
const SIZE = 16
const boxesOf = (values: number[][]) => tensor(values.flat(), { shape: [values.length, 4] })
const largest = (a: Tensor, b: Tensor) => a.sub(b).abs().max().toNumber()
const numbers = (t: Tensor) => Array.from(t.to('float64').reshape([-1]).dataSync(), Number)
const scoped = (name: string, fn: () => void) => test(name, () => tidy(fn))
const pictures = (): LabelledImage[] =>
  REFERENCE.pictures.map(({ image, boxes }: { image: number[][]; boxes: number[][] }, i: number) => ({
    image: tensor(image).unsqueeze(0),
    boxes: boxesOf(boxes),
    labels: tensor([2 * i, 2 * i + 1], { dtype: 'int64' }),
  }))

let before = 0
beforeEach(async () => {
  before = await liveTensors()
})
afterEach(async () => expect(await liveTensors()).toBe(before))

describe('mosaics', () => {
  scoped('of four and of nine are those of loops over pixels', () => {
    for (const [make, count, cases] of [
      [mosaic, 4, REFERENCE.four],
      [mosaic9, 9, REFERENCE.nine],
    ] as const) {
      for (const { center, image, boxes } of cases) {
        const made = make(pictures().slice(0, count), { size: SIZE, center })
        expect(made.image.shape).toEqual([1, 2 * SIZE, 2 * SIZE])
        expect(largest(made.image.squeeze(0), tensor(image))).toBeLessThan(1e-4)
        expect(largest(made.boxes, boxesOf(boxes))).toBeLessThan(1e-4)
        expect(numbers(made.labels)).toEqual(Array.from({ length: 2 * count }, (_, i) => i))
      }
    }
  })

  scoped('are equal for equal seeds, and draw their middle between a quarter and three quarters', () => {
    const make = (seed: number) => {
      using generator = new Generator(seed)
      return mosaic(pictures().slice(0, 4), { size: SIZE, generator })
    }
    expect(make(1).image.equal(make(1).image)).toBe(true)
    expect(make(1).image.equal(make(2).image)).toBe(false)
  })

  scoped('fit larger pictures with their boxes', () => {
    const large = {
      image: ones([3, 40, 20]),
      boxes: boxesOf([[0, 10, 20, 40]]),
      labels: zeros([1], { dtype: 'int64' }),
    }
    const made = mosaic([large, large, large, large], { size: SIZE, center: [16, 16], fill: 0 })
    // 40 × 20 becomes 16 × 8: four of them around the middle.
    expect(numbers(made.boxes.at(0))).toEqual([8, 4, 16, 16])
    expect(made.image.sum().toNumber()).toBeCloseTo(3 * 4 * 16 * 8, 3)
  })
})

describe('windows', () => {
  scoped('cut boxes at their edges, and drop those of which a tenth is left', () => {
    const boxes = [
      [0, 5, 20, 15],
      [0, 5, 10.9, 15],
      [38, 5, 60, 15],
    ]
    const picture = { image: zeros([3, 30, 60]), boxes: boxesOf(boxes), labels: tensor([7, 8, 9], { dtype: 'int64' }) }
    const made = cropLabelled(picture, { top: 0, left: 10, height: 30, width: 30 })
    expect(made.image.shape).toEqual([3, 30, 30])
    // 0.9 of 10.9 pixels are too few, and so are 2 of 22.
    expect(made.boxes.toArray()).toEqual([[0, 5, 10, 15]])
    expect(numbers(made.labels)).toEqual([7])
  })
})

test('a mosaic and a warp keep boxes on what they are around', () => {
  for (let seed = 0; seed < 20; seed++) {
    tidy(() => {
      using generator = new Generator(seed)
      const four = [0, 1, 2, 3].map((label) => {
        const image = full([3, 40, 48], 0.2)
        image.narrow(1, 10, 12).narrow(2, 20, 10).fill_(1)
        return { image, boxes: boxesOf([[20, 10, 30, 22]]), labels: tensor([label], { dtype: 'int64' }) }
      })
      const { image, boxes } = randomWarp(mosaic(four, { size: 48, generator }), {
        ...{ scale: 0.3, translate: 0.1, border: -24, generator },
      })
      expect(image.shape).toEqual([3, 48, 48])
      const rest = image.clone()
      for (const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] of boxes.toArray() as number[][]) {
        const [left, top] = [Math.ceil(x1 + 1), Math.ceil(y1 + 1)]
        const [wide, high] = [Math.floor(x2 - 1) - left, Math.floor(y2 - 1) - top]
        if (wide < 1 || high < 1) continue
        expect(image.narrow(1, top, high).narrow(2, left, wide).min().toNumber()).toBeGreaterThan(0.99)
        const [from, above] = [Math.max(0, left - 2), Math.max(0, top - 2)]
        rest
          .narrow(1, above, Math.min(48, top + high + 2) - above)
          .narrow(2, from, Math.min(48, left + wide + 2) - from)
          .fill_(0)
      }
      // All that is bright is in a box, but for slivers that were dropped.
      expect(rest.gt(0.9).sum().toNumber()).toBeLessThan(3 * 2 * 48)
    })
  }
})

describe('warps', () => {
  scoped('move pictures and boxes as OpenCV and the rules of YOLOv5', () => {
    const made = mosaic(pictures().slice(0, 4), { size: SIZE, center: [13, 20] })
    for (const { matrix, scale, size, kept, boxes, image } of REFERENCE.warps) {
      const warped = warpLabelled(made, { matrix, scale, size })
      expect(numbers(warped.labels)).toEqual(kept)
      expect(largest(warped.boxes, boxesOf(boxes))).toBeLessThan(1e-3)
      // OpenCV rounds places to 1/32 of a pixel.
      const difference = warped.image.squeeze(0).sub(tensor(image)).abs()
      expect(difference.mean().toNumber()).toBeLessThan(0.01)
      expect(difference.max().toNumber()).toBeLessThan(0.07)
    }
  })

  scoped('drawn at random stay within their bounds and go back to the size before the mosaic', () => {
    using generator = new Generator(0)
    for (let i = 0; i < 20; i++) {
      const { matrix, scale, size } = drawWarp([32, 32], { border: -8, scale: 0.5, translate: 0.1, generator })
      expect(size).toEqual([16, 16])
      expect(scale).toBeGreaterThanOrEqual(0.5)
      expect(scale).toBeLessThanOrEqual(1.5)
      // The middle of the picture lies within a tenth of the middle of the result.
      const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = matrix
      expect(Math.abs(16 * a + 16 * b + c - 8)).toBeLessThanOrEqual(1.6 + 1e-9)
      expect(Math.abs(16 * d + 16 * e + f - 8)).toBeLessThanOrEqual(1.6 + 1e-9)
    }
    const turned = drawWarp([10, 10], { degrees: 30, shear: 10, perspective: 0.001, generator })
    expect(turned.matrix[6]).not.toBe(0)
    const none = drawWarp([10, 20], { scale: 0, translate: 0 })
    expect(none.matrix).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1])
    const [first] = pictures() as [LabelledImage]
    expect(largest(randomWarp(first, { scale: 0, translate: 0 }).image, first.image)).toBeLessThan(1e-6)
    const empty = { ...first, boxes: zeros([0, 4]), labels: zeros([0]) }
    expect(randomWarp(empty).boxes.shape).toEqual([0, 4])
  })

  scoped('leave out boxes that are too small, cut off or too long', () => {
    const whole = boxesOf([
      [0, 0, 10, 10],
      [0, 0, 10, 10],
      [0, 0, 10, 10],
      [0, 0, 400, 3],
      [0, 0, 3, 2],
    ])
    const after = boxesOf([
      [0, 0, 5, 5],
      [0, 0, 3, 3],
      [0, 0, 10, 2],
      [0, 0, 400, 3],
      [0, 0, 3, 2],
    ])
    const kept = boxCandidates(whole, after)
    expect(numbers(kept.to('int64'))).toEqual([1, 0, 0, 0, 0])
    expect(numbers(boxCandidates(whole, after, { minArea: 0.05, minSize: 1, maxAspect: 200 }).to('int64'))).toEqual([
      1, 1, 1, 1, 1,
    ])
  })
})

describe('colours, mirrors and mixtures', () => {
  scoped('change as OpenCV', () => {
    const { image, factors, result } = REFERENCE.colours
    expect(largest(scaleHsv(tensor(image), factors), tensor(result))).toBeLessThan(1e-5)
    using generator = new Generator(2)
    const plain = tensor(image)
    expect(largest(hsvJitter(plain, { hue: 0, saturation: 0, value: 0, generator }), plain)).toBeLessThan(1e-6)
    expect(largest(hsvJitter(plain, { generator }), plain)).toBeGreaterThan(1e-3)
  })

  scoped('mirror boxes with the picture', () => {
    const image = zeros([1, 3, 10])
    image.narrow(2, 1, 3).fill_(1)
    const flipped = flipLabelled({ image, boxes: boxesOf([[1, 0, 4, 2]]), labels: ones([1]) })
    expect(numbers(flipped.boxes)).toEqual([6, 0, 9, 2])
    expect(numbers(flipped.image.at(0, 0))).toEqual([0, 0, 0, 0, 0, 0, 1, 1, 1, 0])
    const picture = { image, boxes: boxesOf([[1, 0, 4, 2]]), labels: ones([1]) }
    expect(randomFlipLabelled(picture, { p: 0 })).toBe(picture)
    expect(numbers(randomFlipLabelled(picture, { p: 1 }).boxes)).toEqual([6, 0, 9, 2])
  })

  scoped('blend two pictures and keep the boxes of both', () => {
    const one = (value: number) => ({
      image: ones([1, 2, 2]).mul(value),
      boxes: boxesOf([[0, 0, value, 1]]),
      labels: ones([1]).mul(value),
    })
    const mixed = mixupLabelled(one(1), one(2), { share: 0.25 })
    expect(numbers(mixed.image)).toEqual([1.75, 1.75, 1.75, 1.75])
    expect(numbers(mixed.boxes)).toEqual([0, 0, 1, 1, 0, 0, 2, 1])
    expect(numbers(mixed.labels)).toEqual([1, 2])
    using generator = new Generator(1)
    const drawn = mixupLabelled(one(0), one(1), { generator }).image.at(0, 0, 0).toNumber()
    // Beta(32, 32) has a deviation of 0.062.
    expect(Math.abs(drawn - 0.5)).toBeLessThan(0.35)
  })
})

describe('bad input is named', () => {
  const picture = () => ({ image: ones([1, 4, 4]), boxes: zeros([0, 4]), labels: zeros([0]) })
  test.each([
    [/mosaic: there are 3 pictures; it is made of 4/, () => mosaic([picture(), picture(), picture()])],
    [/mosaic: size is 7; it must be an even number/, () => mosaic([0, 1, 2, 3].map(picture), { size: 7 })],
    [/boxes \[0,4\], labels \[3\]/, () => flipLabelled({ ...picture(), labels: zeros([3]) })],
    [/scale 1, border 0/, () => drawWarp([4, 4], { scale: 1 })],
    [/degrees is -1/, () => drawWarp([4, 4], { degrees: -1 })],
    [/\[1,4,4\] and \[1,4,5\]/, () => mixupLabelled(picture(), { ...picture(), image: ones([1, 4, 5]) })],
    [/hue is 2/, () => hsvJitter(ones([3, 2, 2]), { hue: 2 })],
  ])('%s', (message, fn) => {
    tidy(() => expect(fn).toThrow(message))
  })
})
