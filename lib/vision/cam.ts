// Where a network looks: class activation maps.
import { ArgumentError, ShapeError } from '../native/errors'
import { nearestNames } from '../native/nearest'
import type { Module } from '../nn'
import { interpolate } from '../nn/functional'
import { enableGrad, grad, keep, Tensor, tensor, tidy } from '../tensor'
import { own } from '../tensor/scope'

export interface GradCamOptions {
  /** The part whose activations are weighed, or its dotted name: usually the last with places, such as `layer4`. */
  readonly layer: string | Module
  /** A class for each input, or one for all; the network's own choice unless stated. */
  readonly target?: number | readonly number[]
  /** `'grad-cam'` (default) or `'grad-cam++'`. */
  readonly method?: 'grad-cam' | 'grad-cam++'
  /** Turns activations into `[N, C, H, W]` where they are something else, such as the tokens of a transformer. */
  readonly arrange?: (activations: Tensor) => Tensor
}

/**
 * Grad-CAM (Selvaraju et al., ICCV 2017): activations of a layer, each channel weighed by the mean gradient of the
 * class's score; or Grad-CAM++ (Chattopadhyay et al., WACV 2018), by the sum of positive gradients, weighed by place.
 *
 * The network is to be in evaluation behaviour; its parameters get no gradients.
 *
 * @param model gives scores `[N, classes]`
 * @param input `[N, C, H, W]`
 * @returns `[N, H, W]` in the size of the input, each from 0 to 1; zeros where nothing speaks for the class
 * @throws ArgumentError when there is no such layer, it does not run, or the scores do not depend on it
 * @throws ShapeError when activations are not `[N, C, H, W]` or scores not `[N, classes]`
 */
export function gradCam(
  model: Module & { forward(input: Tensor): unknown },
  input: Tensor,
  { layer, target, method = 'grad-cam', arrange }: GradCamOptions,
): Tensor {
  return tidy(() =>
    enableGrad(() => {
      const [activations, scores] = runUntil(model, input, layerOf(model, layer))
      const chosen = classesOf(scores, target)
      const [gradient] = gradientOf(scores.gather(1, chosen).sum(), activations)
      const [maps, slopes] = [activations.detach(), gradient.detach()].map((each) => arrange?.(each) ?? each) as [
        Tensor,
        Tensor,
      ]
      if (maps.ndim !== 4) {
        throw new ShapeError(`gradCam: the layer gives [${maps.shape}]; it is to be [N, C, H, W]: give { arrange }`)
      }
      const weights =
        method === 'grad-cam' ? slopes.mean({ dim: [2, 3], keepdim: true }) : plusPlusWeights(maps, slopes)
      return toPicture(maps.mul(weights).sum({ dim: [1] }), input)
    }),
  )
}

/**
 * Class activation maps (Zhou et al., CVPR 2016), for networks that end in global pooling and one linear layer.
 *
 * @param activations `[N, C, H, W]`, what is pooled
 * @param weight `[classes, C]` of the linear layer
 * @param target a class for each input, or one for all
 * @param size height and width of the result; that of the activations unless stated
 * @returns `[N, height, width]`, each from 0 to 1
 */
export function classActivationMap(
  activations: Tensor,
  weight: Tensor,
  target: number | readonly number[],
  size?: readonly [height: number, width: number],
): Tensor {
  if (activations.ndim !== 4 || weight.ndim !== 2 || activations.shape[1] !== weight.shape[1]) {
    throw new ShapeError(
      `classActivationMap: activations [${activations.shape}], weight [${weight.shape}]; they are [N, C, H, W] and [classes, C]`,
    )
  }
  return tidy(() => {
    const [count = 0, channels = 0, height = 1, width = 1] = activations.shape
    const classes = classNumbers(target, count, weight.shape[0] ?? 0)
    const rows = weight.detach().indexSelect(0, classes).reshape([count, channels, 1, 1])
    const map = activations
      .detach()
      .mul(rows)
      .sum({ dim: [1] })
    return scaled(map, size ?? [height, width])
  })
}

