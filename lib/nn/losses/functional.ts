// Losses as functions, for lib/nn/functional.
export { binaryCrossEntropy, binaryCrossEntropyWithLogits, crossEntropy, klDiv, nllLoss } from './classification'
export { infoNceLoss, ntXentLoss, supConLoss } from './contrast'
export { ctcLoss } from './ctc'
export { sigmoidFocalLoss } from './focal'
export {
  hingeEmbeddingLoss,
  marginRankingLoss,
  multilabelMarginLoss,
  multilabelSoftMarginLoss,
  multiMarginLoss,
  softMarginLoss,
} from './margin'
export { contrastiveLoss, cosineEmbeddingLoss, tripletMarginLoss, tripletMarginWithDistanceLoss } from './metric'
export { diceLoss, generalizedDiceLoss, tverskyLoss } from './overlap'
export { gaussianNllLoss, huberLoss, l1Loss, mseLoss, poissonNllLoss, smoothL1Loss } from './regression'
