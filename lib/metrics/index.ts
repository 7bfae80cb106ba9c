export { Accuracy, type AccuracyOptions, accuracy } from './accuracy'
export type { Average, Averaged } from './average'
export { BaseMetric, type StateReduction, type StateValues } from './base'
export type { ClassCountOptions } from './class-counts'
export { MetricCollection, type MetricMap } from './collection'
export { ConfusionMatrix, type ConfusionMatrixOptions, confusionMatrix } from './confusion-matrix'
export {
  KendallRankCorrCoef,
  kendallRankCorrCoef,
  PearsonCorrCoef,
  pearsonCorrCoef,
  R2Score,
  r2Score,
  SpearmanCorrCoef,
  spearmanCorrCoef,
} from './correlation'
export * from './detection'
export { type LightnessOrderOptions, lightnessOrderError, measureOfEnhancement } from './enhancement'
export { angularError, endPointError, type FlowMetricOptions, flowOutliers } from './flow'
export {
  type ImageReduction,
  MSSSIM,
  type MSSSIMOptions,
  msSsim,
  PSNR,
  type PSNRMetricOptions,
  type PSNROptions,
  psnr,
  SSIM,
  ssim,
} from './image'
export type { LabelOptions } from './labels'
export { Mean, weightedMean } from './mean'
export type { Metric, MetricState } from './metric'
export { type AsymmetricGaussian, fitAsymmetric, fitNiqe, type NiqeModel, niqe } from './niqe'
export {
  type DiceAverage,
  DiceScore,
  diceScore,
  MeanIoU,
  meanIoU,
  type OverlapAverage,
  type OverlapOptions,
} from './overlap'
export {
  F1Score,
  type FBetaOptions,
  FBetaScore,
  f1Score,
  fBetaScore,
  Precision,
  type PrecisionRecallOptions,
  precision,
  Recall,
  recall,
} from './precision-recall'
export {
  AUROC,
  AveragePrecision,
  auroc,
  averagePrecision,
  EER,
  equalErrorRate,
  PrecisionRecallCurve,
  type PrecisionRecallCurveResult,
  precisionRecallCurve,
  type RankingOptions,
  ROC,
  type ROCCurve,
  rocCurve,
} from './ranking'
export {
  CosineSimilarity,
  MeanAbsoluteError,
  MeanSquaredError,
  meanAbsoluteError,
  meanCosineSimilarity,
  meanSquaredError,
  RootMeanSquaredError,
  rootMeanSquaredError,
} from './regression'
export type { BinaryScoreOptions, ScoreOptions } from './scores'
export * from './segmentation'
export type { SSIMOptions } from './ssim'
export { synchronizeMetrics } from './synchronize'
export { decidability, truePositiveRateAt } from './verification'
