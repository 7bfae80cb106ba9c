// Holding the camera still: each frame moved onto the central one.
import { ArgumentError } from '../../../native/errors'
import { throwIfCancelled } from '../../../pipeline'
import { type Tensor, tensor, tidy, tidyAsync } from '../../../tensor'
import {
  findHomography,
  harrisCorners,
  type TrackingPyramid,
  type TrackOptions,
  trackingPyramid,
  trackPoints,
} from '../../../vision'

/** Nine numbers of a 3 × 3 matrix, row by row. */
export type Matrix = readonly number[]

/** How a frame lies on the central one. */
export interface FrameMotion {
  /** Takes a point of the frame to the central one; zeros where it was not found. */
  readonly matrix: Matrix
  /** Mean squared distance of the points that agree, in px². */
  readonly residual: number
  /** Points that agree. */
  readonly inliers: number
}

export const IDENTITY: Matrix = [1, 0, 0, 0, 1, 0, 0, 0, 1]
const FAILED: FrameMotion = { matrix: new Array<number>(9).fill(0), residual: 0, inliers: 0 }

const CORNERS = { maxCorners: 1000, quality: 0.01, minDistance: 5, blockSize: 11, k: 0.04 } as const
const TRACKING: TrackOptions = { windowSize: 19, maxLevel: 3, maxIterations: 20, epsilon: 0.03, minEigenvalue: 0.001 }
const LARGEST_RETURN = 1
const LEAST_POINTS = 6
const THRESHOLD = 0.5

/**
 * The homography of each frame to the central one: Harris corners, followed there and back by Lucas and Kanade, and
 * RANSAC within half a pixel.
 *
 * @param grey `[T, H, W]` in 0–255
 * @returns a motion for each frame; that of the central one is the identity
 */
export async function motionsToCentre(
  grey: Tensor,
  { signal, onFrame }: { readonly signal?: AbortSignal | undefined; readonly onFrame?: () => void } = {},
): Promise<FrameMotion[]> {
  const count = grey.size(0)
  const middle = Math.floor(count / 2)
  const centre = trackingPyramid(grey.select(0, middle), TRACKING)
  const motions: FrameMotion[] = []
  for (let t = 0; t < count; t++) {
    throwIfCancelled(signal, 'stabilise')
    motions.push(
      t === middle
        ? { matrix: IDENTITY, residual: 0, inliers: CORNERS.maxCorners }
        : await tidyAsync(() => motionTo(centre, grey.select(0, t), signal)),
    )
    onFrame?.()
  }
  return motions
}

async function motionTo(centre: TrackingPyramid, frame: Tensor, signal: AbortSignal | undefined): Promise<FrameMotion> {
  const corners = harrisCorners(frame, CORNERS)
  if (corners.size(0) < LEAST_POINTS) return FAILED
  const own = trackingPyramid(frame, TRACKING)
  const there = await trackPoints(own, centre, corners, { ...TRACKING, signal })
  const back = await trackPoints(centre, own, there.points, { ...TRACKING, signal })
  const distance = back.points
    .sub(corners)
    .abs()
    .sum({ dim: [1] })
  const kept = there.found.logicalAnd(back.found).logicalAnd(distance.le(LARGEST_RETURN)).nonzero().squeeze(1)
  if (kept.size(0) < LEAST_POINTS) return FAILED
  return homographyOf(corners.indexSelect(0, kept), there.points.indexSelect(0, kept))
}

/** The homography of most pairs of points, with how well they agree. */
export function homographyOf(from: Tensor, to: Tensor): FrameMotion {
  return tidy(() => {
    try {
      const { matrix, inliers } = findHomography(from, to, { threshold: THRESHOLD })
      const numbers = [...(matrix.contiguous().dataSync() as Float64Array)]
      const agreeing = inliers.dataSync() as Uint8Array
      const [a, b] = [from, to].map((points) => points.to('float64').contiguous().dataSync() as Float64Array)
      let [squared, count] = [0, 0]
      for (const [i, agrees] of agreeing.entries()) {
        if (!agrees) continue
        const [x, y] = apply(numbers, a?.[2 * i] ?? 0, a?.[2 * i + 1] ?? 0)
        squared += (x - (b?.[2 * i] ?? 0)) ** 2 + (y - (b?.[2 * i + 1] ?? 0)) ** 2
        count += 1
      }
      return { matrix: numbers, residual: squared / count, inliers: count }
    } catch (error) {
      // Points on a line, or of which no four agree.
      if (error instanceof ArgumentError) return FAILED
      throw error
    }
  })
}

/** What counts as a frame that was found well. */
export interface MotionLimits {
  readonly leastInliers: number
  readonly largestResidual: number
}

