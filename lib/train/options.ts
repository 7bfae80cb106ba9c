import { getRank, type ProcessGroup } from '../distributed'
import type { MetricState } from '../metrics'
import { ArgumentError, ConfigError } from '../native/errors'
import type { Module } from '../nn/module'
import type { AnyOptimizer, ExponentialMovingAverage, GradScaler, ReduceLROnPlateau, Scheduler } from '../optim'
import { describe } from '../tensor/call'
import type { Tensor } from '../tensor/tensor'
import type { TrainingRecord } from './records'

/** Batches, one epoch each time they are walked; a `DataLoader`, or any iterable. */
export interface BatchSource<Batch> {
  [Symbol.asyncIterator]?(): AsyncIterator<Batch>
  [Symbol.iterator]?(): Iterator<Batch>
  /** Number of batches of an epoch, where known; progress and the remaining time need it. */
  readonly length?: number | undefined
  /** Told the number of each epoch before it begins; a shuffling loader orders by it. */
  setEpoch?(epoch: number): void
  /** Where in an epoch the loader is, for checkpoints. */
  state?(): unknown
  loadState?(state: never): void
}

/** A loss, or a loss with further 0-dimensional tensors to be logged by name. */
export type StepOutput = Tensor | ({ readonly loss: Tensor } & Readonly<Record<string, Tensor>>)

/** A metric over all batches of an evaluation, as those of `@lab/vision-native/metrics`. */
export interface RunningMetric {
  compute(): number
  reset(): void
  /** These two are needed with `sharded`. */
  stateDict?(): MetricState
  mergeState?(state: MetricState): void
}

export interface ValidationOptions<Batch, Output> {
  readonly data: BatchSource<Batch>
  /** What the metrics judge, such as logits; runs in evaluation mode without gradients, and is captured. */
  readonly predict: (batch: Batch) => Output
  /** Takes what `predict` gave into the metrics. */
  readonly update: (output: Output, batch: Batch) => void
  readonly metrics: Readonly<Record<string, RunningMetric>>
  /**
   * With `group`: `data` is this process's part, such as a `DistributedSampler` with `pad: false` makes it, and the
   * metrics are those of all parts together. Otherwise each process runs the whole validation.
   */
  readonly sharded?: boolean | undefined
  /** After how many epochs each; 1 unless stated. The last epoch is always followed by one. */
  readonly everyEpochs?: number | undefined
}

/** A value of the validation and whether larger or smaller ones are better. */
export interface Monitor {
  /** A name of `validation.metrics`. */
  readonly metric: string
  readonly mode: 'min' | 'max'
}

export interface EarlyStoppingOptions extends Monitor {
  /** How many validations without an improvement are allowed. */
  readonly patience: number
  /** How much better a value must be to count; 0 unless stated. */
  readonly minDelta?: number | undefined
}

export interface ScheduleOptions {
  readonly scheduler: Scheduler | ReduceLROnPlateau
  /** Whether it steps with each step of the optimiser or after each epoch. */
  readonly every: 'step' | 'epoch'
  /** The value of the validation that `ReduceLROnPlateau` watches. */
  readonly metric?: string | undefined
}

