// What pipelines take: files, or tensors that are in memory already.
import { readClip, readImage, type Source, videoInfo } from '../io'
import { ArgumentError, ShapeError } from '../native/errors'
import type { Tensor } from '../tensor'
import { describe } from '../tensor/call'
import { isTensor } from '../tensor/handle'
import type { Device } from '../tensor/types'

/** A picture: a path, a `file:` URL, the bytes of a file, or `[3, H, W]` (uint8, or floating point in 0–1). */
export type ImageInput = Source | Tensor

/** A clip in memory. */
export interface Clip {
  /** `[T, 3, H, W]`, uint8 or floating point in 0–1. */
  readonly frames: Tensor
  /** Frames a second. */
  readonly fps: number
}

/** A clip: a path, a `file:` URL, the bytes of a file, or frames. */
export type VideoInput = Source | Clip

/** A volume: a path or bytes of `.npz` or `.npy`, or `[D, H, W]`. */
export type VolumeInput = Source | Tensor

/**
 * The pixels of a picture.
 *
 * @returns `[3, H, W]` float32 in 0–1; new, whatever was given
 * @throws ShapeError for a tensor of another shape; the errors of `readImage` for a file
 */
export async function imageOf(input: ImageInput, device: Device, caller: string): Promise<Tensor<'float32'>> {
  if (!isTensor(input)) return readImage(input, { dtype: 'float32', device })
  const image = input as Tensor
  if (image.ndim !== 3 || image.size(0) !== 3) {
    throw new ShapeError(`${caller}: the image has the shape [${image.shape.join(', ')}]; it must be [3, H, W]`)
  }
  const moved = image.to({ device, dtype: 'float32', copy: true })
  return (image.dtype === 'uint8' ? moved.div_(255) : moved) as Tensor<'float32'>
}

/**
 * The frames of a clip.
 *
 * @returns `[T, 3, H, W]`, uint8 from files, as given otherwise, on the CPU or where the tensor was
 * @throws ShapeError, ArgumentError for frames of another shape or a rate that is none; the errors of `readClip` for a file
 */
export async function clipOf(input: VideoInput, caller: string, signal?: AbortSignal): Promise<Clip> {
  if (typeof input === 'object' && 'frames' in input) {
    const { frames, fps } = input
    if (frames.ndim !== 4 || frames.size(1) !== 3) {
      throw new ShapeError(`${caller}: frames have the shape [${frames.shape.join(', ')}]; it must be [T, 3, H, W]`)
    }
    if (!(fps > 0)) throw new ArgumentError(`${caller}: fps is ${describe(fps)}; it must be a number above 0`)
    return input
  }
  const { frames } = await readClip(input, { layout: 'TCHW', signal })
  const { fps } = await videoInfo(input)
  return { frames, fps: fps ?? 25 }
}
