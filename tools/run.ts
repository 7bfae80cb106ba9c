import { spawn, spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'

/** Top folder of the repository. */
export const ROOT = resolve(import.meta.dirname, '..')

/** Folder that CMake builds in; the binaries are in its `Release`. */
export const BUILD = join(ROOT, 'build')
export const RELEASE = join(BUILD, 'Release')

/** A failure that its message explains. */
export class BuildError extends Error {}

/** Parallel compilations: two, or fewer where there are fewer cores. LibTorch's headers take 1 GB each. */
export const JOBS = String(Math.min(2, availableParallelism()))

/** Runs a command from the top folder with its output shown. */
export function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<void> {
  return new Promise((done, fail) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: 'inherit', env: { ...process.env, ...env } })
    child.on('error', (error) => fail(new BuildError(`${command} cannot be run: ${error.message}`)))
    child.on('exit', (code, signal) => {
      if (code === 0) done()
      else fail(new BuildError(`build: ${command} ended with ${signal ?? `status ${code}`}; its output is above.`))
    })
  })
}

/** Runs a command and returns what it prints. */
export function capture(command: string, args: readonly string[]): string {
  const child = spawnSync(command, args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 1 << 28 })
  if (child.error) throw new BuildError(`${command} cannot be run: ${child.error.message}`)
  if (child.status !== 0) throw new BuildError(`${command} ${args.join(' ')} failed:\n${child.stderr}`)
  return child.stdout
}

/** True when the command can be run. */
export function exists(command: string): boolean {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0
}

/** Path of a tool that npm installed. */
export function npmBin(name: string): string {
  return join(ROOT, 'node_modules', '.bin', name)
}
