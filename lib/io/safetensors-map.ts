import { ArgumentError, FormatError } from '../native/errors'
import { call } from '../tensor/call'
import { empty } from '../tensor/creation'
import { tidy } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'
import { bytesOf, type Device, type DType } from '../tensor/types'
import type { RandomAccess } from './random-access'
import { dtypeOfName, type TensorEntry } from './safetensors-header'

interface MapOptions {
  /** Where the data begin in the file. */
  readonly dataStart: number
  readonly device: Device | undefined
  readonly onCopied: ((names: readonly string[]) => void) | undefined
}

/** Tensors in a private, copy-on-write mapping of the file; those that lie at no multiple of their element are copied. */
export function mapTensors(
  { name, size, descriptor }: RandomAccess,
  entries: readonly TensorEntry[],
  { dataStart, device, onCopied }: MapOptions,
): Map<string, Tensor> {
  if (descriptor === undefined) {
    throw new ArgumentError(`${name} cannot be mapped, as it is no file; pass a path, or leave { mmap } out`)
  }
  return tidy(() => {
    // By descriptor: the name may belong to another file by now.
    const path = `/proc/self/fd/${descriptor}`
    const file = call('aten::from_file', [path], { shared: false, size, dtype: 'uint8' }) as Tensor
    const copied: string[] = []
    const tensors = new Map<string, Tensor>()
    for (const entry of entries) {
      const dtype = dtypeOfName(entry.type) as DType
      const bytes = file.narrow(0, dataStart + entry.begin, entry.end - entry.begin)
      if (dtype === 'bool' && bytes.numel > 0 && bytes.max().toNumber() > 1) {
        throw new FormatError(`${name}: tensor ${JSON.stringify(entry.name)}: a BOOL is neither 0 nor 1`)
      }
      const aligned = (dataStart + entry.begin) % bytesOf(dtype) === 0
      const onHost = aligned
        ? inStorage(file, dataStart + entry.begin, entry.shape, dtype)
        : copyOf(bytes, entry.shape, dtype)
      if (!aligned) copied.push(entry.name)
      tensors.set(entry.name, device === undefined ? onHost : onHost.to(device))
    }
    if (copied.length > 0) onCopied?.(copied)
    return tensors
  })
}

/** Not a view: tensors of one file have nothing in common but where they lie. */
function inStorage(file: Tensor, begin: number, shape: readonly number[], dtype: DType): Tensor {
  const tensor = empty([0], { dtype })
  const stride = shape.map((_, dim) => shape.slice(dim + 1).reduce((product, size) => product * Math.max(size, 1), 1))
  call('aten::set_.source_Tensor_storage_offset', [tensor, file, begin / bytesOf(dtype), shape], { stride })
  return tensor
}

function copyOf(bytes: Tensor, shape: readonly number[], dtype: DType): Tensor {
  const copy = bytes.clone()
  return inStorage(copy, 0, shape, dtype)
}
