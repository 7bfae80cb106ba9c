import { promisify } from 'node:util'
import { crc32, inflateRaw } from 'node:zlib'
import { type Entry, fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from 'yauzl'
import { FormatError, VisionNativeError } from '../native/errors'
import type { RandomAccess } from './random-access'

/** One file of an archive; its data have been located and lie inside the file. */
export interface ZipEntry {
  readonly name: string
  /** Bytes of the content. */
  readonly size: number
  /** Bytes that the content takes in the archive. */
  readonly storedSize: number
  readonly compressed: boolean
  readonly crc: number
  /** Where the data begin in the file. */
  readonly begin: number
}

export interface ZipLimits {
  /** The most bytes that compressed entries of an archive may expand to, all together; 1 GiB unless stated. */
  readonly expandedBytes?: number | undefined
}

/** Far more files than any checkpoint has tensors. */
const MAX_ENTRIES = 1_000_000
const EXPANDED_BYTES = 2 ** 30
/** What deflate can reach: 258 bytes by two bits. */
const MAX_RATIO = 1032
const STORED = 0
const DEFLATED = 8
/** Stored data are read in parts of this many bytes. */
const PART_BYTES = 2 ** 24
const WINDOW_BYTES = 2 ** 16

const inflate = promisify(inflateRaw)

/**
 * A zip archive of which entries are read by name, straight from where they lie.
 *
 * All of its directory is checked when it is opened: no two entries share a name or a byte, all lie inside the file,
 * none is encrypted, and none expands by more than compression can.
 */
export class ZipArchive {
  private constructor(
    readonly bytes: RandomAccess,
    readonly entries: ReadonlyMap<string, ZipEntry>,
  ) {}

  /** @throws FormatError naming the entry and the rule that it breaks */
  static async open(bytes: RandomAccess, { expandedBytes = EXPANDED_BYTES }: ZipLimits = {}): Promise<ZipArchive> {
    const entries = await listEntries(bytes)
    checkApart(entries, bytes)
    const expanded = entries.reduce((sum, { compressed, size }) => sum + (compressed ? size : 0), 0)
    if (expanded > expandedBytes) {
      throw new FormatError(
        `${bytes.name}: its compressed entries expand to ${expanded} bytes; the limit is ${expandedBytes}: raise ` +
          '{ limits: { expandedBytes } } if you trust the file',
      )
    }
    return new ZipArchive(bytes, new Map(entries.map((entry) => [entry.name, entry])))
  }

  /** The whole content of an entry, which is the caller's. */
  async read(entry: ZipEntry): Promise<Uint8Array> {
    if (entry.compressed) return this.#expand(entry)
    const content = new Uint8Array(entry.size)
    let done = 0
    for await (const part of this.parts(entry)) {
      content.set(part, done)
      done += part.byteLength
    }
    return content
  }

  /** The content of an entry in parts, each valid until the next; a part's length divides by 16 unless it is the last. */
  async *parts(entry: ZipEntry): AsyncGenerator<Uint8Array> {
    if (entry.compressed) {
      yield await this.#expand(entry)
      return
    }
    let crc = 0
    for (let done = 0; done < entry.size; done += PART_BYTES) {
      const end = Math.min(done + PART_BYTES, entry.size)
      const part = await this.bytes.read(entry.begin + done, entry.begin + end)
      crc = crc32(part, crc)
      yield part
    }
    this.#checkSum(entry, crc)
  }

  async #expand(entry: ZipEntry): Promise<Uint8Array> {
    const stored = await this.bytes.read(entry.begin, entry.begin + entry.storedSize)
    let content: Uint8Array
    try {
      content = await inflate(stored, { maxOutputLength: Math.max(entry.size, 1) })
    } catch (cause) {
      throw this.#damaged(entry, `its compressed data cannot be expanded to ${entry.size} bytes`, cause)
    }
    if (content.byteLength !== entry.size) {
      throw this.#damaged(entry, `it expands to ${content.byteLength} bytes, the archive says ${entry.size}`)
    }
    this.#checkSum(entry, crc32(content))
    return content
  }

  #checkSum(entry: ZipEntry, crc: number): void {
    if (crc === entry.crc) return
    throw this.#damaged(entry, `its checksum is ${hex(crc)}, the archive says ${hex(entry.crc)}; get the file again`)
  }

  #damaged(entry: ZipEntry, reason: string, cause?: unknown): FormatError {
    return new FormatError(`${this.bytes.name}: ${JSON.stringify(entry.name)} is damaged: ${reason}`, { cause })
  }
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, '0')
}

