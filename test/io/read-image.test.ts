import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { readImage } from '../../lib/io'
import { temporaryFolder } from '../support/temporary-folder'

// Written by Pillow and OpenCV: tools/reference/make_io_fixtures.py, which states the same values.
const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url))
const inFolder = temporaryFolder()

/** Interleaved bytes as a PNG. */
const png = (bytes: number[], width: number, height: number, channels: 1 | 2 | 3 | 4 = 3) =>
  sharp(Buffer.from(bytes), { raw: { width, height, channels } }).png().toBuffer()

describe('readImage: layout and modes', () => {
  test('gives planes [3, H, W] in the order red, green, blue', async () => {
    const image = await readImage(await png([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], 2, 2))
    expect(image.dtype).toBe('uint8')
    expect(image.shape).toEqual([3, 2, 2])
    expect([...image.dataSync()]).toEqual([1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, 12])
  })

  test('keeps rows and columns apart', async () => {
    const image = await readImage(await png([1, 0, 0, 2, 0, 0, 3, 0, 0], 3, 1))
    expect(image.shape).toEqual([3, 1, 3])
  })

  test('scales float32 to 0–1', async () => {
    const image = await readImage(await png([0, 51, 255], 1, 1), { dtype: 'float32' })
    expect(image.dtype).toBe('float32')
    expect([...image.dataSync()]).toEqual([0, Math.fround(0.2), 1])
  })

  test('makes grey by the weights of Rec. 601, rounded for bytes only', async () => {
    // 0.299·255 = 76.245, 0.587·255 = 149.685, 0.114·255 = 29.07; 0.299·10 + 0.587·20 + 0.114·30 = 18.15
    const file = await png([255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30], 4, 1)
    const bytes = await readImage(file, { mode: 'grey' })
    expect(bytes.shape).toEqual([1, 1, 4])
    expect([...bytes.dataSync()]).toEqual([76, 150, 29, 18])
    const floats = await readImage(file, { mode: 'grey', dtype: 'float32' })
    const expected = [0.299, 0.587, 0.114, 18.15 / 255].map(Math.fround)
    expect([...floats.dataSync()]).toEqual(expected)
  })

  test('leaves the values of grey files as they are, in grey and in colour', async () => {
    const values = Array.from({ length: 256 }, (_, i) => i)
    const file = await png(values, 256, 1, 1)
    expect([...(await readImage(file, { mode: 'grey' })).dataSync()]).toEqual(values)
    expect([...(await readImage(file)).dataSync()]).toEqual([...values, ...values, ...values])
  })

  test('drops transparency for rgb and adds full opacity for rgba', async () => {
    const transparent = await png([10, 20, 30, 0], 1, 1, 4)
    expect([...(await readImage(transparent)).dataSync()]).toEqual([10, 20, 30])
    expect([...(await readImage(transparent, { mode: 'rgba' })).dataSync()]).toEqual([10, 20, 30, 0])
    const opaque = await png([10, 20, 30], 1, 1)
    expect([...(await readImage(opaque, { mode: 'rgba' })).dataSync()]).toEqual([10, 20, 30, 255])
  })

  test('takes a path, a file URL, a Buffer and a Uint8Array inside a larger buffer', async () => {
    const path = fixture('palette.png')
    const bytes = readFileSync(path)
    const embedded = new Uint8Array(bytes.length + 9)
    embedded.set(bytes, 5)
    const sources = [path, new URL('fixtures/palette.png', import.meta.url), bytes, embedded.subarray(5, -4)]
    for (const source of sources) expect((await readImage(source)).shape).toEqual([3, 1, 3])
  })
})

