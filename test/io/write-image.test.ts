import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { encodeImage, readImage, writeImage } from '../../lib/io'
import { tensor, zeros } from '../../lib/tensor/creation'
import type { Tensor } from '../../lib/tensor/tensor'
import { temporaryFolder } from '../support/temporary-folder'

const inFolder = temporaryFolder()
const argument = { code: 'ERR_VISION_NATIVE_ARGUMENT' }
const shape = { code: 'ERR_VISION_NATIVE_SHAPE' }

/** What sharp finds in an encoded file. */
async function decoded(bytes: Uint8Array) {
  const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true })
  return { values: [...data], width: info.width, height: info.height }
}

/** `[3, 2, 2]`: the colours of the four pixels, plane by plane. */
const picture = () => tensor(Uint8Array.from([1, 2, 3, 4, 50, 60, 70, 80, 200, 210, 220, 230]), { shape: [3, 2, 2] })
const interleaved = [1, 50, 200, 2, 60, 210, 3, 70, 220, 4, 80, 230]

describe('encodeImage', () => {
  test('interleaves planes', async () => {
    expect(await decoded(await encodeImage(picture(), 'png'))).toEqual({ values: interleaved, width: 2, height: 2 })
  })

  test('scales, clamps and rounds floating point in 0–1', async () => {
    // 0.5·255 = 127.5 rounds to the even 128; 0.001·255 = 0.255; 0.003·255 = 0.765
    const values = [-0.5, 0, 0.001, 0.003, 0.5, 1, 1.5, Number.POSITIVE_INFINITY]
    for (const dtype of ['float32', 'float64', 'bfloat16'] as const) {
      const { data } = await sharp(await encodeImage(tensor([values], { dtype }), 'png'))
        .toColourspace('b-w')
        .raw()
        .toBuffer({ resolveWithObject: true })
      expect([...data]).toEqual([0, 0, 0, 1, 128, 255, 255, 255])
    }
  })

  test('keeps [H, W] and [1, H, W] as one channel, [4, H, W] as colour with alpha', async () => {
    for (const size of [
      [2, 3],
      [1, 2, 3],
    ]) {
      const metadata = await sharp(await encodeImage(zeros(size, { dtype: 'uint8' }), 'png')).metadata()
      expect(metadata).toMatchObject({ channels: 1, width: 3, height: 2 })
    }
    const rgba = await sharp(await encodeImage(zeros([4, 2, 3], { dtype: 'uint8' }), 'png')).metadata()
    expect(rgba).toMatchObject({ channels: 4, hasAlpha: true })
  })

  test('reads views and tensors that require gradients', async () => {
    const wide = tensor([[0, 0.2, 0.4, 0.6]], { requiresGrad: true })
    const file = await encodeImage(wide.transpose(0, 1), 'png')
    expect((await sharp(file).metadata()).height).toBe(4)
    expect([...(await readImage(file, { mode: 'grey' })).dataSync()]).toEqual([0, 51, 102, 153])
  })

  test('leaves the image as it is', async () => {
    for (const image of [tensor([[-1, 0.5, 2]]), tensor(Uint8Array.from([1, 2, 3]), { shape: [1, 3] })]) {
      const before = image.toArray()
      await encodeImage(image, 'png')
      expect(image.toArray()).toEqual(before)
    }
  })

  test.each(['png', 'tiff', 'webp', 'avif'] as const)('%s can be without loss', async (format) => {
    const options = format === 'webp' || format === 'avif' ? { lossless: true } : {}
    expect((await decoded(await encodeImage(picture(), format, options))).values).toEqual(interleaved)
  })

  test('a higher quality is a larger and a closer JPEG', async () => {
    const noise = tensor(Uint8Array.from({ length: 3 * 64 * 64 }, (_, i) => (i * i * 31) % 251)).view([3, 64, 64])
    const [low, high] = [
      await encodeImage(noise, 'jpg', { quality: 10 }),
      await encodeImage(noise, 'jpg', { quality: 100 }),
    ]
    expect(high.length).toBeGreaterThan(2 * low.length)
    const error = async (file: Buffer) =>
      Number((await readImage(file)).to('float32').sub(noise.to('float32')).abs().mean().item())
    expect(await error(high)).toBeLessThan(2)
    expect(await error(low)).toBeGreaterThan(10)
  })
})

