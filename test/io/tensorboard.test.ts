import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { type LogEvent, readEvents, SummaryWriter } from '../../lib/io'
import { crc32c, maskedCrc } from '../../lib/io/tensorboard-wire'
import { VisionNativeError } from '../../lib/native/errors'
import { memory, tensor, tidyAsync } from '../../lib/tensor'
import { liveTensors } from '../support/live-tensors'
import { temporaryFolder } from '../support/temporary-folder'

const inFolder = temporaryFolder()
/** By tools/reference/tensorboard_events.py: what PyTorch's SummaryWriter makes. */
const FIXTURE = fileURLToPath(new URL('fixtures/tensorboard.events', import.meta.url))

async function eventsOf(source: string | Uint8Array): Promise<LogEvent[]> {
  const events: LogEvent[] = []
  for await (const event of readEvents(source)) events.push(event)
  return events
}
/** The only file of a folder. */
const fileIn = (folder: string) => `${folder}/${readdirSync(folder).find((name) => name.startsWith('events'))}`
/** The records of a file, undecoded. */
function recordsOf(bytes: Buffer): string[] {
  const records: string[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = at + 16 + Number(bytes.readBigUInt64LE(at))
    records.push(bytes.subarray(at, end).toString('hex'))
    at = end
  }
  return records
}

test('checksums are CRC-32C, masked', () => {
  // RFC 3720, B.4.
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa)
  expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43)
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
  expect(maskedCrc(Buffer.alloc(32))).toBe((((0x8a9136aa >>> 15) | (0x8a9136aa << 17)) + 0xa282ead8) >>> 0)
})

