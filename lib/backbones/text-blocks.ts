// What the transformers for text and speech share: attention of several heads, its masks and its cache.
import { ArgumentError, ShapeError } from '../native/errors'
import { Embedding, init, Linear, Module, type Parameter } from '../nn'
import { dropout as drop } from '../nn/functional'
import { wholeNumber } from '../nn/options'
import {
  arange,
  cat,
  type Device,
  type DType,
  gelu,
  linear,
  relu,
  scaledDotProductAttention,
  silu,
  type Tensor,
} from '../tensor'

/** Keys and values of tokens that attention has seen, each `[N, heads, L, headDim]`. */
export interface KeyValues {
  readonly key: Tensor
  readonly value: Tensor
}

/** What a decoder's layer remembers between steps: its own tokens, and the encoder's. */
export interface LayerCache {
  readonly self: KeyValues
  readonly cross: KeyValues | null
}

export type ActivationName = 'gelu' | 'geluTanh' | 'relu' | 'silu'

const ACTIVATIONS: Readonly<Record<ActivationName, (x: Tensor) => Tensor>> = {
  gelu: (x) => gelu(x),
  geluTanh: (x) => gelu(x, { approximate: 'tanh' }),
  relu,
  silu,
}

/** @throws ArgumentError when there is none of that name */
export function activationOf(name: ActivationName): (x: Tensor) => Tensor {
  if (Object.hasOwn(ACTIVATIONS, name)) return ACTIVATIONS[name]
  throw new ArgumentError(`there is no activation '${String(name)}'; there are ${Object.keys(ACTIVATIONS).join(', ')}`)
}

/** `[N, L, D]` → `[N, heads, L, D / heads]`. */
export function splitHeads(x: Tensor, heads: number): Tensor {
  return x.unflatten(-1, [heads, -1]).transpose(1, 2)
}

/** `[N, heads, L, headDim]` → `[N, L, heads · headDim]`. */
export function mergeHeads(x: Tensor): Tensor {
  return x.transpose(1, 2).flatten({ startDim: 2 })
}

/** New keys and values after those of earlier steps. */
export function appendKeyValues(past: KeyValues | undefined, key: Tensor, value: Tensor): KeyValues {
  return past ? { key: cat([past.key, key], { dim: 2 }), value: cat([past.value, value], { dim: 2 }) } : { key, value }
}

export interface AttendOptions {
  /** Added to the scores; broadcast to `[N, heads, queries, keys]`. */
  readonly mask?: Tensor | null
  /** Of the weights, where the network is in training. */
  readonly dropout?: number
  /** Default 1/√headDim. */
  readonly scale?: number
}

/** Attention of heads `[N, heads, L, headDim]`, the heads joined again: `[N, queries, heads · headDim]`. */
export function attend(query: Tensor, { key, value }: KeyValues, options: AttendOptions = {}): Tensor {
  const { mask = null, dropout = 0, scale = null } = options
  return mergeHeads(scaledDotProductAttention(query, key, value, { attnMask: mask, dropoutP: dropout, scale }))
}

/**
 * As `attend`, for a mask that is learnt: step by step, since LibTorch's attention takes another way, with other
 * rounding, where the mask needs a gradient.
 */
export function attendLearnt(
  query: Tensor,
  { key, value }: KeyValues,
  mask: Tensor | null,
  options: Omit<AttendOptions, 'mask'> = {},
): Tensor {
  const { dropout: p = 0, scale = 1 / Math.sqrt(query.shape[3] ?? 1) } = options
  const scores = query.mul(scale).matmul(key.transpose(2, 3))
  const weights = (mask ? scores.add(mask) : scores).softmax(-1)
  return mergeHeads((p > 0 ? drop(weights, { p }) : weights).matmul(value))
}

/** Attention with projections before and after it, as Whisper's and Wav2Vec2's layers have it. */
export class ProjectedAttention extends Module {
  readonly kProj: Linear
  readonly vProj: Linear
  readonly qProj: Linear
  readonly outProj: Linear
  readonly heads: number
  readonly dropout: number

  /** @param name of the network, for errors */
  constructor(
    name: string,
    width: number,
    {
      heads,
      dropout,
      keyBias = true,
    }: { readonly heads: number; readonly dropout: number; readonly keyBias?: boolean },
  ) {
    super()
    headWidth(name, width, heads)
    this.heads = heads
    this.dropout = dropout
    this.kProj = new Linear(width, width, { bias: keyBias })
    this.vProj = new Linear(width, width)
    this.qProj = new Linear(width, width)
    this.outProj = new Linear(width, width)
  }

