// `vision-native launch`: a script as several processes that find one another by the variables of torchrun.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { availableParallelism } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import { CancelledError, DistributedError } from '../native/errors'
import { type CommonOptions, type Context, EXIT, note, UsageError } from './command'

export interface LaunchOptions extends CommonOptions {
  /** Processes on this machine. */
  readonly nproc: number
  /** Machines. */
  readonly nnodes: number
  readonly nodeRank: number
  readonly masterAddr: string
  readonly masterPort?: number | undefined
  /** How often all processes are started again after one of them has failed. */
  readonly maxRestarts: number
}

/** How long the others may take to find out by themselves, and then to end. */
const GRACE_MS = 10_000

/** @throws UsageError for options that contradict each other, DistributedError naming the process that failed */
export async function launch(
  script: string,
  args: readonly string[],
  options: LaunchOptions,
  { signal }: Context,
): Promise<number> {
  check(script, options)
  for (let attempt = 0; ; attempt++) {
    try {
      await runAll([script, ...args], attempt, options, signal)
      return EXIT.ok
    } catch (error) {
      if (!(error instanceof DistributedError) || attempt >= options.maxRestarts || signal.aborted) throw error
      note(`${error.message}; starting all processes again (${attempt + 1} of ${options.maxRestarts})`)
    }
  }
}

function check(script: string, { nnodes, nodeRank, masterPort }: LaunchOptions): void {
  if (!existsSync(script)) throw new UsageError(`launch: there is no file ${script}`)
  if (nodeRank >= nnodes) {
    throw new UsageError(`launch: --node-rank is ${nodeRank}; with --nnodes ${nnodes} it must be below that, from 0`)
  }
  if (nnodes > 1 && masterPort === undefined) {
    throw new UsageError('launch: with several machines state --master-addr and --master-port, the same on all of them')
  }
}

interface Ended {
  readonly rank: number
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

async function runAll(
  command: readonly string[],
  attempt: number,
  { nproc, nnodes, nodeRank, masterAddr, masterPort }: LaunchOptions,
  signal: AbortSignal,
): Promise<void> {
  const port = masterPort ?? (await freePort())
  const shared = {
    WORLD_SIZE: String(nproc * nnodes),
    LOCAL_WORLD_SIZE: String(nproc),
    MASTER_ADDR: masterAddr,
    MASTER_PORT: String(port),
    TORCHELASTIC_RESTART_COUNT: String(attempt),
    OMP_NUM_THREADS: process.env.OMP_NUM_THREADS ?? String(Math.max(1, Math.floor(availableParallelism() / nproc))),
  }
  const children = new Map<number, ChildProcess>()
  const ends = Array.from({ length: nproc }, (_, local) => {
    const rank = nodeRank * nproc + local
    const env = { ...process.env, ...shared, RANK: String(rank), LOCAL_RANK: String(local) }
    const child = spawn(process.execPath, [...process.execArgv, ...command], {
      env,
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    children.set(rank, child)
    return new Promise<Ended>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, by) => {
        children.delete(rank)
        resolve({ rank, code, signal: by })
      })
    })
  })
  const stop = () => endAll(children, 'SIGTERM')
  signal.addEventListener('abort', stop, { once: true })
  try {
    const failed = await firstFailure(ends)
    if (signal.aborted) throw new CancelledError('launch: interrupted', { cause: signal.reason })
    if (failed === undefined) return
    const others = Promise.allSettled(ends)
    await Promise.race([others, setTimeout(GRACE_MS, undefined, { ref: false })])
    const slow = [...children.keys()]
    endAll(children, 'SIGTERM')
    await Promise.race([others, setTimeout(GRACE_MS, undefined, { ref: false })])
    endAll(children, 'SIGKILL')
    await others
    const how = failed.signal === null ? `ended with exit code ${failed.code}` : `was killed by ${failed.signal}`
    const rest = slow.length > 0 ? `; rank ${slow.join(', ')} had to be ended` : ''
    throw new DistributedError(`launch: rank ${failed.rank} ${how}${rest}`)
  } finally {
    signal.removeEventListener('abort', stop)
    endAll(children, 'SIGKILL')
  }
}

/** The first process that failed, or none when all are done. */
function firstFailure(ends: readonly Promise<Ended>[]): Promise<Ended | undefined> {
  return new Promise((resolve, reject) => {
    for (const end of ends) {
      end.then((ended) => {
        if (ended.code !== 0) resolve(ended)
      }, reject)
    }
    Promise.all(ends).then(() => resolve(undefined), reject)
  })
}

function endAll(children: ReadonlyMap<number, ChildProcess>, signal: NodeJS.Signals): void {
  for (const child of children.values()) child.kill(signal)
}

/** A port that nobody listens on now. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
