import { ArgumentError, ShapeError } from '../native/errors'
import { type AsyncCallOptions, call, callAsync } from '../tensor/call'
import { isTensor } from '../tensor/handle'
import { tidy, tidyAsync } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'
import { type Tvl1Params, type Tvl1Preset, tvl1Presets } from './tvl1-presets'

/** A preset and what differs from it. */
export interface Tvl1Options extends Partial<Tvl1Params> {
  /** Default: `opencv-cpu`. */
  readonly preset?: Tvl1Preset
}

export interface Tvl1Result {
  /** `[N, 2, H, W]` float32: u to the right and v down, in pixels. */
  readonly flow: Tensor<'float32'>
  /** `[N, levels, warps]` int32, finest level first: inner iterations made. */
  readonly iterations: Tensor<'int32'>
  /** `[N, levels, warps]` float32: mean |Δu|² when each warp ended. */
  readonly residuals: Tensor<'float32'>
}

export interface Tvl1CallOptions extends AsyncCallOptions {
  /** Flow to start from, in pixels and of the shape of the result; zero by default. */
  readonly init?: Tensor
}

export interface Tvl1ClipOptions extends AsyncCallOptions {
  /** `forward[t]` is the flow from frame t to t + 1, `backward[t]` from frame t + 1 to t. Default: `forward`. */
  readonly direction?: 'forward' | 'backward' | 'both'
  /** Returns the flow as uint8 for ±this many pixels, see `quantiseFlow`. */
  readonly quantise?: number
}

/** The flows that `direction` asked for, `[T − 1, 2, H, W]` each. */
export interface Tvl1Clip {
  readonly forward?: Tensor
  readonly backward?: Tensor
}

const OP = 'vision_native::tvl1_flow'
const CLIP_OP = 'vision_native::tvl1_flow_clip'

/**
 * Dense TV-L1 optical flow (Zach, Pock, Bischof, DAGM 2007; Sánchez et al., IPOL 2013), waiting for the result.
 *
 * The result needs no gradient, whatever the inputs do: the solver is not differentiable.
 *
 * @param first grey frames `[N, H, W]`, uint8, or float32 in 0–1; 3 × 3 pixels or larger
 * @param second same shape and dtype as `first`
 * @param options preset and parameters, and `init`, a flow to start from
 * @returns flow in pixels with `second(x + u, y + v) ≈ first(x, y)`: an object that moves to the right has u > 0
 * @throws ShapeError when the frames differ in shape or are too small
 * @throws DTypeError for other element types
 * @throws ArgumentError for parameters out of range and for frames that hold NaN or leave 0–1 by far
 */
export function tvl1Flow(
  first: Tensor,
  second: Tensor,
  options: Tvl1Options & { readonly init?: Tensor } = {},
): Tvl1Result {
  const { init, ...params } = options
  return resultOf(call(OP, [first, second], { ...nativeOptions(resolveParams(params)), init }))
}

/**
 * A TV-L1 solver with fixed parameters. Its methods run on LibTorch's threads and leave the event loop free; results are
 * the same bit for bit from run to run and for every number of threads.
 *
 * @throws ArgumentError for a preset or parameter that does not exist; values are checked when a call is made
 */
export function tvl1(options: Tvl1Options = {}): Tvl1 {
  return new Tvl1(resolveParams(options))
}

export class Tvl1 {
  constructor(readonly params: Tvl1Params) {}

  /**
   * Flow between two images.
   *
   * @param first grey image `[H, W]`, uint8, or float32 in 0–1
   * @param second same shape and dtype
   * @returns `[2, H, W]` float32 in pixels
   * @throws as `tvl1Flow`; CancelledError when the signal fires
   */
  pair(first: Tensor, second: Tensor, { init, ...watch }: Tvl1CallOptions = {}): Promise<Tensor<'float32'>> {
    return tidyAsync(async () => {
      const inputs = [requireRank('pair', first, 2), requireRank('pair', second, 2)].map((image) => image.unsqueeze(0))
      const { flow } = await this.#solve(inputs, init && requireRank('pair', init, 3).unsqueeze(0), watch)
      return flow.squeeze(0) as Tensor<'float32'>
    })
  }

