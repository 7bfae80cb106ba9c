// Layouts of data sets, and what is wrong with them.
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { DataLoader } from '../../../lib/data'
import { readVideoFolder } from '../../../lib/datasets'
import { writeVideo } from '../../../lib/io'
import { actionData, Config, movingSquare, RandomClips } from '../../../lib/models/video/binary-3d-bitconv'
import { SYNTHETIC } from '../../../lib/pipeline'
import { tidyAsync } from '../../../lib/tensor'
import { temporaryFolder } from '../../support/temporary-folder'

const folder = temporaryFolder()
const HANDS = fileURLToPath(new URL('../../fixtures/video/hand-bottle.mp4', import.meta.url))
const SMALL = { input: { shortSide: 16, size: 16 }, network: { width: 0.125, hidden: 8 } }

function put(path: string, content?: string): void {
  mkdirSync(dirname(path), { recursive: true })
  if (content === undefined) cpSync(folder('clip.avi'), path)
  else writeFileSync(path, content)
}

beforeAll(async () => {
  await tidyAsync(async () => {
    const frames = movingSquare({ direction: 0, speed: 1, frames: 20, size: 32, square: 5, noise: 0, seed: 1 })
    await writeVideo(frames, folder('clip.avi'), { fps: 10, layout: 'TCHW' })
  })
})

test('the layout of a folder is found by its lists', async () => {
  put(folder('ucf', 'ucfTrainTestlist', 'classInd.txt'), '1 Archery\n2 Swing\n')
  put(folder('ucf', 'ucfTrainTestlist', 'testlist02.txt'), 'Swing/1.avi\n')
  put(folder('ucf', 'UCF-101', 'Swing', '1.avi'))
  put(folder('hmdb', 'splits', 'wave_test_split1.txt'), '1.avi 2\n')
  put(folder('hmdb', 'wave', '1.avi'))
  const ucf = await actionData('test', request('ucf'), Config.parse({ data: { split: 2 } }))
  expect([ucf.classes, ucf.videos.map(({ label, frames }) => [label, frames])]).toEqual([
    ['Archery', 'Swing'],
    [[1, 20]],
  ])
  const hmdb = await actionData('test', request('hmdb'), Config.parse({}))
  expect([hmdb.classes, hmdb.videos.length]).toEqual([['wave'], 1])
})

describe('folders of classes', () => {
  test('are split at random, or have parts of their own', async () => {
    for (const name of ['jump/1', 'jump/deep/2', 'wave/1', 'wave/2']) put(folder('own', `${name}.avi`))
    const { classes, videos } = await readVideoFolder(folder('own'))
    expect([classes, videos.map(({ label }) => label)]).toEqual([
      ['jump', 'wave'],
      [0, 0, 1, 1],
    ])
    const config = Config.parse({ data: { testShare: 0.5 } })
    const [train, tests] = [
      await actionData('train', request('own'), config),
      await actionData('test', request('own'), config),
    ]
    expect(train.videos.map(({ label }) => label)).toEqual([0, 1])
    expect(new Set([...train.videos, ...tests.videos].map(({ name }) => name)).size).toBe(4)
    await expect(actionData('test', request('own'), Config.parse({ data: { testShare: 0.1 } }))).rejects.toThrow(
      /leaves no videos for test/,
    )
    for (const name of ['train/jump/1', 'train/wave/1', 'val/jump/2', 'val/wave/2']) put(folder('parts', `${name}.avi`))
    expect(
      (await actionData('test', request('parts'), Config.parse({}))).videos.map(({ name }) => name.slice(-10)),
    ).toEqual(['jump/2.avi', 'wave/2.avi'])
  })

  test('of other classes than the network are refused, and folders without videos', async () => {
    await expect(actionData('train', request('own'), Config.parse({ classes: ['jump', 'run'] }))).rejects.toThrow(
      /the network has the classes jump, run; .* has 2: jump, wave/,
    )
    mkdirSync(folder('empty', 'jump'), { recursive: true })
    await expect(actionData('train', request('empty'), Config.parse({}))).rejects.toThrow(/jump has no videos/)
    await expect(actionData('train', request('nowhere'), Config.parse({}))).rejects.toThrow(/cannot list/)
  })
})

describe('samples', () => {
  test('are clips at random times and places; a short video begins anew', () =>
    tidyAsync(async () => {
      put(folder('samples', 'a', '1.avi'))
      mkdirSync(folder('samples', 'b'), { recursive: true })
      cpSync(HANDS, folder('samples', 'b', '1.mp4'))
      const config = Config.parse({ ...SMALL, input: { ...SMALL.input, interval: 2 } })
      const { videos } = await readVideoFolder(folder('samples'))
      expect(videos.map(({ frames }) => frames)).toEqual([20, 89])
      const data = await actionData('train', request('samples'), Config.parse({ data: { testShare: 0.1 } }))
      const loader = new DataLoader(new RandomClips(data.videos, config), { batchSize: 2, seed: 1 })
      const epochs: number[] = []
      for (let epoch = 0; epoch < 2; epoch++) {
        for await (const { clip, label } of loader) {
          expect(clip.shape).toEqual([2, 3, 16, 16, 16])
          expect(label.toArray()).toEqual([0, 1])
          epochs.push(clip.sum().item() as number)
        }
      }
      expect(epochs[0]).not.toBe(epochs[1])
    }))

  test('of made-up videos are of all directions alike, those for tests of other seeds', async () => {
    const config = Config.parse({ ...SMALL, synthetic: { clips: 32, testClips: 16 } })
    const { classes, videos } = await actionData('train', { ...request('x'), data: SYNTHETIC }, config)
    expect(classes.length).toBe(8)
    expect(classes.map((_, label) => videos.filter((video) => video.label === label).length)).toEqual(
      new Array(8).fill(4),
    )
    const tests = await actionData('test', { ...request('x'), data: SYNTHETIC }, config)
    expect(new Set([...videos, ...tests.videos].map(({ name }) => name)).size).toBe(48)
  })
})

function request(name: string) {
  return { data: folder(name), device: 'cpu', note: () => {} } as const
}
