// What a network takes, counted as the paper's Table 2 does, on the modules themselves.
import { Conv3d, type Module, PackedBinaryConv3d } from '../../../nn'
import { noGrad, type Tensor, tidy } from '../../../tensor'
import type { ActionNetwork } from './model'
import { BinaryUnit, StagedBinaryConv3d } from './units'

/**
 * Parameters as the paper's "Memory (Mb)" has them, in ones: without the last classifier, weights of one bit as 1/32.
 *
 * @param options `shifts: false` leaves out the biases and slopes of Sign1 and Sign2, as the paper did for I3D
 */
export function equivalentParameters(
  model: ActionNetwork,
  { shifts = true }: { readonly shifts?: boolean } = {},
): number {
  const learnt = model.parameterCount() - model.classifier.parameterCount()
  const signs = binaryWeights(model)
  const extra = shifts
    ? 0
    : [...model.namedParameters()].reduce((sum, [name, p]) => sum + (isShift(name, model) ? p.numel : 0), 0)
  return learnt - signs - extra + signs / 32
}

/** Weights of one bit. */
export function binaryWeights(model: Module): number {
  let sum = 0
  for (const module of model.modules()) if (module instanceof BinaryUnit) sum += module.conv.weight.numel
  return sum
}

function isShift(name: string, model: Module): boolean {
  if (/(^|\.)(bias1|slope|bias2)$/.test(name)) return true
  const owner = name.slice(0, name.lastIndexOf('.'))
  const module = [...model.namedModules()].find(([key]) => key === owner)?.[1]
  return module instanceof StagedBinaryConv3d && name.endsWith('.bias')
}

/** Multiply-adds of a clip. */
export interface Operations {
  /** In convolutions of one bit, where they are bit operations. */
  readonly binary: number
  /** In float convolutions. */
  readonly float: number
}

/**
 * Counts the multiply-adds of the convolutions, those with padding too, by running a clip.
 *
 * @param clip `[1, 3, T, H, W]`
 */
export function convolutionOperations(model: ActionNetwork, clip: Tensor): Operations {
  const sums = { binary: 0, float: 0 }
  const hooks = [...model.modules()].flatMap((module) => {
    if (!(module instanceof Conv3d || module instanceof BinaryUnit)) return []
    const kind = module instanceof Conv3d ? 'float' : 'binary'
    const { inChannels, kernelSize } = module instanceof Conv3d ? module : module.conv
    const taps = [...kernelSize].reduce((product: number, size: number) => product * size, inChannels)
    const hook = module.registerForwardHook((_module, _args, output) => {
      sums[kind] += (output as Tensor).numel * taps
    })
    return [hook]
  })
  const wasTraining = model.training
  try {
    model.eval()
    noGrad(() => tidy(() => void model.forward(clip)))
  } finally {
    for (const hook of hooks) hook.remove()
    model.train(wasTraining)
  }
  return sums
}

/** Bytes of the tensors of a network as it is written, and of what belongs to its convolutions of one bit. */
export function storedBytes(model: Module): { readonly total: number; readonly words: number; readonly sides: number } {
  const bytes = (tensors: Iterable<Tensor>) =>
    [...tensors].reduce((sum, { numel, dtype }) => sum + numel * (dtype === 'int64' ? 8 : 4), 0)
  let [words, all] = [0, 0]
  for (const module of model.modules()) {
    if (!(module instanceof PackedBinaryConv3d)) continue
    words += bytes([module.weight])
    all += bytes(module.stateDict().values())
  }
  return { total: bytes(model.stateDict().values()), words, sides: all - words }
}
