import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bridge } from '../lib/native/frame'
import { findLibTorch } from '../lib/native/libtorch'
import { benchmarkTables } from './benchmark-tables'
import type { Surface } from './generate-ops/public-set'
import { buildSurface, type OperatorSurface } from './generate-ops/surface'
import { writeSurface } from './generate-ops/write'
import { networkTable } from './network-table'
import { operatorTable } from './operator-table'
import { systemPages } from './system-pages'
import { systemRegistry } from './system-registry'

const PACKAGE = resolve(dirname(fileURLToPath(import.meta.url)), '..')

/** The operator surface of the LibTorch that this machine has. */
export function currentSurface(): OperatorSurface {
  const yaml = join(findLibTorch().root, '../torchgen/packaged/ATen/native/native_functions.yaml')
  return buildSurface(bridge().schemas(), readFileSync(yaml, 'utf8'))
}

/** Generated files that differ from what this LibTorch gives, relative to the package. */
export async function staleFiles(surface: OperatorSurface = currentSurface()): Promise<string[]> {
  return (await generatedFiles(surface)).filter(([path, text]) => textAt(path) !== text).map(([path]) => path)
}

async function generatedFiles(surface: OperatorSurface): Promise<[path: string, text: string][]> {
  return [
    ...writeSurface(surface),
    ['docs/ops.md', operatorTable()],
    ['docs/benchmarks.md', benchmarkTables()],
    ['docs/networks.md', networkTable()],
    ['lib/registry.generated.ts', systemRegistry()],
    ...(await systemPages()),
  ]
}

function textAt(path: string): string | undefined {
  try {
    return readFileSync(join(PACKAGE, path), 'utf8')
  } catch {
    return undefined
  }
}

/** `npm run generate` writes the files; with `--check` it only says which are stale. */
async function main(): Promise<void> {
  const surface = currentSurface()
  if (process.argv.includes('--check')) {
    const stale = await staleFiles(surface)
    for (const path of stale) console.error(`${path} is stale: run \`npm run generate\``)
    process.exitCode = stale.length > 0 ? 1 : 0
    return
  }
  for (const [path, text] of await generatedFiles(surface)) writeFileSync(join(PACKAGE, path), text)
  console.log(summary(surface))
}

export function summary({ functions }: OperatorSurface): string {
  const overloads = functions.reduce((sum, f) => sum + f.candidates.length, 0)
  const count = (surface: Surface) => functions.filter((f) => f.surface === surface).length
  return `${count('public')} public and ${count('private')} private functions, ${overloads} overloads`
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) await main()