describe('readImage: kinds of files', () => {
  test('looks a palette up, with its transparency', async () => {
    const image = await readImage(fixture('palette.png'), { mode: 'rgba' })
    expect([...image.dataSync()]).toEqual([10, 200, 0, 20, 100, 255, 30, 50, 0, 255, 128, 0])
  })

  test('reads grey with alpha', async () => {
    const image = await readImage(fixture('grey-alpha.png'), { mode: 'rgba' })
    expect([...image.dataSync()]).toEqual([40, 200, 40, 200, 40, 200, 255, 7])
  })

  test('reads bilevel files as black and white', async () => {
    expect([...(await readImage(fixture('bilevel.png'), { mode: 'grey' })).dataSync()]).toEqual([0, 255, 0])
  })

  test('turns CMYK into red, green and blue', async () => {
    const image = await readImage(fixture('cmyk.jpg'))
    const at = (x: number) => [0, 1, 2].map((c) => Number(image.at(c, 8, x).item()))
    for (const level of at(8)) expect(level).toBeGreaterThan(245)
    for (const level of at(24)) expect(level).toBeLessThan(60)
    const [red, green, blue] = at(40) as [number, number, number]
    expect(red).toBeLessThan(80)
    expect(green).toBeGreaterThan(120)
    expect(blue).toBeGreaterThan(180)
  })

  test.each(['animated.gif', 'animated.webp'])('takes the first frame of %s', async (name) => {
    const image = await readImage(fixture(name))
    expect(image.shape).toEqual([3, 2, 4])
    expect([...image.dataSync()]).toEqual([...Array(8).fill(255), ...Array(16).fill(0)])
  })

  test('turns a photograph upright by its EXIF orientation', async () => {
    const image = await readImage(fixture('exif-6.jpg'))
    expect(image.shape).toEqual([3, 32, 16])
    const [red, blue] = [image.at(0), image.at(2)]
    expect(Number(red.at(4, 8).item())).toBeGreaterThan(240)
    expect(Number(blue.at(4, 8).item())).toBeLessThan(15)
    expect(Number(red.at(28, 8).item())).toBeLessThan(15)
    expect(Number(blue.at(28, 8).item())).toBeGreaterThan(240)
  })

  test.each(['rgb16.png', 'rgb16.tiff'])('keeps the 16 bits of %s in float32', async (name) => {
    const levels = [0, 257, 128, 386, 1, 32768, 129, 1000, 2, 65535, 385, 54321]
    const floats = await readImage(fixture(name), { dtype: 'float32' })
    expect([...floats.dataSync()]).toEqual(levels.map((level) => Math.fround(level / 65535)))
    // level / 257, rounded: 128 is below half a step, 129 above it
    expect([...(await readImage(fixture(name))).dataSync()]).toEqual([0, 1, 0, 2, 0, 128, 1, 4, 0, 255, 1, 211])
  })

  test('keeps the 16 bits of grey and of alpha', async () => {
    const grey = await readImage(fixture('grey16.png'), { mode: 'grey', dtype: 'float32' })
    expect([...grey.dataSync()]).toEqual([0, 1, 40000, 65535].map((level) => Math.fround(level / 65535)))
    const rgba = await readImage(fixture('rgba16.png'), { mode: 'rgba', dtype: 'float32' })
    const levels = [1, 60000, 2, 300, 3, 7, 65535, 1000]
    expect([...rgba.dataSync()]).toEqual(levels.map((level) => Math.fround(level / 65535)))
  })

  test('keeps each of the 65536 levels of a grey file, in grey and in colour', async () => {
    const levels = Uint16Array.from({ length: 65536 }, (_, i) => i)
    const file = await sharp(levels, { raw: { width: 256, height: 256, channels: 1 } })
      .toColourspace('grey16')
      .png()
      .toBuffer()
    const expected = Float32Array.from(levels, (level) => level / 65535)
    const grey = await readImage(file, { mode: 'grey', dtype: 'float32' })
    expect(grey.dataSync()).toEqual(expected)
    expect((await readImage(file, { dtype: 'float32' })).at(1).flatten().dataSync()).toEqual(expected)
  })

  test('does not apply the profile of an RGB file, as Pillow and OpenCV do not', async () => {
    const file = await sharp(Buffer.from([250, 20, 10]), { raw: { width: 1, height: 1, channels: 3 } })
      .withMetadata()
      .withIccProfile('p3')
      .png()
      .toBuffer()
    const stored = await sharp(file, { ignoreIcc: true }).raw().toBuffer()
    expect((await sharp(file).metadata()).hasProfile).toBe(true)
    expect([...(await readImage(file)).dataSync()]).toEqual([...stored])
  })
})

