// `npm run test:mutants [-- NAME …]`: plants one defect at a time in a copy of the working tree and demands that the
// test named beside it fails. A check that has never failed is not yet a check.
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { findLibTorch } from '../lib/native/libtorch'
import { MUTANTS, type Mutant } from '../test/mutants'
import { JOBS, ROOT } from './run'

const COPY = join(ROOT, '.cache/mutants')
const BUILD = join(COPY, 'build')

/** True while the binaries hold a defect that its source no longer has. */
let harmed = false

main(process.argv.slice(2))

function main(wanted: readonly string[]): void {
  const mutants = wanted.length > 0 ? MUTANTS.filter(({ name }) => wanted.includes(name)) : MUTANTS
  if (mutants.length === 0)
    throw new Error(`there is no mutant ${wanted.join(', ')}; they are ${MUTANTS.map((m) => m.name).join(', ')}`)
  copyTree()
  configure()
  build()
  checkUnharmed(mutants)
  const survivors: string[] = []
  for (const [index, mutant] of mutants.entries()) {
    const started = Date.now()
    const verdict = tryMutant(mutant)
    const seconds = ((Date.now() - started) / 1000).toFixed(0)
    console.log(`${String(index + 1).padStart(2)}/${mutants.length} ${verdict.padEnd(8)} ${mutant.name} (${seconds} s)`)
    if (verdict !== 'killed') survivors.push(mutant.name)
  }
  console.log(
    `${mutants.length - survivors.length} killed, ${survivors.length} survived${survivors.length > 0 ? `: ${survivors.join(', ')}` : ''}`,
  )
  if (survivors.length > 0) process.exitCode = 1
}

/** The files git knows or would add; the build folder of an earlier run is kept, so that only defects are compiled. */
function copyTree(): void {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], { cwd: ROOT, encoding: 'utf8' })
  for (const name of ['lib', 'test', 'native', 'tools']) rmSync(join(COPY, name), { recursive: true, force: true })
  for (const name of listed.split('\0').filter(Boolean)) {
    if (!existsSync(join(ROOT, name))) continue
    mkdirSync(dirname(join(COPY, name)), { recursive: true })
    cpSync(join(ROOT, name), join(COPY, name), { preserveTimestamps: true })
  }
  if (!existsSync(join(COPY, 'node_modules'))) symlinkSync(join(ROOT, 'node_modules'), join(COPY, 'node_modules'))
}

function configure(): void {
  const { root } = findLibTorch()
  execFileSync('cmake', ['-S', COPY, '-B', BUILD, '-G', 'Ninja', `-DLIBTORCH=${root}`], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

function build(): boolean {
  return spawnSync('cmake', ['--build', BUILD, '-j', JOBS], { stdio: 'ignore' }).status === 0
}

function runTest({ test, title }: Pick<Mutant, 'test' | 'title'>): boolean {
  const args = ['vitest', 'run', test, ...(title ? ['-t', title] : [])]
  return spawnSync('npx', args, { cwd: COPY, stdio: 'ignore', timeout: 300_000 }).status === 0
}

/** A test that fails without any defect would kill every mutant. */
function checkUnharmed(mutants: readonly Mutant[]): void {
  for (const key of new Set(mutants.map(({ test, title }) => JSON.stringify({ test, title })))) {
    const named = JSON.parse(key) as Pick<Mutant, 'test' | 'title'>
    if (!runTest(named)) throw new Error(`${named.test} ${named.title ?? ''} fails without a defect; mend it first`)
  }
}

function tryMutant(mutant: Mutant): 'killed' | 'survived' | 'stale' | 'unbuilt' {
  const path = join(COPY, mutant.file)
  const original = readFileSync(path, 'utf8')
  if (original.split(mutant.find).length !== 2) return 'stale'
  const native = mutant.file.startsWith('native/')
  if (harmed && !native) {
    build()
    harmed = false
  }
  try {
    writeFileSync(
      path,
      original.replace(mutant.find, () => mutant.replace),
    )
    if (native) {
      harmed = true
      if (!build()) return 'unbuilt'
    }
    return runTest(mutant) ? 'survived' : 'killed'
  } finally {
    // The next build mends the binaries with whatever else it does.
    writeFileSync(path, original)
  }
}
