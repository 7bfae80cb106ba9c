// RAFT, dense optical flow, with torchvision's names.
import { ShapeError } from '../native/errors'
import { BatchNorm2d, Conv2d, functional as F, InstanceNorm2d, init, type Layer, Module, ReLU, Sequential } from '../nn'
import { arange, cat, meshgrid, stack, type Tensor, tidy } from '../tensor'
import type { NetworkEntry } from './network'
import { CorrelationPyramid } from './raft-correlation'

type Norm = (channels: number) => Layer
type Pair = readonly [number, number]

/** Convolution that keeps the size at stride 1, its norm, ReLU. */
function convNormReLU(
  from: number,
  to: number,
  kernel: number,
  { norm, stride = 1, activation = true }: { norm?: Norm | undefined; stride?: number; activation?: boolean } = {},
): Sequential {
  const layers: Layer[] = [new Conv2d(from, to, kernel, { stride, padding: Math.floor(kernel / 2) })]
  if (norm) layers.push(norm(to))
  if (activation) layers.push(new ReLU({ inplace: true }))
  return new Sequential(...layers)
}

/** Two 3×3 convolutions beside a shortcut. */
class ResidualBlock extends Module {
  readonly convnormrelu1: Sequential
  readonly convnormrelu2: Sequential
  readonly downsample: Sequential | null

  constructor(from: number, to: number, stride: number, norm: Norm | undefined) {
    super()
    this.convnormrelu1 = convNormReLU(from, to, 3, { norm, stride })
    this.convnormrelu2 = convNormReLU(to, to, 3, { norm })
    this.downsample = stride === 1 ? null : convNormReLU(from, to, 1, { norm, stride, activation: false })
  }

  forward(input: Tensor): Tensor {
    const y = this.convnormrelu2.forward(this.convnormrelu1.forward(input))
    return (this.downsample?.forward(input) ?? input).add(y).relu()
  }
}

/** 1×1, 3×3, 1×1 beside a shortcut, a quarter of the channels within. */
class BottleneckBlock extends Module {
  readonly convnormrelu1: Sequential
  readonly convnormrelu2: Sequential
  readonly convnormrelu3: Sequential
  readonly downsample: Sequential | null

  constructor(from: number, to: number, stride: number, norm: Norm | undefined) {
    super()
    const within = to / 4
    this.convnormrelu1 = convNormReLU(from, within, 1, { norm })
    this.convnormrelu2 = convNormReLU(within, within, 3, { norm, stride })
    this.convnormrelu3 = convNormReLU(within, to, 1, { norm })
    this.downsample = stride === 1 ? null : convNormReLU(from, to, 1, { norm, stride, activation: false })
  }

  forward(input: Tensor): Tensor {
    const y = this.convnormrelu3.forward(this.convnormrelu2.forward(this.convnormrelu1.forward(input)))
    return (this.downsample?.forward(input) ?? input).add(y).relu()
  }
}

type Block = typeof ResidualBlock | typeof BottleneckBlock
type Widths = readonly [stem: number, first: number, second: number, third: number, out: number]

/** Features at an eighth of the size. */
class FeatureEncoder extends Module {
  readonly convnormrelu: Sequential
  readonly layer1: Sequential
  readonly layer2: Sequential
  readonly layer3: Sequential
  readonly conv: Conv2d

  constructor(block: Block, [stem, first, second, third, out]: Widths, norm: Norm | undefined) {
    super()
    const stage = (from: number, to: number, stride: number) =>
      new Sequential(new block(from, to, stride, norm), new block(to, to, 1, norm))
    this.convnormrelu = convNormReLU(3, stem, 7, { norm, stride: 2 })
    this.layer1 = stage(stem, first, 1)
    this.layer2 = stage(first, second, 2)
    this.layer3 = stage(second, third, 2)
    this.conv = new Conv2d(third, out, 1)
    for (const module of this.modules()) {
      if (module instanceof Conv2d) init.kaimingNormal_(module.weight, { mode: 'fanOut', nonlinearity: 'relu' })
    }
  }

  forward(images: Tensor): Tensor {
    const x = this.layer1.forward(this.convnormrelu.forward(images))
    return this.conv.forward(this.layer3.forward(this.layer2.forward(x)))
  }
}

/** Reads the flow and the correlations around it. */
class MotionEncoder extends Module {
  readonly convcorr1: Sequential
  readonly convcorr2: Sequential | null
  readonly convflow1: Sequential
  readonly convflow2: Sequential
  readonly conv: Sequential

  constructor(correlations: number, corr: readonly number[], flow: Pair, out: number) {
    super()
    const [first = 0, second] = corr
    this.convcorr1 = convNormReLU(correlations, first, 1)
    this.convcorr2 = second === undefined ? null : convNormReLU(first, second, 3)
    this.convflow1 = convNormReLU(2, flow[0], 7)
    this.convflow2 = convNormReLU(flow[0], flow[1], 3)
    // The flow itself takes two of the channels.
    this.conv = convNormReLU((second ?? first) + flow[1], out - 2, 3)
  }

