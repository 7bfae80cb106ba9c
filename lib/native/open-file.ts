import { fsync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { promisify } from 'node:util'

const syncDescriptor = promisify(fsync)

// Yarn's Plug'n'Play stands in for node:fs, with handles that can neither be disposed of nor synced.

/** `open` of `node:fs`, for `await using`. */
export async function openFile(path: string, flags: string | number): Promise<FileHandle> {
  const file = await open(path, flags)
  file[Symbol.asyncDispose] ??= () => file.close()
  return file
}

/** Waits until what was written is on the disk. */
export async function syncFile(file: FileHandle): Promise<void> {
  await syncDescriptor(file.fd)
}
