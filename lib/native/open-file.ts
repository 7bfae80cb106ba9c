import { type FileHandle, open } from 'node:fs/promises'

/** `open` of `node:fs`, for `await using`. */
export async function openFile(path: string, flags: string | number): Promise<FileHandle> {
  const file = await open(path, flags)
  // Handles of Yarn's Plug'n'Play, which stands in for node:fs, cannot be disposed of.
  file[Symbol.asyncDispose] ??= () => file.close()
  return file
}
