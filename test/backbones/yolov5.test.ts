// YOLOv5's loss and suppression beside its package's, on the numbers of tools/reference/backbones/yolo.py.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { suppressPredictions, YOLOv5Loss, yolov5n, yolov5n6 } from '../../lib/backbones'
import { skipInit } from '../../lib/nn'
import { cat, manualSeed, type Tensor, tensor, tidy, zeros } from '../../lib/tensor'
import { hashTensor } from '../support/hash-weights'

interface Reference {
  readonly losses: readonly {
    readonly changed: Readonly<Record<string, number>>
    readonly targets: number[][]
    readonly total: number
    readonly parts: readonly [number, number, number]
    readonly gradients: readonly number[]
  }[]
  readonly suppressions: readonly {
    readonly options: {
      multi_label?: boolean
      agnostic?: boolean
      classes?: number[]
      max_det?: number
      conf_thres?: number
    }
    readonly found: readonly number[][][]
  }[]
}

const reference = JSON.parse(readFileSync(new URL('../fixtures/yolov5.json', import.meta.url), 'utf8')) as Reference

const LOSS_NAMES: Readonly<Record<string, string>> = {
  fl_gamma: 'focalGamma',
  label_smoothing: 'labelSmoothing',
  cls_pw: 'classesPositive',
  obj_pw: 'objectnessPositive',
  anchor_t: 'anchorThreshold',
}

describe('YOLOv5Loss', () => {
  for (const { changed, targets, total, parts, gradients } of reference.losses) {
    test(`of ${targets.length} objects with ${JSON.stringify(changed)} is the package's, and so are its gradients`, () => {
      tidy(() => {
        const options = Object.fromEntries(Object.entries(changed).map(([key, value]) => [LOSS_NAMES[key], value]))
        const loss = new YOLOv5Loss(yolov5n({ numClasses: 11 }), options)
        const levels = [0, 1, 2].map((i) => hashTensor(`level${i}`, [2, 3, 64 >> i, 80 >> i, 16], 2).requiresGrad_())
        const given = targets.length === 0 ? zeros([0, 6]) : tensor(targets)
        const values = loss.forward(levels, given)
        values.total.backward()
        expect(values.total.toNumber()).toBeCloseTo(total, 4)
        for (const [i, part] of [values.box, values.objectness, values.classes].entries()) {
          expect(part.toNumber()).toBeCloseTo(parts[i] as number, 5)
        }
        for (const [i, level] of levels.entries()) {
          const norm = (level.grad as Tensor).to('float64').norm().toNumber()
          expect(Math.abs(norm / (gradients[i] as number) - 1)).toBeLessThan(1e-4)
        }
      })
    })
  }

  test('refuses targets that are not rows of six', () => {
    tidy(() => {
      const loss = new YOLOv5Loss(skipInit(() => yolov5n()))
      expect(() => loss.forward([zeros([1, 3, 8, 8, 85])], zeros([2, 5]))).toThrow(/\[objects, 6\]/)
    })
  })
})

describe('suppressPredictions', () => {
  for (const { options, found } of reference.suppressions) {
    test(`with ${JSON.stringify(options)} finds what the package finds`, () => {
      tidy(() => {
        const predictions = cat([hashTensor('boxes', [2, 60, 4], 20, 50), hashTensor('odds', [2, 60, 6], 0.5, 0.5)], {
          dim: 2,
        })
        const { multi_label: multiLabel, max_det: maxDetections, conf_thres: scoreThreshold, ...rest } = options
        const given = {
          ...rest,
          ...(multiLabel !== undefined && { multiLabel }),
          ...(maxDetections !== undefined && { maxDetections }),
          ...(scoreThreshold !== undefined && { scoreThreshold }),
        }
        for (const [i, { boxes, scores, labels }] of suppressPredictions(predictions, given).entries()) {
          const rows = cat([boxes, scores.unsqueeze(1), labels.to('float32').unsqueeze(1)], { dim: 1 })
          const expected = found[i] as number[][]
          expect(rows.shape).toEqual([expected.length, 6])
          expect(rows.sub(tensor(expected)).abs().max().toNumber()).toBeLessThan(1e-4)
        }
      })
    })
  }

  test('names the threshold that is out of range, and the shape that is wrong', () => {
    tidy(() => {
      expect(() => suppressPredictions(zeros([1, 2, 7]), { iouThreshold: 45 })).toThrow(/iouThreshold is 45/)
      expect(() => suppressPredictions(zeros([2, 7]))).toThrow(/\[N, boxes, 5 \+ classes\]/)
    })
  })
})

describe('YOLOv5', () => {
  test('begins with biases for eight objects in an image of 640 and 0.6 of them in a class', () => {
    tidy(() => {
      manualSeed(0)
      const { head } = yolov5n({ numClasses: 20 })
      for (const [i, { bias }] of [...head.m].entries()) {
        const numbers = (bias as Tensor).view([3, 25])
        // Drawn first within ±1/√fanIn = ±1/√(64 · 2^i).
        const within = 1 / Math.sqrt(64 * 2 ** i)
        const objectness = numbers.select(1, 4).sub(Math.log(8 / (80 / 2 ** i) ** 2))
        expect(objectness.abs().max().toNumber()).toBeLessThanOrEqual(within + 1e-5)
        const classes = numbers.narrow(1, 5, 20).sub(Math.log(0.6 / (20 - 0.99999)))
        expect(classes.abs().max().toNumber()).toBeLessThanOrEqual(within + 1e-5)
      }
    })
  })

  test('decodes zeros to the cells’ centres and the anchors', () => {
    tidy(() => {
      const network = skipInit(() => yolov5n({ numClasses: 1 }))
      const boxes = network.decode([zeros([1, 3, 2, 2, 6]), zeros([1, 3, 1, 1, 6]), zeros([1, 3, 1, 1, 6])])
      expect(boxes.shape).toEqual([1, 18, 6])
      // The second anchor of stride 8, in the cell of the second column and the first row.
      expect([...(boxes.at(0, 5).dataSync() as Float32Array)]).toEqual([12, 4, 16, 30, 0.5, 0.5])
      expect([...(boxes.at(0, 17).dataSync() as Float32Array)]).toEqual([16, 16, 373, 326, 0.5, 0.5])
    })
  })

  test('refuses images that its strides do not divide, and anchors that are not for each level', () => {
    tidy(() => {
      const network = skipInit(() => yolov5n6())
      expect(() => network.forward(zeros([1, 3, 96, 128]))).toThrow(/multiples of 64: letterbox/)
      expect(() => skipInit(() => yolov5n({ anchors: [[[10, 10]]] }))).toThrow(/each of the 3 levels/)
    })
  })
})
