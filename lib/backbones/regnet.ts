// RegNetX and RegNetY with torchvision's names.
import { AdaptiveAvgPool2d, Conv2d, init, type Layer, Linear, Module, ReLU, Sequential } from '../nn'
import type { Tensor } from '../tensor'
import { ConvNorm } from './conv-norm'
import { makeDivisible } from './make-divisible'
import { IMAGENET_224, type NetworkEntry } from './network'
import { SqueezeExcitation } from './squeeze-excitation'

/** The parameters of the design space (Sec. 3.3, 5): block j is `initialWidth + slope · j` wide before quantisation. */
export interface RegNetDesign {
  readonly depth: number
  /** w₀ */
  readonly initialWidth: number
  /** wₐ */
  readonly slope: number
  /** wₘ: each stage is a power of this wider than the first. */
  readonly multiplier: number
  readonly groupWidth: number
  /** Squeezed channels as a part of the block's input; RegNetY has 0.25, RegNetX none. */
  readonly squeeze?: number
}

export interface RegNetOptions {
  /** Default 1000. */
  readonly numClasses?: number
}

interface Stage {
  readonly width: number
  readonly groups: number
  readonly blocks: number
}

/** Halves go to the even neighbour, as the published widths have it. */
function roundToEven(value: number): number {
  const below = Math.floor(value)
  return value - below === 0.5 ? below + (below % 2) : Math.round(value)
}

/** Widths rounded to powers of the multiplier, then to multiples of 8; equal neighbours are one stage. */
function stagesOf({ depth, initialWidth, slope, multiplier, groupWidth }: RegNetDesign): Stage[] {
  const widths = Array.from({ length: depth }, (_, j) => {
    const power = Math.round(Math.log((initialWidth + slope * j) / initialWidth) / Math.log(multiplier))
    return roundToEven((initialWidth * multiplier ** power) / 8) * 8
  })
  return [...new Set(widths)].map((width) => {
    const perGroup = Math.min(groupWidth, width)
    const fitting = makeDivisible(width, perGroup)
    return { width: fitting, groups: fitting / perGroup, blocks: widths.filter((each) => each === width).length }
  })
}

/** 1×1, grouped 3×3, 1×1 beside a shortcut (Fig. 4). */
export class RegNetBlock extends Module {
  readonly proj: ConvNorm | null
  readonly f: Sequential
  readonly activation = new ReLU({ inplace: true })

  constructor(inChannels: number, stride: number, { width, groups }: Stage, squeeze: number | undefined) {
    super()
    const resized = stride !== 1 || inChannels !== width
    this.proj = resized ? new ConvNorm(inChannels, width, { kernelSize: 1, stride, activation: null }) : null
    const layers: Record<string, Layer> = {
      a: new ConvNorm(inChannels, width, { kernelSize: 1 }),
      b: new ConvNorm(width, width, { stride, groups }),
    }
    if (squeeze !== undefined) layers.se = new SqueezeExcitation(width, Math.round(squeeze * inChannels))
    layers.c = new ConvNorm(width, width, { kernelSize: 1, activation: null })
    this.f = new Sequential(layers)
  }

  forward(input: Tensor): Tensor {
    return this.activation.forward((this.proj?.forward(input) ?? input).add(this.f.forward(input)))
  }
}

/**
 * Designing network design spaces (Radosavovic et al., CVPR 2020).
 *
 * Shapes: `[N, 3, H, W]` → `[N, numClasses]`.
 */
export class RegNet extends Module {
  readonly stem = new ConvNorm(3, 32, { stride: 2 })
  readonly trunkOutput: Sequential
  readonly avgpool = new AdaptiveAvgPool2d(1)
  readonly fc: Linear

