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
  /** The library and what it needs outside the system's folders, dependencies first. */
  readonly libraries: readonly string[]
  /**
   * Those to open, in this order: the library, last, and before it what the linker would not find by itself. The others
   * are left to the linker, because some of them use symbols of libraries that they do not name.
   */
  readonly open: readonly string[]
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
 * Follows the needed libraries of `library` as the dynamic linker would: run path, `LD_LIBRARY_PATH`, system folders;
 * then looks beside the library and in `extraFolders`, where the linker would not look.
 *
 * @throws Error when `library` or one that it needs is not an ELF library
 */
export function closureOf(
  library: string,
  extraFolders: readonly string[] = [],
  env: NodeJS.ProcessEnv = process.env,
): Closure {
  const libraries: string[] = []
  const open: string[] = []
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
      const found = findIn([...runPath, ...environment], soname)
      if (found) {
        visit(found, runPath)
      } else if (!isSystemLibrary(soname)) {
        const extra = findIn([dirname(path), ...extraFolders], soname)
        if (extra) {
          visit(extra, runPath)
          open.push(extra)
        } else missing.push({ soname, neededBy: path })
      }
    }
    libraries.push(path)
  }
  visit(library, [])
  open.push(library)
  return { libraries, open, missing }
}

function findIn(folders: readonly string[], soname: string): string | undefined {
  return folders.map((folder) => join(folder, soname)).find((path) => existsSync(path))
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
