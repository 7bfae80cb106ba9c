// The networks beside the paper's numbers and those of a second implementation in PyTorch.
import { describe, expect, test } from 'vitest'
import {
  CAU,
  Config,
  CSA,
  channelShuffle,
  createDetector,
  gflops,
  system,
} from '../../../lib/models/detection/cau-csa-yolov5'
import { AttentiveDetect, attentionKernel } from '../../../lib/models/detection/cau-csa-yolov5/csa'
import { BatchNorm2d, type Module, skipInit, Upsample } from '../../../lib/nn'
import { contentAwareUpsample, poolPyramid } from '../../../lib/ops'
import { parseConfig } from '../../../lib/pipeline'
import {
  arange,
  full,
  gradcheck,
  manualSeed,
  noGrad,
  ones,
  rand,
  type Tensor,
  tensor,
  tidy,
  zeros,
} from '../../../lib/tensor'

const VARIANTS = {
  base: { upsampling: 'nearest', attention: 'none' },
  cau: { upsampling: 'cau', attention: 'none' },
  csa: { upsampling: 'nearest', attention: 'csa' },
  both: { upsampling: 'cau', attention: 'csa' },
} as const

const detector = (base: string, variant: keyof typeof VARIANTS, classes: number) =>
  createDetector(parseConfig(Config, { classes, network: { base, ...VARIANTS[variant] } }, 'test'))

/** Parameter p in the order of names, norms left out, becomes `gain · sin(0.37e + 0.11p)`. */
function fill(module: Module, gain: number): void {
  const norms = new Set([...module.modules()].flatMap((each) => (each instanceof BatchNorm2d ? each.parameters() : [])))
  noGrad(() => {
    for (const [p, parameter] of module
      .parameters()
      .filter((each) => !norms.has(each))
      .entries()) {
      const values = arange(parameter.numel, { dtype: 'float64' })
        .mul(0.37)
        .add(0.11 * p)
        .sin()
        .mul(gain)
      parameter.copy_(values.reshape([...parameter.shape]))
    }
  })
}

const wave = (shape: readonly number[]) =>
  arange(
    shape.reduce((a, b) => a * b, 1),
    { dtype: 'float64' },
  )
    .mul(0.83)
    .cos()
    .reshape([...shape])

const sums = (y: Tensor) => [y.sum().toNumber(), y.abs().sum().toNumber()]

test('1. four levels give 80², 40², 20² and 10² for 640² pixels', () => {
  tidy(() => {
    const model = skipInit(() => detector('n6', 'both', 45)).eval()
    const levels = noGrad(() => model.forward(zeros([1, 3, 640, 640])))
    expect(levels.map(({ shape }) => shape)).toEqual([80, 40, 20, 10].map((side) => [1, 3, side, side, 50]))
  })
})

test('1. rows keep the numbers of YOLOv5: CAU at 13, 17, 21 or 11, 15; CSA after the convolutions of the head', () => {
  tidy(() => {
    const places = (base: string) =>
      [...skipInit(() => detector(base, 'both', 3)).namedModules()].flatMap(([name, m]) =>
        m instanceof CAU ? [name] : [],
      )
    expect(places('n6')).toEqual(['model.13', 'model.17', 'model.21'])
    expect(places('n')).toEqual(['model.11', 'model.15'])
    const keys = [
      ...skipInit(() => detector('n', 'both', 3))
        .stateDict()
        .keys(),
    ]
    const cau = keys.filter((key) => key.startsWith('model.11.')).map((key) => key.split('.')[2])
    expect([...new Set(cau)]).toEqual(['comp', 'enc', 'pool', 'fuse', 'post'])
    const head = keys.filter((key) => key.startsWith('model.24.')).map((key) => key.split('.').slice(2, 5).join('.'))
    expect([...new Set(head)].slice(0, 9)).toEqual([
      'anchors',
      'm.0.weight',
      'm.0.bias',
      'm.1.weight',
      'm.1.bias',
      'm.2.weight',
      'm.2.bias',
      'csa.0.att',
      'csa.0.rec',
    ])
    expect(keys).toContain('model.24.csa.2.rec.bn.running_var')
  })
})

test('1. operations are the paper’s: 110.8, 116.6 (116.65) and 121.9 (121.96) GFLOPs for l6, 16.5 to 19.6 for s', () => {
  tidy(() => {
    const count = (base: string, variant: keyof typeof VARIANTS, classes: number) =>
      tidy(() => gflops(skipInit(() => detector(base, variant, classes))))
    expect(Math.abs(count('l6', 'base', 45) - 110.79)).toBeLessThan(0.006)
    expect(Math.abs(count('l6', 'cau', 45) - 116.65)).toBeLessThan(0.006)
    expect(Math.abs(count('l6', 'csa', 45) - 116.1)).toBeLessThan(0.006)
    expect(Math.abs(count('l6', 'both', 45) - 121.96)).toBeLessThan(0.006)
    expect(count('s', 'base', 80)).toBeCloseTo(16.5, 1)
    expect(count('s', 'cau', 80)).toBeCloseTo(18.2, 1)
    expect(count('s', 'csa', 80)).toBeCloseTo(17.9, 1)
    expect(count('s', 'both', 80)).toBeCloseTo(19.6, 1)
  })
})

