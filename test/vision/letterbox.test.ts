import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { tensor, tidy, zeros } from '../../lib/tensor'
import { letterbox, unletterboxBoxes } from '../../lib/vision'
import { hashTensor } from '../support/hash-weights'

interface Reference {
  readonly letterboxes: readonly {
    readonly height: number
    readonly width: number
    readonly options: { new_shape: number | [number, number]; stride?: number; scaleup?: boolean }
    readonly ratio: number
    readonly pad: readonly [number, number]
    readonly shape: readonly number[]
    readonly norm: number
    readonly middle: readonly number[]
  }[]
}

// Made by tools/reference/backbones/yolo.py with YOLOv5's own letterbox.
const { letterboxes } = JSON.parse(
  readFileSync(new URL('../fixtures/yolov5.json', import.meta.url), 'utf8'),
) as Reference

describe('letterbox', () => {
  for (const { height, width, options, ratio, pad, shape, norm, middle } of letterboxes) {
    test(`of ${height} × ${width} with ${JSON.stringify(options)} is YOLOv5's`, () => {
      tidy(() => {
        const { new_shape: size, stride, scaleup } = options
        const given = { size, fill: 0.25, ...(stride && { stride }), ...(scaleup === false && { scaleUp: false }) }
        const done = letterbox(hashTensor('image', [3, height, width], 0.5, 0.5), given)
        expect(done.scale).toBeCloseTo(ratio, 12)
        expect(done.padding).toEqual(pad)
        expect(done.size).toEqual([height, width])
        expect(done.image.shape).toEqual(shape)
        expect(done.image.to('float64').norm().toNumber()).toBeCloseTo(norm, 4)
        const line = done.image.narrow(1, Math.floor((shape[1] as number) / 2), 1).flatten()
        expect(
          line
            .sub(tensor([...middle]))
            .abs()
            .max()
            .toNumber(),
        ).toBeLessThan(1e-5)
      })
    })
  }

  test('keeps a batch a batch', () => {
    tidy(() => expect(letterbox(zeros([2, 3, 8, 4]), { size: 16 }).image.shape).toEqual([2, 3, 16, 16]))
  })

  test('names sizes and shapes that are wrong', () => {
    tidy(() => {
      expect(() => letterbox(zeros([3, 8, 4]), { size: 0 })).toThrow(/size is 0/)
      expect(() => letterbox(zeros([8, 4]))).toThrow(/\[C, H, W\] or \[N, C, H, W\]/)
    })
  })
})

test('unletterboxBoxes brings boxes back into the original, and cuts them off at its edge', () => {
  tidy(() => {
    // 20 × 40 into 80 × 80: twice as large, 20 pixels above and below.
    const done = letterbox(zeros([3, 20, 40]), { size: 80 })
    const boxes = unletterboxBoxes(
      tensor([
        [10, 30, 70, 50],
        [-8, 0, 90, 90],
      ]),
      done,
    )
    expect(boxes.toArray()).toEqual([
      [5, 5, 35, 15],
      [0, 0, 40, 20],
    ])
    expect(() => unletterboxBoxes(zeros([3, 5]), done)).toThrow(/last dimension must be 4/)
  })
})