describe('readImage: bad input', () => {
  const format = { code: 'ERR_VISION_NATIVE_FORMAT' }
  const argument = { code: 'ERR_VISION_NATIVE_ARGUMENT' }

  test('a missing file is named with the reason', async () => {
    const path = inFolder('absent.png')
    await expect(readImage(path)).rejects.toMatchObject({
      ...argument,
      message: `readImage: cannot read ${path}: no such file or folder (ENOENT)`,
    })
  })

  test('folders, pipes and devices are refused, none waits for ever', async () => {
    mkdirSync(inFolder('folder.png'))
    await expect(readImage(inFolder('folder.png'))).rejects.toMatchObject({
      ...argument,
      message: expect.stringContaining('is a folder'),
    })
    execFileSync('mkfifo', [inFolder('pipe.png')])
    for (const path of [inFolder('pipe.png'), '/dev/zero']) {
      await expect(readImage(path)).rejects.toMatchObject({
        ...argument,
        message: expect.stringContaining(`${path} is not a regular file`),
      })
    }
  })

  test('empty files and buffers say so', async () => {
    writeFileSync(inFolder('empty.png'), '')
    await expect(readImage(inFolder('empty.png'))).rejects.toMatchObject({
      ...format,
      message: expect.stringContaining('empty.png is empty (0 bytes)'),
    })
    await expect(readImage(new Uint8Array())).rejects.toMatchObject(format)
  })

  test.each([
    ['text', Buffer.from('not an image at all, only text')],
    ['a drawing', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')],
    ['a document', Buffer.from('%PDF-1.7\n')],
    ['one byte', Buffer.from([0xff])],
  ])('%s is not an image', async (_, bytes) => {
    writeFileSync(inFolder('text.png'), bytes)
    await expect(readImage(inFolder('text.png'))).rejects.toMatchObject({
      ...format,
      message: expect.stringMatching(
        /text\.png is not an image: it begins with [0-9a-f]{2}.*JPEG, PNG, GIF, WebP, TIFF/,
      ),
    })
  })

  test.each(['png', 'jpeg', 'webp', 'gif', 'tiff', 'avif'] as const)('a truncated %s is refused', async (name) => {
    const noise = Buffer.from(Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * i * 31) % 251))
    const whole = await sharp(noise, { raw: { width: 64, height: 64, channels: 3 } })
      .toFormat(name)
      .toBuffer()
    expect((await readImage(whole)).shape).toEqual([3, 64, 64])
    for (const share of [0.1, 0.5, 0.9]) {
      const path = inFolder(`cut.${name}`)
      writeFileSync(path, whole.subarray(0, Math.floor(whole.length * share)))
      await expect(readImage(path)).rejects.toMatchObject({ ...format, message: expect.stringContaining(path) })
    }
  })

  test('float files are refused by name', async () => {
    await expect(readImage(fixture('float.tiff'))).rejects.toMatchObject({
      ...format,
      message: expect.stringMatching(/float\.tiff has samples of type float/),
    })
  })

  test('a bomb is refused by its header alone, and the message names the option', async () => {
    const path = inFolder('bomb.png')
    writeFileSync(path, hugePng(60_000, 50_000))
    await expect(readImage(path)).rejects.toMatchObject({
      ...format,
      message: expect.stringMatching(/60000 × 50000 = 3000000000 pixels, more than 134217728; .* option maxPixels/),
    })
  })

  test('maxPixels is the last size that is read', async () => {
    const file = await png(Array(18).fill(9), 3, 2)
    expect((await readImage(file, { maxPixels: 6 })).shape).toEqual([3, 2, 3])
    await expect(readImage(file, { maxPixels: 5 })).rejects.toMatchObject(format)
    for (const maxPixels of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      await expect(readImage(file, { maxPixels })).rejects.toMatchObject(argument)
    }
  })

  test('unknown options and sources are refused with what is known', async () => {
    const file = await png([1, 2, 3], 1, 1)
    await expect(readImage(file, { mode: 'bgr' as 'rgb' })).rejects.toMatchObject({
      ...argument,
      message: "readImage: mode 'bgr' is not known; use rgb, rgba, grey",
    })
    await expect(readImage(file, { mode: 'toString' as 'rgb' })).rejects.toMatchObject(argument)
    await expect(readImage(file, { dtype: 'float16' as 'uint8' })).rejects.toMatchObject(argument)
    for (const source of [
      undefined,
      null,
      7,
      {},
      '',
      'a\0b',
      'https://example.org/a.png',
      new URL('https://a.org/b'),
    ]) {
      await expect(readImage(source as string)).rejects.toMatchObject(argument)
    }
  })
})

/** A valid header of a PNG that claims to be huge, followed by next to nothing. */
function hugePng(width: number, height: number): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2, 0, 0, 0], 8)
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', deflateSync(Buffer.alloc(64))), chunk('IEND')])
}

function chunk(type: string, data = Buffer.alloc(0)): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const frame = Buffer.alloc(8 + body.length)
  frame.writeUInt32BE(data.length, 0)
  body.copy(frame, 4)
  frame.writeUInt32BE(crc32(body), 4 + body.length)
  return frame
}

function crc32(bytes: Buffer): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  }
  return (crc ^ 0xffffffff) >>> 0
}
