import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readElf } from './elf'

/** A library that another one needs and that is nowhere to be found. */
export interface MissingLibrary {
  readonly soname: string
  readonly neededBy: string
}

/** What opening a library would bring in. */
export interface Closure {
  /** The library and what it needs outside the system's folders, dependencies first: the order to open them in. */
  readonly libraries: readonly string[]
  readonly missing: readonly MissingLibrary[]
}

const SYSTEM_FOLDERS = [
  '/lib/x86_64-linux-gnu',
  '/usr/lib/x86_64-linux-gnu',
  '/lib64',
  '/usr/lib64',
  '/lib',
  '/usr/lib',
]

/**
 * Follows the needed libraries of `library` as the dynamic linker would: run path, `LD_LIBRARY_PATH`, system folders,
 * and `extraFolders` last, which the linker would not look at (hence the list of absolute paths to open).
 *
 * @throws Error when `library` or one that it needs is not an ELF library
 */
export function closureOf(
  library: string,
  extraFolders: readonly string[] = [],
  env: NodeJS.ProcessEnv = process.env,
): Closure {
  const libraries: string[] = []
  const missing: MissingLibrary[] = []
  const seen = new Set<string>()
  const environment = (env.LD_LIBRARY_PATH ?? '').split(':').filter(Boolean)

  const visit = (path: string, inherited: readonly string[]) => {
    const elf = readElf(path)
    const own = elf.searchPath.map((folder) => folder.replace(/\$\{?ORIGIN\}?/g, dirname(path)))
    const runPath = [...own, ...inherited]
    for (const soname of elf.needed) {
      if (seen.has(soname)) continue
      seen.add(soname)
      const found = [...runPath, ...environment, dirname(path)]
        .map((folder) => join(folder, soname))
        .find((candidate) => existsSync(candidate))
      if (found) {
        visit(found, runPath)
      } else if (!isSystemLibrary(soname)) {
        const extra = extraFolders.map((folder) => join(folder, soname)).find((candidate) => existsSync(candidate))
        if (extra) visit(extra, runPath)
        else missing.push({ soname, neededBy: path })
      }
    }
    libraries.push(path)
  }
  visit(library, [])
  return { libraries, missing }
}

let linkerCache: Buffer | undefined

/** True when the dynamic linker finds the library by name alone. */
export function isSystemLibrary(soname: string): boolean {
  if (SYSTEM_FOLDERS.some((folder) => existsSync(join(folder, soname)))) return true
  // The linker's cache lists absolute paths as C strings; its layout beyond that does not matter here.
  try {
    linkerCache ??= readFileSync('/etc/ld.so.cache')
  } catch {
    linkerCache = Buffer.alloc(0)
  }
  return linkerCache.includes(`/${soname}\0`)
}
