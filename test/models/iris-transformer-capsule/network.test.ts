// The network of the paper: shapes, tokens, attention, symmetry; numbers 1, 7, 8, 9, D and F of its card.
import { describe, expect, test } from 'vitest'
import {
  CapsuleMatcher,
  ChunkTokens,
  Config,
  differenceOf,
  HeadAttention,
  IrisExtractor,
  irisLoss,
  Reconstruction,
  reconstructionOf,
  system,
  TokenGenerator,
  TransCapsIris,
  TransformerLayer,
} from '../../../lib/models/biometrics/iris-transformer-capsule'
import { mergeConfigs } from '../../../lib/pipeline'
import {
  eye,
  full,
  manualSeed,
  noGrad,
  rand,
  randn,
  type Tensor,
  tensor,
  tidy,
  tidyAsync,
  zeros,
} from '../../../lib/tensor'

const small = (over: object = {}): Config => Config.parse(mergeConfigs(system.tiny, over))
const values = (x: Tensor) => [...(x.detach().flatten().to('float64').dataSync() as Float64Array)]
const VARIANTS = {
  full: {},
  'CNN only': { features: 'none', matcher: 'linear' },
  'transformer over chunks': { features: 'chunks', matcher: 'linear' },
  'tokens and transformer': { matcher: 'linear' },
  'capsules only': { features: 'none' },
  'chunks and capsules': { features: 'chunks' },
  'whole depth': { kernelDepth: 16 },
  'literal routing': { routingBias: false, couplingGain: 'none' },
  'detached routing': { detachRouting: true },
  'unit vectors': { difference: 'normalize-channel' },
  'unit map': { difference: 'normalize-map' },
  'ResNet-34, two stages': { trunk: 'resnet34', stages: 2 },
  'one stage': { stages: 1 },
  'three encoder layers': { encoderLayers: 3, decoderLayers: 2, tokens: 6 },
} as const

test(
  '1. 256² pixels give 32 × 64 × 64 features, 8 capsules a position and a decoder of 4 to 64',
  () =>
    tidy(() => {
      manualSeed(1)
      const model = new TransCapsIris(Config.parse({})).eval()
      const { matcher, extractor } = model
      if (!(matcher instanceof CapsuleMatcher)) throw new Error('capsules are the default')
      noGrad(() => {
        const image = rand([1, 3, 256, 256])
        const { maps, tokens } = extractor.describe(image)
        expect(maps.shape).toEqual([1, 32, 64, 64])
        expect(tokens?.shape).toEqual([1, 4, 32])
        const { difference, capsules, sureness } = model.compare({ maps, tokens }, { maps, tokens })
        expect(difference.shape).toEqual([1, 32, 64, 64])
        expect(matcher.primary(difference).shape).toEqual([1, 8, 16, 64, 64])
        expect(matcher.routed.forward(matcher.primary(difference)).shape).toEqual([1, 8, 16, 64, 64])
        expect(capsules?.shape).toEqual([1, 2, 16])
        expect(sureness.shape).toEqual([1, 2])
        let x: Tensor = rand([1, 16, 1, 1])
        const sides: number[] = []
        for (const layer of matcher.reconstruction.layers) {
          x = layer.forward(x)
          if (sides.at(-1) !== x.size(2)) sides.push(x.size(2))
        }
        expect(sides).toEqual([4, 8, 16, 32, 64])
        expect(x.shape).toEqual([1, 32, 64, 64])
      })
      const deep = new CapsuleMatcher(small({ network: { kernelDepth: 16 } }))
      expect(deep.routed.weight.shape).toEqual([128, 1, 16, 3, 3])
      expect(new Reconstruction(32, 8).forward(rand([2, 16])).shape).toEqual([2, 32, 8, 8])
      model.dispose()
    }),
  60_000,
)

