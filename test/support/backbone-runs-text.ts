// How networks for text and speech are run.
import type { BertInputs, BertModel, T5Model, Wav2Vec2Model } from '../../lib/backbones'
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
  't5_base_encoder',
  't5_encoder_tiny',
]

/** Tokens of both halves, and a mask for the encoder's. */
const encoderDecoder: Run = {
  run: (network: T5Model, [tokens, decoderTokens, attentionMask]: readonly Tensor[]) =>
    network.forward(tokens as Tensor, decoderTokens as Tensor, { attentionMask }),
}

export const TEXT_RUNS: Readonly<Record<string, Run>> = {
  ...Object.fromEntries(MASKED.map((name) => [name, masked])),
  ...Object.fromEntries(['t5_base', 't5_base_lm', 't5_tiny', 't5_lm_tiny'].map((name) => [name, encoderDecoder])),
  wav2vec2_base: {
    unused: { names: /^masked_spec_embed$/, why: 'it stands where pretraining masks frames' },
  },
  wav2vec2_tiny: {
    run: (network: Wav2Vec2Model, [waveform, mask]: readonly Tensor[]) =>
      network.forward(waveform as Tensor, { maskTimeIndices: mask?.ne(0) }),
  },
  bert_decoder_tiny: {
    run: (network: BertModel, [tokens, encoderHiddenStates, encoderAttentionMask]: readonly Tensor[]) =>
      network.forward(tokens as Tensor, { encoderHiddenStates, encoderAttentionMask }),
  },
}