export interface TrainerOptions<Batch, Output = unknown> {
  readonly model: Module
  readonly optimizer: AnyOptimizer
  /** The loss of a batch, a mean over its samples; runs in training mode, and is captured. */
  readonly loss: (batch: Batch) => StepOutput
  readonly validation?: ValidationOptions<Batch, Output> | undefined
  /** A scheduler alone steps after each epoch. */
  readonly schedule?: ScheduleOptions | Scheduler | undefined
  /** Averages of the weights, updated with each step; validations and the best checkpoint use them. */
  readonly ema?: ExponentialMovingAverage | undefined
  /** Batches whose gradients are summed up, as their mean, for one step; 1 unless stated. */
  readonly accumulate?: number | undefined
  /** The largest norm of all gradients together. */
  readonly clipNorm?: number | undefined
  /** What matrix products and convolutions compute in; `'float32'` unless stated. `'float16'` scales the loss. */
  readonly precision?: 'float32' | 'bfloat16' | 'float16' | undefined
  /** For `precision: 'float16'`; one with the defaults unless stated. */
  readonly scaler?: GradScaler | undefined
  /** Random operators of each step draw from a generator seeded with this and the step's number; 0 unless stated. */
  readonly seed?: number | undefined
  /** Captures steps as graphs, which run beside the event loop; on unless stated. */
  readonly capture?: boolean | undefined
  /** Where the log, the curves and the checkpoints go; nothing is written unless stated. */
  readonly folder?: string | undefined
  /** Steps between two checkpoints; one after each epoch unless stated. */
  readonly checkpointEverySteps?: number | undefined
  /** Which weights `best.pth` holds; the latest unless stated. */
  readonly best?: Monitor | undefined
  readonly earlyStopping?: EarlyStoppingOptions | undefined
  /** Steps between two records of the log; 10 unless stated. */
  readonly logEvery?: number | undefined
  /** Writes TensorBoard event files to `folder`; off unless stated. */
  readonly tensorboard?: boolean | undefined
  /** Draws `curves.svg` and `curves.png` to `folder` at the end; on unless stated. */
  readonly curves?: boolean | undefined
  /** Shows a bar on standard error, or a line for each epoch where that is no terminal; on unless stated. */
  readonly progress?: boolean | undefined
  readonly onRecord?: ((record: TrainingRecord) => void) | undefined
  /**
   * Processes that train together, each on its part of every batch: gradients, losses and logged values are means over
   * all. The data of each is its own part, as `DistributedSampler` makes them. Rank 0 alone writes files, shows progress
   * and calls `onRecord`; a checkpoint to go on from is read by all. `synchronizeBatchNorm(model)` shares the statistics
   * of batches, too.
   */
  readonly group?: ProcessGroup | undefined
}

export interface FitOptions {
  /** Epochs in all, those before a checkpoint included. */
  readonly epochs?: number | undefined
  /** Steps of the optimiser in all; whichever comes first ends the training. */
  readonly steps?: number | undefined
  /** Goes on from `checkpoints/last.pth` of the folder where it is there (`true`), or from a checkpoint's path. */
  readonly resume?: boolean | string | undefined
  /** Ends the training after the step that runs, with a checkpoint. */
  readonly signal?: AbortSignal | undefined
}

/** Options with their defaults. */
export interface Settings {
  readonly accumulate: number
  readonly clipNorm: number | undefined
  readonly precision: 'float32' | 'bfloat16' | 'float16'
  readonly seed: number
  readonly capture: boolean
  readonly folder: string | undefined
  readonly checkpointEverySteps: number | undefined
  readonly logEvery: number
  readonly tensorboard: boolean
  readonly curves: boolean
  readonly progress: boolean
  /** False where another process writes. */
  readonly writes: boolean
}

/** @throws ArgumentError, ConfigError naming the option, its value and the rule */
export function checkOptions<Batch, Output>(options: TrainerOptions<Batch, Output>): Settings {
  const writes = getRank(options.group) === 0
  const settings: Settings = {
    writes,
    accumulate: options.accumulate ?? 1,
    clipNorm: options.clipNorm,
    precision: options.precision ?? 'float32',
    seed: options.seed ?? 0,
    capture: options.capture ?? true,
    folder: options.folder,
    checkpointEverySteps: options.checkpointEverySteps,
    logEvery: options.logEvery ?? 10,
    tensorboard: writes && (options.tensorboard ?? false),
    curves: writes && (options.curves ?? true),
    progress: writes && (options.progress ?? true),
  }
  checkFunction('loss', options.loss)
  checkWhole('accumulate', settings.accumulate, 1)
  checkWhole('logEvery', settings.logEvery, 1)
  checkWhole('seed', settings.seed, 0)
  if (settings.checkpointEverySteps !== undefined) checkWhole('checkpointEverySteps', settings.checkpointEverySteps, 1)
  if (settings.clipNorm !== undefined && !(settings.clipNorm > 0)) {
    throw new ArgumentError(`Trainer: clipNorm is ${describe(settings.clipNorm)}; it must be a number above 0`)
  }
  if (!['float32', 'bfloat16', 'float16'].includes(settings.precision)) {
    throw new ArgumentError(
      `Trainer: precision is ${describe(settings.precision)}; it must be 'float32', 'bfloat16' or 'float16'`,
    )
  }
  for (const [name, needed] of [
    ['tensorboard', settings.tensorboard],
    ['best', options.best !== undefined],
    ['checkpointEverySteps', settings.checkpointEverySteps !== undefined],
  ] as const) {
    if (needed && settings.folder === undefined) {
      throw new ConfigError(`Trainer: ${name} writes files; state the folder they go to`)
    }
  }
  checkValidation(options)
  return settings
}

