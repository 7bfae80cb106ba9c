import { DivergenceError } from '../native/errors'
import { dispose, keep } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'
import type { Values } from './records'
import type { BatchResult } from './step'

/** Where in a training a batch was. */
export interface Place {
  readonly step: number
  readonly epoch: number
  /** Number of the batch in its epoch, from 0. */
  readonly batch: number
  readonly samples: number
}

/** Sums over samples, as a checkpoint holds them. */
export interface Sums {
  readonly samples: number
  readonly sums: Values
}

/**
 * Losses of batches, left on their device until a record or a checkpoint needs them: reading each would make the device
 * wait for the script after every step.
 */
export class LossWindow {
  #pending: { readonly result: BatchResult; readonly place: Place }[] = []
  readonly record = new Mean()
  readonly epoch = new Mean()
  gradNorm: number | undefined

  add(result: BatchResult, place: Place): void {
    const { loss, values, gradNorm } = result
    this.#pending.push({
      result: {
        loss: keep(loss),
        values: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, keep(value)])),
        gradNorm: gradNorm && keep(gradNorm),
      },
      place,
    })
  }

  /** Reads what is pending into the means. @throws DivergenceError at the first loss that is NaN or infinite */
  read(): void {
    const pending = this.#pending
    this.#pending = []
    try {
      for (const { result, place } of pending) {
        const values = { loss: result.loss, ...result.values }
        const numbers = Object.fromEntries(Object.entries(values).map(([name, t]) => [name, (t as Tensor).toNumber()]))
        if (!Number.isFinite(numbers.loss)) throw diverged(numbers.loss as number, place)
        this.record.add(numbers, place.samples)
        this.epoch.add(numbers, place.samples)
        if (result.gradNorm) this.gradNorm = result.gradNorm.toNumber()
      }
    } finally {
      dispose(pending.map(({ result }) => ({ ...result })))
    }
  }

  dispose(): void {
    dispose(this.#pending.map(({ result }) => ({ ...result })))
    this.#pending = []
  }
}

/** Means over samples of values by name. */
export class Mean {
  #samples = 0
  #sums: Record<string, number> = {}

  add(values: Values, samples: number): void {
    this.#samples += samples
    for (const [name, value] of Object.entries(values)) {
      this.#sums[name] = (this.#sums[name] ?? 0) + value * samples
    }
  }

  /** The means, or nothing where no sample was added; begins anew. */
  take(): { readonly loss: number; readonly values: Values | undefined } | undefined {
    const { samples, sums } = this.state()
    this.load({ samples: 0, sums: {} })
    if (samples === 0) return undefined
    const { loss = Number.NaN, ...values } = Object.fromEntries(
      Object.entries(sums).map(([name, sum]) => [name, sum / samples]),
    )
    return { loss, values: Object.keys(values).length > 0 ? values : undefined }
  }

  state(): Sums {
    return { samples: this.#samples, sums: { ...this.#sums } }
  }

  load({ samples, sums }: Sums): void {
    this.#samples = samples
    this.#sums = { ...sums }
  }
}

function diverged(loss: number, { step, epoch, batch }: Place): DivergenceError {
  return new DivergenceError(
    `Trainer: the loss is ${loss} in step ${step} (epoch ${epoch + 1}, batch ${batch + 1}); training stopped, and earlier checkpoints are as they were. ` +
      'Lower the learning rate, set clipNorm, or look for the operator that makes it with detectAnomaly',
  )
}
