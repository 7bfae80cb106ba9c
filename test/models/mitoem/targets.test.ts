import { describe, expect, test } from 'vitest'
import {
  affinityTarget,
  balanceWeights,
  contourTarget,
  emTargets,
  erodeContacts,
  mapLoss,
  maskTarget,
  softDice,
  weightedBce,
} from '../../../lib/models/segmentation/mitoem'
import { functional as F } from '../../../lib/nn'
import { Generator, gradcheck, rand, randint, type Tensor, tensor, tidy, zeros } from '../../../lib/tensor'

const numbers = (x: Tensor) => [...(x.to('float64').flatten().dataSync() as Float64Array)]

/** The label volume of the card's check 17. */
function handDrawn(): Tensor {
  const labels = zeros([4, 8, 8], { dtype: 'int32' })
  const fill = ([z0, z1, y0, y1, x0, x1]: readonly number[], value: number) =>
    labels
      .narrow(0, z0 ?? 0, (z1 ?? 0) - (z0 ?? 0))
      .narrow(1, y0 ?? 0, (y1 ?? 0) - (y0 ?? 0))
      .narrow(2, x0 ?? 0, (x1 ?? 0) - (x0 ?? 0))
      .fill_(value)
  fill([0, 3, 1, 5, 1, 4], 1)
  fill([0, 3, 1, 5, 4, 7], 2)
  fill([3, 4, 5, 8, 5, 8], 3)
  fill([2, 3, 0, 1, 0, 1], 4)
  return labels
}

/** What stands around a place in its slice, mirrored at the border. */
function around(labels: readonly number[], [d, h, w]: readonly [number, number, number], at: number, half: number) {
  const [z, y, x] = [Math.floor(at / (h * w)), Math.floor(at / w) % h, at % w]
  const mirror = (i: number, n: number) =>
    n === 1 ? 0 : n - 1 - Math.abs(n - 1 - (((i % (2 * n - 2)) + 2 * n - 2) % (2 * n - 2)))
  const found: number[] = []
  for (let i = -half; i <= half; i++) {
    for (let j = -half; j <= half; j++) {
      found.push(labels[(z * h + mirror(y + i, h)) * w + mirror(x + j, w)] ?? Number.NaN)
    }
  }
  void d
  return found
}

describe('3. targets', () => {
  test.each([
    ['of the hand-drawn labels', handDrawn],
    ['of random labels', () => randint(0, 4, [3, 7, 9], { generator: new Generator(5), dtype: 'int32' })],
    ['of a narrow slice', () => randint(0, 3, [2, 2, 5], { generator: new Generator(6), dtype: 'int32' })],
  ])('%s are those of a loop', (_, make) => {
    tidy(() => {
      const labels = make()
      const shape = labels.shape as unknown as [number, number, number]
      const values = numbers(labels)
      const eroded = values.map((value, at) => {
        const positive = new Set(around(values, shape, at, 1).filter((each) => each > 0))
        return positive.size > 1 ? 0 : value
      })
      expect(numbers(erodeContacts(labels))).toEqual(eroded)
      const contour = values.map((_value, at) => (new Set(around(values, shape, at, 2)).size > 1 ? 1 : 0))
      expect(numbers(contourTarget(labels))).toEqual(contour)
      expect(numbers(maskTarget(labels))).toEqual(values.map((value) => (value > 0 ? 1 : 0)))
      const [d, h, w] = shape
      const affinities = [h * w, w, 1].flatMap((step, axis) =>
        values.map((value, at) => {
          const place = [Math.floor(at / (h * w)), Math.floor(at / w) % h, at % w][axis] ?? 0
          return value > 0 && (place === 0 || values[at - step] === value) ? 1 : 0
        }),
      )
      void d
      expect(numbers(affinityTarget(labels))).toEqual(affinities)
    })
  })

  test('contours without the border to the background', () => {
    tidy(() => {
      const labels = tensor(Int32Array.from([0, 0, 1, 1, 1, 1, 2, 2, 2, 0]), { shape: [1, 1, 10] })
      expect(numbers(contourTarget(labels, { half: 1, background: false }))).toEqual([0, 0, 0, 0, 0, 1, 1, 0, 0, 0])
      expect(numbers(contourTarget(labels, { half: 1 }))).toEqual([0, 1, 1, 0, 0, 1, 1, 0, 1, 1])
    })
  })
})

