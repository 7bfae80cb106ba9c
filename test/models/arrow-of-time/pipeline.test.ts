// From files to a direction, and from a folder of videos to weights.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { readImage, writeVideo } from '../../../lib/io'
import {
  blueWhiteRed,
  clusterClips,
  clusterSheet,
  codecReport,
  drawDiscs,
  heatOfFrame,
  recode,
  rollDiscs,
  system,
  TimeArrowDetector,
} from '../../../lib/models/video/arrow-of-time'
import { loadNetworks, mergeConfigs, trainSystem } from '../../../lib/pipeline'
import { full, manualSeed, type Tensor, tensor, tidy, tidyAsync } from '../../../lib/tensor'
import { runCli } from '../../support/cli'
import { liveTensors, liveTensorsDownTo } from '../../support/live-tensors'
import { temporaryFolder } from '../../support/temporary-folder'

const folder = temporaryFolder()
const HANDS = fileURLToPath(new URL('../../fixtures/video/hand-bottle.mp4', import.meta.url))
const discs = (side: number, frames: number, seed: number) =>
  drawDiscs(rollDiscs({ frames, side, discs: 3, friction: 0.1, seed }))

test('the command tells a direction, and writes evidence and time line', async () => {
  const common = ['--weights', 'random', '--set', 'network.maps=10', 'network.width=0.0625', 'input.shortSide=48']
  const sets = [...common, 'input.crop=48', 'inference.groups=3', 'inference.crops=1', 'preparation.stabilise=false']
  const { code, stdout, stderr } = await runCli(['time-arrow', HANDS, '-o', folder('evidence.png'), '--json', ...sets])
  expect(stderr).toMatch(/weights are random/)
  expect(code).toBe(0)
  const [{ result }] = JSON.parse(stdout).results
  expect(['forward', 'backward']).toContain(result.direction)
  expect(result.groups.map(({ startS }: { startS: number }) => Math.round(startS * 29.83))).toEqual([0, 39, 78])
  await tidyAsync(async () => expect((await readImage(folder('evidence.png'))).shape).toEqual([3, 48, 85]))
}, 120_000)

describe('TimeArrowDetector', () => {
  const config = mergeConfigs(system.tiny, {
    input: { shortSide: 64, crop: 48 },
    inference: { groups: 3, crops: 5 },
    preparation: { leastInliers: 12, blackFrame: 'crop' },
  }) as typeof system.tiny

  test('gives a vote, notes of what was done, and a time line; the event loop runs on', async () => {
    const before = await liveTensors()
    manualSeed(1)
    await tidyAsync(async () => {
      using detector = await TimeArrowDetector.load({ weights: 'random', config, device: 'cpu' })
      const frames = tidy(() => {
        const framed = full([16, 3, 110, 96], 3).to('uint8')
        framed.narrow(2, 10, 96).copy_(discs(96, 16, 3))
        return framed
      })
      const stages = new Set<string>()
      using result = await detector.run({ frames, fps: 10 }, { onProgress: ({ stage }) => stages.add(stage ?? '') })
      expect(result.groups.map(({ startS }) => startS)).toEqual([0, 0.3, 0.5])
      expect(result.notes.join()).toMatch(/black frame cropped: 10 px above, 4 below/)
      expect(result.overlay.shape.slice(0, 1)).toEqual([3])
      expect(stages.has('groups') && stages.has('stabilising')).toBe(true)
      await result.toFile(folder('groups.svg'))
      expect(readFileSync(folder('groups.svg'), 'utf8')).toMatch(/probability of forward/)
      await result.toFile(folder('result.json'))
      expect(JSON.parse(readFileSync(folder('result.json'), 'utf8')).groups.length).toBe(3)
      await expect(detector.run({ frames: frames.narrow(0, 0, 10), fps: 10 })).rejects.toThrow(
        /9 maps, fewer than the 10/,
      )
      await expect(detector.run({ frames, fps: 10 }, { signal: AbortSignal.abort() })).rejects.toThrow(/cancel/)
    })
    expect(await liveTensorsDownTo(before)).toBe(before)
  })

  test('wants weights', async () => {
    await expect(TimeArrowDetector.load()).rejects.toThrow(/there are no weights/)
  })
})

