import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Assignment, BROKEN } from './assignment'
import { type Fault, type Finding, keepFinding } from './findings'
import { type Position, positionIn } from './journal'
import type { TargetName } from './registry'

export interface FuzzOptions {
  readonly targets: readonly TargetName[]
  readonly seed: number
  /** Of each target; 10 unless stated. */
  readonly seconds?: number
  /** Inputs of each target, when that comes first; unlimited unless stated. */
  readonly inputs?: number
  /** Where inputs are kept that show a fault. */
  readonly folder: string
  /** A fault that happens at the fourth input of the first target, to show that the run notices. */
  readonly planted?: Fault
  /** Longest time for one input; 10 s unless stated. */
  readonly inputLimitMs?: number
  readonly onTarget?: (row: Position) => void
}

export interface FuzzReport {
  /** A row for each target. */
  readonly rows: readonly Position[]
  readonly findings: readonly Finding[]
}

const CHILD = fileURLToPath(new URL('./child.ts', import.meta.url))
const POLL_MS = 100
/** Of tensors, which a typed error enforces, and of all that the process holds, which its parent does. */
const TENSOR_BYTES = 2 ** 29
const PROCESS_BYTES = 2 ** 31
const HEAP_MB = 512
/** Loading the package, and the files of a target. */
const START_MS = 120_000

/** Tries inputs in a child, one target after the other; where it dies or hangs, the next child goes on behind that input. */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const { targets, seed, seconds = 10, inputs = Number.MAX_SAFE_INTEGER, folder, planted } = options
  const scratch = mkdtempSync(join(tmpdir(), 'vision-native-fuzz-'))
  try {
    const journal = join(scratch, 'child')
    const assignment = { targets, seed, seconds, inputs, journal, folder, memoryLimit: TENSOR_BYTES, planted }
    const known = findingsIn(folder).length
    const rows = new Map<TargetName, Position>()
    for (let from: Position | undefined; ; ) {
      const end = await watch(options, assignment, from, (row) => {
        rows.set(row.target, row)
        options.onTarget?.(row)
      })
      if (end === 'done') break
      const at = positionIn(journal)
      // A child that dies before its first input would die again for ever.
      if (at === undefined || (from !== undefined && at.target === from.target && at.index < from.index)) {
        throw new Error(`the child did not start: ${end.message}`)
      }
      const { target, index } = at
      keepFinding(folder, `${journal}.input`, { target, index, ...end }, readFileSync(`${journal}.input`))
      from = { ...at, index: index + 1, findings: at.findings + 1 }
    }
    return { rows: [...rows.values()], findings: findingsIn(folder).slice(known) }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

function findingsIn(folder: string): Finding[] {
  const path = join(folder, 'findings.jsonl')
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Finding)
}

/** Runs one child to its end, or until one input takes too long or too much. */
function watch(
  { inputLimitMs = 10_000 }: FuzzOptions,
  assignment: Assignment,
  from: Position | undefined,
  onTarget: (row: Position) => void,
): Promise<'done' | { readonly fault: Fault; readonly message: string }> {
  const file = `${assignment.journal}.json`
  writeFileSync(file, JSON.stringify({ assignment, from }))
  writeFileSync(`${assignment.journal}.position`, '')
  const child = spawn(process.execPath, [`--max-old-space-size=${HEAP_MB}`, '--import', 'tsx', CHILD, file], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let errors = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-8000)
  })
  child.on('message', (row) => onTarget(row as Position))
  return new Promise((resolve, reject) => {
    let [seen, since] = ['', Date.now()]
    let killed: { readonly fault: Fault; readonly message: string } | undefined
    const kill = (fault: Fault, message: string) => {
      killed ??= { fault, message }
      child.kill('SIGKILL')
    }
    const timer = setInterval(() => {
      const at = readFileSync(`${assignment.journal}.position`, 'utf8')
      if (at !== seen) [seen, since] = [at, Date.now()]
      else if (Date.now() - since > (at.trim() === '' ? START_MS : inputLimitMs))
        kill('hung', `longer than ${inputLimitMs} ms`)
      const bytes = child.pid === undefined ? 0 : residentBytes(child.pid)
      if (bytes > PROCESS_BYTES) kill('memory', `the process holds ${Math.round(bytes / 2 ** 20)} MiB`)
    }, POLL_MS)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearInterval(timer)
      if (killed) return resolve(killed)
      if (code === 0) return resolve('done')
      if (code === BROKEN) return reject(new Error(`the fuzzer itself failed: ${errors.trim()}`))
      const fault = errors.includes('heap out of memory') ? 'memory' : 'died'
      resolve({ fault, message: `${signal ?? `exit ${code}`}\n${errors.trim()}` })
    })
  })
}

function residentBytes(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096
  } catch {
    return 0
  }
}
