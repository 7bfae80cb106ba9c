import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { readFlow, writeFlow } from '../../lib/io'
import { full, tensor, zeros } from '../../lib/tensor/creation'
import type { Tensor } from '../../lib/tensor/tensor'
import { temporaryFolder } from '../support/temporary-folder'

// Written by NumPy and OpenCV: tools/reference/make_io_fixtures.py, which states the same values.
const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url))
const inFolder = temporaryFolder()
const format = { code: 'ERR_VISION_NATIVE_FORMAT' }
const argument = { code: 'ERR_VISION_NATIVE_ARGUMENT' }

/** A `.flo` header and `floats` zeros. */
function flo(width: number, height: number, floats: number, magic = 202021.25): Buffer {
  const bytes = Buffer.alloc(12 + 4 * floats)
  bytes.writeFloatLE(magic, 0)
  bytes.writeInt32LE(width, 4)
  bytes.writeInt32LE(height, 8)
  return bytes
}

describe('Middlebury .flo', () => {
  test('reads what NumPy wrote, unknown pixels as 0 and not valid', async () => {
    const { flow, valid } = await readFlow(fixture('small.flo'))
    expect([flow.dtype, valid.dtype]).toEqual(['float32', 'bool'])
    expect(flow.toArray()).toEqual([
      [
        [1.5, -2.25, 0],
        [100, 0, 0],
      ],
      [
        [0.5, 4, -0.125],
        [-3, 0, 0],
      ],
    ])
    expect(valid.toArray()).toEqual([
      [true, true, true],
      [true, false, false],
    ])
  })

  test('writes the layout byte by byte', async () => {
    // float 202021.25 is "PIEH"; 1.5 is 0x3fc00000, −2 is 0xc0000000, 1e10 is 0x501502f9.
    await writeFlow(tensor([[[1.5, 7]], [[-2, 7]]]), inFolder('bytes.flo'), { valid: tensor([[true, false]]) })
    expect(readFileSync(inFolder('bytes.flo')).toString('hex')).toBe(
      ['50494548', '02000000', '01000000', '0000c03f', '000000c0', 'f9021550', 'f9021550'].join(''),
    )
  })

  test('a round trip is exact, with its mask', async () => {
    const values = Float32Array.from({ length: 2 * 5 * 7 }, (_, i) => Math.fround(Math.sin(i) * 10 ** (i % 9)))
    const flow = tensor(values, { shape: [2, 5, 7] })
    const valid = tensor(Uint8Array.from({ length: 35 }, (_, i) => Number(i % 4 !== 0)))
      .view([5, 7])
      .to('bool')
    await writeFlow(flow, inFolder('round.flo'), { valid })
    const read = await readFlow(inFolder('round.flo'))
    expect(read.valid.toArray()).toEqual(valid.toArray())
    expect(read.flow.toArray()).toEqual(flow.mul(valid.to('float32')).add(0).toArray())
  })

  test('reads from a buffer at an odd address', async () => {
    const bytes = readFileSync(fixture('small.flo'))
    const odd = new Uint8Array(bytes.length + 3)
    odd.set(bytes, 3)
    expect((await readFlow(odd.subarray(3))).flow.shape).toEqual([2, 2, 3])
  })

  test.each<[string, Buffer, RegExp]>([
    ['a wrong magic number', flo(2, 2, 8, 1234), /is no \.flo file: it begins with 00 40 9a 44 .*"PIEH"/],
    ['the other byte order', Buffer.from(flo(2, 2, 8)).swap32(), /is no \.flo file/],
    ['a negative width', flo(-2, 2, 8), /states a size of -2 × 2; both must be positive/],
    ['two negative sizes', flo(-2, -2, 8), /both must be positive/],
    ['no width', flo(0, 2, 0), /both must be positive/],
    ['a huge size', flo(2 ** 31 - 1, 2 ** 31 - 1, 8), /which takes 368934881\d+ bytes; it has 44: it is truncated/],
    // 2^16 · 2^16 · 8 + 12 overflows 32 bits to just the 12 of the header.
    ['a size that wraps around to the length', flo(65536, 65536, 0), /takes 34359738380 bytes; it has 12/],
    ['a missing byte', flo(2, 2, 8).subarray(0, -1), /takes 44 bytes; it has 43: it is truncated/],
    ['bytes after the end', Buffer.concat([flo(2, 2, 8), Buffer.from([0])]), /has 45: bytes follow its end/],
    ['half a header', flo(2, 2, 8).subarray(0, 7), /too short for a \.flo file: 7 bytes/],
    ['nothing', Buffer.alloc(0), /empty/],
  ])('%s is a FormatError', async (_, bytes, message) => {
    const path = inFolder('hostile.flo')
    writeFileSync(path, bytes)
    await expect(readFlow(path)).rejects.toMatchObject({ ...format, message: expect.stringMatching(message) })
    await expect(readFlow(path)).rejects.toMatchObject({ message: expect.stringContaining(path) })
  })

  test('a vector that would be read back as unknown is refused with its place', async () => {
    for (const value of [Number.NaN, 2e9, Number.NEGATIVE_INFINITY]) {
      const flow = tensor([
        [
          [0, 0, 0],
          [0, 0, 0],
        ],
        [
          [0, 0, 0],
          [0, value, 0],
        ],
      ])
      await expect(writeFlow(flow, inFolder('nan.flo'))).rejects.toMatchObject({
        ...argument,
        message: expect.stringContaining('x 1, y 1'),
      })
    }
    expect(existsSync(inFolder('nan.flo'))).toBe(false)
  })
})

