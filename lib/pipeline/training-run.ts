// A run of training from its folder to its weights, the same for every system.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { z } from 'zod'
import { writeFileAtomic } from '../native/atomic-file'
import { ConfigError, FormatError } from '../native/errors'
import type { Module } from '../nn'
import { type Device, resolveDevice } from '../tensor'
import type { ConfigSchema } from './config'
import { type PartialConfig, parseConfig } from './config'
import type { System, Trained } from './system'
import { saveSystemWeights } from './system-weights'
import type { TaskName } from './tasks'

export interface TrainingOptions<S extends ConfigSchema> {
  /** A folder in the layout that the card names, or `'synthetic'`. */
  readonly data: string
  /** Holds config, log, curves, checkpoints and weights of the run. */
  readonly folder: string
  readonly config?: PartialConfig<z.input<S>> | undefined
  readonly device?: Device | 'auto' | undefined
  /** Goes on with the run of the folder. */
  readonly resume?: boolean | undefined
  readonly skipBroken?: boolean | undefined
  readonly progress?: boolean | undefined
  readonly signal?: AbortSignal | undefined
  readonly note?: ((text: string) => void) | undefined
}

export interface TrainingReport {
  readonly system: string
  readonly folder: string
  /** The file for `weights` of the pipeline. */
  readonly weights: string
  readonly device: Device
  readonly seconds: number
  /** Last losses and validations by name. */
  readonly values: Readonly<Record<string, number>>
}

/**
 * Trains a system as its paper says, into a folder: `config.json`, the log, curves and checkpoints of each stage, and
 * at the end `weights.safetensors`.
 *
 * @throws ConfigError when the config is wrong, the folder holds a run and `resume` is not set, or holds one of another
 *   system or config
 */
export async function trainSystem<T extends TaskName, S extends ConfigSchema, M extends Module>(
  system: System<T, S, M>,
  options: TrainingOptions<S>,
): Promise<TrainingReport> {
  const { name } = system.card
  const { folder, data, resume = false, progress = true, note = () => {}, skipBroken, signal } = options
  const config = parseConfig(system.config, options.config ?? {}, `train ${name}`)
  const { device } = resolveDevice(options.device ?? 'auto')
  await claimFolder(folder, { system: name, data, config }, resume)
  const started = performance.now()
  let trained: Trained
  try {
    trained = await system.train({ config, data, folder, resume, progress, device, skipBroken, signal, note })
  } catch (error) {
    releaseFolder(folder)
    throw error
  }
  const weights = join(folder, 'weights.safetensors')
  await saveSystemWeights(weights, name, trained.config ?? config, trained.model)
  trained.model.dispose()
  return {
    system: name,
    folder,
    weights,
    device,
    seconds: (performance.now() - started) / 1000,
    values: trained.values,
  }
}

interface RunDescription {
  readonly system: string
  readonly data: string
  readonly config: unknown
}

async function claimFolder(folder: string, run: RunDescription, resume: boolean): Promise<void> {
  const path = join(folder, 'config.json')
  if (existsSync(path)) {
    if (!resume) {
      throw new ConfigError(`train ${run.system}: ${folder} holds a run; resume it (--resume), or name another folder`)
    }
    const differences = [...differing(readDescription(path), JSON.parse(JSON.stringify(run)), '')]
    if (differences.length === 0) return
    throw new ConfigError(
      `train ${run.system}: the run of ${folder} differs from what is asked for:\n${differences.map((line) => `  ${line}`).join('\n')}`,
    )
  }
  mkdirSync(folder, { recursive: true })
  await writeFileAtomic(path, Buffer.from(`${JSON.stringify(run, undefined, 2)}\n`), 'trainSystem')
}

/** A training that made nothing, such as one of files that cannot be read, leaves its folder to the next. */
function releaseFolder(folder: string): void {
  if (readdirSync(folder).join() === 'config.json') rmSync(join(folder, 'config.json'))
}

function readDescription(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw new FormatError(`${path} is no JSON; name another folder`, { cause })
  }
}

/** Lines such as `training.epochs: 3 there, 4 asked for`. */
function* differing(there: unknown, asked: unknown, key: string): Generator<string> {
  const isObject = (value: unknown): value is object =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
  if (isObject(there) && isObject(asked)) {
    const [a, b] = [new Map(Object.entries(there)), new Map(Object.entries(asked))]
    for (const name of new Set([...a.keys(), ...b.keys()])) {
      yield* differing(a.get(name), b.get(name), key === '' ? name : `${key}.${name}`)
    }
  } else if (JSON.stringify(there) !== JSON.stringify(asked)) {
    yield `${key}: ${JSON.stringify(there)} there, ${JSON.stringify(asked)} asked for`
  }
}
