import { MotionMicroscope } from '../../lib/models/magnification/motion-microscopy'
import { sway, texture } from '../../lib/models/magnification/motion-microscopy/synthetic'
import { functional as F } from '../../lib/nn'
import { type Device, stack, type Tensor, tidy } from '../../lib/tensor'
import type { SystemCase, SystemRun } from '../support/system-case'

const SIDE = 256
const FRAMES = 16
const FPS = 30
const CONFIG = { magnification: 20, band: [2, 5] as [number, number] }

/**
 * The whole pipeline, from frames to magnified frames: the pyramid is made and its functions are captured for the first
 * clip of a size.
 */
export const systemCase: SystemCase = {
  system: 'motion-microscopy',
  title: `clip of ${FRAMES} frames of ${SIDE}×${SIDE}`,
  unit: 'frames',
  perPass: FRAMES,
  peerConfig: { ...CONFIG, fps: FPS },
  make: microscope,
}

function microscope(device: Device): SystemRun {
  const inputs = [swayingTexture()]
  const ready = MotionMicroscope.load({ config: CONFIG, device })
  return {
    state: new Map(),
    inputs,
    run: async ([frames]) => [(await (await ready).run({ frames: frames as Tensor, fps: FPS })).frames],
    forget: () => {},
    dispose: () => {
      for (const input of inputs) input.dispose()
    },
  }
}

/** A texture that sways by a twentieth of a pixel, `[T, 3, H, W]` float32. */
function swayingTexture(): Tensor {
  return tidy(() => {
    const frames = Array.from({ length: FRAMES }, (_, t) => {
      const grey = texture(0.05 * sway(t))
        .to('float32')
        .reshape([1, 1, SIDE / 2, SIDE / 2])
      const [picture] = F.interpolate(grey, { size: [SIDE, SIDE], mode: 'bicubic' }).unbind() as [Tensor]
      return picture.repeat([3, 1, 1])
    })
    return stack(frames).clamp({ min: 0, max: 1 })
  })
}
