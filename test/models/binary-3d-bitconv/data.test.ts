// Layouts of data sets, and what is wrong with them.
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { DataLoader } from '../../../lib/data'
import { readHmdb51, readUcf101, readVideoFolder, splitVideos } from '../../../lib/datasets'
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

describe('UCF101', () => {
  beforeAll(() => {
    const lists = folder('ucf', 'ucfTrainTestlist')
    put(`${lists}/classInd.txt`, '1 ApplyEyeMakeup\n2 Archery\n')
    put(
      `${lists}/trainlist01.txt`,
      'ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi 1\nArchery/v_Archery_g08_c01.avi 2\r\n',
    )
    put(`${lists}/testlist01.txt`, 'Archery/v_Archery_g01_c01.avi\n')
    put(
      `${lists}/trainlist02.txt`,
      'Archery/v_Archery_g08_c01.avi 1\nArchery/v_lost.avi 2\nArchery/v_broken.avi 2\nArchery/v_Archery_g08_c01.avi 2\n',
    )
    put(`${lists}/trainlist03.txt`, 'ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi 1\nArchery/v_lost.avi 2\n')
    put(`${lists}/testlist02.txt`, 'Swimming/v_Swimming_g01_c01.avi\nwhat is this\n')
    for (const name of [
      'ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01',
      'Archery/v_Archery_g08_c01',
      'Archery/v_Archery_g01_c01',
    ]) {
      put(folder('ucf', 'UCF-101', `${name}.avi`))
    }
    put(folder('ucf', 'UCF-101', 'Archery', 'v_broken.avi'), 'no video')
  })

  test('is read by its lists', async () => {
    const train = await readUcf101(folder('ucf'), { part: 'train' })
    expect(train.classes).toEqual(['ApplyEyeMakeup', 'Archery'])
    expect(train.videos.map(({ label, frames }) => [label, frames])).toEqual([
      [0, 20],
      [1, 20],
    ])
    const data = await actionData('test', request('ucf'), Config.parse({}))
    expect(data.videos.map(({ name, label }) => [name.slice(folder().length), label])).toEqual([
      ['/ucf/UCF-101/Archery/v_Archery_g01_c01.avi', 1],
    ])
  })

  test('with files missing, broken or wrongly labelled is refused by name, or read without them', async () => {
    const failed = readUcf101(folder('ucf'), { part: 'train', split: 2 })
    await expect(failed).rejects.toThrow(/3 of 4 files cannot be used/)
    await expect(failed).rejects.toThrow(/v_Archery_g08_c01.avi: has the label 1 in line 1; its folder is class 2/)
    await expect(failed).rejects.toThrow(/v_lost.avi: is missing/)
    await expect(failed).rejects.toThrow(/v_broken.avi: /)
    const notes: string[] = []
    const note = (text: string) => void notes.push(text)
    const skipped = readUcf101(folder('ucf'), { part: 'train', split: 3, skipBroken: true, note })
    expect((await skipped).videos.map(({ label }) => label)).toEqual([0])
    expect(notes.join()).toMatch(/1 of 2 files cannot be used.*They are left out, as asked/s)
    await expect(readUcf101(folder('ucf'), { part: 'test', split: 2 })).rejects.toThrow(
      /testlist02.txt:2: 'what is this' is no row/,
    )
  })
})

describe('HMDB51', () => {
  beforeAll(() => {
    for (const name of ['brush_hair/a', 'brush_hair/b', 'wave/c', 'wave/d', 'wave/e'])
      put(folder('hmdb', `${name}.avi`))
    put(folder('hmdb', 'testTrainMulti_7030_splits', 'brush_hair_test_split1.txt'), 'a.avi 1 \nb.avi 2 \n')
    put(folder('hmdb', 'testTrainMulti_7030_splits', 'wave_test_split1.txt'), 'c.avi 0 \nd.avi 1 \ne.avi 2 \n')
  })

  test('is read by its official lists', async () => {
    const named = async (part: 'train' | 'test') => {
      const { classes, videos } = await readHmdb51(folder('hmdb'), { part })
      expect(classes).toEqual(['brush_hair', 'wave'])
      return videos.map(({ path, label }) => [path.slice(-5), label])
    }
    expect(await named('train')).toEqual([
      ['a.avi', 0],
      ['d.avi', 1],
    ])
    expect(await named('test')).toEqual([
      ['b.avi', 0],
      ['e.avi', 1],
    ])
    await expect(readHmdb51(folder('hmdb'), { part: 'test', split: 3 })).rejects.toThrow(
      /no lists <class>_test_split3.txt/,
    )
  })

  test('at random ⌊n/5 + ½⌋ of each class are for tests, the same for the same seed', () => {
    const videos = [13, 12, 3, 2].flatMap((count, label) => Array.from({ length: count }, (_, i) => ({ label, i })))
    const { train, test: tests } = splitVideos(videos, { share: 0.2, seed: 4 })
    expect([0, 1, 2, 3].map((label) => tests.filter((video) => video.label === label).length)).toEqual([3, 2, 1, 0])
    expect(train.length + tests.length).toBe(videos.length)
    expect(splitVideos(videos, { share: 0.2, seed: 4 }).test).toEqual(tests)
    expect(splitVideos(videos, { share: 0.2, seed: 5 }).test).not.toEqual(tests)
  })
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
