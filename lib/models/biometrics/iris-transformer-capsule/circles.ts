// The circle of an iris with the circle of a pupil inside, from votes for dark circles and the edges along them.
import { ArgumentError } from '../../../native/errors'
import type { Tensor } from '../../../tensor'
import type { Config } from './config'
import type { Circle } from './rubber-sheet'

/** Radius of the pupil, distance of both middles, and the least ring between both, as shares of the iris' radius. */
const PUPIL = { least: 0.15, most: 0.75, offset: 0.3, ring: 0.15 } as const
/** How many circles with many votes are tried, as iris and as pupil. */
const CANDIDATES = 32
/** Steps of a pixel from the best circles found on a coarse grid. */
const ROUNDS = 8
/** By how much grey must rise from pupil to iris and from iris to sclera, and an edge along each circle. */
const LEAST_STEP = 0.02
const LEAST_EDGE = 0.003
/** Contrast beyond which an edge counts no more: lashes and lights would outvote the iris. */
export const STRONGEST_EDGE = 0.12

/** Both circles of an eye. */
export interface EyeCircles {
  readonly pupil: Circle
  readonly iris: Circle
  /** Sum of the mean contrasts along both, in grey a pixel. */
  readonly contrast: number
}

/** What circles are judged by. */
export interface EyeEdges {
  /** The picture without texture, `[H, W]` in 0–1. */
  readonly smooth: Tensor
  /** Its gradients, `[H, W]`. */
  readonly down: Tensor
  readonly across: Tensor
  /** For circles of each radius about each pixel, `[R, H, W]`. */
  readonly votes: Tensor
}

/** Radii that are sought in a picture with a shorter side of so many pixels: those of pupils, too. */
export function radiiOf(shorter: number, { least, most }: Pick<Config['normalisation'], 'least' | 'most'>): number[] {
  const [first, last] = [Math.max(3, Math.floor(PUPIL.least * least * shorter)), Math.ceil(most * shorter)]
  const radii = [first]
  // Steps of a fiftieth: larger circles need not be as exact in pixels.
  while ((radii.at(-1) ?? last) < last) radii.push(Math.ceil((radii.at(-1) ?? last) * 1.02))
  return radii
}

/**
 * The pair of circles with the most contrast together. Circles with many votes are taken for pupils and for irises, and
 * the other circle is sought by the edges along it. The pupil must be darker than the iris and the iris than what is
 * beside it, so that a pupil with a highlight in it is not taken for an eye.
 *
 * @param radii R
 * @param least radius of the iris
 * @throws ArgumentError when no iris has a pupil inside
 */
export async function bestCircles(edges: EyeEdges, radii: readonly number[], least: number): Promise<EyeCircles> {
  const plane = await EyePlane.of(edges)
  let best: EyeCircles | undefined
  const judge = (pupil: Circle, iris: Circle) => {
    const [inner, outer] = [plane.edge(pupil, 'all'), plane.sides(iris)]
    if (inner < LEAST_EDGE || outer < LEAST_EDGE || inner + outer <= (best?.contrast ?? 0)) return
    const ring = plane.beside(iris, [0.8, 0.87, 0.94])
    if (plane.beside(iris, [1.06, 1.12, 1.18]) - ring < LEAST_STEP) return
    if (plane.beside(pupil, [1.15, 1.25]) - plane.beside(pupil, [0.2, 0.5, 0.8]) < LEAST_STEP) return
    best = { pupil, iris, contrast: inner + outer }
  }
  for (const found of mostVoted((await edges.votes.data()) as Float32Array, radii, plane)) {
    for (const iris of around(found, radii, 'pupil', least)) judge(found, iris)
    if (found.radius >= least) for (const pupil of around(found, radii, 'iris', least)) judge(pupil, found)
  }
  for (let round = 0; round < ROUNDS && best !== undefined; round++) {
    const { pupil, iris }: EyeCircles = best
    for (const near of neighbours(iris)) judge(pupil, near)
    for (const near of neighbours(pupil)) judge(near, iris)
  }
  if (best !== undefined) return best
  throw new ArgumentError(
    'iris-transformer-capsule: there is no circle of an iris with a pupil inside; the picture must show one eye whole, or be a strip (input.kind=strip)',
  )
}

/** Circles a pixel away in place or size. */
function* neighbours({ x, y, radius }: Circle): Generator<Circle> {
  for (const dr of [-1, 0, 1]) {
    for (const dy of [-1, 0, 1]) for (const dx of [-1, 0, 1]) yield { x: x + dx, y: y + dy, radius: radius + dr }
  }
}

