import pc from 'picocolors'
import { listWeights, pullWeights, type VerifiedWeights, verifyWeights } from '../weights'
import { type CommonOptions, type Context, EXIT, note, printJson } from './command'
import { withProgress } from './progress'

export interface ListOptions extends CommonOptions {
  readonly task?: string
  /** Only what is on this machine. */
  readonly local?: boolean
}

/** `vision-native weights list`: the table, and what of it is here. */
export async function list(filter: string | undefined, options: ListOptions): Promise<number> {
  const all = await listWeights()
  const shown = all.filter(
    ({ name, task, path }) =>
      (filter === undefined || name.includes(filter)) &&
      (options.task === undefined || task === options.task) &&
      (!options.local || path !== undefined),
  )
  if (options.json) printJson({ weights: shown })
  else {
    for (const { name, task, licence, path } of shown) {
      console.log(`${path === undefined ? '    ' : pc.green('here')}  ${name.padEnd(46)} ${task.padEnd(24)} ${licence}`)
    }
    note(
      `${shown.length} of ${all.length} weights, ${shown.filter(({ path }) => path !== undefined).length} on this machine`,
    )
  }
  return EXIT.ok
}

export interface PullCommandOptions extends CommonOptions {
  readonly force?: boolean
}

/** `vision-native weights pull`: fetches weights into the cache. */
export async function pull(
  names: readonly string[],
  { json = false, force = false }: PullCommandOptions,
  { signal }: Context,
): Promise<number> {
  const pulled = []
  for (const name of names) {
    const result = await withProgress(!json, (onProgress) =>
      pullWeights(name, {
        ...{ force, signal, onProgress },
        onWait: (pid) => note(`Another process (${pid}) is downloading ${name}; waiting for it.`),
      }),
    )
    pulled.push(result)
    if (!json) console.log(`${result.path}${result.from === 'network' ? '' : ` (${result.from})`}`)
  }
  if (json) printJson({ pulled })
  return EXIT.ok
}

/** `vision-native weights verify`: checks what is here against the published checksums; all of it unless names are given. */
export async function verify(
  names: readonly string[],
  { json = false }: CommonOptions,
  { signal }: Context,
): Promise<number> {
  const here = (await listWeights()).filter(({ path }) => path !== undefined).map(({ name }) => name)
  const verified: VerifiedWeights[] = []
  for (const name of names.length > 0 ? names : here) {
    const result = await verifyWeights(name, { signal })
    verified.push(result)
    if (json) continue
    const mark = result.ok ? pc.green('ok') : pc.red('wrong')
    console.log(`${mark}  ${result.name}  ${result.problem ?? `SHA-256 as ${AGAINST[result.against]}`}  ${result.path}`)
  }
  if (json) printJson({ verified })
  else if (verified.length === 0) note('there are no weights of the table on this machine')
  return verified.every(({ ok }) => ok) ? EXIT.ok : EXIT.failure
}

const AGAINST: Readonly<Record<VerifiedWeights['against'], string>> = {
  published: 'published',
  'published-prefix': 'its published digits',
  pulled: 'when it was pulled; none is published',
  nothing: 'it is; none is published',
}
