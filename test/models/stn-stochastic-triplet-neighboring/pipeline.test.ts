import { mkdirSync } from 'node:fs'
import sharp from 'sharp'
import { beforeAll, describe, expect, test } from 'vitest'
import { writeImage } from '../../../lib/io'
import {
  DenoisingUNet,
  SelfSupervisedDenoiser,
  system,
} from '../../../lib/models/enhancement/stn-stochastic-triplet-neighboring'
import { syntheticScene } from '../../../lib/models/enhancement/stn-stochastic-triplet-neighboring/synthetic'
import { parseConfig, saveSystemWeights } from '../../../lib/pipeline'
import { Generator, randn, tidyAsync } from '../../../lib/tensor'
import { runCli } from '../../support/cli'
import { liveTensors, liveTensorsDownTo } from '../../support/live-tensors'
import { temporaryFolder } from '../../support/temporary-folder'

const folder = temporaryFolder()
const TINY = { network: { width: 4 }, adaptation: { steps: 3, crop: 64 } }

beforeAll(async () => {
  mkdirSync(folder('out'))
  await tidyAsync(async () => {
    for (const index of [0, 1]) {
      using generator = new Generator(index)
      const scene = syntheticScene(1, index, 70)
      await writeImage(
        scene.add(randn([3, 70, 70], { generator }).mul(0.1)).clamp({ min: 0, max: 1 }),
        folder(`${index}.png`),
      )
    }
  })
})

describe('SelfSupervisedDenoiser', () => {
  test('trains on what it is given, all together, tells how far it is, and leaves nothing behind', async () => {
    const before = await liveTensors()
    await tidyAsync(async () => {
      using denoiser = await SelfSupervisedDenoiser.load({ device: 'cpu', config: TINY })
      const steps: number[] = []
      const results = await denoiser.batch([folder('0.png'), folder('1.png')], {
        onProgress: ({ stage, done }) => void (stage === 'training' && steps.push(done)),
      })
      expect(results.map(({ image }) => image.shape)).toEqual([
        [3, 70, 70],
        [3, 70, 70],
      ])
      expect(results[0]?.measured.removed).toBeGreaterThan(0)
      expect(steps).toEqual([3])
      for (const result of results) result.dispose()
    })
    expect(await liveTensorsDownTo(before)).toBe(before)
  })

  test('gives grey pictures for grey networks', async () => {
    await tidyAsync(async () => {
      using denoiser = await SelfSupervisedDenoiser.load({
        device: 'cpu',
        config: { ...TINY, network: { width: 4, channels: 1 } },
      })
      using result = await denoiser.run(folder('0.png'))
      expect(result.image.shape).toEqual([1, 70, 70])
    })
  })

  test('stops at its signal', async () => {
    const controller = new AbortController()
    await tidyAsync(async () => {
      using denoiser = await SelfSupervisedDenoiser.load({
        device: 'cpu',
        config: { ...TINY, adaptation: { steps: 1000, crop: 64 } },
      })
      const onProgress = () => controller.abort()
      await expect(denoiser.run(folder('0.png'), { signal: controller.signal, onProgress })).rejects.toThrow(
        /cancelled/,
      )
    })
  })

  test('refuses methods that learn from pairs, ranges upside down, and weights of another variant', async () => {
    await tidyAsync(async () => {
      using supervised = await SelfSupervisedDenoiser.load({ device: 'cpu', config: { ...TINY, method: 'n2c' } })
      await expect(supervised.run(folder('0.png'))).rejects.toThrow(/method n2c learns from pairs/)
      await expect(SelfSupervisedDenoiser.load({ config: { mixing: { low: 2, high: 1 } } })).rejects.toThrow(
        /low must not be above high/,
      )
      const config = parseConfig(system.config, { network: { width: 4 } }, 'test')
      using model = new DenoisingUNet(config.network)
      await saveSystemWeights(folder('w4.safetensors'), system.card.name, config, model)
      await expect(
        SelfSupervisedDenoiser.load({ weights: folder('w4.safetensors'), config: { network: { width: 8 } } }),
      ).rejects.toThrow(/enc_conv0\.weight/)
    })
  })
})

test('vision-native denoise writes a picture of the same size', async () => {
  const { code, stdout, stderr } = await runCli([
    'denoise',
    folder('0.png'),
    '-o',
    folder('out', 'clean.png'),
    ...['--model', 'stn-stochastic-triplet-neighboring', '--device', 'cpu', '--json'],
    ...['--set', 'network.width=4', '--set', 'adaptation.steps=2', '--set', 'adaptation.crop=64'],
  ])
  expect(stderr).not.toContain('Error')
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ task: 'denoise', results: [{ result: { width: 70, height: 70 } }] })
  expect(await sharp(folder('out', 'clean.png')).metadata()).toMatchObject({ width: 70, height: 70, channels: 3 })
})
