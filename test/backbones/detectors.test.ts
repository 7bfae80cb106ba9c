// Losses and detections beside torchvision's, on small bodies with hashed weights; tools/reference/detection_networks.py.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  BackboneWithFPN,
  BasicBlock,
  type Detection,
  type DetectionTarget,
  type Detector,
  type ExtraMaps,
  FasterRCNN,
  FCOS,
  type FrozenNorm,
  KeypointRCNN,
  LastLevelP6P7,
  MaskRCNN,
  ResNetStages,
  RetinaNet,
  resnetFpn,
  ssdlite320MobilenetV3Large,
} from '../../lib/backbones'
import { DETECTION_TORCHVISION_V1 } from '../../lib/backbones/layouts/detection'
import { readImage } from '../../lib/io'
import { BatchNorm2d, FrozenBatchNorm2d, MultiScaleRoIAlign } from '../../lib/nn'
import { manualSeed, noGrad, slice, type Tensor, tensor, tidy, tidyAsync, zeros } from '../../lib/tensor'
import { drawBoundingBoxes } from '../../lib/vision'
import { fillWithHash, hashTensor } from '../support/hash-weights'

interface Written {
  readonly losses: Readonly<Record<string, number>>
  readonly gradient: number
  readonly found: readonly Readonly<
    Record<string, { readonly shape: readonly number[]; readonly first: readonly number[]; readonly sum: number }>
  >[]
}

const given = JSON.parse(
  readFileSync(new URL('../fixtures/vision/detectors.json', import.meta.url), 'utf8'),
) as Readonly<Record<string, Written>> & { readonly pooled: readonly number[]; readonly frozen: readonly number[] }

const CHANNELS = 32

function pyramid(stages = [1, 2, 3, 4], extra?: ExtraMaps): BackboneWithFPN {
  const body = new ResNetStages(BasicBlock, [1, 1, 1, 1], { normLayer: (channels) => new FrozenBatchNorm2d(channels) })
  const places = stages.map((stage) => stage - 1)
  return new BackboneWithFPN(
    body,
    places,
    places.map((place) => body.stageChannels[place] as number),
    CHANNELS,
    extra,
  )
}

const transform = { minSize: 96, maxSize: 160 }
const rcnn = {
  transform,
  proposals: { postNmsTop: { training: 60, evaluation: 30 }, perImage: 64 },
  regions: { detectionsPerImage: 8, scoreThreshold: 0.1, perImage: 32 },
}
const dense = { numClasses: 5, transform, detectionsPerImage: 8, scoreThreshold: 0.2 }

const NETWORKS: Readonly<Record<string, () => Detector>> = {
  faster: () => new FasterRCNN(pyramid(), { ...rcnn, numClasses: 5 }),
  mask: () => new MaskRCNN(pyramid(), { ...rcnn, numClasses: 5 }),
  keypoint: () => new KeypointRCNN(pyramid(), { ...rcnn, numKeypoints: 3 }),
  retina: () => new RetinaNet(pyramid([2, 3, 4], new LastLevelP6P7(512, CHANNELS)), dense),
  fcos: () => new FCOS(pyramid([2, 3, 4], new LastLevelP6P7(CHANNELS, CHANNELS)), dense),
  ssdlite: () => ssdlite320MobilenetV3Large({ numClasses: 5, detectionsPerImage: 8, scoreThreshold: 0.1 }),
}

const images = () => [hashTensor('image0', [3, 60, 80], 0.5, 0.5), hashTensor('image1', [3, 72, 50], 0.5, 0.5)]

const BOXES = [
  {
    size: [60, 80],
    boxes: [
      [5, 6, 40, 50],
      [30, 10, 75, 55],
    ],
  },
  { size: [72, 50], boxes: [[8, 20, 44, 66]] },
] as const

function targets(): DetectionTarget[] {
  return BOXES.map(({ size: [height, width], boxes }) => {
    const masks = zeros([boxes.length, height, width], { dtype: 'uint8' })
    const keypoints = boxes.map(([x1, y1, x2, y2], i) => {
      masks.setAt([i, slice(y1 + 3, y2), slice(x1, x2 - 5)], 1)
      return [
        [x1 + 3, y1 + 4, 1],
        [x2, y2 - 7, 1],
        [x2 + 40, y1, 1],
      ]
    })
    return {
      boxes: tensor(boxes as never, { dtype: 'float32' }),
      labels: tensor(
        boxes.map(() => 1),
        { dtype: 'int64' },
      ),
      masks,
      keypoints: tensor(keypoints, { dtype: 'float32' }),
    }
  })
}

/** `loss_rpn_box_reg` as the losses have it here. */
const camel = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

function expectClose(got: number, expected: number, tolerance: number): void {
  expect(Math.abs(got - expected)).toBeLessThanOrEqual(tolerance * Math.max(1e-3, Math.abs(expected)))
}

