import { UNet } from '../../../backbones'
import { ShapeError } from '../../../native/errors'
import { BatchNorm3d, Conv3d, init, Module, Sequential, type Size } from '../../../nn'
import { interpolate, maxPool3d } from '../../../nn/functional'
import { elu, type Tensor } from '../../../tensor'
import type { Config } from './config'

/** What the maps of a network mean: mask, contour, affinities along z, y and x. */
export type Representation = 'B' | 'BC' | 'A' | 'AC'

/** Channels of each representation's targets: those of one target are weighted together. */
export const TARGETS: Readonly<Record<Representation, readonly ('mask' | 'contour' | 'affinity')[]>> = {
  B: ['mask'],
  BC: ['mask', 'contour'],
  A: ['affinity'],
  AC: ['affinity', 'contour'],
}

/** Number of maps. */
export function channelsOf(representation: Representation): number {
  return TARGETS[representation].reduce((sum, target) => sum + (target === 'affinity' ? 3 : 1), 0)
}

/** Channels from the finest level to the centre. */
export const FILTERS = [28, 36, 48, 64, 80] as const

const IN_PLANE = [1, 3, 3] as const
const SLICES_TOO = [3, 3, 3] as const
const WIDE = [1, 5, 5] as const
/** Sides in the plane are halved four times. */
const MULTIPLE = 16

type Kernel = readonly [depth: number, height: number, width: number]

/** Convolution of a volume whose border repeats, and batch norm; then ELU, unless `activation` is false. */
export class ConvUnit extends Module {
  readonly conv: Conv3d
  readonly norm: BatchNorm3d | undefined

  constructor(
    from: number,
    to: number,
    kernel: Kernel,
    readonly options: { readonly activation?: boolean; readonly norm?: boolean } = {},
  ) {
    super()
    const padding = kernel.map((side) => (side - 1) / 2) as unknown as Size<3>
    this.conv = new Conv3d(from, to, kernel as Size<3>, { padding, paddingMode: 'replicate' })
    init.orthogonal_(this.conv.weight)
    init.zeros_(this.conv.bias as Tensor)
    this.norm = options.norm === false ? undefined : new BatchNorm3d(to)
  }

  forward(x: Tensor): Tensor {
    const y = this.conv.forward(x)
    const normed = this.norm === undefined ? y : this.norm.forward(y)
    return this.options.activation === false ? normed : elu(normed)
  }
}

/** Two convolutions beside the identity, or beside a 1 × 1 × 1 convolution. */
export class ResidualBlock extends Module {
  readonly first: ConvUnit
  readonly second: ConvUnit
  readonly projector: ConvUnit | undefined

  constructor(channels: number, kernel: Kernel, { projects = false }: { readonly projects?: boolean } = {}) {
    super()
    this.first = new ConvUnit(channels, channels, kernel)
    this.second = new ConvUnit(channels, channels, kernel, { activation: false })
    this.projector = projects ? new ConvUnit(channels, channels, [1, 1, 1], { activation: false }) : undefined
  }

  forward(x: Tensor): Tensor {
    const y = this.second.forward(this.first.forward(x))
    return elu(y.add(this.projector === undefined ? x : this.projector.forward(x)))
  }
}

/** Beginning of a level: a convolution in the plane, then a residual block. */
function level(from: number, to: number, kernel: Kernel, projects = false): Sequential {
  return new Sequential(new ConvUnit(from, to, IN_PLANE), new ResidualBlock(to, kernel, { projects }))
}

/** Twice as large in the plane, added to the skip, and a level after it. */
class Up extends Module {
  readonly narrow: ConvUnit
  readonly level: Sequential

  constructor(from: number, to: number, kernel: Kernel) {
    super()
    this.narrow = new ConvUnit(from, to, [1, 1, 1])
    this.level = level(to, to, kernel)
  }

  forward(x: Tensor, skip: Tensor): Tensor {
    const raised = interpolate(this.narrow.forward(x), {
      scaleFactor: [1, 2, 2],
      mode: 'trilinear',
      alignCorners: false,
    })
    return this.level.forward(raised.add(skip))
  }
}

export interface ResUNet3dOptions {
  /** Channels from the finest level to the centre; those of the release unless stated. */
  readonly filters?: readonly [number, number, number, number, number]
  /** Number of maps. */
  readonly out?: number
  /** Batch norm between the last convolution and the sigmoid, as in the release; true unless stated. */
  readonly finalNorm?: boolean
}

