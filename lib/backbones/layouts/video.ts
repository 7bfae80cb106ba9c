// Other published names of I3D and C3D.
import { Layout, type LayoutRule, layer } from './layout'

const MIXED = ['3b', '3c', '4b', '4c', '4d', '4e', '4f', '5b', '5c']
/** Places in the branches' lists, by the letters of the PyTorch port. */
const BRANCHES: Readonly<Record<string, string>> = {
  b0: 'branch_0',
  b1a: 'branch_1.0',
  b1b: 'branch_1.1',
  b2a: 'branch_2.0',
  b2b: 'branch_2.1',
  b3b: 'branch_3.1',
}

function unit(own: string, published: string): LayoutRule[] {
  const norm = ['weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked']
  return [
    [`${own}.conv3d.weight`, `${published}.conv3d.weight`],
    ...norm.map((end): LayoutRule => [`${own}.bn.${end}`, `${published}.batch3d.${end}`]),
  ]
}

/** `I3D` as converted from DeepMind's release by kinetics_i3d_pytorch. */
export const I3D_KINETICS = new Layout('i3d-kinetics', [
  ...['1a_7x7', '2b_1x1', '2c_3x3'].flatMap((name) => unit(`Conv3d_${name}`, `conv3d_${name}`)),
  ...MIXED.flatMap((name) =>
    Object.entries(BRANCHES).flatMap(([own, published]) => unit(`Mixed_${name}.${own}`, `mixed_${name}.${published}`)),
  ),
  ...layer('logits.conv3d', 'conv3d_0c_1x1.conv3d'),
])

const C3D_CONVS = {
  conv1: 'conv1a',
  conv2: 'conv2a',
  conv3a: 'conv3a',
  conv3b: 'conv3b',
  conv4a: 'conv4a',
  conv4b: 'conv4b',
  conv5a: 'conv5a',
  conv5b: 'conv5b',
}

/** `C3D` as MMAction2 publishes it. */
export const C3D_MMACTION = new Layout('c3d-mmaction', [
  ...Object.entries(C3D_CONVS).flatMap(([own, published]) => layer(own, `backbone.${published}.conv`)),
  ...layer('fc6', 'backbone.fc6'),
  ...layer('fc7', 'backbone.fc7'),
  ...layer('fc8', 'cls_head.fc_cls'),
])
