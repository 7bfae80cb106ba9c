// From features and videos to actions in files.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { writeActionFeatures } from '../../../lib/datasets'
import { readImage, writeNpy, writeNpz, writeSafetensors, writeVideo } from '../../../lib/io'
import { ActionLocalizer, Config, HOSTS, syntheticVideos, system } from '../../../lib/models/video/rsc-wtal'
import { loadNetworks, mergeConfigs, saveSystemWeights, trainSystem } from '../../../lib/pipeline'
import { manualSeed, rand, type Tensor, tidyAsync } from '../../../lib/tensor'
import { runCli } from '../../support/cli'
import { liveTensors, liveTensorsDownTo } from '../../support/live-tensors'
import { temporaryFolder } from '../../support/temporary-folder'

const folder = temporaryFolder()
const tinyConfig = (over: object = {}) => mergeConfigs(system.tiny, over) as typeof system.tiny

async function featureFiles(): Promise<{ readonly npy: string; readonly npz: string; readonly x: Tensor }> {
  const [video] = syntheticVideos(Config.parse({ features: 16 }), 'test')
  const x = (await video?.read()) as Tensor
  const [rgb, flow] = x.chunk(2, { dim: 1 }).map((half) => half.contiguous()) as [Tensor, Tensor]
  await writeNpy(folder('clip.npy'), x)
  await writeNpz(folder('clip.npz'), { rgb, flow })
  return { npy: folder('clip.npy'), npz: folder('clip.npz'), x }
}

test(
  "the command prints ActivityNet's result, and draws a time line",
  () =>
    tidyAsync(async () => {
      const { npz } = await featureFiles()
      const args = ['localize', npz, '--weights', 'random', '-o', folder('out.png'), '--json']
      const { code, stdout, stderr } = await runCli([...args, '--set', 'features=16', 'classes=["run","jump"]'])
      expect(stderr).toMatch(/weights are random/)
      expect(code).toBe(0)
      const [{ result }] = JSON.parse(stdout).results
      expect(result.version).toBe('VERSION 1.3')
      expect(Object.keys(result.results)).toEqual(['clip'])
      expect(result.results.clip.length).toBeGreaterThan(0)
      for (const { label, score, segment } of result.results.clip) {
        expect(['run', 'jump']).toContain(label)
        expect(score).toBeTypeOf('number')
        expect(segment[0]).toBeLessThan(segment[1])
      }
      expect((await readImage(folder('out.png'))).ndim).toBe(3)
    }),
  120_000,
)

