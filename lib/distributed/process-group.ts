import { setTimeout } from 'node:timers/promises'
import { ConfigError, DistributedError, VisionNativeError } from '../native/errors'
import { shared } from '../native/frame'
import { loadCudaLibraries } from '../native/load-cuda'
import { callAsync, describe } from '../tensor/call'
import { type Rendezvous, rendezvous } from './environment'

/** What carries tensors between processes: Gloo those of the CPU; with `'nccl'`, NCCL those of GPUs beside it. */
export type DistributedBackend = 'gloo' | 'nccl'

export interface ProcessGroupOptions extends Partial<Rendezvous> {
  /** `'gloo'` unless stated. With `'nccl'` the model of each process is on `cuda:<localRank>`. */
  readonly backend?: DistributedBackend | undefined
  /** How long to wait for the other processes, here and in collectives; 30 minutes unless stated. */
  readonly timeoutMs?: number | undefined
  /** The network interface that Gloo uses, such as `eth0`; GLOO_SOCKET_IFNAME, or the one of the host's name. */
  readonly interface?: string | undefined
  /** Of the group; groups of other names may be open beside it. */
  readonly name?: string | undefined
}

/** The processes that train together. Made by `initProcessGroup`. */
export interface ProcessGroup {
  readonly name: string
  readonly backend: DistributedBackend
  readonly rank: number
  readonly worldSize: number
  readonly localRank: number
  readonly timeoutMs: number
}

/** Objects, and what there is to say about tensors, travel over Gloo always. */
const ENGINES: Readonly<Record<DistributedBackend, string>> = { gloo: 'gloo', nccl: 'gloo,nccl' }
const DEFAULT = 'default'
const MINUTES_30 = 1_800_000
const PAUSE_MS = 500

const KEY = Symbol.for('@lab/vision-native/process-groups')
shared[KEY] ??= new Map<string, ProcessGroup>()
const groups = shared[KEY] as Map<string, ProcessGroup>

/**
 * Joins the processes that were started together, and waits for all of them.
 *
 * @throws ConfigError when variables are missing or contradict each other, or the group is open already
 * @throws DistributedError when the others cannot be reached in time
 */
export async function initProcessGroup(options: ProcessGroupOptions = {}): Promise<ProcessGroup> {
  const { name = DEFAULT, timeoutMs = MINUTES_30, backend = 'gloo' } = options
  const place = rendezvous(options)
  if (groups.has(name)) {
    throw new ConfigError(`initProcessGroup: the group '${name}' is open already; destroyProcessGroup() closes it`)
  }
  if (!(Number.isInteger(timeoutMs) && timeoutMs > 0)) {
    throw new ConfigError(`initProcessGroup: timeoutMs is ${timeoutMs}; it must be a whole number above 0`)
  }
  const engines = ENGINES[backend]
  if (engines === undefined) {
    const known = Object.keys(ENGINES).join(', ')
    throw new ConfigError(`initProcessGroup: backend is ${describe(backend)}; it must be one of ${known}`)
  }
  if (backend === 'nccl') loadCudaLibraries()
  const { rank, worldSize, masterAddress, masterPort, localRank } = place
  const network = options.interface ?? process.env.GLOO_SOCKET_IFNAME ?? ''
  const { serves, attempt } = store(rank)
  const group = { name, backend, rank, worldSize, localRank, timeoutMs }
  groups.set(name, group)
  try {
    const args = [name, engines, masterAddress, masterPort, rank, worldSize, serves, `${attempt}/${name}`, network]
    await meet(args, timeoutMs, serves ? 0 : PAUSE_MS)
    return group
  } catch (error) {
    groups.delete(name)
    throw new DistributedError(
      `initProcessGroup: rank ${rank} of ${worldSize} did not meet the others at ${masterAddress}:${masterPort} within ${timeoutMs / 1000} s; all ${worldSize} processes must be running, and rank 0's machine must be reachable there (${(error as Error).message})`,
      { cause: error },
    )
  }
}

/**
 * @param pauseMs before another try; 0 for one. Where several machines start their processes again, the store of the
 *   attempt before may still answer, and end then
 */
async function meet(args: readonly unknown[], timeoutMs: number, pauseMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    try {
      const left = Math.max(1, Math.ceil(deadline - performance.now()))
      await callAsync('vision_native_distributed::process_group_open', [...args, left])
      return
    } catch (error) {
      const again = pauseMs > 0 && performance.now() + pauseMs < deadline
      if (!again || !VisionNativeError.is(error, 'Distributed')) throw error
      await setTimeout(pauseMs)
    }
  }
}

/** torchrun's own process holds the store, and starts anew under another number what it restarts. */
function store(rank: number): { readonly serves: boolean; readonly attempt: string } {
  const agent = process.env.TORCHELASTIC_USE_AGENT_STORE === 'True'
  return { serves: rank === 0 && !agent, attempt: `attempt-${process.env.TORCHELASTIC_RESTART_COUNT ?? 0}` }
}

/** Leaves a group; the default one unless stated. What is under way ends first. */
export async function destroyProcessGroup(group: ProcessGroup | undefined = openGroup()): Promise<void> {
  if (group === undefined || !groups.delete(group.name)) return
  await callAsync('vision_native_distributed::process_group_close', [group.name])
}

/** The default group, where `initProcessGroup` has opened it. */
export function openGroup(): ProcessGroup | undefined {
  return groups.get(DEFAULT)
}

/** @throws ConfigError when no group is open */
export function groupOf(group: ProcessGroup | undefined, caller: string): ProcessGroup {
  const found = group ?? openGroup()
  if (found === undefined) throw new ConfigError(`${caller}: no process group is open; await initProcessGroup() first`)
  if (groups.get(found.name) !== found) throw new ConfigError(`${caller}: the group '${found.name}' was closed`)
  return found
}

/** This process's number, 0 where there is no group. */
export function getRank(group: ProcessGroup | undefined = openGroup()): number {
  return group?.rank ?? 0
}

/** Number of processes, 1 where there is no group. */
export function getWorldSize(group: ProcessGroup | undefined = openGroup()): number {
  return group?.worldSize ?? 1
}
