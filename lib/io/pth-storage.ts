import { FormatError } from '../native/errors'
import { call, wrap } from '../tensor/call'
import { empty } from '../tensor/creation'
import { handleFromElements } from '../tensor/elements'
import { tidy } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'
import { bytesOf, type Device } from '../tensor/types'
import { swapBytes } from './npy-elements'
import type { StorageReference, TensorDescription } from './pth-rebuild'

/** Where the bytes of a file's storages are. */
export interface StorageSource {
  /** How errors call the file. */
  readonly name: string
  readonly bigEndian: boolean
  /** Bytes of the storage of a key; undefined when there is none. */
  sizeOf(key: string): number | undefined
  /** Its bytes in parts of whole elements. */
  parts(key: string): AsyncIterable<Uint8Array>
}

/**
 * The storages that tensors refer to, as tensors of bytes. Each is read once, so that tensors that shared memory in
 * Python share it here.
 *
 * @throws FormatError before anything is allocated when the file has another size than the pickle says, or no storage
 */
export async function readStorages(
  descriptions: Iterable<TensorDescription>,
  source: StorageSource,
  device: Device | undefined,
): Promise<Map<string, Tensor>> {
  const references = new Map<string, StorageReference>()
  for (const { storage } of descriptions) {
    checkStorage(storage, references.get(storage.key), source)
    references.set(storage.key, storage)
  }
  const storages = new Map<string, Tensor>()
  for (const reference of references.values()) {
    const bytes = await readStorage(reference, source)
    storages.set(reference.key, device === undefined || device === 'cpu' ? bytes : moveTo(bytes, device))
  }
  return storages
}

function checkStorage(
  { key, dtype, wholeSize }: StorageReference,
  before: StorageReference | undefined,
  source: StorageSource,
): void {
  const label = `${source.name}: storage ${JSON.stringify(key)}`
  const size = source.sizeOf(key)
  if (size === undefined) throw new FormatError(`${label} is not in the file; it is incomplete: save it again`)
  if (size !== wholeSize) {
    throw new FormatError(
      `${label} has ${size} bytes, the pickle says ${wholeSize / bytesOf(dtype)} elements of ${dtype}, which take ${wholeSize}`,
    )
  }
  if (before !== undefined && before.dtype !== dtype) {
    throw new FormatError(`${label} is said to be of ${before.dtype} and of ${dtype}`)
  }
}

async function readStorage({ key, dtype, wholeSize }: StorageReference, source: StorageSource): Promise<Tensor> {
  const storage = empty([wholeSize], { dtype: 'uint8' })
  let done = 0
  for await (const part of source.parts(key)) {
    const bytes = source.bigEndian ? Uint8Array.from(part) : part
    if (source.bigEndian) swapBytes(bytes, dtype.startsWith('complex') ? bytesOf(dtype) / 2 : bytesOf(dtype))
    // To LibTorch a bool is a byte of 0 or 1; what it does with any other is undefined.
    if (dtype === 'bool' && bytes.some((byte) => byte > 1)) {
      throw new FormatError(`${source.name}: storage ${JSON.stringify(key)}: a bool is neither 0 nor 1`)
    }
    tidy(() => {
      const filled = wrap(handleFromElements(bytes, [bytes.byteLength], 'uint8')) as Tensor
      storage.narrow(0, done, bytes.byteLength).copy_(filled)
    })
    done += part.byteLength
  }
  return storage
}

function moveTo(bytes: Tensor, device: Device): Tensor {
  using onHost = bytes
  return onHost.to(device)
}

/** A tensor of the described view of a storage; as in Python, it shares memory and nothing else. */
export function tensorIn(storage: Tensor, description: TensorDescription): Tensor {
  const { dtype, offset, shape, strides, requiresGrad } = description
  const tensor = empty([0], { dtype, device: storage.device })
  const start = description.storage.begin / bytesOf(description.storage.dtype) + offset
  call('aten::set_.source_Tensor_storage_offset', [tensor, storage, start, shape], { stride: strides })
  return requiresGrad ? tensor.requiresGrad_() : tensor
}
