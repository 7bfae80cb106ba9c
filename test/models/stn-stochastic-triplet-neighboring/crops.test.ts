import { describe, expect, test } from 'vitest'
import { RandomCrops, StoredCrops } from '../../../lib/models/enhancement/stn-stochastic-triplet-neighboring/crops'
import { milestones } from '../../../lib/models/enhancement/stn-stochastic-triplet-neighboring/schedule'
import { full, type Tensor, tidy, zeros } from '../../../lib/tensor'

const list = (t: Tensor): number[] => Array.from(t.to('float64').flatten().dataSync() as Float64Array)

describe('the schedule', () => {
  test('halves the rate after epochs 39, 79, 119 and 159 of 200, and never before the first', () => {
    expect(milestones(200)).toEqual([39, 79, 119, 159])
    expect(milestones(5)).toEqual([1, 2, 3])
    expect(milestones(1)).toEqual([])
  })
})

describe('stored crops', () => {
  const crops = (count: number) => Array.from({ length: count }, (_, i) => full([1, 2, 2], i))
  const options = { batchSize: 4, seed: 3, epochs: 10, regularisation: 2 }

  test('come in a new order each epoch, without the last incomplete batch, their targets with them', () => {
    tidy(() => {
      const noisy = crops(10)
      const data = new StoredCrops(
        noisy,
        noisy.map((crop) => crop.add(100)),
        options,
      )
      expect(data.length).toBe(2)
      const epoch = (number: number) => {
        data.setEpoch(number)
        return [...data].map((batch) => {
          const chosen = list(batch.noisy.select(1, 0).select(1, 0).select(1, 0))
          expect(list((batch.target as Tensor).select(1, 0).select(1, 0).select(1, 0))).toEqual(
            chosen.map((i) => i + 100),
          )
          return chosen
        })
      }
      const [first, second] = [epoch(0), epoch(1)]
      expect(new Set(first.flat()).size).toBe(8)
      expect(second).not.toEqual(first)
      expect(epoch(0)).toEqual(first)
    })
  })

  test('number their steps through, and the regularisation grows with the epoch to its last value', () => {
    tidy(() => {
      const data = new StoredCrops(crops(8), undefined, options)
      const told = [0, 9].map((epoch) => {
        data.setEpoch(epoch)
        return [...data].map(({ iteration, weight }) => [iteration.toNumber(), Number(weight.toNumber().toFixed(6))])
      })
      expect(told).toEqual([
        [
          [1, 0.2],
          [2, 0.2],
        ],
        [
          [19, 2],
          [20, 2],
        ],
      ])
    })
  })

  test('are one batch where they are fewer than a batch', () => {
    tidy(() =>
      expect([...new StoredCrops(crops(3), undefined, options)].map(({ noisy }) => noisy.size(0))).toEqual([3]),
    )
  })
})

describe('random crops', () => {
  const options = { batchSize: 2, seed: 1, regularisation: 2, steps: 4, crop: 128 }

  test('take pictures in turn, at places of their own', () => {
    tidy(() => {
      const images = [full([3, 140, 200], 1), full([3, 128, 128], 2)]
      const data = new RandomCrops(images, options)
      const batches = [...data]
      expect(batches.length).toBe(4)
      for (const { noisy } of batches) {
        expect(noisy.shape).toEqual([2, 3, 128, 128])
        expect(list(noisy.select(1, 0).select(1, 0).select(1, 0)).sort()).toEqual([1, 2])
      }
      expect(batches.map(({ weight }) => weight.toNumber())).toEqual([0.5, 1, 1.5, 2])
    })
  })

  test('are of 64 pixels where a picture is smaller, and smaller pictures are mirrored', () => {
    tidy(() => {
      const [batch] = [...new RandomCrops([zeros([3, 127, 300]), zeros([3, 100, 100])], options)]
      expect(batch?.noisy.shape).toEqual([2, 3, 64, 64])
      const [small] = [...new RandomCrops([zeros([3, 5, 1])], options)]
      // One picture alone makes a batch of one.
      expect(small?.noisy.shape).toEqual([1, 3, 64, 64])
    })
  })
})
