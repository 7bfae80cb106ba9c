import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, join, resolve } from 'node:path'
import { LoadError } from './errors'
import type { LibTorchFolder } from './libtorch-folder'
import { packageRoot } from './package-root'

/** Names of the libraries beside the loader. */
export const BRIDGE = 'libvision_native_node.so'
export const OPERATORS = 'libvision_native.so'
export const CUDA_OPERATORS = 'libvision_native_cuda.so'
/** What the binaries were built for, written by the build beside them. */
export const MANIFEST = 'vision_native.json'

/** What is said where musl stands in for glibc. */
export const NO_GLIBC =
  'musl. The binaries and LibTorch need glibc 2.28 or newer; Alpine and other musl systems do not have it. ' +
  'Use an image such as node:20-bookworm-slim.'

/** Contents of `vision_native.json`. */
export interface BinaryManifest {
  /** Version of this package. */
  readonly version: string
  readonly libtorch: string
  readonly cuda: string | null
  readonly abi: string
  /** GPU architectures of the CUDA library, such as `sm_90` and `compute_90`; empty without it. */
  readonly sm: readonly string[]
  /** Newest symbol versions that the binaries ask for. */
  readonly glibc: string
  readonly glibcxx: string
  /** SHA-256 of each binary. */
  readonly files: Readonly<Record<string, string>>
}

/** Our binaries, all in one folder. */
export interface Binaries {
  readonly folder: string
  readonly origin: 'VISION_NATIVE_BUILD' | 'build' | 'prebuild'
  readonly loader: string
  readonly bridge: string
  /** The CUDA library, where it was built. */
  readonly cuda: string | undefined
  /** Absent in a folder that a plain `cmake --build` filled. */
  readonly manifest: BinaryManifest | undefined
}

/**
 * Finds our binaries: the folder in `VISION_NATIVE_BUILD`, or else a local build, or else the prebuilt ones, by
 * node-gyp-build's rules.
 *
 * @throws LoadError when they are not there or their folder is incomplete
 */
export function findBinaries(env: NodeJS.ProcessEnv = process.env, root: string = packageRoot()): Binaries {
  if (env.VISION_NATIVE_BUILD) {
    const folder = resolve(env.VISION_NATIVE_BUILD)
    const name = existsSync(folder) ? readdirSync(folder).find((file) => file.endsWith('.node')) : undefined
    if (name === undefined) {
      throw new LoadError(
        `VISION_NATIVE_BUILD=${folder} ${existsSync(folder) ? 'holds no .node file' : 'is no folder'}. ` +
          'Set it to a folder that a build filled, such as build/Release, or unset it.',
      )
    }
    return gather(folder, name, 'VISION_NATIVE_BUILD')
  }

  const loader = resolveLoader(root)
  const folder = join(loader, '..')
  return gather(folder, basename(loader), folder.startsWith(join(root, 'build/')) ? 'build' : 'prebuild')
}

function resolveLoader(root: string): string {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new LoadError(
      `@lab/vision-native runs on Linux x64; this is ${process.platform} ${process.arch}, for which it has no binaries.`,
    )
  }
  const nodeGypBuild: { path(folder: string): string } = createRequire(import.meta.url)('node-gyp-build')
  try {
    return nodeGypBuild.path(root)
  } catch (cause) {
    // node-gyp-build's own sign of musl, for which it would look for other files.
    if (existsSync('/etc/alpine-release')) throw new LoadError(`This system's C library is ${NO_GLIBC}`, { cause })
    throw new LoadError(
      `No binaries of @lab/vision-native are in ${join(root, 'build/Release')} or ${join(root, 'prebuilds/linux-x64')}. ` +
        'Run `npm run build` in a working copy; an installed package has them in its tarball, so reinstall it.',
      { cause },
    )
  }
}

function gather(folder: string, loader: string, origin: Binaries['origin']): Binaries {
  for (const name of [BRIDGE, OPERATORS]) {
    if (existsSync(join(folder, name))) continue
    throw new LoadError(
      `${folder} holds ${loader} but not ${name}. ${
        origin === 'prebuild' ? 'Reinstall @lab/vision-native.' : 'Run `npm run build` again.'
      }`,
    )
  }
  const cuda = join(folder, CUDA_OPERATORS)
  return {
    folder,
    origin,
    loader: join(folder, loader),
    bridge: join(folder, BRIDGE),
    cuda: existsSync(cuda) ? cuda : undefined,
    manifest: readManifest(join(folder, MANIFEST)),
  }
}

function readManifest(path: string): BinaryManifest | undefined {
  if (!existsSync(path)) return undefined
  try {
    const { version, libtorch, cuda, abi, sm, glibc, glibcxx, files } = JSON.parse(readFileSync(path, 'utf8'))
    const texts = [version, libtorch, cuda ?? '', abi, glibc, glibcxx, ...sm, ...Object.values(files)]
    if (!texts.every((text) => typeof text === 'string')) throw new TypeError('a field has the wrong type')
    return { version, libtorch, cuda, abi, sm, glibc, glibcxx, files }
  } catch (cause) {
    throw new LoadError(`${path} cannot be read: ${(cause as Error).message}. Run \`npm run build\`, or reinstall.`, {
      cause,
    })
  }
}

/** Compares what the binaries were built for with the LibTorch that was found; the first difference, or undefined. */
export function mismatchWithLibTorch(manifest: BinaryManifest, libtorch: LibTorchFolder): string | undefined {
  if (manifest.libtorch !== libtorch.version) {
    return `the binaries are for LibTorch ${manifest.libtorch}, ${libtorch.root} is LibTorch ${libtorch.version}`
  }
  if (manifest.abi !== libtorch.abi) {
    return `the binaries are for the ${manifest.abi} ABI, ${libtorch.root} has the ${libtorch.abi} ABI`
  }
  return undefined
}

/** Names of the binaries whose contents differ from the manifest's checksums. */
export function damagedFiles(binaries: Binaries, names?: readonly string[]): string[] {
  const { manifest, folder } = binaries
  if (!manifest) return []
  return Object.entries(manifest.files)
    .filter(([name]) => !names || names.includes(name))
    .filter(([name, expected]) => {
      const path = join(folder, name)
      return !existsSync(path) || createHash('sha256').update(readFileSync(path)).digest('hex') !== expected
    })
    .map(([name]) => name)
}

/** True when dotted version `a` is older than `b`. */
export function olderThan(a: string, b: string): boolean {
  const [left, right] = [a, b].map((text) => text.split('.').map(Number))
  for (let i = 0; i < Math.max(left?.length ?? 0, right?.length ?? 0); i++) {
    const difference = (left?.[i] ?? 0) - (right?.[i] ?? 0)
    if (difference !== 0) return difference < 0
  }
  return false
}
