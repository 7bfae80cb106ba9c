// The perspective between two pictures of a plane, from pairs of points.
import { philox } from '../data/random'
import { ArgumentError, ShapeError } from '../native/errors'
import { linalgEigh, type Tensor, tensor, tidy } from '../tensor'

/** Nine numbers of a 3 × 3 matrix, row by row. */
export type Matrix3 = readonly number[]

interface Pair {
  readonly x: number
  readonly y: number
  /** Where it is in the other picture. */
  readonly u: number
  readonly v: number
}

export interface HomographyOptions {
  /** `'ransac'` (default) finds points that agree among others; `'least-squares'` trusts all. */
  readonly method?: 'ransac' | 'least-squares'
  /** Farthest that a point that agrees may be from where it belongs, in pixels; 3 unless stated. */
  readonly threshold?: number
  /** With which probability four good pairs are to be drawn; 0.995 unless stated. */
  readonly confidence?: number
  /** Most draws; 2000 unless stated. */
  readonly maxIterations?: number
  /** Equal seeds draw equal pairs; 0 unless stated. */
  readonly seed?: number
}

export interface Homography {
  /** `[3, 3]` float64, the last element 1: it takes `[x, y, 1]` to where it is in the other picture. */
  readonly matrix: Tensor<'float64'>
  /** `[N]` bool: the pairs that agree. */
  readonly inliers: Tensor<'bool'>
}

/**
 * The homography that takes points to points: direct linear transform (Hartley and Zisserman, ch. 4) of normalised
 * points, then the least sum of squared distances by Levenberg–Marquardt; among false pairs by RANSAC (Fischler and
 * Bolles 1981).
 *
 * @param from `[N, 2]` x and y, N at least 4
 * @param to the same points in the other picture
 * @throws ShapeError when the points are not `[N, 2]`, or fewer than four
 * @throws ArgumentError when they lie on a line, or no four of them agree
 */
export function findHomography(from: Tensor, to: Tensor, options: HomographyOptions = {}): Homography {
  const { method = 'ransac', threshold = 3, confidence = 0.995, maxIterations = 2000, seed = 0 } = options
  const pairs = pairsOf(from, to)
  if (!(threshold > 0 && confidence > 0 && confidence < 1 && maxIterations >= 1)) {
    throw new ArgumentError(
      `findHomography: threshold ${threshold}, confidence ${confidence}, maxIterations ${maxIterations}; they are above 0, confidence below 1`,
    )
  }
  const agreeing = method === 'ransac' ? consensus(pairs, threshold, confidence, maxIterations, seed) : pairs
  const matrix = refine(directLinear(agreeing), agreeing)
  const inliers = pairs.map((pair) => method !== 'ransac' || distance(matrix, pair) <= threshold)
  return {
    matrix: tensor([...matrix], { dtype: 'float64' }).reshape([3, 3]) as Tensor<'float64'>,
    inliers: tensor(inliers) as Tensor<'bool'>,
  }
}

/**
 * Points through a homography.
 *
 * @param points `[..., 2]` x and y
 * @param matrix `[3, 3]`
 * @returns as `points`, in their dtype; infinite where a point has no image
 */
export function projectPoints(points: Tensor, matrix: Tensor): Tensor {
  if (points.shape.at(-1) !== 2 || String(matrix.shape) !== '3,3') {
    throw new ShapeError(
      `projectPoints: points [${points.shape}], matrix [${matrix.shape}]; they are [..., 2] and [3, 3]`,
    )
  }
  return tidy(() => {
    const m = matrix.to({ dtype: points.dtype, device: points.device })
    const left = m.narrow(1, 0, 2)
    const moved = points.matmul(left.t()).add(m.select(1, 2))
    return moved.narrow(-1, 0, 2).div(moved.narrow(-1, 2, 1))
  })
}

function pairsOf(from: Tensor, to: Tensor): Pair[] {
  if (from.ndim !== 2 || from.shape[1] !== 2 || String(from.shape) !== String(to.shape)) {
    throw new ShapeError(`findHomography: points are [${from.shape}] and [${to.shape}]; both are [N, 2], x and y`)
  }
  const count = from.shape[0] ?? 0
  if (count < 4) throw new ShapeError(`findHomography: there are ${count} pairs of points; four or more are needed`)
  const [a, b] = [from, to].map((points) => points.detach().to('float64').contiguous().dataSync() as Float64Array)
  const pairs = Array.from({ length: count }, (_, i) => ({
    ...{ x: a?.[2 * i] ?? 0, y: a?.[2 * i + 1] ?? 0, u: b?.[2 * i] ?? 0, v: b?.[2 * i + 1] ?? 0 },
  }))
  const broken = pairs.findIndex((pair) => !Object.values(pair).every(Number.isFinite))
  if (broken >= 0) throw new ArgumentError(`findHomography: pair ${broken} is not finite`)
  return pairs
}