describe('ActionLocalizer', () => {
  test.each(HOSTS)('%s: files and tensors give the same; times lie in the video', (host) =>
    tidyAsync(async () => {
      manualSeed(1)
      const before = await liveTensors()
      await tidyAsync(async () => {
        const { npy, npz, x } = await featureFiles()
        const inference = { classThreshold: 0.01 }
        const config = tinyConfig({ host, classes: ['run', 'jump', 'swim'], inference })
        using localizer = await ActionLocalizer.load({ weights: 'random', config, device: 'cpu' })
        const [rgb, flow] = x.chunk(2, { dim: 1 }) as [Tensor, Tensor]
        const results = await localizer.batch([npy, npz, { rgb, flow, name: 'clip' }])
        const [first] = results
        expect(first?.video).toBe('clip')
        expect(first?.durationS).toBeCloseTo(x.size(0) * 0.64, 9)
        for (const other of results) expect(other.toJSON()).toEqual(first?.toJSON())
        expect(first?.segments.length).toBeGreaterThan(0)
        for (const { segment, label } of first?.segments ?? []) {
          expect(segment[0]).toBeGreaterThanOrEqual(0)
          expect(segment[1]).toBeLessThanOrEqual((first?.durationS ?? 0) + 1e-9)
          expect(['run', 'jump', 'swim']).toContain(label)
        }
        // CoLA looks at no more segments than it was trained on.
        expect(first?.curves[0]?.values.length).toBe(host === 'cola' ? 24 : x.size(0))
        await first?.toFile(folder(`${host}.svg`))
        expect(readFileSync(folder(`${host}.svg`), 'utf8')).toMatch(/actions/)
        await expect(first?.toFile(folder('out.txt'))).rejects.toThrow(/use \.json, \.svg or \.png/)
      })
      expect(await liveTensorsDownTo(before)).toBe(before)
    }),
  )

  test('refuses features of another size, arrays that are missing, and an abort', () =>
    tidyAsync(async () => {
      using localizer = await ActionLocalizer.load({ weights: 'random', config: tinyConfig(), device: 'cpu' })
      await writeNpy(folder('wide.npy'), rand([20, 8]))
      await expect(localizer.run(folder('wide.npy'))).rejects.toThrow(/features are \[1, 20, 8\].*\[B, L, 32\]/)
      await writeNpz(folder('half.npz'), { rgb: rand([20, 16]) })
      await expect(localizer.run(folder('half.npz'))).rejects.toThrow(/must hold the arrays rgb and flow/)
      await expect(localizer.run({ rgb: rand([20, 16]), flow: rand([19, 16]) })).rejects.toThrow(/\[20,16\] of RGB/)
      const { npy } = await featureFiles()
      await expect(localizer.run(npy, { signal: AbortSignal.abort() })).rejects.toThrow(/cancel|abort/i)
    }))

  test('wants weights, and of I3D for videos: files that are there and hold I3D', () =>
    tidyAsync(async () => {
      await expect(ActionLocalizer.load()).rejects.toThrow(/there are no weights/)
      const path = folder('named.safetensors')
      const config = Config.parse(tinyConfig())
      using model = system.create(config)
      await saveSystemWeights(path, 'rsc-wtal', config, model)
      const clip = { frames: rand([17, 3, 8, 8]), fps: 25 }
      const run = async (video: object) => {
        using localizer = await ActionLocalizer.load({ weights: path, config: { video }, device: 'cpu' })
        return localizer.run(clip)
      }
      await expect(run({})).rejects.toThrow(/video\.rgbWeights is not set/)
      await expect(run({ rgbWeights: folder('none.pt') })).rejects.toThrow(/there is no such file/)
      await writeSafetensors(folder('other.safetensors'), { a: rand([1]) })
      await expect(run({ rgbWeights: folder('other.safetensors') })).rejects.toThrow(/holds no I3D/)
    }))

  // The twenty seconds of check 14 are in video.long.ts.
  test(
    '14. a video becomes flow, features of both streams, and a result',
    () =>
      tidyAsync(async () => {
        manualSeed(4)
        const frames = rand([18, 3, 24, 32]).mul(255).to('uint8')
        await writeVideo(frames, folder('made.mp4'), { fps: 25, layout: 'TCHW' })
        const config = { host: 'cola', classes: 3, video: { shortSide: 193, crop: 193 } } as const
        using localizer = await ActionLocalizer.load({ weights: 'random', config, device: 'cpu' })
        const stages: string[] = []
        const onProgress = ({ stage }: { stage?: string }) => stages.push(stage ?? '')
        const result = await localizer.run(folder('made.mp4'), { onProgress })
        expect([result.video, result.durationS]).toEqual(['made', 0.64])
        expect(stages).toEqual(['segments'])
      }),
    120_000,
  )
})

test('a data set in files is trained on, kept at its best, and evaluated', () =>
  tidyAsync(async () => {
    const root = folder('set')
    mkdirSync(root)
    const config = Config.parse({ features: 16, synthetic: { classes: 2, videos: 8, testVideos: 3 } })
    await writeActionFeatures(
      root,
      (async function* () {
        for (const part of ['train', 'test'] as const) {
          for (const { name, actions, read } of syntheticVideos(config, part)) {
            yield { name: name.replace(' ', '_'), part, actions, features: await read() }
          }
        }
      })(),
    )
    writeFileSync(join(root, 'ambiguous.txt'), 'test_0 0 1\n')
    const over = {
      features: 16,
      training: { keep: 'best', steps: 4, keepEvery: 2, segments: 20, batchSize: 6 },
    } as const
    const report = await trainSystem(system, {
      ...{ data: root, folder: folder('run'), config: over },
      device: 'cpu',
      progress: false,
    })
    expect(report.values.bestMap).toBeTypeOf('number')
    const loaded = await loadNetworks(system, { weights: report.weights, device: 'cpu' })
    using model = loaded.model
    expect(loaded.config.classes).toEqual(['action 0', 'action 1'])
    const evaluation = await system.evaluate({ ...loaded, model, data: root, note: () => {} })
    expect(evaluation.samples).toBe(3)
    expect(Object.keys(evaluation.metrics)).toEqual([
      ...[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7].map((overlap) => `map@${overlap}`),
      ...['average', 'classificationMap', 'consistency'],
    ])
    // The best weights are the ones that were kept.
    expect(evaluation.metrics.average).toBeCloseTo(report.values.bestMap ?? -1, 6)
  }))
