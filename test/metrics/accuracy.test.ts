import { describe, expect, test } from 'vitest'
import { Accuracy, accuracy } from '../../lib/metrics'
import { memory, tensor, zeros } from '../../lib/tensor'

const SCORES = tensor([
  [0.1, 0.7, 0.2],
  [0.5, 0.3, 0.2],
  [0.2, 0.3, 0.5],
  [0.6, 0.1, 0.3],
])
const labels = (...values: number[]) => tensor(values, { dtype: 'int64' })

describe('Accuracy', () => {
  test('is the share of samples whose best score is the target', () => {
    // Predicted 1, 0, 2, 0.
    expect(accuracy(SCORES, labels(1, 0, 2, 2))).toBe(0.75)
    expect(accuracy(labels(1, 0, 2, 0), labels(1, 0, 2, 2))).toBe(0.75)
  })

  test('of the k best', () => {
    // Second best: 2, 1, 1, 2.
    expect(accuracy(SCORES, labels(2, 2, 1, 1), { topK: 1 })).toBe(0)
    expect(accuracy(SCORES, labels(2, 2, 1, 1), { topK: 2 })).toBe(0.5)
    expect(accuracy(SCORES, labels(2, 2, 1, 1), { topK: 3 })).toBe(1)
  })

  test('of each class, and their mean', () => {
    // Class A 3 of 4, B 1 of 2, C 0 of 1.
    const [predicted, actual] = [labels(0, 0, 0, 1, 1, 0, 1), labels(0, 0, 0, 0, 1, 1, 2)]
    expect(accuracy(predicted, actual, { average: 'none', numClasses: 3 })).toEqual([0.75, 0.5, 0])
    expect(accuracy(predicted, actual, { average: 'macro', numClasses: 3 })).toBeCloseTo(0.416667, 6)
    expect(accuracy(predicted, actual)).toBeCloseTo(4 / 7, 15)
  })

  test('leaves classes without targets out of the mean', () => {
    const options = { numClasses: 4 } as const
    expect(accuracy(labels(0, 3), labels(0, 1), { ...options, average: 'none' })).toEqual([
      1,
      0,
      Number.NaN,
      Number.NaN,
    ])
    expect(accuracy(labels(0, 3), labels(0, 1), { ...options, average: 'macro' })).toBe(0.5)
  })

  test('takes the scores of each pixel', () => {
    const scores = tensor([
      [
        [
          [1, 0],
          [0, 3],
        ],
        [
          [0, 1],
          [1, 2],
        ],
      ],
    ])
    expect(scores.shape).toEqual([1, 2, 2, 2])
    expect(
      accuracy(
        scores,
        tensor(
          [
            [
              [0, 1],
              [1, 1],
            ],
          ],
          { dtype: 'uint8' },
        ),
      ),
    ).toBe(0.75)
  })

  test('of yes or no is above the threshold', () => {
    const targets = tensor([true, false, true])
    expect(accuracy(tensor([0.6, 0.5, 0.4]), targets)).toBeCloseTo(2 / 3, 15)
    expect(accuracy(tensor([0.6, 0.5, 0.4]), targets, { threshold: 0.3 })).toBeCloseTo(2 / 3, 15)
    expect(accuracy(tensor([2, -2, -1]), targets, { threshold: 0 })).toBeCloseTo(2 / 3, 15)
  })

  test('leaves ignored targets out', () => {
    expect(accuracy(SCORES, labels(1, 255, 0, 255), { ignoreIndex: 255 })).toBe(0.5)
    expect(accuracy(SCORES, labels(-100, 0, -100, 1), { ignoreIndex: -100, numClasses: 3, average: 'macro' })).toBe(0.5)
    expect(accuracy(labels(9, 1), labels(-1, 1), { ignoreIndex: -1, numClasses: 3 })).toBe(1)
    expect(accuracy(SCORES, labels(7, 7, 7, 7), { ignoreIndex: 7 })).toBeNaN()
  })

  test('counts samples, not batches', () => {
    const metric = new Accuracy()
    metric.update(labels(1, 1, 1), labels(1, 1, 1))
    metric.update(labels(0), labels(1))
    expect(metric.compute()).toBe(0.75)
  })

  test('reads without blocking', async () => {
    const metric = new Accuracy()
    metric.update(labels(1, 0), labels(1, 1))
    const promise = metric.computeAsync()
    metric.update(labels(1, 1), labels(1, 1))
    expect(await promise).toBe(0.5)
    expect(metric.compute()).toBe(0.75)
  })

  test.each<[string, () => unknown, RegExp]>([
    [
      'a label outside the classes',
      () => accuracy(SCORES, labels(0, 1, 2, 3)),
      /label 3 in targets; labels are 0 to 2/,
    ],
    ['a negative label', () => accuracy(SCORES, labels(0, 1, 2, -1)), /label -1 in targets/],
    [
      'a predicted label outside the classes',
      () => accuracy(labels(5), labels(0), { numClasses: 3 }),
      /label 5 in predictions/,
    ],
    ['scores that are NaN', () => accuracy(tensor([[0, Number.NaN]]), labels(0)), /1 of 2 scores are NaN/],
    [
      'another number of samples',
      () => accuracy(SCORES, labels(0, 1)),
      /scores \[4, 3\] go with targets \[4\], got \[2\]/,
    ],
    ['labels of another shape', () => accuracy(labels(0, 1, 2), labels(0, 1)), /predictions are \[3\], targets \[2\]/],
    ['targets that are fractions', () => accuracy(SCORES, zeros([4])), /targets is float32; labels are whole numbers/],
    ['scores of one class', () => accuracy(zeros([4, 1]), labels(0, 0, 0, 0)), /one class; .*squeeze/],
    [
      'more classes than told',
      () => accuracy(SCORES, labels(0, 0, 0, 0), { numClasses: 4 }),
      /numClasses is 4, .* of 3/,
    ],
    ['the mean of unknown classes', () => accuracy(labels(0), labels(0), { average: 'macro' }), /set numClasses/],
    ['an unknown mean', () => accuracy(labels(0), labels(0), { average: 'median' as never }), /average is 'median'/],
    ['k below 1', () => accuracy(SCORES, labels(0, 1, 2, 0), { topK: 0 }), /topK is 0/],
    ['k above the classes', () => accuracy(SCORES, labels(0, 1, 2, 0), { topK: 4 }), /topK is 4, the scores are of 3/],
    ['no update', () => new Accuracy().compute(), /nothing was measured yet/],
    ['no tensor', () => accuracy([1] as never, labels(1)), /predictions is .*; pass a Tensor/],
  ])('refuses %s', (_, run, message) => {
    expect(run).toThrow(message)
  })

  test('is as it was after an update that fails', () => {
    const metric = new Accuracy({ average: 'macro', numClasses: 3 })
    metric.update(SCORES, labels(1, 0, 2, 2))
    const before = metric.compute()
    expect(() => metric.update(SCORES, labels(0, 1, 2, 9))).toThrow()
    expect(metric.compute()).toBe(before)
  })

  test('keeps one small state, and gives it back', () => {
    const before = memory.stats().tensors
    const metric = new Accuracy({ average: 'macro', numClasses: 3 })
    const targets = labels(1, 0, 2, 2)
    for (let i = 0; i < 10; i++) metric.update(SCORES, targets)
    metric.compute()
    targets.dispose()
    expect(memory.stats().tensors - before).toBe(3)
    metric.dispose()
    expect(memory.stats().tensors).toBe(before)
  })
})
