// What the loop over all networks does not see of networks that paint: forms, noise, truncation, losses and their penalties.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  discriminatorLoss,
  EqualizedConv2d,
  EqualizedLinear,
  featureMatchingLoss,
  type GanLoss,
  generatorLoss,
  MappingNetwork,
  MinibatchStd,
  MultiscaleDiscriminator,
  modulatedConv2d,
  NLayerDiscriminator,
  pathLengthPenalty,
  ResnetGenerator,
  r1Penalty,
  resampleConv2d,
  SPADEGenerator,
  StyleGAN2Discriminator,
  StyleGAN2Generator,
  SynthesisLayer,
  UnetGenerator,
} from '../../lib/backbones'
import { BatchNorm2d, Conv2d, type Module } from '../../lib/nn'
import { setupFilter } from '../../lib/ops'
import {
  Generator,
  grad,
  gradcheck,
  gradgradcheck,
  manualSeed,
  ones,
  type Tensor,
  tensor,
  tidy,
  zeros,
} from '../../lib/tensor'
import { hashTensor } from '../support/hash-weights'

const reference = JSON.parse(readFileSync(new URL('../fixtures/generative/gan.json', import.meta.url), 'utf8')) as {
  readonly losses: Readonly<Record<GanLoss, readonly [discriminator: number, generator: number]>>
  readonly r1: readonly (readonly number[])[]
  readonly pathLength: readonly (readonly number[])[]
}

const SMALL = { resolution: 16, zDim: 6, wDim: 5, channelBase: 64, channelMax: 8, mappingLayers: 2 }

function largestDifference(a: Tensor, b: Tensor | readonly number[]): number {
  const other = Array.isArray(b) ? tensor([...b], { dtype: 'float64' }).reshape([...a.shape]) : (b as Tensor)
  return a.to('float64').sub(other.to('float64')).abs().max().toNumber()
}

const deviation = (x: Tensor) => x.to('float64').std().toNumber()

describe('modulated convolution', () => {
  const inputs = () => [hashTensor('x', [3, 4, 6, 8]), hashTensor('w', [7, 4, 3, 3]), hashTensor('s', [3, 4], 0.5, 1)]

  test.each([
    [{ padding: 1 }],
    [{ padding: 1, demodulate: false }],
    [{ padding: 1, up: 2 }],
    [{ padding: 1, down: 2 }],
  ])('%o is the same in both forms', (options) => {
    tidy(() => {
      const [x, w, s] = inputs() as [Tensor, Tensor, Tensor]
      const filter = setupFilter([1, 3, 3, 1])
      const noise = hashTensor('noise', [3, 1, 1, 1])
      const fused = modulatedConv2d(x, w, s, { ...options, filter, noise })
      const plain = modulatedConv2d(x, w, s, { ...options, filter, noise, fused: false })
      expect(largestDifference(fused, plain)).toBeLessThan(1e-5)
      const factor = (options as { up?: number }).up ?? 1 / ((options as { down?: number }).down ?? 1)
      expect(fused.shape).toEqual([3, 7, 6 * factor, 8 * factor])
    })
  })

  test('demodulated weights have length 1, whatever the style', () => {
    tidy(() => {
      const weight = hashTensor('w', [2, 3, 1, 1])
      const pixel = (channel: number) => {
        const values = [0, 0, 0]
        values[channel] = 1
        return tensor(values).reshape([1, 3, 1, 1])
      }
      const style = tensor([[0.5, 40, 3]])
      const columns = [0, 1, 2].map((channel) => modulatedConv2d(pixel(channel), weight, style).flatten())
      const lengths = columns.reduce((sum, column) => sum.add(column.square()), zeros([2]))
      expect(largestDifference(lengths, [1, 1])).toBeLessThan(1e-6)
    })
  })

  test('has gradients of both orders, in both forms and up and down', () => {
    tidy(() => {
      const filter = setupFilter([1, 3, 3, 1])
      const make = (name: string, shape: number[]) => hashTensor(name, shape).to('float64').requiresGrad_()
      const given = [make('x', [2, 2, 3, 3]), make('w', [2, 2, 3, 3]), make('s', [2, 2])]
      for (const options of [{}, { up: 2 }, { down: 2 }]) {
        for (const fused of [true, false]) {
          const run = (x: Tensor, w: Tensor, s: Tensor) =>
            modulatedConv2d(x, w, s, { ...options, padding: 1, filter, fused })
          expect(gradcheck(run as never, given as never)).toBe(true)
        }
      }
      const run = (x: Tensor, w: Tensor, s: Tensor) => modulatedConv2d(x, w, s, { up: 2, padding: 1, filter })
      expect(gradgradcheck(run as never, given as never)).toBe(true)
    })
  })

  test('refuses channels that differ, and resampling without a filter', () => {
    tidy(() => {
      const [x, w] = inputs() as [Tensor, Tensor, Tensor]
      expect(() => modulatedConv2d(x, w, ones([3, 5]))).toThrow(
        'weight [7,4,3,3] takes images [N, 4, H, W] and styles [N, 4], got [3,4,6,8] and [3,5]',
      )
      expect(() => resampleConv2d(x, w, { up: 2 })).toThrow('need a filter')
      expect(() => resampleConv2d(x, w, { up: 2, down: 2, filter: setupFilter([1, 1]) })).toThrow('one after the other')
    })
  })
})

