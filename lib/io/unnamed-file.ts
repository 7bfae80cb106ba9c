import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ArgumentError } from '../native/errors'
import { systemReason } from '../native/system-reason'

/**
 * A temporary file that holds these bytes and has no name any more; it is gone once it is closed, however the process ends.
 * Others open it by {@link pathOfUnnamed}.
 *
 * @param what for whom, in messages
 * @throws ArgumentError when there is no place for it
 */
export async function unnamedFile(bytes: Uint8Array, what: string): Promise<FileHandle> {
  let file: FileHandle | undefined
  try {
    const folder = await mkdtemp(join(tmpdir(), 'vision-native-'))
    try {
      file = await open(join(folder, 'bytes'), 'wx+')
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
    await file.writeFile(bytes)
    return file
  } catch (cause) {
    await file?.close()
    throw new ArgumentError(
      `${what}: a worker reads bytes through a temporary file, which cannot be written: ${systemReason(cause)}; pass the path of a file, or set TMPDIR`,
      { cause },
    )
  }
}

export const pathOfUnnamed = (file: FileHandle): string => `/proc/self/fd/${file.fd}`
