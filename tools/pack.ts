import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { capture } from './run'

/** What `npm publish` would send. */
export interface Tarball {
  readonly path: string
  readonly bytes: number
  /** Below the package's folder. */
  readonly files: readonly string[]
}

/** Packs the package as it stands into a folder. */
export function pack(folder: string): Tarball {
  const [report]: { filename: string }[] = JSON.parse(capture('npm', ['pack', '--json', '--pack-destination', folder]))
  return tarballAt(join(folder, report?.filename ?? ''))
}

export function tarballAt(path: string): Tarball {
  const names = execFileSync('tar', ['tzf', path], { encoding: 'utf8' }).trim().split('\n')
  return { path, bytes: statSync(path).size, files: names.map((name) => name.replace(/^package\//, '')) }
}
