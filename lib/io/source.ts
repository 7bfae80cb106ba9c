import { constants } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { ArgumentError, FormatError, VisionNativeError } from '../native/errors'
import { openFile } from '../native/open-file'
import { systemReason } from '../native/system-reason'

/** Where a file comes from: a path, a `file:` URL, or its bytes. */
export type Source = string | URL | Uint8Array

/** The bytes of a source and the name by which errors call it. */
export interface SourceBytes {
  readonly name: string
  readonly bytes: Uint8Array
}

/** What one read into memory can hold on every Node version. */
const MAX_BYTES = 2 ** 31 - 1

/**
 * Reads a source whole.
 *
 * @param caller the public function, for messages
 * @throws ArgumentError when the file is missing, not a regular file, or may not be read
 * @throws FormatError when there are no bytes, or more than 2 GiB
 */
export async function readSource(source: Source, caller: string): Promise<SourceBytes> {
  if (source instanceof Uint8Array) {
    const name = `${caller}: the buffer of ${source.byteLength} bytes`
    if (source.byteLength === 0) throw new FormatError(`${caller}: the buffer is empty; pass the bytes of a file`)
    return { name, bytes: source }
  }
  const path = pathOf(source, caller)
  return { name: `${caller}: ${path}`, bytes: await readRegularFile(path, caller) }
}

/** The path that a source names. @throws ArgumentError when it names no local file */
export function pathOf(source: unknown, caller: string): string {
  if (source instanceof URL) {
    if (source.protocol === 'file:') return localPath(source, caller)
    throw remote(source.href, caller)
  }
  if (typeof source !== 'string') {
    throw new ArgumentError(`${caller}: takes a path, a file: URL or a Uint8Array, got ${describeValue(source)}`)
  }
  if (/^https?:\/\//i.test(source)) throw remote(source, caller)
  if (source === '') throw new ArgumentError(`${caller}: the path is empty; pass the path of a file`)
  return source
}

function localPath(url: URL, caller: string): string {
  try {
    return fileURLToPath(url)
  } catch (cause) {
    throw new ArgumentError(`${caller}: ${url.href} names no local file; pass a path or a file: URL`, { cause })
  }
}

function remote(address: string, caller: string): ArgumentError {
  return new ArgumentError(`${caller}: ${address} is not a local file; fetch it first and pass its bytes`)
}

function describeValue(value: unknown): string {
  if (value === null) return 'null'
  return typeof value === 'object' ? (value.constructor?.name ?? 'an object') : typeof value
}

async function readRegularFile(path: string, caller: string): Promise<Uint8Array> {
  return withRegularFile(path, caller, async (file, size) => {
    if (size > MAX_BYTES) {
      throw new FormatError(`${caller}: ${path} has ${size} bytes; files up to ${MAX_BYTES} bytes are read`)
    }
    const bytes = await file.readFile()
    if (bytes.byteLength === 0) throw new FormatError(`${caller}: ${path} is empty (0 bytes)`)
    return bytes
  })
}

/**
 * Opens a file for `read`, which gets its size as well, and closes it.
 *
 * @throws ArgumentError when the file is missing, not a regular file, or may not be read
 */
export async function withRegularFile<T>(
  path: string,
  caller: string,
  read: (file: FileHandle, size: number) => Promise<T>,
): Promise<T> {
  try {
    // Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
    await using file = await openFile(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const stat = await file.stat()
    if (stat.isDirectory()) throw new ArgumentError(`${caller}: ${path} is a folder; pass the path of a file`)
    if (!stat.isFile()) throw new ArgumentError(`${caller}: ${path} is not a regular file; read it and pass its bytes`)
    return await read(file, stat.size)
  } catch (error) {
    if (VisionNativeError.is(error)) throw error
    throw new ArgumentError(`${caller}: cannot read ${path}: ${systemReason(error)}`, { cause: error })
  }
}
