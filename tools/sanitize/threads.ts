// The thread pool, which is free of LibTorch, whose threads ThreadSanitizer does not know.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BuildError, ROOT } from '../run'
import type { SanitizeOptions } from './build'

export async function threads({ seconds, seed }: SanitizeOptions): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sanitize-'))
  try {
    const program = join(folder, 'scheduler')
    const sources = ['test/sanitize/scheduler.cc', 'native/node/scheduler.cc'].map((file) => join(ROOT, file))
    const flags = ['-std=c++20', '-O1', '-g', '-fsanitize=thread', `-I${join(ROOT, 'native')}`]
    execFileSync(process.env.CXX ?? 'c++', [...flags, ...sources, '-o', program])
    const attempt = (...args: string[]) => spawnSync(program, args, { encoding: 'utf8' })
    console.log(`sanitize: the thread pool, ${seconds} s, seed ${seed}`)
    const { status, signal, stdout, stderr } = attempt(seconds, seed)
    console.log(stdout)
    if (status !== 0) throw new BuildError(`sanitize: ${signal ?? `exit status ${status}`}\n${stderr}`)
    const planted = attempt('1', seed, '--planted').stderr
    if (!planted.includes('data race')) throw new BuildError(`sanitize: the planted race was not reported\n${planted}`)
    console.log('sanitize: no report; the planted race was reported')
  } finally {
    rmSync(folder, { recursive: true })
  }
}
