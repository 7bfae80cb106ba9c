// Mutators that know a container: what is inside is changed, and lengths and checksums are made to fit again, so that the
// change is read rather than refused at the door.
import { crc32, deflateSync, inflateRawSync, inflateSync } from 'node:zlib'
import { maskedCrc } from '../../lib/io/tensorboard-wire'
import { type HostileEntry, hostileZip } from '../support/hostile-zip'
import { bytes } from './mutators'
import type { Mutator } from './target'

/** The files of an archive that has no comment. */
export function zipEntriesOf(archive: Buffer): HostileEntry[] {
  const end = archive.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'))
  let at = archive.readUInt32LE(end + 16)
  return Array.from({ length: archive.readUInt16LE(end + 10) }, () => {
    const [nameLength, local] = [archive.readUInt16LE(at + 28), archive.readUInt32LE(at + 42)]
    const deflate = archive.readUInt16LE(at + 10) === 8
    const begin = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28)
    const stored = archive.subarray(begin, begin + archive.readUInt32LE(at + 20))
    const name = archive.toString('utf8', at + 46, at + 46 + nameLength)
    at += 46 + nameLength + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32)
    return { name, content: deflate ? inflateRawSync(stored) : Buffer.from(stored), deflate }
  })
}

/** Changes the content of a file of an archive by what `inner` gives for its name, or what the archive says of it. */
export function inZip(inner: (name: string) => Mutator): Mutator {
  return (input, random, others) => {
    const entries = zipEntriesOf(input)
    const at = random.int(0, entries.length - 1)
    const entry = entries[at] as HostileEntry
    const lie = random.pick([0, 1, -1, 2 ** 16, 2 ** 31, 2 ** 32 - 1])
    const content = Buffer.from(entry.content ?? [])
    const changed = (): readonly HostileEntry[] => {
      switch (random.int(0, 11)) {
        case 0:
          return [{ ...entry, size: lie >>> 0 }]
        case 1:
          return [{ ...entry, storedSize: lie >>> 0 }]
        case 2:
          return [{ ...entry, offset: lie >>> 0 }]
        case 3:
          return [{ ...entry, name: random.pick(['', '../x', '/etc/passwd', 'a\0b', entry.name.toUpperCase()]) }]
        case 4:
          return random.chance(0.5) ? [] : [entry, entry]
        case 5:
          return [{ ...entry, deflate: true, flags: random.pick([0, 1, 8]), method: random.pick([0, 8, 9, 99]) }]
        default: {
          const same = others.flatMap((other) =>
            zipEntriesOf(other).flatMap(({ name, content }) =>
              name === entry.name ? [Buffer.from(content ?? [])] : [],
            ),
          )
          return [{ ...entry, content: inner(entry.name)(content, random, same) }]
        }
      }
    }
    return hostileZip([...entries.slice(0, at), ...changed(), ...entries.slice(at + 1)])
  }
}

/** Length, header, data. */
export const safetensorsHeader = (input: Buffer) => {
  const end = 8 + Number(input.readBigUInt64LE(0))
  return {
    part: input.subarray(8, end),
    close: (part: Buffer) => {
      const length = Buffer.alloc(8)
      length.writeBigUInt64LE(BigInt(part.length))
      return Buffer.concat([length, part, input.subarray(end)])
    },
  }
}

/** Magic and version, length, header, data. */
export const npyHeader = (input: Buffer) => {
  const wide = (input[6] ?? 1) > 1
  const begin = wide ? 12 : 10
  const end = begin + (wide ? input.readUInt32LE(8) : input.readUInt16LE(8))
  return {
    part: input.subarray(begin, end),
    close: (part: Buffer) => {
      const start = Buffer.from(input.subarray(0, begin))
      if (wide) start.writeUInt32LE(part.length, 8)
      else start.writeUInt16LE(Math.min(part.length, 65535), 8)
      return Buffer.concat([start, part, input.subarray(end)])
    },
  }
}