test('7. tokens are means of the pixels', () =>
  tidy(() => {
    manualSeed(2)
    const tokens = new TokenGenerator(5, 3)
    const constant = tensor([1, -2, 3, 0.5, 7]).reshape([1, 5, 1, 1]).expand([1, 5, 4, 4])
    for (const [i, value] of values(tokens.forward(constant)).entries()) {
      expect(value).toBeCloseTo([1, -2, 3, 0.5, 7][i % 5] as number, 5)
    }
    const maps = randn([2, 5, 4, 4])
    const [least, most] = [maps.amin({ dim: [2, 3] }).unsqueeze(1), maps.amax({ dim: [2, 3] }).unsqueeze(1)]
    const made = tokens.forward(maps)
    expect(made.ge(least).logicalAnd(made.le(most)).all().item()).toBe(true)
    const chunks = new ChunkTokens(4).forward(maps)
    expect(chunks.shape).toEqual([2, 4, 5])
    expect(values(chunks)[0]).toBeCloseTo(
      maps
        .narrow(2, 0, 2)
        .narrow(3, 0, 2)
        .mean({ dim: [2, 3] })
        .flatten()
        .narrow(0, 0, 1)
        .item() as number,
      6,
    )
  }))

describe('D.', () => {
  test('attention divides by √d of a head', () =>
    tidy(() => {
      const attention = new HeadAttention({ channels: 2, heads: 1, headDim: 2 })
      noGrad(() => {
        for (const { weight } of [attention.query, attention.key, attention.value, attention.output])
          weight.copy_(eye(2))
      })
      const [a = 0, b = 0] = values(
        attention.forward(
          tensor([[[2, 0]]]),
          tensor([
            [
              [1, 0],
              [0, 1],
            ],
          ]),
        ),
      )
      expect(a).toBeCloseTo(0.80443, 5)
      expect(b).toBeCloseTo(0.19557, 5)
    }))

  test('tokens by Eq. 1', () =>
    tidy(() => {
      const tokens = new TokenGenerator(2, 2)
      noGrad(() => tokens.conv.weight.copy_(tensor([1, 0, 0, 2]).reshape([2, 2, 1, 1])))
      const maps = tensor([0, 1, 2, 3, 1, 0, -1, 2]).reshape([1, 2, 2, 2])
      const expected = [2.492653, 1.083004, 2.614995, 1.844825]
      for (const [i, value] of values(tokens.forward(maps)).entries())
        expect(value).toBeCloseTo(expected[i] as number, 5)
    }))
})

test('8. a decoder layer without output matrices changes nothing', () =>
  tidy(() => {
    const layer = new TransformerLayer({ channels: 8, heads: 2, headDim: 4 })
    noGrad(() => {
      layer.attention.output.weight.zero_()
      layer.mlp.outer.weight.zero_()
      layer.mlp.outer.bias?.zero_()
    })
    const pixels = randn([2, 16, 8])
    expect(layer.forward(pixels, randn([2, 3, 8])).equal(pixels)).toBe(true)
  }))

test('9. with equal positions for both images, the order of the images does not matter', () =>
  tidy(() => {
    manualSeed(3)
    const model = new TransCapsIris(small()).eval()
    const positions = model.extractor.transformer?.positions as Tensor
    const [a, b] = [randn([2, 3, 32, 32]), randn([2, 3, 32, 32])]
    const gap = () =>
      model
        .score(model.forward(a, b))
        .sub(model.score(model.forward(b, a)))
        .abs()
        .max()
        .item() as number
    noGrad(() => {
      expect(model.forward(a, a).difference.max().item()).toBeGreaterThan(0.01)
      positions.narrow(0, 4, 4).copy_(positions.narrow(0, 0, 4).clone())
      expect(gap()).toBeLessThan(1e-5)
      expect(model.forward(a, a).difference.max().item()).toBeLessThan(1e-5)
    })
    model.dispose()
  }))

describe('F. at full size, first values', () => {
  const lengthsFor = (over: object) => {
    manualSeed(4)
    const matcher = new CapsuleMatcher(Config.parse({ network: over }))
    const change = noGrad(() => {
      const nothing = matcher.judge(zeros([1, 32, 64, 64])).sureness
      return values(
        matcher
          .judge(rand([1, 32, 64, 64]))
          .sureness.sub(nothing)
          .abs(),
      )
    })
    const { sureness } = matcher.judge(rand([1, 32, 64, 64]))
    sureness.sum().backward()
    const gradient = (matcher.conv.weight.grad as Tensor).norm().item() as number
    matcher.dispose()
    return { change, gradient }
  }

  test(
    'the input reaches both lengths by the gain of couplings, and hardly without',
    () =>
      tidy(() => {
        const gained = lengthsFor({})
        for (const change of gained.change) expect(change).toBeGreaterThan(0.01)
        const printed = lengthsFor({ couplingGain: 'none' })
        for (const change of printed.change) expect(change).toBeLessThan(1e-3)
        // 13., second half: β alone lets hardly a gradient through to the convolution, and the print none at all.
        const literal = lengthsFor({ couplingGain: 'none', routingBias: false })
        console.log(
          `gradient of the capsule convolution: gain ${gained.gradient.toExponential(1)}, β alone ${printed.gradient.toExponential(1)}, literal ${literal.gradient.toExponential(1)}`,
        )
        expect(gained.gradient).toBeGreaterThan(1e3 * literal.gradient)
        expect(printed.gradient).toBeGreaterThan(1e3 * literal.gradient)
      }),
    60_000,
  )
})

