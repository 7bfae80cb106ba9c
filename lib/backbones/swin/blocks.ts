// Blocks of Swin (Liu et al., ICCV 2021) for images and videos, and of Swin V2 (Liu et al., CVPR 2022).
import { ArgumentError } from '../../native/errors'
import {
  type Buffer,
  buffer,
  Dropout,
  functional as F,
  GELU,
  init,
  type Layer,
  Linear,
  Module,
  type Parameter,
  parameter,
  ReLU,
  Sequential,
  StochasticDepth,
} from '../../nn'
import { cat, constantPadNd, empty, full, slice, type Tensor, tensor } from '../../tensor'
import { type Extent, product, relativeIndex, shiftedWindows } from './windows'

export interface WindowOptions {
  readonly window: Extent
  readonly shift: Extent
  readonly dropout: number
  readonly attentionDropout: number
}

/** Heads of queries, keys and values, `[windows, heads, positions, width]`. */
function heads(qkv: Tensor, count: number): Tensor[] {
  return qkv
    .reshape([qkv.size(0), qkv.size(1), 3, count, -1])
    .permute([2, 0, 3, 1, 4])
    .unbind()
}

/** Biases of each head, hidden pairs and all: `[N · windows or 1, heads, positions, positions]`. */
function scoreBias(bias: Tensor, mask: Tensor | null, windows: Tensor): Tensor {
  if (mask === null) return bias
  const both = bias.add(mask.unsqueeze(1))
  return both.repeat([windows.size(0) / mask.size(0), 1, 1, 1])
}

/** Attention within windows that may shift; a learnt bias for each offset of two positions. Shape: `[N, …sizes, C]`. */
export class WindowAttention extends Module {
  readonly relativePositionBiasTable: Parameter
  readonly relativePositionIndex: Buffer
  readonly qkv: Linear
  readonly proj: Linear

  constructor(
    readonly channels: number,
    readonly numHeads: number,
    readonly options: WindowOptions,
  ) {
    super()
    checkHeads(channels, numHeads)
    const { window } = options
    const offsets = product(window.map((length) => 2 * length - 1))
    this.relativePositionBiasTable = parameter(init.truncNormal_(empty([offsets, numHeads]), { std: 0.02 }))
    this.relativePositionIndex = buffer(indexTensor(window))
    this.qkv = new Linear(channels, 3 * channels)
    this.proj = new Linear(channels, channels)
  }

  forward(input: Tensor): Tensor {
    const { dropout, attentionDropout, ...given } = this.options
    const { window, shift } = fitWindow(given, input)
    const { windows, mask, restore } = shiftedWindows(input, window, shift)
    const [q, k, v] = heads(this.qkv.forward(windows), this.numHeads) as [Tensor, Tensor, Tensor]
    const attnMask = scoreBias(this.#bias(product(window)), mask, windows)
    const dropoutP = this.training ? attentionDropout : 0
    const attended = F.scaledDotProductAttention(q, k, v, { attnMask, dropoutP })
    const joined = this.proj.forward(attended.transpose(1, 2).flatten({ startDim: 2 }))
    return restore(F.dropout(joined, { p: dropout, training: this.training }))
  }

  #bias(positions: number): Tensor {
    // Videos with fewer positions than a window has take the table's first ones, as torchvision does.
    const whole = this.relativePositionIndex
    const index = whole.ndim === 1 ? whole : whole.at(slice(0, positions), slice(0, positions)).flatten()
    const rows = this.relativePositionBiasTable.indexSelect(0, index)
    return rows.reshape([1, positions, positions, this.numHeads]).permute([0, 3, 1, 2])
  }
}

/** Cosine attention within windows; the bias is a small network of the offsets' logarithms (Swin V2, section 3.3). */
export class WindowAttentionV2 extends Module {
  readonly logitScale: Parameter
  readonly relativeCoordsTable: Buffer
  readonly relativePositionIndex: Buffer
  readonly qkv: Linear
  readonly proj: Linear
  readonly cpbMlp: Sequential

  constructor(
    readonly channels: number,
    readonly numHeads: number,
    readonly options: WindowOptions,
  ) {
    super()
    checkHeads(channels, numHeads)
    this.logitScale = parameter(full([numHeads, 1, 1], Math.log(10)))
    this.relativeCoordsTable = buffer(coordinates(options.window))
    this.relativePositionIndex = buffer(indexTensor(options.window))
    this.qkv = new Linear(channels, 3 * channels)
    this.proj = new Linear(channels, channels)
    this.cpbMlp = new Sequential(new Linear(2, 512), new ReLU(), new Linear(512, numHeads, { bias: false }))
  }

  forward(input: Tensor): Tensor {
    const { dropout, attentionDropout, ...given } = this.options
    const { window, shift } = fitWindow(given, input)
    const { windows, mask, restore } = shiftedWindows(input, window, shift)
    const [q, k, v] = heads(this.#project(windows), this.numHeads) as [Tensor, Tensor, Tensor]
    const scale = this.logitScale.clamp({ max: Math.log(100) }).exp()
    const scaled = F.normalize(q, { dim: -1 }).mul(scale)
    const attnMask = scoreBias(this.#bias(product(window)), mask, windows)
    const dropoutP = this.training ? attentionDropout : 0
    const options = { attnMask, dropoutP, scale: 1 }
    const attended = F.scaledDotProductAttention(scaled, F.normalize(k, { dim: -1 }), v, options)
    const joined = this.proj.forward(attended.transpose(1, 2).flatten({ startDim: 2 }))
    return restore(F.dropout(joined, { p: dropout, training: this.training }))
  }

  /** Keys have no bias; what stands in its place is not looked at. */
  #project(windows: Tensor): Tensor {
    const { weight, bias } = this.qkv
    if (bias === null) return this.qkv.forward(windows)
    const [q, k, v] = bias.chunk(3) as [Tensor, Tensor, Tensor]
    return F.linear(windows, weight, { bias: cat([q, k.mul(0), v]) })
  }

  #bias(positions: number): Tensor {
    const byOffset = this.cpbMlp.forward(this.relativeCoordsTable).reshape([-1, this.numHeads])
    const rows = byOffset.indexSelect(0, this.relativePositionIndex)
    return rows.reshape([1, positions, positions, this.numHeads]).permute([0, 3, 1, 2]).sigmoid().mul(16)
  }
}

