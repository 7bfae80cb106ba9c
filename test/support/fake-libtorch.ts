import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { writeFakeElf } from './fake-elf'

/** A folder that is removed when the test is over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'vision-native-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** What a fake LibTorch differs in from a good one. Its CUDA libraries have names that no system has installed. */
export interface FakeLibTorch {
  readonly version?: string
  /** `None`, or a version such as `13.0`. */
  readonly cuda?: string
  readonly layout?: 'package' | 'archive' | 'dist-info' | 'silent'
  readonly oldAbi?: boolean
  /** With libtorch_cuda.so, and with the library that it needs. */
  readonly cudaLibraries?: 'all' | 'incomplete'
  /** Without the CUDA runtime beside it, which libtorch_cpu.so needs. */
  readonly withoutRuntime?: boolean
  readonly hip?: string
}

/** Makes a folder that looks like LibTorch to everything but a linker, at `site/torch`; returns its path. */
export function makeFakeLibTorch(site: string, fake: FakeLibTorch = {}): string {
  const { version = '2.11.0+cu130', cuda = '13.0', layout = 'package' } = fake
  const root = join(site, 'torch')
  const lib = join(root, 'lib')
  const nvidia = join(site, 'nvidia/cu13/lib')
  for (const folder of [lib, join(root, 'include/ATen/core'), nvidia]) mkdirSync(folder, { recursive: true })

  if (layout === 'package') {
    const none = (text: string | undefined) => (text && text !== 'None' ? `'${text}'` : 'None')
    writeFileSync(
      join(root, 'version.py'),
      `from typing import Optional\n\n__version__ = '${version}'\ndebug = False\n` +
        `cuda: Optional[str] = ${none(cuda)}\ngit_version = '70d99e9'\nhip: Optional[str] = ${none(fake.hip)}\n`,
    )
  }
  if (layout === 'archive') writeFileSync(join(root, 'build-version'), `${version}\n`)
  if (layout === 'dist-info') mkdirSync(join(site, `torch-${version}.dist-info`))

  const runPath = '$ORIGIN/../../nvidia/cu13/lib:$ORIGIN'
  writeFakeElf(join(lib, 'libc10.so'), {
    soname: 'libc10.so',
    needed: ['libc.so.6'],
    contents: fake.oldAbi ? '_ZN3c105ErrorC1ESs' : '_ZN3c105ErrorC1ENSt7__cxx1112basic_string',
  })
  const needed = ['libc10.so', 'libfakecudart.so.13', 'libc.so.6']
  writeFakeElf(join(lib, 'libtorch_cpu.so'), { soname: 'libtorch_cpu.so', needed, runPath })
  if (!fake.withoutRuntime) writeFakeElf(join(nvidia, 'libfakecudart.so.13'), { soname: 'libfakecudart.so.13' })

  if (fake.cudaLibraries) {
    const names = ['libtorch_cpu.so', 'libfakecublas.so.13']
    writeFakeElf(join(lib, 'libtorch_cuda.so'), { soname: 'libtorch_cuda.so', needed: names, runPath })
  }
  if (fake.cudaLibraries === 'all') writeFakeElf(join(nvidia, 'libfakecublas.so.13'), { soname: 'libfakecublas.so.13' })
  return root
}

/** Makes a folder for PATH that holds one command, a shell script. */
export function makeCommand(folder: string, name: string, script: string): string {
  const bin = join(folder, 'bin')
  mkdirSync(bin, { recursive: true })
  const path = join(bin, name)
  writeFileSync(path, `#!/bin/sh\n${script}\n`)
  chmodSync(path, 0o755)
  return bin
}