describe('CAU', () => {
  test.each([
    [1, 1],
    [3, 5],
    [4, 6],
  ])('2. doubles a map of %i × %i', (height, width) => {
    tidy(() => {
      expect(new CAU(8).forward(zeros([2, 8, height, width])).shape).toEqual([2, 8, 2 * height, 2 * width])
    })
  })

  test('3a. weights that are all on the middle of the window repeat pixels', () => {
    tidy(() => {
      manualSeed(1)
      const map = rand([1, 4, 3, 5])
      const logits = full([1, 100, 3, 5], Number.NEGATIVE_INFINITY)
      // Tap 12 is the middle of 25; its logits for the four outputs of a pixel are channels 48 to 51.
      logits.narrow(1, 48, 4).fill_(0)
      const nearest = new Upsample({ scaleFactor: 2, mode: 'nearest' }).forward(map)
      expect(contentAwareUpsample(map, logits).equal(nearest)).toBe(true)
    })
  })

  test('3b. equal weights on ones give what of the window is in the map', () => {
    tidy(() => {
      const y = contentAwareUpsample(ones([1, 1, 5, 5]), zeros([1, 100, 5, 5]))
        .squeeze(0)
        .squeeze(0)
      const q = [3, 3, 4, 4, 5, 5, 4, 4, 3, 3].map((taps) => taps / 5)
      const expected = tensor(q.map((row) => q.map((column) => row * column)))
      expect(y.sub(expected).abs().max().toNumber()).toBeLessThan(1e-6)
      expect(y.sum().toNumber()).toBeCloseTo(57.76, 4)
    })
  })

  test('3d. bins of a map of 10 rows are [0,4) [3,7) [6,10), and six', () => {
    tidy(() => {
      const rows = arange(10, { dtype: 'float64' }).reshape([1, 1, 10, 1]).expand([1, 1, 10, 10])
      const [three, six] = poolPyramid(rows, [3, 6]) as [Tensor, Tensor]
      expect(three.select(3, 0).flatten().toArray()).toEqual([1.5, 4.5, 7.5])
      expect(six.select(3, 0).flatten().toArray()).toEqual([0.5, 2, 3.5, 5.5, 7, 8.5])
    })
  })

  test('4. has the gradients of its values', () => {
    tidy(() => {
      manualSeed(2)
      const cau = new CAU(8, { compressed: 4 }).to('float64')
      expect(gradcheck((x: Tensor) => cau.forward(x), [rand([2, 8, 4, 5], { dtype: 'float64' }).requiresGrad_()])).toBe(
        true,
      )
    })
  })

  test('A. gives the numbers of the second implementation', () => {
    tidy(() => {
      const cau = new CAU(8).to('float64').eval()
      fill(cau, 0.5)
      const y = noGrad(() => cau.forward(wave([1, 8, 3, 5])))
      const [sum, magnitude] = sums(y)
      expect(sum).toBeCloseTo(16.8041590528, 8)
      expect(magnitude).toBeCloseTo(53.7919945069, 8)
      expect(y.at(0, 0, 0, 1).toNumber()).toBeCloseTo(0.316675327, 8)
      expect(y.at(0, 7, 5, 0).toNumber()).toBeCloseTo(-0.244649806, 8)
    })
  })

  test('trains on one picture: a norm over one value a channel uses running statistics and leaves them', () => {
    tidy(() => {
      manualSeed(3)
      const cau = new CAU(8)
      const { bn } = cau.pool.at(0)
      cau
        .forward(rand([1, 8, 4, 4]))
        .sum()
        .backward()
      expect((bn.runningMean as Tensor).abs().sum().toNumber()).toBe(0)
      expect((bn.numBatchesTracked as Tensor).toNumber()).toBe(0)
      expect(cau.pool.at(0).conv.weight.grad?.isfinite().all().item()).toBe(true)
      // Of two pictures there are two values: the norm is the usual one.
      cau.forward(rand([2, 8, 4, 4]))
      expect((bn.runningMean as Tensor).abs().sum().toNumber()).toBeGreaterThan(0)
      expect((cau.pool.at(1).bn.numBatchesTracked as Tensor).toNumber()).toBe(2)
    })
  })

  test('begins with weights that are all but equal', () => {
    tidy(() => {
      manualSeed(4)
      const cau = new CAU(64)
      expect(cau.enc.weight.abs().max().toNumber()).toBeLessThan(0.006)
      expect((cau.enc.bias as Tensor).abs().max().toNumber()).toBe(0)
      // Xavier: ±√(6 / (64 + 64)).
      expect(cau.comp.weight.abs().max().toNumber()).toBeCloseTo(Math.sqrt(6 / 128), 2)
    })
  })
})

