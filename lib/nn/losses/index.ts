// Losses as modules; as functions they are in ./functional.
export type {
  BCELossOptions,
  BCEWithLogitsLossOptions,
  CrossEntropyLossOptions,
  KLDivLossOptions,
  NLLLossOptions,
} from './classification'
export { BCELoss, BCEWithLogitsLoss, CrossEntropyLoss, KLDivLoss, NLLLoss } from './classification'
export type { InfoNCELossOptions, TemperatureOptions } from './contrast'
export { InfoNCELoss, NTXentLoss, SupConLoss } from './contrast'
export type { CTCLossOptions, Lengths } from './ctc'
export { CTCLoss } from './ctc'
export type { SigmoidFocalLossOptions } from './focal'
export { SigmoidFocalLoss } from './focal'
export type { LossOptions, Reduction } from './loss'
export type { MarginOptions, MultiLabelSoftMarginLossOptions, MultiMarginLossOptions } from './margin'
export {
  HingeEmbeddingLoss,
  MarginRankingLoss,
  MultiLabelMarginLoss,
  MultiLabelSoftMarginLoss,
  MultiMarginLoss,
  SoftMarginLoss,
} from './margin'
export type { Distance, TripletMarginLossOptions, TripletMarginWithDistanceLossOptions } from './metric'
export { ContrastiveLoss, CosineEmbeddingLoss, TripletMarginLoss, TripletMarginWithDistanceLoss } from './metric'
export type { DiceLossOptions, OverlapOptions, TverskyLossOptions } from './overlap'
export { DiceLoss, GeneralizedDiceLoss, TverskyLoss } from './overlap'
export type {
  GaussianNLLLossOptions,
  HuberLossOptions,
  PoissonNLLLossOptions,
  SmoothL1LossOptions,
} from './regression'
export { GaussianNLLLoss, HuberLoss, L1Loss, MSELoss, PoissonNLLLoss, SmoothL1Loss } from './regression'
