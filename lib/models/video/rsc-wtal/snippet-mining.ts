// Which segments CoLA contrasts: the surest of action and background, and those at their borders.
import { functional as F } from '../../../nn'
import { pad, type Tensor } from '../../../tensor'

/** Segments of four kinds, `[B, k, D]` each. */
export interface MinedSnippets {
  readonly easyAction: Tensor
  readonly easyBackground: Tensor
  readonly hardAction: Tensor
  readonly hardBackground: Tensor
}

const INNER = 3
const OUTER = 6

/** Ones `[B, L]` that stay ones where all of a window of `width` about them are; outside is 0. */
export function erode(ones: Tensor, width: number): Tensor {
  // An even window reaches further back, as SciPy's does.
  const [before, after] = [Math.floor(width / 2), width - 1 - Math.floor(width / 2)]
  return windowMax(pad(ones, [before, after]).neg(), width).neg()
}

/** Ones `[B, L]` wherever any of a window of `width` is one; the window is that of `erode` mirrored. */
export function dilate(ones: Tensor, width: number): Tensor {
  const [before, after] = [width - 1 - Math.floor(width / 2), Math.floor(width / 2)]
  return windowMax(pad(ones, [before, after]), width)
}

function windowMax(values: Tensor, width: number): Tensor {
  return F.maxPool1d(values.unsqueeze(1), width, { stride: 1 }).squeeze(1)
}

/** Segments inside and outside of the borders of what is above the median: `[B, L]` of 0 and 1 each. */
export function borders(actionness: Tensor): { readonly inside: Tensor; readonly outside: Tensor } {
  const above = actionness.gt(medianOverTime(actionness)).to(actionness.dtype)
  return {
    inside: erode(above, INNER).sub(erode(above, OUTER)),
    outside: dilate(above, OUTER).sub(dilate(above, INNER)),
  }
}

/** The mean of the middle two where their number is even, `[B, 1]`. */
function medianOverTime(values: Tensor): Tensor {
  const length = values.size(1)
  const sorted = values.sort({ dim: 1 })[0]
  const [low, high] = [Math.floor((length - 1) / 2), Math.floor(length / 2)]
  return sorted
    .narrow(1, low, 1)
    .add(sorted.narrow(1, high, 1))
    .mul(0.5)
}

/** Embeddings `[B, k, D]` of the k best segments; of equal scores the earlier comes first. */
export function bestEmbeddings(scores: Tensor, embeddings: Tensor, k: number): Tensor {
  const [, order] = scores.sort({ dim: 1, descending: true, stable: true })
  const chosen = order.narrow(1, 0, k).unsqueeze(2)
  return embeddings.gather(1, chosen.expand([-1, -1, embeddings.size(2)]))
}

/**
 * Mines the segments of a batch.
 *
 * @param actionness `[B, L]`
 * @param embeddings `[B, L, D]`
 * @param chance `[B, L]`, by which easy segments are thinned out: ones, or what dropout made of them
 */
export function mineSnippets(
  actionness: Tensor,
  embeddings: Tensor,
  chance: Tensor,
  { easy, hard }: { readonly easy: number; readonly hard: number },
): MinedSnippets {
  const reversed = actionness.amax({ dim: [1], keepdim: true }).sub(actionness)
  const { inside, outside } = borders(actionness.detach())
  return {
    easyAction: bestEmbeddings(actionness.mul(chance), embeddings, easy),
    easyBackground: bestEmbeddings(reversed.mul(chance), embeddings, easy),
    hardAction: bestEmbeddings(actionness.mul(inside), embeddings, hard),
    hardBackground: bestEmbeddings(actionness.mul(outside), embeddings, hard),
  }
}
