// Split lists of UCF101 and HMDB51, and what is wrong with them.
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { readHmdb51, readUcf101, splitVideos } from '../../lib/datasets'
import { writeVideo } from '../../lib/io'
import { manualSeed, rand, tidyAsync } from '../../lib/tensor'
import { temporaryFolder } from '../support/temporary-folder'

const folder = temporaryFolder()

function put(path: string, content?: string): void {
  mkdirSync(dirname(path), { recursive: true })
  if (content === undefined) cpSync(folder('clip.avi'), path)
  else writeFileSync(path, content)
}

beforeAll(async () => {
  await tidyAsync(async () => {
    manualSeed(1)
    await writeVideo(rand([20, 3, 32, 32]), folder('clip.avi'), { fps: 10, layout: 'TCHW' })
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
    const tests = await readUcf101(folder('ucf'), { part: 'test' })
    expect(tests.videos.map(({ path, label }) => [path.slice(folder().length), label])).toEqual([
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
