import { dispose } from '../tensor'
import type { BatchSource, FitOptions } from './options'
import type { FitResult, Trainer } from './trainer'

/**
 * Trains a model in one stage. The optimiser's state is freed at the end, and the model too where the
 * training or `finish` fails.
 *
 * @param finish makes the result of what the training ended with; `loss` is the last one of the log
 */
export async function fitModel<Batch, Result>(
  trainer: Trainer<Batch>,
  data: BatchSource<Batch>,
  options: FitOptions,
  finish: (fitted: FitResult & { readonly loss: number }) => Result | Promise<Result>,
): Promise<Result> {
  const { model, optimizer } = trainer.options
  try {
    const fitted = await trainer.fit(data, options)
    return await finish({ ...fitted, loss: fitted.records.at(-1)?.loss ?? Number.NaN })
  } catch (error) {
    model.dispose()
    throw error
  } finally {
    dispose(optimizer)
  }
}
