import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { OperatorFunction } from '../../tools/generate-ops/surface'
import type { Verdict } from './checks'
import type { Assignment, Planted } from './child'
import { currentCall, type Detail, details, Journal, type Outcome, outcomes } from './journal'

export interface AbuseOptions {
  readonly functions: readonly OperatorFunction[]
  readonly seed: number
  readonly callsEach: number
  readonly planted?: Planted | undefined
  /** Of the tensors in a child; LibTorch may ask for more than the machine has. */
  readonly memoryLimit?: number
  readonly callLimitMs?: number
  readonly log?: (line: string) => void
}

export interface AbuseReport {
  readonly counts: Readonly<Record<Outcome, number>>
  readonly details: readonly Detail[]
  readonly verdicts: ReadonlyMap<string, Verdict>
  /** Functions by name: how many of their calls succeeded. */
  readonly successes: ReadonlyMap<string, number>
}

const CHILD = fileURLToPath(new URL('./child.ts', import.meta.url))
const CHILDREN = 2
const POLL_MS = 200

/** Makes all calls, in two children at a time; one that dies or hangs is told with its call, and the next goes on. */
export async function abuse(options: AbuseOptions): Promise<AbuseReport> {
  const folder = mkdtempSync(join(tmpdir(), 'vision-native-abuse-'))
  try {
    const shards = Array.from({ length: CHILDREN }, (_, shard) => {
      const functions = options.functions.filter((_, i) => i % CHILDREN === shard)
      return new Shard(functions, options, join(folder, `shard${shard}`))
    })
    await Promise.all(shards.map((shard) => shard.run()))
    return merge(shards)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

class Shard {
  readonly #deaths: Detail[] = []

  constructor(
    readonly functions: readonly OperatorFunction[],
    readonly options: AbuseOptions,
    readonly base: string,
  ) {
    const assignment: Assignment = {
      functions,
      seed: options.seed,
      callsEach: options.callsEach,
      journal: base,
      memoryLimit: options.memoryLimit ?? 2 ** 29,
      planted: options.planted,
    }
    Journal.create(base, functions.length * options.callsEach)
    writeFileSync(`${base}.json`, JSON.stringify(assignment))
  }

  async run(): Promise<void> {
    const calls = this.functions.length * this.options.callsEach
    let first = 0
    while (first < calls) {
      const end = await this.#watch(first)
      if (end === 'done') return
      const current = currentCall(this.base)
      // A child that dies before its first call would die again for ever.
      if (!current || current.number < first) throw new Error(`the child did not start: ${end.message}`)
      const detail: Detail = { number: current.number, call: current.text, ...end }
      this.#deaths.push(detail)
      this.options.log?.(`${end.outcome}: ${current.text} (${end.message})`)
      new Journal(this.base).leave(current.number, end.outcome)
      first = current.number + 1
    }
  }

  /** Runs one child to its end, or until one call takes too long. */
  #watch(first: number): Promise<'done' | { outcome: 'died' | 'stuck'; message: string }> {
    const limit = this.options.callLimitMs ?? 60_000
    const child: ChildProcess = spawn(
      process.execPath,
      ['--import', 'tsx', CHILD, `${this.base}.json`, String(first)],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    )
    let errors = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(-2000)
    })
    return new Promise((resolve) => {
      let changed = Date.now()
      let seen = 0
      let stuck = false
      const timer = setInterval(() => {
        const { mtimeMs } = statSync(`${this.base}.current`)
        if (mtimeMs !== seen) {
          seen = mtimeMs
          changed = Date.now()
        } else if (Date.now() - changed > limit) {
          stuck = true
          child.kill('SIGKILL')
        }
      }, POLL_MS)
      child.on('close', (code, signal) => {
        clearInterval(timer)
        if (code === 0) return resolve('done')
        if (stuck) return resolve({ outcome: 'stuck', message: `longer than ${limit} ms` })
        resolve({ outcome: 'died', message: `${signal ?? `exit ${code}`} ${errors.trim().slice(-500)}`.trim() })
      })
    })
  }

  get outcomes(): Outcome[] {
    return outcomes(this.base)
  }

  get details(): Detail[] {
    return [...details(this.base), ...this.#deaths]
  }
}

function merge(shards: readonly Shard[]): AbuseReport {
  const counts: Record<Outcome, number> = {
    notRun: 0,
    succeeded: 0,
    rejectedByLibTorch: 0,
    rejectedByUs: 0,
    untypedError: 0,
    leaked: 0,
    died: 0,
    stuck: 0,
  }
  const successes = new Map<string, number>()
  for (const shard of shards) {
    for (const [number, outcome] of shard.outcomes.entries()) {
      counts[outcome] += 1
      const name = shard.functions[Math.floor(number / shard.options.callsEach)]?.name ?? ''
      successes.set(name, (successes.get(name) ?? 0) + (outcome === 'succeeded' ? 1 : 0))
    }
  }
  const all = shards.flatMap((shard) => shard.details)
  const checks = all.filter((detail) => detail.outcome === 'check')
  return {
    counts,
    successes,
    details: all.filter((detail) => detail.outcome !== 'check'),
    verdicts: new Map(checks.map((detail) => [detail.call, JSON.parse(detail.message) as Verdict])),
  }
}
