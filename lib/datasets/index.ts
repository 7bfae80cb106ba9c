// Published layouts of data sets, a reader and a writer each.
export {
  type CocoBox,
  type CocoDetection,
  type CocoRle,
  type CocoSegmentation,
  decodeMask,
  encodeMask,
  maskArea,
  maskBox,
  maskOfBox,
  maskOfPolygon,
  maskOfPolygons,
  mergeMasks,
} from '../metrics'
export * from './action-features'
export * from './coco'
export { COCO_CLASSES } from './coco-classes'
export * from './dota'
export * from './flow-folder'
export * from './image-folder'
export * from './image-list'
export { uprightSize } from './image-size'
export * from './iris'
export * from './labelled-videos'
export {
  hasLabelledVolumes,
  type LabelledVolume,
  readLabelledVolumes,
  type VolumePart,
} from './mitoem'
export * from './noisy-pairs'
export { type OpenVolumeOptions, openVolume } from './open-volume'
export * from './problems'
export * from './reduced-features'
export { type SliceVolumeOptions, sliceVolume, tileVolume } from './slice-volume'
export * from './tt100k'
export * from './voc'
export { readMirrored, type Triple, tensorVolume, type VolumeSource } from './volume-source'
export * from './yolo'
export * from './yolo-folder'
export { readYoloNames } from './yolo-names'