// ---- Consensus ------------------------------------------------------------------------------------------------------

function consensus(
  pairs: readonly Pair[],
  threshold: number,
  confidence: number,
  maxIterations: number,
  seed: number,
): readonly Pair[] {
  let best: readonly Pair[] = []
  let leastError = Number.POSITIVE_INFINITY
  let needed = maxIterations
  for (let draw = 0; draw < Math.min(needed, maxIterations); draw++) {
    const sample = drawFour(pairs, seed, draw)
    const matrix = sample && throughFour(sample)
    if (matrix === undefined) continue
    const agreeing = pairs.filter((pair) => distance(matrix, pair) <= threshold)
    const error = agreeing.reduce((sum, pair) => sum + distance(matrix, pair) ** 2, 0)
    if (agreeing.length < best.length || (agreeing.length === best.length && error >= leastError)) continue
    best = agreeing
    leastError = error
    const share = agreeing.length / pairs.length
    needed = share === 1 ? 0 : Math.ceil(Math.log(1 - confidence) / Math.log(1 - share ** 4))
  }
  if (best.length >= 4) return best
  throw new ArgumentError(
    `findHomography: no four of the ${pairs.length} pairs agree within ${threshold} px; the points lie on a line, or threshold is too small`,
  )
}

/** Four different pairs, no three of them on a line in either picture. */
function drawFour(pairs: readonly Pair[], seed: number, draw: number): readonly Pair[] | undefined {
  const chosen = new Set<Pair>()
  for (let round = 0; chosen.size < 4 && round < 8; round++) {
    for (const word of philox([draw, round, 0, 0], [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0])) {
      const pair = pairs[Math.floor((word / 2 ** 32) * pairs.length)]
      if (pair !== undefined && chosen.size < 4) chosen.add(pair)
    }
  }
  const four = [...chosen]
  if (four.length < 4) return undefined
  for (let left = 0; left < 4; left++) {
    const [a, b, c] = four.filter((_, i) => i !== left)
    if (a === undefined || b === undefined || c === undefined) return undefined
    const size = Math.hypot(b.x - a.x, b.y - a.y) * Math.hypot(c.x - a.x, c.y - a.y)
    const size2 = Math.hypot(b.u - a.u, b.v - a.v) * Math.hypot(c.u - a.u, c.v - a.v)
    const area = Math.abs((b.x - a.x) * (c.y - a.y) - (c.x - a.x) * (b.y - a.y))
    const area2 = Math.abs((b.u - a.u) * (c.v - a.v) - (c.u - a.u) * (b.v - a.v))
    if (area <= 1e-6 * size || area2 <= 1e-6 * size2 || size === 0 || size2 === 0) return undefined
  }
  return four
}

function throughFour(four: readonly Pair[]): Matrix3 | undefined {
  const solution = solve(four.flatMap((pair) => equations(pair).map(([left, right]) => [...left, right])))
  return solution && [...solution, 1]
}

/** The two equations of a pair in the eight unknown elements. */
function equations({ x, y, u, v }: Pair): readonly (readonly [left: readonly number[], right: number])[] {
  return [
    [[x, y, 1, 0, 0, 0, -u * x, -u * y], u],
    [[0, 0, 0, x, y, 1, -v * x, -v * y], v],
  ]
}

/** Solves rows of `[coefficients…, right side]` by elimination; undefined where there is no one solution. */
function solve(rows: readonly (readonly number[])[]): number[] | undefined {
  const size = rows.length
  const m = rows.map((row) => [...row])
  const at = (i: number, j: number) => m[i]?.[j] ?? 0
  for (let column = 0; column < size; column++) {
    let pivot = column
    for (let i = column + 1; i < size; i++) if (Math.abs(at(i, column)) > Math.abs(at(pivot, column))) pivot = i
    if (!(Math.abs(at(pivot, column)) > 1e-300)) return undefined
    ;[m[column], m[pivot]] = [m[pivot] ?? [], m[column] ?? []]
    for (let i = 0; i < size; i++) {
      const factor = i === column ? 0 : at(i, column) / at(column, column)
      if (factor !== 0) m[i] = (m[i] ?? []).map((value, j) => value - factor * at(column, j))
    }
  }
  const solution = m.map((row, i) => (row[size] ?? 0) / (row[i] ?? 1))
  return solution.every(Number.isFinite) ? solution : undefined
}

// ---- Fitting --------------------------------------------------------------------------------------------------------

function distance(matrix: Matrix3, { x, y, u, v }: Pair): number {
  const [px, py] = project(matrix, x, y)
  return Math.hypot(px - u, py - v)
}

function project([a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 1]: Matrix3, x: number, y: number) {
  const w = g * x + h * y + i
  return [(a * x + b * y + c) / w, (d * x + e * y + f) / w, w] as const
}

