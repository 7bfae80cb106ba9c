// Masks as COCO writes them: lengths of runs down the columns, zeros first, as numbers or packed into a string.
import { ArgumentError, FormatError, ShapeError } from '../../native/errors'
import { shown } from '../../native/shown'
import { type Tensor, tensor } from '../../tensor'

/** A mask of COCO: `size` is height and width; `counts` the run lengths, or their string form. */
export interface CocoRle {
  readonly size: readonly [height: number, width: number]
  readonly counts: string | readonly number[]
}

/** As many as pictures have. A few bytes of run lengths can claim any number. */
const MOST_PIXELS = 2 ** 27

/** x and y of the top left corner, width, height. */
export type CocoBox = readonly [x: number, y: number, width: number, height: number]

/**
 * Run lengths of a mask, as `pycocotools.mask.encode`.
 *
 * @param mask `[H, W]`, any dtype; what is not zero belongs to the mask
 * @throws ShapeError when it has another rank
 */
export function encodeMask(mask: Tensor): CocoRle {
  const [height, width] = mask.shape
  if (mask.ndim !== 2 || height === undefined || width === undefined) {
    throw new ShapeError(`encodeMask: the mask is [${mask.shape}]; it is [H, W]`)
  }
  const columns = mask.ne(0).to('uint8').t().contiguous().dataSync() as Uint8Array
  const counts: number[] = []
  let [value, run] = [0, 0]
  for (const pixel of columns) {
    if (pixel !== value) {
      counts.push(run)
      run = 0
      value = pixel
    }
    run++
  }
  counts.push(run)
  return { size: [height, width], counts: packCounts(counts) }
}

/** The mask of run lengths, uint8 `[H, W]`, as `pycocotools.mask.decode`. @throws FormatError when they do not fill it */
export function decodeMask(rle: CocoRle): Tensor<'uint8'> {
  const runs = countsOf(rle)
  const [height, width] = rle.size
  if (height * width > MOST_PIXELS) {
    throw new FormatError(`decodeMask: ${height} × ${width} pixels; a mask is decoded up to ${MOST_PIXELS}`)
  }
  const pixels = new Uint8Array(height * width)
  let begin = 0
  for (const [i, run] of runs.entries()) {
    if (i % 2 === 1) for (let k = begin; k < begin + run; k++) pixels[(k % height) * width + Math.floor(k / height)] = 1
    begin += run
  }
  return tensor(pixels, { shape: [height, width] }) as Tensor<'uint8'>
}

/** Pixels of a mask. */
export function maskArea(rle: CocoRle): number {
  return countsOf(rle).reduce((sum, run, i) => sum + (i % 2 === 1 ? run : 0), 0)
}

/** The smallest box around a mask; zeros where it is empty. */
export function maskBox(rle: CocoRle): CocoBox {
  const runs = countsOf(rle)
  const [height] = rle.size
  let [left, right, top, bottom] = [Number.POSITIVE_INFINITY, -1, Number.POSITIVE_INFINITY, -1]
  let begin = 0
  for (const [i, run] of runs.entries()) {
    const end = begin + run - 1
    if (i % 2 === 1 && run > 0) {
      const [first, last] = [Math.floor(begin / height), Math.floor(end / height)]
      left = Math.min(left, first)
      right = Math.max(right, last)
      // A run over the end of a column touches the bottom and the top.
      top = first === last ? Math.min(top, begin % height) : 0
      bottom = first === last ? Math.max(bottom, end % height) : height - 1
    }
    begin += run
  }
  return right < 0 ? [0, 0, 0, 0] : [left, top, right - left + 1, bottom - top + 1]
}

/**
 * The union of masks, or their intersection, as `pycocotools.mask.merge`.
 *
 * @throws ShapeError when they differ in size; ArgumentError when there are none
 */
export function mergeMasks(
  masks: readonly CocoRle[],
  { intersect = false }: { readonly intersect?: boolean } = {},
): CocoRle {
  const [first, ...others] = masks
  if (first === undefined) throw new ArgumentError('mergeMasks: there are no masks; pass one or more')
  let counts = countsOf(first)
  for (const other of others) {
    checkSameSize('mergeMasks', first, other)
    counts = combine(counts, countsOf(other), intersect)
  }
  return { size: first.size, counts: packCounts(counts) }
}

