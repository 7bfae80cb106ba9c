// Anchors that fit the data: YOLOv5's check, k-means and evolution.
import type { LevelAnchors } from '../../../backbones'
import { RandomStream, Stream } from '../../../data/random'
import type { LabelledPicture } from './labelled'

type Size = readonly [width: number, height: number]

/** How well anchors fit. */
export interface AnchorFit {
  /** Share of objects that some anchor is near enough to, the most recall there can be. */
  readonly recall: number
  /** Mean number of anchors an object is near enough to. */
  readonly perObject: number
}

/** Below this recall anchors are fitted. */
const ENOUGH_RECALL = 0.98
const GENERATIONS = 1000
/** Objects that anchors are fitted to, at most. */
const MOST_SIZES = 4000

/** Sizes of the objects when pictures are fitted into a square of `size`; `crop` is cut before. */
export function objectSizes(pictures: readonly LabelledPicture[], size: number, crop?: number): Size[] {
  return pictures.flatMap(({ height, width, objects }) => {
    const longer = Math.max(Math.min(height, crop ?? height), Math.min(width, crop ?? width))
    return objects
      .filter(({ crowd }) => !crowd)
      .map(({ box: [x1, y1, x2, y2] }) => [((x2 - x1) * size) / longer, ((y2 - y1) * size) / longer] as const)
  })
}

/** @param threshold sides may differ by this factor */
export function anchorFit(sizes: readonly Size[], anchors: readonly Size[], threshold = 4): AnchorFit {
  const near = sizes.map((size) => anchors.filter((anchor) => closeness(size, anchor) > 1 / threshold).length)
  return {
    recall: mean(near.map((count) => (count > 0 ? 1 : 0))),
    perObject: mean(near),
  }
}

/**
 * The anchors given where they fit the objects, and others otherwise: means of clusters of the objects' sizes, changed at
 * random as long as that helps.
 *
 * @param given widths and heights for each level
 */
export function fittedAnchors(
  sizes: readonly Size[],
  given: readonly LevelAnchors[],
  seed: number,
): readonly LevelAnchors[] {
  const large = sizes.filter(([w, h]) => Math.max(w, h) >= 2)
  const flat = given.flat()
  const before = anchorFit(large, flat)
  if (before.recall >= ENOUGH_RECALL || large.length < flat.length) return given
  const random = new RandomStream(seed, 0, Stream.Split)
  const some = random
    .permutation(large.length)
    .slice(0, MOST_SIZES)
    .map((i) => large[i] as Size)
  const found = evolved(some, clustered(some, flat.length, random), random)
  if (anchorFit(large, found).recall <= before.recall) return given
  const perLevel = flat.length / given.length
  const ordered = [...found].sort(([aw, ah], [bw, bh]) => aw * ah - bw * bh)
  return given.map((_, level) => ordered.slice(level * perLevel, (level + 1) * perLevel))
}

/** The smallest ratio of sides, at most 1: 1 where an anchor is of the object's size. */
function closeness([w, h]: Size, [aw, ah]: Size): number {
  return Math.min(w / aw, aw / w, h / ah, ah / h)
}

/** How near the nearest anchor is, over the objects that one is near enough to. */
function fitness(sizes: readonly Size[], anchors: readonly Size[]): number {
  return mean(
    sizes.map((size) => {
      const best = Math.max(...anchors.map((anchor) => closeness(size, anchor)))
      return best > 0.25 ? best : 0
    }),
  )
}

/** Lloyd's algorithm on sizes in units of their deviation, the best of a few starts. */
function clustered(sizes: readonly Size[], count: number, random: RandomStream): Size[] {
  const [sw, sh] = [deviation(sizes.map(([w]) => w)), deviation(sizes.map(([, h]) => h))]
  const distance = ([w, h]: Size, [cw, ch]: Size) => ((w - cw) / sw) ** 2 + ((h - ch) / sh) ** 2
  const nearest = (size: Size, centres: readonly Size[]) => {
    const distances = centres.map((centre) => distance(size, centre))
    return distances.indexOf(Math.min(...distances))
  }
  const starts = Array.from({ length: 5 }, () => {
    let centres = random
      .permutation(sizes.length)
      .slice(0, count)
      .map((i) => sizes[i] as Size)
    for (let round = 0; round < 30; round++) {
      const groups: Size[][] = centres.map(() => [])
      for (const size of sizes) groups[nearest(size, centres)]?.push(size)
      centres = groups.map((group, i) =>
        group.length === 0 ? (centres[i] as Size) : [mean(group.map(([w]) => w)), mean(group.map(([, h]) => h))],
      )
    }
    return centres
  })
  return starts.reduce((best, centres) => (fitness(sizes, centres) > fitness(sizes, best) ? centres : best))
}

/** Random changes of single sides, kept when they fit better. */
function evolved(sizes: readonly Size[], start: readonly Size[], random: RandomStream): readonly Size[] {
  let [best, score] = [start, fitness(sizes, start)]
  const change = (side: number) => {
    if (random.uniform() > 0.9) return side
    const normal = Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform())
    return Math.max(2, side * Math.min(Math.max(1 + 0.1 * random.uniform() * normal, 0.3), 3))
  }
  for (let generation = 0; generation < GENERATIONS; generation++) {
    const changed = best.map(([w, h]) => [change(w), change(h)] as const)
    const next = fitness(sizes, changed)
    if (next > score) [best, score] = [changed, next]
  }
  return best
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}

function deviation(values: readonly number[]): number {
  const middle = mean(values)
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2))) || 1
}
