import type { ImageInput } from '../network'

/** Detectors resize and normalise by themselves: images in 0–1 are what they take. */
export const DETECTION_INPUT = {
  kind: 'image',
  resize: 800,
  crop: null,
  interpolation: 'bilinear',
  mean: [0, 0, 0],
  std: [1, 1, 1],
} as const satisfies ImageInput
