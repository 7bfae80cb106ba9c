import { Layout, type LayoutRule, layer } from './layout'

/** `SwinTransformer` (the first version) as timm publishes it. */
export const SWIN_TIMM = new Layout('swin-timm', [
  ...layer('features.0.0', 'patch_embed.proj'),
  ...layer('features.0.2', 'patch_embed.norm'),
  ...[0, 1, 2, 3].flatMap(stage),
  ...layer('norm', 'norm'),
  ...layer('head', 'head.fc'),
])

function stage(i: number): LayoutRule[] {
  const [own, published] = [`features.${2 * i + 1}.*`, `layers.${i}.blocks.*`]
  return [
    [`${own}.attn.relative_position_bias_table`, `${published}.attn.relative_position_bias_table`],
    [`${own}.attn.relative_position_index`, null],
    ...['norm1', 'attn.qkv', 'attn.proj', 'norm2'].flatMap((name) => layer(`${own}.${name}`, `${published}.${name}`)),
    ...layer(`${own}.mlp.0`, `${published}.mlp.fc1`),
    ...layer(`${own}.mlp.3`, `${published}.mlp.fc2`),
    [`features.${2 * i}.reduction.weight`, `layers.${i}.downsample.reduction.weight`],
    ...layer(`features.${2 * i}.norm`, `layers.${i}.downsample.norm`),
  ]
}
