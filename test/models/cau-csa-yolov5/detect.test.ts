// From files to objects: squares, merging, average precision, the command.
import { describe, expect, test } from 'vitest'
import { suppressPredictions, type YOLOv5 } from '../../../lib/backbones'
import { evaluateCoco } from '../../../lib/metrics'
import { Config, Finder, SmallObjectDetector, system } from '../../../lib/models/detection/cau-csa-yolov5'
import { variantTable } from '../../../lib/models/detection/cau-csa-yolov5/ablations'
import { squaresOf } from '../../../lib/models/detection/cau-csa-yolov5/detect'
import { Module, parameter } from '../../../lib/nn'
import { parseConfig, saveSystemWeights } from '../../../lib/pipeline'
import { full, manualSeed, ones, type Tensor, tensor, tidyAsync, zeros } from '../../../lib/tensor'
import { runCli } from '../../support/cli'
import { liveTensors, liveTensorsDownTo } from '../../support/live-tensors'
import { temporaryFolder } from '../../support/temporary-folder'

const folder = temporaryFolder()
const PICTURE = 'examples/data/rubberwhale1.png'

describe('7. average precision', () => {
  type Box = readonly [number, number, number, number]
  const objects = (list: readonly (readonly [image: number, category: number, box: Box])[]) =>
    list.map(([image_id, category_id, bbox]) => ({ image_id, category_id, bbox, area: bbox[2] * bbox[3], iscrowd: 0 }))
  const found = (list: readonly (readonly [image: number, category: number, score: number, box: Box])[]) =>
    list.map(([image_id, category_id, score, bbox]) => ({ image_id, category_id, score, bbox }))
  const truth = (count: number, categories: readonly number[], annotations: ReturnType<typeof objects>) => ({
    images: Array.from({ length: count }, (_, id) => ({ id, height: 400, width: 400 })),
    categories: categories.map((id) => ({ id })),
    annotations,
  })

  test('is 1 for a perfect detector, and a half when one false object comes first', () => {
    const one = truth(1, [0], objects([[0, 0, [10, 10, 20, 20]]]))
    expect(evaluateCoco(one, found([[0, 0, 0.9, [10, 10, 20, 20]]])).ap).toBeCloseTo(1, 12)
    const late = found([
      [0, 0, 0.9, [100, 100, 20, 20]],
      [0, 0, 0.8, [10, 10, 20, 20]],
    ])
    expect(evaluateCoco(one, late).ap).toBeCloseTo(0.5, 12)
  })

  test('D. of three pictures and two classes is that of the second implementation', () => {
    const gt = objects([
      [0, 0, [0, 0, 10, 10]],
      [0, 0, [100, 100, 50, 50]],
      [1, 0, [20, 20, 40, 40]],
      [1, 1, [0, 0, 120, 120]],
    ])
    const dt = found([
      [0, 0, 0.9, [0, 0, 10, 10]],
      [0, 0, 0.6, [100, 100, 50, 40]],
      [0, 0, 0.5, [300, 300, 10, 10]],
      [1, 0, 0.8, [20, 20, 40, 40]],
      [1, 0, 0.7, [22, 20, 40, 40]],
      [1, 1, 0.4, [0, 0, 120, 100]],
      [2, 0, 0.95, [5, 5, 12, 12]],
    ])
    const { ap, ap50, apSmall, apMedium, apLarge } = evaluateCoco(truth(3, [0, 1], gt), dt)
    const expected = [0.641815, 0.822112, 0.5, 0.735974, 0.7]
    for (const [i, value] of [ap, ap50, apSmall, apMedium, apLarge].entries())
      expect(value).toBeCloseTo(expected[i] as number, 6)
  })
})

describe('large pictures', () => {
  test('of 2048 pixels are cut into four corners of 1280 that overlap by 512', () => {
    const starts = squaresOf(2048, 2048, { crop: 1280, overlap: 512 }).map(({ left, top }) => [top, left])
    expect(starts).toEqual([
      [0, 0],
      [0, 768],
      [768, 0],
      [768, 768],
    ])
    expect(squaresOf(300, 500, { crop: undefined, overlap: 512 })).toEqual([
      { left: 0, top: 0, width: 500, height: 300 },
    ])
    const wide = squaresOf(100, 300, { crop: 128, overlap: 32 })
    expect(wide.map(({ left, height }) => [left, height])).toEqual([
      [0, 100],
      [96, 100],
      [172, 100],
    ])
  })

  /** Finds the brightest pixel of a square: a box of 8 pixels around it. */
  class Brightest extends Module {
    readonly weight = parameter(ones([1]))
    readonly strides = [32]
    forward(images: Tensor): Tensor[] {
      return [images]
    }
    decode([images]: readonly Tensor[]): Tensor {
      const grey = (images as Tensor).mean({ dim: [1] })
      const [, height = 0, width = 0] = grey.shape
      const flat = grey.reshape([height * width])
      const place = flat.argmax({ dim: 0 }).to('float32')
      const [y, x] = [place.div(width).floor(), place.remainder(width)]
      const score = flat.max().gt(0.9).to('float32').mul(0.9)
      const box = [x.add(0.5), y.add(0.5), place.mul(0).add(8), place.mul(0).add(8), score, score.mul(0).add(1)]
      return tensor([0, 1, 2, 3, 4, 5].map(() => 0))
        .reshape([1, 1, 6])
        .add(joined(box))
    }
  }
  const joined = (parts: readonly Tensor[]) =>
    parts.reduce((sum, part, i) => sum.add(part.mul(unit(i))), zeros([6])).reshape([1, 1, 6])
  const unit = (i: number) => tensor([0, 1, 2, 3, 4, 5].map((j) => (i === j ? 1 : 0)))

  test('have objects that two squares see once, in pixels of the picture, and none that a cut goes through', async () => {
    await tidyAsync(async () => {
      const config = parseConfig(Config, { size: 64, crop: 64, overlap: 32, classes: 1 }, 'test')
      const options = { scoreThreshold: 0.25, iouThreshold: 0.45, maxDetections: 300, multiLabel: false }
      using finder = new Finder(new Brightest() as unknown as YOLOv5, config)
      const at = async (row: number, column: number) => {
        const image = zeros([3, 96, 160])
        image.narrow(1, row, 1).narrow(2, column, 1).fill_(1)
        const { boxes } = await finder.find(image, options)
        return boxes.toArray()
      }
      // In the squares from 32 and from 64 of both rows of squares.
      expect(await at(40, 80)).toEqual([[76.5, 36.5, 84.5, 44.5]])
      // In the last column, which one column of squares sees.
      expect(await at(10, 150)).toEqual([[146.5, 6.5, 154.5, 14.5]])
      // Cut at 64 by the first square, whole in those from 32 and 64.
      expect(await at(10, 62)).toEqual([[58.5, 6.5, 66.5, 14.5]])
    })
  })
})

