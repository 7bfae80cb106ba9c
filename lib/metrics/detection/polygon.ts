// Polygons and boxes as masks, pixel by pixel as COCO's own program fills them.
import { FormatError } from '../../native/errors'
import { type CocoBox, type CocoRle, mergeMasks, packCounts } from './rle'

/** Outlines are walked on a grid so much finer than the pixels. */
const SCALE = 5
/** Steps of an outline: 0.8 million pixels, twenty times what goes around a large picture. */
const MOST_STEPS = 2 ** 22

/**
 * The mask inside a polygon, as `pycocotools.mask.frPyObjects`.
 *
 * @param polygon x and y of each corner in turn, at least three corners; pixels begin at whole numbers
 * @throws FormatError for an odd number of values, fewer than six, or one that is not finite
 */
export function maskOfPolygon(polygon: readonly number[], height: number, width: number): CocoRle {
  if (polygon.length < 6 || polygon.length % 2 !== 0 || !polygon.every(Number.isFinite)) {
    throw new FormatError(
      `a polygon has ${polygon.length} values; it is x and y of three corners or more, all of them finite numbers`,
    )
  }
  const crossings = columnCrossings(outline(polygon), height, width)
  return { size: [height, width], counts: packCounts(runsBetween(crossings, height * width)) }
}

/** The mask of several polygons together: one object in parts. */
export function maskOfPolygons(polygons: readonly (readonly number[])[], height: number, width: number): CocoRle {
  if (polygons.length === 0) return { size: [height, width], counts: packCounts([height * width]) }
  return mergeMasks(polygons.map((polygon) => maskOfPolygon(polygon, height, width)))
}

/** The mask of a box. */
export function maskOfBox([x, y, w, h]: CocoBox, height: number, width: number): CocoRle {
  return maskOfPolygon([x, y, x, y + h, x + w, y + h, x + w, y], height, width)
}

/** Points of the fine grid along the edges, each edge one step at a time in its longer direction. */
function outline(polygon: readonly number[]): { readonly u: Int32Array; readonly v: Int32Array } {
  const corners = polygon.map((value) => Math.trunc(SCALE * value + 0.5))
  checkLength(corners)
  const u: number[] = []
  const v: number[] = []
  for (let k = 0; k < corners.length; k += 2) {
    const next = (k + 2) % corners.length
    const [x0 = 0, y0 = 0, x1 = 0, y1 = 0] = [corners[k], corners[k + 1], corners[next], corners[next + 1]]
    const [dx, dy] = [Math.abs(x1 - x0), Math.abs(y1 - y0)]
    const flat = dx >= dy
    const steps = flat ? dx : dy
    // Rounded from the same end whichever way the edge runs, so that neighbours share their border.
    const backwards = flat ? x0 > x1 : y0 > y1
    const [fromX, fromY, toX, toY] = backwards ? [x1, y1, x0, y0] : [x0, y0, x1, y1]
    const slope = steps === 0 ? 0 : flat ? (toY - fromY) / dx : (toX - fromX) / dy
    for (let d = 0; d <= steps; d++) {
      const t = backwards ? steps - d : d
      u.push(flat ? fromX + t : Math.trunc(fromX + slope * t + 0.5))
      v.push(flat ? Math.trunc(fromY + slope * t + 0.5) : fromY + t)
    }
  }
  return { u: Int32Array.from(u), v: Int32Array.from(v) }
}

/** Refuses what a typing error or malice makes of a coordinate, before it takes memory without end. */
function checkLength(corners: readonly number[]): void {
  const furthest = corners.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  let steps = 0
  for (let k = 0; k < corners.length; k += 2) {
    const next = (k + 2) % corners.length
    const [x0 = 0, y0 = 0, x1 = 0, y1 = 0] = [corners[k], corners[k + 1], corners[next], corners[next + 1]]
    steps += Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0)) + 1
  }
  if (steps <= MOST_STEPS && furthest <= MOST_STEPS) return
  throw new FormatError(
    `a polygon whose outline is ${Math.round(steps / SCALE)} pixels long and reaches to ${Math.round(furthest / SCALE)}; both are at most ${Math.floor(MOST_STEPS / SCALE)}`,
  )
}

/** Where the outline crosses the middle of a pixel column: indices down the columns. */
function columnCrossings({ u, v }: ReturnType<typeof outline>, height: number, width: number): number[] {
  const crossings: number[] = []
  for (let j = 1; j < u.length; j++) {
    const [before = 0, now = 0, above = 0, here = 0] = [u[j - 1], u[j], v[j - 1], v[j]]
    if (now === before) continue
    const column = ((now < before ? now : now - 1) + 0.5) / SCALE - 0.5
    if (!Number.isInteger(column) || column < 0 || column > width - 1) continue
    const row = (Math.min(here, above) + 0.5) / SCALE - 0.5
    crossings.push(column * height + Math.ceil(Math.min(Math.max(row, 0), height)))
  }
  return crossings
}

/** From each crossing to the next inside and outside take turns. */
function runsBetween(crossings: readonly number[], pixels: number): number[] {
  const ends = [...crossings, pixels].sort((a, b) => a - b)
  const gaps = ends.map((end, i) => end - (ends[i - 1] ?? 0))
  const runs = [gaps[0] ?? 0]
  for (let j = 1; j < gaps.length; j++) {
    const gap = gaps[j] ?? 0
    if (gap > 0) runs.push(gap)
    // Two crossings at one place cancel: the run before them goes on.
    else if (++j < gaps.length) runs[runs.length - 1] = (runs.at(-1) ?? 0) + (gaps[j] ?? 0)
  }
  return runs
}
