// Rays of cameras and places on them (Mildenhall et al., NeRF, ECCV 2020).
import { ArgumentError, ShapeError } from '../native/errors'
import {
  arange,
  cat,
  type Generator,
  linspace,
  noGrad,
  rand,
  searchsorted,
  stack,
  type Tensor,
  zerosLike,
} from '../tensor'
import { tidy } from '../tensor/scope'
import { type CameraAxes, checkAxes, toPlane } from './cameras'
import { checkEnds } from './check'
import { unit } from './vectors'

export interface Rays {
  /** `[..., 3]`. */
  readonly origins: Tensor
  /** `[..., 3]`. */
  readonly directions: Tensor
}

export interface CameraRaysOptions {
  /** Of `cameraToWorld`; default `'opencv'`. */
  readonly axes?: CameraAxes
  /** Added to the numbers of pixels: ½ where the intrinsics count from the corner of the image; default 0. */
  readonly offset?: number
  /** Directions of length 1; by default a step along one goes one unit deep, so that places on it are depths. */
  readonly normalize?: boolean
}

/**
 * The ray through each pixel.
 *
 * @param intrinsics `[..., 3, 3]`
 * @param cameraToWorld `[..., 4, 4]`
 * @param size of the image
 * @returns `[..., height, width, 3]`
 */
export function cameraRays(
  intrinsics: Tensor,
  cameraToWorld: Tensor,
  size: readonly [height: number, width: number],
  options: CameraRaysOptions = {},
): Rays {
  const { offset = 0, normalize = false } = options
  checkEnds('cameraRays', 'intrinsics', intrinsics, [3, 3])
  checkEnds('cameraRays', 'cameraToWorld', cameraToWorld, [4, 4])
  const axes = checkAxes('cameraRays', options.axes)
  const [height, width] = size
  if (![height, width].every((length) => Number.isSafeInteger(length) && length > 0)) {
    throw new ArgumentError(`cameraRays: size is [${size}]; it is two whole numbers from 1`)
  }
  return tidy(() => {
    const { dtype, device } = intrinsics
    const line = (length: number) => arange(length, { dtype, device }).add(offset)
    const across = line(width).expand([height, width]).reshape([-1])
    const down = line(height).unsqueeze(-1).expand([height, width]).reshape([-1])
    const plane = toPlane(stack([across, down], { dim: -1 }), intrinsics)
    const [x, y] = [plane.select(-1, 0), plane.select(-1, 1)]
    const one = zerosLike(x).add(1)
    const inCamera = stack(axes === 'opencv' ? [x, y, one] : [x, y.neg(), one.neg()], { dim: -1 })
    const turn = cameraToWorld.narrow(-2, 0, 3).narrow(-1, 0, 3)
    const turned = inCamera.matmul(turn.transpose(-1, -2))
    const directions = normalize ? unit(turned) : turned
    const shape = [...directions.shape.slice(0, -2), height, width, 3]
    const places = cameraToWorld.narrow(-2, 0, 3).select(-1, 3).unsqueeze(-2).unsqueeze(-2)
    return { origins: places.expand(shape).clone(), directions: directions.reshape(shape) }
  })
}

/** Places on rays: origin + depth · direction. @returns `[..., S, 3]` for depths `[..., S]` */
export function pointsOnRays({ origins, directions }: Rays, depths: Tensor): Tensor {
  checkEnds('pointsOnRays', 'origins', origins, [3])
  checkEnds('pointsOnRays', 'directions', directions, [3])
  checkEnds('pointsOnRays', 'depths', depths, [-1])
  return tidy(() => origins.unsqueeze(-2).add(directions.unsqueeze(-2).mul(depths.unsqueeze(-1))))
}

export interface BoxCrossing {
  /** `[...]`, where the ray comes in, in lengths of its direction; not below `near`. */
  readonly near: Tensor
  /** `[...]`, where it leaves, not beyond `far`. */
  readonly far: Tensor
  /** `[...]` bool: whether it meets the box between. */
  readonly hit: Tensor<'bool'>
}

/**
 * Where rays cross a box with sides along the axes (slabs; Kay and Kajiya, SIGGRAPH 1986).
 *
 * @param box `[2, 3]`: its least and its largest corner
 */
export function crossBox(
  { origins, directions }: Rays,
  box: Tensor,
  { near = 0, far = Number.POSITIVE_INFINITY }: { readonly near?: number; readonly far?: number } = {},
): BoxCrossing {
  checkEnds('crossBox', 'origins', origins, [3])
  checkEnds('crossBox', 'directions', directions, [3])
  if (String(box.shape) !== '2,3') throw new ShapeError(`crossBox: box is [${box.shape}]; it must be [2, 3]`)
  return tidy(() => {
    // A direction of 0 would give 0 ∕ 0 where the ray lies in a side.
    const steps = directions.where(directions.ne(0), zerosLike(directions).add(1e-30))
    const sides = [0, 1].map((side) => box.select(0, side).sub(origins).div(steps)) as [Tensor, Tensor]
    const enter = sides[0]
      .minimum(sides[1])
      .amax({ dim: [-1] })
      .clamp({ min: near, max: far })
    const leave = sides[0]
      .maximum(sides[1])
      .amin({ dim: [-1] })
      .clamp({ min: near, max: far })
    return { near: enter, far: leave, hit: enter.lt(leave).to('bool') }
  })
}

export interface StratifiedOptions {
  /** One place at random in each stratum instead of its fixed one; default true. */
  readonly perturb?: boolean
  /** Even steps of 1 ∕ depth; default false. */
  readonly inverseDepth?: boolean
  readonly generator?: Generator | undefined
}

