import { ArgumentError, type CreationSite } from '../native/errors'
import { bridge } from '../native/frame'
import { describe } from './call'
import { liveSites, setDebug } from './debug'

export type { CreationSite }

export interface MemoryStats {
  /** Tensors alive in this thread. */
  readonly tensors: number
  /** Blocks of memory that they share. */
  readonly storages: number
  /** Bytes of those blocks by device, such as `{ cpu: 4096 }`. */
  readonly bytes: Readonly<Record<string, number>>
  /** What LibTorch holds of CPU memory in this process, other threads and values saved for `backward` included. */
  readonly allocatedCpuBytes: number
  /** The most it held since the start, or since `resetPeak()`. */
  readonly peakCpuBytes: number
  /** What it may hold; an allocation beyond it is an OutOfMemoryError. */
  readonly limitCpuBytes: number
  /** In debug mode: live tensors by the line that made them, most first. */
  readonly sites?: readonly CreationSite[]
}

/** What tensors hold now. Walks all live tensors; not for hot loops. */
export function stats(): MemoryStats {
  const figures = bridge().memory()
  const sites = liveSites()
  return sites ? { ...figures, sites } : figures
}

/**
 * Limits the CPU memory that LibTorch may hold in this process; the default is what the machine had available at the
 * start, or the container's limit. What is held already stays.
 */
export function setCpuLimit(bytes: number): void {
  if (typeof bytes !== 'number' || !(bytes >= 0)) {
    throw new ArgumentError(`memory.setCpuLimit: ${describe(bytes)} must be a number of bytes of 0 or more`)
  }
  bridge().setCpuMemoryLimit(bytes)
}

/** Begins a new measurement of `stats().peakCpuBytes`. */
export function resetPeak(): void {
  bridge().resetPeakMemory()
}

/**
 * Debug mode: records the line that makes each tensor, and warns when very many are made outside any scope in one turn
 * of the event loop. Slow; for finding leaks. `VISION_NATIVE_DEBUG=1` turns it on from the start.
 */
export function debug(on: boolean): void {
  setDebug(on)
}

/**
 * Live tensors by the line that made them, most first. Empty at the end of a program that leaks nothing.
 *
 * @throws ArgumentError unless debug mode is on
 */
export function leaks(): readonly CreationSite[] {
  const sites = liveSites()
  if (!sites) {
    throw new ArgumentError(
      'memory.leaks: creation sites are recorded in debug mode only; call memory.debug(true) first',
    )
  }
  return sites
}

/** The longest time in milliseconds that a native call has held this thread since this was last asked. */
export function takeLongestCallMs(): number {
  return bridge().longestCallMs()
}
