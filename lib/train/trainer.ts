import { broadcastTensors, GradientReducer } from '../distributed'
import { CancelledError, ConfigError } from '../native/errors'
import { learningRate } from '../optim/param-group'
import { tidyAsync } from '../tensor/scope'
import type { Device } from '../tensor/types'
import { sampleCount, toDevice } from './batch'
import { batchesOf } from './batches'
import { drawCurves } from './curves'
import { Evaluator } from './evaluate'
import { Improvement } from './improvement'
import { LossWindow } from './loss-window'
import {
  type BatchSource,
  checkOptions,
  checkWhole,
  type FitOptions,
  isPlateau,
  type Settings,
  scheduleOf,
  type TrainerOptions,
} from './options'
import { ProgressReporter } from './progress'
import type { EpochRecord, TrainingRecord, Values } from './records'
import { lastCheckpoint, RunFolder } from './run-folder'
import { loadState, type Position, saveBest, saveState } from './state'
import { StepRunner } from './step'
import { TensorBoardLog } from './tensorboard-log'

/** Why a training ended. */
export type StopReason = 'epochs' | 'steps' | 'early stopping'

export interface FitResult {
  readonly reason: StopReason
  readonly epochs: number
  readonly steps: number
  /** All records of the run, those before a resumed checkpoint included. */
  readonly records: readonly TrainingRecord[]
  /** The last validation. */
  readonly validation: Values | undefined
  /** The best value of `best`, where that is watched. */
  readonly best: number | undefined
  /** Why steps were not captured as graphs; `undefined` where they were. */
  readonly eagerReason: string | undefined
}

/**
 * Trains a model: the loop over epochs and batches with validation, schedules, checkpoints and logs.
 *
 * Steps are captured as graphs that run beside the event loop; where the loss function does what a graph cannot repeat,
 * they run as they are, and `FitResult.eagerReason` says why. A training that was killed goes on from its last
 * checkpoint with `resume: true` and ends with the same weights, bit for bit, as one that was not: order of samples,
 * random numbers and state of the optimiser are the step's, not the process's.
 *
 * @example
 * const trainer = new Trainer({
 *   model,
 *   optimizer: new AdamW(model.parameters(), { lr: 1e-3 }),
 *   loss: ({ image, label }) => crossEntropy(model.forward(image), label),
 *   folder: 'runs/first',
 * })
 * await trainer.fit(loader, { epochs: 10, resume: true })
 */
export class Trainer<Batch, Output = unknown> {
  readonly #settings: Settings
  readonly #device: Device
  #running = false

  /** @throws ArgumentError, ConfigError naming the option, its value and the rule */
  constructor(readonly options: TrainerOptions<Batch, Output>) {
    this.#settings = checkOptions(options)
    const [first] = options.model.parameters()
    if (first === undefined) throw new ConfigError(`Trainer: ${options.model.constructor.name} has no parameters`)
    this.#device = first.device
  }