/**
 * Depths for a first look along rays: even steps from near to far (equation 2 of the paper, as its code draws them).
 *
 * @param near `[...]`
 * @param far of the same shape
 * @returns `[..., count]`, rising
 */
export function stratifiedSamples(near: Tensor, far: Tensor, count: number, options: StratifiedOptions = {}): Tensor {
  const { perturb = true, inverseDepth = false, generator } = options
  checkCount('stratifiedSamples', count)
  if (String(near.shape) !== String(far.shape)) {
    throw new ShapeError(`stratifiedSamples: near is [${near.shape}], far is [${far.shape}]; they have one shape`)
  }
  checkEnds('stratifiedSamples', 'near', near, [])
  return tidy(() => {
    const { dtype, device } = near
    const steps = linspace(0, 1, count, { dtype, device })
    const [start, end] = [near.unsqueeze(-1), far.unsqueeze(-1)]
    const between = (a: Tensor, b: Tensor) => a.mul(steps.neg().add(1)).add(b.mul(steps))
    const depths = inverseDepth ? between(start.reciprocal(), end.reciprocal()).reciprocal() : between(start, end)
    if (!perturb || count === 1) return depths
    const middles = depths
      .narrow(-1, 1, count - 1)
      .add(depths.narrow(-1, 0, count - 1))
      .mul(0.5)
    const lower = cat([depths.narrow(-1, 0, 1), middles], { dim: -1 })
    const upper = cat([middles, depths.narrow(-1, count - 1, 1)], { dim: -1 })
    const drawn = rand(depths.shape, { dtype, device, generator })
    return lower.add(upper.sub(lower).mul(drawn))
  })
}

export interface ImportanceOptions {
  /** Even quantiles instead of random ones; default false. */
  readonly deterministic?: boolean
  /** The quantiles, `[..., count]` from 0 to 1, instead of drawn ones. */
  readonly quantiles?: Tensor | undefined
  readonly generator?: Generator | undefined
}

/**
 * Depths where a first look saw much: by the inverse of the distribution that is constant in each bin (section 5.2). No
 * gradient passes through them. For the next look join and sort them: `cat([depths, more], { dim: -1 }).sort()[0]`.
 *
 * @param edges `[..., M + 1]`, rising
 * @param weights `[..., M]` of the bins, not negative; each counts 1e-5 more
 * @returns `[..., count]`
 */
export function importanceSamples(
  edges: Tensor,
  weights: Tensor,
  count: number,
  options: ImportanceOptions = {},
): Tensor {
  const { deterministic = false, generator } = options
  checkCount('importanceSamples', count)
  checkEnds('importanceSamples', 'edges', edges, [-1])
  checkEnds('importanceSamples', 'weights', weights, [-1])
  const wanted = [...weights.shape.slice(0, -1), weights.size(-1) + 1]
  if (String(edges.shape) !== String(wanted) || weights.size(-1) < 1) {
    throw new ShapeError(
      `importanceSamples: edges are [${edges.shape}], weights [${weights.shape}]; M bins have M + 1 edges`,
    )
  }
  return noGrad(() =>
    tidy(() => {
      const { dtype, device } = weights
      const shape = [...weights.shape.slice(0, -1), count]
      const raised = weights.add(1e-5)
      const sums = raised.div(raised.sum({ dim: [-1], keepdim: true })).cumsum(-1)
      const cdf = cat([zerosLike(sums.narrow(-1, 0, 1)), sums], { dim: -1 })
      const quantiles =
        options.quantiles ??
        (deterministic
          ? linspace(0, 1, count, { dtype, device }).expand(shape)
          : rand(shape, { dtype, device, generator }))
      const above = searchsorted(cdf.contiguous(), quantiles.contiguous(), { right: true })
      const upper = above.clamp({ min: 1, max: weights.size(-1) })
      const lower = upper.sub(1)
      const [from, to] = [cdf.gather(-1, lower), cdf.gather(-1, upper)]
      const [left, right] = [edges.gather(-1, lower), edges.gather(-1, upper)]
      const part = quantiles.sub(from).div(to.sub(from)).clamp({ min: 0, max: 1 })
      return left.add(right.sub(left).mul(part))
    }),
  )
}

export interface PositionalEncodingOptions {
  /** Puts the numbers themselves before; default true. */
  readonly includeInput?: boolean
  /** The factor of the lowest frequency: π as the paper writes, or 1 (default) as its code. */
  readonly base?: number
}

/**
 * Numbers as sines and cosines of 1, 2, 4 … times them: `[x, sin x, cos x, sin 2x, cos 2x, …]`, each of the D long, in the
 * order of the paper's code.
 *
 * @param input `[..., D]`
 * @param frequencies L, 0 or more
 * @returns `[..., D·(2L + 1)]`, or `[..., D·2L]` without the input
 */
export function positionalEncoding(
  input: Tensor,
  frequencies: number,
  { includeInput = true, base = 1 }: PositionalEncodingOptions = {},
): Tensor {
  checkEnds('positionalEncoding', 'input', input, [-1])
  if (!Number.isSafeInteger(frequencies) || frequencies < 0 || (frequencies === 0 && !includeInput)) {
    throw new ArgumentError(
      `positionalEncoding: frequencies is ${frequencies}; it is a whole number of 1 or more, or 0 with the input`,
    )
  }
  return tidy(() => {
    const waves = Array.from({ length: frequencies }, (_, k) => input.mul(base * 2 ** k))
    const parts = waves.flatMap((wave) => [wave.sin(), wave.cos()])
    return cat(includeInput ? [input, ...parts] : parts, { dim: -1 })
  })
}

function checkCount(caller: string, count: number): void {
  if (Number.isSafeInteger(count) && count > 0) return
  throw new ArgumentError(`${caller}: count is ${count}; it must be a whole number from 1`)
}
