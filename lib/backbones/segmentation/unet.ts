// U-Net as in its papers: in the plane, in volumes, and with residual units.
import { ArgumentError, ShapeError } from '../../native/errors'
import {
  BatchNorm2d,
  BatchNorm3d,
  Conv2d,
  Conv3d,
  ConvTranspose2d,
  ConvTranspose3d,
  type Layer,
  Module,
  ModuleList,
  ReLU,
  Sequential,
} from '../../nn'
import { interpolate, maxPool2d, maxPool3d } from '../../nn/functional'
import { cat, type Tensor } from '../../tensor'
import { IMAGENET_224, type NetworkEntry } from '../network'

/** What differs between images and volumes. */
interface Kind {
  readonly conv: (from: number, to: number, kernel: number, options?: { stride?: number; padding?: number }) => Layer
  readonly up: (from: number, to: number) => Layer
  readonly norm: (channels: number) => Layer
  readonly pool: (input: Tensor) => Tensor
}

const IMAGES: Kind = {
  conv: (from, to, kernel, options) => new Conv2d(from, to, kernel, options),
  up: (from, to) => new ConvTranspose2d(from, to, 2, { stride: 2 }),
  norm: (channels) => new BatchNorm2d(channels),
  pool: (input) => maxPool2d(input, 2),
}

const VOLUMES: Kind = {
  conv: (from, to, kernel, options) => new Conv3d(from, to, kernel, options),
  up: (from, to) => new ConvTranspose3d(from, to, 2, { stride: 2 }),
  norm: (channels) => new BatchNorm3d(channels),
  pool: (input) => maxPool3d(input, 2),
}

/** Channels after the first and the second convolution of a level. */
export type LevelWidth = readonly [first: number, second: number]

export interface UNetOptions {
  /** Default 1. */
  readonly inChannels?: number
  /** Default 2. */
  readonly numClasses?: number
  /** Of the levels from the finest to the deepest. */
  readonly widths?: readonly LevelWidth[]
}

/** Two convolutions with batch norm and ReLU. */
class DoubleConv extends Sequential {
  constructor(kind: Kind, from: number, [first, second]: LevelWidth) {
    const unit = (a: number, b: number): Layer[] => [
      kind.conv(a, b, 3, { padding: 1 }),
      kind.norm(b),
      new ReLU({ inplace: true }),
    ]
    super(...unit(from, first), ...unit(first, second))
  }
}

/** @throws ShapeError unless every side is a multiple of what the levels divide it by */
function checkSides(name: string, input: Tensor, levels: number): void {
  const multiple = 2 ** (levels - 1)
  const sides = input.shape.slice(2)
  if (sides.every((side) => side % multiple === 0)) return
  throw new ShapeError(
    `${name}: sides are multiples of ${multiple} for ${levels} levels, got ${sides.join(' × ')}; pad the input`,
  )
}

function checkWidths(name: string, widths: readonly LevelWidth[]): void {
  if (widths.length < 2) throw new ArgumentError(`${name}: widths has ${widths.length} levels; it needs 2 or more`)
}

/**
 * The contracting and expanding paths: of each level two convolutions, half the size by pooling, twice by a transposed
 * convolution, beside what the contracting path had. Convolutions are padded, so that sizes are kept, and have batch norm.
 */
class Paths extends Module {
  readonly down: ModuleList<DoubleConv>
  readonly up: ModuleList<Layer>
  readonly join: ModuleList<DoubleConv>
  readonly head: Layer
  readonly #kind: Kind

  /** @param halve whether the transposed convolutions halve the channels, as in the plane, or keep them */
  constructor(kind: Kind, options: Required<UNetOptions>, halve: boolean) {
    super()
    const { inChannels, numClasses, widths } = options
    checkWidths(new.target.name, widths)
    const outputs = widths.map(([, second]) => second)
    this.down = new ModuleList(widths.map((width, i) => new DoubleConv(kind, outputs[i - 1] ?? inChannels, width)))
    // From the deepest level upwards.
    const levels = outputs.slice(0, -1).map((skip, i) => ({ skip, below: outputs[i + 1] ?? 0 }))
    const raised = ({ skip, below }: { skip: number; below: number }): number => (halve ? skip : below)
    this.up = new ModuleList(levels.map((level) => kind.up(level.below, raised(level))).reverse())
    this.join = new ModuleList(
      levels.map((level) => new DoubleConv(kind, level.skip + raised(level), [level.skip, level.skip])).reverse(),
    )
    this.head = kind.conv(outputs[0] ?? 0, numClasses, 1)
    this.#kind = kind
  }