/** The smallest singular vector of all equations, points moved to their centre and scaled to a mean distance of √2. */
function directLinear(pairs: readonly Pair[]): Matrix3 {
  const source = normalisation(pairs.map(({ x, y }) => [x, y]))
  const target = normalisation(pairs.map(({ u, v }) => [u, v]))
  const products = new Float64Array(81)
  for (const { x, y, u, v } of pairs) {
    const [nx, ny, nu, nv] = [
      ...[(x - source.x) * source.scale, (y - source.y) * source.scale],
      ...[(u - target.x) * target.scale, (v - target.y) * target.scale],
    ] as [number, number, number, number]
    for (const [left, right] of equations({ x: nx, y: ny, u: nu, v: nv })) {
      const row = [...left, -right]
      for (let i = 0; i < 9; i++)
        for (let j = 0; j < 9; j++) products[9 * i + j] = (products[9 * i + j] ?? 0) + (row[i] ?? 0) * (row[j] ?? 0)
    }
  }
  const [values, vector] = tidy(() => {
    const [eigenvalues, eigenvectors] = linalgEigh(tensor(products, { shape: [9, 9] }))
    return [eigenvalues.dataSync() as Float64Array, eigenvectors.select(1, 0).contiguous().dataSync() as Float64Array]
  })
  // Two solutions: the points do not say which.
  if (!((values[1] ?? 0) > 1e-12 * (values[8] ?? 0))) {
    throw new ArgumentError('findHomography: the points lie on a line, or are the same; spread them over the picture')
  }
  const matrix = denormalised([...vector], source, target)
  const last = matrix[8] ?? 0
  if (Math.abs(last) < 1e-12) throw new ArgumentError('findHomography: the homography takes the origin to infinity')
  return matrix.map((value) => value / last)
}

interface Normalisation {
  readonly x: number
  readonly y: number
  readonly scale: number
}

function normalisation(points: readonly (readonly [number, number])[]): Normalisation {
  const mean = (axis: 0 | 1) => points.reduce((sum, point) => sum + point[axis], 0) / points.length
  const [x, y] = [mean(0), mean(1)]
  const spread = points.reduce((sum, [px, py]) => sum + Math.hypot(px - x, py - y), 0) / points.length
  return { x, y, scale: Math.SQRT2 / (spread || 1) }
}

/** Undoes the normalisations on both sides of a matrix. */
function denormalised(matrix: Matrix3, source: Normalisation, target: Normalisation): number[] {
  const into = [source.scale, 0, -source.scale * source.x, 0, source.scale, -source.scale * source.y, 0, 0, 1]
  const outOf = [1 / target.scale, 0, target.x, 0, 1 / target.scale, target.y, 0, 0, 1]
  return multiply(outOf, multiply(matrix, into))
}

function multiply(a: Matrix3, b: Matrix3): number[] {
  return Array.from({ length: 9 }, (_, k) => {
    const [row, column] = [Math.floor(k / 3), k % 3]
    return [0, 1, 2].reduce((sum, j) => sum + (a[3 * row + j] ?? 0) * (b[3 * j + column] ?? 0), 0)
  })
}

/** Least squares of the distances in the other picture, from a first guess. */
function refine(first: Matrix3, pairs: readonly Pair[]): Matrix3 {
  const errorOf = (matrix: Matrix3) => pairs.reduce((sum, pair) => sum + distance(matrix, pair) ** 2, 0)
  let matrix = first
  let error = errorOf(matrix)
  let damping = 1e-3
  for (let step = 0; step < 50 && damping < 1e12; step++) {
    const change = dampedStep(matrix, pairs, damping)
    if (change === undefined) break
    const next = matrix.map((value, i) => value + (change[i] ?? 0))
    const nextError = errorOf(next)
    if (!(nextError <= error)) {
      damping *= 10
      continue
    }
    const settled = error - nextError <= 1e-16 * error
    matrix = next
    error = nextError
    damping /= 10
    if (settled) break
  }
  return matrix
}

/** Solves (JᵀJ + λ diag) δ = −Jᵀr for the eight elements. */
function dampedStep(matrix: Matrix3, pairs: readonly Pair[], damping: number): number[] | undefined {
  const normal = Array.from({ length: 8 }, () => new Array<number>(9).fill(0))
  for (const { x, y, u, v } of pairs) {
    const [px, py, w] = project(matrix, x, y)
    const rows = [
      [x / w, y / w, 1 / w, 0, 0, 0, (-px * x) / w, (-px * y) / w, u - px],
      [0, 0, 0, x / w, y / w, 1 / w, (-py * x) / w, (-py * y) / w, v - py],
    ]
    for (const row of rows) {
      for (const [i, target] of normal.entries()) {
        for (let j = 0; j < 9; j++) target[j] = (target[j] ?? 0) + (row[i] ?? 0) * (row[j] ?? 0)
      }
    }
  }
  for (const [i, row] of normal.entries()) row[i] = (row[i] ?? 0) * (1 + damping)
  return solve(normal)
}