function checkValidation<Batch, Output>({ validation, ...options }: TrainerOptions<Batch, Output>): void {
  if (validation !== undefined) {
    checkFunction('validation.predict', validation.predict)
    checkFunction('validation.update', validation.update)
    checkWhole('validation.everyEpochs', validation.everyEpochs ?? 1, 1)
  }
  if (validation?.sharded) gathering(validation.metrics)
  const names = Object.keys(validation?.metrics ?? {})
  const schedule = scheduleOf(options.schedule)
  const watched: [option: string, metric: string | undefined][] = [
    ['best', options.best?.metric],
    ['earlyStopping', options.earlyStopping?.metric],
    ['schedule', schedule?.metric],
  ]
  for (const [option, metric] of watched) {
    if (metric === undefined || names.includes(metric)) continue
    const known = names.length === 0 ? 'there are none' : `they are ${names.join(', ')}`
    throw new ConfigError(`Trainer: ${option} watches '${metric}', which is no name of validation.metrics; ${known}`)
  }
  if (options.earlyStopping) checkWhole('earlyStopping.patience', options.earlyStopping.patience, 0)
  if (schedule && isPlateau(schedule.scheduler) && (schedule.metric === undefined || schedule.every === 'step')) {
    throw new ConfigError(
      'Trainer: ReduceLROnPlateau steps after epochs and needs schedule.metric, a validation metric',
    )
  }
}

type Gathering = Required<RunningMetric>

/** @throws ConfigError naming a metric that cannot take in what other processes have seen */
export function gathering(metrics: ValidationOptions<never, never>['metrics']): Readonly<Record<string, Gathering>> {
  const isGathering = (metric: RunningMetric): metric is Gathering =>
    metric.stateDict !== undefined && metric.mergeState !== undefined
  return Object.fromEntries(
    Object.entries(metrics).map(([name, metric]) => {
      if (isGathering(metric)) return [name, metric]
      throw new ConfigError(
        `Trainer: validation.sharded needs metrics with stateDict and mergeState, as those of @lab/vision-native/metrics; '${name}' lacks them`,
      )
    }),
  )
}

/** The schedule in full, from either form. */
export function scheduleOf(schedule: TrainerOptions<unknown>['schedule']): ScheduleOptions | undefined {
  if (schedule === undefined) return undefined
  return 'scheduler' in schedule ? schedule : { scheduler: schedule, every: 'epoch' }
}

export function isPlateau(scheduler: Scheduler | ReduceLROnPlateau): scheduler is ReduceLROnPlateau {
  return scheduler.step.length > 0
}

/** @throws ArgumentError unless it is a whole number of at least `least` */
export function checkWhole(name: string, value: unknown, least: number): void {
  if (Number.isSafeInteger(value) && (value as number) >= least) return
  throw new ArgumentError(`Trainer: ${name} is ${describe(value)}; it must be a whole number of at least ${least}`)
}

function checkFunction(name: string, value: unknown): void {
  if (typeof value === 'function') return
  throw new ArgumentError(`Trainer: ${name} is ${describe(value)}; it must be a function of a batch`)
}
