import { AsyncLocalStorage } from 'node:async_hooks'
import { shared } from '../native/frame'
import { Generator } from '../tensor/random'
import type { SampleContext } from './dataset'

const KEY = Symbol.for('@lab/vision-native/sample-context')
shared[KEY] ??= new AsyncLocalStorage<SampleContext>()
const storage = shared[KEY] as AsyncLocalStorage<SampleContext>

/** The context of the sample that is being loaded, in anything that `Dataset.get` calls or awaits. */
export function sampleContext(): SampleContext | undefined {
  return storage.getStore()
}

/**
 * The generator of the sample that is being loaded; undefined outside a `DataLoader`, where functions then draw from the
 * default generator. Random transforms draw from it, so that augmentation depends on the loader's seed, the epoch and
 * the sample's number alone.
 */
export function sampleGenerator(): Generator | undefined {
  return storage.getStore()?.generator
}

/** Runs `load` with a context of its own, which `sampleContext()` finds across awaits. */
export async function withSampleContext<T>(
  seed: number,
  epoch: number,
  load: (context: SampleContext) => T | Promise<T>,
): Promise<T> {
  const context = new LazyContext(seed, epoch)
  try {
    return await storage.run(context, () => load(context))
  } finally {
    context.release()
  }
}

class LazyContext implements SampleContext {
  #generator: Generator | undefined

  constructor(
    readonly seed: number,
    readonly epoch: number,
  ) {}

  get generator(): Generator {
    this.#generator ??= new Generator(this.seed)
    return this.#generator
  }

  /** A generator is five kilobytes that the garbage collector does not see. */
  release(): void {
    this.#generator?.dispose()
  }
}
