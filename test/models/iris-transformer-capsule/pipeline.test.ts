// From pictures to a decision, and from a folder of eyes to weights.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readImage, writeImage } from '../../../lib/io'
import {
  Config,
  drawEye,
  IrisMatcher,
  type IrisTemplate,
  syntheticStrip,
  system,
} from '../../../lib/models/biometrics/iris-transformer-capsule'
import { loadNetworks, mergeConfigs, trainSystem } from '../../../lib/pipeline'
import { manualSeed, type Tensor, tidyAsync } from '../../../lib/tensor'
import { runCli } from '../../support/cli'
import { liveTensors, liveTensorsDownTo } from '../../support/live-tensors'
import { temporaryFolder } from '../../support/temporary-folder'

const folder = temporaryFolder()
const synthetic = Config.parse({}).synthetic
const SIZE = { height: 64, width: 512 }

function eye(identity: number, domain: 0 | 1, instance = 0): Tensor {
  const texture = syntheticStrip({ identity, domain, instance }, SIZE, synthetic)
  const [x, y] = [80 + 2 * instance, 60 - identity]
  const pupil = { x, y, radius: 12 + identity }
  return drawEye(texture, {
    height: 120,
    width: 160,
    pupil,
    iris: { x: x + 1, y, radius: 40 },
    seed: 10 * identity + instance,
  })
}

const strip = (identity: number, domain: 0 | 1, instance = 0): Tensor =>
  syntheticStrip({ identity, domain, instance }, SIZE, synthetic).expand([3, 64, 512])

const tinySets = ['network.stemChannels=8', 'network.decoderLayers=1', 'input.size=32']

test(
  'the command compares two pictures of eyes, writes a picture, and gives JSON',
  () =>
    tidyAsync(async () => {
      await writeImage(eye(1, 0), folder('visible.png'))
      await writeImage(eye(1, 1), folder('infrared.png'))
      const files = [folder('visible.png'), folder('infrared.png')]
      const { code, stdout, stderr } = await runCli([
        'match',
        ...files,
        '-o',
        folder('match.png'),
        '--weights',
        'random',
        '--json',
        '--set',
        ...tinySets,
      ])
      expect(stderr).toMatch(/weights are random/)
      expect(code).toBe(0)
      const [{ result }] = JSON.parse(stdout).results
      expect(result.same).toBe(result.score >= 0.5)
      expect(result.score).toBeGreaterThan(0)
      expect(result.score).toBeLessThan(1)
      // Eyes, two strips and the difference, four pixels apart.
      expect((await readImage(folder('match.png'))).shape).toEqual([3, 192 + 3 * 64 + 3 * 4, 512])
    }),
  120_000,
)

test('the command evaluates, and writes the curves', async () => {
  writeFileSync(folder('tiny.json'), JSON.stringify(system.tiny))
  const options = ['--data', 'synthetic', '--weights', 'random', '--config', folder('tiny.json')]
  const { code, stdout } = await runCli([
    'evaluate',
    'iris-transformer-capsule',
    ...options,
    '-o',
    folder('curves'),
    '--json',
  ])
  expect(code).toBe(0)
  const { charts, metrics } = JSON.parse(stdout)
  expect(charts).toEqual([folder('curves', 'roc.svg'), folder('curves', 'det.svg')])
  for (const chart of charts) expect(readFileSync(chart, 'utf8')).toMatch(/^<svg/)
  expect(metrics.eer).toBeGreaterThanOrEqual(0)
}, 120_000)

