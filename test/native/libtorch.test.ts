import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { cacheRoot } from '../../lib/native/cache'
import { readElf } from '../../lib/native/elf'
import { LoadError } from '../../lib/native/errors'
import { findLibTorch, searchLibTorch } from '../../lib/native/libtorch'
import { inspectLibTorch } from '../../lib/native/libtorch-folder'
import { closureOf } from '../../lib/native/linker'
import { findPythonTorch } from '../../lib/native/python'
import { writeFakeElf } from '../support/fake-elf'
import { type FakeLibTorch, makeCommand, makeFakeLibTorch, temporaryFolder } from '../support/fake-libtorch'

/** Neither LIBTORCH nor a Python nor a cache. */
function bareEnv(folder: string): NodeJS.ProcessEnv {
  return { PATH: join(folder, 'bin'), HOME: folder, VISION_NATIVE_CACHE: join(folder, 'cache') }
}

function reasonOf(fake: FakeLibTorch): string {
  const inspection = inspectLibTorch(makeFakeLibTorch(temporaryFolder(), fake))
  return inspection.ok ? 'usable' : inspection.reason
}

describe('a LibTorch folder', () => {
  test('of the right version is usable, and its libraries are listed by absolute path', () => {
    const root = makeFakeLibTorch(temporaryFolder())
    expect(inspectLibTorch(root)).toEqual({
      ok: true,
      folder: {
        root,
        libDir: join(root, 'lib'),
        includeDir: join(root, 'include'),
        version: '2.11.0',
        cuda: '13.0',
        abi: 'cxx11',
        variant: 'cpu',
        // libc10.so is beside it, which the run path says; the linker finds it and the CUDA runtime by itself.
        libraries: [join(root, 'lib/libtorch_cpu.so')],
        cudaLibraries: [],
        missingCuda: [{ soname: 'libtorch_cuda.so', neededBy: join(root, 'lib') }],
      },
    })
  })

  test.each<[string, FakeLibTorch, string]>([
    ['an older version', { version: '2.10.0+cu130' }, 'is LibTorch 2.10.0, not 2.11.0'],
    ['a newer version', { version: '2.11.1' }, 'is LibTorch 2.11.1, not 2.11.0'],
    ['a development version', { version: '2.11.0a0+git70d99e9' }, 'is LibTorch 2.11.0a0, not 2.11.0'],
    [
      'another CUDA',
      { version: '2.11.0+cu126', cuda: '12.6' },
      'is LibTorch 2.11.0 for CUDA 12.6; needed is one for CUDA 13.0 or for the CPU',
    ],
    [
      'another CUDA, as an archive',
      { version: '2.11.0+cu128', layout: 'archive' },
      'is LibTorch 2.11.0 for CUDA 12.8; needed is one for CUDA 13.0 or for the CPU',
    ],
    [
      'ROCm',
      { version: '2.11.0+rocm7.0', cuda: 'None', hip: '7.0' },
      'is LibTorch 2.11.0 for ROCm; needed is one for CUDA 13.0 or for the CPU',
    ],
    ['the old ABI', { oldAbi: true }, 'is LibTorch 2.11.0 with the old C++ ABI; needed is one with the cxx11 ABI'],
    ['no version', { layout: 'silent' }, 'states no version (no version.py, build-version or dist-info)'],
    [
      'no CUDA runtime',
      { withoutRuntime: true },
      'is LibTorch 2.11.0, but libfakecudart.so.13, which libtorch_cpu.so needs, is not there',
    ],
  ])('with %s is refused by name', (_, fake, reason) => {
    expect(reasonOf(fake)).toBe(reason)
  })

  test.each<[string, FakeLibTorch]>([
    ['a CPU-only build', { version: '2.11.0+cpu', cuda: 'None' }],
    ['an unpacked archive', { layout: 'archive' }],
    ['a package that only its metadata gives a version', { layout: 'dist-info' }],
  ])('is usable as %s', (_, fake) => {
    expect(reasonOf(fake)).toBe('usable')
  })

  test('without a library is refused, and the right folder inside it is named', () => {
    const site = temporaryFolder()
    const root = makeFakeLibTorch(site)
    expect(inspectLibTorch(site)).toEqual({ ok: false, reason: `has no lib/libc10.so; ${root} has one` })
    rmSync(join(root, 'lib/libtorch_cpu.so'))
    expect(inspectLibTorch(root)).toEqual({ ok: false, reason: 'has no lib/libtorch_cpu.so' })
    expect(inspectLibTorch(join(site, 'nowhere'))).toEqual({ ok: false, reason: 'is not a folder' })
  })

  test('with a library cut short is refused', () => {
    const root = makeFakeLibTorch(temporaryFolder())
    writeFileSync(join(root, 'lib/libtorch_cpu.so'), '\x7fELF')
    const inspection = inspectLibTorch(root)
    expect(inspection).toMatchObject({ ok: false, reason: expect.stringContaining('its libraries cannot be read') })
  })

  test('is of the CUDA variant only when everything that libtorch_cuda.so needs is there', () => {
    const complete = inspectLibTorch(makeFakeLibTorch(temporaryFolder(), { cudaLibraries: 'all' }))
    expect(complete).toMatchObject({ ok: true, folder: { variant: 'cuda', missingCuda: [] } })
    expect(complete.ok && complete.folder.cudaLibraries).toEqual([
      expect.stringMatching(/torch\/lib\/libtorch_cuda\.so$/),
    ])
    const incomplete = inspectLibTorch(makeFakeLibTorch(temporaryFolder(), { cudaLibraries: 'incomplete' }))
    expect(incomplete).toMatchObject({
      ok: true,
      folder: { variant: 'cpu', cudaLibraries: [], missingCuda: [{ soname: 'libfakecublas.so.13' }] },
    })
  })
})

