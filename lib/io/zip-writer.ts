import { setImmediate as nextTurn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { crc32, deflateRaw } from 'node:zlib'

/** A file to be put into an archive; its content is asked for when its turn comes. */
export interface ZipItem {
  readonly name: string
  content(): Uint8Array | Promise<Uint8Array>
}

export interface ZipOptions {
  /** Compresses the contents; they are stored as they are unless stated. */
  readonly compress?: boolean | undefined
}

interface Written {
  readonly name: Uint8Array
  readonly crc: number
  readonly size: number
  readonly storedSize: number
  readonly method: number
  readonly offset: number
}

/** Contents begin at multiples of this, so that `torch.load(mmap=True)` and `numpy` can map them. */
const ALIGNMENT = 64
const LOCAL_BYTES = 30
const CENTRAL_BYTES = 46
const ZIP64 = 0xffffffff
/** "FB", the extra field in which PyTorch's own writer puts its padding. */
const PADDING_FIELD = 0x4246
const ZIP64_FIELD = 1
const UTF8_NAMES = 0x0800
/** 1 January 1980, the first day that the format has: equal contents give equal archives. */
const DATE = 0x0021
const VERSION = 20
const VERSION_ZIP64 = 45
const DEFLATED = 8
const STORED = 0
/** A checksum of more than this would be noticed by the event loop. */
const PART_BYTES = 2 ** 24

const deflate = promisify(deflateRaw)

/**
 * A zip archive in parts, one after the other, with zip64 records where sizes ask for them.
 *
 * yazl, which writes zip archives otherwise, cannot pad headers, and so cannot align contents.
 */
export async function* zipParts(
  items: Iterable<ZipItem>,
  { compress = false }: ZipOptions = {},
): AsyncGenerator<Uint8Array> {
  const entries: Written[] = []
  let offset = 0
  for (const item of items) {
    const content = await item.content()
    const stored = compress ? await deflate(content) : content
    const entry: Written = {
      name: new TextEncoder().encode(item.name),
      crc: await checksum(content),
      size: content.byteLength,
      storedSize: stored.byteLength,
      method: compress ? DEFLATED : STORED,
      offset,
    }
    entries.push(entry)
    const header = localHeader(entry)
    yield header
    if (stored.byteLength > 0) yield stored
    offset += header.byteLength + stored.byteLength
  }
  const directory = Buffer.concat(entries.map(centralRecord))
  yield directory
  yield endRecords(entries.length, directory.byteLength, offset)
}

async function checksum(bytes: Uint8Array): Promise<number> {
  let crc = 0
  for (let begin = 0; begin < bytes.byteLength; begin += PART_BYTES) {
    if (begin > 0) await nextTurn()
    crc = crc32(bytes.subarray(begin, begin + PART_BYTES), crc)
  }
  return crc
}

function localHeader({ name, crc, size, storedSize, method, offset }: Written): Uint8Array {
  const large = size >= ZIP64 || storedSize >= ZIP64
  const zip64 = large ? extraField(ZIP64_FIELD, [size, storedSize]) : Buffer.alloc(0)
  const before = offset + LOCAL_BYTES + name.byteLength + zip64.byteLength
  const padding = paddingField((ALIGNMENT - (before % ALIGNMENT)) % ALIGNMENT)
  const header = Buffer.alloc(LOCAL_BYTES)
  header.writeUInt32LE(0x04034b50, 0)
  header.writeUInt16LE(large ? VERSION_ZIP64 : VERSION, 4)
  header.writeUInt16LE(UTF8_NAMES, 6)
  header.writeUInt16LE(method, 8)
  header.writeUInt16LE(DATE, 12)
  header.writeUInt32LE(crc, 14)
  header.writeUInt32LE(large ? ZIP64 : storedSize, 18)
  header.writeUInt32LE(large ? ZIP64 : size, 22)
  header.writeUInt16LE(name.byteLength, 26)
  header.writeUInt16LE(zip64.byteLength + padding.byteLength, 28)
  return Buffer.concat([header, name, zip64, padding])
}

/** An extra field of `bytes` bytes, or of a whole alignment more where its own four do not fit. */
function paddingField(bytes: number): Uint8Array {
  if (bytes === 0) return new Uint8Array(0)
  const length = bytes < 4 ? bytes + ALIGNMENT : bytes
  const field = Buffer.alloc(length)
  field.writeUInt16LE(PADDING_FIELD, 0)
  field.writeUInt16LE(length - 4, 2)
  return field
}

function extraField(id: number, values: readonly number[]): Buffer {
  const field = Buffer.alloc(4 + 8 * values.length)
  field.writeUInt16LE(id, 0)
  field.writeUInt16LE(8 * values.length, 2)
  for (const [i, value] of values.entries()) field.writeBigUInt64LE(BigInt(value), 4 + 8 * i)
  return field
}

function centralRecord({ name, crc, size, storedSize, method, offset }: Written): Uint8Array {
  const wide = [size, storedSize, offset].filter((value) => value >= ZIP64)
  const extra = wide.length > 0 ? extraField(ZIP64_FIELD, wide) : Buffer.alloc(0)
  const record = Buffer.alloc(CENTRAL_BYTES)
  const version = wide.length > 0 ? VERSION_ZIP64 : VERSION
  record.writeUInt32LE(0x02014b50, 0)
  record.writeUInt16LE(version, 4)
  record.writeUInt16LE(version, 6)
  record.writeUInt16LE(UTF8_NAMES, 8)
  record.writeUInt16LE(method, 10)
  record.writeUInt16LE(DATE, 14)
  record.writeUInt32LE(crc, 16)
  record.writeUInt32LE(Math.min(storedSize, ZIP64), 20)
  record.writeUInt32LE(Math.min(size, ZIP64), 24)
  record.writeUInt16LE(name.byteLength, 28)
  record.writeUInt16LE(extra.byteLength, 30)
  record.writeUInt32LE(Math.min(offset, ZIP64), 42)
  return Buffer.concat([record, name, extra])
}

function endRecords(count: number, directoryBytes: number, directoryOffset: number): Uint8Array {
  const large = count >= 0xffff || directoryBytes >= ZIP64 || directoryOffset >= ZIP64
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(Math.min(count, 0xffff), 8)
  end.writeUInt16LE(Math.min(count, 0xffff), 10)
  end.writeUInt32LE(Math.min(directoryBytes, ZIP64), 12)
  end.writeUInt32LE(Math.min(directoryOffset, ZIP64), 16)
  if (!large) return end
  const record = Buffer.alloc(56)
  record.writeUInt32LE(0x06064b50, 0)
  record.writeBigUInt64LE(44n, 4)
  record.writeUInt16LE(VERSION_ZIP64, 12)
  record.writeUInt16LE(VERSION_ZIP64, 14)
  record.writeBigUInt64LE(BigInt(count), 24)
  record.writeBigUInt64LE(BigInt(count), 32)
  record.writeBigUInt64LE(BigInt(directoryBytes), 40)
  record.writeBigUInt64LE(BigInt(directoryOffset), 48)
  const locator = Buffer.alloc(20)
  locator.writeUInt32LE(0x07064b50, 0)
  locator.writeBigUInt64LE(BigInt(directoryOffset + directoryBytes), 8)
  locator.writeUInt32LE(1, 16)
  return Buffer.concat([record, locator, end])
}
