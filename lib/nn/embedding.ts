import { ArgumentError, ShapeError } from '../native/errors'
import { empty, type Tensor } from '../tensor'
import { noGrad } from '../tensor/autograd'
import { type BagMode, embedding, embeddingBag, rowNumber } from './functional/embedding'
import * as init from './init'
import { Module } from './module'
import { FACTORY, type FactoryOptions, oneOf, show, showOptions, wholeNumber, withDefaults } from './options'
import { type Parameter, parameter } from './roles'

export interface EmbeddingLayerOptions extends FactoryOptions {
  /** Row of zeros that gets no gradient; negative counts from the last. */
  readonly paddingIdx?: number | null
  /** Rows that are looked up and longer than this are first shortened to it. */
  readonly maxNorm?: number | null
  /** Exponent of that norm; default 2. */
  readonly normType?: number
  /** Divides a row's gradient by how often it was looked up in the batch; default false. */
  readonly scaleGradByFreq?: boolean
  /** Gives the weight a sparse gradient; default false. */
  readonly sparse?: boolean
}

const DEFAULTS = {
  paddingIdx: null,
  maxNorm: null,
  normType: 2,
  scaleGradByFreq: false,
  sparse: false,
  ...FACTORY,
} as const

/** The table, and the options that both layers have. */
abstract class Table extends Module {
  readonly weight: Parameter
  readonly paddingIdx: number | null
  readonly maxNorm: number | null
  readonly normType: number
  readonly scaleGradByFreq: boolean
  readonly sparse: boolean

  protected constructor(
    readonly numEmbeddings: number,
    readonly embeddingDim: number,
    options: Required<EmbeddingLayerOptions>,
    weight: Tensor | undefined,
  ) {
    super()
    const { name } = new.target
    wholeNumber(`${name}: numEmbeddings`, numEmbeddings)
    wholeNumber(`${name}: embeddingDim`, embeddingDim)
    this.paddingIdx = rowNumber(name, numEmbeddings, options.paddingIdx)
    this.maxNorm = options.maxNorm
    this.normType = options.normType
    this.scaleGradByFreq = options.scaleGradByFreq
    this.sparse = options.sparse
    const { dtype, device } = options
    this.weight = parameter(weight ?? empty([numEmbeddings, embeddingDim], { dtype, device }))
    if (weight === undefined) this.resetParameters()
  }

  /** Draws new first values: standard normal, zeros in the padding row. */
  resetParameters(): void {
    init.normal_(this.weight)
    if (this.paddingIdx !== null) zeroRow(this.weight, this.paddingIdx)
  }

  /** The options that differ from their defaults. */
  protected shown(): Readonly<Record<string, unknown>> {
    const { maxNorm, normType, scaleGradByFreq } = this
    return {
      ...(maxNorm !== null && { maxNorm }),
      ...(normType !== 2 && { normType }),
      ...(scaleGradByFreq && { scaleGradByFreq }),
    }
  }
}

function zeroRow(weight: Tensor, row: number): void {
  noGrad(() => weight.setAt([row], 0))
}

function tableShape(name: string, table: Tensor): [number, number] {
  const [rows, width] = table.shape
  if (table.ndim === 2 && rows !== undefined && width !== undefined) return [rows, width]
  throw new ShapeError(`${name}.fromPretrained: the table has shape ${show(table.shape)}; it must be [rows, width]`)
}

/** Options of `fromPretrained`: what the table does not say. */
type Pretrained<O> = Omit<O, keyof FactoryOptions> & {
  /** Does not train the table; default true. */
  readonly freeze?: boolean
}

/**
 * A table of learnt rows, looked up by number, as `torch.nn.Embedding`.
 *
 * Shapes: whole numbers `[*]` → `[*, embeddingDim]`; weight `[numEmbeddings, embeddingDim]`.
 */
