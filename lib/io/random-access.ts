import type { FileHandle } from 'node:fs/promises'
import { FormatError, throwIfCancelled } from '../native/errors'
import { pathOf, type Source, withRegularFile } from './source'

/** A file or a buffer of which parts are read. */
export interface RandomAccess {
  /** How errors call it. */
  readonly name: string
  /** The descriptor of an open file; undefined for a buffer. */
  readonly descriptor: number | undefined
  readonly size: number
  /** The bytes from `begin` to `end`, valid until the next call and not to be written to. */
  read(begin: number, end: number): Promise<Uint8Array>
}

/**
 * Opens a source for `use` and closes it. Parts are read when they are asked for, so that a file may be larger than
 * memory.
 *
 * @param caller the public function, for messages
 * @param signal looked at before each part is read
 * @throws ArgumentError when the file is missing, not a regular file, or may not be read
 * @throws CancelledError when the signal is aborted
 */
export async function withRandomAccess<T>(
  source: Source,
  caller: string,
  use: (bytes: RandomAccess) => Promise<T>,
  signal?: AbortSignal | undefined,
): Promise<T> {
  throwIfCancelled(signal, caller)
  if (source instanceof Uint8Array) {
    const { byteLength: size } = source
    const name = `${caller}: the buffer of ${size} bytes`
    const read = async (begin: number, end: number) => {
      throwIfCancelled(signal, caller)
      return source.subarray(begin, checkEnd(begin, end, size, name))
    }
    return use({ name, descriptor: undefined, size, read })
  }
  const path = pathOf(source, caller)
  return withRegularFile(path, caller, async (file, size) => {
    const name = `${caller}: ${path}`
    let memory = new Uint8Array(0)
    const read = async (begin: number, end: number) => {
      throwIfCancelled(signal, caller)
      checkEnd(begin, end, size, name)
      if (memory.byteLength < end - begin) memory = new Uint8Array(end - begin)
      const part = memory.subarray(0, end - begin)
      await fill(file, part, begin, name)
      return part
    }
    return use({ name, descriptor: file.fd, size, read })
  })
}

/** Nothing is allocated for a range that the file does not have. */
function checkEnd(begin: number, end: number, size: number, name: string): number {
  if (begin >= 0 && begin <= end && end <= size) return end
  throw new FormatError(`${name} is truncated: it refers to bytes ${begin} to ${end} and has ${size}`)
}

async function fill(file: FileHandle, target: Uint8Array, begin: number, name: string): Promise<void> {
  let done = 0
  while (done < target.byteLength) {
    // What one read takes at most is 2 GiB.
    const length = Math.min(target.byteLength - done, 2 ** 30)
    const { bytesRead } = await file.read(target, done, length, begin + done)
    if (bytesRead === 0) throw new FormatError(`${name} became shorter while it was read`)
    done += bytesRead
  }
}
