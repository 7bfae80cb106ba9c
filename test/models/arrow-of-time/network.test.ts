// Networks of the arrow of time, by the numbers of their card.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  actionNetwork,
  Config,
  chunkLayout,
  createNetwork,
  freezeForRegime,
  initialiseFromImageNet,
  TCam,
} from '../../../lib/models/video/arrow-of-time'
import { VggTrunk } from '../../../lib/models/video/arrow-of-time/vgg-trunk'
import { ConfigError, ShapeError } from '../../../lib/native/errors'
import { BatchNorm2d, Conv2d, functional as F, skipInit } from '../../../lib/nn'
import { SGD } from '../../../lib/optim'
import { cat, gradcheck, manualSeed, noGrad, ones, randn, type Tensor, tensor, tidy, zeros } from '../../../lib/tensor'
import { fillWithHash, hashTensor } from '../../support/hash-weights'
import { smallConfig } from './trial'

interface Reference {
  readonly name: string
  readonly chunks: number
  readonly maps: number
  readonly convs?: number
  readonly order?: string
  readonly logits: readonly number[]
  readonly swapped: readonly number[]
  readonly cam: readonly (readonly number[])[]
}

const reference: { readonly cases: readonly Reference[] } = JSON.parse(
  readFileSync(new URL('../../fixtures/arrow-of-time.json', import.meta.url), 'utf8'),
)
const scoped = (name: string, fn: () => void) => test(name, () => tidy(fn))

function small(network: object, classes = 1): TCam {
  const model = createNetwork(smallConfig({ network: { width: 0.0625, dropout: 0.5, ...network } }), classes)
  if (!(model instanceof TCam)) throw new Error('not a T-CAM')
  return model
}
const numbers = (t: Tensor): number[] => [...(t.contiguous().dataSync() as Float32Array)]

scoped('1. conv5 of the full network is 14 × 14 × 512, its CAM 14 × 14', () => {
  const { network } = Config.parse({})
  const trunk = skipInit(() => new VggTrunk(20, network)).eval()
  expect(noGrad(() => trunk.forward(zeros([1, 20, 224, 224]))).shape).toEqual([1, 512, 14, 14])
  const narrow = small({ maps: 10 }).eval()
  expect(noGrad(() => narrow.evidence(zeros([1, 2, 10, 224, 224]))).cam.shape).toEqual([1, 1, 14, 14])
})

describe('2. the mean of the CAM is the logit', () => {
  test.each([1, 2, 4])('for %i chunks', (chunks) =>
    tidy(() => {
      const model = small({ maps: 20, chunks }).eval()
      fillWithHash(model)
      const { cam, logits } = noGrad(() => model.evidence(randn([3, chunks, 40 / chunks, 48, 32]).mul(50)))
      const spread = Math.max(1, cam.std().item() as number)
      expect(
        cam
          .mean({ dim: [2, 3] })
          .sub(logits)
          .abs()
          .max()
          .item(),
      ).toBeLessThan(1e-5 * spread)
    }),
  )
})

describe('3. the trunk is shared', () => {
  scoped('permuted chunks give permuted blocks, equal chunks equal blocks, bit for bit', () => {
    const model = small({ maps: 20, chunks: 4 }).eval()
    fillWithHash(model)
    const x = randn([2, 4, 10, 32, 32]).mul(40)
    const order = [2, 0, 3, 1]
    const permuted = cat(
      order.map((t) => x.narrow(1, t, 1)),
      { dim: 1 },
    )
    const [blocks, others] = noGrad(() => [model.fused(x), model.fused(permuted)] as const)
    const size = blocks.size(1) / 4
    for (const [i, t] of order.entries())
      expect(others.narrow(1, i * size, size).equal(blocks.narrow(1, t * size, size))).toBe(true)
    const same = noGrad(() => model.fused(x.narrow(1, 0, 1).expand([2, 4, 10, 32, 32]).contiguous()))
    for (let t = 1; t < 4; t++) expect(same.narrow(1, t * size, size).equal(same.narrow(1, 0, size))).toBe(true)
  })
})

