// A made-up picture of an eye around a texture, with circles and lids that are known.
import { functional as F } from '../../../nn'
import { arange, cat, stack, type Tensor, tidy } from '../../../tensor'
import { gaussianFilter } from '../../../vision'
import type { Eyelids, Parabola } from './eyelids'
import type { Circle } from './rubber-sheet'
import { normalNumbers } from './synthetic'

export interface EyeOptions {
  readonly height: number
  readonly width: number
  readonly pupil: Circle
  readonly iris: Circle
  /** Unless stated the eye is wide open. */
  readonly eyelids?: Partial<Eyelids>
  /** Turns the eye from +x towards +y. */
  readonly angleRad?: number
  /** Of each pixel, in 0–1; 0.01 unless stated. */
  readonly noise?: number
  /** A lamp's reflection, white; none unless stated. */
  readonly highlight?: Circle
  readonly seed?: number
}

/** Grey of skin, white of the eye, and pupil. */
const [SKIN, SCLERA, PUPIL] = [0.62, 0.8, 0.08] as const

/**
 * Draws an eye whose iris has a texture, so that unrolling it gives the texture again.
 *
 * @param texture `[h, w]` in 0–1, as of `syntheticStrip`
 * @returns `[3, H, W]` float32 in 0–1, grey
 */
export function drawEye(texture: Tensor, options: EyeOptions): Tensor<'float32'> {
  const { height, width, pupil, iris, eyelids = {}, angleRad = 0, noise = 0.01, highlight, seed = 0 } = options
  return tidy(() => {
    const y = arange(height, { dtype: 'float64' }).unsqueeze(1).expand([height, width])
    const x = arange(width, { dtype: 'float64' }).unsqueeze(0).expand([height, width])
    const distance = ({ x: cx, y: cy }: Circle) => x.sub(cx).square().add(y.sub(cy).square()).sqrt()
    const { r, theta } = ringPlaces(x, y, pupil, iris)
    const ring = sampleRing(texture, r, theta.sub(angleRad))
    let grey = ring.mul(0.5).add(0.15).where(distance(iris).lt(iris.radius), SCLERA)
    grey = grey.where(distance(pupil).ge(pupil.radius), PUPIL)
    const lid = ({ x0, a, b, c }: Parabola) => x.sub(x0).square().mul(a).add(x.sub(x0).mul(b)).add(c)
    if (eyelids.upper !== undefined) grey = grey.where(y.gt(lid(eyelids.upper)), SKIN)
    if (eyelids.lower !== undefined) grey = grey.where(y.lt(lid(eyelids.lower)), SKIN)
    if (highlight !== undefined) grey = grey.where(distance(highlight).gt(highlight.radius), 1)
    const soft = gaussianFilter(grey.to('float32').unsqueeze(0), { sigma: 0.7, edge: 'replicate' })
    const noisy = soft.add(normalNumbers({ height, width }, seed, 0).mul(noise)).clamp({ min: 0, max: 1 })
    return noisy.expand([3, height, width]).clone() as Tensor<'float32'>
  })
}

/** Where pixels lie between both circles: the share of the way from pupil to iris, and the angle. */
function ringPlaces(x: Tensor, y: Tensor, pupil: Circle, iris: Circle): { r: Tensor; theta: Tensor } {
  // The circle at r has the middle cp + r d and the radius ρp + r Δ; a pixel is on the one that solves a r² − 2 b r + c = 0.
  const [dx, dy, delta] = [iris.x - pupil.x, iris.y - pupil.y, iris.radius - pupil.radius]
  const [qx, qy] = [x.sub(pupil.x), y.sub(pupil.y)]
  const a = dx ** 2 + dy ** 2 - delta ** 2
  const b = qx
    .mul(dx)
    .add(qy.mul(dy))
    .add(pupil.radius * delta)
  const c = qx
    .square()
    .add(qy.square())
    .sub(pupil.radius ** 2)
  const root = b.square().sub(c.mul(a)).clampMin(0).sqrt()
  const r = b.sub(root).div(a)
  return { r, theta: qy.sub(r.mul(dy)).atan2(qx.sub(r.mul(dx))) }
}

function sampleRing(texture: Tensor, r: Tensor, theta: Tensor): Tensor {
  const [height = 1, width = 1] = texture.shape
  // A column more on each side, so that the last goes over into the first.
  const round = cat([texture.narrow(1, width - 1, 1), texture, texture.narrow(1, 0, 1)], { dim: 1 })
  const column = theta
    .mul(width / (2 * Math.PI))
    .remainder(width)
    .add(1)
  const row = r.clamp({ min: 0, max: 1 }).mul(height - 1)
  const place = (at: Tensor, length: number) => at.mul(2).add(1).div(length).sub(1)
  const grid = stack([place(column, width + 2), place(row, height)], { dim: -1 }).to(texture.dtype)
  const planes = F.gridSample(round.reshape([1, 1, height, width + 2]), grid.unsqueeze(0), {
    ...{ mode: 'bilinear', paddingMode: 'border', alignCorners: false },
  })
  return planes.reshape(r.shape).to('float64')
}
