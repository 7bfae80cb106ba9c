import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { dirname } from 'node:path'
import type { Bridge, Loader } from '../../bindings'
import {
  type Binaries,
  BRIDGE,
  damagedFiles,
  findBinaries,
  mismatchWithLibTorch,
  OPERATORS,
  olderThan,
} from './binaries'
import { LoadError } from './errors'
import { findLibTorch } from './libtorch'
import { inspectLibTorch, type LibTorchFolder } from './libtorch-folder'
import { LIBTORCH_VERSION } from './required'

/** What this thread has opened. */
export interface Native {
  readonly bridge: Bridge
  readonly loader: Loader
  readonly binaries: Binaries
  readonly libtorch: LibTorchFolder
}

// The ESM and the CommonJS build may be in one process; the bridge must exist once a thread all the same.
const STATE = Symbol.for('@lab/vision-native/1')
const host = globalThis as { [STATE]?: { loaded?: Native } }

/**
 * Opens LibTorch and our binaries, once a thread. Nothing is loaded before versions, ABI and checksums agree.
 *
 * @throws LoadError that says what was looked for, what was found, and the command that mends it
 */
export function loadNative(): Native {
  host[STATE] ??= {}
  host[STATE].loaded ??= open()
  return host[STATE].loaded
}

/** The bridge of this thread; see {@link loadNative}. */
export function loadBridge(): Bridge {
  return loadNative().bridge
}

function open(): Native {
  const binaries = findBinaries()
  checkBinaries(binaries)
  const loader = openLoader(binaries)
  checkGlibc(binaries, loader)

  const libtorch = loader.isOpen('libtorch_cpu.so') ? openedLibTorch() : findLibTorch()
  const mismatch = binaries.manifest && mismatchWithLibTorch(binaries.manifest, libtorch)
  if (mismatch) throw new LoadError(`${binaries.folder} does not fit: ${mismatch}. ${remedy(binaries)}`)

  for (const library of libtorch.libraries) openLibrary(loader, library)
  return { bridge: openBridge(binaries, libtorch), loader, binaries, libtorch }
}

/** Prebuilt files may have been cut short on their way; a local build is newer than its manifest at times. */
function checkBinaries(binaries: Binaries): void {
  if (binaries.origin !== 'prebuild') return
  const damaged = damagedFiles(binaries, [binaries.loader, BRIDGE, OPERATORS].map(nameOf))
  if (damaged.length === 0) return
  throw new LoadError(
    `${damaged.join(', ')} in ${binaries.folder} differ from the checksums of the build. ${remedy(binaries)}`,
  )
}

/** Opens the loader, the one binary that needs neither LibTorch nor a recent C++ library. */
export function openLoader(binaries: Binaries): Loader {
  try {
    return createRequire(binaries.loader)(binaries.loader)
  } catch (cause) {
    throw new LoadError(explain(binaries, nameOf(binaries.loader), cause as Error), { cause })
  }
}

function checkGlibc({ manifest, folder }: Binaries, loader: Loader): void {
  const running = loader.glibcVersion()
  if (!manifest || !olderThan(running, manifest.glibc)) return
  throw new LoadError(
    `The binaries in ${folder} need glibc ${manifest.glibc} or newer; this system has ${running}. ` +
      'Use a newer distribution, or build the package on this machine with `npm run build`.',
  )
}

/**
 * The LibTorch that is in the process already: opened by another thread of ours, or by another addon, in which case
 * the linker would bind our binaries to it whatever we found elsewhere.
 */
function openedLibTorch(): LibTorchFolder {
  const path = /\s(\/\S.*\/libtorch_cpu\.so)$/m.exec(readFileSync('/proc/self/maps', 'utf8'))?.[1]
  if (path === undefined) return findLibTorch()
  const inspection = inspectLibTorch(dirname(dirname(path)))
  if (inspection.ok) return inspection.folder
  throw new LoadError(
    `This process has opened ${path} already, and that ${inspection.reason}. One process holds one LibTorch: ` +
      `make the other addon use LibTorch ${LIBTORCH_VERSION}, or use it in a process of its own.`,
  )
}

/** Opens one library of LibTorch; what it needs has been opened before it. */
export function openLibrary(loader: Loader, path: string): void {
  try {
    loader.open(path)
  } catch (cause) {
    throw new LoadError(
      `${path} cannot be opened: ${(cause as Error).message}. ` +
        'Run `npx vision-native setup --force` to download LibTorch again, and `npx vision-native doctor` to see which is used.',
      { cause },
    )
  }
}

function openBridge(binaries: Binaries, libtorch: LibTorchFolder): Bridge {
  const module: { exports: unknown } = { exports: {} }
  try {
    process.dlopen(module, binaries.bridge, constants.dlopen.RTLD_NOW | constants.dlopen.RTLD_LOCAL)
  } catch (cause) {
    throw new LoadError(explain(binaries, BRIDGE, cause as Error, libtorch), { cause })
  }
  return module.exports as Bridge
}

/** Turns the dynamic linker's message into what is wrong and what to do. */
function explain(binaries: Binaries, name: string, error: Error, libtorch?: LibTorchFolder): string {
  const text = error.message
  const version = /version `(GLIBC|GLIBCXX)_([\d.]+)' not found/.exec(text)
  if (version) {
    const library = version[1] === 'GLIBC' ? 'C library (glibc)' : 'C++ library (libstdc++)'
    return (
      `${name} needs ${version[1]} ${version[2]}, which this system's ${library} is too old for. ` +
      'Use a newer distribution, or build the package on this machine with `npm run build`.'
    )
  }
  if (/undefined symbol|version .* not defined/.test(text)) {
    const used = libtorch ? ` with LibTorch ${libtorch.version} in ${libtorch.root}` : ''
    return `${name} does not fit${used}: ${text}. They come from different versions. ${remedy(binaries)}`
  }
  return `${name} cannot be opened: ${text}. ${remedy(binaries)}`
}

function remedy(binaries: Binaries): string {
  return binaries.origin === 'prebuild' ? 'Reinstall @lab/vision-native.' : 'Run `npm run build` again.'
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
