import { ArgumentError, ConfigError, DistributedError } from '../native/errors'
import { call, callAsync, describe } from '../tensor/call'
import type { Tensor } from '../tensor/tensor'
import { allGatherObject, type CollectiveOptions } from './collectives'
import { groupOf } from './process-group'

export interface GradientReducerOptions extends CollectiveOptions {
  /** Gradients travel in buckets of this size; 25 MiB unless stated. */
  readonly bucketBytes?: number | undefined
  /** For functions that do not reach every parameter each time; costs a walk of the graph. False unless stated. */
  readonly findUnused?: boolean | undefined
}

const MIB = 2 ** 20
let opened = 0

/**
 * Averages gradients over processes while backward still runs: LibTorch's own reducer, that of
 * `DistributedDataParallel`. Buckets leave as soon as they are full (Li et al., "PyTorch Distributed: Experiences on
 * Accelerating Data Parallel Training", VLDB 2020).
 *
 * @example
 * using reducer = await GradientReducer.open(model.parameters())
 * const loss = crossEntropy(model.forward(image), label)
 * reducer.prepare()
 * loss.backward()
 */
export class GradientReducer implements Disposable {
  #open = true

  private constructor(
    private readonly id: number,
    private readonly findUnused: boolean,
  ) {}

  /**
   * @param parameters the same in number, order and shapes in all processes; those without gradients are left out
   * @throws DistributedError when the processes' parameters differ
   */
  static async open(parameters: Iterable<Tensor>, options: GradientReducerOptions = {}): Promise<GradientReducer> {
    const { bucketBytes = 25 * MIB, findUnused = false } = options
    const { name } = groupOf(options.group, 'GradientReducer')
    if (!(Number.isSafeInteger(bucketBytes) && bucketBytes > 0)) {
      throw new ArgumentError(
        `GradientReducer: bucketBytes is ${describe(bucketBytes)}; it must be a whole number above 0`,
      )
    }
    const trained = [...parameters].filter((parameter) => parameter.requiresGrad)
    if (trained.length === 0) throw new ConfigError('GradientReducer: no parameter requires a gradient')
    await checkAlike(trained, options)
    const id = ++opened
    await callAsync('vision_native_distributed::reducer_open', [id, trained, name, bucketBytes, findUnused])
    return new GradientReducer(id, findUnused)
  }

  /**
   * To be called after each forward pass whose gradients are to be averaged; without it backward adds up gradients of
   * this process alone.
   *
   * @param outputs what backward begins at; needed with `findUnused`
   */
  prepare(outputs: readonly Tensor[] = []): void {
    if (!this.#open) throw new ConfigError('GradientReducer: it was disposed of')
    call('vision_native_distributed::reducer_prepare', [this.id, this.findUnused ? outputs : []])
  }

  dispose(): void {
    if (!this.#open) return
    this.#open = false
    call('vision_native_distributed::reducer_close', [this.id])
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

/** All processes learn of a difference, not only those that are not rank 0. */
async function checkAlike(parameters: readonly Tensor[], options: CollectiveOptions): Promise<void> {
  const kinds = parameters.map(({ dtype, shape }) => `${dtype} [${shape.join(', ')}]`)
  const [first = [], ...others] = await allGatherObject(kinds, options)
  for (const [index, other] of others.entries()) {
    const place = first.findIndex((kind, i) => kind !== other[i])
    if (place < 0 && other.length === first.length) continue
    const [here, there] = [first[place] ?? 'none', other[place < 0 ? first.length : place] ?? 'none']
    throw new DistributedError(
      `GradientReducer: rank 0 has ${first.length} parameters and rank ${index + 1} has ${other.length}; number ${place < 0 ? first.length : place} is ${here} on rank 0 and ${there} on rank ${index + 1}; all processes must build the same network`,
    )
  }
}
