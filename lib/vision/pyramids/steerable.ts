// The complex steerable pyramid: local amplitude and phase of a picture, by scale and orientation.
import { ArgumentError, ShapeError } from '../../native/errors'
import { type Device, type DType, dispose, fftFft2, fftIfft2, real, type Tensor, tidy, zeros } from '../../tensor'
import { TENSORS } from '../../tensor/handle'
import { type PyramidMasks, pyramidMasks, type ScaleMasks } from './steerable-masks'

export interface SteerablePyramidOptions {
  readonly height: number
  readonly width: number
  /** Octaves; ⌊log₂ min(H, W)⌋ − 2 unless stated. */
  readonly levels?: number | undefined
  /** Directions, evenly over 180°; 4 unless stated. */
  readonly orientations?: number | undefined
  /** Keeps the samples of scale k that its frequencies need, 2^k fewer a side (default); else all have the picture's size. */
  readonly subsample?: boolean | undefined
  /** Of pictures and filters: `'float32'` (default) or `'float64'`. */
  readonly dtype?: 'float32' | 'float64' | undefined
  readonly device?: Device | undefined
}

export interface PyramidCoefficients {
  /** What lies above the finest scale, `[…, H, W]`. */
  readonly high: Tensor
  /** For each scale, the finest first: `[…, orientations, h, w]` complex. */
  readonly bands: readonly Tensor[]
  /** What lies below the coarsest scale, `[…, H, W]`. */
  readonly low: Tensor
}

/**
 * The complex steerable pyramid of octave bandwidth (Simoncelli and Freeman 1995; Portilla and Simoncelli 2000), in the
 * Fourier domain for pictures of one size. A tight frame: `synthesize(analyze(image))` is the image.
 *
 * Band b answers to waves along the angle πb/orientations, with y down. Coefficients are analytic: a wave of amplitude
 * a has coefficients of constant amplitude whose phase moves with the wave. The edges of the picture join those
 * opposite; pad it where this matters.
 *
 * It holds its filters until it is disposed of.
 */
export class SteerablePyramid {
  readonly height: number
  readonly width: number
  readonly levels: number
  readonly orientations: number
  readonly dtype: 'float32' | 'float64'
  readonly #masks: PyramidMasks
  readonly #residual: Tensor

  /** @throws ArgumentError for sizes or counts that are none, or more levels than the size has octaves */
  constructor({
    height,
    width,
    levels,
    orientations = 4,
    subsample = true,
    dtype = 'float32',
    device = 'cpu',
  }: SteerablePyramidOptions) {
    this.height = height
    this.width = width
    this.levels = levels ?? Math.max(1, defaultLevels(height, width))
    this.orientations = orientations
    this.dtype = dtype
    this.#check()
    const masks = tidy(() => {
      const made = pyramidMasks({ height, width, levels: this.levels, orientations, subsample })
      const at = (mask: Tensor) => mask.to({ device, dtype: dtype as DType, copy: true })
      const scales = made.scales.map(({ bands, crop, ...size }) => ({
        ...size,
        bands: at(bands),
        crop: crop && { rows: crop.rows.to({ device, copy: true }), columns: crop.columns.to({ device, copy: true }) },
      }))
      return { high: at(made.high), scales, low: at(made.low), residual: at(made.high.square().add(made.low.square())) }
    })
    this.#masks = masks
    this.#residual = masks.residual
  }

