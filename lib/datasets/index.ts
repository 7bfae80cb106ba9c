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
export * from './labelled-videos'
export * from './iris'
export * from './noisy-pairs'
export * from './problems'
export * from './tt100k'
export * from './voc'
export * from './yolo'
export * from './yolo-folder'
export { readYoloNames } from './yolo-names'