describe('sharper 6. against PyTorch', () => {
  test.each(reference.cases)('$name', ({ chunks, maps, convs, order, logits, swapped, cam }) =>
    tidy(() => {
      const model = small({ chunks, maps, classifierConvs: convs ?? 3, normOrder: order ?? 'norm-relu' }).eval()
      fillWithHash(model)
      const x = hashTensor('x', [2, chunks, (2 * maps) / chunks, 48, 64], 60)
      const evidence = noGrad(() => model.evidence(x))
      const close = (ours: Tensor, theirs: readonly number[]) => {
        const scale = Math.max(1, ...theirs.map(Math.abs))
        for (const [i, value] of numbers(ours).entries()) {
          expect(Math.abs(value - (theirs[i] as number))).toBeLessThan(2e-5 * scale)
        }
      }
      close(
        noGrad(() => model.forward(x)),
        logits,
      )
      close(evidence.cam.select(0, 0), cam.flat())
      close(
        noGrad(() => model.forward(x.flip([1]))),
        swapped,
      )
      if (chunks > 1) expect(Math.abs((swapped[0] as number) - (logits[0] as number))).toBeGreaterThan(1e-3)
    }),
  )

  test('the order of norm and ReLU matters', () => {
    const logit = (name: string) => reference.cases.find((entry) => entry.name === name)?.logits[0] ?? 0
    expect(Math.abs(logit('ReLU before the norm') - logit('two classifier convolutions'))).toBeGreaterThan(1e-3)
  })
})

scoped('7. gradients of the loss and of global pooling are those of finite differences', () => {
  manualSeed(3)
  const target = tensor([1, 0, 1, 0], { dtype: 'float64' })
  const maps = randn([4, 3, 2, 5], { dtype: 'float64' }).requiresGrad_()
  const weight = randn([1, 3], { dtype: 'float64' }).requiresGrad_()
  const loss = (m: Tensor, w: Tensor) =>
    F.binaryCrossEntropyWithLogits(
      m
        .mean({ dim: [2, 3] })
        .matmul(w.t())
        .squeeze(1),
      target,
    )
  expect(gradcheck(loss, [maps, weight])).toBe(true)
  // −y log p − (1 − y) log (1 − p) of two cases by hand.
  const byHand = F.binaryCrossEntropyWithLogits(tensor([0, 2]), tensor([1, 0]))
  expect(byHand.item()).toBeCloseTo((Math.log(2) + Math.log(1 + Math.exp(2))) / 2, 6)
})

scoped('8. eight directed clips are learnt by heart', () => {
  manualSeed(5)
  const model = small({ maps: 10, dropout: 0 })
  const x = randn([8, 2, 10, 32, 32]).mul(30)
  const y = tensor([1, 0, 1, 0, 1, 0, 1, 0]).to('float32')
  const optimizer = new SGD(model.parameters(), { lr: 0.02, momentum: 0.9 })
  for (let step = 0; step < 60; step++) {
    tidy(() => {
      optimizer.zeroGrad()
      F.binaryCrossEntropyWithLogits(model.forward(x), y).backward()
      optimizer.step()
    })
  }
  model.eval()
  expect(noGrad(() => F.binaryCrossEntropyWithLogits(model.forward(x), y)).item()).toBeLessThan(0.05)
})

describe('first values', () => {
  scoped('convolutions have a variance of 2 ∕ (9 · channels out), the last layer 10⁻⁶, biases are 0', () => {
    manualSeed(1)
    const model = small({ width: 0.25 })
    const conv = model.classifier.conv7?.conv as Conv2d
    expect((conv.weight.std().item() as number) ** 2).toBeCloseTo(2 / (9 * 256), 5)
    expect(model.fc.weight.abs().max().item()).toBeLessThan(0.006)
    for (const module of model.modules()) {
      if (module instanceof Conv2d) expect(module.bias?.abs().max().item()).toBe(0)
      if (module instanceof BatchNorm2d) expect(module.eps).toBe(1e-3)
    }
  })
})

