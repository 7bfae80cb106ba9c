// LibTorch's operators and ours as a target, by the random calls of test/abuse.
import { createHash } from 'node:crypto'
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { currentSurface } from '../../tools/generate-ops'
import type { Planted } from '../abuse/child'
import { abuse } from '../abuse/run'
import type { Fault } from './findings'
import type { Figures } from './journal'

export interface OpsRow extends Figures {
  readonly target: 'ops'
}

export interface OpsFinding {
  readonly target: 'ops'
  readonly fault: Fault
  readonly message: string
  readonly file: string
}

/** Enough of a call to make it again. */
interface OpsInput {
  readonly operator: string
  readonly seed: number
  readonly index: number
}

/** Operators and calls of each in one round. */
const [SOME, CALLS] = [200, 12]
const FAULT_OF = { died: 'died', stuck: 'hung', leaked: 'leaked', untypedError: 'untyped' } as const
const PLANTED: Readonly<Record<Fault, Planted['fault']>> = {
  ...{ died: 'crash', memory: 'crash', hung: 'hang', leaked: 'leak', untyped: 'untyped error' },
}

const operators = () => currentSurface().functions.filter((fn) => fn.surface === 'public')

/** Calls operators for so many seconds, with another seed each time that all have been called. */
export async function fuzzOps(options: {
  readonly seed: number
  readonly seconds: number
  readonly folder: string
  readonly planted?: Fault | undefined
}): Promise<{ readonly row: OpsRow; readonly findings: readonly OpsFinding[] }> {
  const [all, begin, findings] = [operators(), Date.now(), [] as OpsFinding[]]
  let [index, accepted, refused] = [0, 0, 0]
  for (let round = 0; round === 0 || Date.now() - begin < 1000 * options.seconds; round++) {
    const first = (round * SOME) % all.length
    const seed = options.seed + Math.floor((round * SOME) / all.length)
    const functions = all.slice(first, first + SOME)
    const [victim] = functions
    const planted =
      options.planted && round === 0 && victim ? { function: victim.name, fault: PLANTED[options.planted] } : undefined
    const report = await abuse({ functions, seed, callsEach: CALLS, planted, callLimitMs: planted ? 10_000 : 60_000 })
    const { counts } = report
    accepted += counts.succeeded
    refused += counts.rejectedByLibTorch + counts.rejectedByUs
    index += functions.length * CALLS
    for (const { outcome, number, call, message } of report.details) {
      const fault = FAULT_OF[outcome as keyof typeof FAULT_OF]
      if (fault === undefined) continue
      const input = { operator: call.split('(')[0] ?? '', seed, index: number % CALLS }
      findings.push(keepCall(options.folder, fault, `${call}\n${message}`, input))
    }
    for (const [operator, verdict] of report.verdicts) {
      for (const failure of verdict.failures)
        findings.push(keepCall(options.folder, 'untyped', failure, { operator, seed, index: 0 }))
    }
  }
  const figures = { index, accepted, refused, findings: findings.length, ms: Date.now() - begin, slowestMs: 0 }
  return { row: { target: 'ops', ...figures }, findings }
}

function keepCall(folder: string, fault: Fault, message: string, input: OpsInput): OpsFinding {
  const content = JSON.stringify(input)
  const file = join(folder, `ops.${fault}.${createHash('sha256').update(content).digest('hex').slice(0, 12)}`)
  const finding = { target: 'ops', fault, message, file } as const
  mkdirSync(folder, { recursive: true })
  writeFileSync(file, content)
  appendFileSync(join(folder, 'findings.jsonl'), `${JSON.stringify(finding)}\n`)
  return finding
}

/** Makes a call that was kept, and those of its operator before it; what is wrong with it, if anything is. */
export async function replayCall(path: string): Promise<string | undefined> {
  const { operator, seed, index } = JSON.parse(readFileSync(path, 'utf8')) as OpsInput
  const functions = operators().filter(({ name }) => name === operator)
  const report = await abuse({ functions, seed, callsEach: index + 1, callLimitMs: 60_000 })
  const wrong = [...report.verdicts.values()].flatMap(({ failures }) => failures)
  const bad = report.details.filter(({ outcome }) => outcome !== 'slow')
  return [...bad.map((detail) => `${detail.outcome}: ${detail.call}\n${detail.message}`), ...wrong][0]
}
