// Which detections of a picture are which objects.

/** Objects and detections of one category in one picture. */
export interface Scene {
  /** Of the objects, in the order of the file. */
  readonly objects: readonly { readonly area: number; readonly crowd: boolean; readonly ignored: boolean }[]
  /** The detections, best first. */
  readonly detections: readonly { readonly area: number; readonly score: number }[]
  /** `overlaps[d][o]`. */
  readonly overlaps: readonly (readonly number[])[]
}

/** What became of the detections of a scene. */
export interface Matches {
  readonly scores: readonly number[]
  /** By threshold and detection: whether it found an object. */
  readonly matched: readonly (readonly boolean[])[]
  /** By threshold and detection: whether it counts neither way. */
  readonly ignored: readonly (readonly boolean[])[]
  /** Objects that are to be found. */
  readonly wanted: number
}

/**
 * Gives each detection, best first, the free object that it overlaps most, if that is enough. Objects that are ignored
 * (crowds, other sizes) come last and take what fits no other; a crowd takes any number.
 */
export function matchScene(
  { objects, detections, overlaps }: Scene,
  thresholds: readonly number[],
  [smallest, largest]: readonly [number, number],
): Matches {
  const outOfRange = (area: number) => area < smallest || area > largest
  const ordered = objects
    .map((object, index) => ({ ...object, index, ignored: object.ignored || outOfRange(object.area) }))
    .sort((a, b) => Number(a.ignored) - Number(b.ignored))
  const matched: boolean[][] = []
  const ignored: boolean[][] = []
  for (const threshold of thresholds) {
    const taken = new Set<number>()
    const found = detections.map((_, d) => {
      let best = -1
      let least = Math.min(threshold, 1 - 1e-10)
      for (const [o, object] of ordered.entries()) {
        if (taken.has(o) && !object.crowd) continue
        if (best >= 0 && !ordered[best]?.ignored && object.ignored) break
        const overlap = overlaps[d]?.[object.index] ?? 0
        if (overlap < least) continue
        least = overlap
        best = o
      }
      if (best >= 0) taken.add(best)
      return best
    })
    matched.push(found.map((o) => o >= 0))
    ignored.push(found.map((o, d) => (o >= 0 ? (ordered[o]?.ignored ?? false) : outOfRange(detections[d]?.area ?? 0))))
  }
  return {
    scores: detections.map(({ score }) => score),
    matched,
    ignored,
    wanted: ordered.filter((object) => !object.ignored).length,
  }
}
