// Filters along the time of a clip, for signals in arrays and for maps that arrive frame by frame.
import { ArgumentError } from '../native/errors'
import { cat, type Tensor, tensor, zeros } from '../tensor'

/** A filter along time. Frequencies are in Hz. */
export type TemporalFilter =
  | { readonly kind: 'none' }
  /** First-order Butterworth, causal, from rest. */
  | { readonly kind: 'band-pass' | 'band-stop'; readonly band: readonly [low: number, high: number] }
  /** First-order Butterworth, causal, from rest. */
  | { readonly kind: 'high-pass'; readonly from: number }
  /** Keeps the bins of the clip's discrete Fourier transform from `low` to `high`, both included. */
  | { readonly kind: 'ideal'; readonly band: readonly [low: number, high: number] }
  /** Windowed sinc (Hamming) of linear phase; its delay of (taps − 1)/2 frames is taken out. */
  | { readonly kind: 'fir'; readonly band: readonly [low: number, high: number]; readonly taps: number }
  /** Difference to the mean over the clip. */
  | { readonly kind: 'minus-mean' }

/** Coefficients of y_t = Σ b_i x_(t−i) − a₁ y_(t−1) − a₂ y_(t−2). */
interface Biquad {
  readonly b: readonly [number, number, number]
  readonly a: readonly [number, number]
}

/** @throws ArgumentError for frequencies that are not between 0 and half the rate */
export function checkTemporalFilter(filter: TemporalFilter, fps: number, caller: string): void {
  if (!(Number.isFinite(fps) && fps > 0)) throw new ArgumentError(`${caller}: ${fps} frames a second is no rate`)
  const nyquist = fps / 2
  if (filter.kind === 'high-pass' && !(filter.from > 0 && filter.from < nyquist)) {
    throw new ArgumentError(
      `${caller}: a high-pass from ${filter.from} Hz; at ${fps} frames a second it lies between 0 and ${nyquist} Hz`,
    )
  }
  if ('band' in filter) {
    const [low, high] = filter.band
    const least = filter.kind === 'ideal' || filter.kind === 'fir' ? low >= 0 : low > 0
    const most = filter.kind === 'ideal' || filter.kind === 'fir' ? high <= nyquist : high < nyquist
    if (!(least && most && low < high)) {
      throw new ArgumentError(
        `${caller}: the band ${low}–${high} Hz; at ${fps} frames a second a band rises from above 0 to below ${nyquist} Hz`,
      )
    }
  }
  if (filter.kind === 'fir' && !(Number.isSafeInteger(filter.taps) && filter.taps >= 3 && filter.taps % 2 === 1)) {
    throw new ArgumentError(`${caller}: a filter of ${filter.taps} taps; the number is odd and at least 3`)
  }
}

/** Whether a filter must have seen the whole clip before it gives its first frame. */
export function needsWholeClip({ kind }: TemporalFilter): boolean {
  return kind === 'ideal' || kind === 'minus-mean'
}

/** Frames by which results come later than what they are of. */
export function latencyOf(filter: TemporalFilter): number {
  return filter.kind === 'fir' ? (filter.taps - 1) / 2 : 0
}

/** A filtered signal of the same length and timing. */
export function filterSignal(signal: ArrayLike<number>, filter: TemporalFilter, fps: number): Float64Array {
  checkTemporalFilter(filter, fps, 'filterSignal')
  const values = Float64Array.from(signal)
  switch (filter.kind) {
    case 'none':
      return values
    case 'minus-mean': {
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length
      return values.map((value) => value - mean)
    }
    case 'ideal':
      return keepBins(values, keptBins(filter.band, fps, values.length))
    case 'fir':
      return convolve(values, firTaps(filter.band, fps, filter.taps))
    default:
      return recurse(values, biquadOf(filter, fps))
  }
}

/**
 * The response to an impulse of 1 at frame 0; for filters over the whole clip, at any frame of it, shifted there.
 *
 * @param frames of the clip; responses that never end are long enough for all but 1e-12 of their energy
 */
export function impulseResponse(filter: TemporalFilter, fps: number, frames: number): Float64Array {
  checkTemporalFilter(filter, fps, 'impulseResponse')
  if (filter.kind === 'fir') return Float64Array.from(firTaps(filter.band, fps, filter.taps))
  const impulse = new Float64Array(Math.max(1, responseFrames(filter, fps, frames)))
  impulse[0] = 1
  return filterSignal(impulse, filter, fps)
}

function responseFrames(filter: Exclude<TemporalFilter, { kind: 'fir' }>, fps: number, frames: number): number {
  switch (filter.kind) {
    case 'none':
    case 'ideal':
    case 'minus-mean':
      return frames
    default:
      return Math.max(frames, settlingFrames(biquadOf(filter, fps)))
  }
}

