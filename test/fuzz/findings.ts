import { createHash } from 'node:crypto'
import { appendFileSync, copyFileSync, mkdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { isTargetName, type TargetName } from './registry'

/** What must not happen: an error of no type of ours, tensors left alive, no end, too much memory, death of the process. */
export type Fault = 'untyped' | 'leaked' | 'hung' | 'memory' | 'died'

export interface Finding {
  readonly target: TargetName
  readonly fault: Fault
  /** Error and stack, or how the process ended. */
  readonly message: string
  /** Number of the input under the run's seed. */
  readonly index: number
  /** The input. */
  readonly file: string
}

/** Keeps an input in a folder under a name that says what it does to whom, with what was found beside it. */
export function keepFinding(
  folder: string,
  input: string,
  finding: Omit<Finding, 'file'>,
  content: Uint8Array,
): Finding {
  mkdirSync(folder, { recursive: true })
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 12)
  const file = join(folder, `${finding.target}.${finding.fault}.${hash}`)
  copyFileSync(input, file)
  const kept = { ...finding, file }
  appendFileSync(join(folder, 'findings.jsonl'), `${JSON.stringify(kept)}\n`)
  return kept
}

/** The target of an input that was kept. */
export function targetOfFinding(path: string): TargetName | undefined {
  const [name = ''] = basename(path).split('.')
  return isTargetName(name) ? name : undefined
}

/** Equal for findings that look like the same mistake: the error without its numbers, and where it was thrown. */
export function signatureOf({
  target,
  fault,
  message,
}: Pick<Finding, 'fault' | 'message'> & { readonly target: string }): string {
  const [first = '', ...rest] = message.split('\n')
  const where = rest.find((line) => line.includes('/lib/')) ?? rest[0] ?? ''
  return `${target} ${fault} ${first
    .replace(/\d+/g, 'N')
    .replace(/'.*?'|".*?"/g, "''")
    .slice(0, 80)} ${where.trim()}`
}
