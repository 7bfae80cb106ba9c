// `npm run bench -- NAME [--threads N] [--json]`: ours and a peer in turn, results compared first, medians of rounds.
import { parseArgs } from 'node:util'
import { setNumThreads } from '../lib/tensor'
import { BENCHMARKS } from './benchmarks'
import { findPython } from './support/python'
import { machine, table } from './support/result'

const USAGE = 'Usage: npm run bench -- NAME [--threads N] [--json]\n       npm run bench -- --list'

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { threads: { type: 'string', default: '1' }, json: { type: 'boolean' }, list: { type: 'boolean' } },
  })
  if (values.list) {
    const names = Object.entries(BENCHMARKS).map(([name, { title }]) => `${name.padEnd(16)}${title}`)
    return console.log(names.join('\n'))
  }
  const name = positionals[0] ?? ''
  const benchmark = BENCHMARKS[name]
  if (!benchmark || positionals.length > 1)
    throw new Error(`bench: name one of ${Object.keys(BENCHMARKS).join(', ')}\n${USAGE}`)
  const threads = Number(values.threads)
  setNumThreads(threads)

  const { rows, ...figures } = await benchmark.run({ python: findPython(), threads })
  const result = { name, machine: machine(), threads, rows, ...figures }
  if (values.json) return console.log(JSON.stringify(result))
  const { cpu, cores, isa, node, libtorch } = result.machine
  console.log(`${name}: ${cpu}, ${cores} cores, ${isa}, Node ${node}, LibTorch ${libtorch}, ${threads} threads\n`)
  console.log(table(rows))
  for (const [figure, value] of Object.entries(figures)) console.log(`\n${figure}: ${JSON.stringify(value)}`)
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
})