describe.each(Object.keys(NETWORKS))('%s', (name) => {
  const make = () => {
    const network = (NETWORKS[name] as () => Detector)()
    fillWithHash(network)
    return network
  }

  test('has the losses and gradients of torchvision', () => {
    tidy(() => {
      const network = make()
      for (const module of network.modules()) if (module instanceof BatchNorm2d) module.training = false
      manualSeed(7)
      const losses = network.forward(images(), targets())
      const { losses: expected, gradient } = given[name] as Written
      expect(Object.keys(losses).sort()).toEqual(Object.keys(expected).map(camel).sort())
      for (const [key, value] of Object.entries(expected))
        expectClose((losses[camel(key)] as Tensor).toNumber(), value, 1e-4)
      Object.values(losses)
        .reduce((sum, each) => sum.add(each))
        .backward()
      const sums = network.parameters().map(({ grad }) => grad?.to('float64').abs().sum().toNumber() ?? 0)
      expectClose(
        sums.reduce((sum, each) => sum + each, 0),
        gradient,
        1e-3,
      )
    })
  })

  test('finds what torchvision finds', () => {
    tidy(() => {
      const network = make().eval()
      const found = noGrad(() => network.forward(images()))
      const { found: expected } = given[name] as Written
      expect(found).toHaveLength(expected.length)
      for (const [i, own] of found.entries()) expectDetection(own, expected[i] as Written['found'][number])
    })
  })
})

function expectDetection(found: Detection, expected: Written['found'][number]): void {
  const values: Readonly<Record<string, Tensor | undefined>> = { ...found }
  expect(Object.keys(values).sort()).toEqual(Object.keys(expected).map(camel).sort())
  for (const [key, { shape, first, sum }] of Object.entries(expected)) {
    const own = values[camel(key)] as Tensor
    expect([key, ...own.shape]).toEqual([key, ...shape])
    const got = own.to('float64').flatten()
    const scale = Math.max(1, ...first.map(Math.abs))
    const numbers = got.narrow(0, 0, first.length).toArray() as number[]
    const off = first.map((value, i) => Math.abs(value - (numbers[i] ?? Number.NaN)))
    expect(Math.max(0, ...off)).toBeLessThan(2e-4 * scale)
    expectClose(got.sum().toNumber(), sum, 1e-3)
  }
}

test('a photograph becomes a picture with what was found in it', async () => {
  await tidyAsync(async () => {
    const network = ssdlite320MobilenetV3Large({ numClasses: 5, detectionsPerImage: 8 }).eval()
    fillWithHash(network)
    const photo = await readImage('examples/data/rubberwhale1.png', { dtype: 'float32' })
    const [found] = noGrad(() => network.forward([photo])) as [Detection]
    const boxes = found.boxes.toArray() as number[][]
    expect(boxes).toHaveLength(8)
    for (const [x1 = -1, y1 = -1, x2 = -1, y2 = -1] of boxes) {
      expect(x1 >= 0 && y1 >= 0 && x2 <= 584.001 && y2 <= 388.001 && x2 >= x1 && y2 >= y1).toBe(true)
    }
    const scores = found.scores.toArray() as number[]
    expect(scores).toEqual([...scores].sort((a, b) => b - a))
    const picture = await drawBoundingBoxes(photo, found.boxes, { labels: scores.map((score) => score.toFixed(2)) })
    expect([...picture.shape]).toEqual([3, 388, 584])
    const plain = photo.mul(255).round().to('uint8')
    const changed = picture.ne(plain).any(0).to('float32').mean().toNumber()
    expect(changed).toBeGreaterThan(0.001)
    expect(changed).toBeLessThan(0.5)
  })
})

describe('parts', () => {
  test('RoIAlign over a pyramid', () => {
    tidy(() => {
      const maps = [0, 1, 2, 3].map((i) => hashTensor(`map${i}`, [2, 3, 32 >> i, 48 >> i]))
      const rois = [
        tensor(
          [
            [2, 3, 40, 60],
            [0, 0, 190, 120],
            [10, 10, 12, 300],
          ],
          { dtype: 'float32' },
        ),
        tensor(
          [
            [1, 1, 224, 224],
            [0, 0, 600, 500],
          ],
          { dtype: 'float32' },
        ),
      ]
      const pooled = new MultiScaleRoIAlign([3, 2]).forward(maps, rois, [
        [128, 192],
        [120, 100],
      ])
      const got = pooled.flatten().toArray() as number[]
      expect(got).toHaveLength(given.pooled.length)
      expect(Math.max(...got.map((value, i) => Math.abs(value - (given.pooled[i] as number))))).toBeLessThan(1e-5)
    })
  })

  test('batch norm that is frozen', () => {
    tidy(() => {
      const norm = new FrozenBatchNorm2d(3)
      fillWithHash(norm)
      expect(norm.parameters()).toEqual([])
      const got = norm
        .forward(hashTensor('input0', [2, 3, 2, 2]))
        .flatten()
        .toArray() as number[]
      expect(Math.max(...got.map((value, i) => Math.abs(value - (given.frozen[i] as number))))).toBeLessThan(1e-5)
    })
  })

  test('frozen norms of a backbone add to the variance what is asked', () => {
    tidy(() => {
      const added = (frozenNorm: FrozenNorm) =>
        [...resnetFpn('resnet18', { frozenNorm }).modules()].flatMap((layer) =>
          layer instanceof FrozenBatchNorm2d ? [layer.eps] : [],
        )
      expect(new Set(added(true))).toEqual(new Set([1e-5]))
      expect(new Set(added({ eps: 0 }))).toEqual(new Set([0]))
      expect(added(false)).toEqual([])
    })
  })

  test('of a backbone only the last stages train where asked', () => {
    tidy(() => {
      const backbone = resnetFpn('resnet18', { trainableLayers: 2, frozenNorm: true })
      const frozen = [...backbone.namedParameters()].filter(([, { requiresGrad }]) => !requiresGrad).map(([key]) => key)
      expect(frozen.every((key) => /^body\.(conv1|layer[12])\./.test(key))).toBe(true)
      expect(frozen).toContain('body.layer2.1.conv2.weight')
      expect(() => resnetFpn('resnet18', { trainableLayers: 6 })).toThrow('trainableLayers is 6')
      expect(() => resnetFpn('resnet18', { returnedLayers: [5] })).toThrow('they are of 1 to 4')
    })
  })
})

