// MitoEM: instance segmentation of mitochondria in electron microscopy (MICCAI 2020).
import { defineSystem } from '../../../pipeline'
import { rand, type Tensor } from '../../../tensor'
import { card } from './card'
import { Config, tiny } from './config'
import { evaluate } from './evaluate'
import { MapNetwork } from './model'
import { MitochondriaSegmenter } from './pipeline'
import { train } from './train'

export {
  type Affinities,
  affinityBasins,
  agglomerate,
  type BasinEdge,
  type Basins,
  basinGraph,
  mergeSmallBasins,
} from './affinities'
export {
  analyseObjects,
  fitLine,
  type Line,
  type ObjectLength,
  type ObjectSize,
  objectMesh,
  rankBySize,
  type TissueAnalysis,
  typicalObjects,
} from './analyse'
export { lengthPlot, sizePlot } from './analysis-plots'
export { annotationNoise, dilateLabels, erodeLabels, type NoiseControl } from './annotation-noise'
export { type Draws, type EmSample, emAugment, sampleSize } from './augment'
export { card } from './card'
export { Config, decodingOf, scheduleOf } from './config'
export { asBytes, type Chunk, chunkSpans, type TrainingSample, VolumeSamples } from './data'
export {
  byteLevel,
  type DecodeOptions,
  decodeBcCc,
  decodeBcMw,
  decodeCc,
  decodeMw,
  decodeTracked,
  dilateInPlane,
  flood,
  removeSmall,
} from './decode'
export { evaluateVolumes, type VolumeScores } from './evaluate'
export { balanceWeights, mapLoss, softDice, weightedBce } from './loss'
export {
  ConvUnit,
  channelsOf,
  MapNetwork,
  type Representation,
  ResidualBlock,
  ResUNet3d,
  type ResUNet3dOptions,
  SliceUNet,
} from './model'
export { MitochondriaSegmenter } from './pipeline'
export {
  ap75,
  type InstanceReport,
  instanceReport,
  jaccard,
  type MatchRow,
  type ReportOptions,
  SIZE_CLASSES,
  type SizeClass,
  writeReport,
} from './report'
export {
  type Decoding,
  decodeMaps,
  type MapOptions,
  type ObjectScore,
  type Segmentation,
  scoreObjects,
  VolumeSegmenter,
} from './segmenter'
export { smoothLabels } from './smooth-labels'
export { type SyntheticOptions, type SyntheticVolume, syntheticVolume } from './synthetic'
export { affinityTarget, type ContourOptions, contourTarget, emTargets, erodeContacts, maskTarget } from './targets'
export { predictViews, seen, unseen, type View, type ViewSet, viewsOf } from './test-time'
export { mapTrainer, rateShare } from './train'
export { type TunedDecoding, tuneDecoding } from './tune'
export { type Block, blendWeights, blocksOf, predictBlock, type WindowOptions, windowStarts } from './windows'

export const system = defineSystem({
  card,
  config: Config,
  tiny,
  create: (config: Config) => new MapNetwork(config),
  probe: (model) => ({
    inputs: [rand([2, 1, 3, 32, 32])],
    run: (x: Tensor) => model.forward(x),
  }),
  train,
  evaluate,
  load: MitochondriaSegmenter.load,
})
