// Following points from one picture to the next: the pyramidal tracker of Lucas and Kanade.
import { setImmediate } from 'node:timers/promises'
import { ArgumentError, CancelledError, ShapeError } from '../native/errors'
import { functional as F } from '../nn'
import { type Tensor, tensor, tidy } from '../tensor'

export interface TrackOptions {
  /** Side of the window that is found again, an odd number of pixels; 21 unless stated. */
  readonly windowSize?: number
  /** The number of the coarsest level, each half as large as the one below; 3 (four pictures) unless stated. */
  readonly maxLevel?: number
  /** Most steps at each level; 30 unless stated. */
  readonly maxIterations?: number
  /** A step shorter than this is the last, in pixels; 0.01 unless stated. */
  readonly epsilon?: number
  /** Least eigenvalue of the window's gradients, on OpenCV's scale: a point below it is lost. 1e-4 unless stated. */
  readonly minEigenvalue?: number
  readonly signal?: AbortSignal | undefined
}

/** Where points went. */
export interface TrackedPoints {
  /** `[N, 2]` float32, x and y; of no meaning where a point was lost. */
  readonly points: Tensor<'float32'>
  /** `[N]` bool. */
  readonly found: Tensor<'bool'>
}

/** A level of a pyramid with its gradients, mirrored beyond its borders so that windows may cross them. */
interface Level {
  readonly width: number
  readonly height: number
  /** Elements of a row, margins included. */
  readonly stride: number
  readonly values: Float32Array
  readonly dx: Float32Array
  readonly dy: Float32Array
}

/** A picture made ready for `trackPoints`, for pictures that are tracked more than once. */
export class TrackingPyramid {
  /** @internal */
  constructor(
    readonly levels: readonly Level[],
    readonly margin: number,
  ) {}
}

const DEFAULTS = { windowSize: 21, maxLevel: 3, maxIterations: 30, epsilon: 0.01, minEigenvalue: 1e-4 } as const

/** OpenCV sums Scharr gradients, 32 times the slope, over the window, and scales by 2⁻²⁰. */
const EIGENVALUE_SCALE = 32 ** 2 / 2 ** 20

/**
 * The pyramid of a picture: (1 4 6 4 1)/16 and every second pixel, with Scharr gradients.
 *
 * @param image `[H, W]`, uint8 or floating point in 0–255
 */
export function trackingPyramid(image: Tensor, options: TrackOptions = {}): TrackingPyramid {
  const { windowSize, maxLevel } = { ...DEFAULTS, ...defined(options) }
  if (image.ndim !== 2) throw new ShapeError(`trackingPyramid: the image is [${image.shape}]; it must be [H, W]`)
  if (
    !(
      Number.isInteger(windowSize) &&
      windowSize >= 3 &&
      windowSize % 2 === 1 &&
      Number.isInteger(maxLevel) &&
      maxLevel >= 0
    )
  ) {
    throw new ArgumentError(
      `trackingPyramid: windowSize ${windowSize}, maxLevel ${maxLevel}; they are an odd number from 3 and a whole number from 0`,
    )
  }
  const margin = windowSize + 2
  return tidy(() => {
    const levels: Level[] = []
    let picture = image.to({ device: 'cpu', dtype: 'float32' }).reshape([1, 1, ...image.shape])
    for (let level = 0; level <= maxLevel; level++) {
      const [height, width] = [picture.size(2), picture.size(3)]
      // A window must not be larger than what it looks at.
      if (level > 0 && (height <= windowSize || width <= windowSize)) break
      levels.push(levelOf(picture, margin))
      if (height > 4 && width > 4) picture = halved(picture)
      else break
    }
    return new TrackingPyramid(levels, margin)
  })
}

/** One of the picture's sides may be shorter than the margin, so it is mirrored by index instead of by an operator. */
function levelOf(picture: Tensor, margin: number): Level {
  const [height, width] = [picture.size(2), picture.size(3)]
  const scharr = (kernel: readonly (readonly number[])[]) =>
    F.conv2d(
      F.pad(picture, [1, 1, 1, 1], { mode: 'reflect' }),
      tensor(kernel).to('float32').reshape([1, 1, 3, 3]).div(32),
    )
  const dx = scharr([[-3, 0, 3], [-10, 0, 10], [-3, 0, 3]]) // biome-ignore format: a matrix
  const dy = scharr([[-3, -10, -3], [0, 0, 0], [3, 10, 3]]) // biome-ignore format: a matrix
  const stride = width + 2 * margin
  const framed = (plane: Tensor, mirrored: boolean): Float32Array => {
    const source = plane.contiguous().dataSync() as Float32Array
    const target = new Float32Array(stride * (height + 2 * margin))
    for (let y = -margin; y < height + margin; y++) {
      const inside = y >= 0 && y < height
      if (!mirrored && !inside) continue
      const row = reflected(y, height) * width
      const to = (y + margin) * stride + margin
      target.set(source.subarray(row, row + width), to)
      if (!mirrored) continue
      for (let i = 1; i <= margin; i++) {
        target[to - i] = source[row + reflected(-i, width)] as number
        target[to + width - 1 + i] = source[row + reflected(width - 1 + i, width)] as number
      }
    }
    return target
  }
  return { width, height, stride, values: framed(picture, true), dx: framed(dx, false), dy: framed(dy, false) }
}

