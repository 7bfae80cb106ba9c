import { describe, expect, expectTypeOf, test } from 'vitest'
import { withSampleContext } from '../../../lib/data/sample-context'
import * as T from '../../../lib/data/transforms'
import {
  arange,
  dispose,
  equal,
  Generator,
  memory,
  ones,
  rand,
  stack,
  type Tensor,
  tensor,
  tidy,
  zeros,
} from '../../../lib/tensor'

const seeded = (seed: number) => ({ generator: new Generator(seed) })
const numbers = (t: Tensor) => Array.from(t.to('float64').dataSync(), Number)
const same = (a: Tensor, b: Tensor) => expect(equal(a, b)).toBe(true)

/** A white rectangle on black, with all that tells where it is. */
function scene(seed: number) {
  const [height, width] = [40, 56]
  const [top, left, h, w] = [10 + (seed % 7), 14 + (seed % 11), 12, 18]
  const pixels = zeros([3, height, width])
  pixels.narrow(1, top, h).narrow(2, left, w).fill_(1)
  const corners = tensor([[left, top, left + w, top + h]], { dtype: 'float32' })
  const canvasSize = [height, width] as const
  return {
    image: T.image(pixels),
    mask: T.mask(pixels.select(0, 0).gt(0.5)),
    boxes: T.boundingBoxes(corners, { format: 'xyxy', canvasSize }),
    points: T.keyPoints(tensor([[left + (w - 1) / 2, top + (h - 1) / 2]]), { canvasSize }),
    clip: T.video(stack([pixels, pixels, pixels])),
    name: 'scene',
  }
}

describe('all parts of a sample move alike', () => {
  const movers: readonly (readonly [name: string, transform: T.SampleTransform, slack: number])[] = [
    ['RandomHorizontalFlip', new T.RandomHorizontalFlip({ p: 1 }), 0],
    ['RandomVerticalFlip', new T.RandomVerticalFlip({ p: 1 }), 0],
    ['RandomCrop', new T.RandomCrop([28, 40]), 0],
    ['RandomCrop padded', new T.RandomCrop([50, 60], { padding: 5, padIfNeeded: true }), 0],
    ['Pad', new T.Pad([3, 4, 5, 6]), 0],
    ['CenterCrop odd', new T.CenterCrop([45, 61]), 0],
    ['RandomZoomOut', new T.RandomZoomOut({ p: 1, sideRange: [1, 2] }), 0],
    ['RandomAffine', new T.RandomAffine(0, { translate: [0.1, 0.1], scale: [0.8, 1.2] }), 1],
    ['RandomRotation by quarters', new T.RandomRotation([90, 90], { expand: true }), 0],
    ['RandomResizedCrop', new T.RandomResizedCrop([48, 48], { scale: [0.7, 1], interpolation: 'nearest' }), 1.5],
    ['Resize', new T.Resize([80, 112], { interpolation: 'nearest' }), 0],
  ]
  const runs = movers.flatMap(([name, transform, slack]) =>
    [1, 2, 3, 4].map((seed) => ({ name, transform, slack, seed })),
  )

  test.each(runs)('$name with seed $seed', ({ transform, slack, seed }) => {
    tidy(() => {
      const { image, mask, boxes, points, clip, name } = transform.forward(scene(seed), seeded(seed))
      expect(name).toBe('scene')
      // Where the rectangle is, read from the pixels.
      const lit = image.select(0, 0).gt(0.5)
      same(lit, mask.to('bool'))
      for (const frame of clip.unbind({ dim: 0 })) same(frame, image)
      const places = numbers(lit.nonzero())
      const [rows, columns] = [places.filter((_, i) => i % 2 === 0), places.filter((_, i) => i % 2 === 1)]
      const seen = [Math.min(...columns), Math.min(...rows), Math.max(...columns) + 1, Math.max(...rows) + 1]
      numbers(boxes).forEach((side, i) => {
        expect(Math.abs(side - (seen[i] ?? Number.NaN))).toBeLessThanOrEqual(slack)
      })
      expect(boxes.canvasSize).toEqual(image.shape.slice(-2))
      expect(points.canvasSize).toEqual(image.shape.slice(-2))
      const whole = seen[2] !== image.size(-1) && seen[3] !== image.size(-2) && seen[0] !== 0 && seen[1] !== 0
      const [x = 0, y = 0] = numbers(points)
      if (!whole) return
      // As torchvision, flips count points from pixel centres, rotations from pixel edges: up to a pixel apart.
      expect(Math.abs(x - ((seen[0] ?? 0) + (seen[2] ?? 0) - 1) / 2)).toBeLessThanOrEqual(slack + 1)
      expect(Math.abs(y - ((seen[1] ?? 0) + (seen[3] ?? 0) - 1) / 2)).toBeLessThanOrEqual(slack + 1)
    })
  })

  test('a rotated box is the least upright box around its corners', () => {
    tidy(() => {
      // A square of side 2 about the centre, turned by 45°: its half diagonal is √2.
      const canvasSize = [10, 10] as const
      const box = T.boundingBoxes(tensor([[5, 5, 2, 2]]), { format: 'cxcywh', canvasSize })
      const turned = new T.RandomRotation([45, 45]).forward(box)
      for (const [i, value] of numbers(turned).entries()) expect(value).toBeCloseTo(i < 2 ? 5 : 2 * Math.SQRT2, 5)
      expect(turned.format).toBe('cxcywh')
    })
  })

  test('colour changes pictures alone, and every frame alike', () => {
    tidy(() => {
      const sample = scene(1)
      const jitter = new T.ColorJitter({ brightness: [0.3, 0.6] })
      const { image, mask, boxes, clip } = jitter.forward(sample, seeded(3))
      expect(mask).toBe(sample.mask)
      expect(boxes).toBe(sample.boxes)
      for (const frame of clip.unbind({ dim: 0 })) same(frame, image)
      const [brightest = 0] = numbers(image.max())
      expect(brightest).toBeGreaterThanOrEqual(0.3)
      expect(brightest).toBeLessThanOrEqual(0.6)
    })
  })
})

