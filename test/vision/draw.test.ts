import { describe, expect, test } from 'vitest'
import { full, type Tensor, tensor, tidyAsync, zeros } from '../../lib/tensor'
import { drawBoundingBoxes, drawKeypoints, drawSegmentationMasks } from '../../lib/vision'

const grey = (height = 20, width = 30) => full([3, height, width], 100, { dtype: 'uint8' })
const pixel = (image: Tensor, x: number, y: number) => image.at(null, y, x).toArray()

describe('drawBoundingBoxes', () => {
  test('draws lines of the width and colour around boxes, and leaves the rest', async () => {
    await tidyAsync(async () => {
      const drawn = await drawBoundingBoxes(grey(), tensor([[5, 4, 15, 14]], { dtype: 'float32' }), {
        colours: '#ff0000',
      })
      expect([drawn.dtype, ...drawn.shape]).toEqual(['uint8', 3, 20, 30])
      // A line of two pixels lies one to each side of the box's edge.
      for (const [x, y] of [
        [4, 9],
        [5, 9],
        [14, 9],
        [15, 9],
        [9, 3],
        [9, 4],
        [9, 13],
        [9, 14],
      ] as const) {
        expect(pixel(drawn, x, y)).toEqual([255, 0, 0])
      }
      for (const [x, y] of [
        [3, 9],
        [6, 9],
        [9, 9],
        [16, 9],
        [9, 2],
        [9, 15],
      ] as const) {
        expect(pixel(drawn, x, y)).toEqual([100, 100, 100])
      }
    })
  })

  test('fills boxes half, and writes labels on their colour', async () => {
    await tidyAsync(async () => {
      const boxes = tensor([[20, 30, 70, 60]], { dtype: 'float32' })
      const drawn = await drawBoundingBoxes(grey(80, 100), boxes, { colours: '#00ff00', fill: true, labels: ['a<b&c'] })
      expect(pixel(drawn, 50, 50)).toEqual([50, 178, 50])
      // The label's bar is above the box: 18 pixels, of the colour but for its letters.
      const bar = drawn.narrow(1, 12, 17).narrow(2, 21, 40)
      expect(pixel(drawn, 21, 13)).toEqual([0, 255, 0])
      expect(bar.at(0).max().toNumber()).toBeLessThan(60)
      expect(bar.at(1).min().toNumber()).toBeLessThan(120)
    })
  })

  test('takes grey images in 0–1', async () => {
    await tidyAsync(async () => {
      const drawn = await drawBoundingBoxes(full([8, 9], 0.5, { dtype: 'float32' }), zeros([0, 4]))
      expect([...drawn.shape]).toEqual([3, 8, 9])
      expect(pixel(drawn, 3, 3)).toEqual([128, 128, 128])
    })
  })

  test('refuses what does not fit', async () => {
    const one = tensor([[1, 1, 4, 4]], { dtype: 'float32' })
    await expect(drawBoundingBoxes(grey(), tensor([1, 2, 3, 4]))).rejects.toThrow('boxes are [N, 4], got [4]')
    await expect(drawBoundingBoxes(grey(), one, { labels: [] })).rejects.toThrow('there are 0 labels for 1')
    await expect(drawBoundingBoxes(grey(), one, { colours: 'red' })).rejects.toThrow("'red' is no colour")
    await expect(drawBoundingBoxes(zeros([2, 4, 4]), one)).rejects.toThrow('the image is [3, H, W]')
    await expect(drawBoundingBoxes(grey(), one.div(0))).rejects.toThrow('must be finite')
  })
})

describe('drawSegmentationMasks', () => {
  test('mixes colours by alpha, the last mask above, and rounds down', () => {
    const masks = tensor([[[1, 1, 0, 0]], [[0, 1, 1, 0]]], { dtype: 'bool' })
    const drawn = drawSegmentationMasks(grey(1, 4), masks, { alpha: 0.7, colours: ['#ff0000', '#0000ff'] })
    // 0.3 · 100 + 0.7 · 255 = 208.5, 0.3 · 100 = 30
    expect([0, 1, 2, 3].map((x) => pixel(drawn, x, 0))).toEqual([
      [208, 30, 30],
      [30, 30, 208],
      [30, 30, 208],
      [100, 100, 100],
    ])
  })

  test('refuses masks of another size, and an alpha above 1', () => {
    expect(() => drawSegmentationMasks(grey(), zeros([1, 4, 4]))).toThrow("the image's [20, 30], got [1, 4, 4]")
    expect(() => drawSegmentationMasks(grey(), zeros([1, 20, 30]), { alpha: 2 })).toThrow('alpha is 2')
  })
})

describe('drawKeypoints', () => {
  test('draws dots and the lines between those that are visible', async () => {
    await tidyAsync(async () => {
      const keypoints = tensor(
        [
          [
            [5, 5, 1],
            [25, 5, 1],
            [15, 15, 0],
          ],
        ],
        { dtype: 'float32' },
      )
      const connectivity = [
        [0, 1],
        [1, 2],
      ] as const
      const drawn = await drawKeypoints(grey(), keypoints, { connectivity, colours: '#00f', width: 2 })
      expect(pixel(drawn, 5, 5)).toEqual([0, 0, 255])
      expect(pixel(drawn, 15, 5)).toEqual([0, 0, 255])
      expect(pixel(drawn, 15, 15)).toEqual([100, 100, 100])
      expect(pixel(drawn, 20, 10)).toEqual([100, 100, 100])
    })
    const two = zeros([1, 2, 2])
    await expect(drawKeypoints(grey(), two, { connectivity: [[0, 2]] })).rejects.toThrow('joins keypoints 0 to 1')
    await expect(drawKeypoints(grey(), zeros([1, 2]))).rejects.toThrow(
      'keypoints are [N, K, 2] or [N, K, 3], got [1, 2]',
    )
  })
})