export class Embedding extends Table {
  constructor(numEmbeddings: number, embeddingDim: number, options: EmbeddingLayerOptions = {}, weight?: Tensor) {
    const all = withDefaults<Required<EmbeddingLayerOptions>>('Embedding', DEFAULTS, options)
    super(numEmbeddings, embeddingDim, all, weight)
  }

  /** A layer around a table `[rows, width]`, which it takes over without a copy. */
  static fromPretrained(table: Tensor, options: Pretrained<EmbeddingLayerOptions> = {}): Embedding {
    const { freeze = true, ...rest } = options
    const layer = new Embedding(...tableShape('Embedding', table), rest, table)
    return freeze ? layer.freeze() : layer
  }

  forward(input: Tensor): Tensor {
    const { paddingIdx, maxNorm, normType, scaleGradByFreq, sparse } = this
    return embedding(input, this.weight, { paddingIdx, maxNorm, normType, scaleGradByFreq, sparse })
  }

  protected override describeOptions(): string {
    const { numEmbeddings, embeddingDim, paddingIdx, sparse } = this
    const more = showOptions({
      ...(paddingIdx !== null && { paddingIdx }),
      ...this.shown(),
      ...(sparse && { sparse }),
    })
    return [numEmbeddings, embeddingDim, more].filter((part) => part !== '').join(', ')
  }
}

export interface EmbeddingBagLayerOptions extends EmbeddingLayerOptions {
  /** How a bag's rows become one; default `'mean'`. */
  readonly mode?: BagMode
  /** `offsets` also names the end of the last bag; default false. */
  readonly includeLastOffset?: boolean
}

/**
 * Sum, mean or maximum of the rows of each bag, without making the rows, as `torch.nn.EmbeddingBag`.
 *
 * Shapes: `[bags, length]`, or flat with `offsets` `[bags]` → `[bags, embeddingDim]`.
 */
export class EmbeddingBag extends Table {
  readonly mode: BagMode
  readonly includeLastOffset: boolean

  constructor(numEmbeddings: number, embeddingDim: number, options: EmbeddingBagLayerOptions = {}, weight?: Tensor) {
    const defaults = { ...DEFAULTS, mode: 'mean', includeLastOffset: false } as const
    const all = withDefaults<Required<EmbeddingBagLayerOptions>>('EmbeddingBag', defaults, options)
    super(numEmbeddings, embeddingDim, all, weight)
    this.mode = oneOf('EmbeddingBag: mode', all.mode, ['sum', 'mean', 'max'])
    this.includeLastOffset = all.includeLastOffset
    if (this.mode === 'max' && this.scaleGradByFreq) {
      throw new ArgumentError("EmbeddingBag: scaleGradByFreq with mode 'max'; it needs mode 'sum' or 'mean'")
    }
  }

  /** A layer around a table `[rows, width]`, which it takes over without a copy. */
  static fromPretrained(table: Tensor, options: Pretrained<EmbeddingBagLayerOptions> = {}): EmbeddingBag {
    const { freeze = true, ...rest } = options
    const layer = new EmbeddingBag(...tableShape('EmbeddingBag', table), rest, table)
    return freeze ? layer.freeze() : layer
  }

  /**
   * @param options `offsets`: where each bag begins in a flat input; `perSampleWeights`: a factor for each row, with
   *   mode `'sum'`
   */
  forward(
    input: Tensor,
    options: { readonly offsets?: Tensor | null; readonly perSampleWeights?: Tensor | null } = {},
  ): Tensor {
    const { paddingIdx, maxNorm, normType, scaleGradByFreq, sparse, mode, includeLastOffset } = this
    const own = { paddingIdx, maxNorm, normType, scaleGradByFreq, sparse, mode, includeLastOffset }
    return embeddingBag(input, this.weight, { ...own, ...options })
  }

  protected override describeOptions(): string {
    const { numEmbeddings, embeddingDim, mode, paddingIdx } = this
    const more = showOptions({ ...this.shown(), mode, ...(paddingIdx !== null && { paddingIdx }) })
    return `${numEmbeddings}, ${embeddingDim}, ${more}`
  }
}
