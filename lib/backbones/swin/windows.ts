// Windows of images and videos that shift between blocks (Liu et al., ICCV 2021, section 3.2).
import type { Tensor } from '../../tensor'
import { arange, constantPadNd, zeros } from '../../tensor'

/** Sizes of one dimension each: height and width, or frames, height and width. */
export type Extent = readonly number[]

/** Windows `[N · windows, positions, C]` of `[N, …sizes, C]`, sizes being multiples of the window's. */
export function partition(x: Tensor, window: Extent): Tensor {
  const split = splitSizes(x.shape.slice(1, -1), window)
  const rank = window.length
  const order = Array.from({ length: rank }, (_, i) => 1 + 2 * i)
  const channels = x.size(-1)
  return x
    .reshape([x.size(0), ...split.flat(), channels])
    .permute([0, ...order, ...order.map((i) => i + 1), 1 + 2 * rank])
    .reshape([-1, product(window), channels])
}

/** What `partition` took apart: `[N · windows, positions, C]` → `[N, …sizes, C]`. */
export function join(windows: Tensor, sizes: Extent, window: Extent): Tensor {
  const split = splitSizes(sizes, window)
  const rank = window.length
  const channels = windows.size(-1)
  return windows
    .reshape([-1, ...split.map(([count]) => count), ...window, channels])
    .permute([0, ...Array.from({ length: rank }, (_, i) => [1 + i, 1 + rank + i]).flat(), 1 + 2 * rank])
    .reshape([-1, ...sizes, channels])
}

function splitSizes(sizes: Extent, window: Extent): [count: number, length: number][] {
  return sizes.map((size, i) => [size / (window[i] ?? 1), window[i] ?? 1])
}

/** What shifted windows look at: positions that were not neighbours before the shift do not see each other. */
export interface Shifted {
  /** `[N · windows, positions, C]` */
  readonly windows: Tensor
  /** `[windows, positions, positions]`, −100 where hidden; null without a shift. */
  readonly mask: Tensor | null
  /** Puts the windows back: `[N, …sizes, C]`. */
  restore(windows: Tensor): Tensor
}

/** Pads to whole windows, rolls by the shift and takes windows. */
export function shiftedWindows(x: Tensor, window: Extent, shift: Extent): Shifted {
  const sizes = x.shape.slice(1, -1)
  const padded = sizes.map((size, i) => Math.ceil(size / (window[i] ?? 1)) * (window[i] ?? 1))
  const after = padded.map((size, i) => size - (sizes[i] ?? 0))
  const dims = window.map((_, i) => i + 1)
  const shifts = shift.some((by) => by > 0)
  let y = after.some((rows) => rows > 0)
    ? constantPadNd(x, [0, 0, ...after.toReversed().flatMap((rows) => [0, rows])])
    : x
  if (shifts)
    y = y.roll(
      shift.map((by) => -by),
      { dims },
    )
  return {
    windows: partition(y, window),
    mask: shifts ? shiftMask(x, padded, window, shift) : null,
    restore: (windows) => {
      let back = join(windows, padded, window)
      if (shifts) back = back.roll([...shift], { dims })
      for (const [i, size] of sizes.entries()) if (after[i]) back = back.narrow(i + 1, 0, size)
      return back
    },
  }
}

function shiftMask({ dtype, device }: Tensor, sizes: Extent, window: Extent, shift: Extent): Tensor {
  let regions: Tensor = zeros([1, ...sizes, 1], { dtype: 'int64', device })
  for (const [i, size] of sizes.entries()) {
    const by = shift[i] ?? 0
    if (by === 0) continue
    // After the roll, the last window holds rows of both ends of the image.
    const place = arange(size, { dtype: 'int64', device })
    const region = place
      .ge(size - (window[i] ?? 1))
      .to('int64')
      .add(place.ge(size - by).to('int64'))
    const along = Array.from({ length: sizes.length + 2 }, (_, dim) => (dim === i + 1 ? size : 1))
    regions = regions.mul(3).add(region.reshape(along))
  }
  const ids = partition(regions, window).squeeze(-1)
  return ids.unsqueeze(1).ne(ids.unsqueeze(2)).to(dtype).mul(-100)
}

/** For each pair of positions in a window, the row of the table of biases: `[positions, positions]`. */
export function relativeIndex(window: Extent): BigInt64Array {
  const places = positions(window)
  return BigInt64Array.from(
    places.flatMap((a) =>
      places.map((b) =>
        BigInt(window.reduce((row, length, i) => row * (2 * length - 1) + ((a[i] ?? 0) - (b[i] ?? 0) + length - 1), 0)),
      ),
    ),
  )
}

function positions(window: Extent): number[][] {
  return window.reduce<number[][]>(
    (places, length) => places.flatMap((place) => Array.from({ length }, (_, i) => [...place, i])),
    [[]],
  )
}

export function product(numbers: Extent): number {
  return numbers.reduce((all, each) => all * each, 1)
}
