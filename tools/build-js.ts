import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { npmBin, ROOT, run } from './run'

const DIST = join(ROOT, 'dist')
/** Not in dist/, all of which is published. */
const STAMP = join(ROOT, '.cache/dist-built-from')

/** Bundles lib/ into dist/ with tsup, unless dist/ was made from the same sources. */
export async function buildJs(): Promise<void> {
  const started = performance.now()
  const sources = fingerprint()
  const complete = existsSync(STAMP) && existsSync(join(DIST, 'index.js')) && existsSync(join(DIST, 'index.d.ts'))
  if (complete && readFileSync(STAMP, 'utf8') === sources) {
    console.log(`js: ${DIST} is up to date`)
    return
  }
  await run(npmBin('tsup'), ['--silent'])
  chmodSync(join(DIST, 'cli/main.js'), 0o755)
  mkdirSync(dirname(STAMP), { recursive: true })
  writeFileSync(STAMP, sources)
  console.log(`js: built ${DIST} (${((performance.now() - started) / 1000).toFixed(1)} s)`)
}

/** Changes when a source file is added, removed or written. */
function fingerprint(): string {
  const lib = readdirSync(join(ROOT, 'lib'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join('lib', name))
  const hash = createHash('sha256')
  for (const name of [...lib.sort(), 'bindings.d.ts', 'package.json', 'tsconfig.json', 'tsup.config.ts']) {
    const { mtimeMs, size } = statSync(join(ROOT, name))
    hash.update(`${name} ${size} ${mtimeMs}\n`)
  }
  return hash.digest('hex')
}
