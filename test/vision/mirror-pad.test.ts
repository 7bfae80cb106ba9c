import { expect, test } from 'vitest'
import { type Tensor, tensor, tidy } from '../../lib/tensor'
import { mirrorPad, mirrorPadToMultiple } from '../../lib/vision'

const list = (t: Tensor): number[] => Array.from(t.to('float64').flatten().dataSync() as Float64Array)

test('mirrors again and again without repeating the edge', () => {
  tidy(() => {
    const image = tensor([[1, 2, 3]])
    expect(list(mirrorPad(image, 1, 8))).toEqual([1, 2, 3, 2, 1, 2, 3, 2])
  })
})

test('repeats a side of one pixel', () => {
  tidy(() => expect(list(mirrorPad(tensor([[[1, 2]]]), 3, 2))).toEqual([1, 2, 1, 2, 1, 2]))
})

test('goes to the next multiples, and leaves what fits as it is', () => {
  tidy(() => {
    const image = tensor([
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
    ])
    const padded = mirrorPadToMultiple(image, 4)
    expect(padded.shape).toEqual([4, 4])
    expect(list(padded)).toEqual([1, 2, 3, 2, 4, 5, 6, 5, 7, 8, 9, 8, 4, 5, 6, 5])
    expect(list(mirrorPadToMultiple(image, 3))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
  })
})

test('refuses to cut', () => {
  tidy(() => expect(() => mirrorPad(tensor([[1, 2, 3]]), 1, 2)).toThrow(/1 × 3 pixels do not become 1 × 2/))
})
