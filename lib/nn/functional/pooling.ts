import { ArgumentError, ShapeError } from '../../native/errors'
import {
  adaptiveMaxPool1d as adaptiveMaxPool1dWithIndices,
  adaptiveMaxPool2d as adaptiveMaxPool2dWithIndices,
  adaptiveMaxPool3d as adaptiveMaxPool3dWithIndices,
  avgPool1d,
  avgPool2d,
  avgPool3d,
  fractionalMaxPool2d as fractionalMaxPool2dOperator,
  fractionalMaxPool3d as fractionalMaxPool3dOperator,
  maxUnpool2d as maxUnpool2dOperator,
  maxUnpool3d as maxUnpool3dOperator,
  rand,
  type Tensor,
} from '../../tensor'
import { dispose, tidy } from '../../tensor/scope'
import { expandSize, type Rank, type Size, show } from '../options'

/** `adaptiveMaxPool…WithIndices` return the pooled tensor and where in its input each value stood. */
export { adaptiveMaxPool1dWithIndices, adaptiveMaxPool2dWithIndices, adaptiveMaxPool3dWithIndices }

/** Largest value of each of `outputSize` equal parts. */
export function adaptiveMaxPool1d(input: Tensor, outputSize: number | readonly number[]): Tensor {
  return valuesOf(adaptiveMaxPool1dWithIndices(input, outputSize))
}

/** Largest value of each cell of an `outputSize` grid. */
export function adaptiveMaxPool2d(input: Tensor, outputSize: number | readonly number[]): Tensor {
  return valuesOf(adaptiveMaxPool2dWithIndices(input, outputSize))
}

/** Largest value of each cell of an `outputSize` grid. */
export function adaptiveMaxPool3d(input: Tensor, outputSize: number | readonly number[]): Tensor {
  return valuesOf(adaptiveMaxPool3dWithIndices(input, outputSize))
}

function valuesOf([values, indices]: readonly [Tensor, Tensor]): Tensor {
  dispose(indices)
  return values
}

/** The size of the result, or its ratio to the input's: one of the two. */
export interface FractionalSize<R extends Rank> {
  readonly outputSize?: Size<R> | null
  /** Between 0 and 1. */
  readonly outputRatio?: Size<R> | null
  /** Where the pooling regions begin, uniform in [0, 1), `[N, C, rank]`; drawn where absent. */
  readonly randomSamples?: Tensor | null
}

/** Max pooling over regions of random sizes near `kernelSize` (Graham 2014), with indices. */
export function fractionalMaxPool2dWithIndices(
  input: Tensor,
  kernelSize: Size<2>,
  options: FractionalSize<2>,
): [Tensor, Tensor] {
  return fractional('fractionalMaxPool2d', 2, fractionalMaxPool2dOperator, input, kernelSize, options)
}

export function fractionalMaxPool2d(input: Tensor, kernelSize: Size<2>, options: FractionalSize<2>): Tensor {
  return valuesOf(fractionalMaxPool2dWithIndices(input, kernelSize, options))
}

/** Max pooling over regions of random sizes near `kernelSize` (Graham 2014), with indices. */
export function fractionalMaxPool3dWithIndices(
  input: Tensor,
  kernelSize: Size<3>,
  options: FractionalSize<3>,
): [Tensor, Tensor] {
  return fractional('fractionalMaxPool3d', 3, fractionalMaxPool3dOperator, input, kernelSize, options)
}

export function fractionalMaxPool3d(input: Tensor, kernelSize: Size<3>, options: FractionalSize<3>): Tensor {
  return valuesOf(fractionalMaxPool3dWithIndices(input, kernelSize, options))
}

function fractional<R extends Rank>(
  name: string,
  rank: R,
  pool: (x: Tensor, kernel: readonly number[], size: readonly number[], samples: Tensor) => [Tensor, Tensor],
  input: Tensor,
  kernelSize: Size<R>,
  { outputSize, outputRatio, randomSamples }: FractionalSize<R>,
): [Tensor, Tensor] {
  const { shape, dtype, device } = input
  if (shape.length !== rank + 1 && shape.length !== rank + 2) {
    throw new ShapeError(
      `${name}: the input has shape ${show(shape)}; it must have ${rank + 1} or ${rank + 2} dimensions`,
    )
  }
  const kernel = expandSize(`${name}: kernelSize`, kernelSize, rank, 1)
  const size = fractionalSize(name, rank, shape.slice(-rank), outputSize, outputRatio)
  const [batch, channels] = [shape.length === rank + 1 ? 1 : shape[0], shape.at(-rank - 1)] as [number, number]
  return tidy(() =>
    pool(input, kernel, size, randomSamples?.to(dtype) ?? rand([batch, channels, rank], { dtype, device })),
  )
}

/** @internal The output's spatial size from the size or the ratio. */
export function fractionalSize(
  name: string,
  rank: Rank,
  spatial: readonly number[],
  outputSize: number | readonly number[] | null | undefined,
  outputRatio: number | readonly number[] | null | undefined,
): number[] {
  if ((outputSize ?? undefined) !== undefined && (outputRatio ?? undefined) === undefined) {
    return expandSize(`${name}: outputSize`, outputSize as number | readonly number[], rank, 1)
  }
  const given = outputSize === undefined || outputSize === null ? outputRatio : undefined
  const ratios = typeof given === 'number' ? new Array<number>(rank).fill(given) : (given ?? [])
  if (ratios.length !== rank || !ratios.every((ratio) => ratio > 0 && ratio < 1)) {
    throw new ArgumentError(
      `${name}: give outputSize, or outputRatio between 0 and 1 for each of ${rank} dimensions, and not both`,
    )
  }
  return spatial.map((length, d) => Math.floor(length * (ratios[d] ?? 0)))
}

