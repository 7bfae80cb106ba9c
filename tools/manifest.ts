import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BinaryManifest, CUDA_OPERATORS, MANIFEST, olderThan } from '../lib/native/binaries'
import type { LibTorchFolder } from '../lib/native/libtorch-folder'
import { packageVersion } from '../lib/native/package-root'
import { capture, ROOT } from './run'

/** Writes `vision_native.json` beside the binaries, unless they are older than the one that is there. */
export function writeManifest(folder: string, libtorch: LibTorchFolder): void {
  const path = join(folder, MANIFEST)
  const names = binaryNames(folder)
  const newest = Math.max(...names.map((name) => statSync(join(folder, name)).mtimeMs))
  if (existsSync(path) && statSync(path).mtimeMs >= newest) return
  writeFileSync(path, `${JSON.stringify(describeBinaries(folder, libtorch), undefined, 2)}\n`)
}

/** What the binaries in a folder were built for and ask for. */
export function describeBinaries(folder: string, libtorch: LibTorchFolder): BinaryManifest {
  const names = binaryNames(folder)
  return {
    version: packageVersion(),
    libtorch: libtorch.version,
    cuda: libtorch.cuda,
    abi: libtorch.abi,
    sm: names.includes(CUDA_OPERATORS) ? architectures() : [],
    ...symbolVersions(folder),
    files: Object.fromEntries(names.map((name) => [name, sha256(join(folder, name))])),
  }
}

/** Newest symbol versions that the binaries in a folder ask for. */
export function symbolVersions(folder: string): Pick<BinaryManifest, 'glibc' | 'glibcxx'> {
  const tables = binaryNames(folder).map((name) => capture('readelf', ['--version-info', '--wide', join(folder, name)]))
  const versions = tables.join('\n')
  return { glibc: newest(versions, 'GLIBC'), glibcxx: newest(versions, 'GLIBCXX') }
}

function binaryNames(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => /\.(node|so)$/.test(name))
    .sort()
}

function newest(versions: string, tag: string): string {
  const found = [...versions.matchAll(new RegExp(`Name: ${tag}_([\\d.]+)`, 'g'))].map((match) => match[1] ?? '0')
  return found.reduce((best, version) => (olderThan(best, version) ? version : best), '0')
}

/** GPU architectures that the CUDA library was last compiled for; PTX of the newest comes with them. */
function architectures(): string[] {
  const cache = join(ROOT, 'build-cuda/CMakeCache.txt')
  const built = existsSync(cache) && /^VISION_NATIVE_SM:\w+=(.+)$/m.exec(readFileSync(cache, 'utf8'))?.[1]
  if (!built) return []
  const versions = built.split(';')
  return [...versions.map((version) => `sm_${version}`), `compute_${versions.at(-1)}`]
}

function sha256(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex')
}
