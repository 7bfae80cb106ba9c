import type { ProcessGroup } from '../distributed'
import { synchronizeMetrics } from '../metrics'
import { CancelledError, VisionNativeError } from '../native/errors'
import type { Module } from '../nn/module'
import { noGrad } from '../tensor/autograd'
import { type CapturedFunction, capture } from '../tensor/graph'
import { tidy, tidyAsync } from '../tensor/scope'
import type { Device } from '../tensor/types'
import { toDevice } from './batch'
import { batchesOf } from './batches'
import { gathering, type ValidationOptions } from './options'
import type { Values } from './records'

/** Runs a model over a data set and computes metrics. */
export class Evaluator<Batch, Output> {
  readonly #predict: CapturedFunction<[Batch], Output>
  #capture: boolean

  constructor(
    readonly options: ValidationOptions<Batch, Output>,
    readonly model: Module,
    readonly device: Device,
    capturing: boolean,
    readonly group: ProcessGroup | undefined,
  ) {
    this.#capture = capturing
    this.#predict = capture((batch) => options.predict(batch))
  }

  /** The metrics by name; the model is in evaluation mode meanwhile. */
  async run(signal?: AbortSignal): Promise<Values> {
    const { data, metrics, update } = this.options
    const wasTraining = this.model.training
    for (const metric of Object.values(metrics)) metric.reset()
    this.model.eval()
    const batches = batchesOf('validation.data', data)
    try {
      for (let more = true; more; ) {
        more = await tidyAsync(async () => {
          const { done, value } = await batches.next()
          if (done) return false
          if (signal?.aborted) {
            throw new CancelledError('Trainer.evaluate: cancelled by its AbortSignal', { cause: signal.reason })
          }
          const batch = toDevice(value, this.device)
          update(await this.#output(batch), batch)
          return true
        })
      }
    } finally {
      await batches.return?.()
      this.model.train(wasTraining)
    }
    if (this.options.sharded && this.group)
      await synchronizeMetrics(Object.values(gathering(metrics)), { group: this.group })
    return Object.fromEntries(Object.entries(metrics).map(([name, metric]) => [name, metric.compute()]))
  }

  async #output(batch: Batch): Promise<Output> {
    if (this.#capture) {
      try {
        // Started in one turn: the mode is the thread's.
        const running = noGrad(() => ({ promise: this.#predict(batch) }))
        return await running.promise
      } catch (error) {
        if (!VisionNativeError.is(error, 'Config')) throw error
        this.#capture = false
      }
    }
    const output = noGrad(() => tidy(() => this.options.predict(batch)))
    await new Promise(setImmediate)
    return output
  }

  dispose(): void {
    this.#predict.dispose()
  }
}