/** Changes a chunk of a PNG; pixels are changed as they are before they are packed. */
export const pngChunk: Mutator = (input, random) => {
  const chunks: { type: string; data: Buffer }[] = []
  for (let at = 8; at + 12 <= input.length; ) {
    const length = input.readUInt32BE(at)
    chunks.push({ type: input.toString('latin1', at + 4, at + 8), data: input.subarray(at + 8, at + 8 + length) })
    at += 12 + length
  }
  const at = random.int(0, chunks.length - 1)
  const { type, data } = chunks[at] as (typeof chunks)[number]
  const mutate = bytes()
  const changed =
    type === 'IDAT' && random.chance(0.7)
      ? deflateSync(mutate(inflateSync(data), random, []))
      : mutate(data, random, [])
  const put = random.chance(0.1) ? [] : [{ type, data: changed }, ...(random.chance(0.1) ? [{ type, data }] : [])]
  return Buffer.concat([
    input.subarray(0, 8),
    ...[...chunks.slice(0, at), ...put, ...chunks.slice(at + 1)].flatMap((chunk) => {
      const [length, body, sum] = [
        Buffer.alloc(4),
        Buffer.concat([Buffer.from(chunk.type), chunk.data]),
        Buffer.alloc(4),
      ]
      length.writeUInt32BE(chunk.data.length)
      sum.writeUInt32BE(crc32(body))
      return [length, body, sum]
    }),
  ])
}

/** Changes a record of a TensorBoard file. */
export const eventRecord: Mutator = (input, random) => {
  const records: Buffer[] = []
  for (let at = 0; at < input.length; ) {
    const length = Number(input.readBigUInt64LE(at))
    records.push(input.subarray(at + 12, at + 12 + length))
    at += 16 + length
  }
  const at = random.int(0, records.length - 1)
  records[at] = bytes()(records[at] as Buffer, random, records)
  return Buffer.concat(
    records.map((record) => {
      const whole = Buffer.alloc(16 + record.length)
      whole.writeBigUInt64LE(BigInt(record.length))
      whole.writeUInt32LE(maskedCrc(whole.subarray(0, 8)), 8)
      record.copy(whole, 12)
      whole.writeUInt32LE(maskedCrc(record), 12 + record.length)
      return whole
    }),
  )
}

/** Opcodes and globals of pickles. */
export const PICKLE_WORDS: readonly Uint8Array[] = [
  ...[
    '.',
    '(',
    ')',
    '}',
    ']',
    'N',
    '0',
    '1',
    '2',
    'R',
    'o',
    'b',
    's',
    'u',
    'a',
    'e',
    't',
    'Q',
    'd',
    'l',
    '\x85',
    '\x86',
  ],
  ...[
    '\x87',
    '\x88',
    '\x89',
    '\x8f',
    '\x90',
    '\x91',
    '\x92',
    '\x93',
    '\x94',
    '\x81',
    'h\x00',
    'h\x01',
    'q\x00',
    'K\x00',
  ],
  ...['J\xff\xff\xff\xff', 'M\xff\xff', '\x8a\x01\xff', '\x8a\xff', '\x8b\xff\xff\xff\x7f', 'G\x7f\xf0\0\0\0\0\0\0'],
  ...['X\xff\xff\xff\xff', 'B\xff\xff\xff\x7f', '\x8e\xff\xff\xff\xff\xff\xff\xff\x7f', '\x95\xff\xff\0\0\0\0\0\0'],
  ...['r\xff\xff\xff\xff', 'j\xff\xff\xff\xff', '\x80\x05', '\x80\xff', 'I-1\n', 'I99999999999999999999\n', 'F1e999\n'],
  ...[
    'L1L\n',
    "S'a'\n",
    'Va\\u0000\n',
    'cos\nsystem\n',
    'cbuiltins\neval\n',
    'cbuiltins\nset\n',
    'ccollections\nOrderedDict\n',
  ],
  ...[
    'ctorch._utils\n_rebuild_tensor_v2\n',
    'ctorch._utils\n_rebuild_parameter\n',
    'ctorch\nFloatStorage\n',
    'ctorch\nSize\n',
  ],
  ...['c_codecs\nencode\n', 'cnumpy.core.multiarray\n_reconstruct\n', 'cnumpy\ndtype\n', 'ccopyreg\n_reconstructor\n'],
].map((word) => Buffer.from(word, 'latin1'))
