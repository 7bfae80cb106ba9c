// SPADE as published: spectral norms with the names of PyTorch's older hook.
import { Layout, type LayoutRule, layer } from './layout'

const STATISTICS = ['running_mean', 'running_var', 'num_batches_tracked']
const PLACES = ['0', '1', 's']

/** A convolution under spectral norm. */
function spectral(name: string): LayoutRule[] {
  return [
    [`${name}.bias`, `${name}.bias`],
    [`${name}.parametrizations.weight.original`, `${name}.weight_orig`],
    [`${name}.parametrizations.weight.0._u`, `${name}.weight_u`],
    [`${name}.parametrizations.weight.0._v`, `${name}.weight_v`],
  ]
}

function spadeNorm(name: string): LayoutRule[] {
  return [
    ...STATISTICS.map((end): LayoutRule => [`${name}.param_free_norm.${end}`, `${name}.param_free_norm.${end}`]),
    ...['mlp_shared.0', 'mlp_gamma', 'mlp_beta'].flatMap((each) => layer(`${name}.${each}`, `${name}.${each}`)),
  ]
}

/** `SPADEGenerator` and `MultiscaleDiscriminator` with spectral norm, as NVlabs/SPADE publishes them. */
export const SPADE_HOOKS = new Layout('spade-hooks', [
  ...['fc', 'conv_img'].flatMap((name) => layer(name, name)),
  ...['head_*', 'G_middle_*', 'up_*'].flatMap((block) =>
    PLACES.flatMap((place) => [...spectral(`${block}.conv_${place}`), ...spadeNorm(`${block}.norm_${place}`)]),
  ),
  ...layer('discriminator_*.model*.0', 'discriminator_*.model*.0'),
  ...spectral('discriminator_*.model*.0'),
  ...spectral('discriminator_*.model*.0.0'),
])
