// Masks over time and frequency (Park et al., SpecAugment, Interspeech 2019), drawn as torchaudio draws them.
import { ArgumentError } from '../native/errors'
import { arange, rand, type Tensor } from '../tensor'
import { tidy } from '../tensor/scope'

export interface MaskOptions {
  /** What stands where it is masked, a number or a tensor `[]`; default 0. */
  readonly value?: number | Tensor
  /** The largest share of the axis that may be masked; default 1. */
  readonly p?: number
  /** A mask of its own for each spectrogram `[batch, channel, F, T]`; default false. */
  readonly iid?: boolean
}

/**
 * Hides a band of neighbouring frequencies whose width is drawn from 0 to `maxWidth`.
 *
 * @param spectrogram `[..., frequencies, frames]`
 * @returns a copy with the band masked
 */
export function frequencyMask(spectrogram: Tensor, maxWidth: number, options: MaskOptions = {}): Tensor {
  return maskAxis('frequencyMask', spectrogram, -2, maxWidth, options)
}

/** As `frequencyMask`, of neighbouring frames. */
export function timeMask(spectrogram: Tensor, maxWidth: number, options: MaskOptions = {}): Tensor {
  return maskAxis('timeMask', spectrogram, -1, maxWidth, options)
}

function maskAxis(name: string, spectrogram: Tensor, axis: -1 | -2, maxWidth: number, options: MaskOptions): Tensor {
  const { value = 0, p = 1, iid = false } = options
  const size = spectrogram.shape.at(axis)
  if (size === undefined)
    throw new ArgumentError(`${name}: the spectrogram is [${spectrogram.shape.join(', ')}]; it must be [..., F, T]`)
  if (!(maxWidth >= 0)) throw new ArgumentError(`${name}: maxWidth is ${maxWidth}; it must be 0 or more`)
  if (!(p >= 0 && p <= 1)) throw new ArgumentError(`${name}: p is ${p}; it must be a share from 0 to 1`)
  if (iid && spectrogram.ndim < 3) {
    throw new ArgumentError(
      `${name}: iid masks are for [batch, channel, F, T]; the spectrogram is [${spectrogram.shape.join(', ')}]`,
    )
  }
  const limit = p < 1 ? Math.min(maxWidth, Math.trunc(size * p)) : maxWidth
  if (limit < 1) return tidy(() => spectrogram.clone())
  return tidy(() => {
    // Positions stay tensors, so that a captured function draws new ones each time.
    const { device, dtype } = spectrogram
    const lead = iid ? spectrogram.shape.slice(0, -2) : [1]
    const draws = { dtype: iid ? dtype : 'float32', device } as const
    const width = rand(lead, draws).mul(limit)
    const start = rand(lead, draws).mul(width.neg().add(size))
    const first = start.to('int64')
    const end = first.add(width.to('int64'))
    const place = arange(size, { dtype: 'int64', device })
    const shape = iid ? [...lead, 1, 1] : [1]
    const along = axis === -2 ? place.unsqueeze(1) : place
    const inside = along.ge(first.reshape(shape)).logicalAnd(along.lt(end.reshape(shape)))
    return spectrogram.maskedFill(inside, value)
  })
}

export interface SpecAugmentOptions {
  readonly nTimeMasks: number
  /** Largest width of a time mask in frames. */
  readonly timeMaskParam: number
  readonly nFreqMasks: number
  /** Largest width of a frequency mask in bands. */
  readonly freqMaskParam: number
  /** Masks of its own for each spectrogram; default true. */
  readonly iidMasks?: boolean
  /** The largest share of the frames that a time mask may take; default 1. */
  readonly p?: number
  /** Masks with 0 in place of the spectrogram's mean; default false. */
  readonly zeroMasking?: boolean
}

/**
 * Time masks, then frequency masks, as `torchaudio.transforms.SpecAugment`: the paper's augmentation without warping.
 *
 * @param spectrogram `[..., frequencies, frames]`
 */
export function specAugment(spectrogram: Tensor, options: SpecAugmentOptions): Tensor {
  const { nTimeMasks, timeMaskParam, nFreqMasks, freqMaskParam, iidMasks = true, p = 1, zeroMasking = false } = options
  const iid = iidMasks && spectrogram.ndim > 2
  return tidy(() => {
    const value = zeroMasking ? 0 : spectrogram.mean()
    let masked = spectrogram
    for (let i = 0; i < nTimeMasks; i++) masked = timeMask(masked, timeMaskParam, { iid, p, value })
    for (let i = 0; i < nFreqMasks; i++) masked = frequencyMask(masked, freqMaskParam, { iid, p, value })
    return masked === spectrogram ? spectrogram.clone() : masked
  })
}
