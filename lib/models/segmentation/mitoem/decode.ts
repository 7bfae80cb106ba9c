// From maps of bytes to numbered objects, by the rules of each representation.
import { ArgumentError } from '../../../native/errors'
import { functional as F } from '../../../nn'
import { type Connectivity, connectedComponentsAsync, labelStatistics, watershedAsync } from '../../../ops'
import type { RunOptions } from '../../../pipeline'
import { type Tensor, tensor, tidy, tidyAsync, zeros } from '../../../tensor'
import { numbersOf } from './numbers'

/** Probabilities in 0–1; on bytes they are ⌊255 · t⌋, and comparisons are strict. */
export interface DecodeOptions {
  /** Mask above which a voxel is of a seed, or of an object where there are no seeds. */
  readonly seed: number
  /** Contour below which it is. */
  readonly contour: number
  /** Mask above which seeds may grow. */
  readonly foreground: number
  /** Voxels of the smallest object that is kept. */
  readonly smallest: number
  /** Voxels of the smallest seed; 0 keeps all. */
  readonly smallestSeed: number
}

type Watch = Pick<RunOptions, 'signal'>

/** A probability on the scale of bytes. */
export function byteLevel(probability: number): number {
  return Math.floor(255 * probability)
}

/** Components of a mask, faces, edges and corners joining, by their first voxel in raster order. */
async function components(mask: Tensor, connectivity: Connectivity, watch: Watch): Promise<Tensor> {
  return (await connectedComponentsAsync(mask, { connectivity, ...watch })).labels
}

/** Objects of at least `smallest` voxels, numbered anew in the same order. */
export function removeSmall(labels: Tensor, smallest: number): Tensor<'int32'> {
  return tidy(() => {
    const most = labels.numel === 0 ? 0 : Number(labels.amax().item())
    const { area } = labelStatistics(labels.to('int32'), most, { dims: 3 })
    const sizes = numbersOf(area)
    let next = 0
    const numbers = sizes.map((size, label) => (label > 0 && size > 0 && size >= smallest ? ++next : 0))
    return tensor(Int32Array.from(numbers), { device: labels.device })
      .indexSelect(0, labels.flatten().to('int64'))
      .reshape(labels.shape) as Tensor<'int32'>
  })
}

/** B+CC: components of the mask. @param mask uint8 `[D, H, W]` */
export function decodeCc(mask: Tensor, { seed, smallest }: DecodeOptions, watch: Watch = {}): Promise<Tensor<'int32'>> {
  return tidyAsync(async () => removeSmall(await components(mask.gt(byteLevel(seed)), 26, watch), smallest))
}

/** B+MW: components of the surest voxels, grown over the mask. */
export function decodeMw(mask: Tensor, options: DecodeOptions, watch: Watch = {}): Promise<Tensor<'int32'>> {
  return tidyAsync(async () => grow(mask, mask.gt(byteLevel(options.seed)), options, watch))
}

/** BC+CC: components of the mask without contours, widened by two voxels in the slice; where two meet the higher number wins. */
export function decodeBcCc(
  mask: Tensor,
  contour: Tensor,
  { seed, contour: edge, smallest }: DecodeOptions,
  watch: Watch = {},
): Promise<Tensor<'int32'>> {
  return tidyAsync(async () => {
    const inner = mask.gt(byteLevel(seed)).logicalAnd(contour.lt(byteLevel(edge)))
    const wide = dilateInPlane(await components(inner, 26, watch), 2)
    return removeSmall(wide, smallest)
  })
}

/** BC+MW: components of the mask without contours, grown over the mask. */
export function decodeBcMw(
  mask: Tensor,
  contour: Tensor,
  options: DecodeOptions,
  watch: Watch = {},
): Promise<Tensor<'int32'>> {
  return tidyAsync(async () => {
    const inner = mask.gt(byteLevel(options.seed)).logicalAnd(contour.lt(byteLevel(options.contour)))
    return grow(mask, inner, options, watch)
  })
}

async function grow(mask: Tensor, inner: Tensor, options: DecodeOptions, watch: Watch): Promise<Tensor<'int32'>> {
  const found = await components(inner, 26, watch)
  const seeds = options.smallestSeed > 0 ? removeSmall(found, options.smallestSeed) : found
  return removeSmall(await flood(mask, seeds, mask.gt(byteLevel(options.foreground)), watch), options.smallest)
}

