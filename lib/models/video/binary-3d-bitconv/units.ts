// What the networks are made of: a convolution of one bit with what stands around it (Fig. 2), in training and packed,
// and the float layers in its place.
import {
  AvgPool3d,
  BatchNorm3d,
  BinaryConv3d,
  Conv3d,
  fuseConvBnEval,
  Identity,
  init,
  type Layer,
  Module,
  PackedBinaryConv3d,
  type Parameter,
  parameter,
  ReLU,
} from '../../../nn'
import { type BinaryEstimator, type BinaryScale, binarySign } from '../../../ops'
import { cat, conv3d, ones, prelu, type Tensor, zeros } from '../../../tensor'

export type Triple = readonly [time: number, height: number, width: number]

/** Steps of the training: floats behind a clip, signs of activations alone, signs of both. */
export const STAGES = ['real', 'activations', 'binary'] as const
export type Stage = (typeof STAGES)[number]

/** Which networks a unit is for. */
export interface UnitPlan {
  /** `packed` is a trained `binary` for inference. */
  readonly precision: 'binary' | 'packed' | 'float'
  readonly shortcut: boolean
  readonly sign2: boolean
  readonly scale: BinaryScale
  readonly estimator: BinaryEstimator
  readonly downsample: 'conv' | 'avgpool'
}

export interface UnitShape {
  readonly from: number
  readonly to: number
  readonly kernel: Triple
  readonly stride: Triple
}

/** Zeros that keep the size at stride 1. */
const halves = ([t, h, w]: Triple): Triple => [Math.floor(t / 2), Math.floor(h / 2), Math.floor(w / 2)]

/**
 * Sign1 and the convolution: its `bias` is Sign1's. The master weights and the bias are the same in all stages of the
 * training.
 */
export class StagedBinaryConv3d extends BinaryConv3d {
  stage: Stage = 'binary'

  override forward(input: Tensor): Tensor {
    if (this.stage === 'binary') return super.forward(input)
    const { weight, bias, stride, padding, estimator } = this
    const shifted = bias ? input.add(bias.reshape([1, -1, 1, 1, 1])) : input
    const active = this.stage === 'real' ? shifted.clamp({ min: -1, max: 1 }) : binarySign(shifted, estimator)
    return conv3d(active, weight, { stride, padding })
  }
}

/** Bias, PReLU and bias again, each of one number a channel. It holds no sign, despite the paper's name. */
export class Sign2 extends Module {
  readonly bias1: Parameter
  readonly slope: Parameter
  readonly bias2: Parameter

  constructor(channels: number) {
    super()
    this.bias1 = parameter(zeros([channels]))
    this.slope = parameter(ones([channels]))
    this.bias2 = parameter(zeros([channels]))
    init.constant_(this.slope, 0.25)
  }

  forward(x: Tensor): Tensor {
    return prelu(x.add(perChannel(this.bias1)), this.slope).add(perChannel(this.bias2))
  }
}

const perChannel = (values: Tensor) => values.reshape([1, -1, 1, 1, 1])

/** Sign1 → convolution → batch norm → (+ shortcut) → Sign2. */
export class BinaryUnit extends Module {
  readonly conv: StagedBinaryConv3d
  readonly norm: BatchNorm3d
  readonly sign2: Sign2 | null

  constructor({ from, to, kernel, stride }: UnitShape, { scale, estimator, sign2 }: UnitPlan) {
    super()
    this.conv = new StagedBinaryConv3d(from, to, kernel, { stride, padding: halves(kernel), scale, estimator })
    this.norm = new BatchNorm3d(to)
    this.sign2 = sign2 ? new Sign2(to) : null
    init.kaimingNormal_(this.conv.weight)
  }

  /** @param shortcut added before Sign2; with half of the channels it is taken twice */
  forward(x: Tensor, shortcut: Tensor | null = null): Tensor {
    const y = this.norm.forward(this.conv.forward(x))
    const sum = shortcut === null ? y : y.add(widened(shortcut, y.size(1)))
    return this.sign2?.forward(sum) ?? sum
  }

  /** The same for inference. */
  toPacked(): PackedBinaryConv3d {
    const { bias1, slope, bias2 } = this.sign2 ?? {}
    return this.conv.toPacked({ norm: this.norm, bias1, slope, bias2 })
  }
}

/** Channels side by side until there are enough: channel c is channel c mod C. */
function widened(x: Tensor, channels: number): Tensor {
  const times = channels / x.size(1)
  return times === 1 ? x : cat(new Array<Tensor>(times).fill(x), { dim: 1 })
}

