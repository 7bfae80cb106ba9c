import { writeFileAtomic } from '../native/atomic-file'
import { ArgumentError, DTypeError, FormatError } from '../native/errors'
import { describe } from '../tensor/call'
import { rawBytes } from '../tensor/elements'
import { isTensor } from '../tensor/handle'
import { tidyAsync } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'
import type { Device } from '../tensor/types'
import { dtypeOfNumpy, numpyOfDType, tensorOfNumpy } from './npy-elements'
import { encodeNpyHeader, MAX_START_BYTES, parseNpyHeader } from './npy-header'
import { type RandomAccess, withRandomAccess } from './random-access'
import type { Source } from './source'

export interface ReadNpyOptions {
  /** Where the tensor goes; the CPU unless stated. */
  readonly device?: Device | undefined
}

/**
 * Reads an array from a `.npy` file, as `numpy.load`: versions 1 to 3, either byte order, C or Fortran order.
 *
 * Tensors have no unsigned integers beyond 8 bits: uint16 becomes int32, uint32 and uint64 become int64.
 *
 * @param source a path, a `file:` URL, or the bytes of a file
 * @returns a contiguous tensor of the array's shape
 * @throws ArgumentError when the file cannot be opened
 * @throws FormatError when it is no `.npy` file, is shorter or longer than its header says, holds Python objects, or a
 * uint64 beyond int64
 * @throws DTypeError for elements that are no numbers, such as text and dates
 */
export async function readNpy(source: Source, options: ReadNpyOptions = {}): Promise<Tensor> {
  return withRandomAccess(source, 'readNpy', (bytes) => decodeNpy(bytes, options))
}

/**
 * The shape of the array of a `.npy` file, read from its header alone.
 *
 * @throws as `readNpy`, but for what follows the header
 */
export async function npyShape(source: Source): Promise<readonly number[]> {
  return withRandomAccess(source, 'npyShape', async ({ name, size, read }) => {
    const { header } = parseNpyHeader(await read(0, Math.min(size, MAX_START_BYTES)), name)
    dtypeOfNumpy(header.type, name)
    return header.shape
  })
}

/** Reads an array from the bytes of a `.npy` file, wherever they are. */
export async function decodeNpy(bytes: RandomAccess, { device }: ReadNpyOptions): Promise<Tensor> {
  const { name, size } = bytes
  const { header, dataStart } = parseNpyHeader(await bytes.read(0, Math.min(size, MAX_START_BYTES)), name)
  const { type, shape, fortranOrder } = header
  dtypeOfNumpy(type, name)
  const expected = shape.reduce((product, dim) => product * dim, type.itemSize)
  if (size - dataStart !== expected) {
    const verdict = size - dataStart < expected ? 'it is truncated' : 'bytes follow its end'
    throw new FormatError(
      `${name} states the shape [${shape}] of ${type.kind}${type.itemSize}, which takes ${expected} bytes; ` +
        `${size - dataStart} follow its header: ${verdict}`,
    )
  }
  return tidyAsync(async () => {
    // The bytes may be the caller's own, and are turned in place where their order is another.
    const data = Uint8Array.from(await bytes.read(dataStart, size))
    const tensor = tensorOfNumpy(type, data, shape, fortranOrder, name)
    return device === undefined ? tensor : tensor.to(device)
  })
}

/**
 * Writes a tensor to a `.npy` file that `numpy.load` reads, whole or not at all: version 1, C order, little-endian.
 *
 * The tensor must not be changed in place before the promise settles.
 *
 * @throws DTypeError for bfloat16, which NumPy lacks
 * @throws ArgumentError when it is no dense tensor with data, or the path cannot be written
 */
export async function writeNpy(path: string, tensor: Tensor): Promise<void> {
  checkArray(tensor, 'the array', 'writeNpy')
  await writeFileAtomic(path, npyParts(tensor), 'writeNpy')
}

async function* npyParts(tensor: Tensor): AsyncGenerator<Uint8Array> {
  yield npyHeaderOf(tensor)
  if (tensor.numel > 0) yield await rawBytes(tensor)
}

/** The bytes of a `.npy` file of a tensor that `checkArray` let pass. */
export async function encodeNpy(tensor: Tensor): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const part of npyParts(tensor)) parts.push(part)
  return Buffer.concat(parts)
}

function npyHeaderOf({ dtype, shape }: Tensor): Uint8Array {
  return encodeNpyHeader(numpyOfDType(dtype) ?? '', shape)
}

/** @throws DTypeError, ArgumentError when a value cannot be written as an array */
export function checkArray(value: unknown, what: string, caller: string): asserts value is Tensor {
  if (!isTensor(value)) throw new ArgumentError(`${caller}: ${what} is ${describe(value)}, not a Tensor`)
  const { layout, device, dtype } = value as unknown as Tensor
  if (layout !== 'strided') {
    throw new ArgumentError(`${caller}: ${what} is ${layout}; dense tensors are written: call toDense()`)
  }
  if (device === 'meta') throw new ArgumentError(`${caller}: ${what} is on the meta device and has no data`)
  if (numpyOfDType(dtype) === undefined) {
    throw new DTypeError(`${caller}: ${what} is ${dtype}, which NumPy does not have; convert it with .to('float32')`)
  }
}