  forward(input: Tensor): Tensor {
    checkSides(this.constructor.name, input, this.down.length)
    const skips: Tensor[] = []
    let x = input
    for (const [i, block] of [...this.down].entries()) {
      x = block.forward(i === 0 ? x : this.#kind.pool(x))
      skips.unshift(x)
    }
    for (let i = 0; i < this.up.length; i++) {
      x = this.join.at(i).forward(cat([skips[i + 1] as Tensor, this.up.at(i).forward(x)], { dim: 1 }))
    }
    return this.head.forward(x)
  }
}

const PLANE: readonly LevelWidth[] = [64, 128, 256, 512, 1024].map((width) => [width, width])
const VOLUME: readonly LevelWidth[] = [
  [32, 64],
  [64, 128],
  [128, 256],
  [256, 512],
]

/**
 * U-Net (Ronneberger, Fischer, Brox, MICCAI 2015). `[N, inChannels, H, W]` → logits `[N, numClasses, H, W]`.
 *
 * @throws ShapeError on forward for sides that are no multiples of 2^(levels − 1), 16 unless stated
 */
export class UNet extends Paths {
  constructor({ inChannels = 1, numClasses = 2, widths = PLANE }: UNetOptions = {}) {
    super(IMAGES, { inChannels, numClasses, widths }, true)
  }
}

/**
 * 3D U-Net (Çiçek et al., MICCAI 2016): channels double before pooling, transposed convolutions keep them.
 * `[N, inChannels, D, H, W]` → logits of the same size. Sides as `UNet`'s, multiples of 8 unless stated.
 */
export class UNet3d extends Paths {
  constructor({ inChannels = 1, numClasses = 2, widths = VOLUME }: UNetOptions = {}) {
    super(VOLUMES, { inChannels, numClasses, widths }, false)
  }
}

/** Batch norm, ReLU and convolution twice, beside a 1×1 convolution (Zhang et al. 2018, Fig. 1b). */
class ResidualUnit extends Module {
  readonly body: Sequential
  readonly shortcut: Conv2d

  /** @param plain leaves out the first norm and ReLU, for the network's input */
  constructor(from: number, to: number, stride: number, plain: boolean) {
    super()
    const first: Layer[] = plain ? [] : [new BatchNorm2d(from), new ReLU()]
    this.body = new Sequential(
      ...first,
      new Conv2d(from, to, 3, { stride, padding: 1 }),
      new BatchNorm2d(to),
      new ReLU(),
      new Conv2d(to, to, 3, { padding: 1 }),
    )
    this.shortcut = new Conv2d(from, to, 1, { stride })
  }

  forward(input: Tensor): Tensor {
    return this.body.forward(input).add(this.shortcut.forward(input))
  }
}

export interface ResidualUNetOptions extends Omit<UNetOptions, 'widths'> {
  /** Of the levels from the finest to the deepest; default 64, 128, 256, 512. */
  readonly widths?: readonly number[]
}

/**
 * Deep residual U-Net (Zhang, Liu, Wang, IEEE GRSL 2018): units that stride instead of pooling, and nearest upsampling.
 * `[N, inChannels, H, W]` → logits `[N, numClasses, H, W]`. Sides as `UNet`'s, multiples of 8 unless stated.
 */
export class ResidualUNet extends Module {
  readonly down: ModuleList<ResidualUnit>
  readonly join: ModuleList<ResidualUnit>
  readonly head: Conv2d

  constructor({ inChannels = 3, numClasses = 1, widths = [64, 128, 256, 512] }: ResidualUNetOptions = {}) {
    super()
    if (widths.length < 2)
      throw new ArgumentError(`ResidualUNet: widths has ${widths.length} levels; it needs 2 or more`)
    const units = widths.map((to, i) => new ResidualUnit(widths[i - 1] ?? inChannels, to, i === 0 ? 1 : 2, i === 0))
    this.down = new ModuleList(units)
    const levels = widths.slice(0, -1)
    this.join = new ModuleList(
      levels.map((skip, i) => new ResidualUnit(skip + (widths[i + 1] ?? 0), skip, 1, false)).reverse(),
    )
    this.head = new Conv2d(widths[0] ?? 0, numClasses, 1)
  }

  forward(input: Tensor): Tensor {
    checkSides('ResidualUNet', input, this.down.length)
    const skips: Tensor[] = []
    let x = input
    for (const unit of this.down) {
      x = unit.forward(x)
      skips.unshift(x)
    }
    for (const [i, unit] of [...this.join].entries()) {
      const up = interpolate(x, { scaleFactor: 2, mode: 'nearest' })
      x = unit.forward(cat([up, skips[i + 1] as Tensor], { dim: 1 }))
    }
    return this.head.forward(x)
  }
}

export const unet = (options?: UNetOptions) => new UNet(options)
export const unet3d = (options?: UNetOptions) => new UNet3d(options)
export const residualUnet = (options?: ResidualUNetOptions) => new ResidualUNet(options)

const entry = {
  task: 'semantic-segmentation',
  input: { ...IMAGENET_224, crop: null, mean: [0, 0, 0], std: [1, 1, 1] },
} as const

export const UNETS = {
  unet: { create: unet, ...entry },
  unet3d: { create: unet3d, ...entry },
  residual_unet: { create: residualUnet, ...entry },
} as const satisfies Readonly<Record<string, NetworkEntry<never>>>
