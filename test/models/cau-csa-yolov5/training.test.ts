// What the network learns from and how, beside hand calculation and a second implementation in PyTorch.
import { describe, expect, test } from 'vitest'
import { YOLOV5_ANCHORS, YOLOv5Loss } from '../../../lib/backbones'
import { anchorFit, Config, createDetector, fittedAnchors } from '../../../lib/models/detection/cau-csa-yolov5'
import { cosineShare, detectorOptimiser, WarmupCosine } from '../../../lib/models/detection/cau-csa-yolov5/schedule'
import { detectorLoss } from '../../../lib/models/detection/cau-csa-yolov5/train'
import { Linear, skipInit } from '../../../lib/nn'
import { ExponentialMovingAverage } from '../../../lib/optim'
import { parseConfig } from '../../../lib/pipeline'
import { arange, noGrad, type Tensor, tensor, tidy, zeros } from '../../../lib/tensor'
import { boxConvert, completeBoxIouLoss } from '../../../lib/vision'

const config = (over: object) => parseConfig(Config, over, 'test')

const plain = { base: 'n', upsampling: 'nearest', attention: 'none' } as const

test('6. zeros in the first cell of stride 8 are a box of the anchor’s size around (4, 4)', () => {
  tidy(() => {
    const model = skipInit(() => createDetector(config({ classes: 1, network: plain })))
    const boxes = model.decode([zeros([1, 3, 1, 1, 6]), zeros([1, 3, 1, 1, 6]), zeros([1, 3, 1, 1, 6])])
    expect(boxes.at(0, 0).narrow(0, 0, 4).toArray()).toEqual([4, 4, 10, 13])
  })
})

test('C. an object belongs to its cell and the two nearest neighbours, at each anchor that fits', () => {
  tidy(() => {
    const model = skipInit(() => createDetector(config({ classes: 3, network: plain })))
    const levels = [80, 40, 20].map((side) => zeros([1, 3, side, side, 8]))
    const found = new YOLOv5Loss(model).assign(
      levels,
      tensor([[0, 2, 0.5281, 0.4469, 0.03, 0.05]], { dtype: 'float64' }),
    )
    const cells = found.map(({ row, column }) => row.map((each, i) => `${each},${column[i]}`))
    const thrice = (...each: string[]) => each.flatMap((cell) => [cell, cell, cell])
    expect(cells).toEqual([thrice('35,42', '35,41', '36,42'), thrice('17,21', '17,20', '18,21'), []])
    expect(found[0]?.anchor).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2])
  })
})

test.each([
  [[5, 5, 4, 2], [6, 5, 4, 2], 0.565517235],
  [[0, 0, 4, 2], [0, 0, 2, 4], 0.299581666],
  [[0, 0, 2, 2], [10, 0, 2, 2], -0.675675675],
  [[1, 2, 3, 5], [2, 2.5, 4, 3], 0.351548167],
  [[3, 4, 5, 6], [3, 4, 5, 6], 1],
])('6. and C. the complete overlap of %j and %j is %f, with a finite gradient', (first, second, expected) => {
  tidy(() => {
    const a = tensor([first], { dtype: 'float64' }).requiresGrad_()
    const corners = (box: Tensor) => boxConvert(box, 'cxcywh', 'xyxy')
    const loss = completeBoxIouLoss(corners(a), corners(tensor([second], { dtype: 'float64' })))
    expect(1 - loss.toNumber()).toBeCloseTo(expected, 6)
    loss.sum().backward()
    expect(a.grad?.isfinite().all().item()).toBe(true)
  })
})