  /**
   * Flow of N independent pairs `[N, H, W]`, solved together; each result is the one that `pair` gives.
   *
   * @returns `[N, 2, H, W]` float32 in pixels
   */
  batch(first: Tensor, second: Tensor, { init, ...watch }: Tvl1CallOptions = {}): Promise<Tensor<'float32'>> {
    return tidyAsync(async () => (await this.#solve([first, second], init, watch)).flow)
  }

  /**
   * Flow between neighbouring frames of a clip. Each frame's pyramid is built once and used for both of its pairs.
   *
   * @param frames grey `[T, H, W]` or RGB `[T, 3, H, W]`, uint8, or float32 in 0–1; RGB is weighted by Rec. 601
   */
  clip(frames: Tensor, { direction = 'forward', quantise, ...watch }: Tvl1ClipOptions = {}): Promise<Tvl1Clip> {
    return tidyAsync(async () => {
      const options = { ...nativeOptions(this.params), direction }
      const { flow } = resultOf(await callAsync(CLIP_OP, [greyFrames(frames)], options, watch))
      const part = (index: number) => {
        const chosen = flow.select(0, index)
        return quantise === undefined ? chosen : quantiseFlow(chosen, quantise)
      }
      if (direction === 'both') return { forward: part(0), backward: part(1) }
      return direction === 'forward' ? { forward: part(0) } : { backward: part(0) }
    })
  }

  async #solve(inputs: readonly Tensor[], init: Tensor | undefined, watch: AsyncCallOptions): Promise<Tvl1Result> {
    return resultOf(await callAsync(OP, inputs, { ...nativeOptions(this.params), init }, watch))
  }
}

/**
 * Flow as bytes: ⌊255·(clip(v, −b, b) + b)/(2b) + ½⌋, so that a displacement is kept to b/255 px.
 *
 * @param flow displacements in pixels, any shape
 * @param bound b, the largest displacement that is kept; two-stream networks take 20
 */
export function quantiseFlow(flow: Tensor, bound = 20): Tensor<'uint8'> {
  checkBound('quantiseFlow', bound)
  return tidy(() => {
    const share = flow
      .clamp({ min: -bound, max: bound })
      .add(bound)
      .mul(255 / (2 * bound))
    return share.add(0.5).floor().to('uint8')
  })
}

/** Displacements in pixels from `quantiseFlow`'s bytes. */
export function dequantiseFlow(bytes: Tensor, bound = 20): Tensor<'float32'> {
  checkBound('dequantiseFlow', bound)
  return tidy(
    () =>
      bytes
        .to('float32')
        .mul((2 * bound) / 255)
        .add(-bound) as Tensor<'float32'>,
  )
}

function checkBound(name: string, bound: number): void {
  if (!(Number.isFinite(bound) && bound > 0)) {
    throw new ArgumentError(`${name}: the bound is a displacement in pixels above 0, got ${bound}`)
  }
}

function resolveParams({ preset = 'opencv-cpu', ...changes }: Tvl1Options): Tvl1Params {
  if (!Object.hasOwn(tvl1Presets, preset)) {
    throw new ArgumentError(`tvl1: there is no preset '${preset}'; presets are ${Object.keys(tvl1Presets).join(', ')}`)
  }
  const base = tvl1Presets[preset]
  const given = Object.entries(changes).filter(([, value]) => value !== undefined)
  const unknown = given.map(([name]) => name).filter((name) => !Object.hasOwn(base, name))
  if (unknown.length > 0) {
    throw new ArgumentError(
      `tvl1: there is no parameter '${unknown[0]}'; parameters are ${Object.keys(base).join(', ')}`,
    )
  }
  return { ...base, ...Object.fromEntries(given) }
}

/** The operator calls λ `lambd`, as PyTorch's do: `lambda` is a word of Python. */
function nativeOptions({ lambda, ...others }: Tvl1Params): Record<string, unknown> {
  return { lambd: lambda, ...others }
}

function resultOf(tuple: unknown): Tvl1Result {
  const [flow, iterations, residuals] = tuple as [Tensor<'float32'>, Tensor<'int32'>, Tensor<'float32'>]
  return { flow, iterations, residuals }
}

function requireRank(method: string, image: Tensor, rank: number): Tensor {
  if (!isTensor(image)) throw new ArgumentError(`tvl1.${method}: expected a Tensor of ${rank} dimensions`)
  if (image.ndim === rank) return image
  throw new ShapeError(`tvl1.${method}: expected a tensor of ${rank} dimensions, got shape [${image.shape}]`)
}

/** Grey frames of a clip, by the weights of Rec. 601. */
function greyFrames(frames: Tensor): Tensor {
  if (!isTensor(frames) || frames.ndim !== 4) return frames
  if (frames.size(1) !== 3) {
    throw new ShapeError(`tvl1.clip: colour frames are [T, 3, H, W] in RGB, got shape [${frames.shape}]`)
  }
  const scale = frames.dtype === 'uint8' ? 1 / 255 : 1
  const channel = (index: number, weight: number) =>
    frames
      .select(1, index)
      .to('float32')
      .mul(weight * scale)
  return channel(0, 0.299).add(channel(1, 0.587)).add(channel(2, 0.114))
}