describe('StyleGAN2', () => {
  test('layers begin at variance 1, and keep it', () => {
    tidy(() => {
      manualSeed(2)
      const linear = new EqualizedLinear(400, 300, { lrMultiplier: 0.01, biasInit: 2 })
      expect(deviation(linear.weight)).toBeCloseTo(100, 0)
      expect(linear.bias?.equal(ones([300]).mul(2))).toBe(true)
      const out = linear.forward(hashTensor('x', [50, 400], Math.sqrt(3)))
      expect(deviation(out)).toBeGreaterThan(0.95)
      expect(deviation(out)).toBeLessThan(1.05)
      expect(out.mean().toNumber()).toBeCloseTo(0.02, 1)
      const conv = new EqualizedConv2d(64, 64, 3)
      expect(deviation(conv.weight)).toBeCloseTo(1, 1)
      const maps = conv.forward(hashTensor('y', [2, 64, 12, 12], Math.sqrt(3))).slice({ dim: 2, start: 1, end: 11 })
      expect(deviation(maps)).toBeCloseTo(1, 0)
      const layer = new SynthesisLayer(4, 6, 5, { resolution: 8 })
      expect([layer.noiseStrength?.toNumber(), layer.bias.abs().sum().toNumber()]).toEqual([0, 0])
      expect(layer.affine.bias?.equal(ones([4]))).toBe(true)
    })
  })

  test('limits what comes out where it is asked to', () => {
    tidy(() => {
      const conv = new EqualizedConv2d(1, 2, 1, { clamp: 0.5 })
      const out = conv.forward(hashTensor('x', [1, 1, 8, 8], 100))
      expect(out.abs().max().toNumber()).toBe(0.5)
      expect(
        conv
          .forward(hashTensor('x', [1, 1, 8, 8], 100), 0.5)
          .abs()
          .max()
          .toNumber(),
      ).toBe(0.25)
    })
  })

  test('noise is drawn from the generator given, each image its own, and none where its strength is 0', () => {
    tidy(() => {
      manualSeed(3)
      const network = new StyleGAN2Generator(SMALL).eval()
      const z = hashTensor('z', [1, 6]).expand([2, -1])
      const paint = (seed: number) => network.forward(z, { generator: new Generator(seed) })
      expect(paint(1).equal(network.forward(z, { noiseMode: 'none' }))).toBe(true)
      for (const [name, strength] of network.namedParameters()) {
        if (name.endsWith('noise_strength')) strength.detach().fill_(0.5)
      }
      expect(paint(1).equal(paint(1))).toBe(true)
      expect(paint(1).equal(paint(2))).toBe(false)
      const [first, second] = paint(1).unbind() as [Tensor, Tensor]
      expect(largestDifference(first, second)).toBeGreaterThan(1e-3)
      const stored = network.forward(z, { noiseMode: 'const' })
      const [one, other] = stored.unbind() as [Tensor, Tensor]
      expect(largestDifference(one, other)).toBeLessThan(1e-6)
      // Both forms, with one and the same noise.
      expect(largestDifference(stored, network.forward(z, { noiseMode: 'const', fused: false }))).toBeLessThan(1e-4)
    })
  })

  test('the average of w follows in training by its decay, and all truncation ends at it', () => {
    tidy(() => {
      const mapping = new MappingNetwork({ zDim: 6, wDim: 5, numWs: 3, layers: 2, wAvgBeta: 0.75 })
      const z = hashTensor('z', [8, 6])
      const mean = mapping
        .forward(z, { updateAverage: false })
        .select(1, 0)
        .mean({ dim: [0] })
      expect(mapping.wAvg?.abs().max().toNumber()).toBe(0)
      mapping.forward(z)
      expect(largestDifference(mapping.wAvg as Tensor, mean.mul(0.25))).toBeLessThan(1e-7)
      mapping.eval().forward(z)
      expect(largestDifference(mapping.wAvg as Tensor, mean.mul(0.25))).toBeLessThan(1e-7)
      const near = mapping.forward(z, { truncation: 0 })
      expect(largestDifference(near, (mapping.wAvg as Tensor).expand([8, 3, 5]))).toBeLessThan(1e-7)
      const mixed = mapping.forward(z, { truncation: 0, truncationCutoff: 2 })
      expect(mixed.select(1, 2).equal(mapping.forward(z).select(1, 2))).toBe(true)
      expect(largestDifference(mixed.select(1, 1), near.select(1, 1))).toBe(0)
    })
  })

  test('deviations are those of images that stand apart by the number of groups', () => {
    tidy(() => {
      const x = tensor([1, 10, 3, 30]).reshape([4, 1, 1, 1])
      const added = new MinibatchStd(2).forward(x).select(1, 1).flatten()
      expect(largestDifference(added, [1, 10, 1, 10])).toBeLessThan(1e-6)
      expect(new MinibatchStd(null).forward(x).shape).toEqual([4, 2, 1, 1])
      expect(() => new MinibatchStd(3).forward(x)).toThrow('4 images of 1 channels do not divide into groups of 3')
    })
  })

  test('refuses sizes and lengths that do not fit', () => {
    tidy(() => {
      const network = new StyleGAN2Generator(SMALL)
      expect(() => network.forward(zeros([2, 7]))).toThrow('latent vectors z have shape [2,7]; they must be [N, 6]')
      expect(() => network.synthesis.forward(zeros([2, 5, 5]))).toThrow('ws has shape [2,5,5]; it must be [N, 6, 5]')
      expect(() => new StyleGAN2Generator({ resolution: 48 })).toThrow('resolution is 48; it is a power of 2 from 4')
      expect(() => new StyleGAN2Generator({ ...SMALL, cDim: 3 }).forward(zeros([1, 6]))).toThrow('labels are not given')
      expect(() => new MappingNetwork({ zDim: 0, wDim: 4 })).toThrow('zDim and cDim are both 0')
      expect(() => new EqualizedLinear(2, 2, { lrMultiplier: 0 })).toThrow('lrMultiplier is 0; it is above 0')
      const judge = new StyleGAN2Discriminator({ resolution: 8, channelBase: 16 })
      expect(() => judge.forward(zeros([1, 3, 8, 16]))).toThrow(
        'images have shape [1,3,8,16]; they must be [N, 3, 8, 8]',
      )
    })
  })

  test('both penalties reach every parameter through our own operators', () => {
    tidy(() => {
      manualSeed(4)
      const judge = new StyleGAN2Discriminator({ resolution: 16, channelBase: 64, channelMax: 8 })
      r1Penalty((images) => judge.forward(images), hashTensor('real', [2, 3, 16, 16])).penalty.backward()
      // The last biases shift the logits only: the gradient at the image does not depend on them.
      expect(withoutGradient(judge)).toEqual(['b4.out.bias'])

      const network = new StyleGAN2Generator(SMALL)
      const ws = network.mapping.forward(hashTensor('z', [2, 6]))
      const { penalty } = pathLengthPenalty(network.synthesis.forward(ws), ws, zeros([]), {
        generator: new Generator(1),
      })
      penalty.backward()
      expect(withoutGradient(network.mapping)).toEqual([])
      expect(withoutGradient(network.synthesis).filter((name) => !/torgb.bias$/.test(name))).toEqual([])
    })
  })
})

