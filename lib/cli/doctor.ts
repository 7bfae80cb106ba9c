import pc from 'picocolors'
import { type Check, type Diagnosis, diagnose } from '../native/diagnose'
import { listAttempts } from '../native/libtorch'
import { type CommonOptions, EXIT, printJson } from './command'

/** `vision-native doctor`: what is here, what is missing, and how to mend it. */
export function doctor({ json = false }: CommonOptions): number {
  const diagnosis = diagnose()
  if (json) printJson(diagnosis)
  else console.log(format(diagnosis))
  return diagnosis.ok ? EXIT.ok : EXIT.failure
}

const marks: Record<Check['status'], string> = {
  ok: pc.green('ok     '),
  missing: pc.red('missing'),
  optional: pc.yellow('absent '),
}

function format({ version, checks, libtorch, tried, cuda, ok }: Diagnosis): string {
  const lines = checks.map(({ name, status, text }) => `${marks[status]}  ${name.padEnd(10)} ${indent(text)}`)
  for (const gpu of cuda.gpus) lines.push(`         ${'GPU'.padEnd(10)} ${gpu}`)
  // A failed search lists its places in its message.
  if (libtorch && tried.length > 1) lines.push('', 'LibTorch was looked for in:', listAttempts(tried))
  const device = cuda.available ? 'CPU and CUDA are ready.' : 'The CPU is ready; CUDA is not available.'
  return [
    pc.bold(`vision-native ${version}`),
    ...lines,
    '',
    ok ? pc.green(device) : pc.red('Something is missing: mend it from top to bottom, then run this again.'),
  ].join('\n')
}

/** Lines after the first stand under the first. */
function indent(text: string): string {
  return text.split('\n').join(`\n${' '.repeat(20)}`)
}
