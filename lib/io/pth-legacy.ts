import { FormatError } from '../native/errors'
import { bytesOf } from '../tensor/types'
import { unpickle } from './pickle-machine'
import { type PickleContext, PickleDict } from './pickle-values'
import type { OpenedPth } from './pth-finish'
import { type StorageReference, storageOf, torchGlobal } from './pth-rebuild'
import type { RandomAccess } from './random-access'

const MAGIC = 0x1950a86a20f9469cfc6cn
const PROTOCOL = 1001
/** Storages are read in parts of this many bytes, which divides by every element's size. */
const PART_BYTES = 2 ** 24
const COUNT_BYTES = 8

/**
 * The format of `torch.save` before version 1.6: pickles of a magic number, a protocol version, facts about the system,
 * the value, and the keys of its storages; then each storage as a count of elements and their bytes.
 */
export async function readLegacy(bytes: RandomAccess, pickleBytes: number): Promise<OpenedPth> {
  const { name, size } = bytes
  // The pickles come first and do not say how long they are.
  const pickles = Uint8Array.from(await bytes.read(0, Math.min(size, pickleBytes)))
  const references = new Map<string, StorageReference>()
  const persistent = (id: unknown, context: PickleContext) => {
    const reference = storageOf(id, context)
    references.set(reference.key, reference)
    return reference
  }
  let at = 0
  const next = () => {
    const { value, end } = unpickle(pickles, name, { global: torchGlobal, persistent }, at)
    at = end
    return value
  }
  if (next() !== MAGIC) {
    throw new FormatError(
      `${name} is a pickle and no PyTorch file: it lacks the magic number; write it with torch.save, not pickle.dump`,
    )
  }
  const protocol = next()
  if (protocol !== PROTOCOL) throw new FormatError(`${name} is of protocol ${String(protocol)}; ${PROTOCOL} is read`)
  const system = next()
  const littleEndian = system instanceof PickleDict ? system.entries.get('little_endian') : undefined
  const value = next()
  const places = await locate(bytes, keysOf(next(), name), references, at)
  return {
    value,
    storages: {
      name,
      bigEndian: littleEndian === false,
      sizeOf: (key) => places.get(key)?.size,
      parts: (key) => parts(bytes, places.get(key)),
    },
  }
}

interface Place {
  readonly begin: number
  readonly size: number
}

function keysOf(value: unknown, name: string): readonly string[] {
  if (Array.isArray(value) && value.every((key) => typeof key === 'string')) return value
  throw new FormatError(`${name}: the list of its storages is no list of keys`)
}

async function locate(
  bytes: RandomAccess,
  keys: readonly string[],
  references: ReadonlyMap<string, StorageReference>,
  start: number,
): Promise<ReadonlyMap<string, Place>> {
  const places = new Map<string, Place>()
  let at = start
  for (const key of keys) {
    const reference = references.get(key)
    if (reference === undefined || places.has(key)) {
      throw new FormatError(
        `${bytes.name}: storage ${JSON.stringify(key)} is ${reference ? 'there twice' : 'of no tensor, so its size is unknown'}`,
      )
    }
    const count = Buffer.from(await bytes.read(at, at + COUNT_BYTES)).readBigInt64LE()
    const begin = at + COUNT_BYTES
    const size = Number(count) * bytesOf(reference.dtype)
    if (count < 0n || begin + size > bytes.size) {
      throw new FormatError(
        `${bytes.name} is truncated: storage ${JSON.stringify(key)} states ${count} elements of ${reference.dtype} where ` +
          `${Math.max(bytes.size - begin, 0)} bytes are left`,
      )
    }
    places.set(key, { begin, size })
    at = begin + size
  }
  return places
}

async function* parts(bytes: RandomAccess, place: Place = { begin: 0, size: 0 }): AsyncGenerator<Uint8Array> {
  for (let done = 0; done < place.size; done += PART_BYTES) {
    const end = Math.min(done + PART_BYTES, place.size)
    yield await bytes.read(place.begin + done, place.begin + end)
  }
}
