// The magnified video: phases of a pyramid's coefficients are filtered over time and enlarged.
import { OutOfMemoryError } from '../../../native/errors'
import {
  abs,
  type CapturedFunction,
  capture,
  complex,
  type Device,
  dispose,
  fftFft2,
  fftFftfreq,
  fftIfft2,
  imag,
  real,
  type Tensor,
  tidy,
  tidyAsync,
} from '../../../tensor'
import type { MapFilter } from '../../../vision'
import { SteerablePyramid } from '../../../vision/pyramids'
import { luminance, withLuminance } from './luminance'
import { type Boundary, Frame } from './padding'
import { phaseDifference, unwrapped } from './phase'

export interface MagnifierOptions {
  readonly height: number
  readonly width: number
  readonly magnification: number
  readonly filter: MapFilter
  readonly levels?: number | undefined
  readonly orientations?: number
  /** Standard deviation over which phases are averaged, in px of each scale; 0 for not at all. */
  readonly denoise?: number
  readonly unwrap?: boolean
  readonly boundary?: Boundary
  readonly padding?: number
  readonly subsample?: boolean
  readonly dtype?: 'float32' | 'float64'
  readonly device?: Device
}

/** A frame of the magnified video. */
export interface Magnified {
  /** `[3, H, W]`, as the frame that was given. */
  readonly frame: Tensor
  /** Share of the energy whose motion is magnified past a quarter of its wavelength, where pictures break up; 0-d. */
  readonly beyond: Tensor
}

interface Advanced {
  readonly spectrum: Tensor
  readonly bands: readonly Tensor[]
  /** Unwrapped phases, one tensor a scale. */
  readonly phases: readonly Tensor[]
  readonly filtered: readonly Tensor[]
  readonly state: readonly Tensor[]
}

interface Remembered {
  readonly reference: readonly Tensor[]
  readonly phases: readonly Tensor[]
  readonly state: readonly Tensor[]
}

/** What is kept of a frame until the filter says what its motion was. */
interface Pending {
  readonly frame: Tensor
  readonly spectrum: Tensor
  readonly bands: readonly Tensor[]
}

type Maps = readonly Tensor[]

/**
 * Magnifies a clip frame by frame: `push` each; where the filter needs the whole clip first, `observe` each before.
 * Motion is relative to the first frame. Results come later by the filter's latency, the last of them from `flush`.
 */
export class Magnifier {
  readonly #options: MagnifierOptions
  readonly #pyramid: SteerablePyramid
  readonly #frame: Frame
  /** Transfer functions of a Gaussian on each scale; none where phases are not averaged. */
  readonly #smoothing: Maps
  readonly #analyse: CapturedFunction<[Tensor], { spectrum: Tensor; bands: Maps }>
  readonly #observe: CapturedFunction<[Tensor, Maps, Maps, Maps, Tensor], { phases: Maps; state: Maps }>
  readonly #advance: CapturedFunction<[Tensor, Maps, Maps, Maps, Tensor], Advanced>
  readonly #render: CapturedFunction<[Tensor, Tensor, Maps, Maps], Magnified>
  #memory: Remembered | undefined
  #pending: Pending[] = []
  #given = 0

