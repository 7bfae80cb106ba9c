// Residual networks over clips, R3D, MC3 and R(2+1)D, with torchvision's names.
import { AdaptiveAvgPool3d, BatchNorm3d, Conv3d, init, type Layer, Linear, Module, ReLU, Sequential } from '../nn'
import type { Tensor } from '../tensor'
import type { NetworkEntry } from './network'
import { KINETICS_112 } from './video-input'

export interface VideoResNetOptions {
  /** Default 400. */
  readonly numClasses?: number
}

type Triple = readonly [number, number, number]

/** How a 3×3×3 convolution is built; `middle` channels stand between its two halves where it has two. */
export interface VideoConvolution {
  readonly build: (from: number, to: number, middle: number, stride: number) => Layer
  /** Stride of the shortcut beside convolutions of this stride. */
  readonly shortcutStride: (stride: number) => Triple
}

/** Space and time together, as in R3D. */
export const fullConvolution: VideoConvolution = {
  build: (from, to, _middle, stride) => new Conv3d(from, to, 3, { stride, padding: 1, bias: false }),
  shortcutStride: (stride) => [stride, stride, stride],
}

/** Space alone, as in the upper stages of MC3. */
export const spatialConvolution: VideoConvolution = {
  build: (from, to, _middle, stride) => spatial(from, to, stride),
  shortcutStride: (stride) => [1, stride, stride],
}

type Norm = (channels: number) => BatchNorm3d

const usualNorm: Norm = (channels) => new BatchNorm3d(channels)
/** As Caffe2's networks have it. */
const wideNorm: Norm = (channels) => new BatchNorm3d(channels, { eps: 1e-3 })

const factoredWith = (norm: Norm): VideoConvolution => ({
  build: (from, to, middle, stride) =>
    new Sequential(
      spatial(from, middle, stride),
      norm(middle),
      new ReLU({ inplace: true }),
      new Conv3d(middle, to, [3, 1, 1], { stride: [stride, 1, 1], padding: [1, 0, 0], bias: false }),
    ),
  shortcutStride: (stride) => [stride, stride, stride],
})

/** Space, then time, with a ReLU between: the (2+1)D convolution. */
export const factoredConvolution: VideoConvolution = factoredWith(usualNorm)

function spatial(from: number, to: number, stride: number): Conv3d {
  return new Conv3d(from, to, [1, 3, 3], { stride: [1, stride, stride], padding: [0, 1, 1], bias: false })
}

/** So many channels that the two halves have as many weights as the whole (Tran et al. 2018, section 3.5). */
function halvesBetween(from: number, to: number): number {
  return Math.floor((from * to * 27) / (from * 9 + 3 * to))
}

/** What distinguishes the networks of Caffe2. */
interface VideoBlockPlan {
  /** Channels between the halves are counted for each convolution by itself, not for both from the first. */
  readonly ownMiddle?: boolean
  readonly norm?: Norm
}

/** Two convolutions beside a shortcut. */
export class VideoBasicBlock extends Module {
  readonly conv1: Sequential
  readonly conv2: Sequential
  readonly relu = new ReLU({ inplace: true })
  readonly downsample: Sequential | null

  constructor(from: number, to: number, stride: number, convolution: VideoConvolution, plan: VideoBlockPlan = {}) {
    super()
    const { ownMiddle = false, norm = usualNorm } = plan
    const middle = halvesBetween(from, to)
    this.conv1 = new Sequential(convolution.build(from, to, middle, stride), norm(to), new ReLU({ inplace: true }))
    this.conv2 = new Sequential(convolution.build(to, to, ownMiddle ? halvesBetween(to, to) : middle, 1), norm(to))
    this.downsample =
      stride === 1 && from === to
        ? null
        : new Sequential(new Conv3d(from, to, 1, { stride: convolution.shortcutStride(stride), bias: false }), norm(to))
  }

  forward(input: Tensor): Tensor {
    const y = this.conv2.forward(this.conv1.forward(input))
    return this.relu.forward(y.add(this.downsample?.forward(input) ?? input))
  }
}

function plainStem(): Sequential {
  return new Sequential(
    new Conv3d(3, 64, [3, 7, 7], { stride: [1, 2, 2], padding: [1, 3, 3], bias: false }),
    new BatchNorm3d(64),
    new ReLU({ inplace: true }),
  )
}