function withoutGradient(network: Module): string[] {
  return [...network.namedParameters()]
    .filter(([, { grad: gradient }]) => !gradient?.isfinite().all().item())
    .map(([name]) => name)
}

describe('losses', () => {
  test.each(['nonSaturating', 'hinge', 'leastSquares'] as const)('%s is what the paper defines', (kind) => {
    tidy(() => {
      const [real, fake] = [hashTensor('real', [6, 1], 2), hashTensor('fake', [6, 1], 2)]
      const [discriminator, generator] = reference.losses[kind]
      expect(discriminatorLoss(kind, real, fake).toNumber()).toBeCloseTo(discriminator, 6)
      expect(generatorLoss(kind, fake).toNumber()).toBeCloseTo(generator, 6)
      // Scales are averaged, and only the last maps are logits.
      const scales = [[zeros([1, 4]), fake], [fake]]
      expect(generatorLoss(kind, scales).toNumber()).toBeCloseTo(generator, 6)
      expect(discriminatorLoss(kind, [real, real], scales).toNumber()).toBeCloseTo(discriminator, 6)
    })
  })

  test('R1 and its gradients are those of PyTorch', () => {
    tidy(() => {
      const weight = hashTensor('weight', [5, 12], 0.5).requiresGrad_()
      const head = hashTensor('head', [1, 5], 0.5).requiresGrad_()
      const judge = (images: Tensor) => images.flatten({ startDim: 1 }).matmul(weight.t()).tanh().matmul(head.t())
      const { penalty, logits } = r1Penalty(judge, hashTensor('images', [4, 3, 2, 2]))
      expect(logits.shape).toEqual([4, 1])
      const got = [penalty, ...grad(penalty, [weight, head])]
      for (const [i, expected] of reference.r1.entries()) {
        expect(largestDifference(got[i] as Tensor, expected)).toBeLessThan(1e-5)
      }
    })
  })

  test('path lengths and their gradients are those of PyTorch', () => {
    tidy(() => {
      const ws = hashTensor('ws', [4, 3, 5]).requiresGrad_()
      const paint = hashTensor('paint', [15, 12], 0.5).requiresGrad_()
      const images = ws.flatten({ startDim: 1 }).matmul(paint).sin().reshape([4, 3, 2, 2])
      const { penalty, average, lengths } = pathLengthPenalty(images, ws, tensor(0.4), { generator: new Generator(3) })
      const got = [penalty, average, lengths, ...grad(penalty, [paint])]
      for (const [i, expected] of reference.pathLength.entries()) {
        expect(largestDifference(got[i] as Tensor, expected)).toBeLessThan(1e-5)
      }
      expect(average.requiresGrad).toBe(false)
      expect(() => pathLengthPenalty(images, ws.narrow(0, 0, 2), tensor(0))).toThrow('images [4,3,2,2] and ws [2,3,5]')
    })
  })

  test('maps are matched without their logits, and only where they are as many', () => {
    tidy(() => {
      const maps = (values: readonly number[]) => [values.map((value) => tensor([value, value]))]
      const [real, fake] = [maps([1, 2, 3]), maps([2, 5, 9])]
      expect(featureMatchingLoss(real, fake).toNumber()).toBe(1 + 3)
      expect(featureMatchingLoss(real, fake, { last: true }).toNumber()).toBe(1 + 3 + 6)
      expect(featureMatchingLoss([...real, ...real], [...fake, ...real]).toNumber()).toBe(2)
      expect(() => featureMatchingLoss(real, maps([1]))).toThrow('3 and 1 maps in one; they must be as many')
      expect(() => generatorLoss('hinge', [])).toThrow('there are no logits')
      expect(() => generatorLoss('other' as never, zeros([1]))).toThrow("'nonSaturating', 'hinge', 'leastSquares'")
    })
  })
})