export interface LPPoolOptions<R extends Rank> {
  /** Default: `kernelSize`. */
  readonly stride?: Size<R> | null
  /** Also pools windows that begin inside and end outside of the input; default false. */
  readonly ceilMode?: boolean
}

/** `(Σ xᵖ)^(1/p)` over each window. */
export function lpPool1d(input: Tensor, normType: number, kernelSize: Size<1>, options: LPPoolOptions<1> = {}): Tensor {
  return lpPool('lpPool1d', 1, avgPool1d, input, normType, kernelSize, options)
}

/** `(Σ xᵖ)^(1/p)` over each window. */
export function lpPool2d(input: Tensor, normType: number, kernelSize: Size<2>, options: LPPoolOptions<2> = {}): Tensor {
  return lpPool('lpPool2d', 2, avgPool2d, input, normType, kernelSize, options)
}

/** `(Σ xᵖ)^(1/p)` over each window. */
export function lpPool3d(input: Tensor, normType: number, kernelSize: Size<3>, options: LPPoolOptions<3> = {}): Tensor {
  return lpPool('lpPool3d', 3, avgPool3d, input, normType, kernelSize, options)
}

function lpPool<R extends Rank>(
  name: string,
  rank: R,
  averages: (x: Tensor, kernel: readonly number[], options: { stride: readonly number[]; ceilMode: boolean }) => Tensor,
  input: Tensor,
  normType: number,
  kernelSize: Size<R>,
  { stride, ceilMode = false }: LPPoolOptions<R>,
): Tensor {
  const kernel = expandSize(`${name}: kernelSize`, kernelSize, rank, 1)
  const steps = expandSize(`${name}: stride`, stride ?? kernelSize, rank, 1)
  const window = kernel.reduce((product, size) => product * size, 1)
  return tidy(() => {
    const means = averages(input.pow(normType), kernel, { stride: steps, ceilMode })
    return means.mul(window).pow(1 / normType)
  })
}

export interface UnpoolOptions<R extends Rank> {
  /** Default: `kernelSize`. */
  readonly stride?: Size<R> | null
  readonly padding?: Size<R>
  /** Spatial size of the result where several are possible. */
  readonly outputSize?: readonly number[] | null
}

/** Puts pooled values back where `indices` say they stood; zeros elsewhere. */
export function maxUnpool1d(
  input: Tensor,
  indices: Tensor,
  kernelSize: Size<1>,
  options: UnpoolOptions<1> = {},
): Tensor {
  const { size } = unpoolGeometry('maxUnpool1d', 1, input, kernelSize, options)
  return tidy(() => maxUnpool2dOperator(input.unsqueeze(-1), indices.unsqueeze(-1), [...size, 1]).squeeze(-1))
}

/** Puts pooled values back where `indices` say they stood; zeros elsewhere. */
export function maxUnpool2d(
  input: Tensor,
  indices: Tensor,
  kernelSize: Size<2>,
  options: UnpoolOptions<2> = {},
): Tensor {
  const { size } = unpoolGeometry('maxUnpool2d', 2, input, kernelSize, options)
  return maxUnpool2dOperator(input, indices, size)
}

/** Puts pooled values back where `indices` say they stood; zeros elsewhere. */
export function maxUnpool3d(
  input: Tensor,
  indices: Tensor,
  kernelSize: Size<3>,
  options: UnpoolOptions<3> = {},
): Tensor {
  const { size, steps, padding } = unpoolGeometry('maxUnpool3d', 3, input, kernelSize, options)
  return maxUnpool3dOperator(input, indices, size, steps, padding)
}

function unpoolGeometry<R extends Rank>(
  name: string,
  rank: R,
  input: Tensor,
  kernelSize: Size<R>,
  options: UnpoolOptions<R>,
): { size: number[]; steps: number[]; padding: number[] } {
  const kernel = expandSize(`${name}: kernelSize`, kernelSize, rank, 1)
  const steps = expandSize(`${name}: stride`, options.stride ?? kernelSize, rank, 1)
  const padding = expandSize(`${name}: padding`, options.padding ?? 0, rank, 0)
  const usual = input.shape
    .slice(-rank)
    .map((length, d) => (length - 1) * (steps[d] ?? 1) + (kernel[d] ?? 1) - 2 * (padding[d] ?? 0))
  const wanted = options.outputSize?.slice(-rank) ?? usual
  if (wanted.length !== rank || wanted.some((size, d) => Math.abs(size - (usual[d] ?? 0)) >= (steps[d] ?? 1))) {
    if (options.outputSize) {
      throw new ShapeError(
        `${name}: outputSize ${show(wanted)} must differ from ${show(usual)} by less than the stride ${show(steps)}`,
      )
    }
  }
  return { size: [...wanted], steps, padding }
}
