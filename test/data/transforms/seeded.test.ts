import { afterAll, describe, expect, test } from 'vitest'
import * as T from '../../../lib/data/transforms'
import { diag, dispose, eye, Generator, isTensor, memory, roll, type Tensor, tidy } from '../../../lib/tensor'
import { CANVAS, entry, expectAs, input, readFixture } from './support'

// torchvision draws its parameters from PyTorch's generator; ours draw the same numbers in the same order. So a seed
// gives the same sample in both, which tests both what is drawn and what is done with it.
const inputs = await readFixture('functional')
const fixture = await readFixture('seeded')
const before = memory.stats()
afterAll(() => dispose([inputs, fixture]))

const whole = () => ({
  image: T.image(input(inputs, 'bytes')),
  mask: input(inputs, 'mask'),
  boxes: input(inputs, 'xywh'),
  points: input(inputs, 'points'),
})
const without =
  (...left: readonly string[]) =>
  () =>
    Object.fromEntries(Object.entries(whole()).filter(([key]) => !left.includes(key)))
const picture =
  (name = 'bytes') =>
  () => ({ image: input(inputs, name) })
const clip = () => ({ clip: input(inputs, 'clip') })
const batch = () => ({ images: entry(fixture, 'input|mix images'), labels: entry(fixture, 'input|mix labels') })
const beyond = () => T.boundingBoxes(entry(fixture, 'input|detection boxes'), { format: 'xyxy', canvasSize: CANVAS })
const detections = () => ({
  boxes: beyond(),
  labels: entry(fixture, 'input|detection labels'),
  masks: T.mask(entry(fixture, 'input|detection masks')),
})
const matrix = tidy(() => diag(entry(fixture, 'input|matrix diagonal')).add(roll(eye(126), 3, { dims: 0 }).mul(0.1)))
const always = { p: 1 } as const

const cases: Readonly<Record<string, readonly [transform: T.SampleTransform, sample: () => unknown]>> = {
  Resize: [new T.Resize([9, 12]), whole],
  CenterCrop: [new T.CenterCrop(9), whole],
  Pad: [new T.Pad([1, 2, 3, 4], { fill: { mask: 9, others: 1 } }), whole],
  RandomCrop: [new T.RandomCrop([8, 9]), whole],
  'RandomCrop padded': [new T.RandomCrop([16, 15], { padding: [1, 2], padIfNeeded: true, fill: 3 }), whole],
  RandomResizedCrop: [new T.RandomResizedCrop([8, 7]), whole],
  'RandomResizedCrop narrow': [new T.RandomResizedCrop(6, { scale: [0.9, 1], ratio: [3, 4] }), whole],
  RandomHorizontalFlip: [new T.RandomHorizontalFlip(), whole],
  RandomVerticalFlip: [new T.RandomVerticalFlip(), whole],
  RandomZoomOut: [new T.RandomZoomOut({ fill: 2, sideRange: [1, 2] }), whole],
  ScaleJitter: [new T.ScaleJitter([16, 16], { scaleRange: [0.5, 1.2] }), whole],
  RandomShortestSize: [new T.RandomShortestSize([7, 9, 11], { maxSize: 13 }), whole],
  RandomResize: [new T.RandomResize(6, 12), whole],
  RandomRotation: [new T.RandomRotation(40), whole],
  'RandomRotation expand': [new T.RandomRotation([10, 60], { expand: true, interpolation: 'bilinear' }), whole],
  RandomAffine: [new T.RandomAffine(20, { translate: [0.2, 0.1], scale: [0.7, 1.3], shear: 15 }), whole],
  'RandomAffine shears': [new T.RandomAffine([0, 0], { shear: [-10, 10, 5, 20], fill: 4, center: [3, 4] }), whole],
  RandomPerspective: [new T.RandomPerspective({ distortionScale: 0.6, p: 0.8 }), whole],
  ElasticTransform: [new T.ElasticTransform({ alpha: 20, sigma: 0.6 }), without('boxes')],
  RandomIoUCrop: [new T.RandomIoUCrop(), without('points')],
  Grayscale: [new T.Grayscale({ numOutputChannels: 3 }), picture()],
  RandomGrayscale: [new T.RandomGrayscale({ p: 0.5 }), picture()],
  RGB: [new T.RGB(), picture('grey')],
  ColorJitter: [new T.ColorJitter({ brightness: 0.4, contrast: 0.5, saturation: [0.2, 1.8], hue: 0.3 }), picture()],
  RandomChannelPermutation: [new T.RandomChannelPermutation(), picture()],
  RandomPhotometricDistort: [new T.RandomPhotometricDistort({ p: 0.7 }), picture()],
  GaussianBlur: [new T.GaussianBlur(5), picture()],
  GaussianNoise: [new T.GaussianNoise({ mean: 0.1, sigma: 0.2 }), picture('floats')],
  RandomInvert: [new T.RandomInvert(), picture()],
  RandomPosterize: [new T.RandomPosterize(3), picture()],
  RandomSolarize: [new T.RandomSolarize(130), picture()],
  RandomAdjustSharpness: [new T.RandomAdjustSharpness(1.9), picture()],
  RandomAutocontrast: [new T.RandomAutocontrast(), picture()],
  RandomEqualize: [new T.RandomEqualize(), picture()],
  Normalize: [new T.Normalize([0.4, 0.5, 0.6], [0.2, 0.3, 0.4]), picture('floats')],
  ToDtype: [new T.ToDtype('float32', { scale: true }), picture()],
  ConvertImageDtype: [new T.ConvertImageDtype('float32'), picture()],
  RandomErasing: [new T.RandomErasing({ p: 0.8 }), picture()],
  'RandomErasing random': [new T.RandomErasing({ p: 0.8, value: 'random', scale: [0.1, 0.5] }), picture('floats')],
  'AutoAugment imagenet': [new T.AutoAugment(), picture()],
  'AutoAugment cifar10': [new T.AutoAugment({ policy: 'cifar10' }), picture()],
  'AutoAugment svhn': [new T.AutoAugment({ policy: 'svhn' }), picture()],
  RandAugment: [new T.RandAugment(), picture()],
  'RandAugment many': [
    new T.RandAugment({ numOps: 5, magnitude: 20, interpolation: 'bilinear', fill: 128 }),
    picture(),
  ],
  TrivialAugmentWide: [new T.TrivialAugmentWide(), picture()],
  AugMix: [new T.AugMix(), picture()],
  'AugMix deep': [new T.AugMix({ severity: 7, mixtureWidth: 2, chainDepth: 3, alpha: 0.5, allOps: false }), picture()],
  'AugMix batch': [new T.AugMix(), picture('batch')],
  RandomApply: [new T.RandomApply([new T.RandomInvert(always), new T.RandomCrop(8)], { p: 0.5 }), picture()],
  RandomChoice: [
    new T.RandomChoice([new T.RandomInvert(always), new T.RandomPosterize(2, always), new T.RandomCrop(8)], {
      p: [1, 2, 3],
    }),
    picture(),
  ],
  RandomOrder: [
    new T.RandomOrder([new T.RandomSolarize(100, always), new T.RandomCrop(9), new T.RandomPosterize(3, always)]),
    picture(),
  ],
  Compose: [
    new T.Compose([new T.RandomCrop(10), new T.RandomHorizontalFlip(), new T.ColorJitter({ brightness: 0.5 })]),
    picture(),
  ],
  LinearTransformation: [new T.LinearTransformation(matrix, entry(fixture, 'input|mean')), clip],
  UniformTemporalSubsample: [new T.UniformTemporalSubsample(2), clip],
  MixUp: [new T.MixUp({ numClasses: 3 }), batch],
  'MixUp alpha': [new T.MixUp({ alpha: 0.3, numClasses: 4 }), batch],
  CutMix: [new T.CutMix({ numClasses: 3 }), batch],
  'CutMix alpha': [new T.CutMix({ alpha: 3, numClasses: 3 }), batch],
  SanitizeBoundingBoxes: [
    new T.Compose([new T.ClampBoundingBoxes(), new T.SanitizeBoundingBoxes({ minSize: 2, minArea: 3 })]),
    detections,
  ],
  ClampBoundingBoxes: [new T.ClampBoundingBoxes(), () => ({ boxes: beyond() })],
  ConvertBoundingBoxFormat: [new T.ConvertBoundingBoxFormat('cxcywh'), () => ({ boxes: beyond() })],
  ClampKeyPoints: [new T.ClampKeyPoints(), () => ({ points: input(inputs, 'far') })],
}

