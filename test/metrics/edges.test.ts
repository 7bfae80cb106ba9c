import { describe, expect, test } from 'vitest'
import {
  Accuracy,
  AUROC,
  auroc,
  averagePrecision,
  ConfusionMatrix,
  confusionMatrix,
  DiceScore,
  diceScore,
  EER,
  equalErrorRate,
  F1Score,
  f1Score,
  Mean,
  MeanIoU,
  MeanSquaredError,
  MetricCollection,
  MSSSIM,
  meanCosineSimilarity,
  meanIoU,
  PearsonCorrCoef,
  Precision,
  PSNR,
  pearsonCorrCoef,
  precision,
  precisionRecallCurve,
  psnr,
  r2Score,
  recall,
  rocCurve,
  SSIM,
  spearmanCorrCoef,
  ssim,
} from '../../lib/metrics'
import { memory, ones, rand, tensor, tidy, zeros } from '../../lib/tensor'

const labels = (...values: number[]) => tensor(values, { dtype: 'int64' })
/** Samples in a confusion matrix with the truth in its rows. */
function samplesOf(matrix: readonly (readonly number[])[]) {
  const cells = matrix.flatMap((row, i) => row.flatMap((count, j) => Array.from({ length: count }, () => [i, j])))
  return [labels(...cells.map(([, j]) => j as number)), labels(...cells.map(([i]) => i as number))] as const
}
/** Scores of positives and negatives, and the targets. */
function scored(positives: readonly number[], negatives: readonly number[]) {
  const scores = tensor([...positives, ...negatives], { dtype: 'float64' })
  return [scores, labels(...positives.map(() => 1), ...negatives.map(() => 0))] as const
}

