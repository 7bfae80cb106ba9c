import { FormatError } from '../native/errors'
import { tidyAsync } from '../tensor/scope'
import type { Device } from '../tensor/types'
import { type OpenedPth, PthFinisher } from './pth-finish'
import { readLegacy } from './pth-legacy'
import { readStorages } from './pth-storage'
import type { PthValue } from './pth-values'
import { readPthZip } from './pth-zip'
import { type RandomAccess, withRandomAccess } from './random-access'
import type { Source } from './source'

/** What a file may ask for at most, against files made to fill memory. */
export interface PthLimits {
  /** Bytes of the pickle, which holds all that is no tensor; 64 MiB unless stated. */
  readonly pickleBytes?: number | undefined
  /** Bytes that compressed entries may expand to in all; 1 GiB unless stated. PyTorch does not compress. */
  readonly expandedBytes?: number | undefined
}

export interface LoadPthOptions {
  /** Where the tensors go, wherever they were saved; the CPU unless stated. */
  readonly device?: Device | undefined
  readonly limits?: PthLimits | undefined
  /** Stops the reading, between parts of some megabytes; the promise then rejects with `CancelledError`. */
  readonly signal?: AbortSignal | undefined
}

const PICKLE_BYTES = 2 ** 26
const ZIP_START = 0x04034b50
const TAR_MARK_AT = 257

/**
 * Reads what `torch.save` wrote, as `torch.load(path, weights_only=True)`: the zip format and the older one.
 *
 * Nothing of the file is run. Its pickle may name what tensors and plain values are made of; any other name is refused.
 * Tensors that shared memory share it here, and strides stay. Tensors are read straight from where they lie in the file,
 * so memory holds them once.
 *
 * @param source a path, a `file:` URL, or the bytes of a file
 * @returns the value that was saved; `PthValue` says what becomes what
 * @throws ArgumentError when the file cannot be opened
 * @throws FormatError naming the file, the place and the rule that it breaks; for a name that would run code, that name
 * @throws DTypeError for tensors of a type that this package lacks, such as quantized ones
 */
export async function loadPth(source: Source, options: LoadPthOptions = {}): Promise<PthValue> {
  return loadPthAs(source, 'loadPth', options)
}

/** As `loadPth`, for another public function. */
export async function loadPthAs(
  source: Source,
  caller: string,
  { device, limits = {}, signal }: LoadPthOptions,
): Promise<PthValue> {
  const read = (bytes: RandomAccess) =>
    tidyAsync(async () => {
      const opened = await openPth(bytes, limits)
      const finisher = new PthFinisher(opened)
      const storages = await readStorages(finisher.tensors, opened.storages, device)
      return finisher.finish(storages)
    })
  return withRandomAccess(source, caller, read, signal)
}

async function openPth(bytes: RandomAccess, limits: PthLimits): Promise<OpenedPth> {
  const pickleBytes = limits.pickleBytes ?? PICKLE_BYTES
  const start = Buffer.from(await bytes.read(0, Math.min(bytes.size, 512)))
  if (start.byteLength >= 4 && start.readUInt32LE(0) === ZIP_START) return readPthZip(bytes, pickleBytes, limits)
  if (start[0] === 0x80) return readLegacy(bytes, pickleBytes)
  if (start.toString('latin1', TAR_MARK_AT, TAR_MARK_AT + 5) === 'ustar') {
    throw new FormatError(
      `${bytes.name} is a tar archive, as PyTorch wrote before 0.1.10; save it again with torch.save in a newer one`,
    )
  }
  const shown = start.toString('hex', 0, 4).replace(/..(?=.)/g, '$& ')
  throw new FormatError(
    `${bytes.name} is no PyTorch file: it begins with ${shown || 'nothing'}, neither a zip archive (50 4b 03 04) nor a ` +
      'pickle (80)',
  )
}