/** A place beyond the border, mirrored at the middle of the last pixel. */
function reflected(i: number, length: number): number {
  if (length === 1) return 0
  const period = 2 * (length - 1)
  const wrapped = ((i % period) + period) % period
  return wrapped < length ? wrapped : period - wrapped
}

function halved(picture: Tensor): Tensor {
  const row = tensor([1, 4, 6, 4, 1]).to('float32').div(16)
  const mirrored = F.pad(picture, [2, 2, 2, 2], { mode: 'reflect' })
  const smooth = F.conv2d(mirrored, row.reshape([1, 1, 1, 5]), { stride: [1, 2] })
  return F.conv2d(smooth, row.reshape([1, 1, 5, 1]), { stride: [2, 1] })
}

/**
 * Follows points from one picture to another by the pyramidal method of Lucas and Kanade (Bouguet 2000), as
 * `cv2.calcOpticalFlowPyrLK`. The event loop runs on in between.
 *
 * @param first `[H, W]`, uint8 or floating point in 0–255; or its pyramid
 * @param second of the same size
 * @param points `[N, 2]`, x and y in the first picture
 * @throws ShapeError when sizes differ or points are not `[N, 2]`; CancelledError when the signal fires
 */
export async function trackPoints(
  first: Tensor | TrackingPyramid,
  second: Tensor | TrackingPyramid,
  points: Tensor,
  options: TrackOptions = {},
): Promise<TrackedPoints> {
  const settings = { ...DEFAULTS, ...defined(options) }
  const [from, to] = [first, second].map((image) =>
    image instanceof TrackingPyramid ? image : trackingPyramid(image, options),
  ) as [TrackingPyramid, TrackingPyramid]
  const [a, b] = [from.levels[0], to.levels[0]]
  if (a?.width !== b?.width || a?.height !== b?.height || from.margin !== settings.windowSize + 2) {
    throw new ShapeError(
      `trackPoints: pictures of ${a?.width} × ${a?.height} and ${b?.width} × ${b?.height} pixels; both must have one size and the window of their pyramids`,
    )
  }
  if (points.ndim !== 2 || points.shape[1] !== 2) {
    throw new ShapeError(`trackPoints: points are [${points.shape}]; they must be [N, 2], x and y`)
  }
  const start = tidy(() => points.to({ device: 'cpu', dtype: 'float32' }).contiguous().dataSync() as Float32Array)
  const count = start.length / 2
  const [ends, found] = [new Float32Array(2 * count), new Uint8Array(count)]
  const window = new Window(settings.windowSize, from.margin)
  for (let i = 0; i < count; i++) {
    if (i % 100 === 99) {
      await setImmediate()
      if (options.signal?.aborted) {
        throw new CancelledError('trackPoints: cancelled by its AbortSignal', { cause: options.signal.reason })
      }
    }
    const end = window.follow(from, to, start[2 * i] as number, start[2 * i + 1] as number, settings)
    if (end === undefined) continue
    found[i] = 1
    ends.set(end, 2 * i)
  }
  return {
    points: tensor(ends, { shape: [count, 2] }) as Tensor<'float32'>,
    found: tensor(Array.from(found, Boolean)).reshape([count]) as Tensor<'bool'>,
  }
}

type Settings = Required<Omit<TrackOptions, 'signal'>>

/** The window around a point, and the room that it is compared in. */
class Window {
  readonly #values: Float32Array
  readonly #dx: Float32Array
  readonly #dy: Float32Array

  constructor(
    readonly size: number,
    readonly margin: number,
  ) {
    this.#values = new Float32Array(size * size)
    this.#dx = new Float32Array(size * size)
    this.#dy = new Float32Array(size * size)
  }