describe('by hand', () => {
  test('F1 of three classes', () => {
    const pair = samplesOf([
      [5, 1, 0],
      [2, 3, 1],
      [0, 0, 4],
    ])
    const f1 = f1Score(...pair, { numClasses: 3, average: 'none' })
    for (const [i, expected] of [10 / 13, 0.6, 8 / 9].entries()) expect(f1[i]).toBeCloseTo(expected, 12)
    expect(f1Score(...pair, { numClasses: 3 })).toBeCloseTo(0.7527, 4)
    expect(f1Score(...pair, { numClasses: 3, average: 'weighted' })).toBeCloseTo(0.7357, 4)
    expect(f1Score(...pair, { numClasses: 3, average: 'micro' })).toBe(0.75)
  })

  test('an absent class counts as 0 in the mean of F1, and is left out of that of IoU', () => {
    const pair = samplesOf([
      [4, 0, 0],
      [0, 0, 0],
      [1, 0, 5],
    ])
    expect(f1Score(...pair, { numClasses: 3 })).toBeCloseTo(0.5993, 4)
    expect(f1Score(...pair, { numClasses: 3, zeroDivision: Number.NaN })).toBeCloseTo(0.899, 4)
    expect(meanIoU(...pair, { numClasses: 3 })).toBeCloseTo((4 / 5 + 5 / 6) / 2, 12)
    expect(meanIoU(...pair, { numClasses: 3, average: 'none' })[1]).toBeNaN()
  })

  test('a binary mask: precision, recall, Dice and IoU', () => {
    const [prediction, mask] = [
      tensor([
        [0.9, 0.4],
        [0.2, 0.1],
      ]),
      tensor([
        [true, true],
        [false, false],
      ]),
    ]
    expect(precision(prediction, mask)).toBe(1)
    expect(recall(prediction, mask)).toBe(0.5)
    expect(diceScore(prediction, mask)).toBeCloseTo(2 / 3, 12)
    expect(meanIoU(prediction, mask)).toBe(0.5)
  })

  test('Dice of each sample: the mean of 1 and 0, where all pixels together give 2/3', () => {
    const mask = tensor(
      [
        [1, 1, 0],
        [0, 1, 0],
      ],
      { dtype: 'uint8' },
    )
    const guess = tensor(
      [
        [1, 1, 0],
        [0, 0, 0],
      ],
      { dtype: 'uint8' },
    )
    expect(diceScore(guess, mask, { reduction: 'sample' })).toBe(0.5)
    expect(diceScore(guess, mask)).toBeCloseTo(4 / 5, 12)
  })

  test('an empty mask that is found empty is left out, or counts as told', () => {
    const mask = tensor(
      [
        [1, 0],
        [0, 0],
      ],
      { dtype: 'uint8' },
    )
    const guess = tensor(
      [
        [1, 1],
        [0, 0],
      ],
      { dtype: 'uint8' },
    )
    expect(diceScore(guess, mask, { reduction: 'sample' })).toBeCloseTo(2 / 3, 12)
    expect(diceScore(guess, mask, { reduction: 'sample', zeroDivision: 1 })).toBeCloseTo(5 / 6, 12)
    expect(meanIoU(zeros([2, 2]), zeros([2, 2]).to('int64'))).toBeNaN()
  })

  test.each([
    // Between 0.6 (FAR 0.2, FRR 0.25) and 0.5 (FAR 0.4, FRR 0.25) the rates cross at 0.25.
    ['between thresholds', [0.9, 0.8, 0.7, 0.4], [0.1, 0.2, 0.3, 0.6, 0.5], 0.25],
    ['through a tie', [0.9, 0.8, 0.5, 0.3], [0.1, 0.2, 0.5, 0.5, 0.6], 5 / 13],
    ['of separate sets', [0.9, 0.8], [0.1, 0.2, 0.7], 0],
    ['of equal scores', [0.5, 0.5], [0.5, 0.5, 0.5], 0.5],
    ['of sets the wrong way round', [0.1, 0.2], [0.8, 0.9], 1],
  ])('equal error rate %s', (_, positives, negatives, expected) => {
    expect(equalErrorRate(...scored(positives, negatives))).toBeCloseTo(expected, 12)
  })

  test.each([
    ['pairs in order', [0.9, 0.4], [0.6, 0.1], 0.75],
    ['ties count half', [0.5, 0.5, 0.2], [0.5, 0.1], 4 / 6],
    ['all ties', [1, 1], [1, 1], 0.5],
    ['infinite scores', [Number.POSITIVE_INFINITY, 0], [Number.NEGATIVE_INFINITY, 0], 0.875],
  ])('area below the ROC curve: %s', (_, positives, negatives, expected) => {
    expect(auroc(...scored(positives, negatives))).toBeCloseTo(expected, 12)
  })

  test('Spearman with a tie', () => {
    expect(spearmanCorrCoef(tensor([1, 2, 3, 4]), tensor([1, 2, 2, 4]))).toBeCloseTo(0.9487, 4)
  })

  test('PSNR: an error of a tenth of the range is 20 dB', () => {
    expect(
      psnr(zeros([1, 2, 2], { dtype: 'float64' }), ones([1, 2, 2], { dtype: 'float64' }).mul(0.1)).toNumber(),
    ).toBeCloseTo(20, 9)
    expect(psnr(zeros([1, 1, 1]).to('uint8'), ones([1, 1, 1]).to('uint8')).toNumber()).toBeCloseTo(
      20 * Math.log10(255),
      4,
    )
  })

  test('SSIM: 1 of an image with itself, and of flat images the luminance alone', () => {
    const image = rand([2, 3, 13, 12])
    expect(ssim(image, image).toNumber()).toBeCloseTo(1, 5)
    const flat = (value: number) => ones([1, 11, 11], { dtype: 'float64' }).mul(value)
    expect(ssim(flat(0.2), flat(0.6)).toNumber()).toBeCloseTo((2 * 0.2 * 0.6 + 1e-4) / (0.04 + 0.36 + 1e-4), 12)
  })

  test('a loss: SSIM passes gradients back to the image', () => {
    const image = rand([1, 1, 12, 12], { requiresGrad: true })
    ssim(image, image.detach().mul(0.5)).backward()
    expect(image.grad?.abs().sum().toNumber()).toBeGreaterThan(0)
  })

  test('cosine of a vector without length is 0', () => {
    expect(
      meanCosineSimilarity(
        tensor([
          [0, 0],
          [3, 4],
        ]),
        tensor([
          [1, 2],
          [4, 3],
        ]),
      ),
    ).toBeCloseTo(24 / 50, 6)
  })
})

