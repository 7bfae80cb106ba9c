import { Layout, layer, leading } from './layout'

/** `MViT`, the first version, as PyTorchVideo publishes it. */
export const MVIT_PYTORCHVIDEO = new Layout('mvit-pytorchvideo', [
  ...layer('conv_proj', 'patch_embed.patch_model'),
  ['pos_encoding.class_token', 'cls_positional_encoding.cls_token', leading(2)],
  ['pos_encoding.spatial_pos', 'cls_positional_encoding.pos_embed_spatial', leading(1)],
  ['pos_encoding.temporal_pos', 'cls_positional_encoding.pos_embed_temporal', leading(1)],
  ['pos_encoding.class_pos', 'cls_positional_encoding.pos_embed_class', leading(2)],
  ...layer('blocks.*.norm1', 'blocks.*.norm1'),
  ...layer('blocks.*.norm2', 'blocks.*.norm2'),
  ...layer(
    'blocks.*.attn.qkv',
    ['q', 'k', 'v'].map((name) => `blocks.*.attn.${name}`),
  ),
  ...layer('blocks.*.attn.project.0', 'blocks.*.attn.proj'),
  ...['q', 'k', 'v'].flatMap((name) => [
    [`blocks.*.attn.pool_${name}.pool.weight`, `blocks.*.attn.pool_${name}.weight`] as const,
    ...layer(`blocks.*.attn.pool_${name}.norm_act.0`, `blocks.*.attn.norm_${name}`),
  ]),
  ...layer('blocks.*.mlp.0', 'blocks.*.mlp.fc1'),
  ...layer('blocks.*.mlp.3', 'blocks.*.mlp.fc2'),
  ...layer('blocks.*.project', 'blocks.*.proj'),
  ...layer('norm', 'norm_embed'),
  ...layer('head.1', 'head.proj'),
])
