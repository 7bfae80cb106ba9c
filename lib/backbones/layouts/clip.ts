import { Layout, type LayoutRule, layer, TRANSPOSED } from './layout'

/** `CLIP` with a ViT as transformers publishes `CLIPModel`. */
export const CLIP_HF = new Layout('clip-hf', [
  ['logit_scale', 'logit_scale'],
  ['token_embedding.weight', 'text_model.embeddings.token_embedding.weight'],
  ['positional_embedding', 'text_model.embeddings.position_embedding.weight'],
  ...blocks('transformer', 'text_model'),
  ...layer('ln_final', 'text_model.final_layer_norm'),
  ['text_projection', 'text_projection.weight', TRANSPOSED],
  ['visual.class_embedding', 'vision_model.embeddings.class_embedding'],
  ['visual.conv1.weight', 'vision_model.embeddings.patch_embedding.weight'],
  ['visual.positional_embedding', 'vision_model.embeddings.position_embedding.weight'],
  ...layer('visual.ln_pre', 'vision_model.pre_layrnorm'),
  ...blocks('visual.transformer', 'vision_model'),
  ...layer('visual.ln_post', 'vision_model.post_layernorm'),
  ['visual.proj', 'visual_projection.weight', TRANSPOSED],
])

function blocks(own: string, published: string): LayoutRule[] {
  const [block, its] = [`${own}.resblocks.*`, `${published}.encoder.layers.*`]
  return [
    ...layer(`${block}.ln_1`, `${its}.layer_norm1`),
    ...layer(
      `${block}.attn.in_proj`,
      ['q', 'k', 'v'].map((name) => `${its}.self_attn.${name}_proj`),
      '_',
    ),
    ...layer(`${block}.attn.out_proj`, `${its}.self_attn.out_proj`),
    ...layer(`${block}.ln_2`, `${its}.layer_norm2`),
    ...layer(`${block}.mlp.c_fc`, `${its}.mlp.fc1`),
    ...layer(`${block}.mlp.c_proj`, `${its}.mlp.fc2`),
  ]
}
