import { afterAll, describe, expect, test } from 'vitest'
import { functional as F, isBoundingBoxes, isKeyPoints, kindOf } from '../../../lib/data/transforms'
import { type DType, dispose, memory, type Tensor, tidy } from '../../../lib/tensor'
import { CANVAS, entry, expectAs, input, readFixture } from './support'

const fixture = await readFixture('functional')
const before = memory.stats()
afterAll(() => dispose(fixture))

const AFFINE = { angle: 23, translate: [2, -1], scale: 1.2, shear: [8, -5] } as const
const isFloat = (x: Tensor) => x.isFloatingPoint()
const COEFFICIENTS = F.perspectiveCoefficients(
  [
    [0, 0],
    [16, 0],
    [16, 12],
    [0, 12],
  ],
  [
    [2, 1],
    [14, 0],
    [15, 10],
    [1, 11],
  ],
)
const displacement = entry(fixture, 'input|displacement')

/** By case of the fixture: what runs on each of its inputs. */
const cases: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  ...Object.fromEntries(
    (['nearest', 'nearest-exact', 'bilinear', 'bicubic'] as const).map((interpolation) => [
      `resize ${interpolation}`,
      (x: Tensor) => F.resize(x, [9, 11], { interpolation }),
    ]),
  ),
  'resize larger bilinear': (x) => F.resize(x, [15, 20], { antialias: false }),
  'resize larger bicubic': (x) => F.resize(x, [15, 20], { interpolation: 'bicubic', antialias: false }),
  'resize shorter': (x) => F.resize(x, 7),
  'resize longest': (x) => F.resize(x, 10, { maxSize: 12 }),
  'resize only longest': (x) => F.resize(x, null, { maxSize: 11 }),
  horizontalFlip: (x) => F.horizontalFlip(x),
  verticalFlip: (x) => F.verticalFlip(x),
  crop: (x) => F.crop(x, { top: 2, left: 3, height: 8, width: 9 }),
  'crop beyond': (x) => F.crop(x, { top: -2, left: 9, height: 9, width: 12 }),
  centerCrop: (x) => F.centerCrop(x, [6, 10]),
  'centerCrop larger': (x) => F.centerCrop(x, [15, 9]),
  resizedCrop: (x) => F.resizedCrop(x, { top: 1, left: 4, height: 9, width: 10 }, [6, 8]),
  pad: (x) => F.pad(x, [1, 2, 3, 0], { fill: isFloat(x) ? 0.25 : 7 }),
  'pad pair': (x) => F.pad(x, [2, 1]),
  'pad edge': (x) => F.pad(x, [3, 1, 2, 4], { paddingMode: 'edge' }),
  'pad reflect': (x) => F.pad(x, [3, 1, 2, 4], { paddingMode: 'reflect' }),
  'pad symmetric': (x) => F.pad(x, [3, 1, 2, 4], { paddingMode: 'symmetric' }),
  'pad colour': (x) => F.pad(x, [1, 0, 2, 1], { fill: [0.5, 100, 3.25] }),
  affine: (x) => F.affine(x, AFFINE),
  'affine bilinear': (x) => F.affine(x, { ...AFFINE, interpolation: 'bilinear', fill: 0 }),
  'affine center': (x) =>
    F.affine(x, { angle: -40, translate: [0, 3], scale: 0.7, shear: [0, 12], center: [3, 10], fill: 1 }),
  'affine colour': (x) => F.affine(x, { ...AFFINE, interpolation: 'bilinear', fill: [0.5, 100, 3] }),
  'rotate 90': (x) => F.rotate(x, 90),
  'rotate 180': (x) => F.rotate(x, 180),
  'rotate 270': (x) => F.rotate(x, 270),
  'rotate -30.5': (x) => F.rotate(x, -30.5),
  'rotate expand': (x) => F.rotate(x, 37, { expand: true, interpolation: 'bilinear', fill: 0.5 }),
  'rotate quarter expand': (x) => F.rotate(x, 90, { expand: true }),
  'rotate center': (x) => F.rotate(x, 20, { center: [2, 5], fill: 1 }),
  perspective: (x) => F.perspective(x, COEFFICIENTS, { fill: 0 }),
  'perspective nearest': (x) => F.perspective(x, COEFFICIENTS, { interpolation: 'nearest' }),
  elastic: (x) => F.elastic(x, displacement, kindOf(x) === 'boundingBoxes' ? {} : { fill: 0 }),
  'elastic nearest': (x) => F.elastic(x, displacement, { interpolation: 'nearest' }),
  clampKeyPoints: (x) => (isKeyPoints(x) ? F.clampKeyPoints(x) : x),
  clampBoundingBoxes: (x) => (isBoundingBoxes(x) ? F.clampBoundingBoxes(x) : x),
  rgbToGrayscale: (x) => F.rgbToGrayscale(x),
  'rgbToGrayscale three': (x) => F.rgbToGrayscale(x, { numOutputChannels: 3 }),
  grayscaleToRgb: (x) => F.grayscaleToRgb(x),
  ...Object.fromEntries(
    (['adjustBrightness', 'adjustContrast', 'adjustSaturation', 'adjustSharpness'] as const).flatMap((name) =>
      [0, 0.6, 1.7].map((factor) => [`${name} ${factor === 0 ? '0.0' : factor}`, (x: Tensor) => F[name](x, factor)]),
    ),
  ),
  ...Object.fromEntries([-0.5, 0.13, 0.4].map((hue) => [`adjustHue ${hue}`, (x: Tensor) => F.adjustHue(x, hue)])),
  'adjustContrast|clip': (x) => F.adjustContrast(x, 0.6),
  'adjustHue|clip': (x) => F.adjustHue(x, 0.2),
  'gaussianBlur|clip': (x) => F.gaussianBlur(x, 3),
  'affine|clip': (x) => F.affine(x, { ...AFFINE, interpolation: 'bilinear' }),
  adjustGamma: (x) => F.adjustGamma(x, 1.8),
  'adjustGamma gain': (x) => F.adjustGamma(x, 0.7, { gain: 1.3 }),
  permuteChannels: (x) => F.permuteChannels(x, [2, 0, 1]),
  'posterize 0': (x) => F.posterize(x, 0),
  'posterize 3': (x) => F.posterize(x, 3),
  'posterize 8': (x) => F.posterize(x, 8),
  'posterize short': (x) => F.posterize(x, 4),
  solarize: (x) => F.solarize(x, isFloat(x) ? 0.45 : 120),
  invert: (x) => F.invert(x),
  autocontrast: (x) => F.autocontrast(x),
  equalize: (x) => F.equalize(x),
  gaussianBlur: (x) => F.gaussianBlur(x, [5, 3], { sigma: [1.3, 0.6] }),
  'gaussianBlur wide': (x) => F.gaussianBlur(x, [15, 21], { sigma: [2.5, 4] }),
  'gaussianBlur default': (x) => F.gaussianBlur(x, 7),
  ...Object.fromEntries(
    (['float32', 'float64', 'uint8', 'int16', 'float16'] as const).flatMap((dtype) => [
      [`toDtype ${dtype}`, (x: Tensor) => F.toDtype(x, dtype, { scale: true })],
      [`toDtype plain ${dtype}`, (x: Tensor) => F.toDtype(x, dtype)],
    ]),
  ),
  normalize: (x) => F.normalize(x, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
  erase: (x) => F.erase(x, { top: 3, left: 4, height: 5, width: 6 }, [0.5, 1, 0]),
}

