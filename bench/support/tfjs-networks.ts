// The networks of networks.ts in tfjs, with batch norms folded beforehand: tfjs has no such pass.
import type { BatchNorm2d, Conv2d, Linear } from '../../lib/nn'
import { Conv2d as Convolution, BatchNorm2d as Norm, Sequential } from '../../lib/nn'
import { noGrad, type Tensor, tidy } from '../../lib/tensor'
import { Bottleneck, InvertedResidual, type MobileNetV2, ResNet } from './networks'
import type { Tf, TfActivation, TfTensor } from './tfjs-api'

interface FoldedConv {
  readonly filter: TfTensor
  readonly bias: TfTensor
  readonly stride: number
  readonly padding: number
  readonly depthwise: boolean
}

/** A function from an NHWC image to scores. */
export function inTfjs(tf: Tf, network: ResNet | MobileNetV2): (x: TfTensor) => TfTensor {
  const fold = folder(tf)
  return network instanceof ResNet ? resnet(tf, network, fold) : mobileNet(tf, network, fold)
}

function folder(tf: Tf) {
  return (conv: Conv2d, norm: BatchNorm2d): FoldedConv =>
    noGrad(() =>
      tidy(() => {
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
      const [conv, norm] = side ? [...side] : []
      return {
        convs: [fold(block.conv1, block.bn1), fold(block.conv2, block.bn2), fold(block.conv3, block.bn3)] as const,
        side: conv instanceof Convolution && norm instanceof Norm ? fold(conv, norm) : undefined,
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
    if (!(conv instanceof Convolution && norm instanceof Norm)) throw new Error('bench: a layer is no convolution')
    return { conv: fold(conv, norm), activation }
  }
  const stages = [...network.features].map((layer) => {
    if (!(layer instanceof InvertedResidual)) return { shortcut: false, steps: [convNorm(layer, 'relu6')] }
    const inner = [...layer.conv]
    const narrow = new Sequential(...inner.slice(-2))
    return {
      shortcut: layer.shortcut,
      steps: [...inner.slice(0, -2).map((each) => convNorm(each, 'relu6')), convNorm(narrow, 'linear')],
    }
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
