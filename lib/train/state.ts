import { z } from 'zod'
import { type Checkpoint, loadCheckpoint, saveCheckpoint } from '../io/checkpoint'
import { FormatError } from '../native/errors'
import type { Module } from '../nn/module'
import type {
  AnyOptimizer,
  ExponentialMovingAverage,
  GradScaler,
  OptimizerStateDict,
  ReduceLROnPlateau,
  Scheduler,
} from '../optim'
import { learningRate, setLearningRate } from '../optim/param-group'
import { noGrad } from '../tensor/autograd'
import { isTensor } from '../tensor/handle'
import { tensorsIn, tidyAsync } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'
import type { Improvement } from './improvement'
import type { Mean } from './loss-window'
import type { BatchSource, TrainerOptions } from './options'
import type { Values } from './records'

/** How far a training is. */
export interface Position {
  /** Steps of the optimiser so far. */
  readonly step: number
  /** Whole epochs so far. */
  readonly epoch: number
  /** Batches of this epoch so far. */
  readonly batch: number
  /** Batches of all epochs so far. */
  readonly batches: number
}

/** Everything that a training changes. */
export interface TrainingParts {
  readonly model: Module
  readonly optimizer: AnyOptimizer
  readonly scheduler: Scheduler | ReduceLROnPlateau | undefined
  readonly ema: ExponentialMovingAverage | undefined
  readonly scaler: GradScaler | undefined
  readonly data: Pick<BatchSource<unknown>, 'setEpoch' | 'state' | 'loadState'>
  readonly epochMean: Mean
  readonly recordMean: Mean
  readonly best: Improvement | undefined
  readonly stopping: Improvement | undefined
}

/** Of the layout below; a file of another one is refused. */
const VERSION = 1

const SUMS = z.object({ samples: z.number(), sums: z.record(z.string(), z.number()) })
const IMPROVEMENT = z.object({ best: z.number().nullable(), since: z.int().nonnegative() }).nullable()
const COUNT = z.int().nonnegative()
const TRAINER_STATE = z.object({
  version: z.literal(VERSION),
  step: COUNT,
  epoch: COUNT,
  batch: COUNT,
  batches: COUNT,
  epochMean: SUMS,
  recordMean: SUMS,
  best: IMPROVEMENT,
  stopping: IMPROVEMENT,
})

/** What `last.pth` holds beside the state dicts. */
type TrainerState = z.infer<typeof TRAINER_STATE>

/** Writes everything a training needs to go on as if it had not ended. */
export async function saveState(path: string, parts: TrainingParts, position: Position): Promise<void> {
  const { model, optimizer, scheduler, ema, scaler, data } = parts
  const trainer: TrainerState = {
    version: VERSION,
    ...position,
    epochMean: parts.epochMean.state(),
    recordMean: parts.recordMean.state(),
    best: parts.best ? { best: parts.best.best, since: parts.best.since } : null,
    stopping: parts.stopping ? { best: parts.stopping.best, since: parts.stopping.since } : null,
  }
  await saveCheckpoint(path, {
    model: model.stateDict(),
    optimizer: withPlainRates(optimizer),
    ...(scheduler ? { scheduler: scheduler.stateDict() } : {}),
    ...(ema ? { ema: ema.stateDict() } : {}),
    ...(scaler ? { scaler: scaler.stateDict() } : {}),
    ...(data.state ? { loader: data.state() } : {}),
    epoch: position.epoch,
    step: position.step,
    trainer,
  })
}

/** Learning rates as numbers, which Python's optimisers take everywhere; tensors serve a captured step alone. */
function withPlainRates(optimizer: AnyOptimizer): OptimizerStateDict {
  const { state, param_groups } = optimizer.stateDict()
  return {
    state,
    param_groups: param_groups.map((group, index) => {
      const own = optimizer.paramGroups[index]
      return own && isTensor(group.lr) ? { ...group, lr: learningRate(own) } : group
    }),
  }
}

/**
 * Takes over what `saveState` wrote.
 *
 * @throws FormatError, ShapeError when it does not fit; nothing is changed then
 */
export function loadState(path: string, parts: TrainingParts): Promise<Position> {
  return tidyAsync(async () => {
    const checkpoint = await loadCheckpoint(path)
    const trainer = trainerState(path, checkpoint.trainer)
    const undo = snapshot(parts)
    try {
      takeOver(path, parts, checkpoint, trainer)
    } catch (error) {
      undo()
      throw error
    }
    parts.epochMean.load(trainer.epochMean)
    parts.recordMean.load(trainer.recordMean)
    if (parts.best && trainer.best) Object.assign(parts.best, trainer.best)
    if (parts.stopping && trainer.stopping) Object.assign(parts.stopping, trainer.stopping)
    const { step, epoch, batch, batches } = trainer
    return { step, epoch, batch, batches }
  })
}

function takeOver(
  path: string,
  parts: TrainingParts,
  checkpoint: Checkpoint,
  { epoch, batch }: Pick<Position, 'epoch' | 'batch'>,
): void {
  const need = <K extends keyof Checkpoint>(name: K): NonNullable<Checkpoint[K]> => {
    const value = checkpoint[name]
    if (value === undefined || value === null) {
      throw new FormatError(`${path}: the checkpoint has no ${name}; was it written by a training without one?`)
    }
    return value
  }
  parts.model.loadStateDict(need('model'))
  parts.ema?.loadStateDict(need('ema'))
  parts.optimizer.loadStateDict(need('optimizer'))
  parts.scheduler?.loadStateDict(need('scheduler'))
  parts.scaler?.loadStateDict(need('scaler'))
  if (batch === 0) return
  parts.data.setEpoch?.(epoch)
  if (parts.data.state) parts.data.loadState?.(need('loader') as never)
}

/** What puts tensors and options back. The copies live in the scope of the caller. */
function snapshot({ model, optimizer, ema, scaler }: TrainingParts): () => void {
  const tensors = [...tensorsIn([model, optimizer, ema, scaler])] as Tensor[]
  const copies = noGrad(() => tensors.map((tensor) => tensor.clone()))
  const groups = optimizer.paramGroups.map((group) => ({ ...group, lr: learningRate(group) }))
  return () => {
    noGrad(() => {
      for (const [index, tensor] of tensors.entries()) tensor.copy_(copies[index] as Tensor)
    })
    for (const [index, group] of optimizer.paramGroups.entries()) {
      const { lr, ...options } = groups[index] as (typeof groups)[number]
      Object.assign(group, { ...options, lr: group.lr })
      setLearningRate(group, lr)
    }
  }
}

function trainerState(path: string, value: unknown): TrainerState {
  const { data, error } = TRAINER_STATE.safeParse(value)
  if (data) return data
  throw new FormatError(
    `${path}: this is no checkpoint of a Trainer of this version: ${z.prettifyError(error).replaceAll('\n', ' ')}`,
  )
}

/** Writes the weights of the best validation, averaged ones where there are some. */
export async function saveBest(
  path: string,
  { model, ema }: Pick<TrainerOptions<never>, 'model' | 'ema'>,
  { epoch, step }: Position,
  metrics: Values,
): Promise<void> {
  await saveCheckpoint(path, { model: ema ? ema.averages() : model.stateDict(), epoch, step, metrics })
}
