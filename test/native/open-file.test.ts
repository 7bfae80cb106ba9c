import { type FileHandle, open } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { openFile } from '../../lib/native/open-file'

const path = fileURLToPath(import.meta.url)

async function leaveBlock(): Promise<FileHandle> {
  await using file = await openFile(path, 'r')
  expect(file.fd).toBeGreaterThan(0)
  return file
}

test('a file is closed at the end of the block', async () => {
  expect((await leaveBlock()).fd).toBe(-1)
})

test('so it is where handles cannot be disposed of, as those of Plug’n’Play', async () => {
  const handle = await open(path)
  await handle.close()
  const prototype = Object.getPrototypeOf(handle)
  const dispose = Object.getOwnPropertyDescriptor(prototype, Symbol.asyncDispose) as PropertyDescriptor
  delete prototype[Symbol.asyncDispose]
  try {
    expect((await leaveBlock()).fd).toBe(-1)
  } finally {
    Object.defineProperty(prototype, Symbol.asyncDispose, dispose)
  }
})