async function listEntries(bytes: RandomAccess): Promise<ZipEntry[]> {
  const reader = new Reader(bytes)
  // An exception inside a callback of the reader would reach nobody else.
  return Promise.race([reader.failure, readDirectory(bytes, reader)]).catch((cause: unknown) => {
    if (VisionNativeError.is(cause)) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new FormatError(`${bytes.name} is no readable zip archive: ${reason}`, { cause })
  })
}

async function readDirectory(bytes: RandomAccess, reader: Reader): Promise<ZipEntry[]> {
  const zip = await fromRandomAccessReaderPromise(reader, bytes.size, { autoClose: false })
  if (zip.entryCount > MAX_ENTRIES) {
    throw new FormatError(`${bytes.name} states ${zip.entryCount} entries; ${MAX_ENTRIES} are the most`)
  }
  const entries: ZipEntry[] = []
  const names = new Set<string>()
  for await (const entry of zip.eachEntry()) {
    if (entry.fileName.endsWith('/')) continue
    if (names.has(entry.fileName)) {
      throw new FormatError(`${bytes.name} has two entries of the name ${JSON.stringify(entry.fileName)}`)
    }
    names.add(entry.fileName)
    entries.push(await locate(bytes, zip, entry))
  }
  return entries
}

async function locate(bytes: RandomAccess, zip: ZipFile, entry: Entry): Promise<ZipEntry> {
  const { fileName: name, compressionMethod: method, compressedSize: storedSize, uncompressedSize: size } = entry
  const wrong = (rule: string) => new FormatError(`${bytes.name}: entry ${JSON.stringify(name)} ${rule}`)
  if (entry.isEncrypted()) throw wrong('is encrypted; store it without a password')
  if (method !== STORED && method !== DEFLATED) {
    throw wrong(`is compressed by method ${method}; stored (0) and deflated (8) entries are read`)
  }
  if (method === DEFLATED && size > storedSize * MAX_RATIO) {
    throw wrong(`says that ${storedSize} bytes expand to ${size}, more than deflate can; it is a zip bomb or damaged`)
  }
  const { fileDataStart: begin } = await zip.readLocalFileHeaderPromise(entry, { minimal: true })
  return { name, size, storedSize, compressed: method === DEFLATED, crc: entry.crc32, begin }
}

function checkApart(entries: readonly ZipEntry[], { name }: RandomAccess): void {
  const filled = entries.filter(({ storedSize }) => storedSize > 0).sort((a, b) => a.begin - b.begin)
  for (const [index, next] of filled.entries()) {
    const before = filled[index - 1]
    if (before !== undefined && next.begin < before.begin + before.storedSize) {
      throw new FormatError(
        `${name}: entries ${JSON.stringify(before.name)} and ${JSON.stringify(next.name)} overlap at byte ${next.begin}; ` +
          'it is a zip bomb or damaged',
      )
    }
  }
}

/** yauzl's view of the file: what it asks for, copied into its buffers. */
class Reader extends RandomAccessReader {
  readonly #bytes: RandomAccess
  #fail: (error: unknown) => void = () => {}
  #window = { begin: 0, part: new Uint8Array(0) }
  readonly failure: Promise<never>

  constructor(bytes: RandomAccess) {
    super()
    this.#bytes = bytes
    this.failure = new Promise<never>((_, reject) => {
      this.#fail = reject
    })
    this.failure.catch(() => {})
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null, bytesRead?: number) => void,
  ): void {
    this.#at(position, length)
      .then((part) => buffer.set(part, offset))
      .then(
        () => callback(null, length),
        (error: unknown) => callback(error instanceof Error ? error : new Error(String(error))),
      )
      .catch((error: unknown) => this.#fail(error))
  }

  /** The directory is asked for in pieces of some fifty bytes, so a neighbourhood is read at once. */
  async #at(position: number, length: number): Promise<Uint8Array> {
    const { begin, part } = this.#window
    if (position < begin || position + length > begin + part.byteLength) {
      const end = Math.max(Math.min(position + WINDOW_BYTES, this.#bytes.size), position + length)
      this.#window = { begin: position, part: Uint8Array.from(await this.#bytes.read(position, end)) }
    }
    const from = position - this.#window.begin
    return this.#window.part.subarray(from, from + length)
  }
}