describe('what is taken for an image', () => {
  const invert = new T.RandomInvert({ p: 1 })

  test('a plain tensor; of several the first', () => {
    tidy(() => {
      const [first, second] = [zeros([3, 2, 2]), zeros([3, 2, 2])]
      expect(numbers(invert.forward(first))).toEqual(new Array(12).fill(1))
      const [changed, left] = invert.forward([first, second] as const)
      expect(numbers(changed)).toEqual(new Array(12).fill(1))
      expect(left).toBe(second)
    })
  })

  test('a marked image, and then no plain tensor', () => {
    tidy(() => {
      const extra = zeros([3, 2, 2])
      const image = T.image(zeros([1, 1, 1]))
      const result = invert.forward({ extra, deep: [{ image }], note: null, when: new Date(0), count: 3 })
      expect(result.extra).toBe(extra)
      expect(numbers(result.deep[0]?.image ?? extra)).toEqual([1])
      expect([result.note, result.when, result.count]).toEqual([null, new Date(0), 3])
    })
  })

  test('marks do not touch the tensor that they were made of, and share its memory', () => {
    tidy(() => {
      const plain = zeros([2, 2])
      const marked = T.mask(plain)
      expect([T.kindOf(plain), T.kindOf(marked), T.isMask(marked)]).toEqual([undefined, 'mask', true])
      plain.fill_(1)
      expect(numbers(marked)).toEqual([1, 1, 1, 1])
      expect(T.kindOf(marked.add(1))).toBeUndefined()
      expect(T.isImage(T.wrapLike(zeros([1, 2, 2]), T.image(zeros([1, 1, 1]))))).toBe(true)
      expect(T.isVideo(T.video(zeros([1, 1, 1, 1])))).toBe(true)
    })
  })

  test('types follow the sample', () => {
    tidy(() => {
      const sample = scene(0)
      const result = new T.RandomHorizontalFlip().forward(sample)
      expectTypeOf(result.boxes).toEqualTypeOf<T.BoundingBoxes>()
      expectTypeOf(result.mask).toEqualTypeOf<T.Mask>()
      expectTypeOf(result.name).toEqualTypeOf<string>()
      const pair = new T.ToDtype('float32').forward([zeros([1, 1, 1], { dtype: 'uint8' }), 3] as const)
      expectTypeOf(pair).toEqualTypeOf<readonly [Tensor, 3]>()
      const crops = new T.FiveCrop(2).forward({ image: zeros([1, 4, 4]), label: 1 })
      expectTypeOf(crops.label).toEqualTypeOf<number>()
      expect(crops.image.map((crop) => crop.shape)).toEqual(new Array(5).fill([1, 2, 2]))
      expect(new T.TenCrop([3, 2]).forward(zeros([1, 4, 4])).length).toBe(10)
    })
  })
})