function checkHeads(channels: number, numHeads: number): void {
  if (channels % numHeads === 0) return
  throw new ArgumentError(
    `Swin: ${channels} channels do not divide into ${numHeads} heads; take a multiple of the heads`,
  )
}

/** Images need no shift where one window holds them; videos have their window shrunk to them too. */
function fitWindow(
  { window, shift }: Pick<WindowOptions, 'window' | 'shift'>,
  input: Tensor,
): { window: Extent; shift: Extent } {
  const sizes = input.shape.slice(1, -1)
  const fits = window.map((length, i) => length >= (sizes[i] ?? 0))
  return {
    window: window.length === 3 ? window.map((length, i) => (fits[i] ? (sizes[i] ?? length) : length)) : window,
    shift: shift.map((by, i) => (fits[i] ? 0 : by)),
  }
}

function indexTensor(window: Extent): Tensor {
  const count = product(window)
  return tensor(relativeIndex(window), { shape: window.length === 2 ? [count * count] : [count, count] })
}

/** Offsets in a window on a logarithmic scale, 8 for the largest one: `[1, 2 h − 1, 2 w − 1, 2]`. */
function coordinates(window: Extent): Tensor {
  const [height = 1, width = 1] = window
  const scaled = (offset: number, length: number) => {
    const x = length > 1 ? (8 * offset) / (length - 1) : 0
    return (Math.sign(x) * Math.log2(Math.abs(x) + 1)) / 3
  }
  const values = Array.from({ length: 2 * height - 1 }, (_, i) =>
    Array.from({ length: 2 * width - 1 }, (_, j) => [scaled(i - height + 1, height), scaled(j - width + 1, width)]),
  )
  return tensor(Float32Array.from(values.flat(2)), { shape: [1, 2 * height - 1, 2 * width - 1, 2] })
}

export interface BlockOptions extends WindowOptions {
  readonly mlpRatio: number
  readonly stochasticDepth: number
  readonly norm: (channels: number) => Layer
  readonly version: 1 | 2
}

/** Attention within windows and an MLP beside shortcuts; normalised before them, in V2 after them. */
export class SwinBlock extends Module {
  readonly norm1: Layer
  readonly attn: WindowAttention | WindowAttentionV2
  readonly stochasticDepth: StochasticDepth
  readonly norm2: Layer
  readonly mlp: Sequential

  constructor(
    channels: number,
    numHeads: number,
    readonly options: BlockOptions,
  ) {
    super()
    const { mlpRatio, stochasticDepth, norm, version, dropout } = options
    this.norm1 = norm(channels)
    this.attn = new (version === 1 ? WindowAttention : WindowAttentionV2)(channels, numHeads, options)
    this.stochasticDepth = new StochasticDepth(stochasticDepth, 'row')
    this.norm2 = norm(channels)
    const width = Math.trunc(channels * mlpRatio)
    const [fc1, fc2] = [new Linear(channels, width), new Linear(width, channels)]
    this.mlp = new Sequential(fc1, new GELU(), new Dropout({ p: dropout }), fc2, new Dropout({ p: dropout }))
  }

  forward(input: Tensor): Tensor {
    const branch = (x: Tensor, norm: Layer, layer: Layer) =>
      this.options.version === 1 ? layer.forward(norm.forward(x)) : norm.forward(layer.forward(x))
    const x = input.add(this.stochasticDepth.forward(branch(input, this.norm1, this.attn)))
    return x.add(this.stochasticDepth.forward(branch(x, this.norm2, this.mlp)))
  }
}

/** Joins 2 × 2 neighbours and halves their channels: `[N, …, H, W, C]` → `[N, …, ⌈H / 2⌉, ⌈W / 2⌉, 2 C]`. */
export class PatchMerging extends Module {
  readonly reduction: Linear
  readonly norm: Layer

  constructor(
    channels: number,
    norm: (channels: number) => Layer,
    readonly version: 1 | 2,
  ) {
    super()
    this.reduction = new Linear(4 * channels, 2 * channels, { bias: false })
    this.norm = norm(version === 1 ? 4 * channels : 2 * channels)
  }

  forward(input: Tensor): Tensor {
    const [height, width] = [input.size(-3), input.size(-2)]
    const even = height % 2 || width % 2 ? constantPadNd(input, [0, 0, 0, width % 2, 0, height % 2]) : input
    const quarter = (y: number, x: number) => even.at('...', slice(y, null, 2), slice(x, null, 2), null)
    const joined = cat([quarter(0, 0), quarter(1, 0), quarter(0, 1), quarter(1, 1)], { dim: -1 })
    return this.version === 1
      ? this.reduction.forward(this.norm.forward(joined))
      : this.norm.forward(this.reduction.forward(joined))
  }
}

/** First values of all linear layers, as the authors draw them. */
export function resetSwin(network: Module): void {
  for (const module of network.modules()) {
    if (!(module instanceof Linear)) continue
    init.truncNormal_(module.weight, { std: 0.02 })
    if (module.bias) init.zeros_(module.bias)
  }
}
