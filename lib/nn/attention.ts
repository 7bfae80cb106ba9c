import { ArgumentError, ShapeError } from '../native/errors'
import type { DType, Tensor } from '../tensor'
import * as ops from '../tensor'
import * as init from './init'
import { Linear } from './linear'
import { Module } from './module'
import { FACTORY, type FactoryOptions, probability, wholeNumber, withDefaults } from './options'
import { type Parameter, parameter } from './roles'

/**
 * The mask of attention that sees no later position: 0 on and below the diagonal, −∞ above it, as
 * `torch.nn.Transformer.generate_square_subsequent_mask`.
 *
 * @returns `[size, size]`, float32 unless stated
 */
export function generateSquareSubsequentMask(size: number, options: FactoryOptions = {}): Tensor {
  const made = withDefaults<Required<FactoryOptions>>('generateSquareSubsequentMask', FACTORY, options)
  return ops.tidy(() => ops.full([size, size], Number.NEGATIVE_INFINITY, made).triu({ diagonal: 1 }))
}

export interface MultiheadAttentionOptions extends FactoryOptions {
  /** Probability with which attention weights are dropped in training. Default: 0. */
  readonly dropout?: number | undefined
  /** Adds learnt biases to the projections. Default: true. */
  readonly bias?: boolean | undefined
  /** Adds a learnt key and value that every query sees. Default: false. */
  readonly addBiasKv?: boolean | undefined
  /** Adds a key and value of zeros that every query sees. Default: false. */
  readonly addZeroAttn?: boolean | undefined
  /** Features of the keys. Default: `embedDim`. */
  readonly kdim?: number | undefined
  /** Features of the values. Default: `embedDim`. */
  readonly vdim?: number | undefined
  /** The batch is the first dimension. Default: false, the second. */
  readonly batchFirst?: boolean | undefined
}

export interface AttentionOptions {
  /** `[N, S]` or `[S]`: keys to leave out where true; or numbers that are added to the scores. */
  readonly keyPaddingMask?: Tensor | null | undefined
  /** `[L, S]` or `[N × numHeads, L, S]`: what a query may not see where true; or numbers that are added to the scores. */
  readonly attnMask?: Tensor | null | undefined
  /** Returns the attention weights, which costs time and memory. Default: true, as in PyTorch. */
  readonly needWeights?: boolean | undefined
  /** Averages the weights over the heads. Default: true. */
  readonly averageAttnWeights?: boolean | undefined
  /** No query sees a later key. An `attnMask` beside it must say the same; it may then be left out. Default: false. */
  readonly isCausal?: boolean | undefined
}

/**
 * Multi-head attention (Vaswani et al. 2017, section 3.2), as `torch.nn.MultiheadAttention`:
 * `softmax(Q Kᵀ / √d) V` for each head, over `scaledDotProductAttention` where the weights are not asked for.
 *
 * Shapes: query `[L, N, embedDim]`, key `[S, N, kdim]`, value `[S, N, vdim]`; `[N, L, …]` with `batchFirst`, or without
 * N → output `[L, N, embedDim]` and weights `[N, L, S]`, or `[N, numHeads, L, S]` where not averaged.
 */
export class MultiheadAttention extends Module {
  readonly qProjWeight: Parameter | null = null
  readonly kProjWeight: Parameter | null = null
  readonly vProjWeight: Parameter | null = null
  /** Rows of the query's, key's and value's projections, where their features agree. */
  readonly inProjWeight: Parameter | null = null
  readonly inProjBias: Parameter | null
  readonly biasK: Parameter | null
  readonly biasV: Parameter | null
  readonly outProj: Linear
  readonly kdim: number
  readonly vdim: number
  readonly dropout: number
  readonly addZeroAttn: boolean
  readonly batchFirst: boolean