/**
 * U3D: a residual U-Net that halves and doubles slices in the plane only, and mixes neighbouring slices at the coarser
 * levels. `[B, 1, D, H, W]` in 0–1 → logits `[B, out, D, H, W]`, for any number of slices.
 *
 * @throws ShapeError on forward for sides H or W that are no multiples of 16
 */
export class ResUNet3d extends Module {
  readonly embedding: Sequential
  readonly down1: Sequential
  readonly down2: Sequential
  readonly down3: Sequential
  readonly centre: Sequential
  readonly up3: Up
  readonly up2: Up
  readonly up1: Up
  readonly up0: Up
  readonly head: ConvUnit

  constructor({ filters = FILTERS, out = 2, finalNorm = true }: ResUNet3dOptions = {}) {
    super()
    const [a, b, c, d, e] = filters
    this.embedding = new Sequential(
      new ConvUnit(1, a, WIDE),
      new ConvUnit(a, a, IN_PLANE),
      new ResidualBlock(a, IN_PLANE),
    )
    this.down1 = level(a, b, SLICES_TOO)
    this.down2 = level(b, c, SLICES_TOO)
    this.down3 = level(c, d, SLICES_TOO)
    this.centre = level(d, e, SLICES_TOO, true)
    this.up3 = new Up(e, d, SLICES_TOO)
    this.up2 = new Up(d, c, SLICES_TOO)
    this.up1 = new Up(c, b, SLICES_TOO)
    this.up0 = new Up(b, a, IN_PLANE)
    this.head = new ConvUnit(a, out, WIDE, { activation: false, norm: finalNorm })
  }

  forward(x: Tensor): Tensor {
    checkInput('ResUNet3d', x)
    const pooled = (y: Tensor) => maxPool3d(y, [1, 2, 2])
    const e = this.embedding.forward(x)
    const d1 = this.down1.forward(pooled(e))
    const d2 = this.down2.forward(pooled(d1))
    const d3 = this.down3.forward(pooled(d2))
    const c = this.centre.forward(pooled(d3))
    const u1 = this.up1.forward(this.up2.forward(this.up3.forward(c, d3), d2), d1)
    return this.head.forward(this.up0.forward(u1, e))
  }
}

/** U2D: the U-Net of 2015 on each slice by itself. `[B, 1, D, H, W]` → logits `[B, out, D, H, W]`. */
export class SliceUNet extends Module {
  readonly unet: UNet

  constructor({ widths, out }: { readonly widths: readonly number[]; readonly out: number }) {
    super()
    this.unet = new UNet({ inChannels: 1, numClasses: out, widths: widths.map((width) => [width, width]) })
  }

  forward(x: Tensor): Tensor {
    checkInput('SliceUNet', x)
    const [batch = 0, , depth = 0, height = 0, width = 0] = x.shape
    const maps = this.unet.forward(x.reshape([batch * depth, 1, height, width]))
    return maps.reshape([batch, depth, -1, height, width]).transpose(1, 2)
  }
}

function checkInput(name: string, { shape }: Tensor): void {
  const [, channels, depth = 0, height = 0, width = 0] = shape
  if (shape.length === 5 && channels === 1 && depth > 0 && height % MULTIPLE === 0 && width % MULTIPLE === 0) return
  throw new ShapeError(
    `${name}: takes [B, 1, D, H, W] with H and W multiples of ${MULTIPLE}, got [${shape.join(', ')}]; pad the slices`,
  )
}

/** A network whose maps are probabilities. */
export class MapNetwork extends Module {
  readonly net: ResUNet3d | SliceUNet
  readonly representation: Representation

  constructor({ network }: Config) {
    super()
    this.representation = network.representation
    const out = channelsOf(network.representation)
    const scaled = (channels: number) => Math.max(1, Math.round(channels * network.width))
    const [a, b, c, d, e] = FILTERS.map(scaled) as [number, number, number, number, number]
    this.net =
      network.kind === 'u3d'
        ? new ResUNet3d({ filters: [a, b, c, d, e], out, finalNorm: network.finalNorm })
        : new SliceUNet({ widths: [64, 128, 256, 512, 1024].map(scaled), out })
  }

  /** `[B, 1, D, H, W]` in 0–1 → `[B, C, D, H, W]` in 0–1. */
  forward(x: Tensor): Tensor {
    return this.net.forward(x).sigmoid()
  }
}
