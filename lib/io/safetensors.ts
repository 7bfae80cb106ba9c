import { writeFileAtomic } from '../native/atomic-file'
import { ArgumentError, DTypeError, FormatError } from '../native/errors'
import { describe, wrap } from '../tensor/call'
import { handleFromElements, rawBytes } from '../tensor/elements'
import { isTensor } from '../tensor/handle'
import { tidyAsync } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'
import type { Device } from '../tensor/types'
import { type RandomAccess, withRandomAccess } from './random-access'
import {
  dtypeOfName,
  encodeHeader,
  headerLength,
  LENGTH_BYTES,
  nameOfDtype,
  parseHeader,
  type SafetensorsHeader,
  type TensorEntry,
} from './safetensors-header'
import { mapTensors } from './safetensors-map'
import type { Source } from './source'

export interface ReadSafetensorsOptions {
  /** Where the tensors go; the CPU unless stated. */
  readonly device?: Device | undefined
  /** Reads these tensors only, in this order. */
  readonly names?: readonly string[] | undefined
  /**
   * Maps the file in place of reading it: pages come from the disk when they are first used, and processes that map one
   * file share them. Writing to a tensor changes private copies of the pages, never the file. The file must not shrink
   * or be written to while tensors of it live: reading a page that is gone kills the process (SIGBUS). Replacing it by a
   * rename, as `writeSafetensors` does, is safe.
   *
   * Tensors whose data lie at an address that their dtype does not allow are copied; `onCopied` tells which.
   */
  readonly mmap?: boolean | undefined
  /** Told of the tensors that `mmap` had to copy, where there are some. */
  readonly onCopied?: ((names: readonly string[]) => void) | undefined
  /** Stops the reading, between parts of some megabytes; the promise then rejects with `CancelledError`. */
  readonly signal?: AbortSignal | undefined
}

/** What a safetensors file says of a tensor. */
export interface SafetensorsInfo {
  /** The file's name of the element type, such as `BF16`. */
  readonly dtype: string
  readonly shape: readonly number[]
}

/** What a safetensors file says of itself. */
export interface SafetensorsMetadata {
  readonly metadata: Readonly<Record<string, string>>
  readonly tensors: ReadonlyMap<string, SafetensorsInfo>
}

export interface WriteSafetensorsOptions {
  readonly metadata?: Readonly<Record<string, string>> | undefined
  /** In bytes. */
  readonly alignment?: number | undefined
}

/** Neighbouring tensors are read together up to this many bytes. */
const READ_BYTES = 2 ** 25

/**
 * Reads tensors from a safetensors file, as `safetensors.torch.load_file`. Their bytes are copied as they are.
 *
 * The header is checked whole before any tensor is made: lengths, names, shapes and offsets must agree, and every byte
 * of the data must belong to exactly one tensor.
 *
 * @param source a path, a `file:` URL, or the bytes of a file
 * @returns the tensors by name, in the order of their data unless `names` says another
 * @throws ArgumentError when the file cannot be opened, has no tensor of one of the `names`, or is to be mapped and is a
 * buffer
 * @throws FormatError naming the file, the tensor and the rule that it breaks
 * @throws DTypeError when a tensor that is asked for is of a type that this package lacks, such as `F8_E4M3`
 */
export async function readSafetensors(
  source: Source,
  { device, names, mmap = false, onCopied, signal }: ReadSafetensorsOptions = {},
): Promise<Map<string, Tensor>> {
  const read = (bytes: RandomAccess) =>
    tidyAsync(async () => {
      const { header, dataStart } = await readHeader(bytes)
      const wanted = names === undefined ? header.entries : choose(header.entries, names, bytes.name)
      for (const entry of wanted) checkDType(entry, bytes.name)
      if (mmap) return mapTensors(bytes, wanted, { dataStart, device, onCopied })
      const tensors = new Map<string, Tensor>()
      for (const group of neighbours([...wanted].sort((a, b) => a.begin - b.begin))) {
        const [first, last] = [group[0], group.at(-1)]
        if (first === undefined || last === undefined) continue
        const data = await bytes.read(dataStart + first.begin, dataStart + last.end)
        for (const entry of group) {
          const part = data.subarray(entry.begin - first.begin, entry.end - first.begin)
          tensors.set(entry.name, toTensor(entry, part, device, bytes.name))
        }
      }
      return new Map(wanted.map(({ name }) => [name, tensors.get(name) as Tensor]))
    })
  return withRandomAccess(source, 'readSafetensors', read, signal)
}

/**
 * Reads the header of a safetensors file: its metadata, and the type and shape of each tensor.
 *
 * @throws as `readSafetensors`
 */
export async function readSafetensorsMetadata(source: Source): Promise<SafetensorsMetadata> {
  return withRandomAccess(source, 'readSafetensorsMetadata', async (bytes) => {
    const { header } = await readHeader(bytes)
    const tensors = new Map(header.entries.map(({ name, type, shape }) => [name, { dtype: type, shape }]))
    return { metadata: header.metadata, tensors }
  })
}