describe('variants', () => {
  test.each(Object.entries(VARIANTS))(
    '%s: a gradient that is not zero for every parameter that tells images apart',
    (_, network) =>
      tidyAsync(async () => {
        manualSeed(5)
        const model = new TransCapsIris(small({ network }))
        const result = irisLoss(
          model,
          model.forward(randn([4, 3, 32, 32]), randn([4, 3, 32, 32])),
          tensor([1n, 0n, 0n, 1n]),
        )
        const loss = 'loss' in result ? result.loss : result
        expect(Number.isFinite(loss.item())).toBe(true)
        ;(loss as Tensor).backward()
        const without = [...model.namedParameters()].filter(
          ([, { grad }]) => !(grad && (grad.abs().sum().item() as number) > 0),
        )
        expect(without.map(([name]) => name)).toEqual(cancelled(model))
        model.dispose()
      }),
  )

  /** What is added to the maps of both images alike is not in their difference. */
  function cancelled({ config, extractor }: TransCapsIris): string[] {
    if (extractor.transformer === null) return ['extractor.reduce.bias']
    return [`extractor.transformer.decoder.${config.network.decoderLayers - 1}.mlp.outer.bias`]
  }
})

test('differences: magnitude, unit vectors, a unit map', () =>
  tidy(() => {
    const [a, b] = [tensor([3, 0, 4, 1]).reshape([1, 2, 1, 2]), zeros([1, 2, 1, 2])]
    expect(values(differenceOf(a, b))).toEqual([3, expect.closeTo(0, 5), 4, 1])
    const unit = (kind: 'normalize-channel' | 'normalize-map', expected: number[]) => {
      for (const [i, value] of values(differenceOf(a, b, kind)).entries())
        expect(value).toBeCloseTo(expected[i] as number, 5)
    }
    unit('normalize-channel', [0.6, 0, 0.8, 1])
    unit(
      'normalize-map',
      [3, 0, 4, 1].map((x) => x / Math.sqrt(26)),
    )
    expect(values(differenceOf(b, a))).toEqual(values(differenceOf(a, b)))
  }))

test('the reconstruction is of the capsule of the true class, and the difference gets no gradient from it', () =>
  tidy(() => {
    manualSeed(6)
    const model = new TransCapsIris(small({ training: { absentWeight: 0 } })).eval()
    const matcher = model.matcher as CapsuleMatcher
    const capsules = randn([2, 2, 16])
    const made = reconstructionOf(matcher, capsules, tensor([1n, 0n]))
    expect(made.select(0, 0).equal(matcher.reconstruction.forward(capsules.select(1, 1)).select(0, 0))).toBe(true)
    expect(made.select(0, 1).equal(matcher.reconstruction.forward(capsules.select(1, 0)).select(0, 1))).toBe(true)
    const difference = full([2, 32, 8, 8], 0.3, { requiresGrad: true })
    const fixed = { sureness: full([2, 2], 0.95), capsules, difference }
    const { loss } = irisLoss(model, fixed, tensor([1n, 0n])) as { loss: Tensor }
    loss.backward()
    expect(difference.grad).toBeNull()
    model.dispose()
  }))

test('images pass the trunk one domain at a time: batch norm counts two batches', () =>
  tidy(() => {
    const extractor = new IrisExtractor(small())
    extractor.forward(randn([2, 3, 32, 32]), randn([2, 3, 32, 32]))
    expect(Number(extractor.stateDict().get('trunk.bn1.num_batches_tracked')?.item())).toBe(2)
  }))