describe('writeImage', () => {
  test.each(['.png', '.PNG', '.jpg', '.jpeg', '.webp', '.avif', '.tif', '.tiff'])('knows %s', async (extension) => {
    const path = inFolder(`image${extension}`)
    await writeImage(picture(), path)
    const kinds: Record<string, string> = { jpg: 'jpeg', tif: 'tiff', avif: 'heif' }
    const name = extension.slice(1).toLowerCase()
    expect((await sharp(path).metadata()).format).toBe(kinds[name] ?? name)
  })

  test('an unknown extension is refused with the list, before anything is encoded', async () => {
    for (const name of ['image.bmp', 'image', 'image.png.exe']) {
      await expect(writeImage(zeros([9, 9, 9, 9]), inFolder(name))).rejects.toMatchObject({
        ...argument,
        message: expect.stringContaining('use .png, .jpg, .jpeg, .webp, .avif, .tif, .tiff'),
      })
    }
  })

  test.each<[string, () => Tensor, object]>([
    ['a batch', () => zeros([1, 3, 4, 4]), { ...shape, message: expect.stringContaining('take one image') }],
    ['a vector', () => zeros([4]), shape],
    ['two channels', () => zeros([2, 4, 4]), shape],
    ['[H, W, C]', () => zeros([5, 4, 3]), { ...shape, message: expect.stringContaining('permute([2, 0, 1])') }],
    ['no pixels', () => zeros([3, 0, 4]), shape],
    ['int64', () => zeros([3, 4, 4], { dtype: 'int64' }), { code: 'ERR_VISION_NATIVE_DTYPE' }],
    ['NaN', () => tensor([[0, Number.NaN]]), { ...argument, message: expect.stringContaining('NaN') }],
  ])('%s is refused, and no file is left', async (_, make, error) => {
    const path = inFolder('refused.png')
    await expect(writeImage(make(), path)).rejects.toMatchObject(error)
    expect(existsSync(path)).toBe(false)
  })

  test('JPEG with alpha is refused rather than flattened', async () => {
    const image = zeros([4, 2, 2], { dtype: 'uint8' })
    await expect(writeImage(image, inFolder('alpha.jpg'))).rejects.toMatchObject(shape)
  })

  test('options that a format does not have, or outside their range, are refused', async () => {
    const bad = [
      ['a.png', { quality: 90 }],
      ['a.jpg', { lossless: true }],
      ['a.tiff', { quality: 1 }],
      ['a.jpg', { quality: 0 }],
      ['a.jpg', { quality: 101 }],
      ['a.webp', { quality: 50.5 }],
      ['a.png', { compressionLevel: 10 }],
    ] as const
    for (const [name, options] of bad) {
      await expect(writeImage(picture(), inFolder(name), options)).rejects.toMatchObject(argument)
    }
    await expect(encodeImage(picture(), 'bmp' as 'png')).rejects.toMatchObject(argument)
  })

  test('an image that the format cannot hold is refused, and an older file stays', async () => {
    const path = inFolder('older.webp')
    writeFileSync(path, 'older')
    // WebP ends at 16383 pixels a side.
    await expect(writeImage(zeros([1, 16400], { dtype: 'uint8' }), path)).rejects.toMatchObject({
      ...argument,
      message: expect.stringContaining('16400 × 1 pixels as webp'),
    })
    expect(readFileSync(path, 'utf8')).toBe('older')
    expect(readdirSync(inFolder()).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })
})