describe('CSA', () => {
  test('the convolution over channels is 3 wide below 128 of them, and 5 from there', () => {
    expect([8, 16, 32, 64, 128, 256, 512, 768, 1024].map(attentionKernel)).toEqual([3, 3, 3, 3, 5, 5, 5, 5, 5])
  })

  test('4. has the gradients of its values', () => {
    tidy(() => {
      manualSeed(5)
      const csa = new CSA(8).to('float64')
      expect(gradcheck((x: Tensor) => csa.forward(x), [rand([2, 8, 4, 5], { dtype: 'float64' }).requiresGrad_()])).toBe(
        true,
      )
    })
  })

  test('5. shuffles eight channels of four groups to 0 2 4 6 1 3 5 7, and back with as many as a group has', () => {
    tidy(() => {
      const numbers = arange(8).reshape([1, 8, 1, 1])
      const once = channelShuffle(numbers, 4)
      expect(once.flatten().toArray()).toEqual([0, 2, 4, 6, 1, 3, 5, 7])
      expect(channelShuffle(once, 2).equal(numbers)).toBe(true)
    })
  })

  test('5. and B. weighs channels by their neighbours’ means', () => {
    tidy(() => {
      const csa = new CSA(8).to('float64').eval()
      noGrad(() => csa.rec.conv.weight.zero_())
      const x = arange(8, { dtype: 'float64' }).mul(0.1).reshape([1, 8, 1, 1]).expand([1, 8, 3, 5])
      const with_ = (taps: number[]) => {
        noGrad(() => csa.att.weight.copy_(tensor(taps, { dtype: 'float64' }).reshape([1, 1, 3])))
        return noGrad(() => csa.forward(x))
          .select(2, 0)
          .select(2, 0)
          .flatten()
          .toArray() as number[]
      }
      for (const [c, value] of with_([0, 0, 0]).entries()) expect(value).toBeCloseTo(0.05 * c, 12)
      expect(with_([0, 1, 0])[7]).toBeCloseTo(0.467731441, 8)
      expect(with_([1, 0, 0])[1]).toBeCloseTo(0.05, 12)
      expect(with_([1, 0, 0])[7]).toBeCloseTo(0.451959414, 8)
    })
  })

  test('B. gives the numbers of the second implementation', () => {
    tidy(() => {
      const csa = new CSA(8).to('float64').eval()
      fill(csa, 0.5)
      const y = noGrad(() => csa.forward(wave([1, 8, 3, 5])))
      const [sum, magnitude] = sums(y)
      expect(sum).toBeCloseTo(-0.691792055721, 8)
      expect(magnitude).toBeCloseTo(38.2932820141, 8)
      expect(y.at(0, 0, 0, 0).toNumber()).toBeCloseTo(0.49516085, 8)
      expect(y.at(0, 7, 2, 4).toNumber()).toBeCloseTo(-0.0734401155, 8)
    })
  })
})

describe('E. the wiring gives the numbers of the second implementation', () => {
  const EXPECTED = {
    base: [159.9213919, 61.75541921, 7.41131996],
    cau: [158.4454826, 72.71233609, 7.121295087],
    csa: [200.4830521, 40.71434581, 27.88696168],
    both: [201.2788481, 50.18717931, 21.65922896],
  } as const

  test.each(Object.entries(EXPECTED))('%s', (variant, expected) => {
    tidy(() => {
      const model = skipInit(() => detector('s', variant as keyof typeof VARIANTS, 3)).to('float64')
      for (const module of model.modules()) if (module instanceof BatchNorm2d) module.resetParameters()
      fill(model, 0.05)
      const levels = noGrad(() => model.train().forward(wave([2, 3, 64, 64]).mul(0.5).add(0.5)))
      for (const [i, level] of levels.entries()) {
        expect(level.abs().sum().toNumber()).toBeCloseTo(expected[i] as number, 5)
      }
    })
  })
})

test('begins with the biases of YOLOv5 in front of which attention changes nothing', () => {
  tidy(() => {
    manualSeed(6)
    const model = system.create(parseConfig(Config, { classes: 45, network: { base: 'n6' } }, 'test'))
    expect(model.head).toBeInstanceOf(AttentiveDetect)
    const drawn = (bias: Tensor, place: number, shift: number) =>
      bias.view([3, 50]).select(1, place).sub(shift).abs().max().toNumber()
    for (const [i, shift] of [-6.684612, undefined, undefined, -2.525729].entries()) {
      if (shift === undefined) continue
      const { bias, inChannels } = model.head.m.at(i)
      const within = 1 / Math.sqrt(inChannels) + 1e-5
      expect(drawn(bias as Tensor, 4, shift)).toBeLessThanOrEqual(within)
      expect(drawn(bias as Tensor, 5, -4.295015)).toBeLessThanOrEqual(within)
    }
  })
})
