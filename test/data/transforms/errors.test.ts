import { afterAll, describe, expect, test } from 'vitest'
import * as T from '../../../lib/data/transforms'
import { VisionNativeError } from '../../../lib/native/errors'
import { dispose, ones, tensor, zeros } from '../../../lib/tensor'

const F = T.functional
const image = ones([3, 8, 10])
const bytes = ones([3, 8, 10], { dtype: 'uint8' })
const labels = tensor([0, 1], { dtype: 'int64' })
const batch = ones([2, 3, 4, 4])
const canvasSize = [8, 10] as const
const boxes = T.boundingBoxes(tensor([[1, 2, 3, 4]]), { format: 'xyxy', canvasSize })
const flatMask = T.mask(zeros([8, 10]))
afterAll(() => dispose([image, bytes, labels, batch, boxes, flatMask]))

const mistakes: readonly (readonly [kind: 'Argument' | 'Shape' | 'DType', message: RegExp, attempt: () => unknown])[] =
  [
    ['Argument', /RandomHorizontalFlip: p is 1.5; .*from 0 to 1/, () => new T.RandomHorizontalFlip({ p: 1.5 })],
    ['Argument', /RandomApply: p is -1/, () => new T.RandomApply([new T.RGB()], { p: -1 })],
    ['Argument', /no option 'prob'; it takes p/, () => new T.RandomInvert({ prob: 1 } as never)],
    ['Argument', /Resize: size is \[-3\]; .*1 or more/, () => new T.Resize(-3)],
    ['Argument', /Resize: size is \[4, 2.5\]/, () => new T.Resize([4, 2.5])],
    ['Argument', /maxSize 4 must be above 5/, () => new T.Resize(5, { maxSize: 4 })],
    ['Argument', /maxSize 9 with size \[5, 6\]/, () => new T.Resize([5, 6], { maxSize: 9 })],
    ['Argument', /size is null; then maxSize/, () => new T.Resize(null)],
    ['Argument', /interpolation is 'cubic'.*'bicubic'/, () => new T.Resize(5, { interpolation: 'cubic' as never })],
    ['Argument', /would become 1 × 0/, () => F.resize(ones([1, 20, 2]), null, { maxSize: 1 })],
    ['Argument', /CenterCrop: size is \[0\]/, () => new T.CenterCrop(0)],
    ['Shape', /crop 9 × 9 is bigger than the image, 8 × 10/, () => new T.RandomCrop(9).forward(image)],
    ['Shape', /crop 9 × 9 is bigger than the image 8 × 10/, () => new T.FiveCrop(9).forward(image)],
    ['Argument', /FiveCrop: the sample holds a mask/, () => new T.FiveCrop(2).forward({ image, flatMask })],
    ['Argument', /padding is \[1, 2, 3\]; .*left, top, right, bottom/, () => new T.Pad([1, 2, 3] as never)],
    ['Argument', /leaves nothing of 8 × 10/, () => F.pad(image, -5)],
    ['Argument', /paddingMode 'reflect' is more than 8 × 10/, () => F.pad(image, 9, { paddingMode: 'reflect' })],
    ['Argument', /paddingMode 'edge' with bounding boxes/, () => F.pad(boxes, 1, { paddingMode: 'edge' })],
    ['Argument', /fill has 2 values, the image or mask 3/, () => F.pad(image, 1, { fill: [1, 2] })],
    ['Argument', /one for each channel, or \{ image, mask \}/, () => F.affine(flatMask, { fill: [1, 2, 3] })],
    ['Argument', /window is 0 × 3/, () => F.crop(image, { top: 0, left: 0, height: 0, width: 3 })],
    ['Argument', /scale is 0; it must be above 0/, () => F.affine(image, { scale: 0 })],
    ['Argument', /angle is NaN/, () => F.rotate(image, Number.NaN).neg()],
    ['Argument', /RandomRotation: degrees is -5; .*0 or more/, () => new T.RandomRotation(-5)],
    ['Argument', /translate is \(2, 0\); .*from 0 to 1/, () => new T.RandomAffine(5, { translate: [2, 0] })],
    ['Argument', /RandomAffine: scale is \(2, 1\); .*in order/, () => new T.RandomAffine(5, { scale: [2, 1] })],
    ['Argument', /distortionScale is 2/, () => new T.RandomPerspective({ distortionScale: 2 })],
    ['Argument', /eight finite numbers/, () => F.perspective(image, [1, 2, 3])],
    [
      'Argument',
      /lie on a line/,
      () =>
        F.perspectiveCoefficients(
          [
            [0, 0],
            [1, 0],
            [1, 1],
            [0, 1],
          ],
          [
            [0, 0],
            [1, 1],
            [2, 2],
            [3, 3],
          ],
        ),
    ],
    ['Shape', /displacement has shape \[1, 2, 2, 2\]; .*\[1, 8, 10, 2\]/, () => F.elastic(image, zeros([1, 2, 2, 2]))],
    ['Argument', /ColorJitter: brightness is -1/, () => new T.ColorJitter({ brightness: -1 })],
    ['Argument', /ColorJitter: hue is \(-0.7, 0.7\); .*from -0.5 to 0.5/, () => new T.ColorJitter({ hue: 0.7 })],
    ['Argument', /hueFactor is 0.6/, () => F.adjustHue(image, 0.6)],
    ['Argument', /saturationFactor is -2/, () => F.adjustSaturation(image, -2)],
    ['Shape', /adjustContrast: .*1 or 3 channels/, () => F.adjustContrast(ones([2, 4, 4]), 1)],
    ['Argument', /kernelSize is 4; it must be odd/, () => new T.GaussianBlur(4)],
    ['Argument', /kernelSize \(21, 21\) is too large for an image of 8 × 10/, () => F.gaussianBlur(image, 21)],
    ['Argument', /GaussianBlur: sigma is \(0, 1\)/, () => new T.GaussianBlur(3, { sigma: [0, 1] })],
    ['Argument', /bits is 9; .*from 0 to 8/, () => new T.RandomPosterize(9)],
    ['Argument', /threshold is 300; for uint8 it must be at most 255/, () => F.solarize(bytes, 300)],
    ['DType', /normalize: the image is uint8; .*toDtype/, () => new T.Normalize([0.5], [0.5]).forward(bytes)],
    ['Argument', /std is \(1, 0, 1\); a zero/, () => new T.Normalize([0, 0, 0], [1, 0, 1])],
    ['Shape', /image of 3 channels; give a number for each/, () => F.normalize(image, [1, 2], [1, 1])],
    ['DType', /float32 cannot tell all values of int64/, () => F.toDtype(image, 'int64', { scale: true })],
    [
      'Argument',
      /sample holds a mask, for which no dtype/,
      () => new T.ToDtype({ image: 'float32' }).forward(flatMask),
    ],
    ['Argument', /ToDtype: there is no kind 'boxes'/, () => new T.ToDtype({ boxes: 'float32' } as never)],
    ['Shape', /have shape|shape \[8, 10\]; .*mark \[H, W\] as mask/, () => F.invert(zeros([8, 10]))],
    ['Argument', /RandomErasing: scale is \(0, 2\)/, () => new T.RandomErasing({ scale: [0, 2] })],
    ['Argument', /RandAugment: magnitude is 31; .*0 to 30/, () => new T.RandAugment({ magnitude: 31 })],
    ['Argument', /RandAugment: the sample holds a mask/, () => new T.RandAugment().forward({ image, flatMask })],
    ['Argument', /AugMix: severity is 11/, () => new T.AugMix({ severity: 11 })],
    ['Argument', /policy is 'mnist'/, () => new T.AutoAugment({ policy: 'mnist' as never })],
    ['Argument', /numClasses says how many/, () => new T.MixUp().forward([batch, labels])],
    ['Argument', /no tensor of labels/, () => new T.CutMix({ numClasses: 2 }).forward({ image: batch })],
    ['Shape', /a batch is \[N, C, H, W\]/, () => new T.MixUp({ numClasses: 2 }).forward([image, labels])],
    ['Shape', /3 images with 2 labels/, () => new T.MixUp({ numClasses: 2 }).forward([ones([3, 3, 4, 4]), labels])],
    ['Argument', /must hold an image and one boundingBoxes/, () => new T.RandomIoUCrop().forward(image)],
    ['Argument', /must hold boundingBoxes/, () => new T.SanitizeBoundingBoxes().forward(image)],
    ['Shape', /1 boxes with labels of shape \(2,\)/, () => new T.SanitizeBoundingBoxes().forward({ boxes, labels })],
    ['Argument', /minSize is 0; it must be 1 or more/, () => new T.SanitizeBoundingBoxes({ minSize: 0 })],
    ['Argument', /Compose: expected a list of transforms, got a list of 0/, () => new T.Compose([])],
    ['Argument', /a function is no transform; wrap .*Lambda/, () => new T.Compose([(() => 1) as never])],
    ['Argument', /p is \(1,\) for 2 transforms/, () => new T.RandomChoice([new T.RGB(), new T.RGB()], { p: [1] })],
    ['Argument', /format is 'xxyy'/, () => T.boundingBoxes(boxes, { format: 'xxyy' as never, canvasSize })],
    ['Argument', /canvasSize is \[0, 5\]/, () => T.boundingBoxes(boxes, { format: 'xyxy', canvasSize: [0, 5] })],
    ['Shape', /boxes are \[N, 4\]/, () => T.boundingBoxes(image, { format: 'xyxy', canvasSize })],
    ['Shape', /points are \[\.\.\., 2\]/, () => T.keyPoints(image, { canvasSize })],
    ['Shape', /video: the tensor has shape \[3, 8, 10\]/, () => T.video(image)],
    [
      'Shape',
      /the image is 8 × 10, the boxes' canvas 20 × 30; .*one height and width/,
      () =>
        new T.RandomHorizontalFlip().forward({
          image: T.image(image),
          boxes: T.boundingBoxes(boxes, { format: 'xyxy', canvasSize: [20, 30] }),
        }),
    ],
    [
      'Argument',
      /erase: the rectangle of 5 × 5 .* not inside/,
      () => F.erase(image, { top: 5, left: 0, height: 5, width: 5 }, 0),
    ],
    ['Shape', /names? each of 0 to 2 once/, () => F.permuteChannels(image, [0, 0, 1])],
    ['Argument', /numSamples is 0/, () => new T.UniformTemporalSubsample(0)],
    ['Shape', /the matrix is \(3, 8, 10\)/, () => new T.LinearTransformation(image, image)],
    ['Argument', /expected a Tensor, got 3/, () => F.invert(3 as never)],
  ]

describe('what does not fit is refused by name, rule and remedy', () => {
  test.each(mistakes.map(([kind, message, attempt]) => ({ kind, message, attempt })))('$message', (mistake) => {
    let thrown: unknown
    try {
      mistake.attempt()
    } catch (error) {
      thrown = error
    }
    expect(VisionNativeError.is(thrown, mistake.kind), String(thrown)).toBe(true)
    expect((thrown as Error).message).toMatch(mistake.message)
  })
})
