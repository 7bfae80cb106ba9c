import { Layout, type LayoutRule, layer } from './layout'

const STATISTICS = ['weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked']

/** A convolution without bias and the batch norm after it. */
function convNorm(own: string, conv: string, norm: string): LayoutRule[] {
  const statistics = STATISTICS.map((end): LayoutRule => [`${own}.1.${end}`, `${norm}.${end}`])
  return [[`${own}.0.weight`, `${conv}.weight`], ...statistics]
}

function squeeze(own: string, published: string): LayoutRule[] {
  return [...layer(`${own}.fc1`, `${published}.se.conv_reduce`), ...layer(`${own}.fc2`, `${published}.se.conv_expand`)]
}

/** timm's kinds of block: without an expansion, depthwise or dense; with one, depthwise or dense. */
type Kind = 'depthwise-separable' | 'conv' | 'inverted' | 'fused'

function stage(kind: Kind, index: number): LayoutRule[] {
  const own = `features.${index + 1}.*.block`
  const published = `blocks.${index}.*`
  const unit = (place: number, conv: string, norm: string) =>
    convNorm(`${own}.${place}`, `${published}.${conv}`, `${published}.${norm}`)
  switch (kind) {
    case 'depthwise-separable':
      return [...unit(0, 'conv_dw', 'bn1'), ...squeeze(`${own}.1`, published), ...unit(2, 'conv_pw', 'bn2')]
    case 'conv':
      return unit(0, 'conv', 'bn1')
    case 'fused':
      return [...unit(0, 'conv_exp', 'bn1'), ...unit(1, 'conv_pwl', 'bn2')]
    case 'inverted':
      return [
        ...unit(0, 'conv_pw', 'bn1'),
        ...unit(1, 'conv_dw', 'bn2'),
        ...squeeze(`${own}.2`, published),
        ...unit(3, 'conv_pwl', 'bn3'),
      ]
  }
}

function efficientNet(name: string, kinds: readonly Kind[]): Layout {
  return new Layout(name, [
    ...convNorm('features.0', 'conv_stem', 'bn1'),
    ...kinds.flatMap(stage),
    ...convNorm(`features.${kinds.length + 1}`, 'conv_head', 'bn2'),
    ...layer('classifier.1', 'classifier'),
  ])
}

const inverted = (count: number) => Array.from({ length: count }, (): Kind => 'inverted')

/** `EfficientNet` b0–b7 as timm publishes it. */
export const EFFICIENTNET_TIMM = efficientNet('efficientnet-timm', ['depthwise-separable', ...inverted(6)])
/** `EfficientNet` v2-s as timm publishes it. */
export const EFFICIENTNET_V2_S_TIMM = efficientNet('efficientnet-v2-s-timm', ['conv', 'fused', 'fused', ...inverted(3)])