  #check(): void {
    const { height, width, levels, orientations } = this
    for (const [name, value, least] of [
      ['height', height, 4],
      ['width', width, 4],
      ['levels', levels, 1],
      ['orientations', orientations, 2],
    ] as const) {
      if (Number.isSafeInteger(value) && value >= least) continue
      throw new ArgumentError(`SteerablePyramid: ${name} is ${value}; it must be a whole number of at least ${least}`)
    }
    const most = Math.floor(Math.log2(Math.min(height, width))) - 1
    if (levels > most) {
      throw new ArgumentError(
        `SteerablePyramid: ${levels} levels are more than ${most}, which a picture of ${width} × ${height} has`,
      )
    }
  }

  /** Sizes of the scales, the finest first. */
  get sizes(): readonly { readonly height: number; readonly width: number }[] {
    return this.#masks.scales.map(({ height, width }) => ({ height, width }))
  }

  /** Transfer functions: `high` and `low` `[H, W]`, `bands` of each scale `[orientations, h, w]`. They stay the pyramid's. */
  get filters(): { readonly high: Tensor; readonly low: Tensor; readonly bands: readonly Tensor[] } {
    const { high, low, scales } = this.#masks
    return { high, low, bands: scales.map(({ bands }) => bands) }
  }

  /** @param image `[…, H, W]` @returns its spectrum, complex of that shape */
  spectrum(image: Tensor): Tensor {
    if (image.ndim < 2 || image.size(-2) !== this.height || image.size(-1) !== this.width) {
      throw new ShapeError(
        `SteerablePyramid: the picture has the shape [${image.shape}]; the pyramid is for […, ${this.height}, ${this.width}]`,
      )
    }
    return fftFft2(image)
  }

  /** The coefficients of each scale of a spectrum. */
  bands(spectrum: Tensor): Tensor[] {
    return this.#masks.scales.map((scale) => {
      const { bands, height, width } = scale
      const part = crop(spectrum, scale).unsqueeze(-3).mul(bands)
      const gain = (height * width) / (this.height * this.width)
      return fftIfft2(gain === 1 ? part : part.mul(gain))
    })
  }

  /**
   * The picture of changed coefficients, the residuals being those of a spectrum.
   *
   * @param spectrum of the picture that the coefficients are from
   * @param bands for each scale, changed or not
   */
  compose(spectrum: Tensor, bands: readonly Tensor[]): Tensor {
    return real(fftIfft2(this.#withBands(spectrum.mul(this.#residual), bands)))
  }

  /** @param image `[…, H, W]` */
  analyze(image: Tensor): PyramidCoefficients {
    const spectrum = this.spectrum(image)
    const { high, low } = this.#masks
    return {
      high: real(fftIfft2(spectrum.mul(high))),
      bands: this.bands(spectrum),
      low: real(fftIfft2(spectrum.mul(low))),
    }
  }

  /** @returns `[…, H, W]` */
  synthesize({ high, bands, low }: PyramidCoefficients): Tensor {
    const { high: highMask, low: lowMask } = this.#masks
    const residual = this.spectrum(high).mul(highMask).add(this.spectrum(low).mul(lowMask))
    return real(fftIfft2(this.#withBands(residual, bands)))
  }

  #withBands(spectrum: Tensor, bands: readonly Tensor[]): Tensor {
    if (bands.length !== this.levels) {
      throw new ShapeError(`SteerablePyramid: ${bands.length} scales were given; the pyramid has ${this.levels}`)
    }
    return bands.reduce((sum, band, k) => {
      const scale = this.#masks.scales[k] as ScaleMasks
      // Half of what one-sided filters give: the real part is taken at the end, once for all.
      const gain = (0.5 * (this.height * this.width)) / (scale.height * scale.width)
      const part = fftFft2(band)
        .mul(scale.bands)
        .sum({ dim: [-3] })
        .mul(gain)
      return spread(sum, part, scale)
    }, spectrum)
  }

  dispose(): void {
    dispose(this)
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  /** @internal So that `tidy` may return a pyramid. */
  *[TENSORS](): Iterable<Tensor> {
    const { high, low, scales } = this.#masks
    yield* [high, low, this.#residual]
    for (const { bands, crop } of scales) yield* crop ? [bands, crop.rows, crop.columns] : [bands]
  }
}

/** Octaves of a picture for rendering. */
function defaultLevels(height: number, width: number): number {
  return Math.floor(Math.log2(Math.min(height, width))) - 2
}

function crop(spectrum: Tensor, { crop: kept }: ScaleMasks): Tensor {
  return kept ? spectrum.indexSelect(-2, kept.rows).indexSelect(-1, kept.columns) : spectrum
}

/** Adds the spectrum of a scale to that of the picture. */
function spread(sum: Tensor, part: Tensor, { crop: kept, height }: ScaleMasks): Tensor {
  if (!kept) return sum.add(part)
  const lead = sum.shape.slice(0, -2)
  const wide = zeros([...lead, height, sum.size(-1)], { dtype: part.dtype, device: part.device })
  return sum.indexAdd(-2, kept.rows, wide.indexCopy(-1, kept.columns, part))
}
