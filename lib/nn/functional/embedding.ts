import { ArgumentError, ShapeError } from '../../native/errors'
import {
  arange,
  embeddingBag as embeddingBagOperator,
  embedding as embeddingOperator,
  embeddingRenorm_,
  type Tensor,
} from '../../tensor'
import { noGrad } from '../../tensor/autograd'
import { tidy } from '../../tensor/scope'
import { oneOf, show } from '../options'

interface Renorm {
  /** Rows that are looked up and longer than this are first shortened to it, in `weight` itself. */
  readonly maxNorm?: number | null
  /** Exponent of that norm; default 2. */
  readonly normType?: number
}

export interface EmbeddingOptions extends Renorm {
  /** Row that gets no gradient; negative counts from the last. */
  readonly paddingIdx?: number | null
  /** Divides a row's gradient by how often it was looked up; default false. */
  readonly scaleGradByFreq?: boolean
  /** Gives the weight a sparse gradient; default false. */
  readonly sparse?: boolean
}

/** Rows of `weight` `[rows, width]` by number. @param input whole numbers of any shape `[*]`; the result is `[*, width]` */
export function embedding(input: Tensor, weight: Tensor, options: EmbeddingOptions = {}): Tensor {
  const { scaleGradByFreq = false, sparse = false } = options
  const paddingIdx = rowNumber('embedding', weight.size(0), options.paddingIdx) ?? -1
  renorm(weight, input, options)
  return embeddingOperator(weight, input, { paddingIdx, scaleGradByFreq, sparse })
}

/** @internal A row's number, counted from the first. */
export function rowNumber(name: string, rows: number, index: number | null | undefined): number | null {
  if (index === undefined || index === null) return null
  if (!Number.isInteger(index) || index < -rows || index >= rows) {
    throw new ArgumentError(`${name}: paddingIdx is ${index}; there are ${rows} rows, numbered 0 to ${rows - 1}`)
  }
  return index < 0 ? index + rows : index
}

function renorm(weight: Tensor, input: Tensor, { maxNorm, normType = 2 }: Renorm): void {
  if (maxNorm === undefined || maxNorm === null) return
  noGrad(() =>
    tidy(() => {
      embeddingRenorm_(weight, input.contiguous(), maxNorm, normType)
    }),
  )
}

export type BagMode = 'sum' | 'mean' | 'max'
/** The operator's numbers for the modes. */
const MODES: readonly BagMode[] = ['sum', 'mean', 'max']

export interface EmbeddingBagOptions extends EmbeddingOptions {
  /** How a bag's rows become one; default `'mean'`. */
  readonly mode?: BagMode
  /** Where each bag begins in a flat `input`. */
  readonly offsets?: Tensor | null
  /** A factor for each row, for `mode: 'sum'`. */
  readonly perSampleWeights?: Tensor | null
  /** `offsets` also names the end of the last bag; default false. */
  readonly includeLastOffset?: boolean
}

/**
 * Sum, mean or maximum of the rows of `weight` in each bag, without making the rows.
 *
 * @param input `[bags, length]`, or flat with `offsets`; the result is `[bags, width]`
 */
export function embeddingBag(input: Tensor, weight: Tensor, options: EmbeddingBagOptions = {}): Tensor {
  const { mode = 'mean', offsets, perSampleWeights, includeLastOffset = false } = options
  const { scaleGradByFreq = false, sparse = false } = options
  const fixed = input.ndim === 2
  oneOf('embeddingBag: mode', mode, MODES)
  if (!fixed && (input.ndim !== 1 || !offsets)) {
    throw new ShapeError(
      `embeddingBag: the input has shape ${show(input.shape)}; give [bags, length], or a flat list with offsets`,
    )
  }
  if (fixed && offsets)
    throw new ArgumentError('embeddingBag: offsets are for a flat input; leave them out, or flatten the input')
  if (perSampleWeights && mode !== 'sum') {
    throw new ArgumentError(`embeddingBag: perSampleWeights with mode '${mode}'; they need mode 'sum'`)
  }
  if (perSampleWeights && String(perSampleWeights.shape) !== String(input.shape)) {
    throw new ShapeError(
      `embeddingBag: perSampleWeights ${show(perSampleWeights.shape)} must have the input's shape ${show(input.shape)}`,
    )
  }
  renorm(weight, input, options)
  const paddingIdx = rowNumber('embeddingBag', weight.size(0), options.paddingIdx)
  return tidy(() => {
    const { dtype, device } = input
    const starts = fixed ? arange(0, input.numel, input.size(1), { dtype, device }) : (offsets as Tensor)
    const factors = perSampleWeights?.reshape([-1])
    const last = includeLastOffset && !fixed
    const more = { perSampleWeights: factors, paddingIdx }
    return embeddingBagOperator(
      weight,
      input.reshape([-1]),
      starts,
      scaleGradByFreq,
      MODES.indexOf(mode),
      sparse,
      last,
      more,
    )[0]
  })
}