/** Compared below, each in its own way. */
const OTHERS = ['uniformTemporalSubsample', 'fiveCrop', 'tenCrop', 'validBoundingBoxes', 'convertBoundingBoxFormat']
const OTHER_CASES = [...OTHERS, 'perspectiveCoefficients', 'toDtype short', 'uniformTemporalSubsample more']

const outputs = [...fixture.keys()].filter((key) => !key.startsWith('input|') && !key.endsWith(' canvas'))

describe('functional forms give what torchvision gives', () => {
  for (const key of outputs) {
    const [name = '', inputName = 'far'] = key.split('|')
    if (OTHER_CASES.includes(name)) continue
    const beyond = name === 'clampBoundingBoxes' ? 'beyond ' : ''
    test(key, () => {
      tidy(() => {
        const run = cases[key] ?? cases[name]
        if (run === undefined) throw new Error(`no case '${name}' in this test`)
        const value = input(fixture, beyond + inputName)
        const output = run(value)
        // A wide kernel is applied as a row and a column: sums near a half may round to the other side.
        expectAs(output, entry(fixture, key), name === 'gaussianBlur wide' ? 1 : 0)
        expect(kindOf(output)).toBe(kindOf(value))
        const canvas = fixture.get(`${key} canvas`)
        if (canvas && (isBoundingBoxes(output) || isKeyPoints(output))) {
          expect(output.canvasSize).toEqual(canvas.toArray())
        }
      })
    })
  }

  test('every case of the table is in the fixture', () => {
    const stored = new Set(outputs.flatMap((key) => [key, key.split('|')[0] ?? '']))
    expect(Object.keys(cases).filter((name) => !stored.has(name))).toEqual([])
  })

  test('perspectiveCoefficients', () => {
    const expected = Array.from(entry(fixture, 'perspectiveCoefficients').dataSync(), Number)
    for (const [i, value] of COEFFICIENTS.entries()) {
      expect(Math.abs(value - (expected[i] ?? Number.NaN))).toBeLessThan(1e-6)
    }
  })

  test('fiveCrop and tenCrop', () => {
    tidy(() => {
      const five = F.fiveCrop(input(fixture, 'bytes'), [5, 8])
      for (const [i, crop] of five.entries()) expectAs(crop, entry(fixture, `fiveCrop|${i}`))
      const ten = F.tenCrop(input(fixture, 'floats'), [4, 7], { verticalFlip: true })
      expect(ten.length).toBe(10)
      for (const [i, crop] of ten.entries()) expectAs(crop, entry(fixture, `tenCrop|${i}`))
    })
  })

  test('uniformTemporalSubsample', () => {
    tidy(() => {
      const clip = input(fixture, 'clip')
      expectAs(F.uniformTemporalSubsample(clip, 2), entry(fixture, 'uniformTemporalSubsample'))
      expectAs(F.uniformTemporalSubsample(clip, 5), entry(fixture, 'uniformTemporalSubsample more'))
    })
  })

  test.each(['uint8', 'int32', 'float32'] as const)('toDtype from int16 to %s', (dtype: DType) => {
    tidy(() => {
      expectAs(F.toDtype(input(fixture, 'short'), dtype, { scale: true }), entry(fixture, `toDtype short|${dtype}`))
    })
  })

  test.each(['xyxy', 'xywh', 'cxcywh'] as const)('boxes %s', (format) => {
    tidy(() => {
      const boxes = input(fixture, `beyond ${format}`)
      if (!isBoundingBoxes(boxes)) throw new Error('no boxes')
      for (const to of ['xyxy', 'xywh', 'cxcywh'] as const) {
        const converted = F.convertBoundingBoxFormat(boxes, to)
        expectAs(converted, entry(fixture, `convertBoundingBoxFormat|${format} ${to}`))
        expect(converted.format).toBe(to)
      }
      const valid = F.validBoundingBoxes(F.clampBoundingBoxes(boxes), { minSize: 2 })
      expectAs(valid, entry(fixture, `validBoundingBoxes|${format}`))
      expect(F.sanitizeBoundingBoxes(F.clampBoundingBoxes(boxes), { minSize: 2 }).boxes.canvasSize).toEqual(CANVAS)
    })
  })
})

test('functional forms leave no tensors behind', () => {
  const after = memory.stats()
  expect(after.storages - before.storages).toBe(0)
})
