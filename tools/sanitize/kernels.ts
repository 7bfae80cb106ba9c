// The kernels, called at random shapes by a plain C++ program (test/sanitize/operators.cc).
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { exampleLines } from '../operator-table'
import { BuildError } from '../run'
import { BUILD, buildSanitized, type SanitizeOptions, STRICT } from './build'

export async function kernels({ seconds, seed, only }: SanitizeOptions): Promise<void> {
  await buildSanitized('sanitize_operators')
  const input = exampleLines(only ? [only] : undefined)
  for (const isa of ['scalar', undefined]) {
    console.log(`sanitize: kernels with ${isa ?? 'the widest'} instructions, ${seconds} s, seed ${seed}`)
    const { failed, ended, stdout, stderr } = attempt(input, isa, seconds, seed)
    console.log(stdout)
    if (failed) throw new BuildError(`sanitize: ${ended}\n${stderr}`)
  }
  const { failed, ended, stderr } = attempt(input, undefined, '1', seed, '--planted')
  if (!failed || !stderr.includes('heap-buffer-overflow')) {
    throw new BuildError(`sanitize: the planted overflow was not reported (${ended})\n${stderr}`)
  }
  console.log(`sanitize: no report; the planted overflow was reported: ${/ERROR: .*/.exec(stderr)?.[0]}`)
}

function attempt(input: string, isa: string | undefined, ...args: string[]) {
  const { status, signal, stdout, stderr } = spawnSync(join(BUILD, 'sanitize_operators'), args, {
    ...{ encoding: 'utf8', input, maxBuffer: 2 ** 28 },
    env: { ...process.env, ...(isa ? { VISION_NATIVE_ISA: isa } : {}), ...STRICT },
  })
  return { failed: status !== 0, ended: signal ?? `exit status ${status}`, stdout, stderr }
}