describe('the names of torchvision’s first files', () => {
  test.each([
    [
      'mask',
      {
        'backbone.fpn.inner_blocks.2.weight': 'backbone.fpn.inner_blocks.2.0.weight',
        'rpn.head.conv.bias': 'rpn.head.conv.0.0.bias',
        'roi_heads.mask_head.mask_fcn4.bias': 'roi_heads.mask_head.3.0.bias',
      },
    ],
    [
      'keypoint',
      {
        'backbone.fpn.layer_blocks.0.bias': 'backbone.fpn.layer_blocks.0.0.bias',
        'roi_heads.keypoint_head.14.weight': 'roi_heads.keypoint_head.14.weight',
      },
    ],
    [
      'retina',
      {
        'head.classification_head.conv.6.weight': 'head.classification_head.conv.3.0.weight',
        'head.regression_head.conv.2.bias': 'head.regression_head.conv.1.0.bias',
      },
    ],
  ] as const)('%s', (name, renamed) => {
    tidy(() => {
      const own = (NETWORKS[name] as () => Detector)().stateDict()
      const published = DETECTION_TORCHVISION_V1.toPublished(own)
      expect(published.size).toBe(own.size)
      for (const [theirs, ours] of Object.entries(renamed)) expect(published.get(theirs)).toBe(own.get(ours))
      const back = DETECTION_TORCHVISION_V1.fromPublished(published)
      expect([...back.keys()]).toEqual([...own.keys()])
    })
  })
})

describe('what does not fit is refused', () => {
  const network = () => new RetinaNet(pyramid([2, 3, 4], new LastLevelP6P7(512, CHANNELS)), dense)

  test('images and targets', () => {
    tidy(() => {
      const own = network()
      const [image] = images() as [Tensor]
      const boxes = tensor([[1, 1, 5, 5]], { dtype: 'float32' })
      const labels = tensor([1], { dtype: 'int64' })
      const one = tensor([[4, 1, 4, 5]], { dtype: 'float32' })
      expect(() => own.forward([image])).toThrow('RetinaNet: in training it needs targets')
      expect(() => own.forward([image], [])).toThrow('targets for 0 images, but 1 images')
      expect(() => own.forward([image], [{ boxes: one, labels }])).toThrow(
        'target 0 has a box (4, 1, 4, 5) without area',
      )
      expect(() => own.forward([image], [{ boxes, labels: boxes }])).toThrow('labels of target 0 are float32')
      own.eval()
      expect(() => own.forward([image], [{ boxes, labels }])).toThrow('in evaluation it takes no targets')
      expect(() => own.forward([])).toThrow('there are no images')
      expect(() => own.forward([image.unsqueeze(0)])).toThrow('image 0 is [1, 3, 60, 80]')
      expect(() => own.forward([image.mul(255).to('uint8')])).toThrow('image 0 is uint8; divide it by 255')
      expect(() => own.forward([image.narrow(0, 0, 1)])).toThrow('the mean has 3 channels')
      expect(() => new RetinaNet(pyramid([2, 3, 4]), { numClasses: 1 })).toThrow('numClasses is 1')
    })
  })

  test('an image without boxes has losses all the same', () => {
    tidy(() => {
      const own = new FasterRCNN(pyramid(), { ...rcnn, numClasses: 5 })
      const single = [network(), new FCOS(pyramid([2, 3, 4], new LastLevelP6P7(CHANNELS, CHANNELS)), dense)]
      const none = { boxes: zeros([0, 4]), labels: zeros([0], { dtype: 'int64' }) }
      for (const detector of [own, ...single]) {
        const losses = Object.values(detector.forward(images(), [none, none]))
        expect(losses.every((loss) => Number.isFinite(loss.toNumber()))).toBe(true)
      }
      expect(() => new MaskRCNN(pyramid(), rcnn).forward(images(), [none, none])).toThrow('target 0 has no masks')
    })
  })
})