test('D. the loss and its gradients are those of the second implementation', () => {
  tidy(() => {
    const given = config({ classes: 3, size: 64, network: { ...plain, base: 's' } })
    const model = skipInit(() => createDetector(given)).to('float64')
    const levels = [8, 4, 2].map((n, i) => {
      const values = arange(3 * n * n * 8, { dtype: 'float64' })
        .mul(0.05)
        .add(i)
        .sin()
      return values.reshape([1, 3, n, n, 8]).requiresGrad_()
    })
    const targets = tensor([0, 1, 0.53, 0.41, 0.2, 0.3, 0, 2, 0.2, 0.75, 0.4, 0.25], {
      shape: [2, 6],
      dtype: 'float64',
    })
    const objective = detectorLoss(model, given)
    expect(objective.assign(levels, targets).map(({ row }) => row.length)).toEqual([21, 9, 0])
    const { total, box, objectness, classes } = objective.forward(levels, targets)
    total.backward()
    // The second implementation adds 1e-7 to the areas of the overlap.
    expect(box.toNumber()).toBeCloseTo(0.0877021242, 7)
    expect(objectness.toNumber()).toBeCloseTo(0.0403470477, 7)
    expect(classes.toNumber()).toBeCloseTo(0.0275930448, 9)
    expect(total.toNumber()).toBeCloseTo(0.1556422167, 7)
    const expected = [0.0460090951, 0.036975385, 0.0017472274]
    for (const [i, level] of levels.entries()) {
      expect((level.grad as Tensor).abs().sum().toNumber()).toBeCloseTo(expected[i] as number, 7)
    }
  })
})

test('of two objects at one anchor of a cell the last decides the objectness', () => {
  tidy(() => {
    const model = skipInit(() => createDetector(config({ classes: 1, size: 64, network: plain })))
    // Zeros are a box of the first anchor's size, 10 × 13 pixels, in the middle of the cell: the overlap is 1, or a quarter.
    const whole = [0, 0, 3.5 / 8, 3.5 / 8, 10 / 64, 13 / 64]
    const half = [0, 0, 3.5 / 8, 3.5 / 8, 5 / 64, 6.5 / 64]
    const wanted = (objects: number[][]) => {
      const fine = zeros([1, 3, 8, 8, 6], { dtype: 'float64' }).requiresGrad_()
      const levels = [fine, ...[4, 2].map((n) => zeros([1, 3, n, n, 6], { dtype: 'float64' }))]
      new YOLOv5Loss(model).forward(levels, tensor(objects, { dtype: 'float64' })).total.backward()
      // Of the logit: (0.5 − target) times the weight 4 of the level, over 3 · 8 · 8 places.
      return 0.5 - ((fine.grad as Tensor).at(0, 0, 3, 3, 4).toNumber() * 192) / 4
    }
    expect(wanted([half, whole])).toBeCloseTo(1, 6)
    expect(wanted([whole, half])).toBeCloseTo(0.25, 6)
  })
})

test('weights of the loss go with levels, classes and size', () => {
  tidy(() => {
    const four = skipInit(() => createDetector(config({ classes: 40, network: { ...plain, base: 'n6' } })))
    const { options } = detectorLoss(four, config({ classes: 40, size: 1280, network: { base: 'l6' } }))
    expect(options.box).toBeCloseTo((0.05 * 3) / 4, 12)
    expect(options.classes).toBeCloseTo((((0.3 * 40) / 80) * 3) / 4, 12)
    expect(options.objectness).toBeCloseTo((0.7 * 4 * 3) / 4, 12)
  })
})

