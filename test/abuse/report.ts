import type { Outcome } from './journal'
import type { AbuseReport } from './run'

/** The figures of a run in a few lines. */
export function summarise(report: AbuseReport, seed: number): string {
  const total = totalCalls(report)
  const line = (label: string, ...outcomes: Outcome[]) => {
    const count = outcomes.reduce((sum, outcome) => sum + report.counts[outcome], 0)
    return `  ${label.padEnd(34)}${String(count).padStart(7)}  ${((100 * count) / total).toFixed(1).padStart(5)} %`
  }
  const checked = [...report.verdicts.values()].filter((verdict) => verdict.checks.length > 0)
  const kinds = ['raw call', 'method', 'meta', 'in place', 'equals its plain form', 'oracle']
  const counts = kinds.map((kind) => `${kind} ${checked.filter((verdict) => verdict.checks.includes(kind)).length}`)
  return [
    `${total} calls of ${report.successes.size} operators, seed ${seed}`,
    line('rejected by us', 'rejectedByUs'),
    line('rejected by LibTorch', 'rejectedByLibTorch'),
    line('succeeded', 'succeeded'),
    line('reached a kernel', 'succeeded', 'rejectedByLibTorch'),
    line('died, hung, leaked, untyped error', 'died', 'stuck', 'leaked', 'untypedError'),
    `  results checked of ${checked.length} operators: ${counts.join(', ')}`,
  ].join('\n')
}

export const totalCalls = (report: AbuseReport): number =>
  Object.values(report.counts).reduce((sum, count) => sum + count, 0)

/** Share of calls that LibTorch ran or turned down itself. */
export const reachedKernel = ({ counts, ...report }: AbuseReport): number =>
  (counts.succeeded + counts.rejectedByLibTorch) / totalCalls({ counts, ...report })