describe('what is drawn', () => {
  test('a seed repeats; the default generator and that of the sample are used', async () => {
    const transform = new T.RandomResizedCrop(4)
    const image = rand([1, 12, 12])
    const draw = (seed: number) => transform.forward(image, seeded(seed))
    tidy(() => {
      same(draw(7), draw(7))
      expect(equal(draw(7), draw(8))).toBe(false)
    })
    const inLoader = await withSampleContext(7, 0, () => transform.forward(image))
    tidy(() => same(inLoader, draw(7)))
    dispose([image, inLoader])
  })

  test('p = 0 gives the sample itself, p = 1 always changes it, p = 0.3 in 3 of 10', () => {
    tidy(() => {
      const image = T.image(ones([1, 2, 2]))
      const options = seeded(0)
      const changed = (p: number) =>
        Array.from({ length: 1000 }, () => new T.RandomInvert({ p }).forward(image, options) !== image).filter(Boolean)
          .length
      expect(changed(0)).toBe(0)
      expect(changed(1)).toBe(1000)
      // Five standard deviations of 1000 throws.
      expect(Math.abs(changed(0.3) - 300)).toBeLessThan(5 * Math.sqrt(1000 * 0.3 * 0.7))
    })
  })

  test('crops lie inside the image and at every place equally often', () => {
    tidy(() => {
      const crop = new T.RandomCrop([3, 4])
      const generator = new Generator(1)
      const part = zeros([1, 5, 8])
      const counts = new Map<string, number>()
      for (let i = 0; i < 3000; i++) {
        const { top, left } = crop.makeParams([part], generator)
        counts.set(`${top} ${left}`, (counts.get(`${top} ${left}`) ?? 0) + 1)
      }
      // 3 × 5 places, 200 draws for each.
      expect(counts.size).toBe(15)
      for (const count of counts.values()) expect(Math.abs(count - 200)).toBeLessThan(5 * Math.sqrt(200))
    })
  })

  test('the area and the proportions of a resized crop are within their ranges', () => {
    tidy(() => {
      const crop = new T.RandomResizedCrop(1, { scale: [0.2, 0.5], ratio: [0.5, 2] })
      const generator = new Generator(2)
      const part = zeros([1, 400, 300])
      const areas: number[] = []
      for (let i = 0; i < 400; i++) {
        const { height, width } = crop.makeParams([part], generator)
        const area = (height * width) / (400 * 300)
        areas.push(area)
        // Sides are rounded to pixels.
        expect(area).toBeGreaterThan(0.19)
        expect(area).toBeLessThan(0.51)
        expect(width / height).toBeGreaterThan(0.49)
        expect(width / height).toBeLessThan(2.04)
      }
      const mean = areas.reduce((sum, area) => sum + area, 0) / areas.length
      // Even between 0.2 and 0.5: mean 0.35, deviation 0.3 / √12.
      expect(Math.abs(mean - 0.35)).toBeLessThan((5 * 0.3) / Math.sqrt(12 * 400))
    })
  })

  test('RandomAffine draws within its ranges', () => {
    tidy(() => {
      const map = new T.RandomAffine([-10, 20], { translate: [0.1, 0.5], scale: [0.9, 1.5], shear: [-3, 3, 4, 5] })
      const generator = new Generator(3)
      const drawn = Array.from({ length: 300 }, () => map.makeParams([zeros([1, 20, 50])], generator))
      const range = (values: readonly number[]) => [Math.min(...values), Math.max(...values)] as const
      const within = (values: readonly number[], least: number, most: number) => {
        const [low, high] = range(values)
        expect(low).toBeGreaterThanOrEqual(least)
        expect(high).toBeLessThanOrEqual(most)
        expect(high - low).toBeGreaterThan(0.8 * (most - least))
      }
      within(
        drawn.map((params) => params.angle),
        -10,
        20,
      )
      within(
        drawn.map((params) => params.translate[0]),
        -5,
        5,
      )
      within(
        drawn.map((params) => params.translate[1]),
        -10,
        10,
      )
      within(
        drawn.map((params) => params.scale),
        0.9,
        1.5,
      )
      within(
        drawn.map((params) => params.shear[1]),
        4,
        5,
      )
    })
  })

  test('gaussianNoise has its mean and deviation, in uint8 too', () => {
    tidy(() => {
      const noise = new T.GaussianNoise({ mean: 0.1, sigma: 0.05 })
      const floats = noise.forward(zeros([1, 100, 100]).add(0.5), seeded(4))
      const [std, mean] = [floats.std().toNumber(), floats.mean().toNumber()]
      expect(Math.abs(mean - 0.6)).toBeLessThan(5 * 0.0005)
      expect(Math.abs(std - 0.05)).toBeLessThan(0.002)
      const bytes = T.functional.gaussianNoise(zeros([1, 100, 100], { dtype: 'uint8' }).add(100), {
        sigma: 0.1,
        generator: new Generator(1),
      })
      expect(bytes.dtype).toBe('uint8')
      expect(Math.abs(bytes.to('float32').std().toNumber() - 25.5)).toBeLessThan(1)
    })
  })

  test('RandomErasing erases a rectangle of the drawn share', () => {
    tidy(() => {
      const erasing = new T.RandomErasing({ p: 1, scale: [0.1, 0.2], value: [7, 8, 9] })
      const image = zeros([3, 60, 60])
      const erased = erasing.forward(image, seeded(5))
      const share = erased.select(0, 1).eq(8).to('float32').mean().toNumber()
      expect(share).toBeGreaterThan(0.08)
      expect(share).toBeLessThan(0.22)
      expect(image.max().toNumber()).toBe(0)
    })
  })

  test('MixUp and CutMix mix labels by the share of pixels', () => {
    tidy(() => {
      // Image n is filled with n, so that a mean tells the share.
      const images = arange(4, { dtype: 'float32' }).reshape([4, 1, 1, 1]).expand([4, 1, 10, 10])
      const labels = tensor([0, 1, 2, 3], { dtype: 'int64' })
      for (const Mix of [T.MixUp, T.CutMix]) {
        const result = new Mix({ numClasses: 4 }).forward({ labels, images }, seeded(6))
        const share = result.labels.at(3, 3).toNumber()
        expect(share).toBeGreaterThan(0)
        expect(share).toBeLessThan(1)
        expect(result.labels.at(3, 2).toNumber()).toBeCloseTo(1 - share, 5)
        expect(result.images.select(0, 3).mean().toNumber()).toBeCloseTo(3 * share + 2 * (1 - share), 4)
      }
    })
  })

  test('Lambda takes a function, to the kinds that are named', () => {
    tidy(() => {
      const sample = scene(2)
      const doubled = new T.Lambda((image) => image.mul(2)).forward(sample)
      expect(doubled.image.max().toNumber()).toBe(2)
      expect(T.isImage(doubled.image)).toBe(true)
      expect(doubled.mask).toBe(sample.mask)
      const emptied = new T.Lambda((mask) => mask.logicalNot(), ['mask']).forward(sample)
      same(emptied.mask, sample.mask.logicalNot())
      expect(emptied.image).toBe(sample.image)
    })
  })
})