test('a folder of videos is cut into shots, trained on and evaluated; a broken file is named', async () => {
  await tidyAsync(async () => {
    mkdirSync(folder('videos'))
    for (const seed of [1, 2, 3]) {
      const frames = discs(64, 26, seed)
      await writeVideo(frames, folder('videos', `${seed}.mp4`), { fps: 10, layout: 'TCHW' })
    }
    const config = mergeConfigs(system.tiny, {
      preparation: { shotFrames: 13, stabilise: false, leastMotion: 0.1, blackFrame: 'keep' },
      training: { epochs: 1, updates: 2 },
    }) as typeof system.tiny
    writeFileSync(folder('videos', 'broken.mp4'), 'no video')
    const options = { data: folder('videos'), folder: folder('run'), config, device: 'cpu', progress: false } as const
    await expect(trainSystem(system, options)).rejects.toThrow(/1 of 4 files.*broken\.mp4/s)
    const notes: string[] = []
    const note = (text: string) => notes.push(text)
    const report = await trainSystem(system, { ...options, resume: true, skipBroken: true, note })
    expect(notes.join()).toMatch(/3 videos hold 6 shots of 13 frames/)
    const rows = (name: string) =>
      readFileSync(folder('run', 'prepared', name), 'utf8')
        .trim()
        .split('\n')
    expect(rows('train.txt').length).toBe(8)
    expect(rows('test.txt').length).toBe(4)
    expect(rows('test.txt')[0]).toMatch(/^\d\.mp4\/0001\/f 12 0$/)
    const { model, config: trained } = await loadNetworks(system, { weights: report.weights, device: 'cpu' })
    using judged = model
    const evaluation = await system.evaluate({
      model: judged,
      config: trained,
      data: folder('run', 'prepared'),
      device: 'cpu',
      note,
    })
    expect(evaluation.samples).toBe(4)
  })
}, 120_000)

describe('pictures', () => {
  test('0 is blue, 0.5 white, 1 red; outside of the crop there is no evidence', () =>
    tidy(() => {
      expect(blueWhiteRed(tensor([[0, 0.5, 1]])).toArray()).toEqual([[[0, 1, 1]], [[0, 1, 0]], [[1, 1, 0]]])
      const heat = heatOfFrame({ heat: full([2, 2], 1), at: [1, 2], size: [4, 4], frame: [6, 8] })
      expect(heat.shape).toEqual([6, 8])
      expect(heat.narrow(0, 1, 4).narrow(1, 2, 4).eq(1).all().item()).toBe(true)
      expect(heat.sum().item()).toBe(16 + (48 - 16) / 2)
    }))
})

describe('clusters', () => {
  test('are those of the surest clips, the purest first, with the motion of the camera', () =>
    tidyAsync(async () => {
      const clip = (x: number, forward: number, isForward: boolean, zoom: number) => ({
        name: `${x}`,
        feature: Float32Array.from([x, 0]),
        forward,
        isForward,
        camera: { pan: [x, 0] as const, zoom },
      })
      const clips = [
        ...[0, 0.1, 0.2].map((x) => clip(x, 0.9, true, 1.01)),
        ...[5, 5.1].map((x, i) => clip(x, 0.2, i === 0, 1)),
        clip(100, 0.5, true, 2),
      ]
      const clusters = clusterClips(clips, { clusters: 2, most: 5 })
      expect(clusters.map(({ members }) => [...members].sort())).toEqual([
        [0, 1, 2],
        [3, 4],
      ])
      expect(clusters.map(({ label, purity }) => [label, purity])).toEqual([
        [1, 1],
        [0.5, 0.5],
      ])
      expect(clusters[0]?.members[0]).toBe(1)
      expect(clusters[0]?.camera?.zoom).toBeCloseTo(1.01, 9)
      expect(clusters[0]?.camera?.pan[0]).toBeCloseTo(0.1, 9)
      const sheet = await clusterSheet(clusters, async () => full([3, 30, 40], 90).to('uint8'))
      expect(sheet.shape).toEqual([3, 240, 700])
    }))
})

describe('codec', () => {
  test('clips keep their order, whichever way they were encoded', () =>
    tidyAsync(async () => {
      const frames = discs(64, 12, 5)
      for (const variant of ['original', 'forward', 'backward'] as const) {
        const again = await recode(frames, 10, variant)
        expect(again.shape).toEqual(frames.shape)
        const error = (other: Tensor) => again.to('float32').sub(other.to('float32')).abs().mean().item() as number
        if (variant === 'original') expect(error(frames)).toBe(0)
        else expect(error(frames)).toBeGreaterThan(0)
        expect(error(frames)).toBeLessThan(0.5 * error(frames.flip([0])))
      }
    }))

  test('the report has a row for each training', async () => {
    const report = await codecReport(
      async (variant) => variant.length,
      async (model, variant) => model + variant.length / 10,
    )
    expect(report.backward.original).toBeCloseTo(8.8, 9)
    expect(report.original.forward).toBeCloseTo(8.7, 9)
  })
})
