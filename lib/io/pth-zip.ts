import { FormatError } from '../native/errors'
import { unpickle } from './pickle-machine'
import type { OpenedPth } from './pth-finish'
import type { PthLimits } from './pth-read'
import { storageOf, torchGlobal } from './pth-rebuild'
import type { RandomAccess } from './random-access'
import { ZipArchive, type ZipEntry } from './zip-reader'

const PICKLE = 'data.pkl'
const ORDERS: ReadonlyMap<string, boolean> = new Map([
  ['little', false],
  ['big', true],
])

/**
 * The zip format of `torch.save`: one folder, of any name, with the pickle `data.pkl`, a file `data/KEY` for each
 * storage, `byteorder`, and records of versions, which say nothing that a reader needs.
 */
export async function readPthZip(bytes: RandomAccess, pickleBytes: number, limits: PthLimits): Promise<OpenedPth> {
  const archive = await ZipArchive.open(bytes, limits)
  const pickle = findPickle(archive)
  const folder = pickle.name.slice(0, -PICKLE.length)
  if (archive.entries.has(`${folder}constants.pkl`)) {
    throw new FormatError(
      `${bytes.name} is a TorchScript archive, whose code is not run; in Python, save ` +
        'torch.jit.load(path).state_dict() with torch.save',
    )
  }
  if (pickle.size > pickleBytes) {
    throw new FormatError(
      `${bytes.name}: its pickle has ${pickle.size} bytes; the limit is ${pickleBytes}: raise { limits: { pickleBytes } } ` +
        'if you trust the file',
    )
  }
  const bigEndian = await readByteOrder(archive, `${folder}byteorder`)
  const { value } = unpickle(await archive.read(pickle), bytes.name, { global: torchGlobal, persistent: storageOf })
  const entryOf = (key: string): ZipEntry | undefined => archive.entries.get(`${folder}data/${key}`)
  return {
    value,
    storages: {
      name: bytes.name,
      bigEndian,
      sizeOf: (key) => entryOf(key)?.size,
      parts: (key) => archive.parts(entryOf(key) as ZipEntry),
    },
  }
}

function findPickle({ bytes, entries }: ZipArchive): ZipEntry {
  const found = [...entries.values()].filter(({ name }) => name === PICKLE || /^[^/]+\/data\.pkl$/.test(name))
  const [pickle, second] = found
  if (pickle !== undefined && second === undefined) return pickle
  if (second !== undefined) {
    throw new FormatError(
      `${bytes.name} has the pickles ${found.map(({ name }) => JSON.stringify(name)).join(' and ')}`,
    )
  }
  const names = [...entries.keys()].slice(0, 5)
  throw new FormatError(
    `${bytes.name} is a zip archive without NAME/data.pkl, so torch.save did not write it; it has ` +
      `${names.map((name) => JSON.stringify(name)).join(', ') || 'no files'}`,
  )
}

async function readByteOrder(archive: ZipArchive, name: string): Promise<boolean> {
  const entry = archive.entries.get(name)
  if (entry === undefined) return false
  const text = entry.size > 16 ? '…' : Buffer.from(await archive.read(entry)).toString('latin1')
  const order = ORDERS.get(text)
  if (order !== undefined) return order
  throw new FormatError(`${archive.bytes.name}: ${name} says ${JSON.stringify(text)}; "little" and "big" are known`)
}
