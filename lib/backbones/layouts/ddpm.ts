// DDPM's U-Nets as google/ddpm-* hold them: attention with its older names.
import { Layout, type LayoutRule, layer } from './layout'

const ATTENTION = { group_norm: 'group_norm', to_q: 'query', to_k: 'key', to_v: 'value', 'to_out.0': 'proj_attn' }
const RESIDUAL = ['norm1', 'conv1', 'time_emb_proj', 'norm2', 'conv2', 'conv_shortcut']

const same = (name: string): LayoutRule[] => layer(name, name)

/** `UNet2D` with the names of diffusers' first releases. */
export const DDPM_HUB = new Layout('ddpm-hub', [
  ...['conv_in', 'time_embedding.linear_*', 'conv_norm_out', 'conv_out'].flatMap(same),
  ['class_embedding.weight', 'class_embedding.weight'],
  ...['down_blocks.*', 'up_blocks.*', 'mid_block'].flatMap((block) => [
    ...RESIDUAL.flatMap((part) => same(`${block}.resnets.*.${part}`)),
    ...Object.entries(ATTENTION).flatMap(([own, published]) =>
      layer(`${block}.attentions.*.${own}`, `${block}.attentions.*.${published}`),
    ),
  ]),
  ...same('down_blocks.*.downsamplers.0.conv'),
  ...same('up_blocks.*.upsamplers.0.conv'),
])
