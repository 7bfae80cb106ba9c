import { Layout, type LayoutRule, layer } from './layout'

/** Layers that have one name in both. */
const same = (...names: readonly string[]): LayoutRule[] => names.flatMap((name) => layer(name, name))

/** A norm as TensorFlow names its parts. */
const norm = (name: string): LayoutRule[] => [
  [`${name}.weight`, `${name}.gamma`],
  [`${name}.bias`, `${name}.beta`],
]

const BLOCK = 'bert.encoder.layer.*'

/** `BertForPreTraining` as the first published files have it, converted from TensorFlow. */
export const BERT_TENSORFLOW = new Layout('bert-tensorflow', [
  ...['word', 'position', 'token_type'].map((kind): LayoutRule => {
    const name = `bert.embeddings.${kind}_embeddings.weight`
    return [name, name]
  }),
  ...norm('bert.embeddings.LayerNorm'),
  ...same(...['query', 'key', 'value'].map((part) => `${BLOCK}.attention.self.${part}`)),
  ...same(`${BLOCK}.attention.output.dense`, `${BLOCK}.intermediate.dense`, `${BLOCK}.output.dense`),
  ...norm(`${BLOCK}.attention.output.LayerNorm`),
  ...norm(`${BLOCK}.output.LayerNorm`),
  ...same('bert.pooler.dense', 'cls.predictions.transform.dense', 'cls.seq_relationship'),
  ...norm('cls.predictions.transform.LayerNorm'),
  ['cls.predictions.bias', 'cls.predictions.bias'],
  ['cls.predictions.decoder.weight', 'cls.predictions.decoder.weight'],
  // The same tensor as cls.predictions.bias, and published under that name only.
  ['cls.predictions.decoder.bias', null],
])

const LAYER = 'encoder.layers.*'
const POSITIONS = 'encoder.pos_conv_embed.conv'

/** `Wav2Vec2Model` as it is published, with the older names of weight normalisation. */
export const WAV2VEC2_WEIGHT_NORM = new Layout('wav2vec2-weight-norm', [
  ['masked_spec_embed', 'masked_spec_embed'],
  ['feature_extractor.conv_layers.*.conv.weight', 'feature_extractor.conv_layers.*.conv.weight'],
  ...same(
    'feature_extractor.conv_layers.*.layer_norm',
    'feature_projection.layer_norm',
    'feature_projection.projection',
  ),
  [`${POSITIONS}.bias`, `${POSITIONS}.bias`],
  [`${POSITIONS}.parametrizations.weight.original0`, `${POSITIONS}.weight_g`],
  [`${POSITIONS}.parametrizations.weight.original1`, `${POSITIONS}.weight_v`],
  ...same('encoder.layer_norm', `${LAYER}.layer_norm`, `${LAYER}.final_layer_norm`),
  ...same(...['k', 'v', 'q', 'out'].map((part) => `${LAYER}.attention.${part}_proj`)),
  ...same(`${LAYER}.feed_forward.intermediate_dense`, `${LAYER}.feed_forward.output_dense`),
])
