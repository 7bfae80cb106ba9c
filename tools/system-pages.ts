import { readFileSync } from 'node:fs'
import { configFields, type SystemCard, type SystemEntry, TASKS } from '../lib/pipeline'
import { SYSTEMS } from '../lib/registry.generated'
import { systemPlaces } from './system-registry'

/** docs/systems/<system>.md: the page written by hand in the system's folder, then what its card and options say. */

/** Paths and texts of all pages, and of their table of contents. */
export async function systemPages(): Promise<[path: string, text: string][]> {
  const entries = Object.entries(SYSTEMS) as [string, SystemEntry][]
  const pages = await Promise.all(
    entries.map(async ([name, entry]): Promise<[string, string]> => [`docs/systems/${name}.md`, await page(entry)]),
  )
  return [['docs/systems/README.md', contents(entries.map(([, { card }]) => card))], ...pages]
}

const WRITTEN = '<!-- Written by `npm run generate` from the system’s folder: README.md, card.ts and config.ts. -->'

function contents(cards: readonly SystemCard[]): string {
  const rows = cards.map(
    ({ name, task, summary, paper }) =>
      `| [${name}](${name}.md) | \`${task}\` | ${summary} | ${paper.venue} ${paper.year} |`,
  )
  return `<!-- Written by \`npm run generate\`. -->
# Systems

Papers end to end: networks, training, evaluation and a pipeline each. \`vision-native list\` prints them, and \`vision-native info NAME\` what one is.
The pages write commands as they are where the package is installed globally; in a project, put \`npx\` before them.

| system | command | what it does | paper |
|---|---|---|---|
${rows.join('\n')}
`
}

async function page({ card, load }: SystemEntry): Promise<string> {
  const { system } = await load()
  const place = systemPlaces().find(({ name }) => name === card.name)
  const written = readFileSync(
    new URL(`../lib/models/${place?.family}/${card.name}/README.md`, import.meta.url),
    'utf8',
  )
  const { paper, parameters, published, datasets } = card
  const parts = [
    section(
      'Parameters',
      table(
        ['network', 'parameters'],
        parameters.map(({ network, count }) => [network, count.toLocaleString('en-US')]),
      ),
    ),
    section(
      'Published results',
      table(
        ['data set', 'metric', 'value', 'setting'],
        published.map(({ dataset, metric, value, setting = '' }) => [dataset, metric, String(value), setting]),
      ),
    ),
    section(
      'Data sets',
      datasets.map(({ name, layout, note }) => `- **${name}**: \`${layout}\`${note ? `; ${note}` : ''}`).join('\n'),
    ),
    section(
      'Options',
      `Of \`config\` in TypeScript, or \`--set key=value\` and \`--config file.json\` on the command line.\n\n${table(
        ['key', 'default', 'type', 'meaning'],
        configFields(system.config).map(({ key, type, default: value, description }) => [
          `\`${key}\``,
          value === undefined ? '' : `\`${JSON.stringify(value)}\``,
          type.replaceAll('|', '\\|'),
          description,
        ]),
      )}`,
    ),
  ]
  const { summary } = TASKS[card.task]
  const facts = `Paper: *${paper.title}*, ${paper.venue} ${paper.year}. Family: ${card.family}. Command: \`vision-native ${card.task}\` (${summary}).`
  return `${WRITTEN}\n${written.trimEnd().replaceAll('../../../../docs/systems/', '')}\n\n## The paper\n\n${facts}\n\n${parts.filter((part) => part !== '').join('\n\n')}\n`
}

function section(title: string, text: string): string {
  return text === '' ? '' : `### ${title}\n\n${text}`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return ''
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
