// What systems there are, and what one of them is.
import pc from 'picocolors'
import { configFields, type SystemCard, TASKS } from '../pipeline'
import { SYSTEMS } from '../registry.generated'
import { type CommonOptions, EXIT, printJson } from './command'
import { systemOf } from './system-of'

/** Options of `vision-native list`. */
export interface ListOptions extends CommonOptions {
  readonly task?: string
  readonly family?: string
}

/** `vision-native list`: the systems, by family. */
export async function list({ task, family, json }: ListOptions): Promise<number> {
  const cards: readonly SystemCard[] = Object.values(SYSTEMS).map((entry) => entry.card)
  const chosen = cards.filter(
    (card) => (task === undefined || card.task === task) && (family === undefined || card.family === family),
  )
  if (json) {
    printJson(
      chosen.map(({ name, family: of, task: does, summary, paper }) => ({
        name,
        family: of,
        task: does,
        summary,
        paper,
      })),
    )
    return EXIT.ok
  }
  const width = Math.max(0, ...chosen.map(({ name }) => name.length))
  for (const of of [...new Set(chosen.map((card) => card.family))].sort()) {
    console.log(pc.bold(of))
    for (const { name, task: does, summary } of chosen.filter((card) => card.family === of)) {
      console.log(`  ${name.padEnd(width)}  ${pc.dim(does.padEnd(10))}  ${summary}`)
    }
  }
  if (chosen.length === 0) console.log('no systems; see `vision-native list` for all')
  return EXIT.ok
}

/** `vision-native info`: paper, networks, published results, data sets and options of a system. */
export async function info(name: string, { json }: CommonOptions): Promise<number> {
  const { card, config } = await systemOf(name, 'info')
  const options = configFields(config)
  if (json) {
    printJson({ ...card, options })
    return EXIT.ok
  }
  const { paper, parameters, published, datasets } = card
  console.log(`${pc.bold(card.name)}: ${card.summary}`)
  console.log(`${paper.title}, ${paper.venue} ${paper.year}`)
  section('Use', [`vision-native ${TASKS[card.task].example.split(' ')[0]} … --model ${card.name}`, needs(card)])
  section('Parameters', table(parameters.map(({ network, count }) => [network, count.toLocaleString('en-US')])))
  section(
    'Published results',
    table(published.map(({ dataset, metric, value, setting = '' }) => [dataset, metric, String(value), setting])),
  )
  section(
    'Data sets',
    datasets.map(({ name: of, layout, note }) => `${of}: ${layout}${note ? `; ${note}` : ''}`),
  )
  section(
    'Options (--set key=value)',
    table(
      options.map(({ key, type, default: value, description }) => [
        key,
        JSON.stringify(value) ?? '',
        type,
        description,
      ]),
    ),
  )
  return EXIT.ok
}

function needs({ name, selfTraining, untrained }: SystemCard): string {
  if (untrained) return 'it needs no weights'
  const own = `--weights FILE, which \`vision-native train ${name} --data FOLDER\` writes`
  return selfTraining ? `without weights it trains on its input; or ${own}` : own
}

function section(title: string, lines: readonly string[]): void {
  if (lines.length === 0) return
  console.log(`\n${pc.bold(title)}`)
  for (const line of lines) console.log(`  ${line}`)
}

/** Rows with columns of equal width. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