/** Runs a network and gives what a layer gave, and the scores. */
function runUntil(
  model: Module & { forward(input: Tensor): unknown },
  input: Tensor,
  layer: Module,
): [activations: Tensor, scores: Tensor] {
  let activations: Tensor | undefined
  const handle = layer.registerForwardHook((_, __, output) => {
    if (!(output instanceof Tensor))
      throw new ArgumentError('gradCam: the layer gives no single tensor; take one inside it')
    activations = keep(output)
    // What follows may overwrite its input; it gets a copy.
    return output.clone()
  })
  try {
    // Frozen networks record nothing unless their input does.
    const scores = model.forward(input.detach().clone().requiresGrad_())
    if (activations === undefined) throw new ArgumentError('gradCam: the layer did not run; take another')
    if (!(scores instanceof Tensor) || scores.ndim !== 2) {
      throw new ShapeError('gradCam: the network is to give scores [N, classes]; wrap it in a module that does')
    }
    return [activations, scores]
  } finally {
    handle.remove()
    // Back into the scope that it was taken out of the layer's for.
    if (activations !== undefined) own(activations)
  }
}

function gradientOf(score: Tensor, activations: Tensor): [Tensor] {
  const [gradient] = grad([score], [activations], { allowUnused: true })
  if (gradient) return [gradient]
  throw new ArgumentError('gradCam: the scores do not depend on what the layer gave; take an earlier one')
}

function layerOf(model: Module, layer: string | Module): Module {
  if (typeof layer !== 'string') return layer
  const layers = new Map(model.namedModules())
  const found = layers.get(layer)
  if (found) return found
  const near = nearestNames(layer, [...layers.keys()].filter(Boolean)).join(', ')
  throw new ArgumentError(`gradCam: ${model.constructor.name} has no layer '${layer}'; the nearest names are ${near}`)
}

function classesOf(scores: Tensor, target: GradCamOptions['target']): Tensor {
  if (target === undefined) return scores.detach().argmax({ dim: 1, keepdim: true })
  const [count = 0, classes = 0] = scores.shape
  return classNumbers(target, count, classes).unsqueeze(1).to(scores.device)
}

function classNumbers(target: number | readonly number[], count: number, classes: number): Tensor {
  const numbers = typeof target === 'number' ? new Array<number>(count).fill(target) : target
  const wrong = numbers.find((number) => !Number.isInteger(number) || number < 0 || number >= classes)
  if (numbers.length !== count || wrong !== undefined) {
    throw new ArgumentError(
      `class activation: target is [${numbers}] for ${count} inputs and ${classes} classes; give one class from 0 to ${classes - 1} for each`,
    )
  }
  return tensor(BigInt64Array.from(numbers, BigInt))
}

/** Closed form of the place weights of Grad-CAM++ for an exponential score. */
function plusPlusWeights(maps: Tensor, slopes: Tensor): Tensor {
  const [second, third] = [slopes.square(), slopes.pow(3)]
  const below = second.mul(2).add(maps.sum({ dim: [2, 3], keepdim: true }).mul(third))
  const alphas = second.div(below.where(below.ne(0), 1))
  return alphas.mul(slopes.relu()).sum({ dim: [2, 3], keepdim: true })
}

function toPicture(map: Tensor, input: Tensor): Tensor {
  const [height = 1, width = 1] = input.shape.slice(-2)
  return scaled(map, [height, width])
}

/** Positive values, enlarged, from 0 to 1. */
function scaled(map: Tensor, [height, width]: readonly [number, number]): Tensor {
  const positive = map.relu().unsqueeze(1)
  const large = interpolate(positive, { size: [height, width], mode: 'bilinear' }).squeeze(1)
  const most = large.amax({ dim: [1, 2], keepdim: true })
  return large.div(most.where(most.gt(0), 1))
}
