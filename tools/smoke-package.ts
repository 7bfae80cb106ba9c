// `npm run test:package [-- --all] [--tarball FILE]`: installs the tarball without scripts into an empty app, and runs
// the README's first script there from ESM, CommonJS, a worker thread and TypeScript, and a script that imports every
// subpath, on every supported line of Node. `--all`: with every package manager and bundler, and the strictest compiler.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { pack } from './pack'
import { COMPILED, compileApp, PROGRAMS, writeApp } from './smoke/app'
import { BUNDLERS } from './smoke/bundlers'
import { MANAGERS, type Manager, npm } from './smoke/managers'
import { NODES, nodeOf, runIn } from './smoke/npm-tool'

const { values: options } = parseArgs({
  options: {
    all: { type: 'boolean', default: false },
    tarball: { type: 'string' },
    manager: { type: 'string', multiple: true },
    node: { type: 'string', multiple: true },
  },
})
const nodes = NODES.filter((version) => options.node?.some((line) => version.startsWith(`${line}.`)) ?? true)
const work = mkdtempSync(join(tmpdir(), 'vision-native-app-'))
let passed = 0
let failed = 0
try {
  main()
} finally {
  rmSync(work, { recursive: true, force: true })
}

function main(): void {
  const tarball = options.tarball ? resolve(options.tarball) : pack(work).path
  console.log(`${''.padEnd(32)}${nodes.map((version) => version.padEnd(10)).join('')}`)
  for (const manager of options.all ? MANAGERS : [npm]) {
    if (options.manager && !options.manager.includes(manager.name)) continue
    const app = join(work, manager.name.replaceAll(' ', '-'))
    mkdirSync(app)
    writeApp(app, tarball)
    if (!attempt(`${manager.name}, install`, () => manager.install(app))) continue
    runPrograms(manager, app)
    rmSync(app, { recursive: true })
  }
  console.log(`${passed} passed, ${failed} failed`)
  if (failed > 0 || passed === 0) process.exitCode = 1
}

function runPrograms(manager: Manager, app: string): void {
  for (const [form, file] of PROGRAMS) runOnNodes(manager, app, form, file)
  if (!manager.folders) return
  const strict = options.all && manager === npm
  if (attempt(`${manager.name}, tsc, NodeNext`, () => compileApp(app, 'NodeNext', strict))) {
    for (const [form, file] of COMPILED) runOnNodes(manager, app, form, file)
  }
  if (!strict) return
  attempt(`${manager.name}, tsc, Bundler`, () => compileApp(app, 'Bundler', strict))
  for (const [name, bundle] of Object.entries(BUNDLERS)) {
    let file = ''
    attempt(`${manager.name}, ${name}, bundle`, () => {
      file = bundle(app)
    })
    if (file) runOnNodes(manager, app, name, file)
  }
}

/** Runs a program of the app on each Node: a row of the table. */
function runOnNodes(manager: Manager, app: string, form: string, file: string): void {
  const results = nodes.map((version) => outcome(() => runIn(app, nodeOf(version), manager.command(file))))
  print(`${manager.name}, ${form}`, results)
}

/** Does what no Node has a column for. */
function attempt(label: string, work: () => void): boolean {
  const result = outcome(work)
  print(label, [result])
  return result === undefined
}

/** What went wrong; undefined when nothing did. */
function outcome(work: () => void): string | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function print(label: string, results: readonly (string | undefined)[]): void {
  const failures = results.filter((result) => result !== undefined)
  passed += results.length - failures.length
  failed += failures.length
  console.log(label.padEnd(32) + results.map((result) => (result === undefined ? 'ok' : 'FAILED').padEnd(10)).join(''))
  for (const failure of new Set(failures)) console.log(`    ${failure.replaceAll('\n', '\n    ')}`)
}
