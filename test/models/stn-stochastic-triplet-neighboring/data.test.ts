import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, test } from 'vitest'
import { writeImage } from '../../../lib/io'
import { Config } from '../../../lib/models/enhancement/stn-stochastic-triplet-neighboring'
import { testCrops, trainingCrops } from '../../../lib/models/enhancement/stn-stochastic-triplet-neighboring/data'
import { syntheticScene } from '../../../lib/models/enhancement/stn-stochastic-triplet-neighboring/synthetic'
import { parseConfig } from '../../../lib/pipeline'
import { type Tensor, tidyAsync } from '../../../lib/tensor'
import { temporaryFolder } from '../../support/temporary-folder'

const folder = temporaryFolder()
const configOf = (over: object = {}) => parseConfig(Config, over, 'test')
const requestOf = (data: string, notes: string[] = [], skipBroken = false) => ({
  data,
  skipBroken,
  device: 'cpu' as const,
  note: (text: string) => void notes.push(text),
})
const rms = (x: Tensor) => x.square().mean().sqrt().toNumber()

async function picture(path: string, index: number, side = 80): Promise<void> {
  mkdirSync(dirname(path), { recursive: true })
  await tidyAsync(() => writeImage(syntheticScene(0, index, side), path))
}

const SMALL = { data: { crop: 64 } }

describe('clean pictures', () => {
  test('get noise of the known σ, neither clipped nor rounded, the same in every set', async () => {
    await tidyAsync(async () => {
      const config = configOf({ ...SMALL, noise: { sigma: 50 } })
      const all = await trainingCrops(requestOf('synthetic'), config)
      expect(all.length).toBe(8)
      for (const { noisy, clean } of all) {
        expect(rms(noisy.sub(clean as Tensor)) * 255).toBeCloseTo(50, -1)
        expect(noisy.shape).toEqual([3, 64, 64])
      }
      expect(Math.min(...all.map(({ noisy }) => noisy.min().toNumber()))).toBeLessThan(0)
      const some = await trainingCrops(
        requestOf('synthetic'),
        configOf({ data: { crop: 64, train: 3 }, noise: { sigma: 50 } }),
      )
      expect(some.map(({ name }) => name)).toEqual(all.slice(0, 3).map(({ name }) => name))
      for (const [index, { noisy }] of some.entries()) expect(noisy.equal(all[index]?.noisy as Tensor)).toBe(true)
    })
  })

  test('get a second noise for n2n that is independent of the first', async () => {
    await tidyAsync(async () => {
      const [crop] = await trainingCrops(requestOf('synthetic'), configOf({ ...SMALL, method: 'n2n' }))
      const [a, b] = [crop?.noisy.sub(crop.clean as Tensor), crop?.second?.sub(crop.clean as Tensor)] as [
        Tensor,
        Tensor,
      ]
      expect(Math.abs(a.mul(b).mean().toNumber() / (rms(a) * rms(b)))).toBeLessThan(0.05)
    })
  })

  test('of BSDS300 are read from images/train and images/test, cropped at random and in the middle', async () => {
    for (const index of [0, 1, 2]) await picture(folder('bsds', 'images', 'train', `${index}.png`), index)
    await picture(folder('bsds', 'images', 'test', '9.png'), 9)
    await tidyAsync(async () => {
      const config = configOf(SMALL)
      expect((await trainingCrops(requestOf(folder('bsds')), config)).length).toBe(3)
      const [only] = await testCrops(requestOf(folder('bsds')), config)
      const middle = syntheticScene(0, 9, 80).narrow(1, 8, 64).narrow(2, 8, 64)
      expect(only?.clean.sub(middle).abs().max().toNumber()).toBeLessThan(1 / 255)
      const [whole] = await testCrops(requestOf(folder('bsds')), configOf({ data: { crop: 64, score: 'whole' } }))
      expect(whole?.clean.shape).toEqual([3, 80, 80])
    })
  })
})

describe('pairs', () => {
  test('of five scenes train on four, whose crops stay together', async () => {
    await picture(folder('scene.png'), 0)
    mkdirSync(folder('polyu'))
    for (const scene of [0, 1, 2, 3, 4]) {
      for (const crop of ['1_real', '1_mean', '2_real', '2_mean']) {
        copyFileSync(folder('scene.png'), folder('polyu', `S${scene}_${crop}.png`))
      }
    }
    await tidyAsync(async () => {
      const config = configOf(SMALL)
      const [train, tests] = [
        await trainingCrops(requestOf(folder('polyu')), config),
        await testCrops(requestOf(folder('polyu')), config),
      ]
      expect([train.length, tests.length]).toEqual([8, 2])
      const scenes = (crops: readonly { name: string }[]) => new Set(crops.map(({ name }) => name.slice(0, 2)))
      expect([...scenes(tests)].filter((scene) => scenes(train).has(scene))).toEqual([])
      // As read: no noise is added to what has its own.
      expect(tests[0]?.noisy.equal(tests[0].clean)).toBe(true)
    })
  })
})

describe('noisy pictures alone', () => {
  test('are trained on, and nothing is scored; methods that need more say so', async () => {
    for (const index of [0, 1]) await picture(folder('noisy', `${index}.png`), index)
    await tidyAsync(async () => {
      expect((await trainingCrops(requestOf(folder('noisy')), configOf(SMALL))).length).toBe(2)
      expect(await testCrops(requestOf(folder('noisy')), configOf(SMALL))).toEqual([])
      const supervised = configOf({ ...SMALL, method: 'n2c' })
      await expect(trainingCrops(requestOf(folder('noisy')), supervised)).rejects.toThrow(
        /n2c learns from clean pictures/,
      )
    })
  })

  test('that are broken or too small are named, and left out only when asked', async () => {
    await picture(folder('bad', 'good.png'), 0)
    await picture(folder('bad', 'small.png'), 1, 20)
    writeFileSync(folder('bad', 'broken.png'), 'no picture')
    await tidyAsync(async () => {
      const config = configOf(SMALL)
      await expect(trainingCrops(requestOf(folder('bad')), config)).rejects.toThrow(
        /2 of 3 files(.|\n)*broken\.png(.|\n)*small\.png: 20 × 20 pixels; the least side is 64/,
      )
      const notes: string[] = []
      expect((await trainingCrops(requestOf(folder('bad'), notes, true), config)).map(({ name }) => name)).toEqual([
        'good.png',
      ])
      expect(notes[0]).toContain('They are left out')
    })
  })
})
