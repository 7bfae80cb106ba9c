// From a file to labelled probabilities, with the weights of training and packed.
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { readSafetensors, writeVideo } from '../../../lib/io'
import {
  ActionClassifier,
  DIRECTIONS,
  exportPacked,
  movingSquare,
  system,
} from '../../../lib/models/video/binary-3d-bitconv'
import { loadNetworks, trainSystem } from '../../../lib/pipeline'
import { manualSeed, rand, tidyAsync } from '../../../lib/tensor'
import { runCli } from '../../support/cli'
import { liveTensors, liveTensorsDownTo } from '../../support/live-tensors'
import { temporaryFolder } from '../../support/temporary-folder'

const folder = temporaryFolder()
const HANDS = fileURLToPath(new URL('../../fixtures/video/hand-bottle.mp4', import.meta.url))

test('trained on a folder of videos, packed, exported, and asked by the command: the same answers', async () => {
  await tidyAsync(async () => {
    for (const [direction, name] of [
      [0, 'right'],
      [4, 'left'],
    ] as const) {
      mkdirSync(folder('videos', name), { recursive: true })
      for (let seed = 0; seed < 5; seed++) {
        const frames = movingSquare({ direction, speed: 1, frames: 20, size: 32, square: 8, noise: 0.05, seed })
        await writeVideo(frames, folder('videos', name, `${seed}.mp4`), { fps: 10, layout: 'TCHW' })
      }
    }
    const notes: string[] = []
    const report = await trainSystem(system, {
      ...{ data: folder('videos'), folder: folder('run'), config: system.tiny, device: 'cpu', progress: false },
      note: (text) => void notes.push(text),
    })
    expect(notes.join()).toContain(folder('run', 'packed.safetensors'))
    expect(Object.keys(report.values)).toEqual(['real loss', 'activations loss', 'binary loss'])
    const exported = folder('exported.safetensors')
    await exportPacked(report.weights, exported)
    const written = await readSafetensors(folder('run', 'packed.safetensors'))
    for (const [name, value] of await readSafetensors(exported))
      expect(written.get(name)?.equal(value), name).toBe(true)
    expect(statSync(exported).size).toBeLessThan(0.75 * statSync(report.weights).size)

    const results: { best: string | undefined; score: number | undefined }[] = []
    for (const weights of [report.weights, exported]) {
      using classifier = await ActionClassifier.load({ weights, device: 'cpu' })
      expect(classifier.classes).toEqual(['left', 'right'])
      using result = await classifier.run(folder('videos', 'left', '0.mp4'))
      results.push({ best: result.best?.label, score: result.best?.score })
      await expect(classifier.run({ frames: rand([4, 3, 20, 20]), fps: 0 })).rejects.toThrow(/fps is 0/)
    }
    expect(results[1]?.best).toBe(results[0]?.best)
    expect(results[1]?.score).toBeCloseTo(results[0]?.score ?? 0, 5)

    const { model, config } = await loadNetworks(system, { weights: exported, device: 'cpu' })
    using packed = model
    const evaluation = await system.evaluate({
      model: packed,
      config,
      data: folder('videos'),
      device: 'cpu',
      note: () => {},
    })
    expect(evaluation.samples).toBe(2)
    expect(evaluation.metrics.top5).toBe(1)

    await expect(exportPacked(exported, folder('again.safetensors'))).rejects.toThrow(/the network is packed; only one/)
    await expect(ActionClassifier.load({ weights: exported, config: { network: { width: 0.25 } } })).rejects.toThrow(
      /shape/i,
    )
  })
  const command = ['classify', HANDS, '--model', 'binary-3d-bitconv', '--weights', folder('exported.safetensors')]
  const { code, stdout } = await runCli([...command, '-o', folder('actions.json'), '--json'])
  expect(code).toBe(0)
  const [{ result }] = JSON.parse(stdout).results
  expect(JSON.parse(readFileSync(folder('actions.json'), 'utf8'))).toEqual(result)
  expect(result.classes.map(({ label }: { label: string }) => label).sort()).toEqual(['left', 'right'])
  expect(result.classes[0].score + result.classes[1].score).toBeCloseTo(1, 6)
  expect(result.classes[0].score).toBeGreaterThanOrEqual(result.classes[1].score)

  const exporting = ['export', 'binary-3d-bitconv', '--weights', folder('run', 'weights.safetensors'), '-o']
  const made = await runCli([...exporting, folder('again.safetensors'), '--json'])
  expect(made.code).toBe(0)
  expect(JSON.parse(made.stdout).bytes.output).toBe(statSync(folder('exported.safetensors')).size)
  const wrong = await runCli([...exporting, folder('nowhere', 'again.safetensors')])
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('make it first')])
}, 120_000)

describe('ActionClassifier', () => {
  test('names all actions in order, gives features, reports progress, can be cancelled, and frees what it holds', async () => {
    const before = await liveTensors()
    await tidyAsync(async () => {
      manualSeed(1)
      using classifier = await ActionClassifier.load({
        weights: 'random',
        config: { ...system.tiny, classes: [...DIRECTIONS] },
        device: 'cpu',
      })
      const clip = { frames: rand([24, 3, 20, 28]), fps: 10 }
      const steps: [number, number][] = []
      using result = await classifier.run(clip, {
        onProgress: ({ done, total }) => void steps.push([done, total ?? 0]),
      })
      expect(steps).toEqual([[2, 2]])
      const scores = result.classes.map(({ score }) => score)
      expect(scores).toEqual([...scores].sort((a, b) => b - a))
      expect(scores.reduce((a, b) => a + b)).toBeCloseTo(1, 6)
      expect(result.describe().split('\n').length).toBe(5)
      await result.toFile(folder('chart.svg'))
      expect(readFileSync(folder('chart.svg'), 'utf8')).toContain(result.best?.label)
      await expect(result.toFile(folder('chart.mp4'))).rejects.toThrow(/use .json, .svg or .png/)
      using features = await classifier.features(clip)
      expect(features.shape).toEqual([32])
      expect(features.ge(0).all().item()).toBe(true)
      // Shorter than a clip: it begins anew.
      using short = await classifier.run({ frames: rand([3, 3, 20, 28]), fps: 10 })
      expect(short.best?.score).toBeGreaterThan(1 / 8)
      await expect(classifier.run(clip, { signal: AbortSignal.abort() })).rejects.toThrow(/cancel/)
    })
    expect(await liveTensorsDownTo(before)).toBe(before)
  })

  test('wants weights, and videos that are videos', async () => {
    await expect(ActionClassifier.load()).rejects.toThrow(/there are no weights/)
    writeFileSync(folder('text.mp4'), 'no video')
    using classifier = await ActionClassifier.load({ weights: 'random', config: system.tiny, device: 'cpu' })
    await expect(classifier.run(folder('text.mp4'))).rejects.toThrow(/text.mp4/)
    await expect(classifier.run({ frames: rand([0, 3, 20, 20]), fps: 5 })).rejects.toThrow(/no frames/)
  })
})
