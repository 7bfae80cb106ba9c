import { ArgumentError, ConfigError, LoadError } from '../native/errors'
import { describe } from '../tensor/call'
import { type Dataset, type IterableDataset, isIterableDataset } from './dataset'
import { ConcatDataset, Subset } from './datasets'
import { rememberRecipe, type WorkerRecipe } from './worker-recipe'

/** Who asks for samples, in a worker. */
export interface WorkerInfo {
  /** From 0. */
  readonly id: number
  readonly workers: number
  /** Of the loader. */
  readonly seed: number
}

/** What a data set's module exports. */
export interface DatasetModule<O, D> {
  /** Makes the data set: once in the thread of the loader, and once in each worker. */
  readonly default: (options: O) => D | Promise<D>
  /** Makes a batch of samples, in place of `defaultCollate`. */
  readonly collate?: (samples: readonly never[]) => unknown
  /** Called in each worker before its data set is made. */
  readonly workerInit?: (info: WorkerInfo) => void | Promise<void>
}

type AnyDataset = Dataset<unknown> | IterableDataset<unknown>

/**
 * A data set that worker threads can load from: its module makes it, here and in each of them.
 *
 *     // photos.ts
 *     export default (options: { folder: string }) => new Photos(options.folder)
 *     // train.ts
 *     const photos = await workerDataset<Photos>(new URL('./photos.js', import.meta.url), { folder: 'data' })
 *     const loader = new DataLoader(photos, { batchSize: 32, shuffle: true, workers: 2 })
 *
 * The module may also export `collate(samples)` and `workerInit(info)`. `Subset`, `ConcatDataset` and the splits of such
 * a data set load in workers as well; what a function makes of it (`MapDataset`) belongs into the module.
 *
 * @param module where the module is; TypeScript where the program runs it (tsx, or a Node that strips types)
 * @param options for its default export; plain data, as it is sent to each worker
 * @throws LoadError when the module cannot be loaded, ArgumentError when it makes no data set
 */
export async function workerDataset<D extends AnyDataset>(module: URL | string, options?: unknown): Promise<D> {
  const href = hrefOf(module)
  try {
    structuredClone(options)
  } catch (cause) {
    throw new ArgumentError(`workerDataset: the options cannot be sent to a worker: ${(cause as Error).message}`, {
      cause,
    })
  }
  const { dataset } = await makeFromModule(href, options)
  rememberRecipe(dataset, { kind: 'module', href, options })
  return dataset as D
}

function hrefOf(module: URL | string): string {
  const url = URL.canParse(String(module)) ? new URL(module) : undefined
  if (url?.protocol === 'file:') return url.href
  throw new ArgumentError(
    `workerDataset: ${String(module)} is no file URL; pass new URL('./my-dataset.js', import.meta.url)`,
  )
}

/** A data set, and what the module that made it does with batches. */
export interface MadeDataset {
  readonly dataset: AnyDataset
  readonly collate: DatasetModule<unknown, AnyDataset>['collate']
}

/** What a recipe describes, made in this thread. `info` is given in a worker. */
export async function makeFromRecipe(recipe: WorkerRecipe, info?: WorkerInfo): Promise<MadeDataset> {
  if (recipe.kind === 'module') return makeFromModule(recipe.href, recipe.options, info)
  if (recipe.kind === 'subset') {
    const { dataset, collate } = await makeFromRecipe(recipe.dataset, info)
    return { dataset: new Subset(indexed(dataset), recipe.indices), collate }
  }
  const made: MadeDataset[] = []
  for (const part of recipe.datasets) made.push(await makeFromRecipe(part, info))
  const collates = new Set(made.map(({ collate }) => collate))
  if (collates.size > 1) {
    throw new ConfigError('ConcatDataset: its data sets come from modules with different `collate` functions; use one')
  }
  return { dataset: new ConcatDataset(made.map(({ dataset }) => indexed(dataset))), collate: made[0]?.collate }
}

function indexed(dataset: AnyDataset): Dataset<unknown> {
  if (!isIterableDataset(dataset)) return dataset
  throw new ArgumentError('Subset and ConcatDataset take data sets with numbered samples, not streams')
}

/** Modules whose `workerInit` was called in this thread. */
const initialised = new Set<string>()

async function makeFromModule(href: string, options: unknown, info?: WorkerInfo): Promise<MadeDataset> {
  const { default: factory, collate, workerInit } = await importModule(href)
  if (typeof factory !== 'function') {
    throw new ArgumentError(
      `workerDataset: ${href} has ${describe(factory)} as its default export; it must be a function (options) => Dataset`,
    )
  }
  if (info && workerInit && !initialised.has(href)) {
    initialised.add(href)
    await workerInit(info)
  }
  const dataset: unknown = await factory(options)
  if (!isDataset(dataset)) {
    throw new ArgumentError(
      `workerDataset: the default export of ${href} returned ${describe(dataset)}; ` +
        'a data set has `length` and `get(index)`, or is async iterable',
    )
  }
  return { dataset, collate }
}

/**
 * The bundler makes `require` of the `import()` of the CommonJS build, which takes neither URLs nor ES modules; it does
 * not look into a text.
 */
const importUrl: (href: string) => Promise<{ readonly default?: unknown }> = import.meta.url.endsWith('.cjs')
  ? (new Function('href', 'return import(href)') as typeof importUrl)
  : (href) => import(/* @vite-ignore */ href)

async function importModule(href: string): Promise<Partial<DatasetModule<unknown, unknown>>> {
  try {
    const module = await importUrl(href)
    // A CommonJS module that was TypeScript has its exports inside the default one.
    const inner = module.default
    const wrapped = typeof inner === 'object' && inner !== null && 'default' in inner
    return (wrapped ? inner : module) as Partial<DatasetModule<unknown, unknown>>
  } catch (cause) {
    const { message, code } = cause as NodeJS.ErrnoException
    const remedy =
      code === 'ERR_UNKNOWN_FILE_EXTENSION' ? '; compile it to JavaScript, or install tsx beside your program' : ''
    throw new LoadError(`workerDataset: ${href} could not be loaded: ${message}${remedy}`, { cause })
  }
}

function isDataset(value: unknown): value is AnyDataset {
  if (typeof value !== 'object' || value === null) return false
  if (Symbol.asyncIterator in value) return true
  const { length, get } = value as { length?: unknown; get?: unknown }
  return typeof length === 'number' && typeof get === 'function'
}
