import { ArgumentError, ShapeError } from '../../native/errors'
import {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  affineGridGenerator,
  col2im,
  gridSampler,
  im2col,
  type Tensor,
  upsampleBicubic2d,
  upsampleBilinear2d,
  upsampleLinear1d,
  upsampleNearest1d,
  upsampleNearest2d,
  upsampleNearest3d,
  upsampleTrilinear3d,
} from '../../tensor'
import {
  _upsampleBicubic2dAa,
  _upsampleBilinear2dAa,
  _upsampleNearestExact1d,
  _upsampleNearestExact2d,
  _upsampleNearestExact3d,
} from '../../tensor/private-ops.generated'
import { expandSize, oneOf, type Size, show } from '../options'

export type InterpolationMode = 'nearest' | 'nearest-exact' | 'linear' | 'bilinear' | 'bicubic' | 'trilinear' | 'area'

const MODES: readonly InterpolationMode[] = [
  'nearest',
  'nearest-exact',
  'linear',
  'bilinear',
  'bicubic',
  'trilinear',
  'area',
]

export interface InterpolateOptions {
  /** Spatial size of the result; give this or `scaleFactor`. */
  readonly size?: number | readonly number[] | null
  /** Factor by which the spatial size grows. */
  readonly scaleFactor?: number | readonly number[] | null
  /** Default `'nearest'`; `'nearest-exact'` is as Pillow and scikit-image do it, `'area'` averages. */
  readonly mode?: InterpolationMode
  /** Corner values keep their places; for linear, bilinear, bicubic and trilinear; default false. */
  readonly alignCorners?: boolean | null
  /** Computes with the ratio of the whole-numbered sizes instead of `scaleFactor`; default false. */
  readonly recomputeScaleFactor?: boolean | null
  /** Widens the kernel when shrinking, as image libraries do; for bilinear and bicubic; default false. */
  readonly antialias?: boolean
}

interface Target {
  readonly outputSize?: readonly number[]
  readonly scaleFactors?: readonly number[]
}

type Resize = (input: Tensor, target: Target, alignCorners: boolean) => Tensor

/** By mode and number of spatial dimensions. */
const RESIZE: Readonly<Record<Exclude<InterpolationMode, 'area'>, Readonly<Record<number, Resize>>>> = {
  nearest: {
    1: (x, target) => upsampleNearest1d(x, target),
    2: (x, target) => upsampleNearest2d(x, target),
    3: (x, target) => upsampleNearest3d(x, target),
  },
  'nearest-exact': {
    1: (x, target) => _upsampleNearestExact1d(x, target),
    2: (x, target) => _upsampleNearestExact2d(x, target),
    3: (x, target) => _upsampleNearestExact3d(x, target),
  },
  linear: { 1: (x, target, align) => upsampleLinear1d(x, align, target) },
  bilinear: { 2: (x, target, align) => upsampleBilinear2d(x, align, target) },
  bicubic: { 2: (x, target, align) => upsampleBicubic2d(x, align, target) },
  trilinear: { 3: (x, target, align) => upsampleTrilinear3d(x, align, target) },
}

const ANTIALIASED: Readonly<Record<string, Resize>> = {
  bilinear: (x, target, align) => _upsampleBilinear2dAa(x, align, target),
  bicubic: (x, target, align) => _upsampleBicubic2dAa(x, align, target),
}

/**
 * Resizes signals `[N, C, L]`, images `[N, C, H, W]` or volumes `[N, C, D, H, W]`.
 *
 * @throws ArgumentError for options that contradict each other
 * @throws ShapeError for a mode that does not fit the input's rank
 */
export function interpolate(input: Tensor, options: InterpolateOptions = {}): Tensor {
  const { mode = 'nearest', alignCorners = null, antialias = false } = options
  const { shape } = input
  const rank = shape.length - 2
  oneOf('interpolate: mode', mode, MODES)
  if (alignCorners !== null && (mode === 'area' || mode.startsWith('nearest'))) {
    throw new ArgumentError(
      `interpolate: alignCorners with mode '${mode}'; it is for linear, bilinear, bicubic and trilinear`,
    )
  }
  if (rank < 1 || rank > 3) {
    throw new ShapeError(`interpolate: the input has shape ${show(shape)}; it must be [N, C] and 1 to 3 spatial sizes`)
  }
  const target = targetOf(shape.slice(2), options)
  if (mode === 'area') return area(input, shape.slice(2), target)
  const resize = antialias ? (rank === 2 ? ANTIALIASED[mode] : undefined) : RESIZE[mode][rank]
  if (resize === undefined) {
    if (antialias) {
      throw new ArgumentError(
        `interpolate: antialias with mode '${mode}' and ${rank} spatial dimensions; it is for bilinear and bicubic images`,
      )
    }
    throw new ShapeError(
      `interpolate: mode '${mode}' is for ${Object.keys(RESIZE[mode])} spatial dimensions, the input ${show(shape)} has ${rank}`,
    )
  }
  return resize(input, target, alignCorners ?? false)
}

