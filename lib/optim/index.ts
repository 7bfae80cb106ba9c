export { Adadelta, type AdadeltaOptions } from './adadelta'
export { Adagrad, type AdagradOptions } from './adagrad'
export { Adam, type AdamOptions, AdamW } from './adam'
export { Adamax, type AdamaxOptions } from './adamax'
export {
  type AveragedModule,
  type AveragingOptions,
  type ExponentialAverageOptions,
  ExponentialMovingAverage,
  StochasticWeightAverage,
  WeightAverage,
} from './averaging'
export { type NormedModule, updateBatchNorm } from './batch-norm'
export { type ClipNormOptions, clipGradNorm_, clipGradValue_ } from './clip'
export { GradScaler, type GradScalerOptions, type GradScalerState } from './grad-scaler'
export { LBFGS, type LBFGSOptions } from './lbfgs'
export { NAdam, type NAdamOptions } from './nadam'
export { type AnyOptimizer, Optimizer, type StepOptions } from './optimizer'
export type { BaseOptions, OptionsOf, ParamGroup, ParamGroupInit, Params } from './param-group'
export { RAdam, type RAdamOptions } from './radam'
export { RMSprop, type RMSpropOptions } from './rmsprop'
export { ChainedScheduler, SequentialLR } from './schedulers/compose'
export { CosineAnnealingLR, CosineAnnealingWarmRestarts } from './schedulers/cosine'
export { OneCycleLR, type OneCycleOptions } from './schedulers/one-cycle'
export { type PlateauOptions, ReduceLROnPlateau } from './schedulers/plateau'
export { ConstantLR, LinearLR, PolynomialLR } from './schedulers/ramps'
export { LRScheduler, type Scheduler, type SchedulerStateDict, type SchedulerValue } from './schedulers/scheduler'
export { ExponentialLR, LambdaLR, type LrLambda, MultiplicativeLR, MultiStepLR, StepLR } from './schedulers/steps'
export { SGD, type SGDOptions } from './sgd'
export type { OptimizerStateDict, OptionValue, StateDictGroup, StateValue } from './state-dict'
