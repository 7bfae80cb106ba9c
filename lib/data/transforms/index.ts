// Transforms of samples, and what marks the tensors in them. The functional forms are `functional`.
export type { AugMixOptions, AugMixParams } from './aug-mix'
export { AugMix } from './aug-mix'
export type { AugmentOperation, AugmentStep } from './augment-steps'
export type {
  AugmentOptions,
  AutoAugmentOptions,
  RandAugmentOptions,
  TrivialAugmentWideOptions,
} from './auto-augment'
export { AutoAugment, RandAugment, TrivialAugmentWide } from './auto-augment'
export type { AutoAugmentPolicy } from './auto-augment-policies'
export type { SanitizeBoundingBoxesOptions } from './boxing'
export { ClampBoundingBoxes, ClampKeyPoints, ConvertBoundingBoxFormat, SanitizeBoundingBoxes } from './boxing'
export type {
  ColorJitterOptions,
  ColorJitterParams,
  ColorParams,
  PhotometricParams,
  RandomPhotometricDistortOptions,
} from './colouring'
export {
  ColorJitter,
  Grayscale,
  RandomChannelPermutation,
  RandomGrayscale,
  RandomPhotometricDistort,
  RGB,
} from './colouring'
export type { RandomChoiceOptions } from './containers'
export { Compose, RandomApply, RandomChoice, RandomOrder } from './containers'
export type { DTypeByKind } from './converting'
export {
  ConvertImageDtype,
  Lambda,
  LinearTransformation,
  Normalize,
  ToDtype,
  UniformTemporalSubsample,
} from './converting'
export type { CropParams, Cropped, RandomCropOptions, RandomResizedCropOptions, TenCropOptions } from './cropping'
export { CenterCrop, FiveCrop, RandomCrop, RandomResizedCrop, TenCrop } from './cropping'
export type { ErasingParams, RandomErasingOptions } from './erasing'
export { RandomErasing } from './erasing'
export type { GaussianBlurTransformOptions, GaussianNoiseTransformOptions } from './filtering'
export {
  GaussianBlur,
  GaussianNoise,
  RandomAdjustSharpness,
  RandomAutocontrast,
  RandomEqualize,
  RandomInvert,
  RandomPosterize,
  RandomSolarize,
} from './filtering'
export type { PadTransformOptions, RandomZoomOutOptions } from './flipping'
export { Pad, RandomHorizontalFlip, RandomVerticalFlip, RandomZoomOut } from './flipping'
export * as functional from './functional'
export type { IoUCropParams, RandomIoUCropOptions } from './iou-crop'
export { RandomIoUCrop } from './iou-crop'
export type {
  BoundingBoxes,
  BoundingBoxesOptions,
  BoxFormat,
  CanvasSize,
  Image,
  KeyPoints,
  Kind,
  Like,
  Mask,
  Video,
} from './kinds'
export {
  boundingBoxes,
  image,
  isBoundingBoxes,
  isImage,
  isKeyPoints,
  isMask,
  isVideo,
  keyPoints,
  kindOf,
  mask,
  video,
  wrapLike,
} from './kinds'
export type { LabelsGetter } from './labels'
export type { CutMixParams, MixOptions } from './mixing'
export { CutMix, MixUp } from './mixing'
export type { FillByKind, Range } from './ranges'
export type {
  InterpolationOptions,
  RandomShortestSizeOptions,
  ScaleJitterOptions,
} from './resizing'
export { RandomResize, RandomShortestSize, Resize, ScaleJitter } from './resizing'
export type { Transformed } from './sample'
export type { RandomOptions, SampleTransform, TransformOptions } from './transform'
export { FixedTransform, RandomTransform, Transform } from './transform'
export type {
  AffineParams,
  ElasticTransformOptions,
  RandomAffineOptions,
  RandomPerspectiveOptions,
  RandomRotationOptions,
  ShearRange,
  WarpTransformOptions,
} from './warping'
export { ElasticTransform, RandomAffine, RandomPerspective, RandomRotation } from './warping'
