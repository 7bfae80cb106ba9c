// How much memory this process holds, and the most it held, as Linux counts it.
import { readFileSync, writeFileSync } from 'node:fs'

/** Megabytes (10⁶ bytes) that lie in memory now. */
export function residentMB(): number {
  return fieldMB('VmRSS')
}

/** The most since the process began, or since `resetHighest`. */
export function highestMB(): number {
  return fieldMB('VmHWM')
}

/** Begins a new measurement of `highestMB`. */
export function resetHighest(): void {
  writeFileSync('/proc/self/clear_refs', '5')
}

function fieldMB(name: string): number {
  const line = readFileSync('/proc/self/status', 'utf8')
    .split('\n')
    .find((each) => each.startsWith(`${name}:`))
  return (Number.parseInt(line?.slice(name.length + 1) ?? '', 10) * 1024) / 1e6
}
