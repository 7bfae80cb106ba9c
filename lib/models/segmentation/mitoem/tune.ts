// Thresholds that suit a network, found on the volume for validation.
import type { RunOptions } from '../../../pipeline'
import { throwIfCancelled } from '../../../pipeline'
import { type Tensor, tidyAsync } from '../../../tensor'
import type { Representation } from './model'
import { ap75, instanceReport } from './report'
import { type Decoding, decodeMaps } from './segmenter'

/** The values that are tried, all with all. */
const GRID = {
  seed: [0.85, 0.9, 0.95, 0.98],
  contour: [0.5, 0.6, 0.8],
  foreground: [0.6, 0.8, 0.85],
  smallest: [128, 500, 1024],
  threshold: [0.1, 0.3, 0.5, 0.7, 0.9],
  size: [50, 200, 600],
  merge: [0.1, 0.3, 0.5],
} as const

export interface TunedDecoding {
  readonly decoding: Decoding
  readonly ap75: number
}

/**
 * The thresholds of a decoder with the best AP-75; the first of equal ones.
 *
 * @param maps uint8 `[C, D, H, W]`
 * @param truth `[D, H, W]` numbers of objects
 */
export async function tuneDecoding(
  maps: Tensor,
  truth: Tensor,
  representation: Representation,
  decoding: Decoding,
  { signal, onProgress }: RunOptions = {},
): Promise<TunedDecoding> {
  const choices = choicesOf(representation, decoding)
  let best: TunedDecoding = { decoding, ap75: Number.NEGATIVE_INFINITY }
  for (const [done, choice] of choices.entries()) {
    throwIfCancelled(signal, 'tuneDecoding')
    const score = await tidyAsync(async () => {
      const labels = await decodeMaps(maps, representation, choice, { signal })
      return ap75(instanceReport(labels, truth))
    })
    if (score > best.ap75) best = { decoding: choice, ap75: score }
    onProgress?.({ stage: 'thresholds', done: done + 1, total: choices.length })
  }
  return best
}

/** What differs for a decoder, and all combinations of it. */
function choicesOf(representation: Representation, decoding: Decoding): Decoding[] {
  const { decoder } = decoding
  const vary = (list: readonly Decoding[], values: readonly number[], set: (of: Decoding, value: number) => Decoding) =>
    list.flatMap((each) => values.map((value) => set(each, value)))
  let list = vary([decoding], GRID.smallest, (of, smallest) => ({ ...of, smallest }))
  const affinity = (of: Decoding, over: Partial<Decoding['affinity']>): Decoding => ({
    ...of,
    affinity: { ...of.affinity, ...over },
  })
  if (decoder === 'waterz') return vary(list, GRID.threshold, (of, threshold) => affinity(of, { threshold }))
  if (decoder === 'zwatershed') {
    list = vary(list, GRID.size, (of, size) => affinity(of, { size }))
    return vary(list, GRID.merge, (of, merge) => affinity(of, { merge }))
  }
  if (decoder === 'multicut') return list
  list = vary(list, GRID.seed, (of, seed) => ({ ...of, seed }))
  if (representation === 'BC' && decoder !== 'iou')
    list = vary(list, GRID.contour, (of, contour) => ({ ...of, contour }))
  return decoder === 'mw' ? vary(list, GRID.foreground, (of, foreground) => ({ ...of, foreground })) : list
}
