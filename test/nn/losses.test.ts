import { describe, expect, test } from 'vitest'
import * as nn from '../../lib/nn/losses'
import * as F from '../../lib/nn/losses/functional'
import { cosineSimilarity, ones, randn, rsub, tensor, tidy, zeros } from '../../lib/tensor'
import { caseNames, functionCase, layerCase, testLayerCases } from '../support/layer-cases'

const none = 'none'
const sum = 'sum'

testLayerCases('losses', [
  functionCase('l1Loss none', (x, y) => F.l1Loss(x, y, { reduction: none })),
  layerCase('L1Loss sum', () => new nn.L1Loss({ reduction: sum })),
  functionCase('mseLoss none', (x, y) => F.mseLoss(x, y, { reduction: none })),
  layerCase('MSELoss mean', () => new nn.MSELoss()),
  functionCase('huberLoss delta', (x, y) => F.huberLoss(x, y, { delta: 0.6, reduction: none })),
  layerCase('HuberLoss sum', () => new nn.HuberLoss({ delta: 1.7, reduction: sum })),
  functionCase('smoothL1Loss beta', (x, y) => F.smoothL1Loss(x, y, { beta: 0.6, reduction: none })),
  functionCase('smoothL1Loss absolute', (x, y) => F.smoothL1Loss(x, y, { beta: 0 })),
  layerCase('SmoothL1Loss sum', () => new nn.SmoothL1Loss({ beta: 1.7, reduction: sum })),
  functionCase('poissonNllLoss full', (x, y) =>
    F.poissonNllLoss(x, y, { logInput: false, full: true, eps: 0.01, reduction: none }),
  ),
  layerCase('PoissonNLLLoss log', () => new nn.PoissonNLLLoss({ reduction: sum })),
  functionCase('gaussianNllLoss full', (x, y, v) =>
    F.gaussianNllLoss(x, y, v, { full: true, eps: 0.3, reduction: none }),
  ),
  functionCase('gaussianNllLoss rows', (x, y, v) => F.gaussianNllLoss(x, y, v)),
  layerCase('GaussianNLLLoss column', () => new nn.GaussianNLLLoss({ eps: 0.2, reduction: sum })),

  functionCase('crossEntropy classes', (x, y, weight) =>
    F.crossEntropy(x, y, { weight, ignoreIndex: 3, labelSmoothing: 0.15 }),
  ),
  functionCase('crossEntropy probabilities', (x, y) => F.crossEntropy(x, y, { labelSmoothing: 0.1, reduction: none })),
  functionCase('crossEntropy one', (x, y) => F.crossEntropy(x, y, { reduction: sum })),
  layerCase(
    'CrossEntropyLoss weighted',
    () => new nn.CrossEntropyLoss({ weight: ones([7]), ignoreIndex: 0, labelSmoothing: 0.2 }),
  ),
  functionCase('nllLoss weighted', (x, y, weight) => F.nllLoss(x, y, { weight, ignoreIndex: 2, reduction: none })),
  layerCase('NLLLoss weighted', () => new nn.NLLLoss({ weight: ones([7]), ignoreIndex: 3 })),
  functionCase('binaryCrossEntropy none', (x, y, weight) => F.binaryCrossEntropy(x, y, { weight, reduction: none })),
  layerCase('BCELoss weighted', () => new nn.BCELoss({ weight: ones([3, 1]) })),
  functionCase('binaryCrossEntropyWithLogits weights', (x, y, weight, posWeight) =>
    F.binaryCrossEntropyWithLogits(x, y, { weight, posWeight, reduction: none }),
  ),
  layerCase(
    'BCEWithLogitsLoss weights',
    () => new nn.BCEWithLogitsLoss({ weight: ones([5]), posWeight: ones([3, 1]) }),
  ),
  functionCase('klDiv batchmean', (x, y) => F.klDiv(x, y, { reduction: 'batchmean' })),
  functionCase('klDiv none', (x, y) => F.klDiv(x, y, { reduction: none })),
  layerCase('KLDivLoss log', () => new nn.KLDivLoss({ reduction: sum, logTarget: true })),
  functionCase('sigmoidFocalLoss default', (x, y) => F.sigmoidFocalLoss(x, y)),
  functionCase('sigmoidFocalLoss plain', (x, y) => F.sigmoidFocalLoss(x, y, { alpha: -1, gamma: 1.5, reduction: sum })),
  layerCase('SigmoidFocalLoss mean', () => new nn.SigmoidFocalLoss({ alpha: 0.7, gamma: 3, reduction: 'mean' })),

  functionCase('hingeEmbeddingLoss none', (x, y) => F.hingeEmbeddingLoss(x, y, { margin: 0.7, reduction: none })),
  layerCase('HingeEmbeddingLoss sum', () => new nn.HingeEmbeddingLoss({ margin: 1.5, reduction: sum })),
  functionCase('marginRankingLoss none', (a, b, y) => F.marginRankingLoss(a, b, y, { margin: 0.3, reduction: none })),
  layerCase('MarginRankingLoss mean', () => new nn.MarginRankingLoss({ margin: 0.8 })),
  functionCase('softMarginLoss none', (x, y) => F.softMarginLoss(x, y, { reduction: none })),
  layerCase('SoftMarginLoss mean', () => new nn.SoftMarginLoss()),
  functionCase('multiMarginLoss squared', (x, y, weight) =>
    F.multiMarginLoss(x, y, { weight, p: 2, margin: 0.6, reduction: none }),
  ),
  layerCase(
    'MultiMarginLoss weighted',
    () => new nn.MultiMarginLoss({ weight: ones([7]), margin: 0.4, reduction: sum }),
  ),
  functionCase('multilabelMarginLoss none', (x, y) => F.multilabelMarginLoss(x, y, { reduction: none })),
  layerCase('MultiLabelMarginLoss mean', () => new nn.MultiLabelMarginLoss()),
  functionCase('multilabelSoftMarginLoss none', (x, y, weight) =>
    F.multilabelSoftMarginLoss(x, y, { weight, reduction: none }),
  ),
  layerCase('MultiLabelSoftMarginLoss mean', () => new nn.MultiLabelSoftMarginLoss({ weight: ones([5]) })),

  functionCase('cosineEmbeddingLoss none', (a, b, y) =>
    F.cosineEmbeddingLoss(a, b, y, { margin: 0.2, reduction: none }),
  ),
  layerCase('CosineEmbeddingLoss mean', () => new nn.CosineEmbeddingLoss({ margin: -0.3 })),
  functionCase('tripletMarginLoss swap', (a, p, n) =>
    F.tripletMarginLoss(a, p, n, { margin: 0.7, p: 3, eps: 1e-3, swap: true, reduction: none }),
  ),
  layerCase('TripletMarginLoss mean', () => new nn.TripletMarginLoss({ margin: 2, p: 1 })),
  functionCase('tripletMarginWithDistanceLoss default', (a, p, n) =>
    F.tripletMarginWithDistanceLoss(a, p, n, { margin: 0.5, reduction: none }),
  ),
  layerCase('TripletMarginWithDistanceLoss cosine', () => {
    const distance: nn.Distance = (a, b) => rsub(cosineSimilarity(a, b), 1)
    return new nn.TripletMarginWithDistanceLoss({ distance, margin: 0.4, swap: true, reduction: sum })
  }),
  functionCase('contrastiveLoss none', (a, b, y) => F.contrastiveLoss(a, b, y, { margin: 1.5, reduction: none })),
  layerCase('ContrastiveLoss mean', () => new nn.ContrastiveLoss({ margin: 2.5 })),
  functionCase('infoNceLoss batch', (q, k) => F.infoNceLoss(q, k, { temperature: 0.2, reduction: none })),
  functionCase('infoNceLoss shared', (q, k, negatives) => F.infoNceLoss(q, k, { negatives, temperature: 0.3 })),
  layerCase('InfoNCELoss own', () => new nn.InfoNCELoss({ temperature: 0.25, reduction: sum })),
  functionCase('ntXentLoss none', (a, b) => F.ntXentLoss(a, b, { temperature: 0.4, reduction: none })),
  layerCase('NTXentLoss mean', () => new nn.NTXentLoss({ temperature: 0.15 })),
  functionCase('supConLoss none', (z, labels) => F.supConLoss(z, labels, { temperature: 0.3, reduction: none })),
  layerCase('SupConLoss mean', () => new nn.SupConLoss({ temperature: 0.2 })),

  functionCase('diceLoss squared', (p, g) => F.diceLoss(p, g, { smooth: 0.1, squared: true, reduction: none })),
  functionCase('diceLoss default', (p, g) => F.diceLoss(p, g)),
  layerCase('DiceLoss sum', () => new nn.DiceLoss({ smooth: 1, reduction: sum })),
  functionCase('generalizedDiceLoss none', (p, g) => F.generalizedDiceLoss(p, g, { reduction: none })),
  layerCase('GeneralizedDiceLoss mean', () => new nn.GeneralizedDiceLoss({ smooth: 0.1 })),
  functionCase('tverskyLoss none', (p, g) =>
    F.tverskyLoss(p, g, { alpha: 0.2, beta: 0.9, smooth: 0.1, reduction: none }),
  ),
  layerCase('TverskyLoss mean', () => new nn.TverskyLoss()),

  functionCase('ctcLoss padded', (x, y, n, m) => F.ctcLoss(x, y, n, m, { reduction: none })),
  layerCase('CTCLoss row', () => new nn.CTCLoss({ blank: 4, zeroInfinity: true })),
])

