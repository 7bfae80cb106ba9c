// How networks for text and speech are run.
import type { BertInputs, BertModel } from '../../lib/backbones'
import type { Module } from '../../lib/nn'
import type { Tensor } from '../../lib/tensor'
import type { Run } from './backbone-runs'

type TextNetwork = Module & { forward(tokens: Tensor, inputs: BertInputs): unknown }

/** Tokens, mask, and kinds of tokens where the network has them. */
const masked: Run = {
  run: (network: TextNetwork, [tokens, attentionMask, tokenTypeIds]: readonly Tensor[]) =>
    network.forward(tokens as Tensor, { attentionMask, tokenTypeIds }),
}

const MASKED = [
  'bert_base_uncased',
  'bert_base_uncased_pretraining',
  'bert_large_tiny',
  'bert_pretraining_tiny',
  'distilbert_base_uncased',
  'distilbert_tiny',
  'roberta_base',
  'roberta_tiny',
  'xlm_roberta_base',
  'xlm_roberta_tiny',
  'mpnet_base',
  'mpnet_tiny',
]

export const TEXT_RUNS: Readonly<Record<string, Run>> = {
  ...Object.fromEntries(MASKED.map((name) => [name, masked])),
  bert_decoder_tiny: {
    run: (network: BertModel, [tokens, encoderHiddenStates, encoderAttentionMask]: readonly Tensor[]) =>
      network.forward(tokens as Tensor, { encoderHiddenStates, encoderAttentionMask }),
  },
}