  forward(flow: Tensor, correlations: Tensor): Tensor {
    const first = this.convcorr1.forward(correlations)
    const seen = this.convcorr2?.forward(first) ?? first
    const moved = this.convflow2.forward(this.convflow1.forward(flow))
    return cat([this.conv.forward(cat([seen, moved], { dim: 1 })), flow], { dim: 1 })
  }
}

/** Gated recurrent unit with convolutions for its matrices (the paper's equations 3 to 6). */
class ConvGRU extends Module {
  readonly convz: Conv2d
  readonly convr: Conv2d
  readonly convq: Conv2d

  constructor(input: number, hidden: number, kernel: Pair) {
    super()
    const padding = [(kernel[0] - 1) / 2, (kernel[1] - 1) / 2] as const
    const gate = () => new Conv2d(hidden + input, hidden, kernel, { padding })
    this.convz = gate()
    this.convr = gate()
    this.convq = gate()
  }

  forward(h: Tensor, x: Tensor): Tensor {
    const hx = cat([h, x], { dim: 1 })
    const z = this.convz.forward(hx).sigmoid()
    const r = this.convr.forward(hx).sigmoid()
    const q = this.convq.forward(cat([r.mul(h), x], { dim: 1 })).tanh()
    return z.neg().add(1).mul(h).add(z.mul(q))
  }
}

class RecurrentBlock extends Module {
  readonly convgru1: ConvGRU
  readonly convgru2: ConvGRU | null

  constructor(input: number, hidden: number, [first, second]: readonly [Pair, Pair?]) {
    super()
    this.convgru1 = new ConvGRU(input, hidden, first)
    this.convgru2 = second ? new ConvGRU(input, hidden, second) : null
  }

  forward(h: Tensor, x: Tensor): Tensor {
    const next = this.convgru1.forward(h, x)
    return this.convgru2?.forward(next, x) ?? next
  }
}

class FlowHead extends Module {
  readonly conv1: Conv2d
  readonly conv2: Conv2d

  constructor(from: number, hidden: number) {
    super()
    this.conv1 = new Conv2d(from, hidden, 3, { padding: 1 })
    this.conv2 = new Conv2d(hidden, 2, 3, { padding: 1 })
  }

  forward(x: Tensor): Tensor {
    return this.conv2.forward(this.conv1.forward(x).relu())
  }
}

/** A step of the recurrence: the new hidden state, and by how much the flow changes. */
class UpdateBlock extends Module {
  readonly motionEncoder: MotionEncoder
  readonly recurrentBlock: RecurrentBlock
  readonly flowHead: FlowHead

  constructor(plan: Plan, correlations: number) {
    super()
    const { hidden, motion } = plan
    this.motionEncoder = new MotionEncoder(correlations, plan.corrLayers, plan.flowLayers, motion)
    this.recurrentBlock = new RecurrentBlock(motion + plan.context[4] - hidden, hidden, plan.kernels)
    this.flowHead = new FlowHead(hidden, plan.headHidden)
  }

  forward(hidden: Tensor, context: Tensor, correlations: Tensor, flow: Tensor): [hidden: Tensor, change: Tensor] {
    const x = cat([context, this.motionEncoder.forward(flow, correlations)], { dim: 1 })
    const next = this.recurrentBlock.forward(hidden, x)
    return [next, this.flowHead.forward(next)]
  }
}

/** Weights of the nine neighbours from which a flow of full size is mixed. */
class MaskPredictor extends Module {
  readonly convrelu: Sequential
  readonly conv: Conv2d

  constructor(from: number, hidden: number) {
    super()
    this.convrelu = convNormReLU(from, hidden, 3)
    this.conv = new Conv2d(hidden, 8 * 8 * 9, 1)
  }

  forward(x: Tensor): Tensor {
    // A quarter, as in the authors' code, keeps this branch's gradients small.
    return this.conv.forward(this.convrelu.forward(x)).mul(0.25)
  }
}

/** x and y of every pixel, `[N, 2, H, W]`. */
function pixelPlaces(like: Tensor): Tensor {
  const [batch = 0, , height = 0, width = 0] = like.shape
  const made = { dtype: like.dtype, device: like.device }
  const [y, x] = meshgrid([arange(height, made), arange(width, made)], 'ij') as [Tensor, Tensor]
  return stack([x, y]).unsqueeze(0).repeat([batch, 1, 1, 1])
}

/** Eight times as large: each pixel a convex mixture of its nine neighbours (appendix B), or bilinear without weights. */
function upsampleFlow(flow: Tensor, mask: Tensor | null): Tensor {
  const [batch = 0, , height = 0, width = 0] = flow.shape
  const scaled = flow.mul(8)
  if (!mask) return F.interpolate(scaled, { size: [8 * height, 8 * width], mode: 'bilinear', alignCorners: true })
  const weights = mask.view([batch, 1, 9, 8, 8, height, width]).softmax(2)
  const neighbours = F.unfold(scaled, 3, { padding: 1 }).view([batch, 2, 9, 1, 1, height, width])
  const mixed = weights.mul(neighbours).sum({ dim: [2] })
  return mixed.permute([0, 1, 4, 2, 5, 3]).reshape([batch, 2, 8 * height, 8 * width])
}