test('every loss has a case', () => {
  const tested = new Set([...caseNames('losses')].map((name) => name.split(' ')[0]))
  const losses = [...Object.keys(nn), ...Object.keys(F)]
  expect(losses.filter((name) => !tested.has(name))).toEqual([])
})

describe('what the papers say', () => {
  test('a perfect segmentation loses nothing, also where a class is absent', () => {
    tidy(() => {
      const mask = tensor([
        [
          [1, 1, 1],
          [0, 0, 0],
        ],
      ])
      for (const loss of [F.diceLoss, F.generalizedDiceLoss, F.tverskyLoss]) {
        expect(loss(mask, mask).toNumber()).toBeCloseTo(0, 6)
      }
    })
  })

  test('the Tversky loss with equal weights is the Dice loss', () => {
    tidy(() => {
      const [p, g] = [randn([2, 3, 7]).softmax(1), randn([2, 3, 7]).softmax(1)]
      const dice = F.diceLoss(p, g, { smooth: 0 }).toNumber()
      expect(F.tverskyLoss(p, g, { smooth: 0, alpha: 0.5, beta: 0.5 }).toNumber()).toBeCloseTo(dice, 6)
    })
  })

  test('focal loss without focus or weights is binary cross entropy', () => {
    tidy(() => {
      const [x, y] = [randn([11]), randn([11]).gt(0).to('float32')]
      const focal = F.sigmoidFocalLoss(x, y, { alpha: -1, gamma: 0, reduction: 'mean' }).toNumber()
      expect(focal).toBeCloseTo(F.binaryCrossEntropyWithLogits(x, y).toNumber(), 6)
    })
  })

  test('InfoNCE of equal embeddings is the logarithm of their number', () => {
    tidy(() => {
      const same = ones([8, 4])
      expect(F.infoNceLoss(same, same).toNumber()).toBeCloseTo(Math.log(8), 5)
      expect(F.ntXentLoss(same, same).toNumber()).toBeCloseTo(Math.log(15), 5)
    })
  })

  test('contrastive loss has a finite gradient for equal embeddings', () => {
    tidy(() => {
      const a = zeros([2, 3]).requiresGrad_()
      F.contrastiveLoss(a, zeros([2, 3]), tensor([0, 1])).backward()
      expect(a.grad?.toArray()).toEqual([
        [0, 0, 0],
        [0, 0, 0],
      ])
    })
  })
})

