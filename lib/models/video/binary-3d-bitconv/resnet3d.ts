import { AdaptiveAvgPool3d, init, type Layer, Linear, MaxPool3d, Module, ModuleList } from '../../../nn'
import type { Tensor } from '../../../tensor'
import {
  ConvNorm,
  createActivation,
  createUnit,
  inputOf,
  runPair,
  type Triple,
  type Unit,
  type UnitPlan,
} from './units'

export interface ResNet3dOptions extends UnitPlan {
  readonly classes: number
  /** Share of the channels. */
  readonly width: number
}

/** Two convolutions of 3×3×3, each with a shortcut of its own in the binary network (Fig. 3 c). */
export class BasicBlock extends Module {
  readonly conv1: Unit
  readonly conv2: Unit
  readonly downsample: ConvNorm | null

  constructor(
    from: number,
    to: number,
    step: number,
    readonly plan: UnitPlan,
  ) {
    super()
    const stride: Triple = [step, step, step]
    this.conv1 = createUnit(plan, { from, to, kernel: [3, 3, 3], stride })
    this.conv2 = createUnit(plan, { from: to, to, kernel: [3, 3, 3], stride: [1, 1, 1] })
    const changes = step > 1 || from !== to
    this.downsample = changes && hasShortcut(plan) ? downsample(from, to, stride, plan) : null
  }

  forward(x: Tensor): Tensor {
    const { conv1, conv2, plan } = this
    const beside = hasShortcut(plan) ? (this.downsample?.forward(x) ?? x) : null
    if (plan.precision === 'float') return conv2.forward(conv1.forward(x), beside)
    return runPair(conv1, conv2, x, { first: beside, second: plan.shortcut })
  }
}

/** The float network always has its shortcuts. */
const hasShortcut = ({ precision, shortcut }: UnitPlan) => precision === 'float' || shortcut

function downsample(from: number, to: number, stride: Triple, plan: UnitPlan): ConvNorm {
  const options = { packed: plan.precision === 'packed', pool: plan.downsample === 'avgpool' }
  return new ConvNorm({ from, to, kernel: [1, 1, 1], stride }, options)
}

/**
 * Two convolutions of one bit, a float one that widens, and the backbone's shortcut (Fig. 3 d). The second convolution
 * has an inner shortcut where its stride is 1.
 */
export class Bottleneck extends Module {
  readonly conv1: Unit
  readonly conv2: Unit
  readonly conv3: ConvNorm
  readonly downsample: ConvNorm | null
  readonly activation: Layer
  readonly #inner: boolean

  constructor(from: number, inner: number, step: number, timeKernel: number, plan: UnitPlan) {
    super()
    const to = 4 * inner
    const stride: Triple = [1, step, step]
    this.conv1 = createUnit(plan, { from, to: inner, kernel: [timeKernel, 1, 1], stride: [1, 1, 1] })
    this.conv2 = createUnit(plan, { from: inner, to: inner, kernel: [1, 3, 3], stride })
    const packed = plan.precision === 'packed'
    this.conv3 = new ConvNorm({ from: inner, to, kernel: [1, 1, 1], stride: [1, 1, 1] }, { packed })
    this.downsample = step > 1 || from !== to ? downsample(from, to, stride, plan) : null
    this.activation = createActivation(plan, to)
    this.#inner = plan.precision !== 'float' && plan.shortcut && step === 1
  }

