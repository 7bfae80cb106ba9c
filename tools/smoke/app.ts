import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { ROOT } from '../run'
import { runIn } from './npm-tool'

/** What is run in the app: how it is called, and its file. */
export const PROGRAMS = [
  ['ESM', 'app.mjs'],
  ['CommonJS', 'app.cjs'],
  ['worker thread', 'worker.mjs'],
  ['subpaths, CommonJS', 'subpaths.cjs'],
] as const
/** What `tsc` makes of the same. */
export const COMPILED = [
  ['TypeScript', 'build/app.mjs'],
  ['subpaths, ESM', 'build/subpaths.mjs'],
] as const

/** Writes an app that depends on the tarball: the README's first script in its forms, and imports of every subpath. */
export function writeApp(app: string, tarball: string): void {
  cpSync(tarball, join(app, basename(tarball)))
  const dependencies = { [packageName()]: `file:./${basename(tarball)}`, '@types/node': '20' }
  write('package.json', JSON.stringify({ name: 'app', version: '1.0.0', private: true, dependencies }))
  for (const name of ['rubberwhale1.png', 'rubberwhale2.png'])
    cpSync(join(ROOT, 'examples/data', name), join(app, name))

  const script = readmeScript()
  write('app.mjs', script)
  write('app.mts', script)
  write('app.cjs', toCommonJs(script))
  write(
    'worker.mjs',
    "import { Worker } from 'node:worker_threads'\n" +
      "const code = await new Promise((done) => new Worker(new URL('./app.mjs', import.meta.url)).on('exit', done))\n" +
      'process.exitCode = code\n',
  )
  const names = subpaths()
  const imports = names.map((name, i) => `import * as part${i} from '${name}'`).join('\n')
  const requires = names.map((name, i) => `const part${i} = require('${name}')`).join('\n')
  const check = `
const parts = { ${names.map((name, i) => `'${name}': part${i}`).join(', ')} }
for (const [name, part] of Object.entries(parts)) if (Object.keys(part).length === 0) throw new Error(name + ' is empty')
console.log(Object.keys(parts).length + ' subpaths')\n`
  write('subpaths.mts', imports + check)
  write('subpaths.cjs', requires + check)
  // The declarations for `require` have no program of their own.
  write('types.cts', `${imports}\nexport const parts = [${names.map((_, i) => `part${i}`).join(', ')}]\n`)

  function write(name: string, text: string): void {
    writeFileSync(join(app, name), text)
  }
}

/** How a consumer may compile: the module resolutions that know "exports", the first as both kinds of module. */
const RESOLUTIONS = {
  NodeNext: { module: 'NodeNext', files: ['app.mts', 'subpaths.mts', 'types.cts'], outDir: 'build' },
  Bundler: { module: 'ESNext', moduleResolution: 'Bundler', files: ['app.mts', 'subpaths.mts'], noEmit: true },
} as const

/** Compiles the app; `strict`: the package's declarations are checked too, as `skipLibCheck: false` does. */
export function compileApp(app: string, resolution: keyof typeof RESOLUTIONS, strict: boolean): void {
  const { files, ...special } = RESOLUTIONS[resolution]
  const options = { ...special, strict: true, target: 'ES2022', skipLibCheck: !strict, types: ['node'] }
  const config = join(app, `tsconfig.${resolution}.json`)
  writeFileSync(config, JSON.stringify({ compilerOptions: options, files }))
  runIn(app, process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', config])
}

/** The first script of README.md: what a newcomer copies. */
function readmeScript(): string {
  const text = /```js\n([\s\S]*?)```/.exec(readFileSync(join(ROOT, 'README.md'), 'utf8'))?.[1]
  if (!text) throw new Error('README.md has no ```js block')
  return text
}

function toCommonJs(script: string): string {
  const body = script.replace(/^import (\{[^}]*\}) from ('[^']*')/gm, 'const $1 = require($2)')
  return `;(async () => {\n${body}\n})().catch((error) => {\n  console.error(error)\n  process.exitCode = 1\n})\n`
}

/** Every way into the package that is a module with one name. */
function subpaths(): string[] {
  const { exports } = packageJson()
  return Object.keys(exports)
    .filter((path) => !path.includes('*') && !path.endsWith('.json'))
    .map((path) => packageName() + path.slice(1))
}

function packageName(): string {
  return packageJson().name
}

function packageJson(): { name: string; exports: Record<string, unknown> } {
  return JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
}