  constructor(
    readonly embedDim: number,
    readonly numHeads: number,
    options: MultiheadAttentionOptions = {},
  ) {
    super()
    wholeNumber('MultiheadAttention: embedDim', embedDim)
    wholeNumber('MultiheadAttention: numHeads', numHeads)
    if (embedDim % numHeads !== 0) {
      throw new ArgumentError(
        `MultiheadAttention: embedDim is ${embedDim} and numHeads ${numHeads}; embedDim must be a multiple of it`,
      )
    }
    const sizes = { kdim: embedDim, vdim: embedDim }
    const flags = { dropout: 0, bias: true, addBiasKv: false, addZeroAttn: false, batchFirst: false }
    const defaults = { ...flags, ...sizes, ...FACTORY }
    const all = withDefaults<Required<MultiheadAttentionOptions>>('MultiheadAttention', defaults, options)
    const { bias, addBiasKv, dtype, device } = all
    const made = { dtype, device }
    this.kdim = wholeNumber('MultiheadAttention: kdim', all.kdim)
    this.vdim = wholeNumber('MultiheadAttention: vdim', all.vdim)
    this.dropout = probability('MultiheadAttention: dropout', all.dropout)
    this.addZeroAttn = all.addZeroAttn
    this.batchFirst = all.batchFirst
    if (this.kdim === embedDim && this.vdim === embedDim) {
      this.inProjWeight = parameter(ops.empty([3 * embedDim, embedDim], made))
    } else {
      this.qProjWeight = parameter(ops.empty([embedDim, embedDim], made))
      this.kProjWeight = parameter(ops.empty([embedDim, this.kdim], made))
      this.vProjWeight = parameter(ops.empty([embedDim, this.vdim], made))
    }
    this.inProjBias = bias ? parameter(ops.empty([3 * embedDim], made)) : null
    this.biasK = addBiasKv ? parameter(ops.empty([1, 1, embedDim], made)) : null
    this.biasV = addBiasKv ? parameter(ops.empty([1, 1, embedDim], made)) : null
    this.outProj = new Linear(embedDim, embedDim, { bias, ...made })
    this.resetParameters()
  }

  /** Draws new first values: Xavier's for the projections into the heads, biases of zero. */
  resetParameters(): void {
    for (const weight of [this.inProjWeight, this.qProjWeight, this.kProjWeight, this.vProjWeight]) {
      if (weight) init.xavierUniform_(weight)
    }
    if (this.inProjBias) init.zeros_(this.inProjBias)
    if (this.outProj.bias) init.zeros_(this.outProj.bias)
    if (this.biasK) init.xavierNormal_(this.biasK)
    if (this.biasV) init.xavierNormal_(this.biasV)
  }

  forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    options: AttentionOptions = {},
  ): [output: Tensor, weights: Tensor | null] {
    const { needWeights, averageAttnWeights, isCausal, ...masks } = withDefaults<Required<AttentionOptions>>(
      'MultiheadAttention',
      { keyPaddingMask: null, attnMask: null, needWeights: true, averageAttnWeights: true, isCausal: false },
      options,
    )
    const batched = this.#checkInputs(query, key, value)
    const [q, k, v] = this.#project(query, key, value, batched)
    const extras = k.size(2) - (batched ? key.size(this.batchFirst ? 1 : 0) : key.size(0))
    // The operator's own causal form, the fastest, knows no other mask and no keys that all queries see.
    const causalOnly = isCausal && !needWeights && !masks.keyPaddingMask && extras === 0
    const mask = causalOnly ? null : this.#mask(q, k, extras, { ...masks, isCausal })

    const dropoutP = this.training ? this.dropout : 0
    if (!needWeights) {
      const heads = ops.scaledDotProductAttention(q, k, v, { attnMask: mask, dropoutP, isCausal: causalOnly })
      return [this.#join(heads, batched), null]
    }
    const scores = q.div(Math.sqrt(q.size(3))).matmul(k.transpose(-2, -1))
    const weights = ops.dropout((mask ? scores.add(mask) : scores).softmax(-1), dropoutP, this.training)
    const shown = averageAttnWeights ? weights.mean({ dim: [1] }) : weights
    return [this.#join(weights.matmul(v), batched), batched ? shown : shown.squeeze(0)]
  }

  /** Queries, keys and values of each head, `[N, numHeads, L or S, embedDim / numHeads]`. */
  #project(query: Tensor, key: Tensor, value: Tensor, batched: boolean): [q: Tensor, k: Tensor, v: Tensor] {
    const projected = this.#projectAll(query, key, value)
    const [q, k, v] = projected.map((x) => (!batched ? x.unsqueeze(0) : this.batchFirst ? x : x.transpose(0, 1))) as [
      Tensor,
      Tensor,
      Tensor,
    ]
    return [this.#split(q), this.#split(this.#extend(k, this.biasK)), this.#split(this.#extend(v, this.biasV))]
  }

  #projectAll(query: Tensor, key: Tensor, value: Tensor): Tensor[] {
    // One product for self-attention is faster than three.
    if (this.inProjWeight && query === key && key === value) {
      return ops.linear(query, this.inProjWeight, { bias: this.inProjBias }).chunk(3, { dim: -1 })
    }
    const weights = this.inProjWeight?.chunk(3) ?? [this.qProjWeight, this.kProjWeight, this.vProjWeight]
    const biases = this.inProjBias?.chunk(3) ?? []
    return [query, key, value].map((x, i) => ops.linear(x, weights[i] as Tensor, { bias: biases[i] ?? null }))
  }

  /** Adds the key or value that is learnt, and that of zeros. */
  #extend(x: Tensor, bias: Tensor | null): Tensor {
    const size = [x.size(0), 1, this.embedDim]
    const { dtype, device } = x
    const learnt = bias ? [bias.expand(size)] : []
    const zero = this.addZeroAttn ? [ops.zeros(size, { dtype, device })] : []
    return learnt.length + zero.length > 0 ? ops.cat([x, ...learnt, ...zero], { dim: 1 }) : x
  }

  #split(x: Tensor): Tensor {
    return x.reshape([x.size(0), x.size(1), this.numHeads, this.embedDim / this.numHeads]).transpose(1, 2)
  }

  #join(heads: Tensor, batched: boolean): Tensor {
    const joined = this.outProj.forward(heads.transpose(1, 2).flatten({ startDim: 2 }))
    return !batched ? joined.squeeze(0) : this.batchFirst ? joined : joined.transpose(0, 1)
  }

  /** Everything that masks, as numbers to add to the scores `[N, numHeads, L, S]`; null for nothing. */
  #mask(
    q: Tensor,
    k: Tensor,
    extras: number,
    { keyPaddingMask, attnMask, isCausal }: Pick<AttentionOptions, 'keyPaddingMask' | 'attnMask' | 'isCausal'>,
  ): Tensor | null {
    const [batch, steps, keys] = [q.size(0), q.size(2), k.size(2) - extras]
    const { dtype, device } = q
    const parts: Tensor[] = []
    if (attnMask) parts.push(this.#attentionMask(attnMask, batch, steps, keys, dtype))
    else if (isCausal) {
      const later = ops.full([steps, keys], Number.NEGATIVE_INFINITY, { dtype, device }).triu({ diagonal: 1 })
      parts.push(later)
    }
    if (keyPaddingMask) {
      const shape = keyPaddingMask.ndim === 1 ? [1, ...keyPaddingMask.shape] : keyPaddingMask.shape
      if (String(shape) !== String([batch, keys])) {
        throw maskError('keyPaddingMask', keyPaddingMask, `[${batch}, ${keys}]`)
      }
      parts.push(toNumbers(keyPaddingMask, dtype).reshape([batch, 1, 1, keys]))
    }
    const [first, second] = parts
    if (first === undefined) return null
    const both = second === undefined ? first : first.add(second)
    return extras > 0 ? ops.constantPadNd(both, [0, extras]) : both
  }

  #attentionMask(mask: Tensor, batch: number, steps: number, keys: number, dtype: DType): Tensor {
    const heads = batch * this.numHeads
    if (String(mask.shape) === String([steps, keys])) return toNumbers(mask, dtype)
    if (String(mask.shape) !== String([heads, steps, keys])) {
      throw maskError('attnMask', mask, `[${steps}, ${keys}] or [${heads}, ${steps}, ${keys}]`)
    }
    return toNumbers(mask, dtype).reshape([batch, this.numHeads, steps, keys])
  }

  /** Whether there is a batch dimension. */
  #checkInputs(query: Tensor, key: Tensor, value: Tensor): boolean {
    const expected = { query: this.embedDim, key: this.kdim, value: this.vdim }
    const rank = query.ndim
    for (const [name, tensor] of Object.entries({ query, key, value })) {
      const features = expected[name as keyof typeof expected]
      if (tensor.ndim === rank && (rank === 2 || rank === 3) && tensor.shape.at(-1) === features) continue
      const batches = this.batchFirst ? '[N, L, ' : '[L, N, '
      throw new ShapeError(
        `MultiheadAttention: ${name} is [${tensor.shape.join(', ')}]; expected ${batches}${features}], or [L, ${features}] for all three`,
      )
    }
    return rank === 3
  }

  protected override describeOptions(): string {
    return `${this.embedDim}, ${this.numHeads}`
  }
}

/** A mask of booleans, true for what is hidden, as numbers to add. */
function toNumbers(mask: Tensor, dtype: DType): Tensor {
  if (mask.dtype !== 'bool') return mask.to(dtype)
  return ops.zeros(mask.shape, { dtype, device: mask.device }).maskedFill(mask, Number.NEGATIVE_INFINITY)
}

function maskError(name: string, mask: Tensor, expected: string): ShapeError {
  return new ShapeError(`MultiheadAttention: ${name} is [${mask.shape.join(', ')}]; expected ${expected}`)
}