/** Circles that may go with a pupil or an iris: about middles a few pixels apart, of all radii that fit. */
function* around(found: Circle, radii: readonly number[], is: 'pupil' | 'iris', least: number): Generator<Circle> {
  for (const radius of radii) {
    const [pupil, iris] = is === 'pupil' ? [found.radius, radius] : [radius, found.radius]
    if (iris < least || pupil < PUPIL.least * iris || pupil > PUPIL.most * iris) continue
    // Circles that all but touch would both lie on one edge.
    const reach = Math.min(PUPIL.offset * iris, iris - pupil - PUPIL.ring * iris)
    const step = Math.max(1, iris / 16)
    for (let dy = -Math.floor(reach / step); dy * step <= reach; dy++) {
      for (let dx = -Math.floor(reach / step); dx * step <= reach; dx++) {
        if (Math.hypot(dx, dy) * step < reach) yield { x: found.x + dx * step, y: found.y + dy * step, radius }
      }
    }
  }
}

/** The circles with most votes, none near a better one. */
function mostVoted(votes: Float32Array, radii: readonly number[], { height, width }: EyePlane): Circle[] {
  const all: (Circle & { readonly votes: number })[] = []
  for (const [plane, radius] of radii.entries()) {
    for (let y = 1; y < height - 1; y++) {
      for (let x = 1; x < width - 1; x++) {
        const at = (plane * height + y) * width + x
        const value = votes[at] as number
        if (value < LEAST_EDGE / 20) continue
        const isPeak = [-1, 1, -width, width].every((step) => (votes[at + step] as number) <= value)
        // A mean over a longer edge is less of an accident.
        if (isPeak) all.push({ x, y, radius, votes: value * Math.sqrt(radius) })
      }
    }
  }
  const chosen: Circle[] = []
  for (const { x, y, radius } of all.sort((a, b) => b.votes - a.votes)) {
    const isNear = chosen.some(
      (other) => Math.abs(other.radius / radius - 1) < 0.1 && Math.hypot(other.x - x, other.y - y) < 0.1 * radius + 1,
    )
    if (!isNear) chosen.push({ x, y, radius })
    if (chosen.length === CANDIDATES) break
  }
  return chosen
}

/** Directions all around, and to each side where lids hardly reach; +y points down. */
const DIRECTIONS = {
  all: Array.from({ length: 40 }, (_, i) => directionOf(9 * i)),
  right: Array.from({ length: 17 }, (_, i) => directionOf(-15 + 2.5 * i)),
  left: Array.from({ length: 17 }, (_, i) => directionOf(195 - 2.5 * i)),
} as const

function directionOf(degrees: number): readonly [x: number, y: number] {
  const angle = (degrees * Math.PI) / 180
  return [Math.cos(angle), Math.sin(angle)]
}

/** Grey levels and gradients, row by row. */
class EyePlane {
  private constructor(
    private readonly grey: Float32Array,
    private readonly down: Float32Array,
    private readonly across: Float32Array,
    readonly height: number,
    readonly width: number,
  ) {}

  static async of({ smooth, down, across }: EyeEdges): Promise<EyePlane> {
    const [grey, y, x] = await Promise.all([smooth.data(), down.data(), across.data()])
    const [height = 0, width = 0] = smooth.shape
    return new EyePlane(grey as Float32Array, y as Float32Array, x as Float32Array, height, width)
  }

  /** Mean rise of grey across an iris: of its sides, of which both count. */
  sides(circle: Circle): number {
    const [right, left] = [this.edge(circle, 'right'), this.edge(circle, 'left')]
    return right + left === 0 ? 0 : (2 * right * left) / (right + left)
  }

  /** Mean rise of grey across a circle; what lies outside of the picture has none. */
  edge({ x, y, radius }: Circle, where: keyof typeof DIRECTIONS): number {
    const directions = DIRECTIONS[where]
    let sum = 0
    for (const [cos, sin] of directions) {
      const [column, row] = [Math.round(x + radius * cos), Math.round(y + radius * sin)]
      if (column < 0 || row < 0 || column >= this.width || row >= this.height) continue
      const at = row * this.width + column
      const rise = cos * (this.across[at] as number) + sin * (this.down[at] as number)
      sum += Math.min(Math.max(rise, 0), STRONGEST_EDGE)
    }
    return sum / directions.length
  }

  /** Mean grey to both sides of a circle's middle, at shares of its radius. */
  beside({ x, y, radius }: Circle, shares: readonly number[]): number {
    let [sum, count] = [0, 0]
    for (const share of shares) {
      for (const [cos, sin] of [...DIRECTIONS.right, ...DIRECTIONS.left]) {
        const [column, row] = [Math.round(x + share * radius * cos), Math.round(y + share * radius * sin)]
        if (column < 0 || row < 0 || column >= this.width || row >= this.height) continue
        sum += this.grey[row * this.width + column] as number
        count++
      }
    }
    return count === 0 ? Number.NaN : sum / count
  }
}
