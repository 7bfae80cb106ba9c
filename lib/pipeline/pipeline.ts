import type { z } from 'zod'
import type { Device } from '../tensor'
import type { Progress } from '../tensor/call'
import type { ConfigSchema, PartialConfig } from './config'
import type { Result, Summary } from './results/result'

export { throwIfCancelled } from '../native/errors'

/** How a pipeline is made ready. */
export interface LoadOptions<S extends ConfigSchema = ConfigSchema> {
  /** `'auto'` (default): a GPU where there is one. */
  readonly device?: Device | 'auto' | undefined
  /**
   * A file that training wrote; or `'random'`, for a trial of a pipeline whose results mean nothing. Unless stated a
   * system that trains on its input does so, and any other refuses.
   */
  readonly weights?: string | undefined
  /** Options of the system that differ from those the weights were trained with, or from the paper's. */
  readonly config?: PartialConfig<z.input<S>> | undefined
}

export interface RunOptions {
  /** Stops the run; the promise then rejects with `CancelledError`. */
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

/**
 * Files or tensors in, results out: preprocessing, model and postprocessing of a system.
 *
 * A pipeline holds its network's memory until it is disposed of; `using pipeline = await X.load()` does it at the end of
 * the block. Runs do not block the event loop, and may overlap.
 */
export abstract class Pipeline<In, Out extends Result> {
  abstract run(input: In, options?: RunOptions): Promise<Out>

  /** Results for several inputs, in their order; a system that trains on its input trains on all of them together. */
  async batch(inputs: readonly In[], options: RunOptions = {}): Promise<Out[]> {
    const results: Out[] = []
    try {
      for (const [index, input] of inputs.entries()) {
        results.push(await this.run(input, { signal: options.signal }))
        options.onProgress?.({ stage: 'inputs', done: index + 1, total: inputs.length })
      }
      return results
    } catch (error) {
      for (const result of results) result.dispose()
      throw error
    }
  }

  /**
   * Runs and writes the result, in the format that the extension says. Long results, such as videos, are written while
   * they are made, and need not fit into memory.
   */
  async runToFile(input: In, path: string, options: RunOptions = {}): Promise<Summary> {
    const result = await this.run(input, options)
    try {
      await result.toFile(path)
      return result
    } catch (error) {
      result.dispose()
      throw error
    }
  }

  /** Results one after the other, as they are asked for; each belongs to who asked. */
  async *stream(inputs: AsyncIterable<In> | Iterable<In>, options: RunOptions = {}): AsyncGenerator<Out, void, void> {
    for await (const input of inputs) yield await this.run(input, options)
  }

  /** Frees the networks. Runs that are under way must have ended. */
  abstract dispose(): void

  [Symbol.dispose](): void {
    this.dispose()
  }
}
