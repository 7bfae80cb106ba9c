// Natural image quality evaluator (Mittal, Soundararajan and Bovik, IEEE SPL 2013).
import { ArgumentError, ShapeError } from '../native/errors'
import { functional as F } from '../nn'
import { arange, cat, linalgPinv, outer, stack, type Tensor, tensor, tidy } from '../tensor'
import { luma255 } from './enhancement'

/** Statistics of pictures without faults: what a picture is compared with. */
export interface NiqeModel {
  /** `[36]` float64. */
  readonly mean: Tensor
  /** `[36, 36]` float64. */
  readonly covariance: Tensor
}

const PATCH = 96
const WINDOW = 7
/** Patches less sharp than this share of the sharpest say nothing of a picture without faults. */
const SHARPNESS = 0.75
const NEIGHBOURS = [
  [0, 1],
  [1, 0],
  [1, 1],
  [1, -1],
] as const

/**
 * Fits the model to pictures without faults; about a hundred photographs of at least a megapixel give a useful one.
 *
 * Numbers are comparable with published ones only with the published model.
 *
 * @param images `[3, H, W]` in 0–1, sides of at least 96
 * @throws ArgumentError without pictures; ShapeError for one that is too small
 */
export function fitNiqe(images: Iterable<Tensor>): NiqeModel {
  return tidy(() => {
    const rows: Tensor[] = []
    for (const image of images) {
      const { features, sharpness } = patchFeatures('fitNiqe', image)
      const sharp = sharpness.ge(sharpness.amax().mul(SHARPNESS)).nonzero().flatten()
      rows.push(features.indexSelect(0, sharp))
    }
    if (rows.length === 0) throw new ArgumentError('fitNiqe: there are no images')
    return moments(cat(rows))
  })
}

/**
 * Distance of a picture's statistics from those of pictures without faults; smaller is better.
 *
 * @param image `[3, H, W]` in 0–1, sides of at least 96
 * @returns 0-dimensional float64
 * @throws ShapeError for a picture that is too small
 */
export function niqe(image: Tensor, model: NiqeModel): Tensor {
  return tidy(() => {
    const { mean, covariance } = moments(patchFeatures('niqe', image).features)
    const difference = mean.sub(model.mean)
    const inverse = linalgPinv(covariance.add(model.covariance).div(2))
    return inverse.matmul(difference).dot(difference).clampMin(0).sqrt()
  })
}

function moments(features: Tensor): NiqeModel {
  const mean = features.mean({ dim: 0 })
  const centred = features.sub(mean)
  return {
    mean,
    covariance: centred
      .t()
      .matmul(centred)
      .div(Math.max(1, features.size(0) - 1)),
  }
}

interface PatchFeatures {
  /** `[patches, 36]`. */
  readonly features: Tensor
  /** `[patches]`: mean local deviation. */
  readonly sharpness: Tensor
}

function patchFeatures(caller: string, image: Tensor): PatchFeatures {
  const [planes, height = 0, width = 0] = image.shape
  if (image.ndim !== 3 || planes !== 3 || height < PATCH || width < PATCH) {
    throw new ShapeError(
      `${caller}: the image is [${image.shape.join(', ')}]; it must be [3, H, W] with sides of at least ${PATCH}`,
    )
  }
  const [rows, columns] = [Math.floor(height / PATCH), Math.floor(width / PATCH)]
  const whole = luma255(image)
    .to('float64')
    .narrow(0, 0, rows * PATCH)
    .narrow(1, 0, columns * PATCH)
  const half = F.interpolate(whole.unsqueeze(0).unsqueeze(0), { scaleFactor: 0.5, mode: 'bicubic', antialias: true })
  const scales = [
    { luminance: whole, side: PATCH },
    { luminance: half.squeeze(0).squeeze(0), side: PATCH / 2 },
  ]
  const found = scales.map(({ luminance, side }) => {
    const { normalised, deviation } = normalise(luminance)
    const patches = cut(normalised, side)
    return {
      features: stack(patches.map(describePatch)),
      sharpness: stack(cut(deviation, side).map((patch) => patch.mean())),
    }
  })
  const [fine, coarse] = found as [PatchFeatures, PatchFeatures]
  return { features: cat([fine.features, coarse.features], { dim: 1 }), sharpness: fine.sharpness }
}