  constructor(options: MagnifierOptions) {
    const {
      height,
      width,
      boundary = 'replicate',
      padding = 32,
      levels,
      orientations,
      dtype,
      device,
      subsample,
    } = options
    this.#options = options
    this.#frame = new Frame(height, width, boundary, padding)
    const size = { height: this.#frame.paddedHeight, width: this.#frame.paddedWidth }
    const depth = levels ?? Math.max(1, Math.floor(Math.log2(Math.min(height, width))) - 2)
    this.#pyramid = new SteerablePyramid({ ...size, levels: depth, orientations, subsample, dtype, device })
    this.#smoothing = options.denoise === 0 ? [] : this.#pyramid.sizes.map((of) => this.#gaussian(of))
    this.#analyse = capture((frame) => this.#transform(frame))
    this.#observe = capture((frame, reference, before, state, weights) => {
      const phases = this.#phases(this.#transform(frame).bands, reference, before)
      return { phases, state: phases.map((phase, k) => options.filter.observe(phase, state[k] as Tensor, weights)) }
    })
    this.#advance = capture((frame, reference, before, state, weights) => {
      const { spectrum, bands } = this.#transform(frame)
      const phases = this.#phases(bands, reference, before)
      const next = phases.map((phase, k) => options.filter.apply(phase, state[k] as Tensor, weights))
      return { spectrum, bands, phases, filtered: next.map(({ y }) => y), state: next.map(({ state: after }) => after) }
    })
    this.#render = capture((frame, spectrum, bands, filtered) => this.#compose(frame, spectrum, bands, filtered))
  }

  /** Bytes that are kept from frame to frame. */
  get bytes(): number {
    const { filter, dtype } = this.#options
    const { levels, orientations } = this.#pyramid
    const samples = this.#pyramid.sizes.slice(0, levels).reduce((sum, { height, width }) => sum + height * width, 0)
    // Reference and phases, the state, and for each frame that waits its coefficients.
    const maps = 3 + filter.stateMaps + 2 * filter.latency
    return maps * samples * orientations * (dtype === 'float64' ? 8 : 4)
  }

  /** @throws OutOfMemoryError when more than `bytes` would be kept */
  holdTo(bytes: number): void {
    if (this.bytes <= bytes) return
    const gib = (value: number) => (value / 2 ** 30).toFixed(1)
    const { width, height, filter } = this.#options
    throw new OutOfMemoryError(
      `motion-microscopy: the filter keeps ${filter.stateMaps} maps of frames of ${width} × ${height} pixels, ${gib(this.bytes)} GiB in all, more than ${gib(bytes)}; take filter 'butterworth' (2 maps), smaller frames, or raise limits.memory`,
    )
  }

  /** First pass over the clip. */
  async observe(frame: Tensor, signal?: AbortSignal): Promise<void> {
    const { reference, phases, state } = await this.#remembered(frame)
    await this.#keep(reference, () => {
      const weights = this.#options.filter.weights(this.#given)
      return this.#observe.run([frame, reference, phases, state, weights], { signal })
    })
    this.#given++
  }

  /** Begins the second pass. */
  rewind(): void {
    this.#given = 0
    if (!this.#memory) return
    const { phases } = this.#memory
    this.#memory = { ...this.#memory, phases: tidy(() => phases.map((phase) => phase.mul(0))) }
    dispose(phases)
  }

  /** @returns the magnified frame of `latency` frames ago, once there are as many */
  async push(frame: Tensor, signal?: AbortSignal): Promise<Magnified | undefined> {
    const { reference, phases, state } = await this.#remembered(frame)
    const { latency } = this.#options.filter
    const { filtered, spectrum, bands } = await this.#keep(reference, () => {
      const weights = this.#options.filter.weights(this.#given)
      return this.#advance.run([frame, reference, phases, state, weights], { signal })
    })
    this.#given++
    const own = latency === 0 ? frame : tidy(() => frame.clone())
    this.#pending.push({ frame: own, spectrum, bands })
    return this.#next(filtered, latency > 0, signal)
  }

  /** The frames that wait for their filtered motion: the clip rests at its last frame. */
  async *flush(signal?: AbortSignal): AsyncGenerator<Magnified, void, void> {
    const { filter } = this.#options
    while (this.#pending.length > 0 && this.#memory) {
      const { reference, phases, state } = this.#memory
      const after = tidy(() =>
        phases.map((phase, k) => filter.apply(phase, state[k] as Tensor, filter.weights(this.#given))),
      )
      dispose(state)
      this.#memory = { reference, phases, state: after.map((one) => one.state) }
      this.#given++
      const magnified = await this.#next(
        after.map(({ y }) => y),
        true,
        signal,
      )
      if (magnified) yield magnified
    }
  }

  async #next(filtered: Maps, owned: boolean, signal?: AbortSignal): Promise<Magnified | undefined> {
    const { latency } = this.#options.filter
    const oldest = this.#given > latency ? this.#pending.shift() : undefined
    try {
      if (!oldest) return undefined
      return await this.#render.run([oldest.frame, oldest.spectrum, oldest.bands, filtered], { signal })
    } finally {
      dispose(filtered)
      if (oldest) dispose([oldest.spectrum, oldest.bands])
      if (oldest && owned) dispose(oldest.frame)
    }
  }

  async #remembered(frame: Tensor): Promise<Remembered> {
    if (this.#memory) return this.#memory
    this.#memory = await tidyAsync(async () => {
      const { bands: reference } = await this.#analyse(frame)
      const phases = reference.map((band) => abs(band).mul(0))
      return { reference, phases, state: phases.map((phase) => this.#options.filter.initial(phase)) }
    })
    return this.#memory
  }

  /** Puts new phases and state in the place of the old. */
  async #keep<T extends { readonly phases: Maps; readonly state: Maps }>(
    reference: Maps,
    run: () => Promise<T>,
  ): Promise<T> {
    const old = this.#memory
    const result = await tidyAsync(run)
    const { phases, state } = result
    this.#memory = { reference, phases, state }
    if (old) dispose([old.phases, old.state.filter((map) => !state.includes(map))])
    return result
  }

  #transform(frame: Tensor): { spectrum: Tensor; bands: Maps } {
    const { dtype = 'float32', device } = this.#options
    const luma = luminance(frame.unsqueeze(0), dtype).to(device ? { device } : {})
    const spectrum = this.#pyramid.spectrum(this.#frame.pad(luma)).squeeze(0)
    return { spectrum, bands: this.#pyramid.bands(spectrum) }
  }

  #phases(bands: Maps, reference: Maps, before: Maps): Maps {
    const { unwrap = true } = this.#options
    return bands.map((band, k) => {
      const phase = phaseDifference(band, reference[k] as Tensor)
      return unwrap ? unwrapped(phase, before[k] as Tensor) : phase
    })
  }

  /** Phases averaged over their surroundings, weighted by amplitude: a convolution of both at once. */
  #averaged(amplitude: Tensor, phase: Tensor, scale: number): Tensor {
    const smoothing = this.#smoothing[scale]
    if (!smoothing) return phase
    const smooth = fftIfft2(fftFft2(complex(amplitude.mul(phase), amplitude)).mul(smoothing))
    return real(smooth).div(imag(smooth).clamp({ min: 1e-8 }))
  }

  #compose(frame: Tensor, spectrum: Tensor, bands: Maps, filtered: Maps): Magnified {
    const { magnification } = this.#options
    const amplitudes = bands.map((band) => abs(band))
    const motions = amplitudes.map((amplitude, k) => this.#averaged(amplitude, filtered[k] as Tensor, k))
    const moved = bands.map((band, k) => {
      const turn = (motions[k] as Tensor).mul(magnification - 1)
      return band.mul(complex(turn.cos(), turn.sin()))
    })
    const luma = this.#frame.crop(this.#pyramid.compose(spectrum, moved).unsqueeze(0)).squeeze(0)
    const energies = amplitudes.map((amplitude) => amplitude.square())
    const past = energies.map((energy, k) => {
      const far = abs(motions[k] as Tensor)
        .mul(magnification)
        .gt(Math.PI / 2)
      return energy.mul(far.to(energy.dtype)).mean()
    })
    const sum = (parts: Maps) => parts.reduce((total, part) => total.add(part))
    const beyond = sum(past).div(sum(energies.map((energy) => energy.mean())).add(1e-12))
    return { frame: withLuminance(frame, luma), beyond }
  }

  #gaussian({ height, width }: { readonly height: number; readonly width: number }): Tensor {
    const { denoise = 2, dtype = 'float32', device = 'cpu' } = this.#options
    return tidy(() => {
      const part = (count: number) =>
        fftFftfreq(count, { dtype: 'float64' })
          .mul(2 * Math.PI * denoise)
          .square()
          .div(-2)
          .exp()
      return part(height).unsqueeze(1).mul(part(width).unsqueeze(0)).to({ dtype, device })
    })
  }

  /** Forgets the clip; graphs stay, for another clip of this size. */
  restart(): void {
    if (this.#memory) dispose([this.#memory.reference, this.#memory.phases, this.#memory.state])
    for (const { frame, spectrum, bands } of this.#pending.splice(0)) dispose([frame, spectrum, bands])
    this.#memory = undefined
    this.#given = 0
  }

  dispose(): void {
    this.restart()
    dispose(this.#smoothing)
    for (const captured of [this.#analyse, this.#observe, this.#advance, this.#render]) captured.dispose()
    this.#pyramid.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}