  keyValues(x: Tensor): KeyValues {
    return { key: splitHeads(this.kProj.forward(x), this.heads), value: splitHeads(this.vProj.forward(x), this.heads) }
  }

  /** @param seen what is attended to: the tokens themselves unless given */
  forward(x: Tensor, seen: KeyValues = this.keyValues(x), mask: Tensor | null = null): Tensor {
    const query = splitHeads(this.qProj.forward(x), this.heads)
    return this.outProj.forward(attend(query, seen, { mask, dropout: this.training ? this.dropout : 0 }))
  }
}

/** Finite, so that a row whose every key is hidden stays a number. */
const LOWEST: Readonly<Partial<Record<DType, number>>> = {
  float64: -Number.MAX_VALUE,
  float32: -3.4028234663852886e38,
  bfloat16: -3.3895313892515355e38,
  float16: -65504,
}

function lowest(dtype: DType): number {
  const value = LOWEST[dtype]
  if (value !== undefined) return value
  throw new ArgumentError(`attention in ${dtype}; it needs a floating-point type`)
}

/**
 * A mask to add, `[N, 1, 1, keys]`, from one that is 1 for tokens and 0 for padding, `[N, keys]`.
 *
 * @throws ShapeError when the mask has another shape
 */
export function paddingMask(mask: Tensor, batch: number, keys: number, dtype: DType): Tensor {
  if (String(mask.shape) !== String([batch, keys])) {
    throw new ShapeError(
      `attentionMask is [${mask.shape.join(', ')}]; it must be [${batch}, ${keys}], 1 for tokens and 0 for padding, those of earlier steps included`,
    )
  }
  const hidden = mask.reshape([batch, 1, 1, keys]).eq(0)
  return hidden.to(dtype).mul(lowest(dtype))
}

/** A mask to add, `[queries, keys]`, that hides later tokens; the queries are the last of the keys. */
export function causalMask(queries: number, keys: number, { dtype, device }: { dtype: DType; device: Device }): Tensor {
  const column = arange(keys, { dtype: 'int64', device })
  const row = arange(keys - queries, keys, { dtype: 'int64', device }).unsqueeze(1)
  return column.gt(row).to(dtype).mul(lowest(dtype))
}

/** The sum of masks where more than one hides something; hidden twice is hidden. */
export function addMasks(a: Tensor | null, b: Tensor | null): Tensor | null {
  return a && b ? a.minimum(b) : (a ?? b)
}

/** `y = x Aᵀ + b` with a weight that is another layer's too. */
export class TiedLinear extends Module {
  constructor(
    readonly weight: Parameter,
    readonly bias: Parameter | null = null,
  ) {
    super()
  }

  forward(input: Tensor): Tensor {
    return linear(input, this.weight, { bias: this.bias })
  }

  protected override describeOptions(): string {
    const [to, from] = this.weight.shape
    return `${from}, ${to}`
  }
}

/** First values of BERT and its kin: weights normal, biases and the padding row zero. */
export function initNormal(module: Module, std: number): void {
  for (const layer of module.modules()) {
    if (layer instanceof Linear) {
      init.normal_(layer.weight, { std })
      if (layer.bias) init.zeros_(layer.bias)
    } else if (layer instanceof Embedding) {
      init.normal_(layer.weight, { std })
      if (layer.paddingIdx !== null) init.zeros_(layer.weight.select(0, layer.paddingIdx))
    }
  }
}

/** @throws ArgumentError when the width cannot be shared equally between the heads */
export function headWidth(name: string, width: number, heads: number): number {
  wholeNumber(`${name}: heads`, heads)
  if (width % heads === 0) return width / heads
  throw new ArgumentError(`${name}: a width of ${width} does not divide into ${heads} heads`)
}

/** @throws ShapeError when tokens are not `[N, L]` or more than there are positions for */
export function checkTokens(
  name: string,
  tokens: Tensor,
  positions: number,
  before = 0,
): readonly [batch: number, length: number] {
  const [batch, length] = tokens.shape
  if (tokens.ndim !== 2 || batch === undefined || length === undefined) {
    throw new ShapeError(`${name}: the tokens are [${tokens.shape.join(', ')}]; they must be [N, L]`)
  }
  if (before + length > positions) {
    throw new ShapeError(
      `${name}: ${before + length} tokens; it has positions for ${positions}: cut the text, or make it with more of them`,
    )
  }
  return [batch, length]
}
