import { mkdirSync } from 'node:fs'
import { basename } from 'node:path'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { readNoisyPairs } from '../../lib/datasets'
import { temporaryFolder } from '../support/temporary-folder'

const folder = temporaryFolder()

async function blank(path: string, width = 8): Promise<void> {
  await sharp({ create: { width, height: 8, channels: 3, background: '#888' } }).toFile(path)
}

test('pairs noisy pictures with clean ones by name, whatever their format, and tells scenes', async () => {
  mkdirSync(folder('cc', 'd800'), { recursive: true })
  for (const name of [
    'd800/iso1600_1_real.png',
    'd800/iso1600_1_mean.jpg',
    'd800/iso1600_2_real.png',
    'd800/iso1600_2_mean.png',
  ]) {
    await blank(folder('cc', name))
  }
  const pairs = await readNoisyPairs(folder('cc'))
  expect(pairs.map(({ noisy, clean, scene }) => [basename(noisy), basename(clean), scene])).toEqual([
    ['iso1600_1_real.png', 'iso1600_1_mean.jpg', 'iso1600'],
    ['iso1600_2_real.png', 'iso1600_2_mean.png', 'iso1600'],
  ])
})

test('names pictures without a partner or of another size, and takes other suffixes', async () => {
  mkdirSync(folder('bad'))
  await blank(folder('bad', 'a-noisy.png'))
  await blank(folder('bad', 'b-noisy.png'))
  await blank(folder('bad', 'b-clean.png'), 9)
  await blank(folder('bad', 'c-noisy.png'))
  await blank(folder('bad', 'c-clean.png'))
  const suffixes = { noisySuffix: '-noisy', cleanSuffix: '-clean' }
  await expect(readNoisyPairs(folder('bad'), suffixes)).rejects.toThrow(
    /2 of 3 files(.|\n)*a-noisy\.png: has no partner a-clean(.|\n)*b-noisy\.png: is 8 × 8 pixels, and its partner 9 × 8/,
  )
  const left = await readNoisyPairs(folder('bad'), { ...suffixes, skipBroken: true })
  expect(left.map(({ scene }) => scene)).toEqual(['c'])
  await expect(readNoisyPairs(folder('bad'))).rejects.toThrow(/no picture below .* is named …_real/)
})
