// ResNet and MobileNet v2 in tfjs, with batch norms folded beforehand: tfjs has no such pass.
import { Bottleneck, InvertedResidual, MobileNetV2, ResNet } from '../../lib/backbones'
import { BatchNorm2d, Conv2d, type Layer, type Linear, Sequential } from '../../lib/nn'
import { noGrad, type Tensor, tidy } from '../../lib/tensor'
import type { Tf, TfActivation, TfTensor } from './tfjs-api'

interface FoldedConv {
  readonly filter: TfTensor
  readonly bias: TfTensor
  readonly stride: number
  readonly padding: number
  readonly depthwise: boolean
}

/** A function from an NHWC image to scores. */
export function inTfjs(tf: Tf, network: Layer): (x: TfTensor) => TfTensor {
  const fold = folder(tf)
  if (network instanceof ResNet) return resnet(tf, network, fold)
  if (network instanceof MobileNetV2) return mobileNet(tf, network, fold)
  throw new Error('bench: this network is not written for tfjs')
}

function folder(tf: Tf) {
  return (conv: Layer | undefined, norm: Layer | undefined): FoldedConv =>
    noGrad(() =>
      tidy(() => {
        if (!(conv instanceof Conv2d && norm instanceof BatchNorm2d))
          throw new Error('bench: a layer is no convolution')
        const { runningMean, runningVar, weight, bias } = norm
        if (!runningMean || !runningVar || !weight || !bias) throw new Error('bench: a batch norm without statistics')
        const scale = runningVar.add(norm.eps).rsqrt().mul(weight)
        const shift = bias.sub(runningMean.mul(scale))
        const depthwise = conv.groups > 1
        // OIHW to HWIO; of a depthwise filter, C1HW to HWC1.
        const order = depthwise ? [2, 3, 0, 1] : [2, 3, 1, 0]
        const folded = conv.weight.mul(scale.reshape([-1, 1, 1, 1])).permute(order)
        const data = (t: Tensor) => t.contiguous().dataSync() as Float32Array
        return {
          filter: tf.tensor(data(folded), folded.shape),
          bias: tf.tensor(data(shift), shift.shape),
          stride: conv.stride[0] ?? 1,
          padding: typeof conv.padding === 'string' ? 0 : (conv.padding[0] ?? 0),
          depthwise,
        }
      }),
    )
}

type Fold = ReturnType<typeof folder>

function apply(tf: Tf, x: TfTensor, conv: FoldedConv, activation: TfActivation): TfTensor {
  const { filter, bias, stride, padding, depthwise } = conv
  const options = { x, filter, strides: stride, pad: padding, dimRoundingMode: 'floor' as const, bias, activation }
  return depthwise ? tf.fused.depthwiseConv2d(options) : tf.fused.conv2d(options)
}

function classifier(tf: Tf, { weight, bias }: Linear): (features: TfTensor) => TfTensor {
  const copy = (t: Tensor) => tidy(() => tf.tensor(t.contiguous().dataSync() as Float32Array, t.shape))
  if (bias === null) throw new Error('bench: the classifier has no bias')
  const [w, b] = [copy(weight.detach().t()), copy(bias.detach())]
  return (features) => tf.fused.matMul({ a: features, b: w, bias: b })
}

function resnet(tf: Tf, network: ResNet, fold: Fold) {
  const stem = fold(network.conv1, network.bn1)
  const blocks = [network.layer1, network.layer2, network.layer3, network.layer4].flatMap((stage) =>
    [...stage].map((block) => {
      if (!(block instanceof Bottleneck)) throw new Error('bench: tfjs runs bottleneck blocks only')
      const side = block.downsample
      return {
        convs: [fold(block.conv1, block.bn1), fold(block.conv2, block.bn2), fold(block.conv3, block.bn3)] as const,
        side: side ? fold(side.at(0), side.at(1)) : undefined,
      }
    }),
  )
  const head = classifier(tf, network.fc)
  return (x: TfTensor) =>
    tf.tidy(() => {
      let y = tf.maxPool(apply(tf, x, stem, 'relu'), 3, 2, 1, 'floor')
      for (const { convs, side } of blocks) {
        const inner = apply(tf, apply(tf, y, convs[0], 'relu'), convs[1], 'relu')
        const shortcut = side ? apply(tf, y, side, 'linear') : y
        y = tf.relu(tf.add(apply(tf, inner, convs[2], 'linear'), shortcut))
      }
      return head(tf.mean(y, [1, 2]))
    })
}

function mobileNet(tf: Tf, network: MobileNetV2, fold: Fold) {
  const convNorm = (layer: unknown, activation: TfActivation) => {
    const [conv, norm] = layer instanceof Sequential ? [...layer] : []
    return { conv: fold(conv, norm), activation }
  }
  const stages = [...network.features].map((layer) => {
    if (!(layer instanceof InvertedResidual)) return { shortcut: false, steps: [convNorm(layer, 'relu6')] }
    const inner = [...layer.conv]
    const narrow = new Sequential(...inner.slice(-2))
    const steps = [...inner.slice(0, -2).map((each) => convNorm(each, 'relu6')), convNorm(narrow, 'linear')]
    const [first, last] = [steps[0]?.conv.filter, steps.at(-1)?.conv.filter]
    const shortcut = first?.shape[2] === last?.shape[3] && steps.every(({ conv }) => conv.stride === 1)
    return { shortcut, steps }
  })
  const head = classifier(tf, network.classifier.at(1) as Linear)
  return (x: TfTensor) =>
    tf.tidy(() => {
      let y = x
      for (const { shortcut, steps } of stages) {
        const z = steps.reduce((value, { conv, activation }) => apply(tf, value, conv, activation), y)
        y = shortcut ? tf.add(y, z) : z
      }
      return head(tf.mean(y, [1, 2]))
    })
}
