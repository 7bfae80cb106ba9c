import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { access, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { ArgumentError, VisionNativeError } from './errors'
import { openFile, syncFile } from './open-file'
import { systemReason } from './system-reason'

/**
 * Writes a file whole or not at all: the data goes to a temporary file in the same folder, is flushed to the disk, and
 * takes the name in one step. A reader never sees a part of it, and a failure leaves an older file as it was.
 *
 * A symbolic link is followed; the permissions of an existing file stay.
 *
 * @param data the bytes, or parts of them one after the other
 * @param caller the public function, for messages
 * @throws ArgumentError when the path cannot be written; the message says why
 */
export async function writeFileAtomic(
  path: string,
  data: Uint8Array | AsyncIterable<Uint8Array>,
  caller = 'writeFileAtomic',
): Promise<void> {
  await replaceFile(path, (temporary) => writeData(temporary, data), caller)
}

/**
 * Lets `write` make a file whole or not at all, as `writeFileAtomic` does; for writers that need a path.
 *
 * @param write fills the file at the path it is given: an empty one in the same folder
 */
export async function replaceFile(
  path: string,
  write: (temporary: string) => Promise<void>,
  caller = 'replaceFile',
): Promise<void> {
  if (typeof path !== 'string' || path === '') {
    throw new ArgumentError(`${caller}: the path is ${path === '' ? 'empty' : `of type ${typeof path}`}; pass a string`)
  }
  try {
    const { target, mode } = await resolveTarget(path, caller)
    const temporary = join(dirname(target), `.${basename(target).slice(0, 200)}.${randomBytes(6).toString('hex')}.tmp`)
    try {
      await createEmpty(temporary, mode)
      await write(temporary)
      await flush(temporary)
      await rename(temporary, target)
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
    await flushFolder(dirname(target))
  } catch (error) {
    if (VisionNativeError.is(error)) throw error
    throw new ArgumentError(`${caller}: cannot write ${path}: ${systemReason(error)}`, { cause: error })
  }
}

async function resolveTarget(path: string, caller: string): Promise<{ target: string; mode: number | undefined }> {
  const existing = await stat(path).catch(ignoreMissing)
  if (existing === undefined) return { target: path, mode: undefined }
  if (existing.isDirectory()) {
    throw new ArgumentError(`${caller}: cannot write ${path}: it is a folder; add a file name`)
  }
  // Renaming over a device such as /dev/null would replace the device itself.
  if (!existing.isFile()) throw new ArgumentError(`${caller}: cannot write ${path}: it is not a regular file`)
  await access(path, constants.W_OK)
  return { target: await realpath(path), mode: existing.mode & 0o777 }
}

function ignoreMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  return undefined
}

/** The permissions are there before the data is: what was private is never open to others for a moment. */
async function createEmpty(path: string, mode: number | undefined): Promise<void> {
  await using file = await openFile(path, 'wx')
  if (mode !== undefined) await file.chmod(mode)
}

async function writeData(path: string, data: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
  await using file = await openFile(path, 'r+')
  if (data instanceof Uint8Array) await file.writeFile(data)
  else for await (const part of data) await file.writeFile(part)
}

async function flush(path: string): Promise<void> {
  await using file = await openFile(path, 'r+')
  await syncFile(file)
}

/** Makes the new name last through a power cut; some file systems cannot, which loses nothing that was there before. */
async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined)
  if (handle === undefined) return
  try {
    await syncFile(handle).catch(() => {})
  } finally {
    await handle.close()
  }
}