function targetOf(spatial: readonly number[], options: InterpolateOptions): Target {
  const { size = null, scaleFactor = null, recomputeScaleFactor = false } = options
  if ((size === null) === (scaleFactor === null)) {
    throw new ArgumentError('interpolate: give size or scaleFactor, one of the two')
  }
  if (size !== null) {
    if (recomputeScaleFactor) throw new ArgumentError('interpolate: recomputeScaleFactor needs scaleFactor, not size')
    return { outputSize: expandSize('interpolate: size', size, spatial.length, 1) }
  }
  const factors = typeof scaleFactor === 'number' ? spatial.map(() => scaleFactor) : [...(scaleFactor ?? [])]
  if (factors.length !== spatial.length || !factors.every((factor) => factor > 0 && Number.isFinite(factor))) {
    throw new ArgumentError(
      `interpolate: scaleFactor is ${show(scaleFactor)}; it must be a positive number, or one for each of ${spatial.length} dimensions`,
    )
  }
  return recomputeScaleFactor ? { outputSize: scaled(spatial, factors) } : { scaleFactors: factors }
}

function scaled(spatial: readonly number[], factors: readonly number[]): number[] {
  return spatial.map((length, d) => Math.floor(length * (factors[d] ?? 1)))
}

function area(input: Tensor, spatial: readonly number[], { outputSize, scaleFactors }: Target): Tensor {
  const size = outputSize ?? scaled(spatial, scaleFactors ?? [])
  if (spatial.length === 1) return adaptiveAvgPool1d(input, size)
  return spatial.length === 2 ? adaptiveAvgPool2d(input, size) : adaptiveAvgPool3d(input, size)
}

export interface GridSampleOptions {
  /** Default `'bilinear'`, which is trilinear for volumes. */
  readonly mode?: 'bilinear' | 'nearest' | 'bicubic'
  /** What is read outside of the input; default `'zeros'`. */
  readonly paddingMode?: 'zeros' | 'border' | 'reflection'
  /** −1 and 1 are the centres of the corner pixels rather than their outer edges; default false. */
  readonly alignCorners?: boolean
}

const GRID_MODES = ['bilinear', 'nearest', 'bicubic'] as const
const GRID_PADDING = ['zeros', 'border', 'reflection'] as const

/**
 * Reads the input at the places of a grid.
 *
 * @param input `[N, C, H, W]` or `[N, C, D, H, W]`
 * @param grid `[N, Hout, Wout, 2]` of (x, y), or `[N, Dout, Hout, Wout, 3]` of (x, y, z), from −1 to 1
 */
export function gridSample(input: Tensor, grid: Tensor, options: GridSampleOptions = {}): Tensor {
  const { mode = 'bilinear', paddingMode = 'zeros', alignCorners = false } = options
  oneOf('gridSample: mode', mode, GRID_MODES)
  oneOf('gridSample: paddingMode', paddingMode, GRID_PADDING)
  return gridSampler(input, grid, GRID_MODES.indexOf(mode), GRID_PADDING.indexOf(paddingMode), alignCorners)
}

/**
 * The grid for `gridSample` that applies affine maps.
 *
 * @param theta `[N, 2, 3]`, or `[N, 3, 4]` for volumes
 * @param size of the result: `[N, C, H, W]` or `[N, C, D, H, W]`
 */
export function affineGrid(
  theta: Tensor,
  size: readonly number[],
  { alignCorners = false }: { alignCorners?: boolean } = {},
): Tensor {
  const rank = size.length - 2
  const wanted = [size[0], rank, rank + 1]
  if ((rank !== 2 && rank !== 3) || String(theta.shape) !== String(wanted)) {
    throw new ShapeError(
      `affineGrid: theta ${show(theta.shape)} and size ${show(size)}; size must be [N, C, H, W] with theta [N, 2, 3], or [N, C, D, H, W] with theta [N, 3, 4]`,
    )
  }
  return affineGridGenerator(theta, size, alignCorners)
}

export interface WindowOptions {
  readonly dilation?: Size<2>
  readonly padding?: Size<2>
  readonly stride?: Size<2>
}

/** Windows of an image as columns. Shapes: `[N, C, H, W]` → `[N, C · kernelH · kernelW, windows]`. */
export function unfold(input: Tensor, kernelSize: Size<2>, options: WindowOptions = {}): Tensor {
  const { dilation = 1, padding = 0, stride = 1 } = options
  return im2col(input, kernelSize, dilation, padding, stride)
}

/** Sums columns back into images: the adjoint of `unfold`. Shapes: `[N, C · kernelH · kernelW, windows]` → `[N, C, …outputSize]`. */
export function fold(input: Tensor, outputSize: Size<2>, kernelSize: Size<2>, options: WindowOptions = {}): Tensor {
  const { dilation = 1, padding = 0, stride = 1 } = options
  return col2im(input, outputSize, kernelSize, dilation, padding, stride)
}
