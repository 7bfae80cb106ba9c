// Segmentations against annotations, beyond the counts of classes: parts, instances, outlines.
export { type ContingencyTable, contingencyTable, type LabelAreas } from './contingency'
export {
  type InstanceMatch,
  type InstanceOptions,
  type InstancePrecision,
  instanceAveragePrecision,
  type RangePrecision,
  type SizeRange,
} from './instances'
export {
  type CategoryScore,
  type PanopticMap,
  type PanopticScene,
  type PanopticScore,
  type PanopticSummary,
  type PanopticTruth,
  panopticQuality,
} from './panoptic'
export {
  type AdaptedRand,
  type AdaptedRandOptions,
  adaptedRandError,
  type IgnoredLabels,
  type VariationOfInformation,
  variationOfInformation,
} from './partition'
export {
  averageSurfaceDistance,
  type BoundaryOptions,
  type BoundaryScore,
  boundaryFScore,
  type HausdorffOptions,
  hausdorffDistance,
  type SurfaceDistances,
  type SurfaceOptions,
  surfaceDistances,
} from './surfaces'
