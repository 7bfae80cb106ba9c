import { Layout, type LayoutRule, layer } from './layout'

/** `ViTModel` and `ASTModel` as transformers calls their tensors since version 5. */
export const VIT_TRANSFORMERS_5 = new Layout('vit-transformers5', [
  ...['embeddings.cls_token', 'embeddings.distillation_token', 'embeddings.position_embeddings'].map(same),
  ...layer('embeddings.patch_embeddings.projection', 'embeddings.patch_embeddings.projection'),
  ...layer('encoder.layer.*.attention.attention.query', 'layers.*.attention.q_proj'),
  ...layer('encoder.layer.*.attention.attention.key', 'layers.*.attention.k_proj'),
  ...layer('encoder.layer.*.attention.attention.value', 'layers.*.attention.v_proj'),
  ...layer('encoder.layer.*.attention.output.dense', 'layers.*.attention.o_proj'),
  ...layer('encoder.layer.*.layernorm_before', 'layers.*.layernorm_before'),
  ...layer('encoder.layer.*.layernorm_after', 'layers.*.layernorm_after'),
  ...layer('encoder.layer.*.intermediate.dense', 'layers.*.mlp.fc1'),
  ...layer('encoder.layer.*.output.dense', 'layers.*.mlp.fc2'),
  ...layer('layernorm', 'layernorm'),
  ...layer('pooler.dense', 'pooler.dense'),
])

const LAYER = 'encoder.layer.*.'

/** `VideoMAEModel` since version 5: only the biases of queries and values have other names. */
export const VIDEOMAE_TRANSFORMERS_5 = new Layout('videomae-transformers5', [
  ...layer('embeddings.patch_embeddings.projection', 'embeddings.patch_embeddings.projection'),
  [`${LAYER}attention.attention.q_bias`, `${LAYER}attention.attention.query.bias`],
  [`${LAYER}attention.attention.v_bias`, `${LAYER}attention.attention.value.bias`],
  ...['query', 'key', 'value'].map((name) => same(`${LAYER}attention.attention.${name}.weight`)),
  ...['attention.output.dense', 'intermediate.dense', 'output.dense', 'layernorm_before', 'layernorm_after'].flatMap(
    (name) => layer(`${LAYER}${name}`, `${LAYER}${name}`),
  ),
])

function same(name: string): LayoutRule {
  return [name, name]
}
