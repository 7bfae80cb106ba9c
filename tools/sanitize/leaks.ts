// The bridge under valgrind: what is lost when a program that used all of it ends, and what is read past the end of a block.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BuildError, exists, ROOT } from '../run'
import { buildPlanted } from './build'

const PROGRAM = join(ROOT, 'test/sanitize/program.mjs')
/** Exit status of a program about which valgrind reported something. */
const REPORTED = 99

export async function leaks(): Promise<void> {
  if (!exists('valgrind')) throw new BuildError('sanitize: valgrind is missing: apt-get install valgrind')
  if (!existsSync(join(ROOT, 'dist'))) throw new BuildError('sanitize: there is no dist; run `npm run build` first')
  const folder = mkdtempSync(join(tmpdir(), 'sanitize-'))
  try {
    const log = join(folder, 'log')
    console.log('sanitize: the bridge under valgrind; minutes')
    const { status, ended } = valgrind(log, PROGRAM)
    const text = readFileSync(log, 'utf8')
    if (status !== 0) throw new BuildError(`sanitize: ${ended}\n${text}`)
    const addon = buildPlanted(folder)
    const planted = valgrind(log, PROGRAM, addon).status
    const lost = /[\d,]+ bytes in .* definitely lost/.exec(readFileSync(log, 'utf8'))?.[0]
    if (planted !== REPORTED || !lost) {
      throw new BuildError(`sanitize: the planted leak was not reported\n${readFileSync(log, 'utf8')}`)
    }
    console.log(`sanitize: ${/definitely lost: .*/.exec(text)?.[0]}; the planted leak was reported: ${lost}`)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Runs Node without its compiler, whose code valgrind would have to translate again and again. */
function valgrind(log: string, ...args: string[]) {
  const checks = [
    '--leak-check=full',
    '--show-leak-kinds=definite,indirect',
    '--errors-for-leak-kinds=definite,indirect',
  ]
  const options = [
    ...[...checks, `--error-exitcode=${REPORTED}`, '--num-callers=40', `--log-file=${log}`],
    `--suppressions=${join(ROOT, 'test/sanitize/valgrind.supp')}`,
    // LibTorch, as compiled, looks into an optional before it knows that there is a value.
    '--undef-value-errors=no',
    // Node brings its own allocation functions, which valgrind need not look for.
    '--soname-synonyms=somalloc=nouserintercepts',
  ]
  const { status, signal } = spawnSync('valgrind', [...options, process.execPath, '--jitless', ...args], {
    ...{ cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] },
    env: { ...process.env, OMP_NUM_THREADS: '2' },
  })
  return { status, ended: signal ?? `exit status ${status}` }
}
