import { Conv2d, functional as F, init, Module } from '../../../nn'
import { cat, type Tensor } from '../../../tensor'
import { InceptionTrunk } from './inception'

const WIDTH = 32
/** How often the curve is applied; a map each. */
export const CURVE_STEPS = 4

/**
 * Estimates the maps of the brightness curve from a picture at a half, a quarter and an eighth of its size.
 *
 * `[B, C, H, W]` in 0–1 → `[B, 4, H, W]` in −1…1, where C is 1 (the value of HSV) or 3.
 */
export class BrightnessNetwork extends Module {
  readonly half: InceptionTrunk
  readonly quarter: InceptionTrunk
  readonly eighth: InceptionTrunk
  readonly fuseQuarter = new Conv2d(2 * WIDTH, WIDTH, 3, { padding: 1 })
  readonly fuseHalf = new Conv2d(2 * WIDTH, WIDTH, 3, { padding: 1 })
  readonly head = new Conv2d(WIDTH, CURVE_STEPS, 3, { padding: 1 })

  constructor(inChannels: 1 | 3) {
    super()
    this.half = new InceptionTrunk(inChannels, WIDTH)
    this.quarter = new InceptionTrunk(inChannels, WIDTH)
    this.eighth = new InceptionTrunk(inChannels, WIDTH)
    for (const { weight, bias } of [this.fuseQuarter, this.fuseHalf, this.head]) {
      init.normal_(weight, { std: 0.02 })
      if (bias) init.zeros_(bias)
    }
  }

  forward(picture: Tensor): Tensor {
    const [, , height = 0, width = 0] = picture.shape
    const input = padToMultiple(picture)
    const eighth = this.eighth.forward(F.avgPool2d(input, 8))
    const quarter = this.quarter.forward(F.avgPool2d(input, 4))
    const half = this.half.forward(F.avgPool2d(input, 2))
    const coarse = this.fuseQuarter.forward(cat([twice(eighth), quarter], { dim: 1 })).relu()
    const fine = this.fuseHalf.forward(cat([twice(coarse), half], { dim: 1 })).relu()
    const maps = this.head.forward(twice(fine)).tanh()
    return maps.narrow(2, 0, height).narrow(3, 0, width)
  }
}

const twice = (x: Tensor) => F.interpolate(x, { scaleFactor: 2, mode: 'bilinear', alignCorners: false })

/** What the picture's sides are padded to: the coarsest scale. */
export const MULTIPLE = 8

/** Rows and columns added below and on the right: mirrored, or repeated where the picture is too small for that. */
export function padToMultiple(x: Tensor): Tensor {
  const [, , height = 0, width = 0] = x.shape
  const [bottom, right] = [missing(height), missing(width)]
  if (bottom === 0 && right === 0) return x
  const mode = bottom < height && right < width ? 'reflect' : 'replicate'
  return F.pad(x, [0, right, 0, bottom], { mode })
}

const missing = (size: number) => (MULTIPLE - (size % MULTIPLE)) % MULTIPLE

/**
 * The brightness curve (Eq. 3): `I ← I + P·I·(1 − I)` for each map in turn. 0 and 1 stay, and order is kept.
 *
 * @param value `[B, 1, H, W]` in 0–1
 * @param maps `[B, 4, H, W]` in −1…1
 */
export function brightnessCurve(value: Tensor, maps: Tensor): Tensor {
  return maps.split(1, { dim: 1 }).reduce((x, map) => x.add(map.mul(x).mul(x.neg().add(1))), value)
}