  forward(x: Tensor): Tensor {
    const y = runPair(this.conv1, this.conv2, x, { first: null, second: this.#inner })
    return this.activation.forward(this.conv3.forward(y).add(this.downsample?.forward(x) ?? x))
  }
}

/** What distinguishes the networks with bottlenecks. */
export interface BottleneckPlan {
  readonly stemTime: number
  /** Kernels in time of the first convolutions of each block, stage by stage. */
  readonly timeKernels: readonly (readonly number[])[]
  /** Halves time after the first stage. */
  readonly timePool: boolean
}

export const I3D_50: BottleneckPlan = {
  stemTime: 5,
  timeKernels: [
    [3, 3, 3],
    [3, 1, 3, 1],
    [3, 1, 3, 1, 3, 1],
    [1, 3, 1],
  ],
  timePool: true,
}

export const SLOW_ONLY_50: BottleneckPlan = {
  stemTime: 1,
  timeKernels: [
    [1, 1, 1],
    [1, 1, 1, 1],
    [3, 3, 3, 3, 3, 3],
    [3, 3, 3],
  ],
  timePool: false,
}

/** A residual network over clips, its inner convolutions of one bit: `[B, 3, T, H, W]` → `[B, classes]`. */
export class BitResNet3d extends Module {
  readonly stem: Stem
  readonly stage1: ModuleList<Layer>
  readonly stage2: ModuleList<Layer>
  readonly stage3: ModuleList<Layer>
  readonly stage4: ModuleList<Layer>
  readonly fc: Linear
  readonly pool = new AdaptiveAvgPool3d(1)
  readonly timePool: MaxPool3d | null

  /** @param depth 18 layers of basic blocks, or 50 of bottlenecks by a plan */
  constructor(
    depth: 18 | BottleneckPlan,
    readonly options: ResNet3dOptions,
  ) {
    super()
    const widths = [64, 128, 256, 512].map((channels) => Math.round(channels * options.width))
    const first = widths[0] ?? 1
    this.stem = new Stem(depth === 18 ? 3 : depth.stemTime, first, depth !== 18, options.precision === 'packed')
    const stage = (index: number): ModuleList<Layer> => {
      const [width = 1, before = first] = [widths[index], widths[index - 1]]
      const step = index === 0 ? 1 : 2
      if (depth === 18) {
        return new ModuleList<Layer>([
          new BasicBlock(index === 0 ? first : before, width, step, options),
          new BasicBlock(width, width, 1, options),
        ])
      }
      const entry = index === 0 ? first : 4 * before
      const kernels = depth.timeKernels[index] ?? []
      return new ModuleList<Layer>(
        kernels.map((time, i) => new Bottleneck(i === 0 ? entry : 4 * width, width, i === 0 ? step : 1, time, options)),
      )
    }
    this.stage1 = stage(0)
    this.stage2 = stage(1)
    this.stage3 = stage(2)
    this.stage4 = stage(3)
    this.timePool = depth !== 18 && depth.timePool ? new MaxPool3d([2, 1, 1]) : null
    this.fc = new Linear((widths[3] ?? 1) * (depth === 18 ? 1 : 4), options.classes)
    init.normal_(this.fc.weight, { std: 0.01 })
    if (this.fc.bias) init.zeros_(this.fc.bias)
  }

  forward(clip: Tensor): Tensor {
    return this.classify(this.features(clip))
  }

  /** Means of the last maps, `[B, C]`. */
  features(clip: Tensor): Tensor {
    return this.pool.forward(this.maps(clip)).flatten({ startDim: 1 })
  }

  /** The last maps, `[B, C, t, h, w]`. */
  maps(clip: Tensor): Tensor {
    const run = (stage: ModuleList<Layer>, x: Tensor) => [...stage].reduce((y, block) => block.forward(y), x)
    const first = run(this.stage1, this.stem.forward(inputOf(clip, this.options)))
    const pooled = this.timePool?.forward(first) ?? first
    return [this.stage2, this.stage3, this.stage4].reduce((x, stage) => run(stage, x), pooled)
  }

  /** Logits of features. */
  classify(features: Tensor): Tensor {
    return this.fc.forward(features)
  }

  get classifier(): Linear {
    return this.fc
  }
}

/** The first convolution, float in all networks, with ReLU, and a pool in space for 50 layers. */
export class Stem extends Module {
  readonly conv: ConvNorm
  readonly pool: MaxPool3d | null

  constructor(time: number, channels: number, pools: boolean, packed: boolean) {
    super()
    this.conv = new ConvNorm({ from: 3, to: channels, kernel: [time, 7, 7], stride: [1, 2, 2] }, { packed })
    this.pool = pools ? new MaxPool3d([1, 3, 3], { stride: [1, 2, 2], padding: [0, 1, 1] }) : null
  }

  forward(clip: Tensor): Tensor {
    const x = this.conv.forward(clip).relu()
    return this.pool?.forward(x) ?? x
  }
}
