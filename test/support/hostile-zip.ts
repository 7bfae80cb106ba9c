import { crc32, deflateRawSync } from 'node:zlib'

/** A file of a hand-made archive. Every field may be a lie. */
export interface HostileEntry {
  readonly name: string
  readonly content?: Uint8Array
  readonly deflate?: boolean
  readonly flags?: number
  readonly method?: number
  readonly crc?: number
  readonly size?: number
  readonly storedSize?: number
  /** Where the directory says that the entry is. */
  readonly offset?: number
}

/** A zip archive that says what it is told to say. */
export function hostileZip(
  entries: readonly HostileEntry[],
  { count = entries.length, directoryOffset }: { readonly count?: number; readonly directoryOffset?: number } = {},
): Buffer {
  const locals: Buffer[] = []
  const records: Buffer[] = []
  let at = 0
  for (const entry of entries) {
    const name = Buffer.from(entry.name)
    const content = entry.content ?? new Uint8Array(0)
    const stored = entry.deflate ? deflateRawSync(content) : Buffer.from(content)
    const local = Buffer.alloc(30)
    local.writeUInt32LE(0x04034b50, 0)
    local.writeUInt16LE(name.byteLength, 26)
    const record = Buffer.alloc(46)
    record.writeUInt32LE(0x02014b50, 0)
    record.writeUInt16LE(entry.flags ?? 0x0800, 8)
    record.writeUInt16LE(entry.method ?? (entry.deflate ? 8 : 0), 10)
    record.writeUInt32LE(entry.crc ?? crc32(content), 16)
    record.writeUInt32LE(entry.storedSize ?? stored.byteLength, 20)
    record.writeUInt32LE(entry.size ?? content.byteLength, 24)
    record.writeUInt16LE(name.byteLength, 28)
    record.writeUInt32LE(entry.offset ?? at, 42)
    locals.push(local, name, stored)
    records.push(record, name)
    at += local.byteLength + name.byteLength + stored.byteLength
  }
  const directory = Buffer.concat(records)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(count, 8)
  end.writeUInt16LE(count, 10)
  end.writeUInt32LE(directory.byteLength, 12)
  end.writeUInt32LE(directoryOffset ?? at, 16)
  return Buffer.concat([...locals, directory, end])
}

/** Bytes from numbers and Latin-1 text. */
export function bytesOf(...parts: readonly (number | string | Uint8Array)[]): Buffer {
  return Buffer.concat(
    parts.map((part) => {
      if (typeof part === 'number') return Buffer.of(part)
      return typeof part === 'string' ? Buffer.from(part, 'latin1') : part
    }),
  )
}

const text = (value: string) => bytesOf('X', uint32(value.length), value)

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

/** A number as protocol 0 writes it. */
const int = (value: number | bigint) => `I${value}\n`

interface TensorLie {
  readonly type?: string
  readonly key?: string
  readonly numel?: number | bigint
  readonly offset?: number | bigint
  readonly size?: readonly (number | bigint)[]
  readonly stride?: readonly (number | bigint)[]
}

/** The pickle of one tensor, which is what a good file says unless it is told to lie. */
export function tensorPickle({
  type = 'FloatStorage',
  key = '0',
  numel = 4,
  offset = 0,
  size = [4],
  stride = [1],
}: TensorLie = {}): Buffer {
  const tuple = (numbers: readonly (number | bigint)[]) => bytesOf('(', ...numbers.map(int), 't')
  const storage = bytesOf('(', text('storage'), `ctorch\n${type}\n`, text(key), text('cpu'), int(numel), 'tQ')
  const odict = 'ccollections\nOrderedDict\n)R'
  return bytesOf(
    0x80,
    2,
    'ctorch._utils\n_rebuild_tensor_v2\n(',
    storage,
    int(offset),
    tuple(size),
    tuple(stride),
    'I00\n',
    odict,
    'tR.',
  )
}

/** A PyTorch file of a pickle and a storage of four floats, and what else it is told to have. */
export function pthOf(pickle: Uint8Array, more: readonly HostileEntry[] = []): Buffer {
  const storage = { name: 'x/data/0', content: new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer) }
  return hostileZip([{ name: 'x/data.pkl', content: pickle }, storage, ...more])
}
