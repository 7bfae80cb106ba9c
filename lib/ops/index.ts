export type {
  BinaryConv3dOptions,
  BinaryEpilogue,
  BinaryEstimator,
  BinaryLayerOutput,
  BinaryScale,
  BinarySize,
  PackedBinaryWeight,
  PackedConv3dOptions,
} from './binary-conv3d'
export { bconv3d, bconv3dFused, binConv3d, packBinaryWeight, signBiasPack, unpackSigns } from './binary-conv3d'
export { binarySign } from './binary-sign'
export type { Bm3dOptions } from './bm3d'
export { bm3d, bm3dAsync } from './bm3d'
export type { BoxEdge, BoxOptions } from './box-filter'
export { boxMean, boxMeanAdjoint } from './box-filter'
export type {
  CapsuleRoutingOptions,
  DenseCapsuleRoutingOptions,
  MarginLossOptions,
  RoutedCapsules,
  SquashOptions,
} from './capsule-routing'
export {
  capsuleLengths,
  capsuleRouting,
  capsuleRoutingAsync,
  capsuleRoutingDense,
  capsuleRoutingDenseAsync,
  capsuleRoutingWithCouplings,
  capsuleVotes,
  marginLoss,
  squash,
} from './capsule-routing'
export type { Components, ComponentsOptions, Connectivity, LabelStatistics } from './connected-components'
export {
  connectedComponents,
  connectedComponentsAsync,
  connectedComponentsWithStats,
  labelStatistics,
} from './connected-components'
export type { ContentAwareUpsampleOptions } from './content-aware-upsample'
export {
  contentAwareUpsample,
  contentAwareUpsampleAsync,
  expandPyramid,
  poolPyramid,
} from './content-aware-upsample'
export type { CorrelationOptions, CostVolumeOptions } from './correlation'
export { correlation, correlationAsync, costVolume } from './correlation'
export type { DeformConv2dOptions } from './deform-conv2d'
export { deformConv2d } from './deform-conv2d'
export type { FastGuidedOptions, GuidedLayerOptions, GuidedMode, GuidedOptions } from './guided-filter'
export {
  affineApply,
  areaDownsample,
  fastGuidedFilter,
  guidedApply,
  guidedCoefficients,
  guidedFilter,
  guidedFilterAsync,
  guidedLayer,
} from './guided-filter'
export type { SoftNmsOptions, SoftNmsResult } from './nms'
export { batchedNms, nms, nmsAsync, softNms } from './nms'
export type {
  BallNeighbours,
  BallQueryOptions,
  ChamferLossOptions,
  ChamferOptions,
  ChamferResult,
  FurthestPointOptions,
  KnnOptions,
  NearestNeighbours,
} from './points'
export {
  ballQuery,
  chamferDistance,
  chamferDistances,
  furthestPointSample,
  furthestPointSampleAsync,
  knn,
  knnAsync,
} from './points'
export type { RoiAlignOptions } from './roi-align'
export { roiAlign } from './roi-align'
export type { CosineMatches, CosineOptions, CosineStorage, HammingMatches, QuantizedRows } from './search'
export {
  CosineIndex,
  packBits,
  quantizeRows,
  topkCosine,
  topkCosineAsync,
  topkHamming,
  topkHammingAsync,
} from './search'
export type { Tvl1CallOptions, Tvl1Clip, Tvl1ClipOptions, Tvl1Options, Tvl1Result } from './tvl1-flow'
export { dequantiseFlow, quantiseFlow, Tvl1, tvl1, tvl1Flow } from './tvl1-flow'
export type { Tvl1Params, Tvl1Preset } from './tvl1-presets'
export { tvl1Presets } from './tvl1-presets'
export type { ResampleOptions, UpfirdnOptions } from './upfirdn2d'
export { downsample2d, filter2d, setupFilter, upfirdn2d, upsample2d } from './upfirdn2d'
export type { WatershedOptions } from './watershed'
export { watershed, watershedAsync } from './watershed'
