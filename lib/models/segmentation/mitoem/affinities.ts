// From affinities to objects: basins of steepest ascent, and graphs of basins that are merged by two rules.
import type { Triple } from '../../../datasets'
import { ArgumentError } from '../../../native/errors'

/** Affinities along z, y and x, `[3, D, H, W]`, row by row; numbers of any scale. The first of each axis is ignored. */
export type Affinities = Float32Array | Float64Array | Uint8Array

/** Numbers of basins: 1 … count by their first voxel, 0 for none. */
export interface Basins {
  readonly labels: Int32Array
  readonly count: number
}

/** What two touching basins have between them. */
export interface BasinEdge {
  readonly a: number
  readonly b: number
  readonly strongest: number
  readonly sum: number
  readonly count: number
}

/** Sets that grow together; the lowest number stands for a set. */
class Unions {
  readonly #parent: Int32Array

  constructor(count: number) {
    this.#parent = Int32Array.from({ length: count }, (_, i) => i)
  }

  find(place: number): number {
    let root = place
    while (this.#parent[root] !== root) root = this.#parent[root] ?? root
    for (let at = place; at !== root; ) {
      const next = this.#parent[at] ?? root
      this.#parent[at] = root
      at = next
    }
    return root
  }

  /** @returns the root of both */
  join(a: number, b: number): number {
    const [low, high] = [this.find(a), this.find(b)].sort((x, y) => x - y) as [number, number]
    this.#parent[high] = low
    return low
  }
}

/** @throws ArgumentError unless there are three affinities for each voxel */
function check(affinities: Affinities, [depth, height, width]: Triple): void {
  if (affinities.length === 3 * depth * height * width) return
  throw new ArgumentError(
    `affinities: there are ${affinities.length} for ${depth} × ${height} × ${width} voxels; there must be three for each`,
  )
}

/**
 * Basins of steepest ascent: each voxel goes with the neighbours that its strongest affinity joins it to; several that are
 * equally strong all count.
 *
 * @param options `low`: weaker ones are no affinities, and a voxel without any is in no basin; `high`: stronger ones
 *   always join
 */
export function affinityBasins(
  affinities: Affinities,
  shape: Triple,
  { low, high }: { readonly low: number; readonly high: number },
): Basins {
  check(affinities, shape)
  const [depth, height, width] = shape
  const [voxels, plane] = [depth * height * width, height * width]
  const sets = new Unions(voxels)
  const labels = new Int32Array(voxels)
  const steps = [plane, width, 1]
  const edges = new Float64Array(6)
  for (let v = 0, z = 0; z < depth; z++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++, v++) {
        const [before, behind] = [
          [z > 0, y > 0, x > 0],
          [z + 1 < depth, y + 1 < height, x + 1 < width],
        ]
        let best = Number.NEGATIVE_INFINITY
        for (let axis = 0; axis < 3; axis++) {
          const [at, step] = [axis * voxels + v, steps[axis] ?? 0]
          edges[2 * axis] = before[axis] ? (affinities[at] ?? 0) : Number.NEGATIVE_INFINITY
          edges[2 * axis + 1] = behind[axis] ? (affinities[at + step] ?? 0) : Number.NEGATIVE_INFINITY
          best = Math.max(best, edges[2 * axis] ?? 0, edges[2 * axis + 1] ?? 0)
        }
        if (best < low || best === Number.NEGATIVE_INFINITY) continue
        labels[v] = 1
        for (let e = 0; e < 6; e++) {
          const edge = edges[e] ?? 0
          if (edge !== best && !(edge > high)) continue
          const step = steps[e >> 1] ?? 0
          sets.join(v, e % 2 === 0 ? v - step : v + step)
        }
      }
    }
  }
  let count = 0
  const numbers = new Int32Array(voxels)
  for (let v = 0; v < voxels; v++) {
    if (labels[v] === 0) continue
    const root = sets.find(v)
    if (numbers[root] === 0) numbers[root] = ++count
    labels[v] = numbers[root] ?? 0
  }
  return { labels, count }
}

/**
 * All pairs of basins that touch, with the affinities between them.
 *
 * @param value what an affinity counts as; itself unless stated
 */
export function basinGraph(
  { labels, count }: Basins,
  affinities: Affinities,
  shape: Triple,
  value: (affinity: number) => number = (affinity) => affinity,
): BasinEdge[] {
  check(affinities, shape)
  const [depth, height, width] = shape
  const [voxels, plane] = [depth * height * width, height * width]
  const found = new Map<number, { a: number; b: number; strongest: number; sum: number; count: number }>()
  for (let v = 0; v < voxels; v++) {
    const own = labels[v] ?? 0
    if (own === 0) continue
    const [z, y, x] = [Math.floor(v / plane), Math.floor(v / width) % height, v % width]
    for (const [axis, step, inside] of [
      [0, plane, z > 0],
      [1, width, y > 0],
      [2, 1, x > 0],
    ] as const) {
      const other = inside ? (labels[v - step] ?? 0) : 0
      if (other === 0 || other === own) continue
      const [a, b] = own < other ? [own, other] : [other, own]
      const between = value(affinities[axis * voxels + v] ?? 0)
      const key = a * (count + 1) + b
      const edge = found.get(key)
      if (edge === undefined) found.set(key, { a, b, strongest: between, sum: between, count: 1 })
      else {
        edge.strongest = Math.max(edge.strongest, between)
        edge.sum += between
        edge.count++
      }
    }
  }
  return [...found.values()]
}

