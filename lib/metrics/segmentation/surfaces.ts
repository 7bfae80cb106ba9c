// How far the outlines of two masks are from one another, in images and volumes.
import { ArgumentError, ShapeError } from '../../native/errors'
import { type Tensor, tidy } from '../../tensor'
import { checkPair, checkSameShape } from '../labels'
import { squaredDistances } from './distance-transform'

export interface SurfaceOptions {
  /** Distance of neighbouring places along each axis, such as millimetres of voxels; 1 unless given. */
  readonly spacing?: readonly number[] | undefined
}

/** From each place of one outline to the nearest of the other. */
export interface SurfaceDistances {
  readonly fromPrediction: Float64Array
  readonly fromTarget: Float64Array
}

/**
 * Distances between the outlines of two masks. The outline is what erosion by the direct neighbours (4 in images, 6 in
 * volumes) takes away, as in MedPy; the edge of the image counts as background.
 *
 * @param predictions `[H, W]` or `[D, H, W]`, bool or numbers; what is not 0 belongs to the mask
 * @param targets of the same shape
 * @returns in the unit of the spacing; ∞ where the other mask is empty
 */
export function surfaceDistances(predictions: Tensor, targets: Tensor, options: SurfaceOptions = {}): SurfaceDistances {
  return distancesOf('surfaceDistances', predictions, targets, options)
}

export interface HausdorffOptions extends SurfaceOptions {
  /** Of the distances of both ways together, 0 to 100; 100, the largest, unless stated. 95 leaves out outliers. */
  readonly percentile?: number | undefined
}

/**
 * Hausdorff distance of the outlines, or a percentile of their distances, interpolated as numpy does (HD95 of MedPy).
 * 0 when both masks are empty, ∞ when one is.
 */
export function hausdorffDistance(predictions: Tensor, targets: Tensor, options: HausdorffOptions = {}): number {
  const { percentile = 100 } = options
  if (!(percentile >= 0 && percentile <= 100)) {
    throw new ArgumentError(`hausdorffDistance: percentile is ${percentile}; it must be from 0 to 100`)
  }
  const { fromPrediction, fromTarget } = distancesOf('hausdorffDistance', predictions, targets, options)
  const all = joined(fromPrediction, fromTarget)
  if (all.length === 0) return 0
  all.sort()
  const place = (percentile / 100) * (all.length - 1)
  const [below, above] = [all[Math.floor(place)] ?? 0, all[Math.ceil(place)] ?? 0]
  return above === below ? below : below + (above - below) * (place - Math.floor(place))
}

/**
 * Average symmetric surface distance: the mean of the two means, as MedPy's `assd`. 0 when both masks are empty, ∞ when
 * one is.
 */
export function averageSurfaceDistance(predictions: Tensor, targets: Tensor, options: SurfaceOptions = {}): number {
  const { fromPrediction, fromTarget } = distancesOf('averageSurfaceDistance', predictions, targets, options)
  if (fromPrediction.length === 0 && fromTarget.length === 0) return 0
  if (fromPrediction.length === 0 || fromTarget.length === 0) return Number.POSITIVE_INFINITY
  return (meanOf(fromPrediction) + meanOf(fromTarget)) / 2
}

export interface BoundaryOptions extends SurfaceOptions {
  /** How far apart outlines may be, in the unit of the spacing; 0.75 % of the diagonal unless stated. */
  readonly tolerance?: number | undefined
}

export interface BoundaryScore {
  readonly precision: number
  readonly recall: number
  /** Their harmonic mean, the BF score. */
  readonly fScore: number
}

/**
 * Boundary F score (Csurka et al., BMVC 2013): which share of each outline is near the other. 1 when both masks are
 * empty, 0 when one is.
 */
export function boundaryFScore(predictions: Tensor, targets: Tensor, options: BoundaryOptions = {}): BoundaryScore {
  const spacing = options.spacing ?? predictions.shape.map(() => 1)
  const diagonal = Math.hypot(...predictions.shape.map((length, axis) => length * (spacing[axis] ?? 1)))
  const { tolerance = 0.0075 * diagonal } = options
  if (!(tolerance >= 0)) throw new ArgumentError(`boundaryFScore: tolerance is ${tolerance}; it must be 0 or more`)
  const { fromPrediction, fromTarget } = distancesOf('boundaryFScore', predictions, targets, options)
  if (fromPrediction.length === 0 && fromTarget.length === 0) return { precision: 1, recall: 1, fScore: 1 }
  const near = (distances: Float64Array) =>
    distances.length === 0 ? 0 : distances.filter((distance) => distance <= tolerance).length / distances.length
  const [precision, recall] = [near(fromPrediction), near(fromTarget)]
  const sum = precision + recall
  return { precision, recall, fScore: sum === 0 ? 0 : (2 * precision * recall) / sum }
}

function distancesOf(caller: string, predictions: Tensor, targets: Tensor, options: SurfaceOptions): SurfaceDistances {
  checkPair(caller, predictions, targets)
  checkSameShape(caller, predictions, targets)
  const { shape } = predictions
  if (shape.length !== 2 && shape.length !== 3) {
    throw new ShapeError(`${caller}: masks are [${shape.join(', ')}]; they must be [H, W] or [D, H, W]`)
  }
  const spacing = options.spacing ?? shape.map(() => 1)
  if (spacing.length !== shape.length || !spacing.every((step) => step > 0 && Number.isFinite(step))) {
    throw new ArgumentError(`${caller}: spacing is [${spacing}]; it is ${shape.length} numbers above 0`)
  }
  const [predicted, actual] = [outline(predictions), outline(targets)]
  return {
    fromPrediction: read(squaredDistances(actual, shape, spacing), predicted),
    fromTarget: read(squaredDistances(predicted, shape, spacing), actual),
  }
}

/** 1 at places of the mask with a direct neighbour outside. */
function outline(mask: Tensor): Uint8Array {
  const values = tidy(() => mask.ne(0).to('uint8').contiguous().dataSync() as Uint8Array)
  const { shape } = mask
  const edge = new Uint8Array(values.length)
  let stride = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const length = shape[axis] ?? 1
    for (let i = 0; i < values.length; i++) {
      if (values[i] === 0 || edge[i] === 1) continue
      const place = Math.floor(i / stride) % length
      if (place === 0 || place === length - 1 || values[i - stride] === 0 || values[i + stride] === 0) edge[i] = 1
    }
    stride *= length
  }
  return edge
}

function read(squares: Float64Array, where: Uint8Array): Float64Array {
  return squares.filter((_, i) => where[i] === 1).map(Math.sqrt)
}

function joined(first: Float64Array, second: Float64Array): Float64Array {
  const all = new Float64Array(first.length + second.length)
  all.set(first)
  all.set(second, first.length)
  return all
}

function meanOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