describe('the search', () => {
  test('takes LIBTORCH before anything else', () => {
    const folder = temporaryFolder()
    const wanted = makeFakeLibTorch(join(folder, 'mine'))
    makeFakeLibTorch(join(folder, 'cache/libtorch-2.11.0-cpu'))
    const { root, source } = findLibTorch({ ...bareEnv(folder), LIBTORCH: wanted })
    expect({ root, source }).toEqual({ root: wanted, source: 'LIBTORCH' })
  })

  test('refuses a wrong LIBTORCH even when the cache is good', () => {
    const folder = temporaryFolder()
    const wrong = makeFakeLibTorch(join(folder, 'mine'), { version: '2.9.1' })
    makeFakeLibTorch(join(folder, 'cache/libtorch-2.11.0-cpu'))
    const search = () => findLibTorch({ ...bareEnv(folder), LIBTORCH: wrong })
    expect(search).toThrow(LoadError)
    expect(search).toThrow(`LIBTORCH=${wrong} is LibTorch 2.9.1, not 2.11.0. Set LIBTORCH to the folder`)
    expect(search).toThrow('or unset it and run `npx vision-native setup`')
  })

  test('takes the package of the Python on PATH', () => {
    const folder = temporaryFolder()
    const root = makeFakeLibTorch(join(folder, 'site-packages'))
    makeCommand(folder, 'python3', `echo /opt/python3\necho ${root}`)
    expect(findLibTorch(bareEnv(folder))).toMatchObject({ root, source: 'python' })
  })

  test('passes over a Python package of another version, takes the cache, and says so', () => {
    const folder = temporaryFolder()
    const wrong = makeFakeLibTorch(join(folder, 'site-packages'), { version: '2.8.0+cu128', cuda: '12.8' })
    const cached = makeFakeLibTorch(join(folder, 'cache/libtorch-2.11.0-cpu'))
    makeCommand(folder, 'python3', `echo /opt/python3\necho ${wrong}`)
    const { root, source, tried } = findLibTorch(bareEnv(folder))
    expect({ root, source }).toEqual({ root: cached, source: 'cache' })
    expect(tried.map(({ source, found }) => [source, found])).toEqual([
      ['LIBTORCH', 'not set'],
      ['python', 'is LibTorch 2.8.0, not 2.11.0'],
      ['cache', 'not there'],
      ['cache', 'is LibTorch 2.11.0 for CUDA 13.0, usable on the CPU only'],
    ])
  })

  test('prefers the cache with CUDA', () => {
    const folder = temporaryFolder()
    makeFakeLibTorch(join(folder, 'cache/libtorch-2.11.0-cpu'))
    const root = makeFakeLibTorch(join(folder, 'cache/libtorch-2.11.0-cu130'), { cudaLibraries: 'all' })
    expect(findLibTorch(bareEnv(folder))).toMatchObject({ root, variant: 'cuda' })
  })

  test('lists every place and the command when nothing is found', () => {
    const folder = temporaryFolder()
    const search = searchLibTorch(bareEnv(folder))
    expect(search.libtorch).toBeUndefined()
    expect(search.libtorch ? '' : search.failure.split('\n')).toEqual([
      'LibTorch 2.11.0 was not found. Tried, in this order:',
      '  LIBTORCH  not set',
      '  python    there is no python3 on PATH',
      `  cache     ${folder}/cache/libtorch-2.11.0-cu130 not there`,
      `  cache     ${folder}/cache/libtorch-2.11.0-cpu not there`,
      expect.stringMatching(/^Run `npx vision-native setup` to download it .*, or set LIBTORCH to the folder/),
    ])
  })

  test('looks for the cache in VISION_NATIVE_CACHE, XDG_CACHE_HOME and the home folder, in this order', () => {
    const env = { HOME: '/home/me', XDG_CACHE_HOME: '/var/me', VISION_NATIVE_CACHE: '/data' }
    expect(cacheRoot(env)).toBe('/data')
    expect(cacheRoot({ ...env, VISION_NATIVE_CACHE: '' })).toBe('/var/me/vision-native')
    expect(cacheRoot({ HOME: '/home/me', XDG_CACHE_HOME: 'relative' })).toBe('/home/me/.cache/vision-native')
  })
})