/** Luminance less its local mean over its local deviation, in a Gaussian window with repeated borders. */
function normalise(luminance: Tensor): { normalised: Tensor; deviation: Tensor } {
  const offsets = arange(WINDOW, { dtype: 'float64' }).sub((WINDOW - 1) / 2)
  const line = offsets
    .square()
    .div(-2 * (WINDOW / 6) ** 2)
    .exp()
  const weights = line.div(line.sum())
  const kernel = outer(weights, weights).reshape([1, 1, WINDOW, WINDOW])
  const margin = (WINDOW - 1) / 2
  const blur = (x: Tensor) => {
    const padded = F.pad(x.unsqueeze(0).unsqueeze(0), [margin, margin, margin, margin], { mode: 'replicate' })
    return F.conv2d(padded, kernel).squeeze(0).squeeze(0)
  }
  const mean = blur(luminance)
  const deviation = blur(luminance.square()).sub(mean.square()).abs().sqrt()
  return { normalised: luminance.sub(mean).div(deviation.add(1)), deviation }
}

/** Patches without overlap, in reading order. */
function cut(x: Tensor, side: number): Tensor[] {
  const [rows, columns] = [Math.floor(x.size(0) / side), Math.floor(x.size(1) / side)]
  return Array.from({ length: rows * columns }, (_, i) =>
    x.narrow(0, Math.floor(i / columns) * side, side).narrow(1, (i % columns) * side, side),
  )
}

/** The 18 numbers of a patch: shape and scale of its values, and of their products with four neighbours. */
function describePatch(patch: Tensor): Tensor {
  const own = fitAsymmetric(patch)
  const products = NEIGHBOURS.map(([down, right]) =>
    fitAsymmetric(patch.mul(patch.roll([down, right], { dims: [0, 1] }))),
  )
  const numbers = products.flatMap(({ shape, left, right, mean }) => [shape, mean, left, right])
  return tensor([own.shape, (own.left + own.right) / 2, ...numbers], { dtype: 'float64' })
}

/** A generalised Gaussian with a scale for each side of 0. */
export interface AsymmetricGaussian {
  /** 2 for a Gaussian, 1 for a Laplace distribution. */
  readonly shape: number
  readonly left: number
  readonly right: number
  /** Where its mean lies. */
  readonly mean: number
}

const SHAPES = Array.from({ length: 9801 }, (_, i) => 0.2 + i * 0.001)
let ratios: Float64Array | undefined

/** Γ(2/a)² / (Γ(1/a)·Γ(3/a)) for each shape a: what moments are compared with. */
function shapeRatios(): Float64Array {
  ratios ??= tidy(() => {
    const inverse = tensor(SHAPES, { dtype: 'float64' }).reciprocal()
    const logarithm = inverse.mul(2).lgamma().mul(2).sub(inverse.lgamma()).sub(inverse.mul(3).lgamma())
    return Float64Array.from(logarithm.exp().toArray() as number[])
  })
  return ratios
}

/** Fits by moments (Lasmar, Stitou and Berthoumieu, ICIP 2009); shapes 0.2 to 10 in steps of 0.001. */
export function fitAsymmetric(values: Tensor): AsymmetricGaussian {
  return tidy(() => {
    const x = values.flatten().to('float64')
    const deviation = (side: Tensor) => {
      const count = Number(side.sum().item())
      return count === 0 ? 0 : Math.sqrt(Number(x.square().where(side, 0).sum().item()) / count)
    }
    const [left, right] = [deviation(x.lt(0)), deviation(x.gt(0))]
    const power = Number(x.square().mean().item())
    const flatness = power === 0 ? 1 : Number(x.abs().mean().item()) ** 2 / power
    const skew = right === 0 ? 1 : left / right
    const wanted = (flatness * (skew ** 3 + 1) * (skew + 1)) / (skew ** 2 + 1) ** 2
    const shape = SHAPES[nearest(shapeRatios(), wanted)] ?? 10
    const [one, two, three] = gamma([1 / shape, 2 / shape, 3 / shape])
    const scale = Math.sqrt(one / three)
    return { shape, left: left * scale, right: right * scale, mean: ((right - left) * scale * two) / one }
  })
}

/** Γ by its logarithm. */
function gamma(values: readonly [number, number, number]): readonly [number, number, number] {
  return tensor([...values], { dtype: 'float64' })
    .lgamma()
    .exp()
    .toArray() as unknown as [number, number, number]
}

function nearest(values: Float64Array, wanted: number): number {
  let best = 0
  for (let i = 1; i < values.length; i++) {
    if (Math.abs((values[i] ?? 0) - wanted) < Math.abs((values[best] ?? 0) - wanted)) best = i
  }
  return best
}
