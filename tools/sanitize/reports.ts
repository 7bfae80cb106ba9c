import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { BuildError, capture, ROOT } from '../run'

/** Runs Node with sanitizers loaded before it; their reports, of child processes too, go to files. */
export class Reports {
  readonly #folder: string
  readonly #env: NodeJS.ProcessEnv

  /**
   * @param folder for the files
   * @param build whose binaries are used
   * @param libraries of the sanitizers, as the compiler names them
   * @param options environment variables of the sanitizers
   */
  constructor(folder: string, build: string, libraries: readonly string[], options: Readonly<Record<string, string>>) {
    this.#folder = folder
    const log = `log_path=${join(folder, 'report')}`
    const paths = libraries.map((name) => capture(process.env.CXX ?? 'c++', [`-print-file-name=${name}`]).trim())
    this.#env = {
      ...process.env,
      LD_PRELOAD: paths.join(':'),
      VISION_NATIVE_BUILD: join(build, 'Release'),
      ...Object.fromEntries(Object.entries(options).map(([name, value]) => [name, `${value}:${log}`])),
    }
  }

  /** What is reported while a command runs. */
  of(command: string, args: readonly string[]) {
    const stdio = ['ignore', 'inherit', 'inherit'] as const
    const { status, signal } = spawnSync(command, args, { cwd: ROOT, stdio: [...stdio], env: this.#env })
    const files = readdirSync(this.#folder).filter((name) => name.startsWith('report.'))
    const reports = files.map((name) => readFileSync(join(this.#folder, name), 'utf8'))
    for (const name of files) rmSync(join(this.#folder, name))
    return { reports, failed: status !== 0, ended: signal ?? `exit status ${status}` }
  }

  /** @throws BuildError when something is reported, or the command fails */
  none(command: string, args: readonly string[]): void {
    const { reports, failed, ended } = this.of(command, args)
    if (failed || reports.length > 0) throw new BuildError(`sanitize: ${ended}\n${reports.join('\n')}`)
  }
}
