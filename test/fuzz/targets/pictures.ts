// Pictures, and flow in pictures and files of its own.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeImage, readFlow, readImage, readSlice, writeFlow } from '../../../lib/io'
import { arange, tidyAsync } from '../../../lib/tensor'
import { fixtures } from '../fixtures'
import { pngChunk } from '../formats'
import { bytes } from '../mutators'
import { readers, type Target } from '../target'

const FORMATS = ['png', 'jpg', 'webp', 'avif', 'tiff'] as const

const encoded = await tidyAsync(async () => {
  const picture = arange(0, 3 * 12 * 16)
    .mul(7)
    .remainder(256)
    .reshape([3, 12, 16])
    .to('uint8')
  return Promise.all(FORMATS.map(async (format) => Buffer.from(await encodeImage(picture, format))))
})

/** What `writeFlow` writes to a file of that ending. */
async function flowFile(ending: string): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), 'vision-native-fuzz-'))
  try {
    const path = join(folder, `flow${ending}`)
    await tidyAsync(async () =>
      writeFlow(
        arange(0, 2 * 5 * 7)
          .div(8)
          .reshape([2, 5, 7]),
        path,
      ),
    )
    return readFileSync(path)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const LIMITS = { maxPixels: 2 ** 20 }

export const image: Target = {
  corpus: [...encoded, ...fixtures('io/fixtures/rgb16.png', 'io/fixtures/grey-alpha.png', 'io/fixtures/float.tiff')],
  mutators: [bytes('GIF89a', 'RIFF', '\xff\xd8\xff', 'Exif\0\0', 'II*\0')],
  read: readers(
    (input) => readImage(input, { ...LIMITS, mode: 'rgba' }),
    (input) => readSlice(input, { ...LIMITS, labels: true }),
  ),
}

export const png: Target = {
  corpus: [encoded[0] as Buffer, ...fixtures('io/fixtures/rgb16.png', 'io/fixtures/bilevel.png')],
  mutators: [pngChunk],
  read: readers(
    (input) => readImage(input, LIMITS),
    (input) => readSlice(input, LIMITS),
  ),
}

export const flo: Target = {
  corpus: [await flowFile('.flo')],
  mutators: [bytes('PIEH')],
  read: (input) => readFlow(input, LIMITS),
}

export const flowPng: Target = {
  corpus: [await flowFile('.png')],
  mutators: [bytes(), pngChunk, pngChunk],
  read: (input) => readFlow(input, LIMITS),
}
