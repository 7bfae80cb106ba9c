import { FormatError, VisionNativeError } from '../native/errors'
import type { DType } from '../tensor/types'

/** One tensor as the header of a safetensors file describes it; `begin` and `end` count from the start of the data. */
export interface TensorEntry {
  readonly name: string
  readonly type: string
  readonly shape: readonly number[]
  readonly begin: number
  readonly end: number
}

export interface SafetensorsHeader {
  /** In the order of their data. */
  readonly entries: readonly TensorEntry[]
  readonly metadata: Readonly<Record<string, string>>
}

/** The number before the header: its length, 64 bits, little-endian. */
export const LENGTH_BYTES = 8
/** The reference implementation's limit, which keeps a forged length from filling memory. */
const MAX_HEADER_BYTES = 100_000_000
const MAX_DIMENSIONS = 64
/** The header, a tensor's entry, its shape. */
const MAX_DEPTH = 3
const METADATA = '__metadata__'

/**
 * Element types in the order in which the reference implementation lays out their data, widest first, so that every
 * tensor is aligned. Those without a dtype are known to the format, and not to this package.
 */
const TYPES: ReadonlyMap<string, { readonly bytes: number; readonly dtype?: DType }> = new Map([
  ['U64', { bytes: 8 }],
  ['I64', { bytes: 8, dtype: 'int64' }],
  ['F64', { bytes: 8, dtype: 'float64' }],
  ['C64', { bytes: 8, dtype: 'complex64' }],
  ['F32', { bytes: 4, dtype: 'float32' }],
  ['U32', { bytes: 4 }],
  ['I32', { bytes: 4, dtype: 'int32' }],
  ['BF16', { bytes: 2, dtype: 'bfloat16' }],
  ['F16', { bytes: 2, dtype: 'float16' }],
  ['U16', { bytes: 2 }],
  ['I16', { bytes: 2, dtype: 'int16' }],
  ['F8_E4M3', { bytes: 1 }],
  ['F8_E5M2', { bytes: 1 }],
  ['I8', { bytes: 1, dtype: 'int8' }],
  ['U8', { bytes: 1, dtype: 'uint8' }],
  ['BOOL', { bytes: 1, dtype: 'bool' }],
])

const ORDER: readonly string[] = [...TYPES.keys()]

/** The dtype of a type's name in the file, if this package has it. */
export function dtypeOfName(type: string): DType | undefined {
  return TYPES.get(type)?.dtype
}

/** The name in the file of a dtype, if the format has it. */
export function nameOfDtype(dtype: DType): string | undefined {
  return ORDER.find((name) => TYPES.get(name)?.dtype === dtype)
}

/**
 * The header's length, from the first bytes of a file.
 *
 * @param name how errors call the file
 */
export function headerLength(start: Uint8Array, fileBytes: number, name: string): number {
  if (fileBytes < LENGTH_BYTES || start.byteLength < LENGTH_BYTES) {
    throw new FormatError(`${name} is no safetensors file: ${fileBytes} bytes, its length field alone has 8`)
  }
  const length = new DataView(start.buffer, start.byteOffset, LENGTH_BYTES).getBigUint64(0, true)
  if (length > BigInt(MAX_HEADER_BYTES)) {
    throw new FormatError(
      `${name} is no safetensors file: it states a header of ${length} bytes; ${MAX_HEADER_BYTES} are the most`,
    )
  }
  if (Number(length) > fileBytes - LENGTH_BYTES) {
    throw new FormatError(`${name} is truncated: it states a header of ${length} bytes and has ${fileBytes} in all`)
  }
  return Number(length)
}

/** Reads and checks a header. Nothing is allocated by what it claims before all claims have been checked. */
export function parseHeader(bytes: Uint8Array, dataBytes: number, name: string): SafetensorsHeader {
  const text = decodeText(bytes, name)
  // White space in front would let a file be valid JSON lines or the like as well; the format forbids it.
  if (!text.startsWith('{')) throw new FormatError(`${name}: the header does not begin with '{'`)
  let header: unknown
  try {
    scanNames(text, name)
    header = JSON.parse(text)
  } catch (cause) {
    if (VisionNativeError.is(cause)) throw cause
    throw new FormatError(`${name}: the header is no JSON: ${(cause as Error).message}`, { cause })
  }
  const fields = Object.entries(header as object)
  const entries = fields
    .filter(([key]) => key !== METADATA)
    .map(([key, value]) => checkEntry(key, value, dataBytes, name))
    .sort((a, b) => a.begin - b.begin || a.end - b.end)
  checkCover(entries, dataBytes, name)
  const metadata = fields.find(([key]) => key === METADATA)?.[1]
  return { entries, metadata: metadata === undefined ? {} : checkMetadata(metadata, name) }
}

function decodeText(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new FormatError(`${name}: the header is not UTF-8`, { cause })
  }
}

/**
 * Refuses equal names, of which `JSON.parse` takes the last and says nothing, and nesting that no header has, which it
 * takes seconds and gigabytes for.
 */
function scanNames(text: string, name: string): void {
  const open: (Set<string> | undefined)[] = []
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '{') open.push(new Set())
    else if (character === '[') open.push(undefined)
    else if (character === '}' || character === ']') open.pop()
    else if (character === '"') {
      const start = at
      for (at++; at < text.length && text[at] !== '"'; at++) if (text[at] === '\\') at++
      const names = open.at(-1)
      if (names === undefined || !isName(text, at + 1)) continue
      const key: string = JSON.parse(text.slice(start, at + 1))
      if (names.has(key)) throw new FormatError(`${name}: the header has the name ${JSON.stringify(key)} twice`)
      names.add(key)
    }
    if (open.length > MAX_DEPTH) throw new FormatError(`${name}: the header is nested deeper than ${MAX_DEPTH} levels`)
  }
}

