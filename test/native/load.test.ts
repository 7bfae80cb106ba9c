import { spawnSync } from 'node:child_process'
import { appendFileSync, cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Loader } from '../../bindings'
import { type Binaries, BRIDGE, findBinaries, OPERATORS, olderThan } from '../../lib/native/binaries'
import { LoadError } from '../../lib/native/errors'
import { findLibTorch } from '../../lib/native/libtorch'
import { inspectLibTorch, type LibTorchFolder } from '../../lib/native/libtorch-folder'
import { loadNative, type Native } from '../../lib/native/load'
import { cudaUnavailable } from '../../lib/native/load-cuda'
import { makeFakeLibTorch, temporaryFolder } from '../support/fake-libtorch'
import { type InstalledPackage, installPackage, PROJECT, RELEASE } from '../support/installed-package'

interface Answer {
  readonly value?: unknown
  readonly code?: string
  readonly message?: string
}

/** Runs `expression` in a new process, where `load` is lib/native/load of a package. */
function ask(root: string, expression: string, env: NodeJS.ProcessEnv = {}): Answer {
  const file = join(root, 'ask.mts')
  writeFileSync(
    file,
    `import * as load from '${root}/lib/native/load.ts'
    try {
      console.log(JSON.stringify({ value: await (${expression}) }))
    } catch (error) {
      console.log(JSON.stringify({ code: error.code, message: error.message }))
    }`,
  )
  const { stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', file], {
    cwd: root,
    env: { ...process.env, LIBTORCH: libtorch.root, ...env },
    encoding: 'utf8',
  })
  if (!stdout) throw new Error(stderr)
  return JSON.parse(stdout)
}

const libtorch = findLibTorch()
const version = 'load.loadBridge().libtorchVersion()'

describe('loading', () => {
  test('opens LibTorch and the bridge, and gives the same bridge every time', () => {
    const native = loadNative()
    expect(native.bridge.libtorchVersion()).toMatch(/^2\.11\.0/)
    expect(native.loader.isOpen('libtorch_cpu.so')).toBe(true)
    expect(loadNative()).toBe(native)
  })

  test('works from the prebuilt binaries of an installed package', () => {
    const { root } = installPackage()
    expect(ask(root, version)).toEqual({ value: expect.stringMatching(/^2\.11\.0/) })
  })

  test('takes the LibTorch that another thread has opened, without a search', () => {
    const { root } = installPackage()
    writeFileSync(
      join(root, 'worker.mjs'),
      `import { parentPort } from 'node:worker_threads'
      import { tsImport } from 'tsx/esm/api'
      const load = await tsImport('${root}/lib/native/load.ts', import.meta.url)
      parentPort.postMessage(load.loadNative().libtorch.root)`,
    )
    const expression = `(async () => {
      const { Worker } = await import('node:worker_threads')
      const root = load.loadNative().libtorch.root
      const worker = new Worker('${root}/worker.mjs', { env: { ...process.env, LIBTORCH: '/nowhere' } })
      const other = await new Promise((done, fail) => worker.on('message', done).on('error', fail))
      return { root, other }
    })()`
    const { value, message } = ask(root, expression)
    expect(message).toBeUndefined()
    expect(value).toEqual({ root: libtorch.root, other: libtorch.root })
  })

  test('says where LibTorch was looked for, and how to get it, before it loads anything', () => {
    const { root } = installPackage()
    const folder = temporaryFolder()
    const { code, message } = ask(root, version, { LIBTORCH: '', PATH: folder, VISION_NATIVE_CACHE: folder })
    expect(code).toBe('ERR_VISION_NATIVE_LOAD')
    expect(message).toContain(`cache     ${folder}/libtorch-2.11.0-cpu not there`)
    expect(message).toContain('Run `npx vision-native setup`')
  })

  test.each<[string, (installed: InstalledPackage) => void, RegExp]>([
    [
      'are damaged',
      ({ prebuilds }) => appendFileSync(join(prebuilds, OPERATORS), 'x'),
      /^libvision_native\.so in .* differ from the checksums of the build\. Reinstall @lab\/vision-native\.$/,
    ],
    [
      'are for another LibTorch',
      ({ editManifest }) => editManifest({ libtorch: '2.12.0' }),
      /does not fit: the binaries are for LibTorch 2\.12\.0, .* is LibTorch 2\.11\.0\. Reinstall/,
    ],
    [
      'are for another ABI',
      ({ editManifest }) => editManifest({ abi: 'pre-cxx11' }),
      /the binaries are for the pre-cxx11 ABI, .* has the cxx11 ABI/,
    ],
    [
      'need a newer C library',
      ({ editManifest }) => editManifest({ glibc: '2.99' }),
      /need glibc 2\.99 or newer; this system has 2\.\d+\. Use a newer distribution, or build/,
    ],
    [
      'have no readable manifest',
      ({ prebuilds }) => writeFileSync(join(prebuilds, 'vision_native.json'), '{"version": 1}'),
      /vision_native\.json cannot be read: .* Run `npm run build`, or reinstall\./,
    ],
    ['are not there', ({ prebuilds }) => rmSync(prebuilds, { recursive: true }), /^No binaries .* Run `npm run build`/],
    [
      'are incomplete',
      ({ prebuilds }) => rmSync(join(prebuilds, BRIDGE)),
      /holds @lab\+vision-native\.glibc\.node but not libvision_native_node\.so\. Reinstall/,
    ],
  ])('says what to do when the binaries %s', (_, spoil, message) => {
    const installed = installPackage()
    spoil(installed)
    const answer = ask(installed.root, version)
    expect(answer.code).toBe('ERR_VISION_NATIVE_LOAD')
    expect(answer.message).toMatch(message)
  })

  test('says that versions differ when a symbol is missing', () => {
    const { root, prebuilds } = installPackage()
    const source = join(root, 'bridge.c')
    writeFileSync(source, 'void _ZN3c10_gone(void); void f(void) { _ZN3c10_gone(); }\n')
    const bridge = join(prebuilds, BRIDGE)
    spawnSync(process.env.CC ?? 'cc', ['-shared', '-fPIC', '-o', bridge, source])
    const { message } = ask(root, version, { VISION_NATIVE_BUILD: prebuilds })
    expect(message).toMatch(
      /^libvision_native_node\.so does not fit with LibTorch 2\.11\.0 in .*undefined symbol: _ZN3c10_gone/,
    )
    expect(message).toMatch(/They come from different versions\. Run `npm run build` again\.$/)
  })
})