/** @throws ShapeError when two masks are of different pictures */
export function checkSameSize(caller: string, a: CocoRle, b: CocoRle): void {
  if (a.size[0] === b.size[0] && a.size[1] === b.size[1]) return
  throw new ShapeError(`${caller}: masks are ${a.size.join(' × ')} and ${b.size.join(' × ')}; they need the same size`)
}

function combine(a: readonly number[], b: readonly number[], intersect: boolean): number[] {
  const counts: number[] = []
  let [value, run] = [false, 0]
  eachCommonRun(a, b, (length, inA, inB) => {
    const next = intersect ? inA && inB : inA || inB
    if (next !== value) {
      counts.push(run)
      run = 0
      value = next
    }
    run += length
  })
  counts.push(run)
  return counts
}

/** Calls `visit` with each stretch over which neither of two masks changes. */
export function eachCommonRun(
  a: readonly number[],
  b: readonly number[],
  visit: (length: number, inA: boolean, inB: boolean) => void,
): void {
  let [i, j, restA, restB] = [0, 0, a[0] ?? 0, b[0] ?? 0]
  while (i < a.length && j < b.length) {
    const length = Math.min(restA, restB)
    if (length > 0) visit(length, i % 2 === 1, j % 2 === 1)
    restA -= length
    restB -= length
    if (restA === 0) restA = a[++i] ?? 0
    if (restB === 0) restB = b[++j] ?? 0
  }
}

/**
 * Run lengths as numbers.
 *
 * @throws FormatError when they are no whole numbers from 0, or are not as long as the picture has pixels
 */
export function countsOf({ size, counts }: CocoRle): readonly number[] {
  const [height, width] = size
  if (![height, width].every((side) => Number.isSafeInteger(side) && side >= 0)) {
    throw new FormatError(`RLE: the size is ${shown(size)}; it is [height, width], whole numbers from 0`)
  }
  if (typeof counts !== 'string' && !Array.isArray(counts)) {
    throw new FormatError(`RLE: counts is ${shown(counts)}; it is a list of run lengths, or their string form`)
  }
  const numbers = typeof counts === 'string' ? unpackCounts(counts) : counts
  let sum = 0
  for (const run of numbers) {
    if (!Number.isInteger(run) || run < 0)
      throw new FormatError(`RLE: a run of ${shown(run)} pixels; runs are whole numbers from 0`)
    sum += run
  }
  if (sum !== height * width) {
    throw new FormatError(`RLE: the runs cover ${sum} pixels; a mask of ${height} × ${width} has ${height * width}`)
  }
  return numbers
}

/**
 * COCO's string: each number, from the fourth on less the one two before it, in groups of five bits, low ones first; a
 * sixth bit says that more follow, and 48 makes it a printable character.
 */
export function packCounts(counts: readonly number[]): string {
  const bytes: number[] = []
  for (const [i, run] of counts.entries()) {
    let rest = i > 2 ? run - (counts[i - 2] ?? 0) : run
    for (let more = true; more; ) {
      const group = rest & 31
      rest >>= 5
      // The fifth bit is the sign of what follows.
      more = rest !== ((group & 16) === 0 ? 0 : -1)
      bytes.push((more ? group | 32 : group) + 48)
    }
  }
  return Buffer.from(bytes).toString('latin1')
}

/** @throws FormatError for a character that the string form does not have, or an end within a number */
export function unpackCounts(text: string): number[] {
  const counts: number[] = []
  for (let at = 0; at < text.length; ) {
    let [value, bits, more] = [0, 0, true]
    while (more) {
      const group = text.charCodeAt(at++) - 48
      if (!(group >= 0 && group < 64) || bits > 30) {
        throw new FormatError(`RLE: '${text.slice(0, 40)}' is no string of run lengths: it is wrong at character ${at}`)
      }
      value |= (group & 31) << bits
      bits += 5
      more = (group & 32) !== 0
      if (!more && (group & 16) !== 0 && bits < 32) value |= -1 << bits
    }
    counts.push(counts.length > 2 ? value + (counts.at(-2) ?? 0) : value)
  }
  return counts
}