describe('SummaryWriter', () => {
  test('writes the bytes that PyTorch writes', async () => {
    const folder = inFolder('bytes')
    const writer = new SummaryWriter(folder)
    writer.addScalar('loss/train', 0.1, 0, 1700000001.5)
    writer.addScalar('loss/train', 0, 1, 1700000002.5)
    writer.addScalar('loss/train', Number.NaN, 128, 1700000003.5)
    writer.addScalar('größe', -1e-30, 2 ** 40 + 5, 1700000004.5)
    writer.addText('notes', 'a **b**\n\nc — d', 4, 1700000006.5)
    const values = Array.from({ length: 22 }, (_, i) => (-24 + 3 * i) / 8)
    await writer.addHistogram('weights', values, 5, 1700000007.5)
    await writer.addHistogram('zeros', [0, 0, 0], 6, 1700000008.5)
    await writer.close()
    const theirs = recordsOf(readFileSync(FIXTURE))
    // Theirs begins with a version and where it goes on, has a scalar in the newer style, and ends with an image.
    const [, , , a, b, c, d, , ...rest] = theirs
    expect(recordsOf(readFileSync(fileIn(folder))).slice(1)).toEqual([a, b, c, d, ...rest.slice(0, 3)])
  })

  test('names its files as TensorBoard expects, one for each writer', async () => {
    const folder = inFolder('names')
    const before = Math.floor(Date.now() / 1000)
    for (const filenameSuffix of ['', '.train']) await new SummaryWriter(folder, { filenameSuffix }).close()
    const names = readdirSync(folder)
    expect(names).toHaveLength(2)
    for (const name of names) {
      const [, seconds, rest] = /^events\.out\.tfevents\.(\d{10})\.(.*)\.\d+(?:\.train)?$/.exec(name) ?? []
      expect(Number(seconds)).toBeGreaterThanOrEqual(before)
      expect(rest).toBe(`${hostname()}.${process.pid}`)
    }
    expect(names.filter((name) => name.endsWith('.train'))).toHaveLength(1)
  })

  test('begins with the version, and says where a run goes on', async () => {
    await new SummaryWriter(inFolder('version'), { purgeStep: 12 }).close()
    const [first, second] = await eventsOf(fileIn(inFolder('version')))
    expect(first).toMatchObject({ fileVersion: 'brain.Event:2', step: 0, values: [] })
    expect(second).toMatchObject({ step: 12, restart: true })
  })

  test('keeps an image as a PNG of its pixels', async () => {
    const before = await liveTensors()
    await tidyAsync(async () => {
      const pixels = Array.from({ length: 24 }, (_, i) => i * 10)
      const writer = new SummaryWriter(inFolder('image'))
      await writer.addImage('input', tensor(pixels, { shape: [3, 2, 4], dtype: 'uint8' }), 3)
      await writer.addImage('mask', tensor([[0, 1]]))
      await writer.close()
      const [, input, mask] = await eventsOf(fileIn(inFolder('image')))
      const [image] = input?.values ?? []
      expect(image).toMatchObject({ kind: 'image', tag: 'input', width: 4, height: 2, channels: 3 })
      if (image?.kind !== 'image') throw new Error('no image')
      const raw = await sharp(image.encoded).raw().toBuffer()
      expect([...raw]).toEqual(Array.from({ length: 8 }, (_, i) => [i * 10, (i + 8) * 10, (i + 16) * 10]).flat())
      expect(mask?.values).toMatchObject([{ width: 2, height: 1, channels: 1 }])
    })
    expect(memory.stats().tensors).toBe(before)
  })

  test('counts the values of a tensor', async () => {
    await tidyAsync(async () => {
      const writer = new SummaryWriter(inFolder('histogram'))
      await writer.addHistogram(
        'w',
        tensor(
          [
            [1, 2],
            [3, 4],
          ],
          { requiresGrad: true },
        ),
      )
      await writer.close()
      const [, event] = await eventsOf(fileIn(inFolder('histogram')))
      const [value] = event?.values ?? []
      if (value?.kind !== 'histogram') throw new Error('no histogram')
      expect(value.histogram).toMatchObject({ min: 1, max: 4, count: 4, sum: 10, sumOfSquares: 30 })
      expect(value.histogram.counts.reduce((sum, count) => sum + count, 0)).toBe(4)
      expect(value.histogram.limits).toHaveLength(value.histogram.counts.length)
    })
  })

  test('puts scalars of one chart into runs of their own', async () => {
    const writer = new SummaryWriter(inFolder('scalars'))
    writer.addScalars('loss/all', { train: 1, validation: tensor([2]) }, 7)
    writer.addScalars('loss/all', { train: 3 }, 8)
    await writer.close()
    const train = await eventsOf(fileIn(inFolder('scalars', 'loss_all_train')))
    expect(train.slice(1)).toMatchObject([
      { step: 7, values: [{ kind: 'scalar', tag: 'loss/all', value: 1 }] },
      { step: 8, values: [{ kind: 'scalar', tag: 'loss/all', value: 3 }] },
    ])
    const validation = await eventsOf(fileIn(inFolder('scalars', 'loss_all_validation')))
    expect(validation[1]).toMatchObject({ values: [{ value: 2 }] })
  })

  test('keeps the order of what is logged, and its bytes whole, over many writes', async () => {
    const writer = new SummaryWriter(inFolder('many'))
    const text = 'x'.repeat(5000)
    for (let step = 0; step < 300; step++) {
      writer.addText('t', text, step)
      if (step % 50 === 0) await writer.flush()
    }
    await writer.close()
    const events = await eventsOf(fileIn(inFolder('many')))
    expect(events.slice(1).map(({ step }) => step)).toEqual(Array.from({ length: 300 }, (_, step) => step))
    expect(events.at(-1)?.values).toEqual([{ kind: 'text', tag: 't/text_summary', text }])
  })

  test('writes by itself after a while', async () => {
    const writer = new SummaryWriter(inFolder('later'), { flushSeconds: 0.01 })
    writer.addScalar('a', 1)
    await expect.poll(() => readdirSync(inFolder('later')).length).toBe(1)
    await expect.poll(async () => (await eventsOf(fileIn(inFolder('later')))).length).toBe(2)
    await writer.close()
  })

  test('does not stop the program when it cannot write, and tells at the next flush', async () => {
    writeFileSync(inFolder('file'), '')
    const writer = new SummaryWriter(inFolder('file', 'run'), { flushSeconds: 0.01 })
    writer.addScalar('a', 1)
    await new Promise((resolve) => setTimeout(resolve, 50))
    writer.addScalar('a', 2)
    await expect(writer.flush()).rejects.toThrow(/cannot write to .*run: a part of the path is a file/)
    await writer.close()
  })

  test.each<[string, (writer: SummaryWriter) => unknown, RegExp]>([
    ['no tag', (writer) => writer.addScalar('', 1), /addScalar: the tag is/],
    ['a value that is no number', (writer) => writer.addScalar('a', '1' as never), /value of 'a' is .*pass a number/],
    ['a tensor of several numbers', (writer) => writer.addScalar('a', tensor([1, 2])), /2 elements, not one/],
    ['half a step', (writer) => writer.addScalar('a', 1, 0.5), /step is 0.5/],
    ['a run outside the folder', (writer) => writer.addScalars('a', { '../b': 1 }), /'..\/b' is no part of a folder/],
    ['a histogram of nothing', (writer) => writer.addHistogram('a', []), /no values for 'a'/],
    ['a histogram with NaN', (writer) => writer.addHistogram('a', [1, Number.NaN]), /value 1 for 'a' is NaN/],
    ['no folder', () => new SummaryWriter(''), /logDir is/],
    ['a suffix that is a path', () => new SummaryWriter('a', { filenameSuffix: '/b' }), /filenameSuffix '\/b'/],
  ])('refuses %s', async (_, run, message) => {
    const writer = new SummaryWriter(inFolder('refused'))
    const failure = await (async () => run(writer))().catch((error: unknown) => error)
    expect(VisionNativeError.is(failure)).toBe(true)
    expect((failure as Error).message).toMatch(message)
  })

  test('refuses to log after it was closed; closing twice is allowed', async () => {
    const writer = new SummaryWriter(inFolder('closed'))
    await writer.close()
    await writer.close()
    expect(() => writer.addScalar('a', 1)).toThrow(/was closed/)
  })
})

