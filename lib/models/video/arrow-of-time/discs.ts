// Discs on a table: clips of which the arrow of time is known.
import { RandomStream, Stream } from '../../../data/random'
import { type Tensor, tensor, tidy } from '../../../tensor'
import { flowToBytes } from '../../../vision'

export interface DiscOptions {
  readonly frames: number
  /** Side of the table in pixels. */
  readonly side: number
  readonly discs: number
  /** Loss of speed a frame; without it the motion is the same in both directions. */
  readonly friction: number
  readonly seed: number
  /** Standard deviation of the speed in each direction, as a share of the side a frame; 0.05 unless stated. */
  readonly speed?: number
}

/** Places of the discs in each frame. */
export interface DiscClip {
  readonly side: number
  readonly radius: number
  /** `places[t][disc]`, x and y of its middle. */
  readonly places: readonly (readonly (readonly [x: number, y: number])[])[]
  readonly seed: number
}

interface Disc {
  x: number
  y: number
  vx: number
  vy: number
}

/**
 * Discs of one mass that roll on a table with elastic cushions, places uniform and directions isotropic.
 *
 * Friction slows all speeds by one factor, so that the paths are those without friction at other times: collisions are
 * exact in both cases, and without friction nothing but the arrow itself could tell the directions apart.
 */
export function rollDiscs({ frames, side, discs: count, friction, seed, speed = 0.05 }: DiscOptions): DiscClip {
  const random = new RandomStream(seed, 0, Stream.Samples)
  const radius = side / 9
  const discs: Disc[] = []
  while (discs.length < count) {
    const place = () => radius + random.uniform() * (side - 2 * radius)
    const [x, y] = [place(), place()]
    if (discs.every((other) => Math.hypot(other.x - x, other.y - y) > 2 * radius)) discs.push({ x, y, vx: 0, vy: 0 })
  }
  const pathAt = (t: number) => (friction === 0 ? t : (1 - (1 - friction) ** t) / -Math.log(1 - friction))
  const scale = (speed * side * (frames - 1)) / pathAt(frames - 1)
  for (const disc of discs) [disc.vx, disc.vy] = normals(random).map((value) => value * scale) as [number, number]
  const places = [discs.map(({ x, y }) => [x, y] as const)]
  for (let t = 1; t < frames; t++) {
    advance(discs, pathAt(t) - pathAt(t - 1), side, radius)
    places.push(discs.map(({ x, y }) => [x, y] as const))
  }
  return { side, radius, places, seed }
}

/** Two independent normal numbers (Box and Muller). */
function normals(random: RandomStream): readonly [number, number] {
  const radius = Math.sqrt(-2 * Math.log(1 - random.uniform()))
  const angle = 2 * Math.PI * random.uniform()
  return [radius * Math.cos(angle), radius * Math.sin(angle)]
}

/** Moves discs for a while, from collision to collision. */
function advance(discs: readonly Disc[], duration: number, side: number, radius: number): void {
  let left = duration
  while (left > 0) {
    const next = nextCollision(discs, side, radius)
    const step = Math.min(left, next.after)
    for (const disc of discs) {
      disc.x += disc.vx * step
      disc.y += disc.vy * step
    }
    if (next.after < left) next.resolve()
    left -= step
  }
}

interface Collision {
  readonly after: number
  readonly resolve: () => void
}

function nextCollision(discs: readonly Disc[], side: number, radius: number): Collision {
  let first: Collision = { after: Number.POSITIVE_INFINITY, resolve: () => {} }
  const consider = (after: number, resolve: () => void) => {
    if (after < first.after) first = { after, resolve }
  }
  const untilWall = (at: number, speed: number) =>
    speed === 0 ? Number.POSITIVE_INFINITY : Math.max(0, ((speed > 0 ? side - radius : radius) - at) / speed)
  for (const [i, a] of discs.entries()) {
    consider(untilWall(a.x, a.vx), () => {
      a.vx = -a.vx
    })
    consider(untilWall(a.y, a.vy), () => {
      a.vy = -a.vy
    })
    for (const b of discs.slice(i + 1)) consider(untilTouch(a, b, 2 * radius), () => bounce(a, b))
  }
  return first
}

/** When two discs that approach each other touch. */
function untilTouch(a: Disc, b: Disc, distance: number): number {
  const [x, y, vx, vy] = [b.x - a.x, b.y - a.y, b.vx - a.vx, b.vy - a.vy]
  const approach = x * vx + y * vy
  if (approach >= 0) return Number.POSITIVE_INFINITY
  const speed = vx * vx + vy * vy
  const root = approach * approach - speed * (x * x + y * y - distance * distance)
  return root < 0 ? Number.POSITIVE_INFINITY : Math.max(0, (-approach - Math.sqrt(root)) / speed)
}

