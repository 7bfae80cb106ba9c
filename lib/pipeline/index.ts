// What systems are made of: cards, options, pipelines and their results.
export type { DatasetNote, Paper, ParameterCount, PublishedResult, SystemCard } from './card'
export { type ClipStream, clipStream } from './clip-stream'
export {
  type ConfigField,
  type ConfigSchema,
  configFields,
  configOfSettings,
  mergeConfigs,
  type PartialConfig,
  parseConfig,
} from './config'
export { type Clip, clipOf, type ImageInput, imageOf, type VideoInput, type VolumeInput } from './inputs'
export { type LoadOptions, Pipeline, type RunOptions, throwIfCancelled } from './pipeline'
export * from './results'
export { type ImageRunner, type SelfTraining, SelfTrainingPipeline } from './self-training'
export {
  type DataOptions,
  defineSystem,
  defineUntrainedSystem,
  type EvaluateRequest,
  type Evaluation,
  isTrainable,
  type Probe,
  SYNTHETIC,
  type System,
  type SystemEntry,
  type Trained,
  type TrainRequest,
  trainable,
  type UntrainedEvaluateRequest,
  type UntrainedSystem,
} from './system'
export { systemNamed } from './system-named'
export { type LoadedNetworks, loadNetworks, type Networks, saveSystemWeights } from './system-weights'
export { TASK_NAMES, TASKS, type TaskCommand, type TaskName, type TaskTypes } from './tasks'
export { type TrainingOptions, type TrainingReport, trainSystem } from './training-run'
export { type CompareOptions, compareNetworks } from './variants'
