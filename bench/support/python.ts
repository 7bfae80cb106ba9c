import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const BENCH = fileURLToPath(new URL('..', import.meta.url))
const VENV = join(BENCH, '.venv')

/** A Python with bench/requirements.txt: VISION_NATIVE_BENCH_PYTHON, or bench/.venv, which is made where it is not. */
export function findPython(): string {
  const given = process.env.VISION_NATIVE_BENCH_PYTHON
  if (given) {
    if (!existsSync(given)) throw new Error(`bench: VISION_NATIVE_BENCH_PYTHON is ${given}, which is not there`)
    return given
  }
  const python = join(VENV, 'bin/python')
  const complete = join(VENV, 'complete')
  if (existsSync(complete)) return python
  console.error(`bench: installing the peers into ${VENV} (about 5 GB, once)`)
  const run = (command: string, ...args: string[]) => execFileSync(command, args, { stdio: ['ignore', 2, 2] })
  run('python3', '-m', 'venv', '--clear', VENV)
  run(python, '-m', 'pip', 'install', '--quiet', '-r', join(BENCH, 'requirements.txt'))
  run('touch', complete)
  return python
}

/** A Python script that answers each line of JSON on its standard input with one on its standard output. */
export class PythonPeer {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>

  /** @param environment beside that of this process */
  constructor(python: string, script: string, environment: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(python, ['-u', join(BENCH, script)], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...environment },
    })
    if (!this.#child.stdout) throw new Error('bench: no pipe to the peer')
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
  }

  async ask<Answer>(question: unknown): Promise<Answer> {
    this.#child.stdin?.write(`${JSON.stringify(question)}\n`)
    const { value, done } = await this.#lines.next()
    if (done)
      throw new Error(`bench: the peer ended instead of answering ${JSON.stringify(question)}; its error is above`)
    return JSON.parse(value) as Answer
  }

  close(): void {
    this.#child.stdin?.end()
  }
}