interface Plan {
  readonly block: Block
  readonly features: Widths
  readonly context: Widths
  readonly contextNorm: Norm | undefined
  readonly radius: number
  readonly corrLayers: readonly number[]
  readonly flowLayers: Pair
  /** Channels of the motion features. */
  readonly motion: number
  readonly hidden: number
  readonly kernels: readonly [Pair, Pair?]
  readonly headHidden: number
  /** Learns how flow is enlarged. */
  readonly mask: boolean
}

const LEVELS = 4

export interface RAFTRunOptions {
  /** Steps of refinement; default 12. */
  readonly numFlowUpdates?: number
}

/**
 * Recurrent all-pairs field transforms (Teed and Deng, ECCV 2020).
 *
 * Shapes: two frames `[N, 3, H, W]` in −1…1 → the flow after each step, `[N, 2, H, W]` in pixels, x then y:
 * `second(x + u, y + v) ≈ first(x, y)`; the last is the best.
 *
 * @throws ShapeError (from `forward`) when the frames differ in size, or H or W is no multiple of 8 or below 128
 */
export class RAFT extends Module {
  readonly featureEncoder: FeatureEncoder
  readonly contextEncoder: FeatureEncoder
  readonly updateBlock: UpdateBlock
  readonly maskPredictor: MaskPredictor | null
  readonly #plan: Plan

  constructor(plan: Plan) {
    super()
    this.#plan = plan
    this.featureEncoder = new FeatureEncoder(plan.block, plan.features, (channels) => new InstanceNorm2d(channels))
    this.contextEncoder = new FeatureEncoder(plan.block, plan.context, plan.contextNorm)
    this.updateBlock = new UpdateBlock(plan, LEVELS * (2 * plan.radius + 1) ** 2)
    this.maskPredictor = plan.mask ? new MaskPredictor(plan.hidden, 256) : null
  }

  forward(first: Tensor, second: Tensor, { numFlowUpdates = 12 }: RAFTRunOptions = {}): Tensor[] {
    checkFrames(first, second)
    const { hidden, context: widths, radius } = this.#plan
    const [features, others] = this.featureEncoder.forward(cat([first, second])).chunk(2) as [Tensor, Tensor]
    const pyramid = new CorrelationPyramid(features, others, LEVELS, radius)
    const parts = this.contextEncoder.forward(first).split([hidden, widths[4] - hidden], { dim: 1 }) as [Tensor, Tensor]
    let state = parts[0].tanh()
    const context = parts[1].relu()
    const start = pixelPlaces(features)
    let places = start
    const flows: Tensor[] = []
    for (let step = 0; step < numFlowUpdates; step++) {
      // Gradients pass through a step's change of the flow, not through where the step before has looked.
      const from = places.detach()
      const flow = from.sub(start)
      const [next, change] = this.updateBlock.forward(state, context, pyramid.lookUp(from), flow)
      state = next
      places = from.add(change)
      flows.push(upsampleFlow(places.sub(start), this.maskPredictor?.forward(state) ?? null))
    }
    return flows
  }

  /** The flow after the last step alone. */
  flow(first: Tensor, second: Tensor, options: RAFTRunOptions = {}): Tensor {
    return tidy(() => this.forward(first, second, options).at(-1) as Tensor)
  }
}

function checkFrames({ shape: first }: Tensor, { shape: second }: Tensor): void {
  const [, , height = 0, width = 0] = first
  const fits = first.length === 4 && height % 8 === 0 && width % 8 === 0
  if (fits && String(first) === String(second)) return
  throw new ShapeError(
    `RAFT: the frames have shapes [${first.join(', ')}] and [${second.join(', ')}]; both must be [N, 3, H, W] of one size, H and W multiples of 8: pad or resize them`,
  )
}

/** The network of the paper. */
export const raftLarge = () =>
  new RAFT({
    block: ResidualBlock,
    features: [64, 64, 96, 128, 256],
    context: [64, 64, 96, 128, 256],
    contextNorm: (channels) => new BatchNorm2d(channels),
    radius: 4,
    corrLayers: [256, 192],
    flowLayers: [128, 64],
    motion: 128,
    hidden: 128,
    kernels: [
      [1, 5],
      [5, 1],
    ],
    headHidden: 256,
    mask: true,
  })

/** A fifth of its size. */
export const raftSmall = () =>
  new RAFT({
    block: BottleneckBlock,
    features: [32, 32, 64, 96, 128],
    context: [32, 32, 64, 96, 160],
    contextNorm: undefined,
    radius: 3,
    corrLayers: [96],
    flowLayers: [64, 32],
    motion: 82,
    hidden: 96,
    kernels: [[3, 3]],
    headHidden: 128,
    mask: false,
  })

export const RAFTS = {
  raft_large: { create: raftLarge, task: 'optical-flow', input: { kind: 'frame-pair' } },
  raft_small: { create: raftSmall, task: 'optical-flow', input: { kind: 'frame-pair' } },
} as const satisfies Readonly<Record<string, NetworkEntry>>
