import { SummaryWriter } from '../io/tensorboard'
import type { TrainingRecord, Values } from './records'

/** Records as scalars of a TensorBoard event file. */
export class TensorBoardLog {
  readonly #writer: SummaryWriter

  /** @param step where a resumed training goes on; what an earlier file has from there on is hidden */
  constructor(folder: string, step: number) {
    this.#writer = new SummaryWriter(folder, step > 0 ? { purgeStep: step + 1 } : {})
  }

  add(record: TrainingRecord): void {
    const { step, loss, learningRate } = record
    if (record.kind === 'step') {
      const norm: Values = record.gradNorm === undefined ? {} : { gradNorm: record.gradNorm }
      this.#scalars('train', { loss, learningRate, ...norm, ...record.values }, step)
    } else {
      const { epoch, samplesPerSecond, waitShare } = record
      this.#scalars('epoch', { loss, epoch, samplesPerSecond, waitShare, ...record.values }, step)
      this.#scalars('validation', record.validation ?? {}, step)
    }
  }

  #scalars(group: string, values: Values, step: number): void {
    for (const [name, value] of Object.entries(values)) this.#writer.addScalar(`${group}/${name}`, value, step)
  }

  async close(): Promise<void> {
    await this.#writer.close()
  }
}
