import { Layout, layer } from './layout'

const IN_PROJ = 'encoder.layers.encoder_layer_*.self_attention.in_proj'

/** `VisionTransformer` as timm publishes ViT and DeiT. */
export const VIT_TIMM = new Layout('vit-timm', [
  ['class_token', 'cls_token'],
  ['dist_token', 'dist_token'],
  ['encoder.pos_embedding', 'pos_embed'],
  ...layer('conv_proj', 'patch_embed.proj'),
  ...layer('encoder.layers.encoder_layer_*.ln_1', 'blocks.*.norm1'),
  ...layer(IN_PROJ, 'blocks.*.attn.qkv', '_'),
  ...layer('encoder.layers.encoder_layer_*.self_attention.out_proj', 'blocks.*.attn.proj'),
  ...layer('encoder.layers.encoder_layer_*.ln_2', 'blocks.*.norm2'),
  ...layer('encoder.layers.encoder_layer_*.mlp.0', 'blocks.*.mlp.fc1'),
  ...layer('encoder.layers.encoder_layer_*.mlp.3', 'blocks.*.mlp.fc2'),
  ...layer('encoder.ln', 'norm'),
  ...layer('heads.head', 'head'),
  ...layer('head_dist', 'head_dist'),
])

const hf = (name: string) => `vit.encoder.layer.*.${name}`

/** `VisionTransformer` as transformers publishes `ViTForImageClassification`. */
export const VIT_HF = new Layout('vit-hf', [
  ['class_token', 'vit.embeddings.cls_token'],
  ['encoder.pos_embedding', 'vit.embeddings.position_embeddings'],
  ...layer('conv_proj', 'vit.embeddings.patch_embeddings.projection'),
  ...layer('encoder.layers.encoder_layer_*.ln_1', hf('layernorm_before')),
  ...layer(
    IN_PROJ,
    ['query', 'key', 'value'].map((name) => hf(`attention.attention.${name}`)),
    '_',
  ),
  ...layer('encoder.layers.encoder_layer_*.self_attention.out_proj', hf('attention.output.dense')),
  ...layer('encoder.layers.encoder_layer_*.ln_2', hf('layernorm_after')),
  ...layer('encoder.layers.encoder_layer_*.mlp.0', hf('intermediate.dense')),
  ...layer('encoder.layers.encoder_layer_*.mlp.3', hf('output.dense')),
  ...layer('encoder.ln', 'vit.layernorm'),
  ...layer('heads.head', 'classifier'),
])
