// Where eyelids cover the iris: parabolas through its horizontal edges.
import { RandomStream, Stream } from '../../../data/random'
import type { Circle } from './rubber-sheet'

/** `y = a·(x − x0)² + b·(x − x0) + c`, in pixels. */
export interface Parabola {
  readonly x0: number
  readonly a: number
  readonly b: number
  readonly c: number
}

/** The eyelids that reach the iris. */
export interface Eyelids {
  readonly upper: Parabola | undefined
  readonly lower: Parabola | undefined
}

/** Height of a parabola at x. */
export function heightAt({ x0, a, b, c }: Parabola, x: number): number {
  return a * (x - x0) ** 2 + b * (x - x0) + c
}

/** Least fall or rise of grey a pixel that is an edge. */
const LEAST_EDGE = 0.015
const ROUNDS = 200
/** Share of the iris' columns that a parabola must pass. */
const LEAST_COLUMNS = 0.35

/**
 * Parabolas through edges inside of the iris that are not the pupil's: grey falls into the iris below the upper eyelid
 * and rises out of it at the lower.
 *
 * @param down gradient along y, row by row
 * @param width of the picture
 */
export function findEyelids(down: Float32Array, width: number, pupil: Circle, iris: Circle): Eyelids {
  const sought = (sign: 1 | -1) => fitParabola(edgePoints(down, width, pupil, iris, sign), iris)
  return { upper: sought(-1), lower: sought(1) }
}

type Place = readonly [x: number, y: number]

/** The strongest edge of each column in the upper (sign −1) or lower half of the iris. */
function edgePoints(down: Float32Array, width: number, pupil: Circle, iris: Circle, sign: 1 | -1): Place[] {
  const height = down.length / width
  const points: Place[] = []
  const reach = 0.9 * iris.radius
  for (let x = Math.max(0, Math.ceil(iris.x - reach)); x <= Math.min(width - 1, iris.x + reach); x++) {
    let [row, strongest] = [-1, LEAST_EDGE]
    for (let y = 0; y < height; y++) {
      const side = (y - iris.y) * sign
      if (side < 0.1 * iris.radius) continue
      if (Math.hypot(x - iris.x, y - iris.y) > 0.92 * iris.radius) continue
      if (Math.hypot(x - pupil.x, y - pupil.y) < 1.2 * pupil.radius + 1) continue
      const edge = (down[y * width + x] as number) * sign
      if (edge > strongest) [row, strongest] = [y, edge]
    }
    if (row >= 0) points.push([x, row])
  }
  return points
}

/** The parabola that most points agree with, if they are enough. */
function fitParabola(points: readonly Place[], iris: Circle): Parabola | undefined {
  const needed = LEAST_COLUMNS * 2 * iris.radius
  if (points.length < Math.max(3, needed)) return undefined
  const random = new RandomStream(0, 0, Stream.Samples)
  const near = Math.max(1.5, 0.03 * iris.radius)
  let best: readonly Place[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const three = Array.from({ length: 3 }, () => points[random.below(points.length)] as Place)
    const parabola = leastSquares(three, iris.x)
    // Eyelids are flatter than the iris is round.
    if (parabola === undefined || Math.abs(parabola.a) * iris.radius > 0.6) continue
    const agree = points.filter(([x, y]) => Math.abs(heightAt(parabola, x) - y) < near)
    if (agree.length > best.length) best = agree
  }
  return best.length < Math.max(3, needed) ? undefined : leastSquares(best, iris.x)
}

/** By the normal equations; nothing where the points do not decide it. */
function leastSquares(points: readonly Place[], x0: number): Parabola | undefined {
  const sums = [0, 0, 0, 0, 0]
  const right = [0, 0, 0]
  for (const [x, y] of points) {
    for (let power = 0; power < 5; power++) sums[power] = (sums[power] ?? 0) + (x - x0) ** power
    for (let power = 0; power < 3; power++) right[power] = (right[power] ?? 0) + y * (x - x0) ** power
  }
  const [s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0] = sums
  const [r0 = 0, r1 = 0, r2 = 0] = right
  const determinant = (m: readonly number[]) => {
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 0] = m
    return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
  }
  const whole = determinant([s0, s1, s2, s1, s2, s3, s2, s3, s4])
  if (Math.abs(whole) < 1e-9) return undefined
  return {
    x0,
    c: determinant([r0, s1, s2, r1, s2, s3, r2, s3, s4]) / whole,
    b: determinant([s0, r0, s2, s1, r1, s3, s2, r2, s4]) / whole,
    a: determinant([s0, s1, r0, s1, s2, r1, s2, s3, r2]) / whole,
  }
}

/** Eyelids of a picture that is so many times as wide and high; middles of pixels are whole numbers. */
export function scaleEyelids({ upper, lower }: Eyelids, sx: number, sy: number): Eyelids {
  const scaled = (parabola: Parabola | undefined): Parabola | undefined =>
    parabola && {
      x0: (parabola.x0 + 0.5) * sx - 0.5,
      a: (parabola.a * sy) / sx ** 2,
      b: (parabola.b * sy) / sx,
      c: (parabola.c + 0.5) * sy - 0.5,
    }
  return { upper: scaled(upper), lower: scaled(lower) }
}
