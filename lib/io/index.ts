export { writeFileAtomic } from '../native/atomic-file'
export { type AudioInfo, audioInfo } from './audio-info'
export {
  type AudioChunk,
  type AudioClip,
  type AudioLimits,
  type AudioReader,
  type ReadAudioOptions,
  type ReadAudioStreamOptions,
  readAudio,
  readAudioStream,
} from './audio-read'
export { resampleAudio } from './audio-resample'
export { type WriteAudioOptions, writeAudio } from './audio-write'
export { type Checkpoint, latestCheckpoint, loadCheckpoint, pruneCheckpoints, saveCheckpoint } from './checkpoint'
export type { OnCorrupt } from './ffmpeg-frames'
export { type FlowFile, readFlow, writeFlow } from './flow'
export { type ReadImageOptions, readImage, writeImage } from './image'
export { type EncodeOptions, encodeImage, type ImageFormat } from './image-encode'
export { npyShape, type ReadNpyOptions, readNpy, writeNpy } from './npy'
export { type NpyObjects, readNpyObjects } from './npy-objects'
export { type ReadNpzOptions, readNpz, writeNpz } from './npz'
export type { ImageMode } from './planar'
export { type LoadPthOptions, loadPth, type PthLimits } from './pth-read'
export { optimizerStateOf, stateDictOf } from './pth-state-dict'
export { attributesOf, type PthKey, type PthObject, type PthValue } from './pth-values'
export { savePth } from './pth-write'
export {
  type ReadSafetensorsOptions,
  readSafetensors,
  readSafetensorsMetadata,
  type SafetensorsInfo,
  type SafetensorsMetadata,
  type WriteSafetensorsOptions,
  writeSafetensors,
} from './safetensors'
export { readShardedSafetensors } from './safetensors-index'
export { type ReadSliceOptions, readSlice } from './slice'
export type { Source } from './source'
export {
  SummaryWriter,
  type SummaryWriterOptions,
} from './tensorboard'
export type { HistogramData, LogEvent, SummaryValue } from './tensorboard-events'
export { readEvents } from './tensorboard-read'
export { readClip, type VideoClip } from './video-clip'
export type { VideoPixelFormat } from './video-convert'
export type { FrameLayout } from './video-frames'
export { type Fraction, type VideoInfo, type VideoInfoOptions, videoInfo } from './video-info'
export type { VideoLimits } from './video-limits'
export { type ReadVideoOptions, readVideo, type VideoChunk, type VideoReader } from './video-read'
export { type WriteVideoOptions, writeVideo } from './video-write'
export type { ZipLimits } from './zip-reader'
