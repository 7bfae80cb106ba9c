export { writeFileAtomic } from '../native/atomic-file'
export { type FlowFile, readFlow, writeFlow } from './flow'
export { type ReadImageOptions, readImage, writeImage } from './image'
export { type EncodeOptions, encodeImage, type ImageFormat } from './image-encode'
export type { ImageMode } from './planar'
export {
  type ReadSafetensorsOptions,
  readSafetensors,
  readSafetensorsMetadata,
  type SafetensorsInfo,
  type SafetensorsMetadata,
  writeSafetensors,
} from './safetensors'
export type { Source } from './source'