describe('bad input is refused by name', () => {
  const [x, column] = [zeros([3]), zeros([3, 1])]

  test('shapes that would only broadcast', () => {
    expect(() => F.mseLoss(x, column)).toThrow(
      'mseLoss: input [3] and target [3, 1] differ; reshape or expand one of them',
    )
    expect(() => F.gaussianNllLoss(column, column, zeros([2]))).toThrow('variance [2] does not fit input [3, 1]')
    expect(() => F.infoNceLoss(column, column, { negatives: zeros([2, 5]) })).toThrow('they are [M, 1] or [3, M, 1]')
    expect(() => F.supConLoss(column, zeros([2]))).toThrow('there is one for each row')
    expect(() => F.diceLoss(column, column)).toThrow('probabilities are [N, C, d…], got [3, 1]')
    expect(() => F.ntXentLoss(x, x)).toThrow('embeddings are [N, D], got [3]')
  })

  test('options that do not exist, or values outside their range', () => {
    expect(() => F.l1Loss(x, x, { reduction: 'batchmean' as never })).toThrow(
      /reduction is 'batchmean'.*'none', 'mean', 'sum'/,
    )
    expect(() => F.l1Loss(x, x, { beta: 1 } as never)).toThrow("there is no option 'beta'")
    expect(() => F.ntXentLoss(column, column, { temperature: 0 })).toThrow('temperature is 0; it must be above 0')
    expect(() => F.sigmoidFocalLoss(x, x, { alpha: 2 })).toThrow('alpha is 2; it is a weight from 0 to 1')
  })
})

test('weights are part of the state', () => {
  const loss = new nn.BCEWithLogitsLoss({ weight: ones([2]), posWeight: ones([2]) })
  expect([...loss.stateDict().keys()]).toEqual(['weight', 'pos_weight'])
  expect(loss.parameters()).toEqual([])
})