describe('the Python on PATH', () => {
  const hasPython = spawnSync('python3', ['--version']).status === 0

  test('is asked where torch is without importing it', ({ skip }) => {
    skip(!hasPython, 'there is no python3 on PATH')
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'torch'))
    writeFileSync(join(folder, 'torch/__init__.py'), 'raise SystemExit("torch was imported")\n')
    const answer = findPythonTorch({ ...process.env, PYTHONPATH: folder })
    expect(answer).toMatchObject({ torch: join(folder, 'torch') })
  })

  test('does not take a folder named torch for the package', ({ skip }) => {
    skip(!hasPython, 'there is no python3 on PATH')
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'torch'))
    const answer = findPythonTorch({ ...process.env, PYTHONPATH: folder })
    expect(answer.python && answer.torch).not.toBe(join(folder, 'torch'))
  })

  test('may be called python where there is no python3', () => {
    const folder = temporaryFolder()
    const bin = makeCommand(folder, 'python', 'echo /opt/python\necho /opt/torch')
    expect(findPythonTorch({ PATH: bin })).toEqual({ python: '/opt/python', torch: '/opt/torch' })
  })

  test('that fails is told apart from one that is absent', () => {
    const folder = temporaryFolder()
    const bin = makeCommand(folder, 'python3', 'echo "no version selected" >&2\nexit 127')
    expect(findPythonTorch({ PATH: bin })).toEqual({
      python: undefined,
      reason: 'python3 failed: no version selected',
    })
  })
})

describe('the dynamic section', () => {
  test('of the running Node names the C library', () => {
    expect(readElf(process.execPath).needed).toContain('libc.so.6')
  })

  test('gives names and run path in order', () => {
    const path = join(temporaryFolder(), 'lib.so')
    writeFakeElf(path, { soname: 'libx.so.1', needed: ['liba.so', 'libb.so.2'], runPath: '$ORIGIN/../a:/opt/b' })
    expect(readElf(path)).toEqual({
      soname: 'libx.so.1',
      needed: ['liba.so', 'libb.so.2'],
      searchPath: ['$ORIGIN/../a', '/opt/b'],
    })
  })

  test.each([
    ['text', 'GROUP ( libc.so.6 )'.padEnd(64), 'not an ELF library'],
    ['a short file', 'x', 'not a complete ELF library'],
  ])('of %s is refused', (_, contents, message) => {
    const path = join(temporaryFolder(), 'lib.so')
    writeFileSync(path, contents)
    expect(() => readElf(path)).toThrow(message)
  })

  test('leaves to the linker what it finds, and opens before the library what it does not', () => {
    const folder = temporaryFolder()
    const [lib, extra] = [join(folder, 'lib'), join(folder, 'extra')]
    for (const name of [lib, extra]) mkdirSync(name)
    writeFakeElf(join(lib, 'a.so'), { needed: ['near.so', 'far.so', 'none.so', 'libc.so.6'], runPath: '$ORIGIN' })
    writeFakeElf(join(lib, 'near.so'), {})
    writeFakeElf(join(extra, 'far.so'), {})
    const closure = closureOf(join(lib, 'a.so'), [extra], {})
    expect(closure.open).toEqual([join(extra, 'far.so'), join(lib, 'a.so')])
    expect(closure.libraries).toEqual([join(lib, 'near.so'), join(extra, 'far.so'), join(lib, 'a.so')])
    expect(closure.missing).toEqual([{ soname: 'none.so', neededBy: join(lib, 'a.so') }])
  })
})