describe('the schedule', () => {
  test('falls along a cosine to a hundredth for s and to a tenth for l6', () => {
    expect(0.01 * cosineShare(75, 300, 0.01)).toBeCloseTo(0.008550179, 9)
    expect(0.01 * cosineShare(150, 300, 0.01)).toBeCloseTo(0.00505, 12)
    expect(0.01 * cosineShare(75, 300, 0.1)).toBeCloseTo(0.008681981, 9)
    expect(0.01 * cosineShare(150, 300, 0.1)).toBeCloseTo(0.0055, 12)
  })

  test('rises first, biases fall from 0.1, and the momentum rises from 0.8', () => {
    tidy(() => {
      const model = skipInit(() => createDetector(config({ classes: 3, network: { base: 'n' } })))
      const optimiser = detectorOptimiser(model, { learningRate: 0.01, momentum: 0.937, weightDecay: 5e-4 })
      const schedule = new WarmupCosine(optimiser, {
        ...{ epochs: 300, stepsPerEpoch: 50, finalRate: 0.01, warmupSteps: 100, momentum: 0.937 },
      })
      const rates = () => [...schedule.getLastLr(), ...optimiser.paramGroups.map(({ momentum }) => momentum)]
      const close = (expected: readonly number[]) => {
        for (const [i, rate] of rates().entries()) expect(rate).toBeCloseTo(expected[i] as number, 10)
      }
      close([0, 0, 0.1, 0.8, 0.8, 0.8])
      for (let step = 0; step < 25; step++) schedule.step()
      close([0.0025, 0.0025, 0.0775, 0.83425, 0.83425, 0.83425])
      for (let step = 25; step < 200; step++) schedule.step()
      const fourth = 0.01 * cosineShare(4, 300, 0.01)
      close([fourth, fourth, fourth, 0.937, 0.937, 0.937])
    })
  })

  test('lets every weight decay but those of norms, and no bias', () => {
    tidy(() => {
      const model = skipInit(() => createDetector(config({ classes: 3, network: { base: 'n' } })))
      const { paramGroups } = detectorOptimiser(model, { learningRate: 0.01, momentum: 0.9, weightDecay: 5e-4 })
      expect(paramGroups.map(({ weightDecay }) => weightDecay)).toEqual([5e-4, 0, 0])
      const named = new Map<Tensor, string>([...model.namedParameters()].map(([name, parameter]) => [parameter, name]))
      const names = paramGroups.map(({ params }) => params.map((each) => named.get(each) ?? ''))
      expect(names[0]).toContain('model.11.comp.weight')
      expect(names[0]).toContain('model.24.csa.0.att.weight')
      expect(names[0]?.some((name) => name.includes('.bn.'))).toBe(false)
      expect(names[1]?.every((name) => name.endsWith('.bn.weight'))).toBe(true)
      expect(names[2]?.every((name) => name.endsWith('.bias'))).toBe(true)
      expect(names.flat().length).toBe(named.size)
    })
  })

  test('averages of weights forget early ones: the decay is 0.0004998 first and 0.632 after 2000 updates', () => {
    tidy(() => {
      const layer = new Linear(1, 1, { bias: false })
      noGrad(() => layer.weight.fill_(1))
      using average = new ExponentialMovingAverage(layer, { decay: 0.9999, ramp: 2000 })
      noGrad(() => layer.weight.fill_(0))
      average.update()
      expect(average.averages().get('weight')?.toNumber()).toBeCloseTo(0.000499825, 6)
      // The count is n_averaged.
      noGrad(() => average.stateDict().get('n_averaged')?.fill_(1999))
      noGrad(() => average.averages().get('weight')?.fill_(1))
      average.update()
      expect(average.averages().get('weight')?.toNumber()).toBeCloseTo(0.632057, 5)
    })
  })
})

describe('anchors', () => {
  const { three } = YOLOV5_ANCHORS

  test('stay where they fit, and are counted as near within a factor of four', () => {
    expect(
      anchorFit(
        [
          [10, 13],
          [2.5, 3.2],
          [400, 20],
        ],
        [[10, 13]],
      ),
    ).toEqual({ recall: 1 / 3, perObject: 1 / 3 })
    const sizes = Array.from({ length: 100 }, (_, i) => [20 + i, 20 + i] as const)
    expect(fittedAnchors(sizes, three, 0)).toBe(three)
  })

  test('are fitted to objects that are too flat for them, the smallest first', () => {
    const sizes = Array.from({ length: 300 }, (_, i) => [100 + i, 4 + (i % 9)] as const)
    expect(anchorFit(sizes, three.flat()).recall).toBeLessThan(0.5)
    const fitted = fittedAnchors(sizes, three, 0)
    expect(fitted.map((level) => level.length)).toEqual([3, 3, 3])
    expect(anchorFit(sizes, fitted.flat()).recall).toBe(1)
    const areas = fitted.flat().map(([w, h]) => w * h)
    expect(areas).toEqual([...areas].sort((a, b) => a - b))
    expect(fittedAnchors(sizes, three, 0)).toEqual(fitted)
  })
})