describe('the binaries', () => {
  test('of a local build come before the prebuilt ones', () => {
    const { root } = installPackage()
    expect(findBinaries({}, root).origin).toBe('prebuild')
    mkdirSync(join(root, 'build'))
    cpSync(RELEASE, join(root, 'build/Release'), { recursive: true })
    expect(findBinaries({}, root)).toMatchObject({ origin: 'build', folder: join(root, 'build/Release') })
  })

  test('may be named by VISION_NATIVE_BUILD, which must hold them', () => {
    const folder = temporaryFolder()
    expect(findBinaries({ VISION_NATIVE_BUILD: RELEASE }).folder).toBe(RELEASE)
    expect(() => findBinaries({ VISION_NATIVE_BUILD: folder })).toThrow(
      `VISION_NATIVE_BUILD=${folder} holds no .node file`,
    )
    expect(() => findBinaries({ VISION_NATIVE_BUILD: join(folder, 'x') })).toThrow(LoadError)
  })

  test.each([
    ['2.31', '2.34', true],
    ['2.34', '2.34', false],
    ['2.9', '2.34', true],
    ['3.0', '2.34', false],
    ['3.4.9', '3.4.29', true],
    ['2.34', '2.34.1', true],
  ])('compare versions by number: %s is older than %s: %s', (a, b, expected) => {
    expect(olderThan(a, b)).toBe(expected)
  })
})

describe('the loader', () => {
  const { loader } = loadNative()

  test('passes on the dynamic linker message', () => {
    expect(() => loader.open('/nowhere/libx.so')).toThrow('/nowhere/libx.so: cannot open shared object file')
  })

  test.each([[''], ['a\0b'], [3], [undefined]])('refuses %j as a path', (path) => {
    expect(() => loader.open(path as string)).toThrow(TypeError)
    expect(() => loader.isOpen(path as string)).toThrow(TypeError)
  })

  test('knows what is open by SONAME and by path', () => {
    expect(loader.isOpen('libc.so.6')).toBe(true)
    expect(loader.isOpen(join(libtorch.libDir, 'libtorch_cpu.so'))).toBe(true)
    expect(loader.isOpen('libnot_there.so')).toBe(false)
  })
})

describe('CUDA', () => {
  const driver: Loader = { open: () => {}, isOpen: () => true, glibcVersion: () => '2.36' }
  const noDriver: Loader = {
    ...driver,
    open(path) {
      throw new Error(`${path}: cannot open shared object file`)
    },
  }

  function native(changes: { loader?: Loader; libtorch?: LibTorchFolder; cuda?: string }): Native {
    const { bridge, binaries } = loadNative()
    const mine: Binaries = { ...binaries, cuda: changes.cuda }
    return { bridge, loader: changes.loader ?? driver, libtorch: changes.libtorch ?? libtorch, binaries: mine }
  }

  function withCuda(cudaLibraries: 'all' | 'incomplete'): LibTorchFolder {
    const inspection = inspectLibTorch(makeFakeLibTorch(temporaryFolder(), { cudaLibraries }))
    if (!inspection.ok) throw new Error(inspection.reason)
    return inspection.folder
  }

  test('without a driver names the driver', () => {
    expect(cudaUnavailable(native({ loader: noDriver }))).toMatch(
      /^the NVIDIA driver's library cannot be opened \(libcuda\.so\.1: .*\)\. Install the NVIDIA driver/,
    )
  })

  test('without the CUDA libraries names what is missing, and the command', () => {
    const reason = cudaUnavailable(native({ libtorch: withCuda('incomplete'), cuda: '/x.so' }))
    expect(reason).toMatch(/lacks libfakecublas\.so\.13\. Run `npx vision-native setup --cuda`/)
  })

  test('without our CUDA library names it, and the command', () => {
    const reason = cudaUnavailable(native({ libtorch: withCuda('all') }))
    expect(reason).toMatch(/^libvision_native_cuda\.so is not in .*\. Run `npm run build:cuda`/)
  })

  test('with all three is available', () => {
    expect(cudaUnavailable(native({ libtorch: withCuda('all'), cuda: '/x.so' }))).toBeUndefined()
  })
})

test('the project has been built', () => {
  // `npm test` builds first; without a build the tests above would fail for a reason that is hard to see.
  expect(existsSync(join(PROJECT, 'build/Release', BRIDGE))).toBe(true)
})
