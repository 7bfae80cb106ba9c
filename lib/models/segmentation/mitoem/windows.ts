// Large volumes through a network window by window: one grid over the whole, blended, in blocks that fit into memory.
import { readMirrored, type Triple, type VolumeSource } from '../../../datasets'
import { type RunOptions, throwIfCancelled } from '../../../pipeline'
import { type Device, type Tensor, tensor, tidy, tidyAsync, zeros } from '../../../tensor'

export interface WindowOptions {
  readonly window: Triple
  readonly stride: Triple
  /** Mirrored voxels before and behind each axis. */
  readonly pad: Triple
  /** Of the weight's bell, where 1 is the window's half side. */
  readonly sigma: number
  /** Voxels of a block; the result does not depend on it. */
  readonly block: Triple
}

/** Maps of a window `[1, 1, d, h, w]` in 0–1: `[C, d, h, w]`. */
export type PredictWindow = (window: Tensor) => Promise<Tensor>

/** First places of the windows along an axis of `length` voxels, which begin `pad` before it; the last is tucked in. */
export function windowStarts(length: number, window: number, stride: number, pad: number): number[] {
  const padded = length + 2 * pad
  if (padded <= window) return [-pad]
  const count = 1 + Math.ceil((padded - window) / stride)
  return Array.from({ length: count }, (_, i) => Math.min(i * stride, padded - window) - pad)
}

/** Weight of each voxel of a window: a bell around its centre, nowhere 0. `[d, h, w]` */
export function blendWeights(window: Triple, sigma: number): Tensor<'float32'> {
  return tidy(() => {
    const squares = window.map((length, axis) => {
      const line = Array.from({ length }, (_, i) => (length === 1 ? 0 : (2 * i) / (length - 1) - 1) ** 2)
      return tensor(line, { dtype: 'float32' }).reshape([0, 1, 2].map((dim) => (dim === axis ? -1 : 1)))
    })
    const distance = squares.reduce((sum, each) => sum.add(each))
    return distance
      .div(-2 * sigma ** 2)
      .exp()
      .add(1e-4) as Tensor<'float32'>
  })
}

/** A part of a volume that is predicted by itself. */
export interface Block {
  readonly start: Triple
  readonly size: Triple
}

/** Blocks that tile a volume, in raster order. */
export function blocksOf(shape: Triple, block: Triple): Block[] {
  const spans = shape.map((length, axis) => {
    const side = block[axis] ?? length
    return Array.from({ length: Math.ceil(length / side) }, (_, i) => [i * side, Math.min(side, length - i * side)])
  })
  const [zs = [], ys = [], xs = []] = spans
  return zs.flatMap(([z = 0, d = 0]) =>
    ys.flatMap(([y = 0, h = 0]) => xs.map(([x = 0, w = 0]): Block => ({ start: [z, y, x], size: [d, h, w] }))),
  )
}

/** A window of the grid. */
interface Placed {
  readonly start: Triple
}

/**
 * Maps of a block as bytes (255 times the blended probability, rounded down), `[C, d, h, w]` on the CPU. Each voxel adds
 * up the same windows in the same order whatever the blocks are.
 */
export async function predictBlock(
  volume: VolumeSource,
  { start, size }: Block,
  predict: PredictWindow,
  { device, ...options }: WindowOptions & { readonly device: Device },
  { signal, onWindow = () => {} }: Pick<RunOptions, 'signal'> & { readonly onWindow?: () => void } = {},
): Promise<Tensor<'uint8'>> {
  const placed = windowsOf(volume.shape, options).filter((window) =>
    overlaps(window.start, options.window, start, size),
  )
  const from = [0, 1, 2].map((axis) => Math.min(...placed.map((window) => window.start[axis] ?? 0)))
  const to = [0, 1, 2].map((axis) =>
    Math.max(...placed.map((window) => (window.start[axis] ?? 0) + (options.window[axis] ?? 0))),
  )
  return tidyAsync(async () => {
    const around = from as unknown as Triple
    const extent = to.map((end, axis) => end - (from[axis] ?? 0)) as unknown as Triple
    const grey = (await readMirrored(volume, around, extent)).to({ device })
    const bell = blendWeights(options.window, options.sigma).to(device)
    const weights = zeros(size, { device })
    let sums: Tensor | undefined
    for (const window of placed) {
      throwIfCancelled(signal, 'mitoem')
      const made = sums
      sums = await tidyAsync(async () => {
        const cut = window.start.reduce(
          (part, first, axis) => part.narrow(axis, first - (around[axis] ?? 0), options.window[axis] ?? 0),
          grey,
        )
        const maps = await predict(cut.to('float32').div(255).unsqueeze(0).unsqueeze(0))
        const total = made ?? zeros([maps.size(0), ...size], { device })
        // What of the window lies in the block.
        const overlap = window.start.map((first, axis) => {
          const [begin, length] = [start[axis] ?? 0, size[axis] ?? 0]
          const low = Math.max(first, begin)
          return { low, count: Math.min(first + (options.window[axis] ?? 0), begin + length) - low, first, begin }
        })
        const inWindow = (x: Tensor) =>
          overlap.reduce((part, { low, count, first }, axis) => part.narrow(axis + x.ndim - 3, low - first, count), x)
        const inBlock = (x: Tensor) =>
          overlap.reduce((part, { low, count, begin }, axis) => part.narrow(axis + x.ndim - 3, low - begin, count), x)
        const weight = inWindow(bell)
        inBlock(total).add_(inWindow(maps).mul(weight))
        inBlock(weights).add_(weight)
        return total
      })
      onWindow()
    }
    return (sums as Tensor).div(weights).mul(255).clamp({ min: 0, max: 255 }).to('uint8').to('cpu') as Tensor<'uint8'>
  })
}

/** The grid over a padded volume, in raster order. */
function windowsOf(shape: Triple, { window, stride, pad }: Pick<WindowOptions, 'window' | 'stride' | 'pad'>): Placed[] {
  const [zs = [], ys = [], xs = []] = shape.map((length, axis) =>
    windowStarts(length, window[axis] ?? 1, stride[axis] ?? 1, pad[axis] ?? 0),
  )
  return zs.flatMap((z) => ys.flatMap((y) => xs.map((x) => ({ start: [z, y, x] as const }))))
}

function overlaps(first: Triple, window: Triple, start: Triple, size: Triple): boolean {
  return first.every((begin, axis) => {
    const [from, length] = [start[axis] ?? 0, size[axis] ?? 0]
    return begin < from + length && begin + (window[axis] ?? 0) > from
  })
}

/** How many windows the blocks of a volume need together; a window on a border is run for each block it touches. */
export function countWindows(shape: Triple, options: WindowOptions): number {
  const windows = windowsOf(shape, options)
  return blocksOf(shape, options.block).reduce(
    (sum, block) =>
      sum + windows.filter(({ start }) => overlaps(start, options.window, block.start, block.size)).length,
    0,
  )
}
