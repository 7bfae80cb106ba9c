import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { PROJECT } from './installed-package'

/** How a run of the command ended. */
export interface CliResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Options of {@link runCli}. */
export interface CliOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly root?: string
  readonly cwd?: string
  /** A command that Node is run by, such as one that enters a network namespace. */
  readonly under?: readonly string[]
  /** Called with the running process, for sending signals. */
  readonly onSpawn?: (child: ChildProcess) => void
}

/** Runs `vision-native` from its sources, in a process of its own, with both outputs piped. */
export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const { env = {}, root = PROJECT, cwd = root, under = [], onSpawn } = options
  const tsx = join(PROJECT, 'node_modules/tsx/dist/loader.mjs')
  return new Promise((done, fail) => {
    const [command = '', ...rest] = [
      ...under,
      process.execPath,
      '--import',
      tsx,
      join(root, 'lib/cli/main.ts'),
      ...args,
    ]
    const child = spawn(command, rest, {
      cwd,
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined, ...env },
    })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (text) => (stdout += text))
    child.stderr.on('data', (text) => (stderr += text))
    child.on('error', fail)
    child.on('close', (code) => done({ code, stdout, stderr }))
    onSpawn?.(child)
  })
}
