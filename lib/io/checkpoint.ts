import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { ArgumentError, FormatError } from '../native/errors'
import { systemReason } from '../native/system-reason'
import type { GradScalerState, OptimizerStateDict, SchedulerStateDict } from '../optim'
import { isTensor } from '../tensor/handle'
import { dispose } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'
import { type LoadPthOptions, loadPthAs } from './pth-read'
import { optimizerStateOf, stateDictOf } from './pth-state-dict'
import type { PthValue } from './pth-values'
import { savePthAs } from './pth-write'
import type { Source } from './source'

/** Tensors by name. */
type Tensors = ReadonlyMap<string, Tensor> | Readonly<Record<string, Tensor>>

/** What a training writes to go on later. Everything may be left out; Python reads it as a dict of these names. */
export interface Checkpoint {
  /** `Module.stateDict()`. */
  readonly model?: Tensors | undefined
  /** Averaged weights, such as `ExponentialMovingAverage.stateDict()`. */
  readonly ema?: Tensors | undefined
  /** `Optimizer.stateDict()`. */
  readonly optimizer?: OptimizerStateDict | undefined
  readonly scheduler?: SchedulerStateDict | undefined
  readonly scaler?: GradScalerState | undefined
  /** The position of a data loader: plain values and tensors. */
  readonly loader?: unknown
  /** The seed of the training. */
  readonly seed?: number | bigint | undefined
  /** States of random generators: plain values and tensors. */
  readonly rng?: unknown
  /** Whole epochs so far. */
  readonly epoch?: number | undefined
  /** Steps of the optimiser so far. */
  readonly step?: number | undefined
  readonly metrics?: Readonly<Record<string, number>> | undefined
  /** The trainer's own affairs: plain values and tensors. */
  readonly trainer?: unknown
}

const COUNT = z.int().nonnegative()
const DICT = z.custom<object>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value) && !isTensor(value),
  { error: 'expected a dict' },
)
const CHECKPOINT = z.looseObject({
  model: DICT.optional(),
  ema: DICT.optional(),
  optimizer: DICT.optional(),
  scheduler: DICT.optional(),
  scaler: DICT.optional(),
  seed: z.union([z.int(), z.bigint()]).optional(),
  epoch: COUNT.optional(),
  step: COUNT.optional(),
  metrics: z.record(z.string(), z.number()).optional(),
})

/**
 * Writes a checkpoint in the layout of `torch.save`, so that Python reads it with `torch.load(path, weights_only=True)`.
 *
 * All tensors are copied before the promise is returned: training may go on while the file is written, and the file
 * holds the state of the call. It appears whole or not at all: a full disk, an error or a kill leaves an older file of
 * that name as it was, and once the promise is fulfilled a power cut does too.
 *
 * @throws ArgumentError when a part is not what its name says, or the path cannot be written
 */
export async function saveCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  const { error } = CHECKPOINT.safeParse(checkpoint)
  if (error) throw new ArgumentError(`saveCheckpoint: ${path}: ${explain(error)}`)
  return savePthAs(path, checkpoint, 'saveCheckpoint')
}

/**
 * Reads what `saveCheckpoint` wrote, or a dict of the same names by Python. Other names of the dict are kept as they are.
 *
 * @throws ArgumentError when the file cannot be opened
 * @throws FormatError when it is no PyTorch file, or a part is not what its name says
 */
export async function loadCheckpoint(source: Source, options: LoadPthOptions = {}): Promise<Checkpoint> {
  const value = await loadPthAs(source, 'loadCheckpoint', options)
  try {
    return toCheckpoint(value, source instanceof Uint8Array ? 'the buffer' : String(source))
  } catch (error) {
    dispose(value)
    throw error
  }
}

function toCheckpoint(value: PthValue, name: string): Checkpoint {
  const { data, error } = CHECKPOINT.safeParse(value instanceof Map ? Object.fromEntries(value) : value)
  if (error) throw new FormatError(`loadCheckpoint: ${name} is no checkpoint: ${explain(error)}`)
  const parts: Readonly<Record<string, unknown>> = data
  const stateDict = (name: string) => ({ [name]: stateDictOf(parts[name] as PthValue) })
  return {
    ...parts,
    ...(parts.model !== undefined && stateDict('model')),
    ...(parts.ema !== undefined && stateDict('ema')),
    ...(parts.optimizer !== undefined && { optimizer: optimizerStateOf(parts.optimizer as PthValue) }),
    ...(parts.scheduler !== undefined && { scheduler: plain(parts.scheduler as PthValue) as SchedulerStateDict }),
    ...(parts.scaler !== undefined && { scaler: plain(parts.scaler as PthValue) as GradScalerState }),
  }
}

function plain(value: PthValue): object {
  return value instanceof Map ? Object.fromEntries(value) : (value as object)
}

function explain(error: z.ZodError): string {
  return error.issues.map(({ path, message }) => `${path.join('.') || 'the value'}: ${message}`).join('; ')
}

// ---- Folders of checkpoints -----------------------------------------------------------------------------------------

const NUMBER = /(\d+)(?=\D*\.(?:pth|pt)$)/

interface Numbered {
  readonly path: string
  readonly number: number
}

/** Checkpoints of a folder by the last number in their names, such as `step-000400.pth`, from the first to the last. */
async function listCheckpoints(folder: string, caller: string): Promise<readonly Numbered[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw new ArgumentError(`${caller}: cannot list ${folder}: ${systemReason(cause)}`, { cause })
  })
  return names
    .flatMap((name) => {
      const number = NUMBER.exec(name)?.[1]
      return number === undefined || name.startsWith('.') ? [] : [{ path: join(folder, name), number: Number(number) }]
    })
    .sort((a, b) => a.number - b.number)
}

/**
 * The checkpoint of a folder with the highest number in its name, such as `step-000400.pth`; undefined when there is
 * none. Files that are being written have other names.
 */
export async function latestCheckpoint(folder: string): Promise<string | undefined> {
  return (await listCheckpoints(folder, 'latestCheckpoint')).at(-1)?.path
}

/**
 * Deletes all numbered checkpoints of a folder but the latest ones.
 *
 * @param keep how many stay, at least 1
 * @returns the paths that were deleted
 */
export async function pruneCheckpoints(folder: string, keep: number): Promise<readonly string[]> {
  if (!Number.isInteger(keep) || keep < 1) {
    throw new ArgumentError(`pruneCheckpoints: keep is ${keep}; it is a whole number from 1`)
  }
  const old = (await listCheckpoints(folder, 'pruneCheckpoints')).slice(0, -keep).map(({ path }) => path)
  for (const path of old) await rm(path, { force: true })
  return old
}
