// Which segments CoLA contrasts.
import { expect, test } from 'vitest'
import { mineSnippets } from '../../../lib/models/video/rsc-wtal'
import { bestEmbeddings, borders, dilate, erode } from '../../../lib/models/video/rsc-wtal/snippet-mining'
import { arange, ones, tensor, tidy } from '../../../lib/tensor'

const places = (row: number[]) => row.flatMap((value, i) => (value > 0 ? [i] : []))
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)
const onesAt = (length: number, at: readonly number[]) =>
  tensor([Array.from({ length }, (_, i) => (at.includes(i) ? 1 : 0))], { dtype: 'float32' })

test('11. erosion and dilation of an even window reach further to one side', () =>
  tidy(() => {
    const block = onesAt(15, range(3, 10))
    expect(places((erode(block, 6).toArray() as number[][])[0] ?? [])).toEqual([6, 7, 8])
    expect(places((erode(block, 3).toArray() as number[][])[0] ?? [])).toEqual(range(4, 9))
    const one = onesAt(15, [7])
    expect(places((dilate(one, 6).toArray() as number[][])[0] ?? [])).toEqual(range(4, 9))
    expect(places((dilate(one, 3).toArray() as number[][])[0] ?? [])).toEqual([6, 7, 8])
    // Outside is 0 for both.
    expect(places((erode(ones([1, 5]), 3).toArray() as number[][])[0] ?? [])).toEqual([1, 2, 3])
    expect(places((dilate(onesAt(5, [0]), 3).toArray() as number[][])[0] ?? [])).toEqual([0, 1])
  }))

test('borders are inside and outside of what is above the median of an even count', () =>
  tidy(() => {
    const { inside, outside } = borders(onesAt(16, range(4, 11)))
    expect(places((inside.toArray() as number[][])[0] ?? [])).toEqual([5, 6, 10])
    expect(places((outside.toArray() as number[][])[0] ?? [])).toEqual([1, 2, 13])
  }))

test('of equal scores the earlier segment comes first', () =>
  tidy(() => {
    const embeddings = arange(6, { dtype: 'float32' }).reshape([1, 6, 1])
    const scores = tensor([[0, 2, 0, 2, 1, 0]], { dtype: 'float32' })
    expect(bestEmbeddings(scores, embeddings, 5).flatten().toArray()).toEqual([1, 3, 4, 0, 2])
  }))

test('easy segments are the most and the least likely ones, thinned out alike', () =>
  tidy(() => {
    const actionness = tensor([[0, 5, 1, 4, 2, 3]], { dtype: 'float32' })
    const embeddings = arange(6, { dtype: 'float32' }).reshape([1, 6, 1])
    const chance = tensor([[1, 0, 1, 1, 1, 1]], { dtype: 'float32' })
    const mined = mineSnippets(actionness, embeddings, chance, { easy: 2, hard: 1 })
    expect(mined.easyAction.flatten().toArray()).toEqual([3, 5])
    expect(mined.easyBackground.flatten().toArray()).toEqual([0, 2])
  }))
