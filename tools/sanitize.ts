// `npm run test:sanitize`: the kernels under AddressSanitizer and UndefinedBehaviorSanitizer, called at random shapes by a
// plain C++ program; then once with a planted overflow, which must be reported.
//
//   npm run test:sanitize [-- --seconds 60] [--seed 1] [--only OPERATOR]
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { findLibTorch } from '../lib/native/libtorch'
import { exampleLines } from './operator-table'
import { BuildError, exists, JOBS, ROOT, run } from './run'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
  },
})

const BUILD = join(ROOT, 'build-sanitize')
const generator = exists('ninja') ? ['-G', 'Ninja'] : []
const settings = {
  CMAKE_BUILD_TYPE: 'Release',
  LIBTORCH: findLibTorch().root,
  VISION_NATIVE_SANITIZE: 'address,undefined',
}
const definitions = Object.entries(settings).map(([name, value]) => `-D${name}=${value}`)
await run('cmake', ['-S', ROOT, '-B', BUILD, ...generator, ...definitions, '--log-level=WARNING'])
await run('cmake', ['--build', BUILD, '--parallel', JOBS, '--target', 'sanitize_operators'])

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