/** What a filter makes of the variance of white noise: Σ T(t)² of its impulse response. */
export function noiseGain(filter: TemporalFilter, fps: number, frames: number): number {
  return impulseResponse(filter, fps, frames).reduce((sum, value) => sum + value * value, 0)
}

// ---- Maps, frame by frame -------------------------------------------------------------------------------------------

/**
 * A filter over maps. Its methods only call operators, so that they can be part of a captured function; what changes
 * from frame to frame comes in as tensors.
 */
export interface MapFilter {
  readonly needsWholeClip: boolean
  readonly latency: number
  /** Maps of state for each map that is filtered. */
  readonly stateMaps: number
  /** Numbers for frame `t`, for `observe` and `apply`. */
  weights(t: number): Tensor
  /** State before the first frame, `[stateMaps, …shape]`. */
  initial(first: Tensor): Tensor
  /** First pass over the clip, of filters that need it whole. */
  observe(x: Tensor, state: Tensor, weights: Tensor): Tensor
  /** The filtered map of the frame `latency` frames ago, and the state after it. */
  apply(x: Tensor, state: Tensor, weights: Tensor): { readonly y: Tensor; readonly state: Tensor }
}

/**
 * @param frames of the clip, for filters that need it whole
 * @throws ArgumentError for frequencies that are not between 0 and half the rate
 */
export function mapFilter(filter: TemporalFilter, fps: number, frames: number): MapFilter {
  checkTemporalFilter(filter, fps, 'mapFilter')
  switch (filter.kind) {
    case 'none':
      return { ...streaming(0), apply: (x, state) => ({ y: x.clone(), state }) }
    case 'minus-mean':
      return { ...wholeClip([{ bin: 0, gain: 1 }], frames, 1), apply: subtractMean }
    case 'ideal':
      return wholeClip(binsOf(keptBins(filter.band, fps, frames), frames), frames, 2)
    case 'fir':
      return finite(firTaps(filter.band, fps, filter.taps))
    default:
      return recursive(biquadOf(filter, fps))
  }
}

function streaming(stateMaps: number) {
  return {
    needsWholeClip: false,
    latency: 0,
    stateMaps,
    weights: () => zeros([1]),
    initial: (first: Tensor) => zeros([stateMaps, ...first.shape], { dtype: first.dtype, device: first.device }),
    observe: (_: Tensor, state: Tensor) => state,
  }
}

/** Transposed direct form II: two maps of state. */
function recursive({ b: [b0, b1, b2], a: [a1, a2] }: Biquad): MapFilter {
  return {
    ...streaming(2),
    apply(x, state) {
      const [s1, s2] = state.unbind() as [Tensor, Tensor]
      const y = s1.add(x, { alpha: b0 })
      const next1 = s2.add(x, { alpha: b1 }).sub(y, { alpha: a1 })
      const next2 = x.mul(b2).sub(y, { alpha: a2 })
      return { y, state: cat([next1.unsqueeze(0), next2.unsqueeze(0)]) }
    },
  }
}

/** The last frames themselves; before the first, the clip rests there. */
function finite(taps: readonly number[]): MapFilter {
  const count = taps.length
  return {
    ...streaming(count),
    latency: (count - 1) / 2,
    initial: (first) =>
      first
        .unsqueeze(0)
        .expand([count, ...first.shape])
        .contiguous(),
    apply(x, state) {
      const next = cat([state.slice({ dim: 0, start: 1 }), x.unsqueeze(0)])
      const weights = tensor([...taps], { dtype: x.dtype, device: x.device })
      return { y: weighted(weights, next), state: next }
    },
  }
}

/** A bin of the transform, and how often it counts with its mirror image. */
interface Bin {
  readonly bin: number
  readonly gain: number
}

/** Fourier sums of the bins that are kept, so that memory does not grow with the clip. */
function wholeClip(bins: readonly Bin[], frames: number, parts: 1 | 2): MapFilter {
  const count = bins.length * parts
  return {
    ...streaming(count),
    needsWholeClip: true,
    weights: (t) => {
      const angles = bins.map(({ bin }) => binAngle(bin, t, frames))
      const waves = angles.map((angle) => [Math.cos(angle), Math.sin(angle)].slice(0, parts))
      const gains = bins.flatMap(({ gain }) => Array(parts).fill(gain / frames))
      return tensor([...waves.flat(), ...gains], { dtype: 'float64' }).reshape([2, count])
    },
    observe: (x, state, weights) => {
      const waves = weights.select(0, 0).to({ dtype: x.dtype, device: x.device })
      return state.add(waves.reshape([-1, ...x.shape.map(() => 1)]).mul(x.unsqueeze(0)))
    },
    apply: (x, state, weights) => {
      const waves = weights.prod(0).to({ dtype: x.dtype, device: x.device })
      return { y: weighted(waves, state), state }
    },
  }
}