  /**
   * Trains until the epochs or the steps are done, or until the validation no longer improves.
   *
   * @throws DivergenceError when the loss is NaN or infinite, naming step and batch
   * @throws CancelledError when the signal was aborted, after a checkpoint
   * @throws FormatError when a checkpoint does not fit; nothing is changed then
   */
  async fit(data: BatchSource<Batch>, options: FitOptions = {}): Promise<FitResult> {
    checkLimits(options)
    if (this.#running) throw new ConfigError('Trainer.fit: this trainer is training already; await that first')
    this.#running = true
    const run = new Run(this.options, this.#settings, this.#device, data, options)
    try {
      return await run.fit()
    } finally {
      this.#running = false
      await run.close()
    }
  }

  /** The metrics of the validation, with the averaged weights where there are some. */
  async evaluate(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<Values> {
    const { validation, model, ema } = this.options
    if (validation === undefined) throw new ConfigError('Trainer.evaluate: the trainer has no validation')
    const evaluator = new Evaluator(validation, model, this.#device, this.#settings.capture, this.options.group)
    try {
      const evaluate = () => evaluator.run(options.signal)
      return await (ema ? ema.use(evaluate) : evaluate())
    } finally {
      evaluator.dispose()
    }
  }
}

function checkLimits({ epochs, steps }: FitOptions): void {
  if (epochs === undefined && steps === undefined) {
    throw new ConfigError('Trainer.fit: state epochs, steps, or both')
  }
  if (epochs !== undefined) checkWhole('epochs', epochs, 1)
  if (steps !== undefined) checkWhole('steps', steps, 1)
}

/** One call of `fit`. */
class Run<Batch, Output> {
  readonly #runner: StepRunner<Batch>
  readonly #evaluator: Evaluator<Batch, Output> | undefined
  readonly #folder: RunFolder | undefined
  readonly #records: TrainingRecord[]
  readonly #window = new LossWindow()
  readonly #progress: ProgressReporter
  readonly #best: Improvement | undefined
  readonly #stopping: Improvement | undefined
  #board: TensorBoardLog | undefined
  #position: Position = { step: 0, epoch: 0, batch: 0, batches: 0 }
  #validation: Values | undefined
  #lastLoss: number | undefined
  #toldEager = false

  constructor(
    readonly options: TrainerOptions<Batch, Output>,
    readonly settings: Settings,
    readonly device: Device,
    readonly data: BatchSource<Batch>,
    readonly limits: FitOptions,
  ) {
    const { validation, model, best, earlyStopping } = options
    this.#runner = new StepRunner(options as TrainerOptions<Batch>, settings, device)
    this.#evaluator = validation && new Evaluator(validation, model, device, settings.capture, options.group)
    this.#folder = settings.folder === undefined || !settings.writes ? undefined : new RunFolder(settings.folder)
    this.#records = this.#folder?.records ?? []
    this.#progress = new ProgressReporter(settings.progress, limits.epochs)
    this.#best = best && new Improvement(best)
    this.#stopping = earlyStopping && new Improvement(earlyStopping, earlyStopping.minDelta)
  }

  async fit(): Promise<FitResult> {
    const { model } = this.options
    const wasTraining = model.training
    model.train()
    try {
      const resumed = await this.#begin()
      await this.#joinOthers()
      if (this.settings.tensorboard) {
        this.#board = new TensorBoardLog(this.#requireFolder(), this.#position.step)
      }
      const reason = await this.#epochs(resumed)
      if (this.settings.curves && this.#folder) await drawCurves(this.#folder.path, this.#records)
      return {
        reason,
        epochs: this.#position.epoch,
        steps: this.#position.step,
        records: [...this.#records],
        validation: this.#validation,
        best: this.#best?.best ?? undefined,
        eagerReason: this.#runner.eagerReason,
      }
    } finally {
      model.train(wasTraining)
    }
  }

  /** Loads the checkpoint to go on from; true when there was one. */
  async #begin(): Promise<boolean> {
    const { resume } = this.limits
    const path =
      typeof resume === 'string' ? resume : resume === true ? lastCheckpoint(this.#requireFolder()) : undefined
    if (path === undefined) {
      await this.#folder?.begin()
      return false
    }
    this.#position = await loadState(path, this.#parts())
    await this.#folder?.resume(this.#position.step)
    this.#progress.line(`resumed at step ${this.#position.step} (epoch ${this.#position.epoch + 1}) from ${path}`)
    return true
  }

  /** All processes begin with the same weights, and average their gradients. */
  async #joinOthers(): Promise<void> {
    const { group, model } = this.options
    if (group === undefined) return
    await broadcastTensors([...model.parameters(), ...model.buffers()], { group })
    this.#runner.reducer = await GradientReducer.open(model.parameters(), { group })
  }

  #requireFolder(): string {
    if (this.settings.folder !== undefined) return this.settings.folder
    throw new ConfigError('Trainer.fit: resume: true needs the folder of the run; state folder, or a checkpoint’s path')
  }

  #parts() {
    const { model, optimizer, schedule, ema } = this.options
    return {
      model,
      optimizer,
      scheduler: scheduleOf(schedule)?.scheduler,
      ema,
      scaler: this.#runner.scaler,
      data: this.data,
      epochMean: this.#window.epoch,
      recordMean: this.#window.record,
      best: this.#best,
      stopping: this.#stopping,
    }
  }

  async #epochs(resumed: boolean): Promise<StopReason> {
    let midEpoch = resumed && this.#position.batch > 0
    for (;;) {
      const { epoch, step } = this.#position
      if (!midEpoch) {
        if (this.limits.epochs !== undefined && epoch >= this.limits.epochs) return 'epochs'
        if (this.#isPatienceOver()) return 'early stopping'
      }
      if (this.limits.steps !== undefined && step >= this.limits.steps) return 'steps'
      const ended = await this.#epoch(midEpoch)
      midEpoch = false
      if (!ended) return 'steps'
    }
  }

  #isPatienceOver(): boolean {
    const { earlyStopping } = this.options
    return this.#stopping !== undefined && this.#stopping.since > (earlyStopping?.patience ?? 0)
  }

  /** Trains one epoch, or what is left of it; false when the steps ran out before its end. */
  async #epoch(midEpoch: boolean): Promise<boolean> {
    const { data } = this
    if (this.settings.accumulate > 1 && data.length === undefined) {
      throw new ConfigError('Trainer.fit: accumulate needs to know the last batch of an epoch; give the data a length')
    }
    const timer = new EpochTimer()
    if (!midEpoch) data.setEpoch?.(this.#position.epoch)
    const batches = batchesOf('data', data)
    // A loader that knows its position begins there; other sources are walked up to it.
    const skip = midEpoch && data.loadState === undefined ? this.#position.batch : 0
    this.#progress.beginEpoch(data.length)
    let outcome: 'next' | 'end' | 'steps' = 'next'
    try {
      for (let i = 0; i < skip; i++) await tidyAsync(async () => void (await batches.next()))
      while (outcome === 'next') {
        // An epoch that has all its batches is ended first: between the two there is no place to go on from.
        if (!this.#isEpochWhole() && this.#isBetweenSteps()) this.#checkSignal()
        outcome = await tidyAsync(() => this.#batch(batches, timer))
        if (outcome !== 'end') await this.#afterBatch()
      }
    } catch (error) {
      if (error instanceof CancelledError && this.#isBetweenSteps()) await this.#save()
      throw error
    } finally {
      this.#progress.stop()
      await batches.return?.()
    }
    if (outcome === 'end' || this.#isEpochWhole()) {
      await this.#endEpoch(timer)
      return true
    }
    await this.#endSteps()
    return false
  }

  #isEpochWhole(): boolean {
    return this.data.length !== undefined && this.#position.batch >= this.data.length
  }

  /** False while gradients of a step are being summed up: no checkpoint holds them. */
  #isBetweenSteps(): boolean {
    return this.#position.batch % this.settings.accumulate === 0
  }

  async #batch(batches: AsyncIterator<Batch>, timer: EpochTimer): Promise<'next' | 'end' | 'steps'> {
    const { accumulate } = this.settings
    const { done, value } = await timer.waiting(batches.next())
    if (done) {
      if (this.#position.batch > 0) return 'end'
      throw new ConfigError(
        'Trainer.fit: the data has no batches; is the data set empty, or smaller than a batch with dropLast?',
      )
    }
    const { epoch, batch, batches: total } = this.#position
    const [samples, moved] = [sampleCount(value), toDevice(value, this.device)]
    const last = (batch + 1) % accumulate === 0 || batch + 1 === this.data.length
    const count = Math.min(accumulate, (this.data.length ?? Number.POSITIVE_INFINITY) - (batch - (batch % accumulate)))
    const result =
      accumulate === 1 ? await this.#runner.step(moved, total) : await this.#runner.part(moved, total, count, last)
    const step = this.#position.step + (last ? 1 : 0)
    this.#window.add(result, { step: this.#position.step + 1, epoch, batch, samples })
    this.#position = { step, epoch, batch: batch + 1, batches: total + 1 }
    timer.samples += samples
    if (last) this.#endStep()
    this.#tell(samples)
    return this.limits.steps !== undefined && step >= this.limits.steps && last ? 'steps' : 'next'
  }

  #endStep(): void {
    const schedule = scheduleOf(this.options.schedule)
    if (schedule?.every === 'step' && !isPlateau(schedule.scheduler)) schedule.scheduler.step()
    if (this.#position.step % this.settings.logEvery === 0) this.#record()
  }

  #record(): void {
    this.#window.read()
    const mean = this.#window.record.take()
    if (mean === undefined) return
    this.#lastLoss = mean.loss
    const { step, epoch } = this.#position
    const { gradNorm } = this.#window
    this.#log({ kind: 'step', step, epoch, learningRate: this.#learningRate(), gradNorm, ...mean })
  }

  #learningRate(): number {
    const [group] = this.options.optimizer.paramGroups
    return group === undefined ? Number.NaN : learningRate(group)
  }

  #log(record: TrainingRecord): void {
    if (this.#folder) this.#folder.add(record)
    else this.#records.push(record)
    this.#board?.add(record)
    if (this.settings.writes) this.options.onRecord?.(record)
  }

  #tell(samples: number): void {
    const { eagerReason } = this.#runner
    if (eagerReason !== undefined && this.settings.capture && !this.#toldEager) {
      this.#toldEager = true
      this.#progress.line(`steps are not captured: ${eagerReason}`)
    }
    const { epoch, batch, batches, step } = this.#position
    const { epochs, steps } = this.limits
    const perEpoch = this.data.length
    const left = [
      ...(epochs !== undefined && perEpoch !== undefined ? [epochs * perEpoch - batches] : []),
      ...(steps !== undefined ? [(steps - step) * this.settings.accumulate] : []),
    ]
    this.#progress.step({
      epoch,
      batch,
      batches: perEpoch,
      left: left.length > 0 ? Math.min(...left) : undefined,
      samples,
      loss: this.#lastLoss,
    })
  }

  async #afterBatch(): Promise<void> {
    const { checkpointEverySteps: every } = this.settings
    const { step } = this.#position
    if (every === undefined || step === 0 || step % every !== 0 || this.#isEpochWhole()) return
    if (this.#isBetweenSteps()) await this.#save()
  }

  async #endEpoch(timer: EpochTimer): Promise<void> {
    this.#window.read()
    const mean = this.#window.epoch.take() ?? { loss: Number.NaN, values: undefined }
    const learningRate = this.#learningRate()
    const { step, epoch } = this.#position
    const validation = await this.#validate(epoch + 1)
    const schedule = scheduleOf(this.options.schedule)
    if (schedule?.every === 'epoch') {
      const { scheduler, metric } = schedule
      if (!isPlateau(scheduler)) scheduler.step()
      else if (validation) scheduler.step(validation[metric ?? ''] ?? Number.NaN)
    }
    this.#position = { ...this.#position, epoch: epoch + 1, batch: 0 }
    const record: EpochRecord = {
      kind: 'epoch',
      step,
      epoch: epoch + 1,
      learningRate,
      ...mean,
      validation,
      ...timer.read(),
    }
    this.#log(record)
    this.#progress.endEpoch(record)
    await this.#judge(validation)
    if (this.settings.checkpointEverySteps === undefined || step % this.settings.checkpointEverySteps === 0)
      await this.#save()
  }

  /** The steps ran out within an epoch: what there is, is judged and saved. */
  async #endSteps(): Promise<void> {
    this.#record()
    await this.#judge(await this.#validate(undefined))
    await this.#save()
  }

  async #validate(epoch: number | undefined): Promise<Values | undefined> {
    const [evaluator, { ema, validation }] = [this.#evaluator, this.options]
    if (!evaluator) return undefined
    const isLast = epoch === undefined || epoch === this.limits.epochs
    if (!isLast && epoch % (validation?.everyEpochs ?? 1) !== 0) return undefined
    const evaluate = () => evaluator.run()
    this.#validation = await (ema ? ema.use(evaluate) : evaluate())
    return this.#validation
  }

  async #judge(validation: Values | undefined): Promise<void> {
    if (validation === undefined) return
    const { best, stopping } = { best: this.#best, stopping: this.#stopping }
    if (stopping) stopping.judge(validation[stopping.monitor.metric] ?? Number.NaN)
    if (best?.judge(validation[best.monitor.metric] ?? Number.NaN) && this.#folder) {
      await saveBest(this.#folder.best, this.options, this.#position, validation)
    }
  }

  /** Writes `last.pth`; a loss that is not finite is never saved. */
  async #save(): Promise<void> {
    this.#window.read()
    if (this.#folder) await saveState(this.#folder.last, this.#parts(), this.#position)
  }

  #checkSignal(): void {
    const { signal } = this.limits
    if (!signal?.aborted) return
    throw new CancelledError(
      `Trainer.fit: cancelled by its AbortSignal after step ${this.#position.step}${this.#folder ? '; resume: true goes on from there' : ''}`,
      { cause: signal.reason },
    )
  }

  async close(): Promise<void> {
    this.#progress.stop()
    this.#window.dispose()
    this.#runner.dispose()
    this.#evaluator?.dispose()
    await this.#board?.close()
  }
}

/** Where the time of an epoch goes. */
class EpochTimer {
  samples = 0
  readonly #start = performance.now()
  #waitMs = 0

  async waiting<T>(next: Promise<T>): Promise<T> {
    const start = performance.now()
    try {
      return await next
    } finally {
      this.#waitMs += performance.now() - start
    }
  }

  read(): Pick<EpochRecord, 'seconds' | 'samplesPerSecond' | 'waitShare'> {
    const ms = performance.now() - this.#start
    return { seconds: ms / 1000, samplesPerSecond: (this.samples / ms) * 1000, waitShare: this.#waitMs / ms }
  }
}