describe('memory', () => {
  test('without a scope nothing is left but the results, which are not the inputs', () => {
    const sample = scene(0)
    const before = memory.stats().tensors
    const pipeline = new T.Compose([
      new T.RandomResizedCrop(16),
      new T.RandomHorizontalFlip({ p: 1 }),
      new T.RandomPerspective({ p: 1 }),
      new T.ColorJitter({ hue: 0.2 }),
      new T.Normalize([0.5], [0.5]),
    ])
    const result = pipeline.forward(sample)
    expect(memory.stats().tensors - before).toBe(5)
    dispose(result)
    expect(memory.stats().tensors).toBe(before)
    const augment = new T.AugMix()
    const image = rand([3, 8, 8])
    dispose(augment.forward(image))
    dispose(T.functional.tenCrop(image, 3))
    dispose(image)
    expect(memory.stats().tensors).toBe(before)
    dispose(sample)
  })

  test('a transform that throws leaves nothing', () => {
    const image = ones([3, 4, 4], { dtype: 'uint8' })
    const before = memory.stats().tensors
    expect(() => new T.Compose([new T.RandomInvert({ p: 1 }), new T.Normalize([0], [1])]).forward(image)).toThrow()
    expect(memory.stats().tensors).toBe(before)
    dispose(image)
  })
})
