// Detections against annotations, as COCO and Pascal VOC count them.
export { type CocoKind, type CocoOptions, type CocoSummary, evaluateCoco } from './coco'
export type { CocoDetection, CocoObject, CocoPicture, CocoSegmentation, CocoTruth } from './coco-types'
export { boxOverlap, COCO_SIGMAS, type KeypointObject, keypointSimilarity, maskOverlap } from './overlap'
export { maskOfBox, maskOfPolygon, maskOfPolygons } from './polygon'
export {
  type CocoBox,
  type CocoRle,
  decodeMask,
  encodeMask,
  maskArea,
  maskBox,
  mergeMasks,
  packCounts,
  unpackCounts,
} from './rle'
export {
  evaluateTemporal,
  type TemporalDetection,
  type TemporalSummary,
  type TemporalTruth,
  type TimeSpan,
  temporalIoU,
} from './temporal'
export { evaluateVoc, type VocBox, type VocDetection, type VocObject, type VocOptions, type VocSummary } from './voc'
