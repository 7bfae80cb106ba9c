// `npm run test:sanitize`: the kernels under AddressSanitizer and UndefinedBehaviorSanitizer, called at random shapes by a
// plain C++ program; and the thread pool under ThreadSanitizer. Each then once with a planted defect, which must be
// reported.
//
//   npm run test:sanitize [-- kernels | threads] [--seconds 60] [--seed 1] [--only OPERATOR]
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { findLibTorch } from '../lib/native/libtorch'
import { exampleLines } from './operator-table'
import { BuildError, exists, JOBS, ROOT, run } from './run'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
  },
})

const BUILD = join(ROOT, 'build-sanitize')

async function build(): Promise<void> {
  const generator = exists('ninja') ? ['-G', 'Ninja'] : []
  const settings = {
    CMAKE_BUILD_TYPE: 'Release',
    LIBTORCH: findLibTorch().root,
    VISION_NATIVE_SANITIZE: 'address,undefined',
  }
  const definitions = Object.entries(settings).map(([name, value]) => `-D${name}=${value}`)
  await run('cmake', ['-S', ROOT, '-B', BUILD, ...generator, ...definitions, '--log-level=WARNING'])
  await run('cmake', ['--build', BUILD, '--parallel', JOBS, '--target', 'sanitize_operators'])
}

function sanitized(isa: string | undefined, ...args: string[]) {
  const { status, signal, stdout, stderr } = spawnSync(join(BUILD, 'sanitize_operators'), args, {
    encoding: 'utf8',
    input: exampleLines(values.only ? [values.only] : undefined),
    maxBuffer: 2 ** 28,
    env: {
      ...process.env,
      ...(isa ? { VISION_NATIVE_ISA: isa } : {}),
      // LibTorch keeps what it makes at start until the end.
      ASAN_OPTIONS: 'detect_leaks=0:halt_on_error=1',
      UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
    },
  })
  return { failed: status !== 0, ended: signal ?? `exit status ${status}`, stdout, stderr }
}

async function kernels(): Promise<void> {
  await build()
  for (const isa of ['scalar', undefined]) {
    console.log(`sanitize: ${isa ?? 'the widest'} instructions, ${values.seconds} s, seed ${values.seed}`)
    const { failed, ended, stdout, stderr } = sanitized(isa, values.seconds, values.seed)
    console.log(stdout)
    if (failed) throw new BuildError(`sanitize: ${ended}\n${stderr}`)
  }
  const planted = sanitized(undefined, '1', values.seed, '--planted')
  if (!planted.failed || !planted.stderr.includes('heap-buffer-overflow')) {
    throw new BuildError(`sanitize: the planted overflow was not reported (${planted.ended})\n${planted.stderr}`)
  }
  console.log(`sanitize: no report; the planted overflow was reported: ${/ERROR: .*/.exec(planted.stderr)?.[0]}`)
}

/** The pool is free of LibTorch, whose threads ThreadSanitizer does not know. */
function threads(): void {
  const folder = mkdtempSync(join(tmpdir(), 'sanitize-'))
  try {
    const program = join(folder, 'scheduler')
    const sources = ['test/sanitize/scheduler.cc', 'native/node/scheduler.cc'].map((file) => join(ROOT, file))
    const flags = ['-std=c++20', '-O1', '-g', '-fsanitize=thread', `-I${join(ROOT, 'native')}`]
    execFileSync(process.env.CXX ?? 'c++', [...flags, ...sources, '-o', program])
    const attempt = (...args: string[]) => spawnSync(program, args, { encoding: 'utf8' })
    console.log(`sanitize: the thread pool, ${values.seconds} s, seed ${values.seed}`)
    const { status, signal, stdout, stderr } = attempt(values.seconds, values.seed)
    console.log(stdout)
    if (status !== 0) throw new BuildError(`sanitize: ${signal ?? `exit status ${status}`}\n${stderr}`)
    const planted = attempt('1', values.seed, '--planted').stderr
    if (!planted.includes('data race')) throw new BuildError(`sanitize: the planted race was not reported\n${planted}`)
    console.log('sanitize: no report; the planted race was reported')
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const CHECKS = new Map<string, () => void | Promise<void>>([
  ['threads', threads],
  ['kernels', kernels],
])
const unknown = positionals.find((name) => !CHECKS.has(name))
if (unknown !== undefined) {
  throw new BuildError(`sanitize: there is no '${unknown}'; there are ${[...CHECKS.keys()].join(', ')}`)
}
for (const [name, check] of CHECKS) if (positionals.length === 0 || positionals.includes(name)) await check()
