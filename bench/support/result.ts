import { cpus, release } from 'node:os'
import { cpuCapability, libtorchVersion } from '../../lib/tensor'

/** One comparison. `ratio` is the peer's time over ours: above 1, ours is faster. */
export interface Row {
  readonly case: string
  readonly oursMs: number
  readonly peer: string
  readonly peerMs: number
  readonly ratio: number
  /** Largest difference between the two results. */
  readonly equalTo: number
}

/** A comparison that says too how much is done in a second, and how much memory it takes. */
export interface ThroughputRow extends Row {
  /** What is counted, such as pictures. */
  readonly unit: string
  readonly perSecond: number
  readonly peerPerSecond: number
  /** Megabytes that a pass takes at most beside weights and inputs; none where they were not measured. */
  readonly peakMB?: number
  readonly peerPeakMB?: number
}

export interface Machine {
  readonly cpu: string
  readonly cores: number
  /** The instruction set that LibTorch chose. */
  readonly isa: string
  readonly node: string
  readonly libtorch: string
  readonly system: string
}

export function machine(): Machine {
  const cores = cpus()
  return {
    cpu: cores[0]?.model.trim() ?? 'unknown',
    cores: cores.length,
    isa: cpuCapability(),
    node: process.version,
    libtorch: libtorchVersion(),
    system: `${process.platform} ${release()}`,
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const [low, high] = [sorted[middle - 1] ?? Number.NaN, sorted[middle] ?? Number.NaN]
  return sorted.length % 2 === 1 ? high : (low + high) / 2
}

/** Largest difference of two results; NaN where their lengths differ, so that it is never taken for agreement. */
export function largestDifference(ours: ArrayLike<number>, theirs: ArrayLike<number>): number {
  if (ours.length !== theirs.length) return Number.NaN
  let largest = 0
  for (let i = 0; i < ours.length; i++)
    largest = Math.max(largest, Math.abs((ours[i] as number) - (theirs[i] as number)))
  return largest
}

export function isThroughput(row: Row): row is ThroughputRow {
  return 'perSecond' in row
}

/** Throughput and peaks of a row as text; empty where they were not measured. */
export function throughputs(row: Row) {
  if (!isThroughput(row)) return { ours: '', theirs: '', ourPeak: '', theirPeak: '' }
  const { unit, perSecond, peerPerSecond, peakMB, peerPeakMB } = row
  const rate = (value: number) => `${Number(value.toPrecision(3))} ${unit}/s`
  const peak = (mb: number | undefined) => (mb === undefined ? '' : `${mb.toFixed(0)} MB`)
  return { ours: rate(perSecond), theirs: rate(peerPerSecond), ourPeak: peak(peakMB), theirPeak: peak(peerPeakMB) }
}

/** Rows as a table for a terminal; times below a millisecond in microseconds. */
export function table(rows: readonly Row[]): string {
  const time = (ms: number) => (ms < 1 ? `${(ms * 1000).toFixed(2)} µs` : `${ms.toFixed(2)} ms`)
  const measured = rows.some(isThroughput)
  const cells = rows.map((row) => [
    row.case,
    time(row.oursMs),
    row.peer,
    time(row.peerMs),
    row.ratio.toFixed(2),
    row.equalTo.toPrecision(2),
    ...(measured ? Object.values(throughputs(row)) : []),
  ])
  const more = measured ? ['throughput', 'peer’s', 'peak', 'peer’s'] : []
  const lines = [['case', 'ours', 'peer', 'peer’s', 'ratio', 'differ by', ...more], ...cells]
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? []
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
