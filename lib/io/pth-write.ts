import { writeFileAtomic } from '../native/atomic-file'
import { ArgumentError, DisposedError } from '../native/errors'
import { describe } from '../tensor/call'
import { rawBytes } from '../tensor/elements'
import { isTensor } from '../tensor/handle'
import { tidyAsync } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'
import { Complex } from '../tensor/types'
import { PthPickler } from './pth-pickle'
import { type StorageCopy, snapshot } from './pth-snapshot'
import type { PthValue } from './pth-values'
import { type ZipItem, zipParts } from './zip-writer'

/** The folder in the archive; PyTorch's own choice where it does not know the file's name. */
const FOLDER = 'archive'

/**
 * Writes a value that `torch.load(path, weights_only=True)` reads, in the zip format of `torch.save`, whole or not at
 * all.
 *
 * The tensors are copied before the promise is returned, so they may be changed at once, and training may go on while
 * the file is written; until then memory holds them twice. Tensors that share memory are written once, with no more of
 * their storage than they use, and share it again when they are read. They are written as on the CPU, so that any
 * machine can read them. Storages are aligned to 64 bytes, as `torch.load(mmap=True)` wants them.
 *
 * @param path by custom ending in `.pth` or `.pt`
 * @param value tensors and plain values, nested as one likes; `PthValue` says what becomes what
 * @throws ArgumentError for a value that has no form in Python's plain data, with its place in `value`, or when the path
 * cannot be written
 */
export async function savePth(path: string, value: PthValue): Promise<void> {
  return savePthAs(path, value, 'savePth')
}

/** As `savePth`, for another public function, whose types promise what may be in the value. */
export async function savePthAs(path: string, value: unknown, caller: string): Promise<void> {
  return tidyAsync(async () => {
    const placed = snapshot(tensorsOf(value, caller))
    const pickle = new PthPickler(caller, placed).pickle(value)
    const storages = new Set([...placed.values()].map(({ storage }) => storage))
    await writeFileAtomic(path, zipParts(items(pickle, storages)), caller)
  })
}

function* items(pickle: Uint8Array, storages: Iterable<StorageCopy>): Generator<ZipItem> {
  const text = (name: string, content: string): ZipItem => ({
    name: `${FOLDER}/${name}`,
    content: () => Buffer.from(content),
  })
  yield { name: `${FOLDER}/data.pkl`, content: () => pickle }
  yield text('.format_version', '1')
  yield text('.storage_alignment', '64')
  yield text('byteorder', 'little')
  for (const { key, copy } of storages) {
    yield { name: `${FOLDER}/data/${key}`, content: () => takeBytes(copy) }
  }
  yield text('version', '3\n')
}

async function takeBytes(copy: Tensor): Promise<Uint8Array> {
  using once = copy
  return once.numel === 0 ? new Uint8Array(0) : await rawBytes(once)
}

/** Every tensor of a value, in the order in which they are written. Without recursion: the pickler judges the depth. */
function tensorsOf(value: unknown, caller: string): ReadonlySet<Tensor> {
  const found = new Set<Tensor>()
  const seen = new Set<object>()
  const waiting: unknown[] = [value]
  while (waiting.length > 0) {
    const item = waiting.pop()
    if (typeof item !== 'object' || item === null || seen.has(item)) continue
    seen.add(item)
    if (isTensor(item)) found.add(checkTensor(item as unknown as Tensor, caller))
    else for (const inner of [...innerOf(item)].reverse()) waiting.push(inner)
  }
  return found
}

function innerOf(item: object): Iterable<unknown> {
  if (Array.isArray(item) || item instanceof Set) return item
  if (item instanceof Map) return item.values()
  return ArrayBuffer.isView(item) || Complex.is(item) ? [] : Object.values(item)
}

function checkTensor(tensor: Tensor, caller: string): Tensor {
  if (tensor.disposed)
    throw new DisposedError(`${caller}: the value holds ${describe(tensor)}; save before its scope ends`)
  if (tensor.layout !== 'strided') {
    throw new ArgumentError(`${caller}: a tensor is ${tensor.layout}; dense tensors are written: call toDense()`)
  }
  if (tensor.device === 'meta') throw new ArgumentError(`${caller}: a tensor is on the meta device and has no data`)
  return tensor
}
