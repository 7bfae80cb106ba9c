export type { AffineOptions, RotateOptions, WarpOptions } from './affine'
export { affine, rotate } from './affine'
export type { Pair } from './affine-matrix'
export type { SanitizeOptions } from './boxes'
export { clampBoundingBoxes, convertBoundingBoxFormat, sanitizeBoundingBoxes, validBoundingBoxes } from './boxes'
export {
  adjustBrightness,
  adjustContrast,
  adjustSaturation,
  grayscaleToRgb,
  permuteChannels,
  rgbToGrayscale,
} from './colour'
export type { CropSize, CropWindow, FiveCrops, TenCrops } from './crop'
export { centerCrop, crop, fiveCrop, resizedCrop, tenCrop } from './crop'
export type { ToDtypeOptions } from './dtype'
export { toDtype } from './dtype'
export { elastic } from './elastic'
export type { Fill } from './fill'
export type { Along, GaussianBlurOptions, GaussianNoiseOptions } from './filter'
export { adjustSharpness, gaussianBlur, gaussianNoise } from './filter'
export { horizontalFlip, verticalFlip } from './flip'
export type { WarpInterpolation } from './grid'
export { adjustHue } from './hue'
export { clampKeyPoints } from './key-points'
export type { PaddingMode, PaddingSize, PadOptions } from './pad'
export { pad } from './pad'
export type { PerspectiveCoefficients, Quad } from './perspective'
export { perspective, perspectiveCoefficients } from './perspective'
export type { ResizeInterpolation, ResizeOptions, ResizeSize } from './resize'
export { resize } from './resize'
export { adjustGamma, autocontrast, equalize, invert, posterize, solarize } from './tone'
export type { EraseWindow } from './values'
export { erase, normalize, uniformTemporalSubsample } from './values'
