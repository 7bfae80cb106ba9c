// GPT-2 with the names of the transformers package.
import { Dropout, Embedding, init, LayerNorm, Module, ModuleList, type Parameter, parameter } from '../nn'
import { withDefaults } from '../nn/options'
import { addmm, arange, cat, empty, ones, type Tensor, zeros } from '../tensor'
import { type GeneratedText, type GenerateOptions, generate } from './generate'
import type { NetworkEntry } from './network'
import {
  type ActivationName,
  activationOf,
  addMasks,
  appendKeyValues,
  attend,
  causalMask,
  checkTokens,
  headWidth,
  initNormal,
  type KeyValues,
  type LayerCache,
  paddingMask,
  splitHeads,
  TiedLinear,
} from './text-blocks'

export interface Gpt2Options {
  readonly vocabSize?: number
  readonly nPositions?: number
  readonly nEmbd?: number
  readonly nLayer?: number
  readonly nHead?: number
  /** Width within the feed-forward parts; null for four times `nEmbd`. */
  readonly nInner?: number | null
  readonly activationFunction?: ActivationName
  readonly residPdrop?: number
  readonly embdPdrop?: number
  readonly attnPdrop?: number
  readonly layerNormEpsilon?: number
  readonly initializerRange?: number
}

const GPT2 = {
  vocabSize: 50257,
  nPositions: 1024,
  nEmbd: 768,
  nLayer: 12,
  nHead: 12,
  nInner: null,
  activationFunction: 'geluTanh',
  residPdrop: 0.1,
  embdPdrop: 0.1,
  attnPdrop: 0.1,
  layerNormEpsilon: 1e-5,
  initializerRange: 0.02,
} as const satisfies Required<Gpt2Options>

type Config = Required<Gpt2Options>

/** `y = x W + b` with the weight `[in, out]`: OpenAI's convolution of width 1. */
class Conv1D extends Module {
  readonly weight: Parameter
  readonly bias: Parameter

  constructor(
    readonly inFeatures: number,
    readonly outFeatures: number,
    std: number,
  ) {
    super()
    this.weight = parameter(empty([inFeatures, outFeatures]))
    this.bias = parameter(zeros([outFeatures]))
    init.normal_(this.weight, { std })
  }

  forward(x: Tensor): Tensor {
    const rows = addmm(this.bias, x.reshape([-1, this.inFeatures]), this.weight)
    return rows.reshape([...x.shape.slice(0, -1), this.outFeatures])
  }

  protected override describeOptions(): string {
    return `${this.inFeatures}, ${this.outFeatures}`
  }
}

/** Branches that are summed begin smaller the more of them there are (Radford et al. 2019, §2.3). */
const residualStd = ({ initializerRange, nLayer }: Config) => initializerRange / Math.sqrt(2 * nLayer)

class Attention extends Module {
  readonly cAttn: Conv1D
  readonly cProj: Conv1D
  readonly residDropout: Dropout
  readonly heads: number
  readonly dropout: number

  constructor(config: Config) {
    super()
    const { nEmbd, nHead, initializerRange } = config
    headWidth('GPT-2', nEmbd, nHead)
    this.heads = nHead
    this.dropout = config.attnPdrop
    this.cAttn = new Conv1D(nEmbd, 3 * nEmbd, initializerRange)
    this.cProj = new Conv1D(nEmbd, nEmbd, residualStd(config))
    this.residDropout = new Dropout({ p: config.residPdrop })
  }

  forward(x: Tensor, mask: Tensor | null, past: KeyValues | undefined): { y: Tensor; seen: KeyValues } {
    const [query, key, value] = this.cAttn
      .forward(x)
      .chunk(3, { dim: -1 })
      .map((part) => splitHeads(part, this.heads)) as [Tensor, Tensor, Tensor]
    const seen = appendKeyValues(past, key, value)
    const y = this.cProj.forward(attend(query, seen, { mask, dropout: this.training ? this.dropout : 0 }))
    return { y: this.residDropout.forward(y), seen }
  }
}

class MLP extends Module {
  readonly cFc: Conv1D
  readonly cProj: Conv1D
  readonly dropout: Dropout
  readonly activation: (x: Tensor) => Tensor

  constructor(config: Config) {
    super()
    const { nEmbd, nInner, initializerRange } = config
    const width = nInner ?? 4 * nEmbd
    this.cFc = new Conv1D(nEmbd, width, initializerRange)
    this.cProj = new Conv1D(width, nEmbd, residualStd(config))
    this.dropout = new Dropout({ p: config.residPdrop })
    this.activation = activationOf(config.activationFunction)
  }

  forward(x: Tensor): Tensor {
    return this.dropout.forward(this.cProj.forward(this.activation(this.cFc.forward(x))))
  }
}

class Block extends Module {
  readonly ln_1: LayerNorm
  readonly attn: Attention
  readonly ln_2: LayerNorm
  readonly mlp: MLP

  constructor(config: Config) {
    super()
    this.ln_1 = new LayerNorm(config.nEmbd, { eps: config.layerNormEpsilon })
    this.attn = new Attention(config)
    this.ln_2 = new LayerNorm(config.nEmbd, { eps: config.layerNormEpsilon })
    this.mlp = new MLP(config)
  }

  forward(x: Tensor, mask: Tensor | null, past: KeyValues | undefined): { hidden: Tensor; seen: KeyValues } {
    const { y, seen } = this.attn.forward(this.ln_1.forward(x), mask, past)
    const hidden = y.add(x)
    return { hidden: this.mlp.forward(this.ln_2.forward(hidden)).add(hidden), seen }
  }
}