describe('readEvents', () => {
  test('reads what PyTorch writes', async () => {
    const events = await eventsOf(FIXTURE)
    expect(events.slice(0, 3)).toMatchObject([
      { wallTime: 1700000000.25, fileVersion: 'brain.Event:2' },
      { step: 3, fileVersion: 'brain.Event:2' },
      { step: 3, restart: true },
    ])
    expect(events.slice(3, 8)).toEqual([
      { wallTime: 1700000001.5, step: 0, values: [{ kind: 'scalar', tag: 'loss/train', value: Math.fround(0.1) }] },
      { wallTime: 1700000002.5, step: 1, values: [{ kind: 'scalar', tag: 'loss/train', value: 0 }] },
      { wallTime: 1700000003.5, step: 128, values: [{ kind: 'scalar', tag: 'loss/train', value: Number.NaN }] },
      {
        wallTime: 1700000004.5,
        step: 2 ** 40 + 5,
        values: [{ kind: 'scalar', tag: 'größe', value: Math.fround(-1e-30) }],
      },
      { wallTime: 1700000005.5, step: 7, values: [{ kind: 'scalar', tag: 'new', value: 2.5 }] },
    ])
    expect(events[8]?.values).toEqual([{ kind: 'text', tag: 'notes/text_summary', text: 'a **b**\n\nc — d' }])
    expect(events[9]?.values).toMatchObject([{ kind: 'histogram', histogram: { min: -3, max: 39 / 8, count: 22 } }])
    expect(events[11]?.values).toMatchObject([{ kind: 'image', tag: 'image', width: 4, height: 2, channels: 3 }])
    expect(await eventsOf(readFileSync(FIXTURE))).toEqual(events)
  })

  test('ends before a record that is cut off, wherever', async () => {
    const bytes = readFileSync(FIXTURE)
    const all = await eventsOf(bytes)
    const last = recordsOf(bytes).at(-1) ?? ''
    for (let cut = 1; cut < last.length / 2; cut += 7) {
      expect(await eventsOf(bytes.subarray(0, bytes.length - cut))).toEqual(all.slice(0, -1))
    }
    expect(await eventsOf(bytes.subarray(0, 5))).toEqual([])
  })

  test('refuses every flipped bit, or ends where a length no longer fits the file', async () => {
    const bytes = readFileSync(FIXTURE)
    const all = await eventsOf(bytes)
    for (let at = 0; at < bytes.length; at += 13) {
      const damaged = Buffer.from(bytes)
      damaged[at] = (damaged[at] as number) ^ 4
      const result = await eventsOf(damaged).catch((error: unknown) => error)
      expect(VisionNativeError.is(result, 'Format'), `byte ${at} of ${all.length} events`).toBe(true)
    }
  })

  test('refuses a file of another kind, and data that is no event', async () => {
    await expect(eventsOf(Buffer.from('this is no event file at all'))).rejects.toThrow(/record at byte 0 has a length/)
    const data = Buffer.from([0x0f])
    const record = Buffer.alloc(17)
    record.writeBigUInt64LE(1n)
    record.writeUInt32LE(maskedCrc(record.subarray(0, 8)), 8)
    record.set(data, 12)
    record.writeUInt32LE(maskedCrc(data), 13)
    await expect(eventsOf(record)).rejects.toThrow(/record at byte 0 is no event/)
    record.writeBigUInt64LE(2n ** 40n)
    record.writeUInt32LE(maskedCrc(record.subarray(0, 8)), 8)
    await expect(eventsOf(record)).rejects.toThrow(/claims 1099511627776 bytes/)
  })

  test('says that a file is missing', async () => {
    mkdirSync(inFolder('empty'))
    await expect(eventsOf(inFolder('none'))).rejects.toThrow(/cannot read .*no such file/)
  })
})