/** Seeds grown from high to low probability within a mask, over faces; what no seed reaches stays 0. */
export function flood(probability: Tensor, seeds: Tensor, within: Tensor, watch: Watch = {}): Promise<Tensor> {
  return tidyAsync(() => watershedAsync(probability.bitwiseNot(), seeds, { mask: within, connectivity: 6, ...watch }))
}

/** Labels widened by a square of each slice; the highest number wins. */
export function dilateInPlane(labels: Tensor, half: number): Tensor<'int32'> {
  return tidy(() => {
    // Slice by slice: numbers as floating point take four times the room of bytes.
    const slices = labels
      .unbind({ dim: 0 })
      .map((slice) =>
        F.maxPool2d(slice.to('float32').unsqueeze(0), 2 * half + 1, { stride: 1, padding: half }).to('int32'),
      )
    const result = zeros(labels.shape, { dtype: 'int32' })
    for (const [z, slice] of slices.entries()) result.select(0, z).copy_(slice.squeeze(0))
    return result as Tensor<'int32'>
  })
}

/**
 * +IoU: components of each slice, of which those of neighbouring slices that overlap most, and by more than
 * `leastOverlap`, become one object. Each is joined to one at most on either side.
 */
export async function decodeTracked(
  mask: Tensor,
  { seed, smallest, leastOverlap = 0.25 }: DecodeOptions & { readonly leastOverlap?: number },
  watch: Watch = {},
): Promise<Tensor<'int32'>> {
  return tidyAsync(async () => {
    const slices = await components(mask.gt(byteLevel(seed)), 8, watch)
    const values = new Int32Array((await slices.data()) as Int32Array)
    const [depth = 0, height = 0, width = 0] = mask.shape
    const plane = height * width
    let next = 0
    for (let z = 0; z < depth; z++) {
      const here = values.subarray(z * plane, (z + 1) * plane)
      const before = z === 0 ? new Int32Array(plane) : values.subarray((z - 1) * plane, z * plane)
      const linked = bestLinks(before, here, leastOverlap)
      const numbers = new Map<number, number>()
      for (let i = 0; i < plane; i++) {
        const own = here[i] ?? 0
        if (own === 0) continue
        let number = numbers.get(own)
        if (number === undefined) {
          number = linked.get(own) ?? ++next
          numbers.set(own, number)
        }
        here[i] = number
      }
    }
    return removeSmall(tensor(values, { shape: [depth, height, width] }), smallest)
  })
}

/** Of each component, the number of the one in the slice before that it goes on, if any; best overlaps first. */
function bestLinks(before: Int32Array, here: Int32Array, least: number): Map<number, number> {
  const [sizes, others] = [new Map<number, number>(), new Map<number, number>()]
  const shared = new Map<string, { own: number; other: number; area: number }>()
  const add = (map: Map<number, number>, key: number) => map.set(key, (map.get(key) ?? 0) + 1)
  for (const [i, own] of here.entries()) {
    const other = before[i] ?? 0
    if (own !== 0) add(sizes, own)
    if (other !== 0) add(others, other)
    if (own === 0 || other === 0) continue
    const key = `${own} ${other}`
    const pair = shared.get(key)
    if (pair === undefined) shared.set(key, { own, other, area: 1 })
    else pair.area++
  }
  const pairs = [...shared.values()]
    .map(({ own, other, area }) => ({
      own,
      other,
      overlap: area / ((sizes.get(own) ?? 0) + (others.get(other) ?? 0) - area),
    }))
    .filter(({ overlap }) => overlap > least)
    .sort((a, b) => b.overlap - a.overlap || a.own - b.own || a.other - b.other)
  const links = new Map<number, number>()
  const taken = new Set<number>()
  for (const { own, other } of pairs) {
    if (links.has(own) || taken.has(other)) continue
    links.set(own, other)
    taken.add(other)
  }
  return links
}

/** @throws ArgumentError unless maps are bytes `[C, D, H, W]` of so many channels */
export function checkMaps(maps: Tensor, channels: number): void {
  if (maps.ndim === 4 && maps.size(0) === channels && maps.dtype === 'uint8') return
  throw new ArgumentError(
    `mitoem: maps are [${maps.shape.join(', ')}] ${maps.dtype}; expected uint8 [${channels}, D, H, W]`,
  )
}
