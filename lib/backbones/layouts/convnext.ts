import { Layout, type LayoutChange, type LayoutRule, layer } from './layout'

/** One number a channel: `[C, 1, 1]` here, `[C]` there. */
const CHANNELS: LayoutChange = {
  toPublished: (own) => own.flatten(),
  fromPublished: (published) => published.reshape([-1, 1, 1]),
}

function stage(index: number): LayoutRule[] {
  const block = `features.${2 * index + 1}.*`
  const published = `stages.${index}.blocks.*`
  const downsample = index === 0 ? 'stem' : `stages.${index}.downsample`
  return [
    ...layer(`features.${2 * index}.0`, `${downsample}.0`),
    ...layer(`features.${2 * index}.1`, `${downsample}.1`),
    [`${block}.layer_scale`, `${published}.gamma`, CHANNELS],
    ...layer(`${block}.block.0`, `${published}.conv_dw`),
    ...layer(`${block}.block.2`, `${published}.norm`),
    ...layer(`${block}.block.3`, `${published}.mlp.fc1`),
    ...layer(`${block}.block.5`, `${published}.mlp.fc2`),
  ]
}

/** `ConvNeXt` as timm publishes it. */
export const CONVNEXT_TIMM = new Layout('convnext-timm', [
  ...[0, 1, 2, 3].flatMap(stage),
  ...layer('classifier.0', 'head.norm'),
  ...layer('classifier.2', 'head.fc'),
])
