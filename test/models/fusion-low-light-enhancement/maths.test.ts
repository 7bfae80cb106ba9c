// Numbers of the items are those of the card's "Done when" and "Sharper checks".
import { describe, expect, test } from 'vitest'
import {
  adjustSaturation,
  brightnessCurve,
  estimateNoise,
  exposureLoss,
  fusionLoss,
  GuidedFusion,
  Inception,
  saturationRatio,
  smoothnessLoss,
} from '../../../lib/models/enhancement/fusion-low-light-enhancement'
import { noise, scene } from '../../../lib/models/enhancement/fusion-low-light-enhancement/synthetic'
import { functional as F, Module } from '../../../lib/nn'
import {
  arange,
  cat,
  full,
  Generator,
  gradcheck,
  manualSeed,
  noGrad,
  rand,
  slice,
  stack,
  type Tensor,
  tensor,
  tidy,
  zeros,
} from '../../../lib/tensor'
import { drawNeighbourPatterns, hsvToRgb, neighbourPair, rgbToHsv } from '../../../lib/vision'

const numbers = (x: Tensor) => x.flatten().toArray() as number[]
const pixels = (...colours: readonly (readonly number[])[]) =>
  tensor(colours.map((colour) => [...colour]))
    .t()
    .reshape([1, 3, 1, colours.length])

test('1. RGB to HSV and back is the identity, on random and degenerate colours', () => {
  tidy(() => {
    const random = rand([1, 3, 20, 20], { generator: new Generator(1) })
    const special = pixels(
      [0, 0, 0],
      [1, 1, 1],
      [0.5, 0.5, 0.5],
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
      [1, 1, 0],
      [0, 1, 1],
      [1, 0, 1],
    )
    for (const image of [random, special]) {
      expect(hsvToRgb(rgbToHsv(image)).sub(image).abs().amax().item()).toBeLessThanOrEqual(1e-6)
    }
  })
})

describe('2. saturation', () => {
  test.each([
    [
      'of a grey picture is 0',
      [
        [0.3, 0.3, 0.3],
        [0.7, 0.7, 0.7],
      ],
      [0, 0],
    ],
    [
      'of one colour is 0',
      [
        [0.2, 0.4, 0.6],
        [0.2, 0.4, 0.6],
      ],
      [0, 0],
    ],
    [
      'of the hand case is 0',
      [
        [0.4, 0.2, 0.2],
        [0.8, 0.8, 0.4],
      ],
      [0, 0],
    ],
    [
      'keeps half of a saturated pixel beside a grey one',
      [
        [0.8, 0.2, 0.2],
        [0.4, 0.4, 0.4],
      ],
      [0.5, 0],
    ],
    [
      'of two colours',
      [
        [0.9, 0.1, 0.5],
        [0.3, 0.3, 0.2],
      ],
      [0.555556, 0],
    ],
  ])('%s', (_, colours, expected) => {
    tidy(() => {
      const { saturation } = adjustSaturation(pixels(...colours))
      for (const [i, value] of numbers(saturation).entries()) expect(value).toBeCloseTo(expected[i] ?? Number.NaN, 5)
    })
  })

  test('counts the pixels that it cuts off, and leaves colours alone with the exponent 0', () => {
    tidy(() => {
      const image = pixels([0.8, 0.2, 0.2], [0.4, 0.4, 0.4])
      expect(adjustSaturation(image).clamped.mean().item()).toBe(0.5)
      const kept = numbers(adjustSaturation(image, saturationRatio(image, 0)).saturation)
      expect(kept[0]).toBeCloseTo(0.75, 6)
      expect(kept[1]).toBe(0)
    })
  })

  test('gives the first pixel of two the colour of the card, and black no colour', () => {
    tidy(() => {
      const image = pixels([0.9, 0.1, 0.5], [0.3, 0.3, 0.2])
      const [hue, , value] = rgbToHsv(image).unbind({ dim: 1 }) as [Tensor, Tensor, Tensor]
      const corrected = stack([hue, adjustSaturation(image).saturation.squeeze(1), value], { dim: 1 })
      const first = numbers(hsvToRgb(corrected).select(3, 0))
      for (const [i, wanted] of [0.9, 0.4, 0.65].entries()) expect(first[i]).toBeCloseTo(wanted, 5)
      expect(numbers(adjustSaturation(pixels([0, 0, 0], [0.5, 0.1, 0.1])).saturation)[0]).toBe(0)
    })
  })
})

