// How networks for text and speech are run.
import type { BertForPreTraining, BertModel } from '../../lib/backbones'
import type { Tensor } from '../../lib/tensor'
import type { Run } from './backbone-runs'

/** Tokens, mask and kinds of tokens. */
const masked: Run = {
  run: (network: BertModel | BertForPreTraining, [tokens, attentionMask, tokenTypeIds]: readonly Tensor[]) =>
    network.forward(tokens as Tensor, { attentionMask, tokenTypeIds }),
}

export const TEXT_RUNS: Readonly<Record<string, Run>> = {
  bert_base_uncased: masked,
  bert_base_uncased_pretraining: masked,
  bert_large_tiny: masked,
  bert_pretraining_tiny: masked,
  bert_decoder_tiny: {
    run: (network: BertModel, [tokens, encoderHiddenStates, encoderAttentionMask]: readonly Tensor[]) =>
      network.forward(tokens as Tensor, { encoderHiddenStates, encoderAttentionMask }),
  },
}
