import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LoadError } from './errors'

const NAME = '@lab/vision-native'

let root: string | undefined

/** Folder of this package: the same from `lib/`, from `dist/` and from a chunk that a bundler split off. */
export function packageRoot(): string {
  root ??= search(dirname(fileURLToPath(import.meta.url)))
  return root
}

/** Version in package.json. */
export function packageVersion(): string {
  const { version } = readManifest(packageRoot()) ?? {}
  return typeof version === 'string' ? version : 'unknown'
}

function search(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (readManifest(folder)?.name === NAME) return folder
    if (folder === dirname(folder)) break
  }
  throw new LoadError(
    `No package.json of ${NAME} lies above ${start}. Its binaries are found relative to it: ` +
      `mark ${NAME} as external in your bundler's options, so that it stays in node_modules.`,
  )
}

function readManifest(folder: string): { name?: unknown; version?: unknown } | undefined {
  const path = join(folder, 'package.json')
  if (!existsSync(path)) return undefined
  const manifest: unknown = JSON.parse(readFileSync(path, 'utf8'))
  return typeof manifest === 'object' && manifest !== null ? manifest : undefined
}