describe('3. brightness curve', () => {
  test.each([
    [[1, 1, 1, 1], 0.971852502],
    [[0.25, 0.5, 0.75, 1], 0.747322791],
    [[0.5, -0.5, 1, -1], 0.106463441],
  ])('of 0.2 with %j is %d', (maps, expected) => {
    tidy(() => {
      const curve = brightnessCurve(
        tensor([[[[0.2]]]], { dtype: 'float64' }),
        tensor(maps, { dtype: 'float64' }).reshape([1, 4, 1, 1]),
      )
      expect(curve.item()).toBeCloseTo(expected, 8)
    })
  })

  test('has the derivatives of the card', () => {
    tidy(() => {
      const value = tensor([[[[0.2]]]], { dtype: 'float64' }).requiresGrad_()
      const maps = tensor([0.5, -0.5, 1, -1], { dtype: 'float64' }).reshape([1, 4, 1, 1]).requiresGrad_()
      brightnessCurve(value, maps).sum().backward()
      expect(value.grad?.item()).toBeCloseTo(1.086264394, 8)
      const wanted = [0.133694079, 0.215967359, 0.095985493, 0.219823919]
      for (const [i, derivative] of numbers(maps.grad as Tensor).entries())
        expect(derivative).toBeCloseTo(wanted[i] ?? 0, 8)
    })
  })

  test('keeps 0 and 1, order and range, and does nothing with maps of 0', () => {
    tidy(() => {
      const value = arange(101).to('float32').div(100).reshape([1, 1, 1, 101])
      const maps = rand([1, 4, 1, 1], { generator: new Generator(2) })
        .mul(2)
        .sub(1)
        .expand([-1, -1, 1, 101])
      const result = brightnessCurve(value, maps)
      const row = numbers(result)
      expect([row[0], row[100]]).toEqual([0, 1])
      expect(result.diff({ dim: 3 }).amin().item()).toBeGreaterThanOrEqual(0)
      expect(brightnessCurve(value, zeros([1, 4, 1, 101])).equal(value)).toBe(true)
      expect(
        gradcheck(
          (v, p) => brightnessCurve(v, p),
          [
            rand([1, 1, 2, 3], { dtype: 'float64' }).requiresGrad_(),
            rand([1, 4, 2, 3], { dtype: 'float64' }).sub(0.5).requiresGrad_(),
          ],
        ),
      ).toBe(true)
    })
  })
})

describe('4. inception', () => {
  const branches = (module: Inception, x: Tensor) => {
    const padded = F.pad(x, [1, 1, 1, 1], { mode: 'replicate' })
    const sobel = tensor([
      [-1, 0, 1],
      [-2, 0, 2],
      [-1, 0, 1],
    ]).div(8)
    const edge = ({ weight, bias }: { weight: Tensor; bias: Tensor | null }, kernel: Tensor) => {
      const plain = F.conv2d(padded, weight)
      const channels = plain.size(1)
      const each = kernel.reshape([1, 1, 3, 3]).expand([channels, -1, -1, -1])
      return F.conv2d(plain, each, { groups: channels }).add((bias as Tensor).reshape([1, -1, 1, 1]))
    }
    const { pointwise, square, horizontal, vertical } = module
    return cat(
      [
        F.conv2d(x, pointwise.weight, { bias: pointwise.bias }),
        F.conv2d(padded, square.weight, { bias: square.bias }),
        edge(horizontal, sobel),
        edge(vertical, sobel.t()),
      ],
      { dim: 1 },
    )
  }

  test('is the sum of its four branches on an odd size, and so are its gradients', () => {
    tidy(() => {
      manualSeed(4)
      using module = new Inception(3, 8)
      noGrad(() => module.parameters().map((parameter) => parameter.normal_()))
      const x = rand([2, 3, 9, 7], { generator: new Generator(6) })
      const [one, two] = [module.forward(x), branches(module, x)]
      expect(one.sub(two).abs().amax().item()).toBeLessThan(1e-5)
      const target = rand([2, 8, 9, 7], { generator: new Generator(7) })
      one.mul(target).sum().backward()
      const gradients = module.parameters().map(({ grad }) => (grad as Tensor).clone())
      module.zeroGrad()
      two.mul(target).sum().backward()
      for (const [i, { grad }] of module.parameters().entries()) {
        expect(
          (grad as Tensor)
            .sub(gradients[i] as Tensor)
            .abs()
            .amax()
            .item(),
        ).toBeLessThan(1e-3)
      }
    })
  })

  test('of weights 1 on a ramp gives the row of the card, and no edge on a constant', () => {
    tidy(() => {
      using module = new Inception(1, 4)
      noGrad(() =>
        [...module.namedParameters()].map(([name, parameter]) => parameter.fill_(name.endsWith('bias') ? 0 : 1)),
      )
      const ramp = arange(6).to('float32').mul(0.1).expand([1, 1, 5, 6])
      const out = module.forward(ramp).squeeze(0).select(1, 2)
      const rows = [0, 1, 2, 3].map((channel) => numbers(out.select(0, channel)))
      const wanted = [
        [0, 0.1, 0.2, 0.3, 0.4, 0.5],
        [0.3, 0.9, 1.8, 2.7, 3.6, 4.2],
        [0.05, 0.1, 0.1, 0.1, 0.1, 0.05],
        [0, 0, 0, 0, 0, 0],
      ]
      for (const [channel, row] of wanted.entries()) {
        for (const [i, value] of row.entries()) expect(rows[channel]?.[i]).toBeCloseTo(value, 5)
      }
      const flat = module.forward(full([1, 1, 4, 4], 0.5))
      expect(flat.narrow(1, 2, 2).abs().amax().item()).toBeLessThan(1e-6)
    })
  })
})

