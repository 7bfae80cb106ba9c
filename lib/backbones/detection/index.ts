// Detectors with torchvision's names.
export * from './detector'
export * from './rcnn'
export * from './roi-heads'
export * from './rpn'
export * from './transform'
export type { Detection, DetectionLosses, DetectionTarget, ImageBatch } from './types'
