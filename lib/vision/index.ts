export * from './boxes'
export { classActivationMap, type GradCamOptions, gradCam } from './cam'
export { type CircleVoteOptions, circleVotes } from './circle-votes'
export { hsvToRgb, labToRgb, rgbToGrey, rgbToHsv, rgbToLab, rgbToYcbcr, ycbcrToRgb } from './colour'
export { type CornerOptions, harrisCorners, harrisResponse } from './corners'
export { type CounterRandomOptions, counterRandom, type RandomWords, uniformOf } from './counter-random'
export {
  flipLabelled,
  type HsvJitterOptions,
  hsvJitter,
  type MixupOptions,
  mixupLabelled,
  randomFlipLabelled,
  scaleHsv,
} from './detection-augment'
export {
  type Colours,
  type DrawBoxesOptions,
  type DrawKeypointsOptions,
  type DrawMasksOptions,
  drawBoundingBoxes,
  drawKeypoints,
  drawSegmentationMasks,
} from './draw'
export { drawFlowArrows, type FlowArrowOptions } from './flow-arrows'
export { type FlowColourOptions, flowToColour, middleburyWheel } from './flow-colours'
export { type CropPosition, centreFlow, fiveCropPositions, flipFlow, flowToBytes } from './flow-maps'
export { type GaussianFilterOptions, gaussianFilter } from './gaussian-filter'
export {
  type DecodeHeatMapOptions,
  decodeHeatMaps,
  encodeHeatMaps,
  type HeatMapOptions,
} from './heat-maps'
export { findHomography, type Homography, type HomographyOptions, projectPoints } from './homography'
export { type KMeans, type KMeansOptions, kMeans } from './k-means'
export { drawLabels, type LabelColourOptions, type VolumePictureOptions, volumePicture } from './label-colours'
export {
  type BoxCandidateOptions,
  boxCandidates,
  type CropWindow,
  cropBoxes,
  cropLabelled,
  type LabelledImage,
} from './labelled'
export { type Letterboxed, type LetterboxOptions, letterbox, unletterboxBoxes } from './letterbox'
export { mirrorPad, mirrorPadToMultiple } from './mirror-pad'
export { type MosaicOptions, mosaic, mosaic9 } from './mosaic'
export { drawNeighbourPatterns, NEIGHBOUR_PATTERNS, neighbourPair, neighbourTriplet } from './neighbour-sampler'
export * from './pyramids'
export { drawWarp, type RandomWarpOptions, randomWarp, type Warp, warpLabelled } from './random-warp'
export { type RelativeTotalVariationOptions, relativeTotalVariation } from './relative-total-variation'
export { skeletonize3d } from './skeleton'
export {
  filterSignal,
  impulseResponse,
  type MapFilter,
  mapFilter,
  noiseGain,
  type TemporalFilter,
} from './temporal-filter'
export { runsAbove, type ScoredSpan, temporalNms, temporalSoftNms } from './temporal-spans'
export * from './tiles'
export { type TrackedPoints, TrackingPyramid, type TrackOptions, trackingPyramid, trackPoints } from './track-points'
export { type WarpPerspectiveOptions, warpPerspective } from './warp-perspective'
