import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { writeFileAtomic } from '../../lib/native/atomic-file'
import { temporaryFolder } from '../support/temporary-folder'

const inFolder = temporaryFolder()
const bytes = (text: string) => Buffer.from(text)
const leftovers = (folder = inFolder()) => readdirSync(folder).filter((name) => name.endsWith('.tmp'))

describe('writeFileAtomic', () => {
  test('writes a new file and replaces an old one', async () => {
    await writeFileAtomic(inFolder('a.bin'), bytes('first'))
    await writeFileAtomic(inFolder('a.bin'), bytes('second, longer'))
    expect(readFileSync(inFolder('a.bin'), 'utf8')).toBe('second, longer')
    expect(leftovers()).toEqual([])
  })

  test('gives the whole of one content to readers while others write', async () => {
    const path = inFolder('contended.bin')
    const contents = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(300_000))
    await writeFileAtomic(path, bytes(contents[0] as string))
    let writing = true
    const reader = (async () => {
      for (let reads = 0; writing || reads < 5; reads++) {
        expect(contents).toContain(readFileSync(path, 'utf8'))
        await new Promise((resolve) => setImmediate(resolve))
      }
    })()
    await Promise.all(contents.flatMap((text) => [1, 2, 3].map(() => writeFileAtomic(path, bytes(text)))))
    writing = false
    await reader
    expect(leftovers()).toEqual([])
  })

  test('keeps the permissions of the file and follows a link', async () => {
    writeFileSync(inFolder('target.bin'), 'old')
    chmodSync(inFolder('target.bin'), 0o640)
    symlinkSync(inFolder('target.bin'), inFolder('link.bin'))
    await writeFileAtomic(inFolder('link.bin'), bytes('new'))
    expect(readFileSync(inFolder('target.bin'), 'utf8')).toBe('new')
    expect(statSync(inFolder('target.bin')).mode & 0o777).toBe(0o640)
  })

  test('a killed writer leaves the old content', async () => {
    mkdirSync(inFolder('killed'))
    const path = inFolder('killed', 'a.bin')
    writeFileSync(path, 'old')
    const module = fileURLToPath(new URL('../../lib/native/atomic-file.ts', import.meta.url))
    const script = `
      import { writeFileAtomic } from ${JSON.stringify(module)}
      console.log('ready')
      for (;;) await writeFileAtomic(${JSON.stringify(path)}, Buffer.alloc(5_000_000, 'n'))`
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script])
    await once(child.stdout, 'data')
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(['old', 'n'.repeat(5_000_000)]).toContain(readFileSync(path, 'utf8'))
  })

  test.each<[string, string, () => string]>([
    ['a missing folder', 'no such file or folder (ENOENT)', () => inFolder('absent', 'a.bin')],
    ['a folder', 'it is a folder; add a file name', () => inFolder()],
    ['a file as folder', 'a part of the path is a file, not a folder (ENOTDIR)', () => inFolder('plain', 'a.bin')],
    ['a long name', 'the name is too long (ENAMETOOLONG)', () => inFolder('x'.repeat(300))],
    ['a NUL character', 'the path holds a NUL character (ERR_INVALID_ARG_VALUE)', () => inFolder('a\0b')],
    ['a device', 'it is not a regular file', () => '/dev/null'],
  ])('%s is refused with path and reason', async (_, reason, path) => {
    writeFileSync(inFolder('plain'), '')
    await expect(writeFileAtomic(path(), bytes('x'), 'writeImage')).rejects.toMatchObject({
      code: 'ERR_VISION_NATIVE_ARGUMENT',
      message: `writeImage: cannot write ${path()}: ${reason}`,
    })
    expect(leftovers()).toEqual([])
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true)
  })

  test('a full disk is told, and nothing of the new file is left', async () => {
    // A limit on the size of files stands in for the full disk; the kernel reports it the same way, as a failed write.
    mkdirSync(inFolder('full'))
    writeFileSync(inFolder('full', 'a.bin'), 'old')
    const module = fileURLToPath(new URL('../../lib/native/atomic-file.ts', import.meta.url))
    const script = `
      import { writeFileAtomic } from ${JSON.stringify(module)}
      process.on('SIGXFSZ', () => {})
      await writeFileAtomic(${JSON.stringify(inFolder('full', 'a.bin'))}, Buffer.alloc(4_000_000))
        .catch((error) => console.log(error.code, error.message))`
    const output = execFileSync(
      'bash',
      [
        '-c',
        'ulimit -f 1000; exec "$0" "$@"',
        process.execPath,
        '--import',
        'tsx',
        '--input-type=module',
        '-e',
        script,
      ],
      { encoding: 'utf8' },
    )
    expect(output).toMatch(/^ERR_VISION_NATIVE_ARGUMENT .*cannot write .*a\.bin: .*(?:EFBIG|file too large)/)
    expect(readFileSync(inFolder('full', 'a.bin'), 'utf8')).toBe('old')
    expect(leftovers(inFolder('full'))).toEqual([])
  })
})
