// What a system is: the shape that every folder of lib/models has, and that commands, pages and tests build on.
import type { z } from 'zod'
import { ConfigError } from '../native/errors'
import type { Module } from '../nn'
import type { Plot } from '../plot'
import type { Device, Tensor } from '../tensor'
import type { SystemCard } from './card'
import type { ConfigSchema, PartialConfig } from './config'
import type { LoadOptions, Pipeline } from './pipeline'
import type { TaskName, TaskTypes } from './tasks'

/** The data set that is made up, seeded, in the shape of the real one. */
export const SYNTHETIC = 'synthetic'

/** Where a training or an evaluation gets its samples. */
export interface DataOptions {
  /** A folder in the layout that the card names, or `'synthetic'`. */
  readonly data: string
  /** Leaves out files that cannot be read, and says which; unless stated they are an error. */
  readonly skipBroken?: boolean | undefined
  readonly device: Device
  readonly signal?: AbortSignal | undefined
  /** Told of what people should know, such as files left out. */
  readonly note: (text: string) => void
}

/** What `System.train` gets. */
export interface TrainRequest<Config> extends DataOptions {
  readonly config: Config
  /** The run's folder; a system of several stages gives each a folder in it. */
  readonly folder: string
  /** Goes on from the last checkpoints of the folder. */
  readonly resume: boolean
  /** Shows a bar on standard error. */
  readonly progress: boolean
}

/** What training gives back. */
export interface Trained {
  /** Its state becomes `weights.safetensors` of the run's folder. */
  readonly model: Module
  /** Last losses and validations by name. */
  readonly values: Readonly<Record<string, number>>
  /** The config as the data made it, such as with the names of its classes; the one asked for unless stated. */
  readonly config?: unknown
}

/** What `System.evaluate` gets. */
export interface EvaluateRequest<Config> extends DataOptions {
  readonly config: Config
  /** With the weights to judge; in evaluation mode on `device`. */
  readonly model: Module
  readonly onProgress?:
    | ((progress: { readonly stage: string; readonly done: number; readonly total: number }) => void)
    | undefined
}

/** What `UntrainedSystem.evaluate` gets. */
export type UntrainedEvaluateRequest<Config> = Omit<EvaluateRequest<Config>, 'model'>

/** The paper's metrics by its protocol. */
export interface Evaluation {
  /** What was measured and how: variant of the metric, size of the test set. */
  readonly protocol: string
  readonly samples: number
  readonly metrics: Readonly<Record<string, number>>
  /** Curves behind the metrics, by the names of their files. */
  readonly charts?: Readonly<Record<string, Plot>>
}

/** A small computation that reaches every parameter. */
export interface Probe {
  readonly inputs: readonly Tensor[]
  readonly run: (...inputs: readonly Tensor[]) => Tensor
}

/** What every system has. */
interface SystemBase<T extends TaskName, S extends ConfigSchema> {
  readonly card: SystemCard & { readonly task: T }
  /** The paper's values are its defaults. */
  readonly config: S
  /** Options under which a training of synthetic data, or an evaluation on it, takes seconds. */
  readonly tiny: PartialConfig<z.input<S>>
  /** Makes a pipeline ready; the static method `load` of its class. */
  load(options?: LoadOptions<S>): Promise<Pipeline<TaskTypes[T]['input'], TaskTypes[T]['output']>>
}

/** A paper's system. */
export interface System<T extends TaskName = TaskName, S extends ConfigSchema = ConfigSchema, M extends Module = Module>
  extends SystemBase<T, S> {
  /** All networks of the system as one module. */
  create(config: z.output<S>): M
  /** For the tests that hold for every system. */
  probe(model: M, config: z.output<S>): Probe
  train(request: TrainRequest<z.output<S>>): Promise<Trained>
  evaluate(request: EvaluateRequest<z.output<S>>): Promise<Evaluation>
  /** Writes trained weights in the form in which they are deployed, where there is one. */
  export?(weights: string, path: string): Promise<void>
}

/** A system without parameters: there is nothing to train and nothing to load. */
export interface UntrainedSystem<T extends TaskName = TaskName, S extends ConfigSchema = ConfigSchema>
  extends SystemBase<T, S> {
  readonly card: SystemCard & { readonly task: T; readonly untrained: true }
  evaluate(request: UntrainedEvaluateRequest<z.output<S>>): Promise<Evaluation>
}

/** What is known of a system without loading it. */
export interface SystemEntry {
  readonly card: SystemCard
  readonly load: () => Promise<{ readonly system: System | UntrainedSystem }>
}

/** Checks a system's type where it stands, and keeps it exact. */
export function defineSystem<const T extends TaskName, S extends ConfigSchema, M extends Module>(
  system: System<T, S, M>,
): System<T, S, M> {
  return system
}

/** The same for a system without parameters. */
export function defineUntrainedSystem<const T extends TaskName, S extends ConfigSchema>(
  system: UntrainedSystem<T, S>,
): UntrainedSystem<T, S> {
  return system
}

/** Whether a system has parameters to train. */
export function isTrainable(system: System | UntrainedSystem): system is System {
  return 'train' in system
}

/** @throws ConfigError when a system has no parameters */
export function trainable(system: System | UntrainedSystem, caller: string): System {
  if (isTrainable(system)) return system
  throw new ConfigError(`${caller}: ${system.card.name} has no parameters; there is nothing to train`)
}
