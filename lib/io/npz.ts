import { writeFileAtomic } from '../native/atomic-file'
import { ArgumentError } from '../native/errors'
import { tidyAsync } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'
import { checkArray, decodeNpy, encodeNpy, type ReadNpyOptions } from './npy'
import { type RandomAccess, withRandomAccess } from './random-access'
import type { Source } from './source'
import { ZipArchive, type ZipEntry, type ZipLimits } from './zip-reader'
import { zipParts } from './zip-writer'

export interface ReadNpzOptions extends ReadNpyOptions {
  /** Reads these arrays only, in this order. */
  readonly names?: readonly string[] | undefined
  /** What compressed arrays may expand to. */
  readonly limits?: ZipLimits | undefined
  /** Stops the reading, between arrays; the promise then rejects with `CancelledError`. */
  readonly signal?: AbortSignal | undefined
}

const SUFFIX = '.npy'

/**
 * Reads the arrays of a `.npz` file by `numpy.savez` or `numpy.savez_compressed`, each as `readNpy` does.
 *
 * @param source a path, a `file:` URL, or the bytes of a file
 * @returns the arrays by name, in the order of the file unless `names` says another
 * @throws ArgumentError when the file cannot be opened, or has no array of one of the `names`
 * @throws FormatError naming the file, the array and the rule that it breaks; a compressed array that expands beyond
 * 1 GiB in all is refused unless `limits` allow it
 * @throws DTypeError for an array that is asked for and holds no numbers
 */
export async function readNpz(
  source: Source,
  { device, names, limits, signal }: ReadNpzOptions = {},
): Promise<Map<string, Tensor>> {
  const read = (bytes: RandomAccess) =>
    tidyAsync(async () => {
      const archive = await ZipArchive.open(bytes, limits)
      const arrays = new Map([...archive.entries.values()].map((entry) => [arrayName(entry), entry]))
      const missing = names?.filter((name) => !arrays.has(name)) ?? []
      if (missing.length > 0) {
        const [list, there] = [missing, [...arrays.keys()]].map((all) => all.map((name) => `'${name}'`).join(', '))
        throw new ArgumentError(`${bytes.name} has no array ${list}; it has ${there || 'none'}`)
      }
      const tensors = new Map<string, Tensor>()
      for (const name of new Set(names ?? arrays.keys())) {
        const entry = arrays.get(name)
        if (entry !== undefined) tensors.set(name, await decodeNpy(await contentOf(archive, entry), { device }))
      }
      return tensors
    })
  return withRandomAccess(source, 'readNpz', read, signal)
}

function arrayName({ name }: ZipEntry): string {
  return name.endsWith(SUFFIX) ? name.slice(0, -SUFFIX.length) : name
}

async function contentOf(archive: ZipArchive, entry: ZipEntry): Promise<RandomAccess> {
  const content = await archive.read(entry)
  return {
    name: `${archive.bytes.name}: ${JSON.stringify(arrayName(entry))}`,
    descriptor: undefined,
    size: content.byteLength,
    read: async (begin, end) => content.subarray(begin, end),
  }
}

/**
 * Writes tensors to a `.npz` file that `numpy.load` reads, whole or not at all.
 *
 * The tensors must not be changed in place before the promise settles.
 *
 * @param options `compress`: as `numpy.savez_compressed`
 * @throws DTypeError for bfloat16, which NumPy lacks
 * @throws ArgumentError when a value is no dense tensor with data, a name cannot be one, or the path cannot be written
 */
export async function writeNpz(
  path: string,
  arrays: ReadonlyMap<string, Tensor> | Readonly<Record<string, Tensor>>,
  { compress = false }: { readonly compress?: boolean | undefined } = {},
): Promise<void> {
  const entries: readonly [string, Tensor][] = [...(arrays instanceof Map ? arrays : Object.entries(arrays))]
  for (const [name, tensor] of entries) {
    if (name === '' || name.startsWith('/') || name.includes('\\') || name.split('/').includes('..')) {
      throw new ArgumentError(`writeNpz: ${JSON.stringify(name)} is no name for a file in an archive`)
    }
    checkArray(tensor, `'${name}'`, 'writeNpz')
  }
  const items = entries.map(([name, tensor]) => ({ name: `${name}${SUFFIX}`, content: () => encodeNpy(tensor) }))
  await writeFileAtomic(path, zipParts(items, { compress }), 'writeNpz')
}
