// Parts of a clip that are held still and turned into flow together.

/** Frames `start` to `start + length − 1`, and the groups that lie in them. */
export interface Segment {
  readonly start: number
  readonly length: number
  /** Places in the list of groups. */
  readonly groups: readonly number[]
}

/**
 * Packs groups of frames into parts of at most `most` frames: a camera is held still over such a time, and flow of
 * groups that overlap is computed once.
 *
 * @param starts first frames of the groups, in ascending order
 * @param frames of a group
 */
export function segmentsOf(starts: readonly number[], frames: number, most: number): Segment[] {
  const segments: { start: number; length: number; groups: number[] }[] = []
  for (const [index, start] of starts.entries()) {
    const last = segments.at(-1)
    const length = last === undefined ? 0 : start + frames - last.start
    if (last !== undefined && length <= Math.max(most, frames)) {
      last.length = length
      last.groups.push(index)
    } else segments.push({ start, length: frames, groups: [index] })
  }
  return segments
}