test('suppression keeps the least box and counts by class', async () => {
  await tidyAsync(async () => {
    const row = (x: number, size: number, objectness: number, a: number, b: number) => [
      x,
      x,
      size,
      size,
      objectness,
      a,
      b,
    ]
    const predictions = tensor([[row(10, 1, 0.9, 0.9, 0.1), row(50, 10, 0.2, 1, 1), row(10, 1, 0.8, 0.2, 0.9)]])
    const [found] = suppressPredictions(predictions, { scoreThreshold: 0.25, iouThreshold: 0.45 })
    expect(found?.labels.toArray()).toHaveLength(2)
    expect(found?.boxes.at(0).toArray()).toEqual([9.5, 9.5, 10.5, 10.5])
  })
})

test('the table has the columns of the paper’s Table 1', () => {
  const row = {
    variant: 'base',
    apSmall: 0.639,
    apMedium: -1,
    apLarge: 0.871,
    ap50: 0.955,
    ap: 0.765,
    parameters: 76_500_952,
    gflops: 110.785,
  } as const
  expect(variantTable([row]).split('\n')[1]?.split(/\s+/)).toEqual([
    'base',
    '63.9',
    '–',
    '87.1',
    '95.5',
    '76.5',
    '76.5M',
    '110.8',
  ])
})

describe('the pipeline', () => {
  test('refuses to run without weights, and says how to get some', async () => {
    await expect(SmallObjectDetector.load()).rejects.toThrow(/there are no weights.*vision-native train cau-csa-yolov5/)
  })

  test('finds nothing in grey, leaves no tensors, and stops when asked', async () => {
    const before = await liveTensors()
    await tidyAsync(async () => {
      manualSeed(0)
      using detector = await SmallObjectDetector.load({ weights: 'random', config: system.tiny, device: 'cpu' })
      using found = await detector.run(full([3, 50, 70], 0.5))
      expect(found.objects).toEqual([])
      await expect(detector.run(full([3, 50, 70], 0.5), { signal: AbortSignal.abort() })).rejects.toThrow(/cancelled/)
      const maps = await detector.heatMaps(full([3, 50, 70], 0.5))
      expect(maps.map(({ name }) => name)).toEqual([
        ...['model.11, enlarged', 'model.15, enlarged'],
        ...[0, 1, 2].flatMap((i) => [`model.24.csa.${i}, before`, `model.24.csa.${i}, after`]),
      ])
      for (const { picture } of maps) {
        expect([picture.height, picture.width]).toEqual([50, 70])
        expect(picture.image.isfinite().all().item()).toBe(true)
        picture.dispose()
      }
    })
    expect(await liveTensorsDownTo(before)).toBe(before)
  })

  test('the command writes objects as JSON', async () => {
    const weights = folder('weights.safetensors')
    await tidyAsync(async () => {
      manualSeed(0)
      const config = parseConfig(Config, { ...system.tiny, classes: ['left', 'right'] }, 'test')
      using model = system.create(config)
      await saveSystemWeights(weights, 'cau-csa-yolov5', config, model)
    })
    const args = ['detect', PICTURE, '--weights', weights, '--device', 'cpu', '--json']
    const { code, stdout, stderr } = await runCli([...args, '--set', 'inference.scoreThreshold=0'])
    expect(stderr).toBe('')
    expect(code).toBe(0)
    const { results } = JSON.parse(stdout)
    const { objects } = results[0].result
    expect(objects.length).toBeGreaterThan(0)
    for (const { label, score, box } of objects) {
      expect(['left', 'right']).toContain(label)
      expect(score).toBeGreaterThan(0)
      expect(Math.min(...box)).toBeGreaterThanOrEqual(0)
      // The picture is 584 × 388.
      expect(box[2]).toBeLessThanOrEqual(584)
      expect(box[3]).toBeLessThanOrEqual(388)
    }
  })

  test('a mistyped option is named with the nearest', async () => {
    const config = { inference: { scoreTreshold: 0 } } as object
    const load = SmallObjectDetector.load({ weights: 'random', config })
    await expect(load).rejects.toThrow(/scoreTreshold is no key; the nearest is inference.scoreThreshold/)
    await expect(
      SmallObjectDetector.load({ weights: 'random', config: { size: 96, network: { base: 's6' } } }),
    ).rejects.toThrow(/size is 96; for s6 it must be a multiple of 64/)
  })
})