function factoredStem(norm = usualNorm): Sequential {
  return new Sequential(
    new Conv3d(3, 45, [1, 7, 7], { stride: [1, 2, 2], padding: [0, 3, 3], bias: false }),
    norm(45),
    new ReLU({ inplace: true }),
    new Conv3d(45, 64, [3, 1, 1], { padding: [1, 0, 0], bias: false }),
    norm(64),
    new ReLU({ inplace: true }),
  )
}

/**
 * Residual network over clips (Tran, Wang, Torresani, Ray, LeCun, Paluri, CVPR 2018).
 *
 * Shapes: `[N, 3, T, H, W]` → `[N, numClasses]`.
 */
export class VideoResNet extends Module {
  readonly stem: Sequential
  readonly layer1: Sequential
  readonly layer2: Sequential
  readonly layer3: Sequential
  readonly layer4: Sequential
  readonly avgpool = new AdaptiveAvgPool3d(1)
  readonly fc: Linear

  /**
   * @param convolutions of each of the four stages
   * @param blocks how many blocks each of them has
   * @param plan what Caffe2's networks have otherwise
   */
  constructor(
    stem: Sequential,
    convolutions: readonly [VideoConvolution, VideoConvolution, VideoConvolution, VideoConvolution],
    blocks: readonly [number, number, number, number],
    { numClasses = 400 }: VideoResNetOptions = {},
    plan: VideoBlockPlan = {},
  ) {
    super()
    this.stem = stem
    const stage = (index: 0 | 1 | 2 | 3): Sequential => {
      const to = 64 * 2 ** index
      const convolution = convolutions[index]
      const first =
        index === 0
          ? new VideoBasicBlock(64, 64, 1, convolution, plan)
          : new VideoBasicBlock(to / 2, to, 2, convolution, plan)
      const rest = Array.from({ length: blocks[index] - 1 }, () => new VideoBasicBlock(to, to, 1, convolution, plan))
      return new Sequential(first, ...rest)
    }
    this.layer1 = stage(0)
    this.layer2 = stage(1)
    this.layer3 = stage(2)
    this.layer4 = stage(3)
    this.fc = new Linear(512, numClasses)
    this.#reset()
  }

  #reset(): void {
    for (const module of this.modules()) {
      if (module instanceof Conv3d) init.kaimingNormal_(module.weight, { mode: 'fanOut', nonlinearity: 'relu' })
      if (module instanceof Linear) {
        init.normal_(module.weight, { std: 0.01 })
        if (module.bias) init.zeros_(module.bias)
      }
    }
  }

  forward(clip: Tensor): Tensor {
    let x = this.stem.forward(clip)
    x = this.layer4.forward(this.layer3.forward(this.layer2.forward(this.layer1.forward(x))))
    return this.fc.forward(this.avgpool.forward(x).flatten({ startDim: 1 }))
  }
}

const [full, flat, factored] = [fullConvolution, spatialConvolution, factoredConvolution]

/** R3D-18: space and time in every convolution. */
export const r3d_18 = (options?: VideoResNetOptions) =>
  new VideoResNet(plainStem(), [full, full, full, full], [2, 2, 2, 2], options)
/** MC3-18: time in the first stage only. */
export const mc3_18 = (options?: VideoResNetOptions) =>
  new VideoResNet(plainStem(), [full, flat, flat, flat], [2, 2, 2, 2], options)
/** R(2+1)D-18: every convolution in two halves, space and time. */
export const r2plus1d_18 = (options?: VideoResNetOptions) =>
  new VideoResNet(factoredStem(), [factored, factored, factored, factored], [2, 2, 2, 2], options)
/**
 * R(2+1)D-34, as converted from the Caffe2 release that was trained on IG-65M (Ghadiyaram, Feiszli, Tran, Yan, Wang,
 * Mahajan, CVPR 2019): its batch norms have an epsilon of 0.001.
 */
export const r2plus1d_34 = (options?: VideoResNetOptions) => {
  const each = factoredWith(wideNorm)
  const plan = { ownMiddle: true, norm: wideNorm }
  return new VideoResNet(factoredStem(wideNorm), [each, each, each, each], [3, 4, 6, 3], options, plan)
}

const classifier = { task: 'video-classification', input: KINETICS_112, features: 'avgpool' } as const

export const VIDEO_RESNETS = {
  r3d_18: { create: r3d_18, ...classifier },
  mc3_18: { create: mc3_18, ...classifier },
  r2plus1d_18: { create: r2plus1d_18, ...classifier },
  r2plus1d_34: { create: r2plus1d_34, ...classifier, input: { ...KINETICS_112, frames: 8 } },
} as const satisfies Readonly<Record<string, NetworkEntry<VideoResNetOptions>>>
