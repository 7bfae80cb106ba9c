// Features as they were released, in arrays of Python objects. The files are by tools/reference/reduced_features.py.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { convertReducedFeatures, readActionFeatures } from '../../lib/datasets'
import { readNpy, readNpyObjects, writeNpy } from '../../lib/io'
import { ones, tidyAsync } from '../../lib/tensor'
import { liveTensors, liveTensorsDownTo } from '../support/live-tensors'
import { temporaryFolder } from '../support/temporary-folder'

const folder = temporaryFolder()
const SOURCE = fileURLToPath(new URL('../fixtures/reduced-features', import.meta.url))
const notes = (name: string) => `${SOURCE}/Tiny-Annotations/${name}.npy`

describe('readNpyObjects', () => {
  test('reads text of bytes and of characters, lists, and arrays of numbers', () =>
    tidyAsync(async () => {
      expect(await readNpyObjects(notes('classlist'))).toEqual({
        shape: [3],
        items: ['CliffDiving', 'Diving', 'Shotput'],
      })
      expect((await readNpyObjects(notes('subset'))).items).toEqual(['validation', 'test', 'validation'])
      expect((await readNpyObjects(notes('labels_all'))).items).toEqual([['Diving', 'CliffDiving'], ['Shotput'], []])
      const { items } = await readNpyObjects(`${SOURCE}/Tiny-I3D-JOINTFeatures.npy`)
      expect(items.map((x) => (x as { shape: readonly number[] }).shape)).toEqual([
        [3, 4],
        [2, 4],
        [5, 4],
      ])
    }))

  test('refuses numbers, files that are cut, and names that would run code', () =>
    tidyAsync(async () => {
      await writeNpy(folder('numbers.npy'), ones([2]))
      await expect(readNpyObjects(folder('numbers.npy'))).rejects.toThrow(/holds numbers; read it with readNpy/)
      await expect(readNpy(notes('labels_all'))).rejects.toThrow(/holds Python objects/)
      const bytes = readFileSync(notes('segments'))
      await expect(readNpyObjects(bytes.subarray(0, bytes.byteLength - 20))).rejects.toThrow(/truncated|pickle/)
      const text = readFileSync(notes('subset'))
      await expect(readNpyObjects(text.subarray(0, text.byteLength - 4))).rejects.toThrow(
        /3 texts of 40 bytes; 116 follow/,
      )
      const evil = Buffer.from(
        readFileSync(notes('labels_all')).toString('latin1').replace('_reconstruct', 'system_calls'),
        'latin1',
      )
      writeFileSync(folder('evil.npy'), evil)
      await expect(readNpyObjects(folder('evil.npy'))).rejects.toThrow(/system_calls/)
    }))
})

describe('convertReducedFeatures', () => {
  test('writes what readActionFeatures reads, RGB before flow', async () => {
    const before = await liveTensors()
    await tidyAsync(async () => {
      expect(await convertReducedFeatures(SOURCE, folder('converted'))).toEqual({ train: 2, test: 1 })
      const train = await readActionFeatures(folder('converted'), { part: 'train' })
      expect(train.map(({ name, length, features }) => [name, length, features])).toEqual([
        ['video_validation_1', 3, 2],
        ['video_validation_3', 5, 2],
      ])
      expect(train[0]?.actions).toEqual([
        { label: 'Diving', segment: [0.5, 1.5] },
        { label: 'CliffDiving', segment: [1, 1.7] },
      ])
      expect((await train[0]?.read())?.select(0, 1).toArray()).toEqual([0.5, 0.625, 0.75, 0.875])
      const [only] = await readActionFeatures(folder('converted'), { part: 'test' })
      expect(only?.actions).toEqual([{ label: 'Shotput', segment: [0.1, 0.9] }])
    })
    expect(await liveTensorsDownTo(before)).toBe(before)
    await expect(convertReducedFeatures(folder('converted'), folder('again'))).rejects.toThrow(
      /no \*-I3D-JOINTFeatures/,
    )
  })
})
