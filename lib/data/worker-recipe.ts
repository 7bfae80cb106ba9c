import { shared } from '../native/frame'
import type { Dataset, IterableDataset } from './dataset'

/** How a worker makes a data set of its own: plain data, which travels where the data set itself cannot. */
export type WorkerRecipe =
  | { readonly kind: 'module'; readonly href: string; readonly options: unknown }
  | { readonly kind: 'subset'; readonly dataset: WorkerRecipe; readonly indices: readonly number[] }
  | { readonly kind: 'concat'; readonly datasets: readonly WorkerRecipe[] }

/** A method by which a data set that is made of others says how a worker makes it. */
export const WORKER_RECIPE: unique symbol = Symbol.for('@lab/vision-native/worker-recipe') as never

const KEY = Symbol.for('@lab/vision-native/worker-recipes')
shared[KEY] ??= new WeakMap<object, WorkerRecipe>()
/** Of the data sets that a module made in this thread. */
const recipes = shared[KEY] as WeakMap<object, WorkerRecipe>

export function rememberRecipe(dataset: object, recipe: WorkerRecipe): void {
  recipes.set(dataset, recipe)
}

/** How a worker makes this data set; undefined where it exists in this thread alone. */
export function workerRecipe(dataset: Dataset<unknown> | IterableDataset<unknown>): WorkerRecipe | undefined {
  const known = recipes.get(dataset)
  if (known) return known
  return WORKER_RECIPE in dataset
    ? (dataset as { [WORKER_RECIPE](): WorkerRecipe | undefined })[WORKER_RECIPE]()
    : undefined
}
