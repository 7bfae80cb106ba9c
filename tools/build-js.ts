import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { library } from '../tsup.config'
import { buildTypes } from './build-types'
import { npmBin, ROOT, run } from './run'

const DIST = join(ROOT, 'dist')
/** Not in dist/, all of which is published. */
const STAMP = join(ROOT, '.cache/dist-built-from')

/** What decides, beside lib/, what is built. */
const SETTINGS = ['bindings.d.ts', 'package.json', 'tsconfig.json', 'tsconfig.types.json', 'tsup.config.ts']

/** Bundles lib/ into dist/ with tsup and writes the declarations, unless dist/ was made from the same sources. */
export async function buildJs(): Promise<void> {
  const started = performance.now()
  const sources = fingerprint()
  const complete = existsSync(STAMP) && existsSync(join(DIST, 'index.js')) && existsSync(join(DIST, 'index.d.ts'))
  if (complete && readFileSync(STAMP, 'utf8') === sources) {
    console.log(`js: ${DIST} is up to date`)
    return
  }
  rmSync(DIST, { recursive: true, force: true })
  await run(npmBin('tsup'), ['--silent'])
  await buildTypes(Object.values(library), DIST)
  chmodSync(join(DIST, 'cli/main.js'), 0o755)
  mkdirSync(dirname(STAMP), { recursive: true })
  writeFileSync(STAMP, sources)
  console.log(`js: built ${DIST} (${((performance.now() - started) / 1000).toFixed(1)} s)`)
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
}

/** Changes when a source file is added, removed or written. */
function fingerprint(): string {
  const lib = filesIn(join(ROOT, 'lib'))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join('lib', name))
  const hash = createHash('sha256')
  for (const name of [...lib.sort(), ...SETTINGS]) {
    const { mtimeMs, size } = statSync(join(ROOT, name))
    hash.update(`${name} ${size} ${mtimeMs}\n`)
  }
  return hash.digest('hex')
}
