import { ConfigError, ShapeError } from '../native/errors'
import type { Tensor } from '../tensor'
import { noGrad } from '../tensor/autograd'
import { tidy } from '../tensor/scope'
import { Conv1d, Conv2d, Conv3d, type ConvOptions } from './conv'
import { Linear } from './linear'
import type { Module } from './module'
import type { BatchNorm1d, BatchNorm2d, BatchNorm3d } from './norm'
import type { Rank } from './options'

type BatchNorm = BatchNorm1d | BatchNorm2d | BatchNorm3d

/**
 * A convolution that computes `bn(conv(x))` with the batch norm's running statistics, as
 * `torch.nn.utils.fusion.fuse_conv_bn_eval`. Both modules stay as they are.
 *
 * For a whole network, `capture(fn, { optimize: true })` does the same without changing it.
 *
 * @throws ConfigError when one of them is in training, or the batch norm keeps no statistics
 * @throws ShapeError when their channels differ
 */
export function fuseConvBnEval(conv: Conv1d, bn: BatchNorm): Conv1d
export function fuseConvBnEval(conv: Conv2d, bn: BatchNorm): Conv2d
export function fuseConvBnEval(conv: Conv3d, bn: BatchNorm): Conv3d
export function fuseConvBnEval(conv: Conv1d | Conv2d | Conv3d, bn: BatchNorm): Conv1d | Conv2d | Conv3d {
  check('fuseConvBnEval', conv, conv.outChannels, bn)
  return fill(emptyLike(conv), conv, bn)
}

/**
 * A linear layer that computes `bn(linear(x))` with the batch norm's running statistics, as
 * `torch.nn.utils.fusion.fuse_linear_bn_eval`. Both modules stay as they are.
 *
 * @throws ConfigError when one of them is in training, or the batch norm keeps no statistics
 * @throws ShapeError when their features differ
 */
export function fuseLinearBnEval(linear: Linear, bn: BatchNorm): Linear {
  check('fuseLinearBnEval', linear, linear.outFeatures, bn)
  const { inFeatures, outFeatures, weight } = linear
  return fill(new Linear(inFeatures, outFeatures, { dtype: weight.dtype, device: weight.device }), linear, bn)
}

function check(caller: string, layer: Module, channels: number, bn: BatchNorm): void {
  if (layer.training || bn.training) {
    const which = layer.training ? layer.constructor.name : bn.constructor.name
    throw new ConfigError(`${caller}: the ${which} is in training, where its statistics still move; call eval() first`)
  }
  if (bn.runningMean === null || bn.runningVar === null) {
    throw new ConfigError(
      `${caller}: the ${bn.constructor.name} has trackRunningStats: false, so it has no statistics to fold`,
    )
  }
  if (bn.numFeatures !== channels) {
    throw new ShapeError(
      `${caller}: the ${bn.constructor.name} has ${bn.numFeatures} features, the ${layer.constructor.name} gives ${channels}`,
    )
  }
}

/** A convolution of the same shape, with a bias. */
function emptyLike(conv: Conv1d | Conv2d | Conv3d): Conv1d | Conv2d | Conv3d {
  const { inChannels, outChannels, weight } = conv
  const options = <R extends Rank>() =>
    ({
      stride: conv.stride,
      padding: conv.padding,
      paddingMode: conv.paddingMode,
      dilation: conv.dilation,
      groups: conv.groups,
      dtype: weight.dtype,
      device: weight.device,
    }) as ConvOptions<R>
  const size = conv.kernelSize
  if (conv instanceof Conv1d) return new Conv1d(inChannels, outChannels, size as [number], options<1>())
  if (conv instanceof Conv2d) return new Conv2d(inChannels, outChannels, size as [number, number], options<2>())
  return new Conv3d(inChannels, outChannels, size as [number, number, number], options<3>())
}

interface Affine extends Module {
  readonly weight: Tensor
  readonly bias: Tensor | null
}

/** Writes the folded weights of `layer` and `bn` into `target`. */
function fill<Layer extends Affine>(target: Layer, layer: Affine, bn: BatchNorm): Layer {
  noGrad(() =>
    tidy(() => {
      const { runningMean, runningVar, weight, bias, eps } = bn
      if (runningMean === null || runningVar === null) return
      const inverse = runningVar.add(eps).rsqrt()
      const scale = weight ? inverse.mul(weight) : inverse
      const centred = layer.bias ? layer.bias.sub(runningMean) : runningMean.neg()
      const shift = centred.mul(scale)
      target.weight.copy_(layer.weight.mul(scale.reshape([-1, ...layer.weight.shape.slice(1).map(() => 1)])))
      target.bias?.copy_(bias ? shift.add(bias) : shift)
    }),
  )
  return target.eval()
}