function subtractMean(x: Tensor, state: Tensor, weights: Tensor) {
  const gain = weights.select(0, 1).to({ dtype: x.dtype, device: x.device })
  return { y: x.sub(weighted(gain, state)), state }
}

function weighted(weights: Tensor, maps: Tensor): Tensor {
  if (maps.size(0) === 0) return maps.sum({ dim: [0] })
  return weights
    .unsqueeze(0)
    .matmul(maps.flatten({ startDim: 1 }))
    .reshape(maps.shape.slice(1))
}

// ---- Coefficients ---------------------------------------------------------------------------------------------------

function biquadOf(
  filter: Extract<TemporalFilter, { kind: 'band-pass' | 'band-stop' | 'high-pass' }>,
  fps: number,
): Biquad {
  // Frequencies bent as the bilinear transform bends them back.
  const bent = (frequency: number) => Math.tan((Math.PI * frequency) / fps)
  if (filter.kind === 'high-pass') {
    const corner = bent(filter.from)
    const gain = 1 / (1 + corner)
    return { b: [gain, -gain, 0], a: [(corner - 1) * gain, 0] }
  }
  const [low, high] = filter.band.map(bent) as [number, number]
  const width = high - low
  const centre = low * high
  const scale = 1 / (1 + width + centre)
  const a = [2 * (centre - 1) * scale, (1 - width + centre) * scale] as const
  if (filter.kind === 'band-pass') return { b: [width * scale, 0, -width * scale], a }
  return { b: [(1 + centre) * scale, a[0], (1 + centre) * scale], a }
}

function recurse(values: Float64Array, { b: [b0, b1, b2], a: [a1, a2] }: Biquad): Float64Array {
  let s1 = 0
  let s2 = 0
  return values.map((x) => {
    const y = b0 * x + s1
    s1 = b1 * x - a1 * y + s2
    s2 = b2 * x - a2 * y
    return y
  })
}

/** Frames after which the response has fallen below 1e-7: the slowest pole decides. */
function settlingFrames({ a: [a1, a2] }: Biquad): number {
  const root = a1 * a1 - 4 * a2
  const radius = root < 0 ? Math.sqrt(a2) : (Math.abs(a1) + Math.sqrt(root)) / 2
  return Math.min(2 ** 22, Math.ceil(Math.log(1e-7) / Math.log(Math.min(radius, 1 - 1e-6))) + 2)
}

/** Bins of a transform over `frames` from `low` to `high`, without their mirror images. */
function keptBins([low, high]: readonly [number, number], fps: number, frames: number): number[] {
  // A bin on the border belongs to the band, whatever rounding makes of it.
  const slack = 1e-9 * fps
  const bins = Array.from({ length: Math.floor(frames / 2) + 1 }, (_, k) => k)
  return bins.filter((k) => (k * fps) / frames >= low - slack && (k * fps) / frames <= high + slack)
}

/** A bin and its mirror image count twice, except the mean and the Nyquist frequency. */
function binsOf(kept: readonly number[], frames: number): Bin[] {
  return kept.map((k) => ({ bin: k, gain: k === 0 || 2 * k === frames ? 1 : 2 }))
}

function binAngle(bin: number, t: number, frames: number): number {
  return (2 * Math.PI * ((bin * t) % frames)) / frames
}

function keepBins(values: Float64Array, kept: readonly number[]): Float64Array {
  const frames = values.length
  const result = new Float64Array(frames)
  for (const { bin, gain } of binsOf(kept, frames)) {
    const angle = (t: number) => binAngle(bin, t, frames)
    let real = 0
    let imaginary = 0
    for (const [t, value] of values.entries()) {
      real += value * Math.cos(angle(t))
      imaginary += value * Math.sin(angle(t))
    }
    for (let t = 0; t < frames; t++) {
      result[t] = (result[t] ?? 0) + (gain / frames) * (real * Math.cos(angle(t)) + imaginary * Math.sin(angle(t)))
    }
  }
  return result
}

function firTaps([low, high]: readonly [number, number], fps: number, taps: number): number[] {
  const middle = (taps - 1) / 2
  const sinc = (cut: number, n: number) =>
    n === 0 ? (2 * cut) / fps : Math.sin((2 * Math.PI * cut * n) / fps) / (Math.PI * n)
  return Array.from({ length: taps }, (_, i) => {
    const hamming = 0.54 - 0.46 * Math.cos((2 * Math.PI * i) / (taps - 1))
    return hamming * (sinc(high, i - middle) - sinc(low, i - middle))
  })
}

/** Centred convolution; before its first frame and after its last the signal rests there. */
function convolve(values: Float64Array, taps: readonly number[]): Float64Array {
  const middle = (taps.length - 1) / 2
  const at = (t: number) => values[Math.min(Math.max(t, 0), values.length - 1)] ?? 0
  return values.map((_, t) => taps.reduce((sum, tap, i) => sum + tap * at(t + middle - i), 0))
}