describe('KITTI PNG', () => {
  test('reads what OpenCV wrote', async () => {
    const { flow, valid } = await readFlow(fixture('kitti.png'))
    expect(flow.toArray()).toEqual([
      [
        [1.5, -512],
        [1 / 64, 0],
      ],
      [
        [-2.25, 32767 / 64],
        [-1 / 64, 0],
      ],
    ])
    expect(valid.toArray()).toEqual([
      [true, true],
      [true, false],
    ])
  })

  test('writes 64 u + 2^15, 64 v + 2^15 and the mask as 16-bit RGB', async () => {
    const path = inFolder('kitti.png')
    await writeFlow(tensor([[[1.5, 0.01, 9]], [[-2.25, -512, 9]]]), path, { valid: tensor([[true, true, false]]) })
    expect(await sharp(path).metadata()).toMatchObject({ depth: 'ushort', channels: 3, width: 3, height: 1 })
    const raw = await sharp(path).toColourspace('rgb16').raw({ depth: 'ushort' }).toBuffer()
    // 64 · 0.01 = 0.64, rounded to 1
    expect([...new Uint16Array(Uint8Array.from(raw).buffer)]).toEqual([32864, 32624, 1, 32769, 0, 1, 0, 0, 0])
  })

  test('a round trip is within half a step of 1/64 px', async () => {
    const values = Float32Array.from({ length: 2 * 9 * 11 }, (_, i) => 500 * Math.sin(i * i))
    const flow = tensor(values, { shape: [2, 9, 11] })
    await writeFlow(flow, inFolder('round.png'))
    const read = await readFlow(inFolder('round.png'))
    expect(Number(read.flow.sub(flow).abs().amax().item())).toBeLessThanOrEqual(1 / 128 + 1e-4)
    expect(read.valid.all().item()).toBe(true)
  })

  test('vectors outside ±512 px are refused, not wrapped around', async () => {
    for (const value of [512, -512.1, 1e6, Number.NaN]) {
      await expect(writeFlow(tensor([[[0, 0]], [[0, value]]]), inFolder('far.png'))).rejects.toMatchObject({
        ...argument,
        message: expect.stringMatching(/v at x 1, y 0 is .* px; .*\.flo/),
      })
    }
    expect(existsSync(inFolder('far.png'))).toBe(false)
  })

  test('an 8-bit picture, a truncated PNG and a large one are FormatErrors', async () => {
    const picture = await sharp({ create: { width: 4, height: 4, channels: 3, background: 'red' } })
      .png()
      .toBuffer()
    await expect(readFlow(picture)).rejects.toMatchObject({ ...format, message: expect.stringContaining('8-bit PNG') })
    const kitti = readFileSync(fixture('kitti.png'))
    await expect(readFlow(kitti.subarray(0, 60))).rejects.toMatchObject(format)
    await expect(readFlow(kitti, { maxPixels: 3 })).rejects.toMatchObject(format)
  })
})

describe('writeFlow and readFlow: bad input', () => {
  test.each<[string, () => Tensor, { valid?: Tensor }, string]>([
    ['three channels', () => zeros([3, 4, 5]), {}, 'SHAPE'],
    ['a batch', () => zeros([1, 2, 4, 5]), {}, 'SHAPE'],
    ['no pixels', () => zeros([2, 0, 5]), {}, 'SHAPE'],
    ['whole numbers', () => zeros([2, 4, 5], { dtype: 'int32' }), {}, 'DTYPE'],
    ['a mask of other size', () => zeros([2, 4, 5]), { valid: full([5, 4], true) }, 'SHAPE'],
    ['a mask of other type', () => zeros([2, 4, 5]), { valid: zeros([4, 5], { dtype: 'uint8' }) }, 'DTYPE'],
  ])('%s is refused', async (_, make, options, kind) => {
    await expect(writeFlow(make(), inFolder('bad.flo'), options)).rejects.toMatchObject({
      code: `ERR_VISION_NATIVE_${kind}`,
    })
    expect(existsSync(inFolder('bad.flo'))).toBe(false)
  })

  test('an unknown extension, a missing folder and a missing file are told', async () => {
    await expect(writeFlow(zeros([2, 2, 2]), inFolder('a.txt'))).rejects.toMatchObject({
      ...argument,
      message: expect.stringContaining('use .flo or .png (KITTI)'),
    })
    await expect(writeFlow(zeros([2, 2, 2]), inFolder('absent', 'a.flo'))).rejects.toMatchObject(argument)
    await expect(readFlow(inFolder('absent.flo'))).rejects.toMatchObject(argument)
    await expect(readFlow(inFolder())).rejects.toMatchObject(argument)
  })
})