export function isGoodMotion({ residual, inliers }: FrameMotion, limits: MotionLimits): boolean {
  return inliers >= limits.leastInliers && residual <= limits.largestResidual
}

/** Matrices over time: where a frame was not found well, the medians of the good ones of five frames stand in. */
export function smoothMatrices(motions: readonly FrameMotion[], limits: MotionLimits): Matrix[] {
  return motions.map((motion, t) => {
    if (isGoodMotion(motion, limits)) return normalised(motion.matrix)
    const near = motions.slice(Math.max(0, t - 2), t + 3).filter((other) => isGoodMotion(other, limits))
    if (near.length === 0) return motion.inliers > 0 ? normalised(motion.matrix) : IDENTITY
    const matrices = near.map(({ matrix }) => normalised(matrix))
    return IDENTITY.map((_, i) => median(matrices.map((matrix) => matrix[i] ?? 0)))
  })
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)] ?? 0, sorted[Math.floor(sorted.length / 2)] ?? 0]
  return (low + high) / 2
}

/** First and last column and row of a rectangle of pixels. */
export interface Rectangle {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}

/** What all frames show once they are moved, by their warped corners; `right < left` where there is nothing. */
export function commonRectangle(matrices: readonly Matrix[], width: number, height: number): Rectangle {
  let [left, top, right, bottom] = [0, 0, width - 1, height - 1]
  for (const matrix of matrices) {
    const corner = (x: number, y: number) => apply(matrix, x, y)
    const [a, b, c, d] = [corner(0, 0), corner(width - 1, 0), corner(0, height - 1), corner(width - 1, height - 1)]
    left = Math.max(left, a[0], c[0])
    right = Math.min(right, b[0], d[0])
    top = Math.max(top, a[1], b[1])
    bottom = Math.min(bottom, c[1], d[1])
  }
  const settled = (value: number) => Math.round(value * 1e6) / 1e6
  return {
    left: Math.ceil(settled(left)),
    top: Math.ceil(settled(top)),
    right: Math.floor(settled(right)),
    bottom: Math.floor(settled(bottom)),
  }
}

/** How the camera moves, a frame. */
export interface CameraMotion {
  /** What the middle of the picture shows moves by so many pixels. */
  readonly pan: readonly [x: number, y: number]
  /** What it shows grows by this factor. */
  readonly zoom: number
}

/** The mean step from a frame to the next; that of the homographies to the central frame would cancel. */
export function cameraMotion(matrices: readonly Matrix[], width: number, height: number): CameraMotion {
  const [x, y] = [(width - 1) / 2, (height - 1) / 2]
  const steps = matrices.slice(1).map((matrix, t) => {
    const step = normalised(multiply(inverse(matrix), matrices[t] ?? IDENTITY))
    const [toX, toY] = apply(step, x, y)
    return { x: toX - x, y: toY - y, zoom: Math.sqrt(Math.abs((step[0] ?? 1) * (step[4] ?? 1))) }
  })
  const mean = (key: 'x' | 'y' | 'zoom') => steps.reduce((sum, step) => sum + step[key], 0) / Math.max(1, steps.length)
  return { pan: [mean('x'), mean('y')], zoom: mean('zoom') }
}

/** A matrix as a tensor `[3, 3]`. */
export function matrixTensor(matrix: Matrix): Tensor {
  return tensor([...matrix], { dtype: 'float64' }).reshape([3, 3])
}

function apply([a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 1]: Matrix, x: number, y: number) {
  const w = g * x + h * y + i
  return [(a * x + b * y + c) / w, (d * x + e * y + f) / w] as const
}

function normalised(matrix: Matrix): Matrix {
  const last = matrix[8] || 1
  return matrix.map((value) => value / last)
}

export function multiply(a: Matrix, b: Matrix): Matrix {
  return IDENTITY.map((_, k) => {
    const [row, column] = [Math.floor(k / 3), k % 3]
    return [0, 1, 2].reduce((sum, j) => sum + (a[3 * row + j] ?? 0) * (b[3 * j + column] ?? 0), 0)
  })
}

function inverse([a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 0]: Matrix): Matrix {
  const adjugate = [
    ...[e * i - f * h, c * h - b * i, b * f - c * e],
    ...[f * g - d * i, a * i - c * g, c * d - a * f],
    ...[d * h - e * g, b * g - a * h, a * e - b * d],
  ]
  const determinant = a * (adjugate[0] ?? 0) + b * (adjugate[3] ?? 0) + c * (adjugate[6] ?? 0)
  return adjugate.map((value) => value / determinant)
}