describe('where a measure is not defined', () => {
  test.each<[string, () => unknown, unknown]>([
    ['AUROC without negatives', () => auroc(...scored([0.5], [])), Number.NaN],
    ['AUROC without positives', () => auroc(...scored([], [0.5])), Number.NaN],
    ['average precision without positives', () => averagePrecision(...scored([], [0.5, 1])), Number.NaN],
    ['average precision of positives alone', () => averagePrecision(...scored([0.5, 1], [])), 1],
    ['equal error rate of one kind', () => equalErrorRate(...scored([0.5], [])), Number.NaN],
    ['a ROC curve without negatives', () => rocCurve(...scored([0.5], [])).falsePositiveRate, [Number.NaN, Number.NaN]],
    ['recall without positives', () => precisionRecallCurve(...scored([], [0.5])).recall, [Number.NaN, Number.NaN]],
    ['precision of nothing predicted', () => precision(labels(0, 0), labels(1, 0)), 0],
    ['recall of nothing to find', () => recall(labels(1, 0), labels(0, 0), { zeroDivision: 1 }), 1],
    ['correlation of one sample', () => pearsonCorrCoef(tensor([1]), tensor([2])), Number.NaN],
    ['correlation with a constant', () => pearsonCorrCoef(tensor([1, 2, 3]), tensor([0.1, 0.1, 0.1])), Number.NaN],
    ['R² of one sample', () => r2Score(tensor([1]), tensor([1])), Number.NaN],
    [
      'a class without samples in a macro AUROC',
      () =>
        auroc(
          tensor([
            [0.9, 0.1, 0],
            [0.2, 0.8, 0],
          ]),
          labels(0, 1),
          { numClasses: 3 },
        ),
      1,
    ],
    [
      'a row without samples',
      () => confusionMatrix(labels(0), labels(0), { normalize: 'true' }),
      [
        [1, 0],
        [0, 0],
      ],
    ],
  ])('%s', (_, run, expected) => {
    expect(run()).toEqual(expected)
  })
})