/** A `BinaryUnit` for inference: bits, whole numbers, and one multiply-add. */
export class PackedUnit extends Module {
  readonly conv: PackedBinaryConv3d

  constructor({ from, to, kernel, stride }: UnitShape) {
    super()
    this.conv = new PackedBinaryConv3d(from, to, kernel, { stride, padding: halves(kernel) })
  }

  /** @param x floats, or bits that the unit before has made */
  forward(x: Tensor, shortcut: Tensor | null = null): Tensor {
    const { output } = this.conv.forward(x, { residual: shortcut })
    return output as Tensor
  }
}

/** Convolution → (batch norm) → (+ shortcut) → ReLU: what the paper compares with. */
export class FloatUnit extends Module {
  readonly conv: Conv3d
  readonly norm: BatchNorm3d | null
  readonly relu = new ReLU()

  constructor({ from, to, kernel, stride }: UnitShape, { norm = true } = {}) {
    super()
    this.conv = new Conv3d(from, to, kernel, { stride, padding: halves(kernel), bias: !norm })
    this.norm = norm ? new BatchNorm3d(to) : null
    init.kaimingNormal_(this.conv.weight)
    if (this.conv.bias) init.zeros_(this.conv.bias)
  }

  forward(x: Tensor, shortcut: Tensor | null = null): Tensor {
    const convolved = this.conv.forward(x)
    const y = this.norm?.forward(convolved) ?? convolved
    return this.relu.forward(shortcut === null ? y : y.add(shortcut))
  }
}

/** A convolution that stays float in all networks, and its norm; one convolution of both once packed. */
export class ConvNorm extends Module {
  readonly pool: AvgPool3d | null
  readonly conv: Conv3d
  readonly norm: BatchNorm3d | null

  /** @param options `pool`: averages in place of the stride */
  constructor({ from, to, kernel, stride }: UnitShape, { packed = false, pool = false } = {}) {
    super()
    const isPooled = pool && stride.some((step) => step > 1)
    this.pool = isPooled ? new AvgPool3d(stride, { ceilMode: true, countIncludePad: false }) : null
    this.conv = new Conv3d(from, to, kernel, { stride: isPooled ? 1 : stride, padding: halves(kernel), bias: packed })
    this.norm = packed ? null : new BatchNorm3d(to)
    init.kaimingNormal_(this.conv.weight)
  }

  forward(x: Tensor): Tensor {
    const y = this.conv.forward(this.pool?.forward(x) ?? x)
    return this.norm?.forward(y) ?? y
  }

  /** Weight and bias of both together; in evaluation mode. */
  fused(): Conv3d {
    return this.norm === null ? this.conv : fuseConvBnEval(this.conv, this.norm)
  }
}

export type Unit = BinaryUnit | PackedUnit | FloatUnit

/** A convolution of a block. @param norm of the float network alone; the binary one always has it */
export function createUnit(plan: UnitPlan, shape: UnitShape, { norm = true } = {}): Unit {
  if (plan.precision === 'float') return new FloatUnit(shape, { norm })
  return plan.precision === 'packed' ? new PackedUnit(shape) : new BinaryUnit(shape, plan)
}

/** A clip in the order in memory in which the units work: packed ones read and write channels last. */
export function inputOf(clip: Tensor, { precision }: Pick<UnitPlan, 'precision'>): Tensor {
  return precision === 'packed' ? clip.contiguous({ memoryFormat: 'channels_last_3d' }) : clip
}

/** What ends a bottleneck: Sign2, nothing without it, or ReLU. */
export function createActivation({ precision, sign2 }: UnitPlan, channels: number): Layer {
  if (precision === 'float') return new ReLU()
  return sign2 ? new Sign2(channels) : new Identity()
}

/** Shortcuts of two units in a row. */
export interface PairShortcuts {
  readonly first: Tensor | null
  /** Whether what the first unit gives is the shortcut of the second. */
  readonly second: boolean
}

/** Two units in a row. Packed ones hand each other bits, and floats only where the shortcut reads them. */
export function runPair(first: Unit, second: Unit, x: Tensor, shortcuts: PairShortcuts): Tensor {
  if (first instanceof PackedUnit && second instanceof PackedUnit) {
    const { output, bits } = first.conv.forward(x, {
      residual: shortcuts.first,
      nextBias: second.conv.bias,
      returns: shortcuts.second ? 'both' : 'bits',
    })
    return second.forward(bits as Tensor, shortcuts.second ? (output ?? null) : null)
  }
  const h = first.forward(x, shortcuts.first)
  return second.forward(h, shortcuts.second ? h : null)
}