describe('a seed gives the sample that it gives in torchvision', () => {
  for (const [name, [transform, sample]] of Object.entries(cases)) {
    test.each([0, 1, 2])(`${name} with seed %i`, (seed) => {
      tidy(() => {
        const given = sample() as Readonly<Record<string, Tensor>>
        const result = transform.forward(given, { generator: new Generator(seed) })
        expect(Object.keys(result)).toEqual(Object.keys(given))
        for (const [key, value] of Object.entries(result)) {
          expectAs(value, entry(fixture, `${name}|${seed}|${key}`))
          expect(T.kindOf(value)).toBe(T.kindOf(given[key]))
          const canvas = fixture.get(`${name}|${seed}|${key} canvas`)
          if (canvas && (T.isBoundingBoxes(value) || T.isKeyPoints(value))) {
            expect(value.canvasSize).toEqual(canvas.toArray())
          }
        }
      })
    })
  }

  test('every case of the fixture is tested', () => {
    const stored = [...fixture.keys()].map((key) => key.split('|')[0] ?? '').filter((name) => name !== 'input')
    expect([...new Set(stored)].filter((name) => !(name in cases))).toEqual([])
  })
})

/** What computes nothing on its own, and what other tests name. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  ...['Transform', 'FixedTransform', 'RandomTransform', 'functional'],
  ...['FiveCrop', 'TenCrop', 'Lambda'],
  ...['image', 'video', 'mask', 'boundingBoxes', 'keyPoints', 'wrapLike', 'kindOf'],
  ...['isImage', 'isVideo', 'isMask', 'isBoundingBoxes', 'isKeyPoints'],
])

describe('every export is compared with torchvision', () => {
  const tested = new Set(Object.keys(cases).map((name) => name.split(' ')[0]))
  test.each(Object.keys(T).filter((name) => !ELSEWHERE.has(name)))('%s', (name) => {
    expect(tested.has(name), `a case '${name}' in tools/reference/transforms.py`).toBe(true)
  })

  const functions = new Set([...inputs.keys()].map((key) => key.split('|')[0]?.split(' ')[0]))
  /** Tested by name in transforms.test.ts. */
  const named = ['gaussianNoise', 'sanitizeBoundingBoxes']
  test.each(Object.keys(T.functional).filter((name) => !named.includes(name)))('functional.%s', (name) => {
    expect(functions.has(name), `a case '${name}' in tools/reference/transforms.py`).toBe(true)
  })
})

test('transforms leave no tensors behind', () => {
  expect(isTensor(matrix)).toBe(true)
  expect(memory.stats().tensors - before.tensors).toBe(1)
})