  /** Where a point went, or undefined where it was lost. */
  follow(from: TrackingPyramid, to: TrackingPyramid, x: number, y: number, settings: Settings) {
    const top = Math.min(from.levels.length, to.levels.length) - 1
    let [u, v] = [x / 2 ** top, y / 2 ** top]
    for (let number = top; number >= 0; number--) {
      const [level, next] = [from.levels[number], to.levels[number]]
      if (level === undefined || next === undefined) return undefined
      const [px, py] = [x / 2 ** number, y / 2 ** number]
      const moved = this.#atLevel(level, next, px, py, u, v, settings)
      if (moved === undefined && number === 0) return undefined
      if (moved !== undefined) [u, v] = moved
      if (number > 0) [u, v] = [2 * u, 2 * v]
    }
    return [u, v] as const
  }

  #atLevel(level: Level, next: Level, x: number, y: number, u: number, v: number, settings: Settings) {
    const half = (this.size - 1) / 2
    const gradients = this.#take(level, x - half, y - half)
    if (gradients === undefined) return undefined
    const [a, b, c] = gradients
    const determinant = a * c - b * b
    const least = (a + c - Math.sqrt((a - c) ** 2 + 4 * b * b)) / (2 * this.size ** 2)
    if (least * EIGENVALUE_SCALE < settings.minEigenvalue || determinant < 1e-7) return undefined
    let [beforeX, beforeY] = [0, 0]
    for (let step = 0; step < settings.maxIterations; step++) {
      const difference = this.#compare(next, u - half, v - half)
      if (difference === undefined) return undefined
      const [e, f] = difference
      const stepX = (b * f - c * e) / determinant
      const stepY = (b * e - a * f) / determinant
      u += stepX
      v += stepY
      if (stepX * stepX + stepY * stepY <= settings.epsilon ** 2) break
      // Two steps that undo each other would go on for ever.
      if (step > 0 && Math.abs(stepX + beforeX) < 0.01 && Math.abs(stepY + beforeY) < 0.01) {
        u -= stepX / 2
        v -= stepY / 2
        break
      }
      ;[beforeX, beforeY] = [stepX, stepY]
    }
    return [u, v] as const
  }

  /** Samples the window of the first picture. @returns sums of dx², dx dy and dy² */
  #take(level: Level, left: number, top: number) {
    const at = this.#place(level, left, top)
    if (at === undefined) return undefined
    const { stride, values, dx, dy } = level
    const [fx, fy] = [left - Math.floor(left), top - Math.floor(top)]
    const [w00, w01, w10, w11] = [(1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy]
    const { size } = this
    let [a, b, c] = [0, 0, 0]
    const sample = (plane: Float32Array, i: number) =>
      (plane[i] as number) * w00 +
      (plane[i + 1] as number) * w01 +
      (plane[i + stride] as number) * w10 +
      (plane[i + stride + 1] as number) * w11
    for (let row = 0, k = 0; row < size; row++) {
      for (let i = at + row * stride, end = i + size; i < end; i++, k++) {
        const [gx, gy] = [sample(dx, i), sample(dy, i)]
        this.#values[k] = sample(values, i)
        this.#dx[k] = gx
        this.#dy[k] = gy
        a += gx * gx
        b += gx * gy
        c += gy * gy
      }
    }
    return [a, b, c] as const
  }

  /** Sums of difference · dx and difference · dy between the window and a place of the second picture. */
  #compare(level: Level, left: number, top: number) {
    const at = this.#place(level, left, top)
    if (at === undefined) return undefined
    const { stride, values } = level
    const [fx, fy] = [left - Math.floor(left), top - Math.floor(top)]
    const [w00, w01, w10, w11] = [(1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy]
    const { size } = this
    let [e, f] = [0, 0]
    for (let row = 0, k = 0; row < size; row++) {
      for (let i = at + row * stride, end = i + size; i < end; i++, k++) {
        const value =
          (values[i] as number) * w00 +
          (values[i + 1] as number) * w01 +
          (values[i + stride] as number) * w10 +
          (values[i + stride + 1] as number) * w11
        const difference = value - (this.#values[k] as number)
        e += difference * (this.#dx[k] as number)
        f += difference * (this.#dy[k] as number)
      }
    }
    return [e, f] as const
  }

  /** Where the window begins in the elements of a level; undefined where it has left the picture. */
  #place({ width, height, stride }: Level, left: number, top: number): number | undefined {
    const [x, y] = [Math.floor(left), Math.floor(top)]
    // Written so that NaN is outside too.
    if (!(x >= -this.size && x < width && y >= -this.size && y < height)) return undefined
    return (y + this.margin) * stride + x + this.margin
  }
}

/** Without keys that are undefined, which would hide the defaults. */
function defined(options: TrackOptions): Partial<Settings> {
  return Object.fromEntries(Object.entries(options).filter(([key, value]) => value !== undefined && key !== 'signal'))
}