describe('refuses', () => {
  const image = zeros([1, 3, 16, 16])
  test.each<[string, () => unknown, RegExp]>([
    ['scores that are NaN', () => auroc(tensor([Number.NaN, 1]), labels(0, 1)), /AUROC: 1 of 2 scores are NaN/],
    ['labels for scores', () => auroc(labels(0, 1), labels(0, 1)), /scores are int64/],
    [
      'targets that are neither 0 nor 1',
      () => auroc(tensor([0.5]), labels(2)),
      /label 2 in targets; labels are 0 to 1/,
    ],
    ['scores of classes without their number', () => auroc(zeros([2, 3]), labels(0, 1)), /set numClasses/],
    ['another number of classes', () => auroc(zeros([2, 3]), labels(0, 1), { numClasses: 4 }), /scores are \[N, 4\]/],
    [
      'another number of labels',
      () => f1Score(zeros([2, 3]), zeros([2, 3]).to('int64'), { numLabels: 4 }),
      /targets are \[N, 4\]/,
    ],
    ['both kinds of task', () => new F1Score({ numClasses: 2, numLabels: 2 }), /exclude each other/],
    ['an average of two classes', () => new Precision({ average: 'macro' }), /set numClasses or numLabels/],
    ['an unknown average', () => new MeanIoU({ average: 'mean' as never }), /average is 'mean'/],
    ['generalised IoU', () => new MeanIoU({ average: 'generalized' as never }), /average is 'generalized'/],
    ['classes that are not there', () => new DiceScore({ numClasses: 3, classes: [3] }), /classes are \[3\]/],
    ['0/0 as a half', () => new F1Score({ zeroDivision: 0.5 }), /zeroDivision is 0.5/],
    ['beta below 0', () => new F1Score({ beta: -1 } as never) && new Precision({ numClasses: 1 }), /numClasses is 1/],
    [
      'multi-label targets of 2',
      () => f1Score(zeros([1, 2]), tensor([[0, 2]]).to('int64'), { numLabels: 2 }),
      /1 targets are neither 0 nor 1/,
    ],
    [
      'each sample of a list',
      () => diceScore(labels(0, 1), labels(0, 1), { reduction: 'sample' }),
      /targets are \[N, …\]/,
    ],
    [
      'images smaller than the window',
      () => ssim(zeros([1, 10, 20]), zeros([1, 10, 20])),
      /10 × 20 are smaller than the window/,
    ],
    ['too few pixels for five scales', () => new MSSSIM().update(image, image), /scale 2: images of 8 × 8/],
    ['an even window', () => ssim(image, image, { windowSize: 8 }), /windowSize is 8/],
    ['a sample covariance of weights', () => ssim(image, image, { sampleCovariance: true }), /set window: 'uniform'/],
    ['integers without a range', () => psnr(image.to('int32'), image.to('int32')), /set dataRange/],
    ['bytes against fractions', () => psnr(image.to('uint8'), image), /set dataRange/],
    ['a range of 0', () => psnr(image, image, { dataRange: 0 }), /dataRange is 0/],
    ['images of other sizes', () => psnr(image, zeros([1, 3, 16, 15])), /they have one shape/],
    ['a list of pixels', () => psnr(zeros([4]), zeros([4])), /images are \[N, C, H, W\]/],
    ['correlations of NaN', () => pearsonCorrCoef(tensor([1, Number.NaN]), tensor([1, 2])), /predictions hold NaN/],
    ['no update', () => new EER().compute(), /EER.compute: nothing was measured yet/],
  ])('%s', (_, run, message) => {
    expect(run).toThrow(message)
  })

  test('to merge metrics of other options or kinds, and says which', () => {
    expect(() => new Accuracy({ topK: 5 }).merge(new Accuracy())).toThrow(
      /Accuracy\(\{ topK: 1.*is not Accuracy\(\{ topK: 5/,
    )
    expect(() => new MeanSquaredError().merge(new PearsonCorrCoef())).toThrow(/PearsonCorrCoef\(\) is not/)
  })

  test('a state of another metric, and keeps its own', () => {
    const mean = new Mean()
    mean.update(3)
    expect(() => mean.loadStateDict({ sum: tensor([1]) })).toThrow(/the state has sum, the metric needs sum, weight/)
    const more = { sum: tensor(1), weight: tensor(1), count: tensor(1) }
    expect(() => mean.loadStateDict(more)).toThrow(/the state has sum, weight, count/)
    expect(mean.compute()).toBe(3)
  })

  test('a batch of another number of classes', () => {
    const matrix = new ConfusionMatrix({ numClasses: 3 })
    matrix.loadStateDict({ counts: zeros([2, 2], { dtype: 'int64' }), invalid: zeros([], { dtype: 'int64' }) })
    expect(() => matrix.update(labels(0), labels(0))).toThrow(/counts is \[3, 3\] for this batch and was \[2, 2\]/)
  })
})

describe('MetricCollection', () => {
  test('updates and reads its metrics by name', async () => {
    const collection = new MetricCollection({ top1: new Accuracy(), top2: new Accuracy({ topK: 2 }) })
    collection.update(
      tensor([
        [0.5, 0.3, 0.2],
        [0.1, 0.3, 0.6],
      ]),
      labels(1, 2),
    )
    expect(collection.compute()).toEqual({ top1: 0.5, top2: 1 })
    expect(await collection.computeAsync()).toEqual({ top1: 0.5, top2: 1 })
    expect(collection.metrics.top1.compute()).toBe(0.5)
    collection.reset()
    expect(() => collection.compute()).toThrow(/nothing was measured/)
  })

  test('merges, saves and loads all of them', () => {
    const make = () => new MetricCollection({ mse: new MeanSquaredError(), r: new PearsonCorrCoef() })
    const [a, b, c] = [make(), make(), make()]
    a.update(tensor([1, 2]), tensor([1, 4]))
    b.update(tensor([5]), tensor([5]))
    a.merge(b)
    c.loadStateDict(a.stateDict())
    expect(Object.keys(c.stateDict())).toEqual(['mse.sum', 'mse.count', 'r.predictions', 'r.targets'])
    expect(c.compute().mse).toBeCloseTo(4 / 3, 12)
    expect(c.compute().r).toBe(a.compute().r)
    expect(() => c.loadStateDict({ 'mae.sum': tensor(1) })).toThrow(/no metric for 'mae.sum'/)
    expect(() => c.merge(new MetricCollection({ mse: new MeanSquaredError() }) as never)).toThrow(
      /is not MetricCollection/,
    )
  })

  test('refuses names that state dicts could not hold', () => {
    expect(() => new MetricCollection({ 'a.b': new SSIM() })).toThrow(/'a.b' is no name/)
    expect(() => new MetricCollection({})).toThrow(/there are no metrics/)
  })
})

test('printing says the options', () => {
  expect(String(new PSNR())).toBe("PSNR({ per: 'image' })")
  expect(String(new AUROC({ numClasses: 3 }))).toBe("AUROC({ numClasses: 3, average: 'macro' })")
})

test('many batches of scores are joined, of whatever precision', () => {
  tidy(() => {
    using metric = new AUROC()
    metric.update(tensor([0.75, 0.25], { dtype: 'bfloat16' }), labels(1, 0))
    metric.update(tensor([0.5, 0.125], { dtype: 'float64' }), labels(1, 1))
    // Of three pairs, 0.125 against 0.25 is the wrong way round.
    expect(metric.compute()).toBeCloseTo(2 / 3, 12)
    const before = memory.stats().tensors
    metric.reset()
    expect(memory.stats().tensors).toBeLessThan(before)
  })
})
