// RoBERTa and XLM-R, with the names of the transformers package: BERT whose positions begin after the padding's.
import { BertModel } from './bert'
import type { BertOptions, PositionRule } from './bert-blocks'
import type { NetworkEntry } from './network'

const PADDING = 1

/** Tokens are counted from the row after the padding's; padding has the padding's row itself. */
export function positionsAfter(padding: number): PositionRule {
  return (tokens, past) => {
    const isToken = tokens.ne(padding).to('int64')
    return isToken.cumsum(1).add(past).mul(isToken).add(padding)
  }
}

/**
 * RoBERTa (Liu et al. 2019): BERT's network, trained longer, with two positions more than tokens, since row
 * `padTokenId` of the positions is the padding's.
 *
 * Shapes as `BertModel`.
 */
export class RobertaModel extends BertModel {
  constructor(options: BertOptions = {}) {
    const { padTokenId = PADDING } = options
    super(
      { vocabSize: 50265, maxPositionEmbeddings: 514, typeVocabSize: 1, layerNormEps: 1e-5, padTokenId, ...options },
      { rule: positionsAfter(padTokenId), padding: padTokenId },
    )
  }
}

export const robertaBase = (options?: BertOptions) => new RobertaModel(options)
/** XLM-R (Conneau et al., ACL 2020): RoBERTa over a hundred languages. */
export const xlmRobertaBase = (options?: BertOptions) => new RobertaModel({ vocabSize: 250002, ...options })

const text = { task: 'text', input: { kind: 'text' }, features: 'pooler' } as const

export const ROBERTAS = {
  roberta_base: { create: robertaBase, ...text },
  xlm_roberta_base: { create: xlmRobertaBase, ...text },
} as const satisfies Readonly<Record<string, NetworkEntry<BertOptions>>>
