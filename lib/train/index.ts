export { fitModel } from './fit-model'
export type {
  BatchSource,
  EarlyStoppingOptions,
  FitOptions,
  Monitor,
  RunningMetric,
  ScheduleOptions,
  StepOutput,
  TrainerOptions,
  ValidationOptions,
} from './options'
export type { EpochRecord, StepRecord, TrainingRecord, Values } from './records'
export { readRecords } from './run-folder'
export { type FitResult, type StopReason, Trainer } from './trainer'
