import { ArgumentError, DTypeError, ShapeError } from '../native/errors'
import { isTensor } from '../tensor/handle'
import { tidyAsync } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'
import { later } from './later'
import type { Size } from './video-size'

export type FrameLayout = 'THWC' | 'TCHW'

/** One picture as packed bytes. */
export interface PackedFrame extends Size {
  readonly channels: 1 | 3
  readonly pixels: Uint8Array
}

type Frames = Tensor | AsyncIterable<Tensor> | Iterable<Tensor>

/** The pictures of a tensor, or of a stream of tensors, one after the other. */
export async function* packedFrames(
  frames: Frames,
  layout: FrameLayout | undefined,
  caller: string,
): AsyncGenerator<PackedFrame> {
  let first: PackedFrame | undefined
  for await (const tensor of streamOf(frames, caller)) {
    if (!isTensor(tensor)) throw new ArgumentError(`${caller}: the stream of frames gave something else than a tensor`)
    for await (const picture of picturesOf(tensor as Tensor, layout, caller)) {
      first ??= picture
      if (picture.width !== first.width || picture.height !== first.height || picture.channels !== first.channels) {
        throw new ShapeError(
          `${caller}: a frame is ${describe(picture)}, the first was ${describe(first)}; all frames of a video are alike`,
        )
      }
      yield picture
    }
  }
}

function describe({ width, height, channels }: PackedFrame): string {
  return `${width} × ${height} with ${channels} channels`
}

function streamOf(frames: Frames, caller: string): AsyncIterable<Tensor> | Iterable<Tensor> {
  if (isTensor(frames)) return [frames as Tensor]
  if (typeof frames === 'object' && frames !== null) {
    if (Symbol.asyncIterator in frames || Symbol.iterator in frames) return frames
  }
  throw new ArgumentError(`${caller}: takes a tensor of frames or an (async) iterable of them`)
}

/** About this many bytes are copied out of a tensor at once. */
const PIECE_BYTES = 2 ** 25

async function* picturesOf(
  frames: Tensor,
  layout: FrameLayout | undefined,
  caller: string,
): AsyncGenerator<PackedFrame> {
  const { shape } = frames
  if (frames.dtype !== 'uint8' && !frames.isFloatingPoint()) {
    throw new DTypeError(`${caller}: frames are uint8 or floating point in 0–1, got ${frames.dtype}; use to('uint8')`)
  }
  const last = layoutOf(shape, layout, caller) === 'THWC'
  const [count, rows, columns, channels] = axes(shape, last)
  if (count * rows * columns === 0) throw new ShapeError(`${caller}: frames of shape [${shape.join(', ')}] are empty`)
  const bytes = rows * columns * channels
  const step = Math.max(1, Math.floor(PIECE_BYTES / bytes))
  for (let at = 0; at < count; at += step) {
    const length = Math.min(step, count - at)
    const pixels = await bytesOf(frames, last, at, length, caller)
    for (let i = 0; i < length; i++) {
      yield { width: columns, height: rows, channels, pixels: pixels.subarray(i * bytes, (i + 1) * bytes) }
    }
  }
}

/** Bytes of some frames, channels last. */
async function bytesOf(frames: Tensor, last: boolean, at: number, length: number, caller: string): Promise<Uint8Array> {
  const values = await tidyAsync(async () => {
    const all = frames.ndim === 3 ? frames.unsqueeze(0) : frames
    const part = all.narrow(0, at, length).detach()
    const packed = last ? part : part.permute([0, 2, 3, 1])
    if (packed.dtype === 'uint8') return packed.contiguous().data()
    const levels = await later('mul.Scalar', [await later('to.dtype', [packed, 'float32']), 255])
    if (Number.isNaN((await later('sum', [levels])).item())) {
      throw new ArgumentError(`${caller}: a frame holds NaN; mend it with nanToNum before it is written`)
    }
    const whole = await later('clamp_', [await later('round_', [levels])], { min: 0, max: 255 })
    return (await later('contiguous', [await later('to.dtype', [whole, 'uint8'])])).data()
  })
  return values as Uint8Array
}

function axes(shape: readonly number[], last: boolean): readonly [number, number, number, 1 | 3] {
  const [count = 0, a = 0, b = 0, c = 0] = shape.length === 3 ? [1, ...shape] : shape
  const channels = (last ? c : a) === 1 ? 1 : 3
  return last ? [count, a, b, channels] : [count, b, c, channels]
}

function layoutOf(shape: readonly number[], layout: FrameLayout | undefined, caller: string): FrameLayout {
  const isChannels = (size: number | undefined) => size === 1 || size === 3
  const [first, last] = [isChannels(shape.at(-3)), isChannels(shape.at(-1))]
  const list = `[${shape.join(', ')}]`
  if ((shape.length !== 3 && shape.length !== 4) || !(first || last)) {
    throw new ShapeError(`${caller}: frames are [T, H, W, 3] or [T, 3, H, W] (1 channel for grey), got ${list}`)
  }
  if (layout !== undefined) {
    if (layout === 'THWC' ? last : first) return layout
    throw new ShapeError(`${caller}: the layout is ${layout}, but ${list} has no 1 or 3 channels there`)
  }
  if (first && last) {
    throw new ShapeError(`${caller}: ${list} may be THWC or TCHW; say which with the option layout`)
  }
  return last ? 'THWC' : 'TCHW'
}