test('17. counts of the hand-drawn labels', () => {
  tidy(() => {
    const labels = handDrawn()
    const eroded = numbers(erodeContacts(labels))
    expect([0, 1, 2, 3, 4].map((label) => eroded.filter((value) => value === label).length)).toEqual([
      200, 23, 24, 9, 0,
    ])
    // All targets are made of the eroded labels.
    const made = erodeContacts(labels)
    expect(numbers(contourTarget(made).sum({ dim: [0, 2, 3] }))).toEqual([56, 56, 56, 24])
    expect(numbers(affinityTarget(made).sum({ dim: [1, 2, 3] }))).toEqual([47, 41, 29])
    const share = (kind: 'BC' | 'A', from: number, count: number) =>
      numbers(emTargets(made, kind).narrow(0, from, count).to('float64').mean())[0]
    expect(share('BC', 0, 1)).toBe(0.21875)
    expect(share('BC', 1, 1)).toBe(0.75)
    expect(share('A', 0, 3)).toBeCloseTo(0.15234, 5)
  })
})

describe('4. weighted cross-entropy', () => {
  const withShare = (ones: number, of: number) =>
    tensor(
      Float64Array.from({ length: of }, (_, i) => (i < ones ? 1 : 0)),
      { shape: [1, 1, 1, 1, of] },
    )

  test.each([
    [10, 100, 9, 1],
    [80, 100, 1, 4],
    [1, 100, 19, 1],
    [999, 1000, 1, 99],
    [0, 10, 1, 1],
    [10, 10, 1, 1],
  ])('%d ones of %d weigh %d, zeros %d', (ones, of, one, zero) => {
    tidy(() => {
      const weights = numbers(balanceWeights(withShare(ones, of)))
      if (ones > 0) expect(weights[0]).toBeCloseTo(one, 9)
      if (ones < of) expect(weights.at(-1)).toBeCloseTo(zero, 9)
    })
  })

  test('is each sample’s own', () => {
    tidy(() => {
      const y = tensor([1, 0, 0, 0, 1, 1, 1, 0], { dtype: 'float64', shape: [2, 1, 1, 1, 4] })
      expect(numbers(balanceWeights(y))).toEqual([3, 1, 1, 1, 1, 1, 1, 3])
    })
  })

  test('is the mean of the weighted terms, and has their gradient', () => {
    tidy(() => {
      const y = withShare(1, 4)
      const p = tensor([0.8, 0.3, 0.1, 0.5], { dtype: 'float64', shape: [1, 1, 1, 1, 4] })
      const wanted = -(3 * Math.log(0.8) + Math.log(0.7) + Math.log(0.9) + Math.log(0.5)) / 4
      expect(numbers(weightedBce(p, y))[0]).toBeCloseTo(wanted, 12)
      expect(numbers(weightedBce(p.mul(0), y))[0]).toBeCloseTo((3 * 100) / 4, 9)
      const logits = rand([2, 3, 2, 3, 2], { dtype: 'float64', generator: new Generator(2) }).requiresGrad_()
      const targets = rand([2, 3, 2, 3, 2], { dtype: 'float64', generator: new Generator(3) })
        .gt(0.7)
        .to('float64')
      expect(gradcheck((x) => mapLoss(x.sigmoid(), targets, 'A', 0.5), [logits])).toBe(true)
    })
  })

  test('adds up over targets, of which affinities are one', () => {
    tidy(() => {
      const p = rand([2, 4, 2, 3, 3], { generator: new Generator(4) })
      const y = rand([2, 4, 2, 3, 3], { generator: new Generator(5) })
        .gt(0.6)
        .to('float32')
      const part = (x: Tensor, from: number, count: number) => x.narrow(1, from, count)
      const sum = (counts: readonly [number, number][]) =>
        counts.reduce(
          (total, [from, count]) => total + (numbers(weightedBce(part(p, from, count), part(y, from, count)))[0] ?? 0),
          0,
        )
      expect(numbers(mapLoss(p, y, 'AC'))[0]).toBeCloseTo(
        sum([
          [0, 3],
          [3, 1],
        ]),
        5,
      )
      expect(numbers(mapLoss(part(p, 0, 2), part(y, 0, 2), 'BC'))[0]).toBeCloseTo(
        sum([
          [0, 1],
          [1, 1],
        ]),
        5,
      )
      const dice = numbers(softDice(part(p, 0, 1), part(y, 0, 1)))[0] ?? 0
      expect(numbers(mapLoss(part(p, 0, 1), part(y, 0, 1), 'B', 1))[0]).toBeCloseTo(sum([[0, 1]]) + dice, 5)
    })
  })

  test('soft Dice by hand', () => {
    tidy(() => {
      const [p, y] = [tensor([[0.5, 0.5]]), tensor([[1, 0]])]
      expect(numbers(softDice(p, y))[0]).toBeCloseTo(1 - 101 / 102, 6)
      expect(numbers(F.relu(softDice(y, y, 0)))[0]).toBeCloseTo(0, 6)
    })
  })
})
