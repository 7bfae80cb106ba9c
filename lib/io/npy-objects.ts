import { DTypeError, FormatError } from '../native/errors'
import { tidyAsync } from '../tensor/scope'
import { MAX_START_BYTES, type NpyHeader, parseNpyHeader } from './npy-header'
import { unpickle } from './pickle-machine'
import { NUMPY_OBJECT_GLOBALS } from './pickle-numpy'
import { PthFinisher } from './pth-finish'
import type { PthValue } from './pth-values'
import { withRandomAccess } from './random-access'
import type { Source } from './source'

/** An array whose elements are no numbers. */
export interface NpyObjects {
  readonly shape: readonly number[]
  /** In C order: text as strings, arrays of numbers as tensors, and other values as `loadPth` gives them. */
  readonly items: readonly PthValue[]
}

const GLOBALS: ReadonlyMap<string, unknown> = new Map(NUMPY_OBJECT_GLOBALS)
const NOTHING = { bigEndian: false, sizeOf: () => undefined, parts: () => undefined as never }

/**
 * Reads an array of text or of Python objects from a `.npy` file, as `numpy.load(path, allow_pickle=True)`: lists, text,
 * numbers, and arrays of numbers. Nothing of the file is run; a name beyond NumPy's own for arrays is refused. The file
 * is held in memory at once.
 *
 * @param source a path, a `file:` URL, or the bytes of a file
 * @throws ArgumentError when the file cannot be opened; FormatError when it is no `.npy` file, is damaged, or holds what
 *   is no data; DTypeError when it holds numbers, which `readNpy` reads
 */
export async function readNpyObjects(source: Source): Promise<NpyObjects> {
  return withRandomAccess(source, 'readNpyObjects', async ({ name, size, read }) => {
    const start = await read(0, Math.min(size, MAX_START_BYTES))
    const { header, dataStart } = parseNpyHeader(start, name, { objects: true })
    const data = Uint8Array.from(await read(dataStart, size))
    if (header.type.kind === 'O') return objectsOf(data, header, name)
    if (header.type.kind === 'S' || header.type.kind === 'U') return textsOf(data, header, name)
    throw new DTypeError(`${name} holds numbers; read it with readNpy`)
  })
}

async function objectsOf(data: Uint8Array, { shape }: NpyHeader, name: string): Promise<NpyObjects> {
  const global = (module: string, each: string) => GLOBALS.get(`${module}.${each}`)
  const { value } = unpickle(data, name, { global })
  return tidyAsync(async () => {
    const items = new PthFinisher({ value, storages: { name, ...NOTHING } }).finish(new Map())
    const count = shape.reduce((product, length) => product * length, 1)
    if (Array.isArray(items) && items.length === count) return { shape, items }
    throw new FormatError(`${name} states the shape [${shape}], and its pickle holds other values`)
  })
}

function textsOf(data: Uint8Array, { shape, type, fortranOrder }: NpyHeader, name: string): NpyObjects {
  const bytes = type.kind === 'U' ? 4 * type.itemSize : type.itemSize
  const count = shape.reduce((product, length) => product * length, 1)
  if (data.byteLength !== count * bytes) {
    throw new FormatError(`${name} states ${count} texts of ${bytes} bytes; ${data.byteLength} follow its header`)
  }
  if (fortranOrder && shape.length > 1) throw new FormatError(`${name} holds text in Fortran order; save it in C order`)
  const view = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  const items = Array.from({ length: count }, (_, i) => {
    const part = view.subarray(i * bytes, (i + 1) * bytes)
    const text = type.kind === 'S' ? part.toString('utf8') : codePoints(part, type.order === '>')
    return text.replace(/\0+$/, '')
  })
  return { shape, items }
}

function codePoints(part: Buffer, bigEndian: boolean): string {
  const points = Array.from({ length: part.byteLength / 4 }, (_, i) =>
    bigEndian ? part.readUInt32BE(4 * i) : part.readUInt32LE(4 * i),
  )
  return points.map((point) => String.fromCodePoint(Math.min(point, 0x10ffff))).join('')
}
