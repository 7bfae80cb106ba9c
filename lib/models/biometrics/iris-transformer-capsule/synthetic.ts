// Made-up irises: a texture for each eye that a seed decides, as two cameras would see it.
import { RandomStream, Stream } from '../../../data/random'
import { arange, type Tensor, tidy } from '../../../tensor'
import { counterRandom, gaussianFilter, uniformOf } from '../../../vision'
import type { Config } from './config'
import type { StripSize } from './rubber-sheet'

/** Which image of a made-up eye. */
export interface SyntheticImage {
  readonly identity: number
  readonly domain: 0 | 1
  readonly instance: number
}

/** Standard normal numbers `[H, W]` of a seed and a group, the same on every machine. */
export function normalNumbers({ height, width }: StripSize, seed: number, group: number): Tensor<'float32'> {
  return tidy(() => {
    const [a, b] = counterRandom([height, width], { seed, iteration: 0 }, group)
    const radius = uniformOf(a)
      .add(2 ** -25)
      .log()
      .mul(-2)
      .sqrt()
    return radius.mul(
      uniformOf(b)
        .mul(2 * Math.PI)
        .cos(),
    ) as Tensor<'float32'>
  })
}

/** The texture of an eye: band-passed noise of mean 0 and deviation 1 that goes round, `[H, W]`. */
export function irisTexture(size: StripSize, identity: number, seed = 0): Tensor<'float32'> {
  return tidy(() => {
    const noise = normalNumbers(size, seed, 2 * identity).unsqueeze(0)
    const smooth = (sigma: number) => gaussianFilter(noise, { sigma, edge: 'circular' })
    // Structures from about four columns to a sixteenth of the turn.
    const band = smooth(1.5)
      .sub(smooth(Math.min(size.width / 24, size.height / 5)))
      .squeeze(0)
    const centred = band.sub(band.mean())
    return centred.div(centred.square().mean().sqrt()) as Tensor<'float32'>
  })
}

/** Lids are textures numbered from here. */
const FIRST_LID = 2 ** 24

/** False below the upper lid: outer rows around three quarters of the turn, most in the middle; `[H, W]` bool. */
function uncovered({ height, width }: StripSize, share: number): Tensor {
  const row = arange(height)
    .unsqueeze(1)
    .div(height - 1)
  const fromMiddle = arange(width).div(width).sub(0.75).abs()
  // A parabola that covers a share of the columns of the outermost row, and as much of the rows in its middle.
  const edge = fromMiddle
    .mul(2 / Math.max(share, 1e-6))
    .square()
    .mul(share)
    .add(1 - share)
  return row.lt(edge)
}

/**
 * An image of a made-up eye as a strip: the first domain adds noise to the texture, the second also bends its grey
 * levels and blurs it. Each image is turned a little, and lids cover the same place of all, each looking different.
 *
 * @returns `[H, W]` float32 in 0–1
 */
export function syntheticStrip(
  { identity, domain, instance }: SyntheticImage,
  size: StripSize,
  { noise, blur, gamma, rotation, lids }: Config['synthetic'],
  seed = 0,
): Tensor<'float32'> {
  const number = (identity * 2 + domain) * 1024 + instance
  const turn = new RandomStream(seed, number, Stream.Samples).below(2 * rotation + 1) - rotation
  return tidy(() => {
    const iris = irisTexture(size, identity, seed).roll([turn], { dims: [1] })
    const texture = lids === 0 ? iris : iris.where(uncovered(size, lids), irisTexture(size, FIRST_LID + number, seed))
    const grain = normalNumbers(size, seed + 1, 2 * number + 1).mul(noise)
    const grey = (x: Tensor) => x.mul(0.16).add(0.5).clamp({ min: 0, max: 1 })
    if (domain === 0) return grey(texture.add(grain)) as Tensor<'float32'>
    const bent = grey(texture).pow(gamma).unsqueeze(0)
    const blurred = blur > 0 ? gaussianFilter(bent, { sigma: blur, edge: 'circular' }) : bent
    return blurred.squeeze(0).add(grain.mul(0.16)).clamp({ min: 0, max: 1 }) as Tensor<'float32'>
  })
}