/** Labels of sets of basins, numbered by their first voxel. */
function renumbered({ labels, count }: Basins, rootOf: (basin: number) => number): Basins {
  const numbers = new Int32Array(count + 1)
  let next = 0
  const merged = labels.map((basin) => {
    if (basin === 0) return 0
    const root = rootOf(basin)
    if (numbers[root] === 0) numbers[root] = ++next
    return numbers[root] ?? 0
  })
  return { labels: merged, count: next }
}

/**
 * zwatershed (Zlateski, Seung 2015): the strongest edges first, two basins merge where the smaller has fewer than `size`
 * voxels and their strongest affinity is at least `merge`.
 */
export function mergeSmallBasins(
  basins: Basins,
  edges: readonly BasinEdge[],
  { size, merge }: { readonly size: number; readonly merge: number },
): Basins {
  const sets = new Unions(basins.count + 1)
  const sizes = new Float64Array(basins.count + 1)
  for (const basin of basins.labels) sizes[basin] = (sizes[basin] ?? 0) + 1
  const ordered = edges
    .filter(({ strongest }) => strongest >= merge)
    .sort((p, q) => q.strongest - p.strongest || p.a - q.a || p.b - q.b)
  for (const { a, b } of ordered) {
    const [one, two] = [sets.find(a), sets.find(b)]
    if (one === two || Math.min(sizes[one] ?? 0, sizes[two] ?? 0) >= size) continue
    const total = (sizes[one] ?? 0) + (sizes[two] ?? 0)
    sizes[sets.join(one, two)] = total
  }
  return renumbered(basins, (basin) => sets.find(basin))
}

/**
 * Merges basins, the best scored pair first, while the score is below `limit`; pairs between the same two sets become one
 * as they meet. waterz (Funke et al. 2018) with the score 1 − sum / count of the affinities; greedy multicut with −sum of
 * their log odds.
 */
export function agglomerate(
  basins: Basins,
  edges: readonly BasinEdge[],
  { score, limit }: { readonly score: (sum: number, count: number) => number; readonly limit: number },
): Basins {
  const sets = new Unions(basins.count + 1)
  const between: Map<number, Link>[] = Array.from({ length: basins.count + 1 }, () => new Map())
  const waiting = new LinkHeap()
  const wait = (a: number, b: number, sum: number, count: number): void => {
    const link: Link = { a: Math.min(a, b), b: Math.max(a, b), sum, count, score: score(sum, count) }
    between[a]?.set(b, link)
    between[b]?.set(a, link)
    if (link.score < limit) waiting.push(link)
  }
  for (const { a, b, sum, count } of edges) wait(a, b, sum, count)
  for (let link = waiting.pop(); link !== undefined; link = waiting.pop()) {
    const { a, b } = link
    // A pair that has changed since waits again as another one.
    if (between[a]?.get(b) !== link) continue
    const kept = sets.join(a, b)
    const gone = kept === a ? b : a
    between[kept]?.delete(gone)
    for (const [other, { sum, count }] of between[gone] ?? []) {
      between[other]?.delete(gone)
      if (other === kept) continue
      const known = between[kept]?.get(other)
      wait(kept, other, sum + (known?.sum ?? 0), count + (known?.count ?? 0))
    }
    between[gone]?.clear()
  }
  return renumbered(basins, (basin) => sets.find(basin))
}

interface Link {
  readonly a: number
  readonly b: number
  readonly sum: number
  readonly count: number
  readonly score: number
}

/** The lowest score first; of equal ones the lower numbers. */
class LinkHeap {
  readonly #links: Link[] = []

  push(link: Link): void {
    const links = this.#links
    let at = links.push(link) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#before(at, parent)) return
      this.#swap(at, parent)
      at = parent
    }
  }

  pop(): Link | undefined {
    const links = this.#links
    if (links.length === 0) return undefined
    this.#swap(0, links.length - 1)
    const first = links.pop()
    for (let at = 0; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2]
      let least = at
      if (left < links.length && this.#before(left, least)) least = left
      if (right < links.length && this.#before(right, least)) least = right
      if (least === at) return first
      this.#swap(at, least)
      at = least
    }
  }

  #before(i: number, j: number): boolean {
    const [p, q] = [this.#links[i], this.#links[j]]
    if (p === undefined || q === undefined) return false
    return (p.score - q.score || p.a - q.a || p.b - q.b) < 0
  }

  #swap(i: number, j: number): void {
    const links = this.#links
    ;[links[i], links[j]] = [links[j] as Link, links[i] as Link]
  }
}
