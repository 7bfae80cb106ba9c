// Box helpers beside torchvision's; tools/reference/boxes.py made the numbers.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { cat, manualSeed, type Tensor, tensor, tidy } from '../../lib/tensor'
import * as vision from '../../lib/vision'

type Numbers = readonly (number | Numbers)[]
const given = JSON.parse(readFileSync(new URL('../fixtures/vision/boxes.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, Numbers>
> & {
  readonly convert: Readonly<Record<string, Numbers>>
  readonly matched: Readonly<Record<string, Numbers>>
}

const float = (name: string) => tensor(given[name] as number[][], { dtype: 'float32' })
const flat = (value: Numbers | Tensor): number[] =>
  (Array.isArray(value) ? value.flat(4) : (value as Tensor).flatten().toArray()) as number[]

/** To float32's rounding at the size of the numbers. */
function expectClose(got: Tensor, expected: Numbers | undefined): void {
  const [values, wanted] = [flat(got), flat(expected ?? [])]
  expect(values).toHaveLength(wanted.length)
  const scale = Math.max(1, ...wanted.map(Math.abs))
  const off = wanted.map((value, i) => Math.abs(value - (values[i] ?? Number.NaN)))
  expect(Math.max(0, ...off)).toBeLessThan(2e-6 * scale)
}

describe('formats', () => {
  test.each(Object.keys(given.convert))('%s', (name) => {
    tidy(() => {
      const [from, to] = name.split(' ') as [vision.BoxFormat, vision.BoxFormat]
      expectClose(vision.boxConvert(float('first'), from, to), given.convert[name])
    })
  })

  test('areas, clipping, small boxes and boxes around masks', () => {
    tidy(() => {
      expectClose(vision.boxArea(float('first')), given.box_area)
      expectClose(vision.clipBoxesToImage(float('first').sub(20), [50, 70]), given.clip)
      expect(vision.removeSmallBoxes(float('first'), 30).toArray()).toEqual(given.remove_small)
      expect(vision.masksToBoxes(float('masks')).toArray()).toEqual(given.masks_to_boxes)
    })
  })

  test('whole numbers stay whole, half precision does not overflow', () => {
    tidy(() => {
      expect(vision.boxArea(tensor([[0, 0, 300, 400]], { dtype: 'int32' })).toArray()).toEqual([120000])
      expect(vision.boxArea(tensor([[0, 0, 300, 400]], { dtype: 'float16' })).toArray()).toEqual([120000])
    })
  })

  test('what is no list of boxes is refused', () => {
    expect(() => vision.boxArea(tensor([1, 2, 3]))).toThrow('boxes are [..., 4], got [3]')
    expect(() => vision.boxIou(tensor([1, 2, 3, 4]), tensor([[1, 2, 3, 4]]))).toThrow(
      'the first boxes are [N, 4], got [4]',
    )
    expect(() => vision.boxConvert(tensor([[1, 2, 3, 4]]), 'xyxy', 'yxyx' as never)).toThrow("no format 'yxyx'")
    expect(() => vision.masksToBoxes(tensor([[1]]))).toThrow('masks are [N, H, W], got [1, 1]')
  })
})

describe('overlap', () => {
  test.each([
    ['box_iou', vision.boxIou],
    ['generalized_box_iou', vision.generalizedBoxIou],
    ['distance_box_iou', vision.distanceBoxIou],
    ['complete_box_iou', vision.completeBoxIou],
  ] as const)('%s', (name, overlap) => {
    tidy(() => expectClose(overlap(float('first'), float('second')), given[name]))
  })

  test.each([
    ['generalized_box_iou_loss', vision.generalizedBoxIouLoss],
    ['distance_box_iou_loss', vision.distanceBoxIouLoss],
    ['complete_box_iou_loss', vision.completeBoxIouLoss],
  ] as const)('%s and its gradient', (name, loss) => {
    tidy(() => {
      const boxes = float('pairs').requiresGrad_()
      const losses = loss(boxes, float('targets'))
      losses.sum().backward()
      expectClose(losses, given[name])
      expectClose(boxes.grad as Tensor, given[`${name}_grad`])
      expectClose(loss(boxes, float('targets'), { reduction: 'mean' }), [given[`${name}_mean`] as never])
      expect(loss(boxes.narrow(0, 0, 0), float('targets').narrow(0, 0, 0), { reduction: 'mean' }).toNumber()).toBe(0)
    })
  })

  test('losses of boxes of another number are refused', () => {
    expect(() => vision.generalizedBoxIouLoss(tensor([[1, 2, 3, 4]]), tensor([1, 2, 3, 4]))).toThrow(
      '[1, 4] and targets [4] differ',
    )
  })
})

const MAPS = [
  [4, 5],
  [2, 3],
  [1, 2],
] as const

describe('anchors', () => {
  test('of sizes and aspect ratios', () => {
    tidy(() => {
      const ratios = [0.5, 1, 2]
      const anchors = new vision.AnchorGenerator([[32, 45.25], [64], [128]], [ratios, ratios, ratios])
      expect(anchors.numAnchorsPerLocation).toEqual([6, 3, 3])
      expect(anchors.generate([66, 83], MAPS).flatMap((level) => level.toArray())).toEqual(given.anchors)
    })
  })

  test.each([
    ['default_steps', { scales: [0.07, 0.15, 0.33, 0.51], steps: [8, 16, 32] }],
    ['default_even', { minRatio: 0.2, maxRatio: 0.95 }],
    ['default_unclipped', { minRatio: 0.5, maxRatio: 0.95, clip: false }],
  ] as const)('%s boxes', (name, options) => {
    tidy(() => {
      const anchors = new vision.DefaultBoxGenerator([[2], [2, 3], [2]], options)
      expect(anchors.numAnchorsPerLocation).toEqual([4, 6, 4])
      expectClose(anchors.generate([66, 83], MAPS), given[name])
    })
  })

  test('lists of other lengths are refused', () => {
    expect(() => new vision.AnchorGenerator([[32]], [])).toThrow('sizes are for 1 maps, aspect ratios for 0')
    expect(() => new vision.AnchorGenerator([[32]], [[1]]).generate([8, 8], MAPS)).toThrow(
      '3 feature maps, but sizes for 1',
    )
    expect(() => new vision.DefaultBoxGenerator([[2]], { scales: [1] })).toThrow('1 scales for 1 maps; give one more')
    expect(() => new vision.DefaultBoxGenerator([[2]], { steps: [] })).toThrow('0 steps for 1 maps')
  })
})

describe('coders', () => {
  test('centres and sizes', () => {
    tidy(() => {
      const coder = new vision.BoxCoder([10, 10, 5, 5])
      expectClose(coder.encode(float('pairs'), float('targets')), given.encoded)
      expectClose(coder.decode(float('codes'), float('targets')), given.decoded)
      expect(() => coder.decode(float('codes').narrow(1, 0, 7), float('targets'))).toThrow('codes are [N, 4 K]')
    })
  })

  test.each([
    [true, 0],
    [false, 1],
  ] as const)('distances of the sides, in sizes: %s', (normalize, place) => {
    tidy(() => {
      const coder = new vision.BoxLinearCoder(normalize)
      expectClose(coder.encode(float('pairs'), float('targets')), given.linear_encoded?.[place] as Numbers)
      expectClose(
        coder.decode(float('codes').narrow(1, 0, 4), float('targets')),
        given.linear_decoded?.[place] as Numbers,
      )
    })
  })
})

describe('matching', () => {
  test.each(Object.keys(given.matched))('by thresholds %s', (name) => {
    tidy(() => {
      const [high, low, rescue] = name.split(' ')
      const matcher = new vision.Matcher(Number(high), Number(low), rescue === 'True')
      expect(matcher.match(float('quality')).toArray()).toEqual(given.matched[name])
    })
  })

  test('of default boxes', () => {
    tidy(() => expect(new vision.SSDMatcher(0.5).match(float('quality')).toArray()).toEqual(given.ssd_matched))
  })

  test('without true boxes everything is background', () => {
    tidy(() => {
      const none = tensor(new Float32Array(0), { shape: [0, 3] })
      for (const matcher of [new vision.Matcher(0.5, 0.4, true), new vision.SSDMatcher(0.5)]) {
        expect(matcher.match(none).toArray()).toEqual([-1, -1, -1])
      }
    })
    expect(() => new vision.Matcher(0.3, 0.5)).toThrow('low must not be above high')
  })

  test('the sampler draws what PyTorch draws with the same seed', () => {
    tidy(() => {
      manualSeed(11)
      const { positive, negative } = new vision.BalancedSampler(6, 0.5).sample(
        tensor(given.labels as number[], { dtype: 'int64' }),
      )
      expect([positive, negative].map((mask) => mask.to('int32').toArray())).toEqual(given.sampled)
    })
    expect(() => new vision.BalancedSampler(0, 0.5)).toThrow('0 an image')
  })

  const perMap = given.per_map as number[]
  const squares = () => {
    const anchors = new vision.AnchorGenerator([[8], [16], [32]], [[1], [1], [1]])
    return anchors.generate(
      [128, 128],
      [
        [16, 16],
        [8, 8],
        [4, 4],
      ],
    )
  }

  test('FCOS assigns places inside of boxes by the range of their map', () => {
    tidy(() => {
      const anchors = cat(squares())
      const got = vision.fcosAssign(anchors, perMap, float('truth')).toArray() as number[]
      expect(new Set(got).size).toBeGreaterThan(3)
      expect(got).toEqual(given.fcos)
    })
  })

  test('ATSS assigns by the statistics of the nearest anchors', () => {
    tidy(() => {
      const anchors = cat(squares())
      const overlaps = vision.boxIou(float('truth'), anchors)
      const got = vision.atssAssign(overlaps, anchors, perMap, float('truth')).toArray() as number[]
      expect(new Set(got).size).toBeGreaterThan(3)
      expect(got).toEqual(given.atss)
      expect(() => vision.atssAssign(overlaps, anchors, [1], float('truth'))).toThrow('the numbers must agree')
    })
  })
})