describe('15. fine-tuning', () => {
  test.each([
    ['last', 103_525],
    ['after_fusion', 28_424_293],
    ['all', 43_157_221],
  ] as const)('%s trains %i parameters of the full network for 101 actions', (regime, count) =>
    tidy(() => {
      const model = skipInit(() => actionNetwork(Config.parse({}), 101))
      const { trained } = freezeForRegime(model, regime)
      expect(trained.reduce((sum, p) => sum + p.numel, 0)).toBe(count)
    }),
  )

  test.each([
    ['last', /^fc\./],
    ['after_fusion', /^(fc|classifier)\./],
    ['all', /./],
  ] as const)('%s changes its own tensors and no other, statistics included', (regime, own) =>
    tidy(() => {
      manualSeed(2)
      const config = smallConfig({ network: { maps: 10 } })
      const model = actionNetwork(config, 5)
      const before = new Map([...model.stateDict()].map(([name, t]) => [name, t.clone()]))
      const frozen = freezeForRegime(model, regime)
      const optimizer = new SGD(frozen.trained, { lr: 0.1, momentum: 0.9 })
      model.train()
      const x = randn([6, 2, 10, 32, 32]).mul(30)
      F.crossEntropy(model.forward(x), tensor(BigInt64Array.from([0n, 1n, 2n, 3n, 4n, 0n]))).backward()
      optimizer.step()
      const changed = [...model.stateDict()]
        .filter(([name, t]) => !t.equal(before.get(name) as Tensor))
        .map(([name]) => name)
      expect(changed.filter((name) => !own.test(name))).toEqual([])
      expect(changed.some((name) => name === 'fc.weight')).toBe(true)
      expect(changed.includes('classifier.conv8.conv.weight')).toBe(regime !== 'last')
      expect(changed.includes('classifier.conv6.norm.running_mean')).toBe(regime !== 'last')
      expect(changed.includes('trunk.conv1.0.conv.weight')).toBe(regime === 'all')
      expect(changed.includes('trunk.conv5.0.norm.running_mean')).toBe(regime === 'all')
    }),
  )

  scoped('takes the weights of the arrow of time but its last layer, and dropout of 0.9 and 0.8', () => {
    const config = smallConfig({ network: { maps: 10 } })
    const arrow = createNetwork(config)
    fillWithHash(arrow)
    const model = actionNetwork(config, 7, arrow.stateDict())
    expect(model.fc.weight.shape).toEqual([7, 64])
    expect(
      model
        .stateDict()
        .get('trunk.conv3.1.conv.weight')
        ?.equal(arrow.stateDict().get('trunk.conv3.1.conv.weight') as Tensor),
    ).toBe(true)
    expect(
      [model.classifier.conv6, model.classifier.conv7, model.classifier.conv8].map((unit) => unit?.dropout?.p),
    ).toEqual([0.9, 0.8, 0.8])
  })

  scoped('ImageNet: the mean over the colours for each channel of the first convolution', () => {
    const model = skipInit(() => createNetwork(Config.parse({ network: { maps: 10 } }))) as TCam
    const widths = [64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]
    const layers = [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28]
    const state = new Map<string, Tensor>()
    layers.forEach((layer, i) => {
      const from = i === 0 ? 3 : (widths[i - 1] as number)
      state.set(`features.${layer}.weight`, ones([widths[i] as number, from, 3, 3]).mul(i + 1))
      state.set(`features.${layer}.bias`, ones([widths[i] as number]).mul(-i))
    })
    const first = state.get('features.0.weight') as Tensor
    first.select(1, 0).fill_(4)
    initialiseFromImageNet(model, state)
    const own = model.stateDict()
    expect(own.get('trunk.conv1.0.conv.weight')?.eq(2).all().item()).toBe(true)
    expect(own.get('trunk.conv5.2.conv.weight')?.eq(13).all().item()).toBe(true)
    expect(own.get('trunk.conv4.1.conv.bias')?.eq(-8).all().item()).toBe(true)
  })
})

describe('chunks', () => {
  test.each([
    [{ maps: 20, chunks: 2, overlap: 0 }, [10, 10, 20]],
    [{ maps: 10, chunks: 2, overlap: 0.5 }, [5, 3, 8]],
    [{ maps: 20, chunks: 2, overlap: 0.5 }, [10, 5, 15]],
    [{ maps: 20, chunks: 4, overlap: 0.5 }, [5, 3, 14]],
  ])('%o', (network, [length, stride, span]) => {
    expect(chunkLayout(network)).toEqual({ chunks: network.chunks, length, stride, span })
  })

  scoped('what does not go together is refused', () => {
    expect(() => createNetwork(Config.parse({ network: { maps: 10, chunks: 3 } }))).toThrow(ConfigError)
    expect(() => createNetwork(Config.parse({ network: { trunk: 'alexnet' } }))).toThrow(/set network.chunks=1/)
    expect(() => createNetwork(Config.parse({ input: { shortSide: 100 } }))).toThrow(/crop 224 is larger/)
    expect(() => small({ maps: 10 }).forward(zeros([1, 1, 10, 32, 32]))).toThrow(ShapeError)
  })
})