describe('IrisMatcher', () => {
  const config = mergeConfigs(system.tiny, {
    normalisation: SIZE,
    inference: { rotations: [-8, 0, 8] },
  }) as typeof system.tiny

  test('scores strips, and the best rotation counts', async () => {
    const before = await liveTensors()
    await tidyAsync(async () => {
      manualSeed(1)
      using matcher = await IrisMatcher.load({ weights: 'random', config, device: 'cpu' })
      const stages = new Set<string>()
      using match = await matcher.run([strip(1, 0), strip(1, 1)], {
        onProgress: ({ stage }) => stages.add(stage ?? ''),
      })
      expect([...stages]).toEqual(['irises'])
      expect(match.irises.map(({ segmentation }) => segmentation)).toEqual([undefined, undefined])
      // No eyes were given: strips and difference.
      expect(match.picture.shape).toEqual([3, 3 * 64 + 2 * 4, 512])
      await match.toFile(folder('match.json'))
      expect(JSON.parse(readFileSync(folder('match.json'), 'utf8'))).toEqual({
        same: match.same,
        score: match.score,
        threshold: 0.5,
      })
      const scoreOf = async (rotations: number[]) => {
        manualSeed(1)
        const over = mergeConfigs(config, { inference: { rotations } }) as typeof config
        using single = await IrisMatcher.load({ weights: 'random', config: over, device: 'cpu' })
        using scored = await single.run([strip(1, 0), strip(1, 1)])
        return scored.score
      }
      const turned = [await scoreOf([-8]), await scoreOf([0]), await scoreOf([8])]
      expect(new Set(turned).size).toBe(3)
      expect(match.score).toBeCloseTo(Math.max(...turned), 6)
      await expect(matcher.run([strip(1, 0), strip(2, 1)], { signal: AbortSignal.abort() })).rejects.toThrow(/cancel/i)
    })
    expect(await liveTensorsDownTo(before)).toBe(before)
  })

  test('a gallery gives the scores of pairs, whichever way they are asked for', async () => {
    const before = await liveTensors()
    await tidyAsync(async () => {
      manualSeed(2)
      using matcher = await IrisMatcher.load({ weights: 'random', config, device: 'cpu' })
      const enrolled: IrisTemplate[] = []
      for (const identity of [1, 2, 3]) enrolled.push(await matcher.enrol(strip(identity, 1)))
      const gallery = enrolled.map((template, i) => [`eye ${i + 1}`, template] as const)
      const found = await matcher.identify(strip(2, 0), gallery)
      expect(found.map(({ name }) => name).sort()).toEqual(['eye 1', 'eye 2', 'eye 3'])
      expect(found.map(({ score }) => score)).toEqual(found.map(({ score }) => score).sort((a, b) => b - a))
      for (const [i, identity] of [1, 2, 3].entries()) {
        using match = await matcher.run([strip(2, 0), strip(identity, 1)])
        expect(found.find(({ name }) => name === `eye ${i + 1}`)?.score).toBeCloseTo(match.score, 5)
      }
      using probe = await matcher.enrol(strip(2, 0))
      const matrix = await matcher.scores([probe, probe], enrolled)
      expect(matrix.map((row) => row.length)).toEqual([3, 3])
      expect(matrix[0]).toEqual(matrix[1])
      for (const template of enrolled) template.dispose()
    })
    expect(await liveTensorsDownTo(before)).toBe(before)
  })

  test('wants weights, and an eye', () =>
    tidyAsync(async () => {
      await expect(IrisMatcher.load()).rejects.toThrow(/there are no weights/)
      using matcher = await IrisMatcher.load({ weights: 'random', config, device: 'cpu' })
      const wall = strip(1, 0).narrow(2, 0, 64).mul(0).add(0.4)
      await expect(matcher.run([wall, wall])).rejects.toThrow(/no circle of an iris/)
    }))
})

test(
  'a folder of eyes is normalised once, trained on and evaluated; broken files are named',
  () =>
    tidyAsync(async () => {
      const root = folder('eyes')
      for (const subject of [1, 2]) {
        for (const side of ['L', 'R']) {
          for (const [domain, name] of ['VIS', 'NIR'].entries()) {
            const place = `${root}/s${subject}/${side}/${name}`
            mkdirSync(place, { recursive: true })
            for (const instance of [1, 2, 3, 4, 5]) {
              const identity = 2 * subject + (side === 'L' ? 0 : 1)
              await writeImage(eye(identity, domain === 0 ? 0 : 1, instance), `${place}/${instance}.png`)
            }
          }
        }
      }
      const config = mergeConfigs(system.tiny, {
        data: { protocol: 'iiit-d' },
        training: { epochs: 1 },
      }) as typeof system.tiny
      const options = { data: root, folder: folder('run'), config, device: 'cpu', progress: false } as const
      writeFileSync(`${root}/s1/L/VIS/9.png`, 'no picture')
      await expect(trainSystem(system, options)).rejects.toThrow(/1 of 41 files.*9\.png/s)
      // A picture without an eye, in place of an image that is for training.
      copyFileSync(`${root}/s2/R/NIR/1.png`, folder('eye.png'))
      await writeImage(eye(1, 0).mul(0).add(0.5), `${root}/s2/R/NIR/1.png`)
      await expect(trainSystem(system, { ...options, resume: true, skipBroken: false })).rejects.toThrow(/9\.png/)
      const notes: string[] = []
      const report = await trainSystem(system, {
        ...options,
        resume: true,
        skipBroken: true,
        note: (text) => notes.push(text),
      })
      expect(notes.join('\n')).toMatch(/9\.png[\s\S]*no circle of an iris/)
      expect(readdirSync(folder('run', 'strips')).length).toBe(31)
      expect(Number.isFinite(report.values.validationEer)).toBe(true)
      copyFileSync(folder('eye.png'), `${root}/s2/R/NIR/1.png`)

      const { model, config: trained } = await loadNetworks(system, { weights: report.weights, device: 'cpu' })
      using judged = model
      expect(trained.inference.threshold).toBe(report.values.threshold)
      const common = { config: trained, device: 'cpu', skipBroken: true, note: () => {} } as const
      const { protocol, samples, metrics, charts } = await system.evaluate({ ...common, model: judged, data: root })
      expect(protocol).toMatch(/iiit-d: 4 genuine and 8 imposter pairs \(drawn from 12 by the seed\)/)
      expect(samples).toBe(12)
      expect(Object.keys(metrics)).toEqual([
        ...['garAtFar0.1', 'garAtFar0.1Step', 'garAtFar0.01', 'garAtFar0.01Step', 'eer', 'decidability'],
      ])
      await charts?.roc?.toFile(folder('roc.svg'))
      expect(readFileSync(folder('roc.svg'), 'utf8')).toMatch(/true positive rate/)
      expect(Object.keys(charts ?? {})).toEqual(['roc', 'det'])
      const names = { ...trained, data: { ...trained.data, domains: ['VIS', 'thermal'] as [string, string] } }
      await expect(system.evaluate({ ...common, config: names, model: judged, data: root })).rejects.toThrow(
        /names thermal; the data has NIR, VIS/,
      )
    }),
  180_000,
)