/**
 * Writes tensors to a safetensors file whole or not at all, as `safetensors.torch.save_file`: equal tensors give equal
 * bytes. Views and tensors that share memory are written as separate copies.
 *
 * The tensors must not be changed in place before the promise settles.
 *
 * @param options `metadata`: strings to store; `{ format: 'pt' }`, which Python's loaders expect, is added to them.
 * `alignment`: a multiple of 8 (8 unless stated) at a multiple of which the data begins, and each tensor whose bytes are a
 * multiple of it
 * @throws DTypeError when the format has no type for a tensor's dtype
 * @throws ArgumentError when a name or a value is not allowed, or the path cannot be written
 */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, Tensor> | Readonly<Record<string, Tensor>>,
  { metadata = {}, alignment = 8 }: WriteSafetensorsOptions = {},
): Promise<void> {
  if (!(Number.isSafeInteger(alignment) && alignment > 0 && alignment % 8 === 0)) {
    throw new ArgumentError(`writeSafetensors: alignment is ${describe(alignment)}; it must be a multiple of 8`)
  }
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value !== 'string') {
      throw new ArgumentError(`writeSafetensors: metadata ${key} is ${describe(value)}; the format holds strings only`)
    }
  }
  const entries = [...(tensors instanceof Map ? tensors : Object.entries(tensors))].map(([name, tensor]) => {
    checkWritable(name, tensor)
    return { name, tensor, type: typeOf(name, tensor), shape: tensor.shape }
  })
  const { bytes, ordered } = encodeHeader(entries, { format: 'pt', ...metadata }, alignment)
  await writeFileAtomic(path, parts(bytes, ordered), 'writeSafetensors')
}

async function* parts(header: Uint8Array, ordered: readonly { tensor: Tensor }[]): AsyncGenerator<Uint8Array> {
  yield header
  for (const { tensor } of ordered) if (tensor.numel > 0) yield await rawBytes(tensor)
}

function checkWritable(name: string, tensor: unknown): void {
  if (name === '__metadata__') {
    throw new ArgumentError(`writeSafetensors: the name '__metadata__' is the format's own; choose another`)
  }
  if (!isTensor(tensor)) throw new ArgumentError(`writeSafetensors: '${name}' is ${describe(tensor)}, not a Tensor`)
  const { layout, device } = tensor as unknown as Tensor
  if (layout !== 'strided') {
    throw new ArgumentError(`writeSafetensors: '${name}' is ${layout}; the format holds dense tensors: call toDense()`)
  }
  if (device === 'meta') throw new ArgumentError(`writeSafetensors: '${name}' is on the meta device and has no data`)
}

function typeOf(name: string, tensor: Tensor): string {
  const type = nameOfDtype(tensor.dtype)
  if (type !== undefined) return type
  throw new DTypeError(
    `writeSafetensors: '${name}' is ${tensor.dtype}, which the format does not have; convert it first`,
  )
}

async function readHeader(bytes: RandomAccess): Promise<{ header: SafetensorsHeader; dataStart: number }> {
  const { name, size } = bytes
  const length = headerLength(await bytes.read(0, Math.min(size, LENGTH_BYTES)), size, name)
  const dataStart = LENGTH_BYTES + length
  return { header: parseHeader(await bytes.read(LENGTH_BYTES, dataStart), size - dataStart, name), dataStart }
}

function choose(entries: readonly TensorEntry[], names: readonly string[], file: string): TensorEntry[] {
  const byName = new Map(entries.map((entry) => [entry.name, entry]))
  const missing = names.filter((name) => !byName.has(name))
  if (missing.length > 0) throw new ArgumentError(`${file} has no tensor ${missing.map((n) => `'${n}'`).join(', ')}`)
  return [...new Set(names)].flatMap((name) => byName.get(name) ?? [])
}

function checkDType({ name, type }: TensorEntry, file: string): void {
  if (dtypeOfName(type) !== undefined) return
  throw new DTypeError(`${file}: tensor '${name}' is ${type}, which is not supported; leave it out with { names }`)
}

/** Groups of tensors whose data follow one another and are read at once. */
function neighbours(entries: readonly TensorEntry[]): TensorEntry[][] {
  const groups: TensorEntry[][] = []
  for (const entry of entries) {
    const group = groups.at(-1)
    const joined = group?.at(-1)?.end === entry.begin && entry.end - (group?.[0]?.begin ?? 0) <= READ_BYTES
    if (group && joined) group.push(entry)
    else groups.push([entry])
  }
  return groups
}

function toTensor(entry: TensorEntry, bytes: Uint8Array, device: Device | undefined, file: string): Tensor {
  const dtype = dtypeOfName(entry.type)
  if (dtype === undefined) throw new DTypeError(`${file}: tensor '${entry.name}' is ${entry.type}`)
  // To LibTorch a bool is a byte of 0 or 1; what it does with any other is undefined.
  if (dtype === 'bool' && bytes.some((byte) => byte > 1)) {
    throw new FormatError(`${file}: tensor ${JSON.stringify(entry.name)}: a BOOL is neither 0 nor 1`)
  }
  const tensor = wrap(handleFromElements(bytes, entry.shape, dtype)) as Tensor
  if (device === undefined || device === 'cpu') return tensor
  using onHost = tensor
  return onHost.to(device)
}