/** Discs of one mass exchange their speeds along the line between them. */
function bounce(a: Disc, b: Disc): void {
  const length = Math.hypot(b.x - a.x, b.y - a.y)
  const [nx, ny] = [(b.x - a.x) / length, (b.y - a.y) / length]
  const exchange = (b.vx - a.vx) * nx + (b.vy - a.vy) * ny
  a.vx += exchange * nx
  a.vy += exchange * ny
  b.vx -= exchange * nx
  b.vy -= exchange * ny
}

/** The same clip played backward. */
export function reverseDiscs(clip: DiscClip): DiscClip {
  return { ...clip, places: [...clip.places].reverse() }
}

/**
 * Flow between neighbouring frames as it is, on the grid of the earlier one: `[T − 1, 2, side, side]` in pixels.
 */
export function discFlow({ places, side, radius }: DiscClip): Tensor<'float32'> {
  const plane = side * side
  const flow = new Float32Array((places.length - 1) * 2 * plane)
  for (let t = 0; t + 1 < places.length; t++) {
    for (const [i, [x, y]] of (places[t] ?? []).entries()) {
      const [toX, toY] = places[t + 1]?.[i] ?? [x, y]
      within(x, y, radius, side, (at) => {
        flow[2 * t * plane + at] = toX - x
        flow[(2 * t + 1) * plane + at] = toY - y
      })
    }
  }
  return tensor(flow, { shape: [places.length - 1, 2, side, side] }) as Tensor<'float32'>
}

/** `discFlow` in bytes. */
export function discFlowBytes(clip: DiscClip, bound: number): Tensor<'uint8'> {
  return tidy(() => flowToBytes(discFlow(clip), bound))
}

function within(x: number, y: number, radius: number, side: number, visit: (at: number) => void): void {
  for (let row = Math.max(0, Math.ceil(y - radius)); row <= Math.min(side - 1, y + radius); row++) {
    for (let column = Math.max(0, Math.ceil(x - radius)); column <= Math.min(side - 1, x + radius); column++) {
      if ((column - x) ** 2 + (row - y) ** 2 <= radius * radius) visit(row * side + column)
    }
  }
}

/** Frames of the clip, discs and table textured: `[T, 3, side, side]` uint8, grey. */
export function drawDiscs({ places, side, radius, seed }: DiscClip): Tensor<'uint8'> {
  const random = new RandomStream(seed, 1, Stream.Samples)
  const table = new Texture(random, 40, 110)
  const coats = (places[0] ?? []).map(() => new Texture(random, 120, 250))
  const frames = new Uint8Array(places.length * side * side)
  for (const [t, row] of places.entries()) {
    for (let at = 0; at < side * side; at++) {
      const [x, y] = [at % side, Math.floor(at / side)]
      let value = table.at(x, y)
      for (const [i, [cx, cy]] of row.entries()) {
        const cover = Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(x - cx, y - cy)))
        if (cover > 0) value += cover * ((coats[i]?.at(x - cx, y - cy) ?? 0) - value)
      }
      frames[t * side * side + at] = Math.round(value)
    }
  }
  return tidy(() =>
    tensor(frames, { shape: [places.length, 1, side, side] })
      .expand([places.length, 3, side, side])
      .contiguous(),
  ) as Tensor<'uint8'>
}

/** Smooth random grey levels, without end. */
export class Texture {
  static readonly #SIZE = 64
  readonly #values: Float32Array

  /** @param cell pixels between two random values */
  constructor(
    random: RandomStream,
    readonly least: number,
    readonly most: number,
    readonly cell = 2.5,
  ) {
    this.#values = Float32Array.from({ length: Texture.#SIZE ** 2 }, () => random.uniform())
  }

  at(x: number, y: number): number {
    const [u, v] = [x / this.cell, y / this.cell]
    const [column, row] = [Math.floor(u), Math.floor(v)]
    const [fx, fy] = [u - column, v - row]
    const value = (i: number, j: number) => {
      const [a, b] = [(column + i) & (Texture.#SIZE - 1), (row + j) & (Texture.#SIZE - 1)]
      return this.#values[b * Texture.#SIZE + a] as number
    }
    const top = value(0, 0) * (1 - fx) + value(1, 0) * fx
    const bottom = value(0, 1) * (1 - fx) + value(1, 1) * fx
    return this.least + (this.most - this.least) * (top * (1 - fy) + bottom * fy)
  }
}
