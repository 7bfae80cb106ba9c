import { expect, test } from 'vitest'
import { type Tensor, tidy, zeros } from '../../lib/tensor'
import { drawLabels, volumePicture } from '../../lib/vision'

const numbers = (x: Tensor) => [...(x.to('float64').flatten().dataSync() as Float64Array)]

test('pictures show objects in colours, with outlines, and leave the rest', () => {
  tidy(() => {
    const grey = zeros([5, 6], { dtype: 'uint8' }).add(100)
    const labels = zeros([5, 6], { dtype: 'int32' })
    labels.narrow(0, 1, 3).narrow(1, 1, 3).fill_(2)
    const drawn = drawLabels(grey, labels, { alpha: 0.5 })
    const pixel = (y: number, x: number) => numbers(drawn.select(1, y).select(1, x))
    expect(pixel(0, 0)).toEqual([100, 100, 100])
    const outline = pixel(1, 1)
    expect(pixel(2, 2)).toEqual(outline.map((value) => Math.round(100 + 0.5 * (value - 100))))
    expect(pixel(3, 3)).toEqual(outline)
    const sheet = volumePicture(zeros([9, 5, 6], { dtype: 'uint8' }), zeros([9, 5, 6], { dtype: 'int32' }), {
      slices: 4,
      columns: 3,
    })
    expect(sheet.shape).toEqual([3, 12, 22])
    expect(() => drawLabels(grey, labels.narrow(0, 0, 4))).toThrow(/labels are \[H, W\] with the image's \[5, 6\]/)
    expect(() => volumePicture(grey, labels)).toThrow(/are \[D, H, W\] of one size/)
  })
})
