import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { npmTool, runIn } from './npm-tool'

/** A package manager of npm's registry. */
export interface Manager {
  readonly name: string
  /** Installs what the app's package.json asks for, without running scripts. */
  install(app: string): void
  /** Arguments with which a Node runs a file of the app. */
  command(file: string): string[]
  /** False where packages stay in archives, which `tsc` and the bundlers read through plugins only. */
  readonly folders: boolean
}

export const npm: Manager = {
  name: 'npm',
  install: (app) => runIn(app, 'npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund']),
  command: (file) => [file],
  folders: true,
}

const pnpm: Manager = {
  name: 'pnpm',
  install: (app) => {
    const program = npmTool('pnpm', '10.34.9', 'bin/pnpm.cjs')
    runIn(app, process.execPath, [program, 'install', '--ignore-scripts', '--store-dir', join(app, '.store')])
  },
  command: (file) => [file],
  folders: true,
}

const yarnClassic: Manager = {
  name: 'yarn 1',
  install: (app) => {
    const program = npmTool('yarn', '1.22.22', 'bin/yarn.js')
    const cache = join(app, '.yarn-cache')
    const flags = ['--ignore-scripts', '--non-interactive', '--no-lockfile', '--cache-folder', cache]
    runIn(app, process.execPath, [program, 'install', ...flags])
  },
  command: (file) => [file],
  folders: true,
}

/** Yarn's own way: no node_modules, packages stay in archives, but for those that hold binaries. */
const yarnPnp: Manager = {
  name: 'yarn 4 PnP',
  install: (app) => {
    writeFileSync(
      join(app, '.yarnrc.yml'),
      'enableGlobalCache: false\nenableImmutableInstalls: false\nenableScripts: false\nenableTelemetry: false\n',
    )
    writeFileSync(join(app, 'yarn.lock'), '')
    const registry = runIn(app, 'npm', ['config', 'get', 'registry']).trim()
    runIn(app, process.execPath, [yarn4(), 'install'], { YARN_NPM_REGISTRY_SERVER: registry })
  },
  command: (file) => [yarn4(), 'node', file],
  folders: false,
}

export const MANAGERS: readonly Manager[] = [npm, pnpm, yarnClassic, yarnPnp]

function yarn4(): string {
  return npmTool('@yarnpkg/cli-dist', '4.18.1', 'bin/yarn.js')
}
