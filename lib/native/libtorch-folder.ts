import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Variant } from './cache'
import { type Closure, closureOf, type MissingLibrary } from './linker'
import { CUDA_MAJOR, LIBTORCH_CUDA, LIBTORCH_VERSION } from './required'

/** A LibTorch that this package can use. */
export interface LibTorchFolder {
  /** Folder that holds `lib/` and `include/`. */
  readonly root: string
  readonly libDir: string
  readonly includeDir: string
  /** Version without its local part, such as `2.11.0`. */
  readonly version: string
  /** CUDA version it was built for, or null for a CPU-only build. */
  readonly cuda: string | null
  readonly abi: 'cxx11' | 'pre-cxx11'
  /** `cuda` when the CUDA part and every library that it needs are there. */
  readonly variant: Variant
  /** Absolute paths to open for the CPU, in this order. */
  readonly libraries: readonly string[]
  /** Further paths to open for CUDA; empty when `variant` is `cpu`. */
  readonly cudaLibraries: readonly string[]
  /** What the variant `cuda` lacks. */
  readonly missingCuda: readonly MissingLibrary[]
}

/** A usable folder, or why it is none. */
export type Inspection =
  | { readonly ok: true; readonly folder: LibTorchFolder }
  | { readonly ok: false; readonly reason: string }

/** Version and CUDA tag as files beside the libraries state them. */
export interface Release {
  readonly version: string
  readonly cuda: string | null
  readonly rocm: boolean
}

/** Looks at a folder without loading anything: its version, its CUDA tag, its C++ ABI and its libraries. */
export function inspectLibTorch(root: string, env: NodeJS.ProcessEnv = process.env): Inspection {
  const libDir = join(root, 'lib')
  const refuse = (reason: string): Inspection => ({ ok: false, reason })

  if (!existsSync(root)) return refuse('is not a folder')
  for (const name of ['libc10.so', 'libtorch_cpu.so']) {
    if (existsSync(join(libDir, name))) continue
    const inner = ['torch', 'libtorch']
      .map((child) => join(root, child))
      .find((child) => existsSync(join(child, 'lib', name)))
    return refuse(`has no lib/${name}${inner ? `; ${inner} has one` : ''}`)
  }

  const release = readRelease(root)
  if (!release) return refuse('states no version (no version.py, build-version or dist-info)')
  const { version, cuda } = release
  if (version !== LIBTORCH_VERSION) return refuse(`is LibTorch ${version}, not ${LIBTORCH_VERSION}`)
  if (release.rocm)
    return refuse(`is LibTorch ${version} for ROCm; needed is one for CUDA ${LIBTORCH_CUDA} or for the CPU`)
  if (cuda !== null && cuda.split('.')[0] !== CUDA_MAJOR) {
    return refuse(`is LibTorch ${version} for CUDA ${cuda}; needed is one for CUDA ${LIBTORCH_CUDA} or for the CPU`)
  }

  try {
    const abi = readFileSync(join(libDir, 'libc10.so')).includes('NSt7__cxx11') ? 'cxx11' : 'pre-cxx11'
    if (abi !== 'cxx11') return refuse(`is LibTorch ${version} with the old C++ ABI; needed is one with the cxx11 ABI`)

    const extra = nvidiaFolders(root)
    const cpu = closureOf(join(libDir, 'libtorch_cpu.so'), extra, env)
    const gap = cpu.missing[0]
    if (gap) return refuse(`is LibTorch ${version}, but ${gap.soname}, which libtorch_cpu.so needs, is not there`)

    const gpu = cudaClosure(libDir, extra, env)
    const complete = cuda !== null && gpu.missing.length === 0
    return {
      ok: true,
      folder: {
        root,
        libDir,
        includeDir: join(root, 'include'),
        version,
        cuda,
        abi,
        variant: complete ? 'cuda' : 'cpu',
        libraries: cpu.open,
        cudaLibraries: complete ? gpu.open.filter((path) => !cpu.open.includes(path)) : [],
        missingCuda: gpu.missing,
      },
    }
  } catch (error) {
    return refuse(`is LibTorch ${version}, but its libraries cannot be read: ${(error as Error).message}`)
  }
}

function cudaClosure(libDir: string, extra: readonly string[], env: NodeJS.ProcessEnv): Closure {
  const library = join(libDir, 'libtorch_cuda.so')
  if (!existsSync(library))
    return { libraries: [], open: [], missing: [{ soname: 'libtorch_cuda.so', neededBy: libDir }] }
  return closureOf(library, extra, env)
}

/** Folders of the `nvidia` packages beside the torch package, wherever their run paths point. */
function nvidiaFolders(root: string): string[] {
  const packages = join(dirname(root), 'nvidia')
  if (!existsSync(packages)) return []
  return readdirSync(packages)
    .map((name) => join(packages, name, 'lib'))
    .filter((folder) => existsSync(folder))
}

/** Reads the version from the torch package, from a LibTorch archive, or from the package's metadata beside it. */
export function readRelease(root: string): Release | undefined {
  const source = readText(join(root, 'version.py'))
  if (source !== undefined) {
    const value = (name: string) => new RegExp(`^${name}\\b[^=\\n]*=\\s*['"]([^'"]*)['"]`, 'm').exec(source)?.[1]
    const text = value('__version__')
    if (text === undefined) return undefined
    // `cuda` is a line of its own, and None in a CPU-only build, whatever the version's local part says.
    const stated = /^cuda\b[^=\n]*=/m.test(source)
    return { ...splitVersion(text), ...(stated && { cuda: value('cuda') ?? null }), rocm: value('hip') !== undefined }
  }

  const archive = readText(join(root, 'build-version'))
  if (archive !== undefined) return splitVersion(archive.trim())

  const metadata = existsSync(dirname(root))
    ? readdirSync(dirname(root)).flatMap((name) => /^torch-([^-]+)\.dist-info$/.exec(name)?.[1] ?? [])
    : []
  return metadata[0] === undefined ? undefined : splitVersion(metadata[0])
}

/** `2.11.0+cu130` → 2.11.0 for CUDA 13.0; `2.11.0+cpu` and `2.11.0` → for the CPU. */
function splitVersion(text: string): Release {
  const [version = text, local = ''] = text.split('+')
  const cuda = /^cu(\d+)(\d)$/.exec(local)
  return { version, cuda: cuda ? `${cuda[1]}.${cuda[2]}` : null, rocm: local.startsWith('rocm') }
}

function readText(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}
