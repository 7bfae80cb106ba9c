import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { BENCHMARKS } from '../bench/benchmarks'
import { isThroughput, type Machine, type Row, throughputs } from '../bench/support/result'

/** docs/benchmarks.md: the rows that stand in bench/results, as tables. */

const RESULTS = fileURLToPath(new URL('../bench/results/', import.meta.url))

interface Result {
  readonly name: string
  readonly machine: Machine
  readonly threads: number
  readonly rows: readonly Row[]
}

/** The text of docs/benchmarks.md. */
export function benchmarkTables(): string {
  const results = readdirSync(RESULTS)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => JSON.parse(readFileSync(`${RESULTS}${file}`, 'utf8')) as Result)
  const measured = Object.keys(BENCHMARKS).flatMap((name) => results.filter((result) => result.name === name))
  return `# Benchmarks

Written by \`npm run generate\` from \`bench/results\`, which \`npm run bench -- NAME --json\` fills. Ours and
the peer run in turn in one process tree, with equally many threads; their results are compared first. Times are medians;
**ratio** is the peer's time over ours, so above 1 we are faster. Where the time of a kernel goes, and how much a second thread
gains: [kernel-speed.md](kernel-speed.md).

${measured
  .filter(({ rows }) => rows.length > 0)
  .map(section)
  .join('\n\n')}
`
}

function section({ name, machine, threads, rows }: Result): string {
  const { cpu, cores, isa, libtorch, node } = machine
  const { title = '', note } = BENCHMARKS[name] ?? {}
  return `## ${name}

${capital(title)}. ${cpu}, ${cores} cores, ${isa}, LibTorch ${libtorch}, Node ${node}, ${threads === 1 ? '1 thread' : `${threads} threads`} unless a row says otherwise.${note === undefined ? '' : `\n\n${note}`}

${rows.some(isThroughput) ? throughputTable(rows) : timeTable(rows)}`
}

function timeTable(rows: readonly Row[]): string {
  const lines = rows.map(
    (row) => `| ${row.case} | ${time(row.oursMs)} | ${row.peer} | ${time(row.peerMs)} | ${row.ratio.toFixed(2)} |`,
  )
  return `| case | ours | peer | peer's time | ratio |
|---|---:|---|---:|---:|
${lines.join('\n')}`
}

function throughputTable(rows: readonly Row[]): string {
  const lines = rows.map((row) => {
    const { ours, theirs, ourPeak, theirPeak } = throughputs(row)
    const mine = [time(row.oursMs), ours, ourPeak]
    return `| ${[row.case, ...mine, row.peer, time(row.peerMs), theirs, theirPeak, row.ratio.toFixed(2)].join(' | ')} |`
  })
  return `| case | ours | throughput | peak | peer | peer's time | peer's throughput | peer's peak | ratio |
|---|---:|---:|---:|---|---:|---:|---:|---:|
${lines.join('\n')}`
}

function time(ms: number): string {
  return ms < 1 ? `${(ms * 1000).toPrecision(3)} µs` : `${ms < 100 ? ms.toPrecision(3) : ms.toFixed(0)} ms`
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
