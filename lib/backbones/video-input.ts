// How clips of Kinetics are prepared for the networks trained on them.
import type { VideoInput } from './network'

/** torchvision's 18-layer networks: 16 frames one after the other, 112 × 112. */
export const KINETICS_112 = {
  kind: 'video',
  resize: 128,
  crop: [112, 112],
  interpolation: 'bilinear',
  mean: [0.43216, 0.394666, 0.37645],
  std: [0.22803, 0.22145, 0.216989],
  frames: 16,
  frameStep: 1,
} as const satisfies VideoInput

/** Channels from −1 to 1, as DeepMind prepared them for I3D. */
export const KINETICS_SIGNED_224 = {
  kind: 'video',
  resize: 256,
  crop: [224, 224],
  interpolation: 'bilinear',
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
  frames: 64,
  frameStep: 1,
} as const satisfies VideoInput

/** PyTorchVideo's networks: so many frames, so far apart; square images of one size. */
export function kineticsClips(frames: number, frameStep: number, size: number) {
  return {
    kind: 'video',
    resize: size,
    crop: [size, size],
    interpolation: 'bilinear',
    mean: [0.45, 0.45, 0.45],
    std: [0.225, 0.225, 0.225],
    frames,
    frameStep,
  } as const satisfies VideoInput
}