describe('networks of image translation', () => {
  test('have the sizes of the papers', () => {
    tidy(() => {
      // A patch of 70 pixels: three convolutions of stride 2 and two of stride 1, all 4 wide, counted backwards.
      let field = 1
      for (const stride of [1, 1, 2, 2, 2]) field = (field - 1) * stride + 4
      expect(field).toBe(70)
      expect(new NLayerDiscriminator().forward(zeros([1, 3, 256, 256])).shape).toEqual([1, 1, 30, 30])
      // pix2pixHD's discriminator: biased convolutions of 4 × 4 from 3 to 64, 128, 256, 512 and 1 channel.
      const widths = [3, 64, 128, 256, 512, 1]
      const count = widths.slice(1).reduce((sum, out, i) => sum + out * ((widths[i] as number) * 16 + 1), 0)
      const plain = new MultiscaleDiscriminator({ scales: 1, spectral: false, normBias: true })
      expect(plain.parameterCount()).toBe(count)
      expect(count).toBe(2_764_737)
    })
  })

  test('begin as their authors have it: pix2pix at 0.02, SPADE by Glorot at a gain of 0.02', () => {
    tidy(() => {
      manualSeed(6)
      const network = new ResnetGenerator({ width: 32, blocks: 1, norm: 'batch' })
      const convs = [...network.modules()].filter((module) => module instanceof Conv2d)
      for (const { weight, bias } of convs) {
        if (weight.numel > 5000) expect(deviation(weight)).toBeCloseTo(0.02, 3)
        if (bias) expect(bias.abs().max().toNumber()).toBe(0)
      }
      const norms = [...network.modules()].filter((module) => module instanceof BatchNorm2d)
      expect(norms.length).toBe(7)
      for (const { weight } of norms) expect(Math.abs((weight?.mean().toNumber() ?? 0) - 1)).toBeLessThan(0.02)

      const spade = new SPADEGenerator({ semanticChannels: 20, width: 4, size: 32, hidden: 32, spectral: false })
      const { weight } = spade.head_0.norm_0.mlpGamma
      expect(deviation(weight) / (0.02 * Math.sqrt(2 / (9 * (32 + 64))))).toBeCloseTo(1, 1)
    })
  })

  test('train with spectral norms: every parameter has a gradient, and the estimates move', () => {
    tidy(() => {
      manualSeed(7)
      const options = { semanticChannels: 3, width: 2, size: 32, hidden: 4, norm: 'instance' } as const
      const network = new SPADEGenerator({ ...options, size: 64 })
      const u = network.stateDict().get('head_0.conv_0.parametrizations.weight.0._u') as Tensor
      const before = u.clone()
      const images = network.forward(hashTensor('labels', [1, 3, 32, 32]))
      expect(images.shape).toEqual([1, 3, 64, 64])
      images.square().mean().backward()
      expect(withoutGradient(network)).toEqual([])
      expect(u.equal(before)).toBe(false)
    })
  })

  test('refuse sizes that do not fit', () => {
    tidy(() => {
      const unet = new UnetGenerator({ downs: 5, width: 2 })
      expect(() => unet.forward(zeros([1, 3, 48, 64]))).toThrow('H and W multiples of 32 from 32: resize or pad')
      expect(() => new UnetGenerator({ downs: 4 })).toThrow('downs is 4; it must be a whole number of 5 or more')
      const resnet = new ResnetGenerator({ width: 2, blocks: 1 })
      expect(() => resnet.forward(zeros([1, 3, 30, 32]))).toThrow('H and W multiples of 4 from 8')
      expect(() => new ResnetGenerator({ blocks: 0 })).toThrow('ResnetGenerator: blocks is 0')
      expect(() => new NLayerDiscriminator({ width: 2 }).forward(zeros([1, 3, 16, 64]))).toThrow(
        'H and W of 24 or more',
      )
      expect(() => new NLayerDiscriminator({ norm: 'layer' as never })).toThrow("'batch', 'instance', 'none'")
      expect(() => new SPADEGenerator({ size: 100 })).toThrow("do not divide by 32, as upsampling 'normal' needs")
      const spade = new SPADEGenerator({ semanticChannels: 3, width: 2, size: 32, hidden: 2, zDim: 4 })
      expect(() => spade.forward(zeros([1, 4, 32, 32]), zeros([1, 4]))).toThrow('it must be [N, 3, H, W]')
      expect(() => spade.forward(zeros([1, 3, 32, 32]))).toThrow('z is not given; it must be [1, 4]')
    })
  })
})
