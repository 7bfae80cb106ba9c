import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { npmBin, ROOT, run } from './run'

const DIST = join(ROOT, 'dist')
/** Not in dist/, all of which is published. */
const STAMP = join(ROOT, '.cache/dist-built-from')

/** The bundler of types holds all of them at once, in a thread whose heap is limited as its process's is. */
const TYPES_HEAP = '--max-old-space-size=12288'

/** Bundles lib/ into dist/ with tsup, unless dist/ was made from the same sources. */
export async function buildJs(): Promise<void> {
  const started = performance.now()
  const sources = fingerprint()
  const complete = existsSync(STAMP) && existsSync(join(DIST, 'index.js')) && existsSync(join(DIST, 'index.d.ts'))
  if (complete && readFileSync(STAMP, 'utf8') === sources) {
    console.log(`js: ${DIST} is up to date`)
    return
  }
  rmSync(DIST, { recursive: true, force: true })
  await run(npmBin('tsup'), ['--silent'], { NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} ${TYPES_HEAP}` })
  mendNamespaces()
  writeCommonJsTypes()
  chmodSync(join(DIST, 'cli/main.js'), 0o755)
  mkdirSync(dirname(STAMP), { recursive: true })
  writeFileSync(STAMP, sources)
  console.log(`js: built ${DIST} (${((performance.now() - started) / 1000).toFixed(1)} s)`)
}

/** The bundler of types takes the types that a namespace (`export * as functional`) has from another chunk for values. */
function mendNamespaces(): void {
  const types = typeNames()
  for (const name of filesIn(DIST).filter((file) => file.endsWith('.d.ts'))) {
    const text = readFileSync(join(DIST, name), 'utf8')
    const mended = text.replace(/^declare const (\w+): typeof (\w+);$/gm, (line, alias: string, type: string) =>
      types.has(type) ? `type ${alias} = ${type};` : line,
    )
    if (mended !== text) writeFileSync(join(DIST, name), mended)
  }
}

/** Names that lib/ exports as types and never as values. */
function typeNames(): Set<string> {
  const sources = filesIn(join(ROOT, 'lib')).filter((name) => name.endsWith('.ts'))
  const text = sources.map((name) => readFileSync(join(ROOT, 'lib', name), 'utf8')).join('\n')
  const names = (pattern: RegExp) => [...text.matchAll(pattern)].map(([, name = '']) => name)
  const values = new Set(names(/^export (?:abstract class|class|const|(?:async )?function\*?|enum|let) (\w+)/gm))
  return new Set(names(/^export (?:interface|type) (\w+)/gm).filter((name) => !values.has(name)))
}

/** A `.d.cts` beside each `.d.ts`: TypeScript takes it for the CommonJS build, whose files end in `.cjs`. */
function writeCommonJsTypes(): void {
  for (const name of filesIn(DIST).filter((file) => file.endsWith('.d.ts'))) {
    const types = readFileSync(join(DIST, name), 'utf8')
    const commonJs = types.replace(/((?:from|import\()\s*['"]\.{1,2}\/[^'"]+)\.js(?=['"])/g, '$1.cjs')
    writeFileSync(join(DIST, name.replace(/\.d\.ts$/, '.d.cts')), commonJs)
  }
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
  for (const name of [...lib.sort(), 'bindings.d.ts', 'package.json', 'tsconfig.json', 'tsup.config.ts']) {
    const { mtimeMs, size } = statSync(join(ROOT, name))
    hash.update(`${name} ${size} ${mtimeMs}\n`)
  }
  return hash.digest('hex')
}