describe('5. losses', () => {
  test('smoothness of a diagonal ramp counts, in all maps and in one', () => {
    tidy(() => {
      const [y, x] = [arange(8).to('float32').reshape([8, 1]), arange(8).to('float32').reshape([1, 8])]
      const ramp = x.sub(y).mul(0.1).reshape([1, 1, 8, 8])
      expect(smoothnessLoss(ramp.expand([-1, 4, -1, -1])).item()).toBeCloseTo(0.04, 6)
      expect(smoothnessLoss(cat([ramp, zeros([1, 3, 8, 8])], { dim: 1 })).item()).toBeCloseTo(0.01, 6)
      expect(smoothnessLoss(full([1, 4, 8, 8], 0.3)).item()).toBe(0)
    })
  })

  test('exposure of whole regions only, absolute and squared', () => {
    tidy(() => {
      expect(exposureLoss(full([2, 1, 32, 32], 0.6), 0.6).item()).toBeCloseTo(0, 6)
      const value = full([1, 1, 40, 50], 0.6)
      value.setAt([0, 0, slice(0, 16), slice(0, 16)], 0.2)
      value.setAt([0, 0, slice(16, 32), slice(16, 24)], 1)
      value.setAt([0, 0, slice(32)], 9)
      expect(exposureLoss(value, 0.6).item()).toBeCloseTo(0.1, 5)
      expect(exposureLoss(value, 0.6, 'square').item()).toBeCloseTo(0.033333, 5)
    })
  })

  class Fixed extends Module {
    constructor(readonly result: (noisy: Tensor) => Tensor) {
      super()
    }
    forward(noisy: Tensor, guide: Tensor) {
      return { a: guide, b: guide, q: this.result(noisy) }
    }
  }

  test('of the identity: no regularisation, twice the variance; and 2ασ² is the derivative of the sum', () => {
    tidy(() => {
      const sigma = 0.1
      const noisy = noise(128, 9).mul(sigma).add(0.5).unsqueeze(0)
      const patterns = drawNeighbourPatterns(1, 128, 128, { seed: 3, iteration: 0 })
      const loss = (result: (x: Tensor) => Tensor) =>
        fusionLoss(new Fixed(result) as unknown as GuidedFusion, noisy, noisy, patterns)
      const identity = loss((x) => x)
      expect(identity.regularisation.item()).toBeLessThan(1e-12)
      // Of 12,288 differences the variance is known to 1.3 %.
      expect(Math.abs((identity.reconstruction.item() as number) / (2 * sigma ** 2) - 1)).toBeLessThan(0.04)
      const alpha = tensor(0.5, { dtype: 'float32' }).requiresGrad_()
      const shrunk = loss((x) => x.sub(0.5).mul(alpha).add(0.5))
      shrunk.reconstruction.add(shrunk.regularisation).backward()
      // With a gradient through the whole picture's result it would be 0.
      expect((alpha.grad?.item() as number) / sigma ** 2).toBeCloseTo(1, 1)
    })
  })
})

test('8. the fusion is a·guide + b', () => {
  tidy(() => {
    using network = new GuidedFusion()
    const [noisy, guide] = [rand([1, 3, 12, 10]), rand([1, 3, 12, 10])]
    const bias = network.head.bias as Tensor
    noGrad(() => network.head.weight.zero_())
    noGrad(() => bias.copy_(tensor([1, 1, 1, 0, 0, 0])))
    expect(network.forward(noisy, guide).q.equal(guide)).toBe(true)
    noGrad(() => bias.copy_(tensor([0, 0, 0, 0.25, 0.5, 0.75])))
    expect(numbers(network.forward(noisy, guide).q.select(1, 1)).every((value) => value === 0.5)).toBe(true)
  })
})

test('the scene and its noise are those of the closed form, and the noise is found again', () => {
  tidy(() => {
    expect(scene(64).mean().item()).toBeCloseTo(0.435451, 5)
    const drawn = numbers(noise(64, 7))
    for (const [i, wanted] of [-1.324829, -1.782241, 0.077498].entries()) expect(drawn[i]).toBeCloseTo(wanted, 5)
    const noisy = scene(96).add(noise(96, 7).mul(25 / 255))
    expect(255 * estimateNoise(noisy)).toBeCloseTo(25.38, 0)
    expect(
      Math.abs(
        255 *
          estimateNoise(
            noise(96, 3)
              .mul(25 / 255)
              .add(0.5),
          ) -
          24.8,
      ),
    ).toBeLessThan(0.5)
    const [first, second] = neighbourPair(
      noisy.unsqueeze(0),
      drawNeighbourPatterns(1, 96, 96, { seed: 1, iteration: 1 }),
    )
    expect(first.equal(second)).toBe(false)
  })
})
