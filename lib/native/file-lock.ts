import { randomUUID } from 'node:crypto'
import {
  linkSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const POLL_MS = 250
const HEARTBEAT_MS = 2_000
/** A holder on another machine or in another container that shares the folder is known only by its heartbeat. */
const STALE_MS = 30_000

interface Holder {
  readonly id: string
  readonly pid: number
  readonly host: string
  /** The namespace of its number, where the system tells: containers may share a host's name, each with a process 1. */
  readonly space: string | undefined
  /** When the process began, where the system tells: another may have its number by now. */
  readonly began: string | undefined
}

/** What {@link withFileLock} reports and heeds. */
export interface LockOptions {
  /** Called once when another process holds the lock. */
  readonly onWait?: (pid: number) => void
  readonly signal?: AbortSignal
}

/**
 * Runs `work` while no other process runs work under the same lock file. A lock whose holder died is taken over. The
 * work should still end in an atomic step: over a network file system no lock of this kind is beyond doubt.
 */
export async function withFileLock<T>(path: string, work: () => Promise<T>, options: LockOptions = {}): Promise<T> {
  const own: Holder = {
    id: randomUUID(),
    pid: process.pid,
    host: hostname(),
    space: pidNamespace(),
    began: beginOf(process.pid),
  }
  mkdirSync(dirname(path), { recursive: true })
  for (let waited = false; !acquire(path, own); ) {
    const holder = readHolder(path)
    if (holder && !isStale(path, holder)) {
      if (!waited) options.onWait?.(holder.pid)
      waited = true
      await sleep(POLL_MS, undefined, { signal: options.signal })
    } else if (holder) {
      evict(path, holder)
    } else if (Date.now() - modified(path) > STALE_MS) {
      rmSync(path, { force: true })
    } else {
      await sleep(POLL_MS, undefined, { signal: options.signal })
    }
  }

  const heartbeat = setInterval(() => touch(path), HEARTBEAT_MS)
  heartbeat.unref()
  try {
    return await work()
  } finally {
    clearInterval(heartbeat)
    if (readHolder(path)?.id === own.id) rmSync(path, { force: true })
  }
}

function acquire(path: string, own: Holder): boolean {
  // Written first and linked then, so that no one ever reads a lock that does not say whose it is.
  const draft = `${path}.${own.id}`
  try {
    writeFileSync(draft, JSON.stringify(own))
    linkSync(draft, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(draft, { force: true })
  }
}

function readHolder(path: string): Holder | undefined {
  try {
    const { id, pid, host, space, began } = JSON.parse(readFileSync(path, 'utf8'))
    if (typeof id !== 'string' || typeof pid !== 'number' || typeof host !== 'string') return undefined
    const text = (value: unknown) => (typeof value === 'string' ? value : undefined)
    return { id, pid, host, space: text(space), began: text(began) }
  } catch {
    return undefined
  }
}

function isStale(path: string, holder: Holder): boolean {
  const space = pidNamespace()
  const isHere = holder.host === hostname() && (holder.space ?? space) === (space ?? holder.space)
  if (isHere) {
    if (!isAlive(holder.pid)) return true
    const began = beginOf(holder.pid)
    return holder.began !== undefined && began !== undefined && began !== holder.began
  }
  return Date.now() - modified(path) > STALE_MS
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function pidNamespace(): string | undefined {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return undefined
  }
}

/** When a process began, in ticks since the machine did: with its number this names it among all that ever ran there. */
function beginOf(pid: number): string | undefined {
  try {
    // The name of the program, in parentheses, may hold anything; of what follows this is the twentieth field.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}

/** Takes a dead process's lock away; when another was quicker and it is theirs by now, puts it back. */
function evict(path: string, dead: Holder): void {
  const aside = `${path}.${randomUUID()}`
  try {
    renameSync(path, aside)
    if (readHolder(aside)?.id !== dead.id) linkSync(aside, path)
  } catch {
    // Someone else evicted it, or has the lock again: the next round of the caller's loop sees which.
  } finally {
    rmSync(aside, { force: true })
  }
}

function modified(path: string): number {
  try {
    return statSync(path).mtimeMs
  } catch {
    return Date.now()
  }
}

function touch(path: string): void {
  try {
    const now = new Date()
    utimesSync(path, now, now)
  } catch {
    // The folder was removed under us; the work itself will say so.
  }
}