  constructor(design: RegNetDesign, { numClasses = 1000 }: RegNetOptions = {}) {
    super()
    const stages: Record<string, Layer> = {}
    let inChannels = 32
    for (const [i, stage] of stagesOf(design).entries()) {
      const blocks: Record<string, Layer> = {}
      for (let k = 0; k < stage.blocks; k++) {
        blocks[`block${i + 1}-${k}`] = new RegNetBlock(inChannels, k === 0 ? 2 : 1, stage, design.squeeze)
        inChannels = stage.width
      }
      stages[`block${i + 1}`] = new Sequential(blocks)
    }
    this.trunkOutput = new Sequential(stages)
    this.fc = new Linear(inChannels, numClasses)
    this.#reset()
  }

  #reset(): void {
    for (const module of this.modules()) {
      if (module instanceof Conv2d) {
        // By all outputs of the kernel, not by those of a group.
        const [height = 1, width = 1] = module.kernelSize
        init.normal_(module.weight, { std: Math.sqrt(2 / (height * width * module.outChannels)) })
      } else if (module instanceof Linear) {
        init.normal_(module.weight, { std: 0.01 })
        if (module.bias) init.zeros_(module.bias)
      }
    }
  }

  forward(input: Tensor): Tensor {
    const x = this.avgpool.forward(this.trunkOutput.forward(this.stem.forward(input)))
    return this.fc.forward(x.flatten({ startDim: 1 }))
  }
}

type Row = readonly [depth: number, initialWidth: number, slope: number, multiplier: number, groupWidth: number]

const x = ([depth, initialWidth, slope, multiplier, groupWidth]: Row, squeeze?: number) => {
  const design = { depth, initialWidth, slope, multiplier, groupWidth, ...(squeeze !== undefined && { squeeze }) }
  return (options?: RegNetOptions) => new RegNet(design, options)
}
const y = (row: Row) => x(row, 0.25)

export const regnetX400mf = x([22, 24, 24.48, 2.54, 16])
export const regnetX800mf = x([16, 56, 35.73, 2.28, 16])
export const regnetX1_6gf = x([18, 80, 34.01, 2.25, 24])
export const regnetX3_2gf = x([25, 88, 26.31, 2.25, 48])
export const regnetX8gf = x([23, 80, 49.56, 2.88, 120])
export const regnetX16gf = x([22, 216, 55.59, 2.1, 128])
export const regnetX32gf = x([23, 320, 69.86, 2, 168])
export const regnetY400mf = y([16, 48, 27.89, 2.09, 8])
export const regnetY800mf = y([14, 56, 38.84, 2.4, 16])
export const regnetY1_6gf = y([27, 48, 20.71, 2.65, 24])
export const regnetY3_2gf = y([21, 80, 42.63, 2.66, 24])
export const regnetY8gf = y([17, 192, 76.82, 2.19, 56])
export const regnetY16gf = y([18, 200, 106.23, 2.48, 112])
export const regnetY32gf = y([20, 232, 115.89, 2.53, 232])

const classifier = { task: 'image-classification', input: IMAGENET_224, features: 'avgpool' } as const

export const REGNETS = {
  regnet_x_400mf: { create: regnetX400mf, ...classifier },
  regnet_x_800mf: { create: regnetX800mf, ...classifier },
  regnet_x_1_6gf: { create: regnetX1_6gf, ...classifier },
  regnet_x_3_2gf: { create: regnetX3_2gf, ...classifier },
  regnet_x_8gf: { create: regnetX8gf, ...classifier },
  regnet_x_16gf: { create: regnetX16gf, ...classifier },
  regnet_x_32gf: { create: regnetX32gf, ...classifier },
  regnet_y_400mf: { create: regnetY400mf, ...classifier },
  regnet_y_800mf: { create: regnetY800mf, ...classifier },
  regnet_y_1_6gf: { create: regnetY1_6gf, ...classifier },
  regnet_y_3_2gf: { create: regnetY3_2gf, ...classifier },
  regnet_y_8gf: { create: regnetY8gf, ...classifier },
  regnet_y_16gf: { create: regnetY16gf, ...classifier },
  regnet_y_32gf: { create: regnetY32gf, ...classifier },
} as const satisfies Readonly<Record<string, NetworkEntry<RegNetOptions>>>
