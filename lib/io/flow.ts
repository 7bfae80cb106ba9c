import { extname } from 'node:path'
import { writeFileAtomic } from '../native/atomic-file'
import { ArgumentError, DTypeError, ShapeError } from '../native/errors'
import { tensor } from '../tensor/creation'
import { tidy } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'
import type { Device } from '../tensor/types'
import type { FlowField } from './flow-field'
import { decodeFlo, encodeFlo } from './flow-flo'
import { decodeKitti, encodeKitti } from './flow-kitti'
import { isPng } from './image-decode'
import { readSource, type Source } from './source'

/** Optical flow as a file holds it. */
export interface FlowFile {
  /** `[2, H, W]` float32 in pixels, u (right) then v (down); 0 where unknown. */
  readonly flow: Tensor<'float32'>
  /** `[H, W]` bool, false where the flow is unknown. */
  readonly valid: Tensor<'bool'>
}

/**
 * Reads a flow file: Middlebury's `.flo` or KITTI's 16-bit PNG, told apart by their first bytes.
 *
 * @param source a path, a `file:` URL, or the bytes of a file
 * @param options `device` of the tensors; `maxPixels` that a PNG may have (2^27 unless stated)
 * @throws ArgumentError when the file cannot be opened
 * @throws FormatError when it is neither format, truncated, longer than it states, or too large
 */
export async function readFlow(
  source: Source,
  { device, maxPixels }: { readonly device?: Device | undefined; readonly maxPixels?: number | undefined } = {},
): Promise<FlowFile> {
  const input = await readSource(source, 'readFlow')
  const { width, height, vectors, valid } = isPng(input.bytes) ? await decodeKitti(input, maxPixels) : decodeFlo(input)
  return tidy(() => ({
    flow: tensor(vectors, { shape: [2, height, width], dtype: 'float32', device }),
    valid: tensor(valid, { shape: [height, width], dtype: 'bool', device }),
  }))
}

/**
 * Writes a flow file whole or not at all: Middlebury's `.flo` (exact), or KITTI's 16-bit `.png` (±512 px in steps of
 * 1/64 px), by the extension of the path.
 *
 * @param flow `[2, H, W]` floating point in pixels
 * @param options `valid`: `[H, W]` bool, false where the flow is unknown; all is known unless stated
 * @throws ShapeError, DTypeError when the tensors are no flow and mask
 * @throws ArgumentError when the extension is not known, a known vector does not fit the format, or the path cannot be
 *   written
 */
export async function writeFlow(
  flow: Tensor,
  path: string,
  { valid }: { readonly valid?: Tensor | undefined } = {},
): Promise<void> {
  const extension = typeof path === 'string' ? extname(path).toLowerCase() : ''
  if (extension !== '.flo' && extension !== '.png') {
    throw new ArgumentError(`writeFlow: '${extension}' of ${String(path)} is no flow format; use .flo or .png (KITTI)`)
  }
  const field = await fieldOf(flow, valid)
  await writeFileAtomic(path, extension === '.flo' ? encodeFlo(field) : await encodeKitti(field), 'writeFlow')
}

async function fieldOf(flow: Tensor, valid: Tensor | undefined): Promise<FlowField> {
  const { shape, dtype } = flow
  if (shape.length !== 3 || shape[0] !== 2) {
    const remedy = shape.length === 4 ? '; take one flow of a batch with at(0)' : ''
    throw new ShapeError(`writeFlow: a flow is [2, H, W], got [${shape.join(', ')}]${remedy}`)
  }
  if (!['float16', 'bfloat16', 'float32', 'float64'].includes(dtype)) {
    throw new DTypeError(`writeFlow: a flow is floating point in pixels, got ${dtype}; convert it with to('float32')`)
  }
  const [, height, width] = shape as [number, number, number]
  if (height === 0 || width === 0) throw new ShapeError(`writeFlow: a flow of [${shape.join(', ')}] has no pixels`)
  if (valid !== undefined) checkMask(valid, height, width)
  using plain = tidy(() => flow.detach().to('float32').contiguous())
  const vectors = (await plain.data()) as Float32Array
  const known = valid === undefined ? new Uint8Array(height * width).fill(1) : ((await valid.data()) as Uint8Array)
  return { width, height, vectors, valid: known }
}

function checkMask(valid: Tensor, height: number, width: number): void {
  const { shape, dtype } = valid
  if (dtype !== 'bool') throw new DTypeError(`writeFlow: valid is a bool mask, got ${dtype}; compare it, as in ne(0)`)
  if (shape.length !== 2 || shape[0] !== height || shape[1] !== width) {
    throw new ShapeError(`writeFlow: valid is [H, W] = [${height}, ${width}] like the flow, got [${shape.join(', ')}]`)
  }
}
