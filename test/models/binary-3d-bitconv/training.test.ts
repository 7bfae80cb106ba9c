// The stages of the training: what moves, and what does not.
import { describe, expect, test } from 'vitest'
import {
  actionData,
  BACKBONES,
  BinaryUnit,
  Config,
  createNetwork,
  reestimateNorms,
  STAGES,
  setStage,
  spreadSigns,
  stageOptimiser,
  stagesOf,
  system,
  trainStage,
} from '../../../lib/models/video/binary-3d-bitconv'
import { parameterRoles } from '../../../lib/models/video/binary-3d-bitconv/schedule'
import { BatchNorm3d, functional as F } from '../../../lib/nn'
import { mergeConfigs, parseConfig, SYNTHETIC, trainSystem } from '../../../lib/pipeline'
import { manualSeed, noGrad, randn, tensor, tidy, tidyAsync } from '../../../lib/tensor'
import { temporaryFolder } from '../../support/temporary-folder'

const folder = temporaryFolder()
const configOf = (over: object = {}) =>
  parseConfig(Config, mergeConfigs(mergeConfigs(system.tiny, { classes: 8 }), over), 'test')

describe('gradients', () => {
  test.each(STAGES)('reach every parameter in the stage %s, and are not 0', (stage) =>
    tidy(() => {
      for (const backbone of BACKBONES) {
        manualSeed(1)
        using model = createNetwork(configOf({ network: { backbone, dropout: 0 }, input: { shortSide: 32, size: 32 } }))
        setStage(model, stage)
        spreadSigns(model)
        F.crossEntropy(model.forward(randn([4, 3, 16, 32, 32])), tensor([0, 1, 2, 3].map(BigInt))).backward()
        const dead = [...model.namedParameters()].filter(([, p]) => !((p.grad?.abs().sum().item() as number) > 0))
        expect(
          dead.map(([name]) => name),
          backbone,
        ).toEqual([])
        model.zeroGrad()
      }
    }),
  )
})

describe('the optimiser', () => {
  const decays = (stage: (typeof STAGES)[number], network: object = {}) =>
    tidy(() => {
      using model = createNetwork(configOf({ network }))
      using optimiser = stageOptimiser(model, stage, 0.1, configOf({ network }))
      const { masters, weights, others } = parameterRoles(model)
      expect(masters.length + weights.length + others.length).toBe(model.parameters().length)
      return optimiser.paramGroups.map(({ params, weightDecay }) => [params.length, weightDecay])
    })

  test('decays masters but in the last stage, float weights always, biases, norms and slopes never', () => {
    // Seven masters; conv1a and three linear layers; four biases, and six vectors of each unit.
    const rest = [
      [4, 5e-4],
      [46, 0],
    ]
    expect(decays('real')).toEqual([[7, 5e-4], ...rest])
    expect(decays('activations')).toEqual([[7, 5e-4], ...rest])
    expect(decays('binary')).toEqual([[7, 0], ...rest])
    expect(decays('real', { precision: 'float' })).toEqual([
      [11, 5e-4],
      [11, 0],
    ])
  })

  test('brings masters back to ±1 in the last stage, and only there', () =>
    tidy(() => {
      const config = configOf()
      for (const stage of ['activations', 'binary'] as const) {
        using model = createNetwork(config)
        using optimiser = stageOptimiser(model, stage, 0.1, config)
        const { masters, weights } = parameterRoles(model)
        noGrad(() => {
          for (const each of [...masters, ...weights]) each.fill_(3)
        })
        setStage(model, stage)
        F.crossEntropy(model.forward(randn([4, 3, 16, 16, 16])), tensor([0, 1, 2, 3].map(BigInt))).backward()
        optimiser.step()
        const most = (list: typeof masters) => Math.max(...list.map((each) => each.abs().max().item() as number))
        if (stage === 'binary') expect(most(masters)).toBe(1)
        else expect(most(masters)).toBeGreaterThan(2)
        expect(most(weights)).toBeGreaterThan(2)
        model.zeroGrad()
      }
    }))
})

test('a float network has one stage; stages without epochs are left out, but not the last one', async () => {
  expect(stagesOf(configOf())).toEqual(['real', 'activations', 'binary'])
  expect(stagesOf(configOf({ network: { precision: 'float' } }))).toEqual(['real'])
  expect(stagesOf(configOf({ training: { activations: { epochs: 0 } } }))).toEqual(['real', 'binary'])
  const start = (config: object, name: string) =>
    trainSystem(system, {
      ...{ data: SYNTHETIC, folder: folder(name), device: 'cpu', progress: false },
      config: mergeConfigs(system.tiny, config) as typeof system.tiny,
    })
  await expect(start({ training: { binary: { epochs: 0 } } }, 'no-last')).rejects.toThrow(
    /the last stage has no epochs/,
  )
  await expect(start({ network: { precision: 'packed' } }, 'packed')).rejects.toThrow(
    /a packed network cannot be trained/,
  )
  await tidyAsync(async () => {
    const report = await start({ network: { precision: 'float' } }, 'float')
    expect(Object.keys(report.values)).toEqual(['real loss'])
  })
})

test('norms are measured anew as the mean over batches, from rest', () =>
  tidyAsync(async () => {
    const config = configOf({ training: { reestimate: 3 }, network: { dropout: 0 } })
    manualSeed(2)
    using model = createNetwork(config)
    const { videos } = await actionData('train', { data: SYNTHETIC, device: 'cpu', note: () => {} }, config)
    const norms = [...model.modules()].filter((module) => module instanceof BatchNorm3d)
    for (const norm of norms) norm.runningMean?.fill_(1000)
    await reestimateNorms(model, config, videos)
    for (const norm of norms) {
      expect(norm.numBatchesTracked?.item()).toBe(3)
      expect(norm.runningMean?.abs().max().item()).toBeLessThan(100)
      expect(norm.momentum).toBe(0.1)
    }
  }))

test('signs of weights of all seven layers flip in the last stage', () =>
  tidyAsync(async () => {
    const config = configOf({
      network: { dropout: 0 },
      training: { batchSize: 8, binary: { epochs: 10, learningRate: 0.02 } },
      synthetic: { clips: 8 },
    })
    manualSeed(3)
    using model = createNetwork(config)
    const { videos } = await actionData('train', { data: SYNTHETIC, device: 'cpu', note: () => {} }, config)
    const units = [...model.modules()].filter((module) => module instanceof BinaryUnit)
    const before = units.map((unit) => unit.conv.weight.detach().ge(0).clone())
    const { steps } = await trainStage(model, 'binary', config, videos, { progress: false })
    expect(steps).toBe(10)
    const flipped = units.map((unit, i) =>
      Number(
        unit.conv.weight
          .detach()
          .ge(0)
          .ne(before[i] as never)
          .sum()
          .item(),
      ),
    )
    expect(flipped.length).toBe(7)
    for (const count of flipped) expect(count).toBeGreaterThan(0)
  }))