function isName(text: string, after: number): boolean {
  let at = after
  while (' \t\n\r'.includes(text[at] ?? '.')) at++
  return text[at] === ':'
}

function checkEntry(key: string, value: unknown, dataBytes: number, name: string): TensorEntry {
  const wrong = (rule: string) => new FormatError(`${name}: tensor ${JSON.stringify(key)}: ${rule}`)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrong('its entry is not an object with dtype, shape and data_offsets')
  }
  const { dtype: type, shape, data_offsets: offsets } = value as Record<string, unknown>
  const width = typeof type === 'string' ? TYPES.get(type)?.bytes : undefined
  if (typeof type !== 'string' || width === undefined) {
    throw wrong(`dtype ${JSON.stringify(type)} is not known; the format has ${ORDER.join(', ')}`)
  }
  if (!isCounts(shape)) throw wrong(`shape ${brief(shape)} is not a list of whole numbers of 0 or more`)
  if (shape.length > MAX_DIMENSIONS) throw wrong(`${shape.length} dimensions; ${MAX_DIMENSIONS} are the most`)
  if (!isCounts(offsets) || offsets.length !== 2) {
    throw wrong(`data_offsets ${brief(offsets)} are not two whole numbers of 0 or more`)
  }
  const [begin, end] = offsets as [number, number]
  if (begin > end) throw wrong(`data_offsets [${begin}, ${end}] end before they begin`)
  if (end > dataBytes)
    throw wrong(`data_offsets [${begin}, ${end}] pass the end of the data, which has ${dataBytes} bytes`)
  const needed = shape.reduce((product, size) => product * size, width)
  if (needed !== end - begin) {
    throw wrong(`shape [${shape.join(', ')}] of ${type} takes ${needed} bytes, data_offsets give it ${end - begin}`)
  }
  return { name: key, type, shape, begin, end }
}

function isCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0)
}

function brief(value: unknown): string {
  const text = JSON.stringify(value) ?? 'undefined'
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

/** Every byte of the data belongs to one tensor: nothing is hidden between them or shared. */
function checkCover(entries: readonly TensorEntry[], dataBytes: number, name: string): void {
  let covered = 0
  for (const [index, entry] of entries.entries()) {
    if (entry.begin !== covered) {
      const previous = entries[index - 1]
      const after = previous ? `tensor ${JSON.stringify(previous.name)}, which ends at ${covered}` : 'the start'
      const rule = entry.begin < covered ? 'overlaps' : 'leaves a gap after'
      throw new FormatError(
        `${name}: tensor ${JSON.stringify(entry.name)}, which begins at ${entry.begin}, ${rule} ${after}`,
      )
    }
    covered = entry.end
  }
  if (covered !== dataBytes) {
    throw new FormatError(`${name}: ${dataBytes - covered} bytes after the last tensor belong to none`)
  }
}

function checkMetadata(value: unknown, name: string): Readonly<Record<string, string>> {
  const fine =
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((item) => typeof item === 'string')
  if (!fine) throw new FormatError(`${name}: ${METADATA} is not an object of strings`)
  return value as Record<string, string>
}

/** A tensor to be written. */
export interface TensorShape {
  readonly name: string
  readonly type: string
  readonly shape: readonly number[]
}

const byteLength = ({ type, shape }: TensorShape): number =>
  shape.reduce((product, size) => product * size, TYPES.get(type)?.bytes ?? 0)

/**
 * The bytes before the data, and the tensors in the order in which their data follows.
 *
 * @param alignment a multiple of 8: the data, and each tensor of so many bytes, begins at a multiple of it
 */
export function encodeHeader<T extends TensorShape>(
  tensors: readonly T[],
  metadata: Readonly<Record<string, string>>,
  alignment = 8,
): { bytes: Uint8Array; ordered: readonly T[] } {
  // Those that fill whole units come first, so that each of them begins at one.
  const isWhole = (tensor: T) => byteLength(tensor) % alignment === 0
  const isLater = (tensor: T) => Number(alignment > 8 && !isWhole(tensor))
  const ordered = [...tensors].sort(
    (a, b) =>
      isLater(a) - isLater(b) ||
      ORDER.indexOf(a.type) - ORDER.indexOf(b.type) ||
      Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)),
  )
  let end = 0
  const entries = ordered.map((tensor): [string, unknown] => {
    const { name, type, shape } = tensor
    const begin = end
    end += byteLength(tensor)
    return [name, { dtype: type, shape, data_offsets: [begin, end] }]
  })
  // Joined by hand: an object would put names that are numbers before all others.
  const fields = [[METADATA, metadata] as const, ...entries].map((field) =>
    field.map((part) => JSON.stringify(part)).join(':'),
  )
  const json = Buffer.from(`{${fields.join(',')}}`)
  // Spaces, so that the data is aligned in a mapped file.
  const length = Math.ceil((LENGTH_BYTES + json.byteLength) / alignment) * alignment - LENGTH_BYTES
  const bytes = Buffer.alloc(LENGTH_BYTES + length, ' ')
  bytes.writeBigUInt64LE(BigInt(length))
  bytes.set(json, LENGTH_BYTES)
  return { bytes, ordered }
}