export interface Gpt2Inputs {
  /** 1 for tokens and 0 for padding, `[N, L]`, tokens of the cache included; default all ones. */
  readonly attentionMask?: Tensor | null
  readonly positionIds?: Tensor | null
  readonly cache?: readonly LayerCache[] | null
  /** Whether the result holds a cache; default false. */
  readonly useCache?: boolean
}

/**
 * GPT-2 (Radford et al. 2019): a stack of transformer decoder layers whose tokens see those before them.
 *
 * Shapes: token numbers int64 `[N, L]` → `lastHiddenState` `[N, L, nEmbd]`.
 */
export class GPT2Model extends Module {
  readonly wte: Embedding
  readonly wpe: Embedding
  readonly drop: Dropout
  readonly h: ModuleList<Block>
  readonly ln_f: LayerNorm
  readonly config: Readonly<Config>

  constructor(options: Gpt2Options = {}) {
    super()
    const config = withDefaults<Config>('GPT-2', GPT2, options)
    this.config = config
    this.wte = new Embedding(config.vocabSize, config.nEmbd)
    this.wpe = new Embedding(config.nPositions, config.nEmbd)
    this.drop = new Dropout({ p: config.embdPdrop })
    this.h = new ModuleList(Array.from({ length: config.nLayer }, () => new Block(config)))
    this.ln_f = new LayerNorm(config.nEmbd, { eps: config.layerNormEpsilon })
    initNormal(this, config.initializerRange)
  }

  /** @throws ShapeError for more tokens than there are positions, those of the cache included */
  forward(tokens: Tensor, inputs: Gpt2Inputs = {}): { lastHiddenState: Tensor; cache: readonly LayerCache[] | null } {
    const { attentionMask, positionIds, cache = null, useCache = false } = inputs
    const past = cache?.[0]?.self.key.shape[2] ?? 0
    const [batch, length] = checkTokens('GPT-2', tokens, this.config.nPositions, past)
    const positions = positionIds ?? arange(past, past + length, { dtype: 'int64', device: tokens.device }).unsqueeze(0)
    let x = this.drop.forward(this.wte.forward(tokens).add(this.wpe.forward(positions)))
    const padding = attentionMask ? paddingMask(attentionMask, batch, past + length, x.dtype) : null
    const mask = addMasks(padding, length > 1 ? causalMask(length, past + length, x) : null)
    const next: LayerCache[] = []
    for (const [i, block] of [...this.h].entries()) {
      const { hidden, seen } = block.forward(x, mask, cache?.[i]?.self)
      x = hidden
      next.push({ self: seen, cross: null })
    }
    return { lastHiddenState: this.ln_f.forward(x), cache: useCache ? next : null }
  }
}

/** GPT-2 with scores of every word for the token after each: `logits` `[N, L, vocabSize]`. */
export class GPT2LMHeadModel extends Module {
  readonly transformer: GPT2Model
  readonly lmHead: TiedLinear

  constructor(options: Gpt2Options = {}) {
    super()
    this.transformer = new GPT2Model(options)
    this.lmHead = new TiedLinear(this.transformer.wte.weight)
  }

  forward(tokens: Tensor, inputs: Gpt2Inputs = {}): { logits: Tensor; cache: readonly LayerCache[] | null } {
    const { lastHiddenState, cache } = this.transformer.forward(tokens, inputs)
    return { logits: this.lmHead.forward(lastHiddenState), cache }
  }

  /**
   * Continues texts `[N, L]`; shorter ones are padded before their first token, and `attentionMask` says where.
   * Other options as `generate`.
   */
  generate(
    tokens: Tensor,
    { attentionMask, ...options }: GenerateOptions & { readonly attentionMask?: Tensor | null } = {},
  ): Promise<GeneratedText[]> {
    const { numBeams = 1 } = options
    const given = attentionMask?.repeatInterleave(numBeams, { dim: 0 }).to('int64')
    return generate(
      (next, cache) => {
        const [rows = 0, length = 0] = next.shape
        const all = (cache?.[0]?.self.key.shape[2] ?? 0) + length
        const more = all - (given?.shape[1] ?? 0)
        const mask = given && cat([given, ones([rows, more], { dtype: 'int64', device: given.device })], { dim: 1 })
        const positionIds = mask
          ?.cumsum(1)
          .sub(1)
          .clamp({ min: 0 })
          .narrow(1, all - length, length)
        const out = this.transformer.forward(next, { attentionMask: mask, positionIds, cache, useCache: true })
        return { logits: this.lmHead.forward(out.lastHiddenState.select(1, -1)), cache: out.cache ?? [] }
      },
      tokens,
      options,
    )
  }
}

export const gpt2 = (options?: Gpt2Options) => new GPT2Model(options)
export const gpt2Medium = (options?: Gpt2Options) => new GPT2Model({ nEmbd: 1024, nLayer: 24, nHead: 16, ...options })
export const gpt2Lm = (options?: Gpt2Options) => new GPT2LMHeadModel(options)

const text = { task: 'text', input: { kind: 'text' } } as const

export const GPT2S = {
  gpt2: { create: gpt2, ...text, features: 'ln_f' },
  gpt2_medium: { create: gpt2Medium, ...text, features: 'ln_f' },
  gpt2_lm: { create: gpt2Lm, ...text, features: 'transformer.ln_f' },
} as const satisfies Readonly<Record<string, NetworkEntry<Gpt2Options>>>
