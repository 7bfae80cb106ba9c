// Measures the motion of a clip, frame by frame.
import { ArgumentError, ConfigError, OutOfMemoryError } from '../../../native/errors'
import type { ClipStream, RunOptions } from '../../../pipeline'
import { throwIfCancelled } from '../../../pipeline'
import { abs, capture, type Device, dispose, stack, type Tensor, tensor, tidy, tidyAsync, zeros } from '../../../tensor'
import { filterSignal, type MapFilter, mapFilter, noiseGain, type TemporalFilter } from '../../../vision'
import type { Config } from './config'
import { principal } from './covariance'
import { MotionEstimator } from './estimator'
import { luminance } from './luminance'
import { type Harmonic, MotionMeasurement, type PointMotion } from './measurement'
import { CovarianceSimulation, noiseLevel, TemporalStatistics } from './noise'

/** A pixel. */
export type Place = readonly [x: number, y: number]

export interface MeasureOptions extends RunOptions {
  /** Pixels whose motion is given over time. */
  readonly points?: readonly Place[]
  /** Frequencies in Hz whose motion is given everywhere. */
  readonly harmonics?: readonly number[]
  /** Gives the motion of every pixel in every frame; false unless stated. */
  readonly field?: boolean
}

const CALLER = 'motion-microscopy'

/** @throws ArgumentError for points outside the picture; OutOfMemoryError for a field larger than `limits.memory` */
export async function measureClip(
  clip: ClipStream,
  config: Config,
  filter: TemporalFilter,
  device: Device,
  options: MeasureOptions,
): Promise<MotionMeasurement> {
  const { points = [], signal, onProgress } = options
  checkPoints(points, clip)
  checkMemory(clip, config, options)
  return tidyAsync(async () => {
    const total = clip.frameCount + config.noise.frames
    const collector = new Collector(clip, points, options)
    const statistics = new TemporalStatistics()
    let estimator: MotionEstimator | undefined
    let first: Tensor | undefined
    let step: MotionStep | undefined
    let later = filter
    for await (const frame of clip.frames(signal)) {
      throwIfCancelled(signal, CALLER)
      const luma = tidy(() => luminance(frame.to(device).unsqueeze(0), 'float32').squeeze(0))
      if (!step) {
        const { unwrap: _, ...measure } = config.motion
        estimator = new MotionEstimator(luma, { ...measure, boundary: config.boundary, padding: config.padding })
        first = luma.clone()
        const ofPhases = phaseFilter(estimator, filter, clip.fps)
        if (ofPhases) later = { kind: 'none' }
        step = motionSteps(estimator, config.motion.unwrap, ofPhases)
      }
      using motion = await step.run(luma, signal)
      collector.add(motion)
      statistics.add(luma)
      dispose(luma)
      onProgress?.({ stage: 'measure', done: collector.frames, total })
    }
    if (!estimator || !first || !step) throw new ArgumentError(`${CALLER}: the video has no frames`)
    step.dispose()
    const level = noiseLevel(statistics.result(), config.noise)
    const simulation = new CovarianceSimulation(estimator, first, level, config.noise)
    while (!simulation.done) {
      throwIfCancelled(signal, CALLER)
      simulation.step()
      onProgress?.({
        stage: 'noise',
        done: collector.frames + Math.round(simulation.share * config.noise.frames),
        total,
      })
      await new Promise((resolve) => setImmediate(resolve))
    }
    const gain = noiseGain(filter, clip.fps, collector.frames)
    const covariance = tidy(() => simulation.result().mul(gain))
    return new MotionMeasurement({
      ...{ fps: clip.fps, frames: collector.frames, noiseGain: gain, noise: level.variances },
      points: pointMotions(points, collector, covariance, estimator, later, clip.fps),
      covariance: covariance.to('float32'),
      harmonics: collector.harmonics(),
      field: collector.field(later, clip.fps),
    })
  })
}

interface MotionStep {
  run(luma: Tensor, signal?: AbortSignal): Promise<Tensor>
  dispose(): void
}

/**
 * Motion of one frame after the other, `[2, H, W]`, off the event loop.
 *
 * @param filter of phases over time, without latency, in one pass
 */
export function motionSteps(estimator: MotionEstimator, unwrap: boolean, filter?: MapFilter): MotionStep {
  let before: readonly Tensor[] | undefined
  const advance = capture((luma: Tensor, last: Tensor, state: Tensor) => {
    const spectrum = estimator.spectrum(luma.unsqueeze(0))
    const phases = unwrap ? estimator.unwrappedPhases(spectrum, last) : estimator.phases(spectrum)
    const filtered = filter?.apply(phases, state, state) ?? { y: phases, state }
    return { kept: [phases, filtered.state], motion: estimator.motion(filtered.y, spectrum).squeeze(0) }
  })
  const start = (luma: Tensor) =>
    tidy(() => {
      const still = abs(estimator.phases(estimator.spectrum(luma.unsqueeze(0)))).mul(0)
      return [still, filter?.initial(still) ?? zeros([1])]
    })
  return {
    async run(luma, signal) {
      before ??= start(luma)
      const [last, state] = before as [Tensor, Tensor]
      const { kept, motion } = await advance.run([luma, last, state], { signal })
      dispose(before.filter((map) => !kept.includes(map)))
      before = kept
      return motion
    },
    dispose() {
      dispose(before)
      advance.dispose()
    },
  }
}

/** Motion that is not linear in the phases has those filtered, frame by frame. */
function phaseFilter(estimator: MotionEstimator, filter: TemporalFilter, fps: number): MapFilter | undefined {
  if (estimator.isLinear || filter.kind === 'none') return undefined
  const found = mapFilter(filter, fps, 1)
  if (!found.needsWholeClip && found.latency === 0) return found
  throw new ConfigError(
    `${CALLER}: gradients of each frame are measured in one pass over the clip; take the filter 'butterworth' or 'none', or motion.gradients 'reference'`,
  )
}

/** What is kept of the motion of each frame. */
class Collector {
  frames = 0
  readonly u: number[][]
  readonly v: number[][]
  readonly #places: Tensor
  readonly #sums: { hz: number; real: Tensor; imaginary: Tensor }[]
  readonly #fields: Tensor[] = []

  constructor(
    readonly clip: ClipStream,
    points: readonly Place[],
    readonly options: MeasureOptions,
  ) {
    const { height, width } = clip
    this.u = points.map(() => [])
    this.v = points.map(() => [])
    this.#places = tensor(points.length === 0 ? [0] : points.map(([x, y]) => y * width + x), { dtype: 'int64' })
    this.#sums = (options.harmonics ?? []).map((hz) => {
      if (!(hz > 0 && hz < clip.fps / 2)) {
        throw new ArgumentError(
          `${CALLER}: a harmonic of ${hz} Hz; at ${clip.fps} frames a second it lies below ${clip.fps / 2}`,
        )
      }
      return { hz, real: zeros([2, height, width]), imaginary: zeros([2, height, width]) }
    })
  }

  add(motion: Tensor): void {
    tidy(() => {
      const own = motion.to('cpu')
      const [u, v] = own.flatten({ startDim: 1 }).indexSelect(1, this.#places).toArray() as number[][]
      for (const [i, values] of this.u.entries()) values.push(u?.[i] ?? 0)
      for (const [i, values] of this.v.entries()) values.push(v?.[i] ?? 0)
      for (const { hz, real, imaginary } of this.#sums) {
        const angle = (2 * Math.PI * hz * this.frames) / this.clip.fps
        real.add_(own, { alpha: Math.cos(angle) })
        imaginary.add_(own, { alpha: Math.sin(angle) })
      }
    })
    if (this.options.field) this.#fields.push(motion.clone())
    this.frames++
  }

  harmonics(): Harmonic[] {
    return this.#sums.map(({ hz, real, imaginary }) => ({
      hz,
      real: real.mul(2 / this.frames),
      imaginary: imaginary.mul(2 / this.frames),
    }))
  }

  /** The motion is linear in phases, so its filtered values are those of filtered phases. */
  field(options: TemporalFilter, fps: number): Tensor | undefined {
    if (!this.options.field) return undefined
    return tidy(() => filterFrames(this.#fields, options, fps))
  }
}

/** Maps filtered over time, `[T, …]`. */
export function filterFrames(frames: readonly Tensor[], options: TemporalFilter, fps: number): Tensor {
  return tidy(() => {
    const filter = mapFilter(options, fps, frames.length)
    const at = (t: number) => frames[Math.min(t, frames.length - 1)] as Tensor
    let state = filter.initial(at(0))
    const replace = (next: Tensor) => {
      if (next !== state) dispose(state)
      state = next
    }
    if (filter.needsWholeClip) {
      for (let t = 0; t < frames.length; t++) replace(tidy(() => filter.observe(at(t), state, filter.weights(t))))
    }
    const filtered: Tensor[] = []
    for (let t = 0; t < frames.length + filter.latency; t++) {
      const next = tidy(() => filter.apply(at(t), state, filter.weights(t)))
      replace(next.state)
      if (t >= filter.latency) filtered.push(next.y)
    }
    return stack(filtered)
  })
}

function pointMotions(
  points: readonly Place[],
  { u, v }: Collector,
  covariance: Tensor,
  estimator: MotionEstimator,
  filter: TemporalFilter,
  fps: number,
): PointMotion[] {
  return tidy(() => {
    const { smaller, direction } = principal(covariance)
    const border = estimator.border()
    const at = (map: Tensor, [x, y]: Place) => map.select(-2, y).select(-1, x)
    return points.map((place, i) => {
      const [right, down] = [u[i], v[i]].map((values) => filterSignal(values ?? [], filter, fps)) as [
        Float64Array,
        Float64Array,
      ]
      const [dx = 0, dy = 0] = at(direction, place).toArray() as number[]
      const [uu = 0, uv = 0, vv = 0] = at(covariance, place).toArray() as number[]
      return {
        ...{ x: place[0], y: place[1], u: right, v: down, covariance: [uu, uv, vv], direction: [dx, dy] },
        along: right.map((value, t) => dx * value + dy * (down[t] ?? 0)),
        sigma: Math.sqrt(at(smaller, place).item() as number),
        border: at(border, place).item() as boolean,
      } satisfies PointMotion
    })
  })
}

function checkPoints(points: readonly Place[], { height, width }: ClipStream): void {
  for (const [x, y] of points) {
    if (Number.isInteger(x) && Number.isInteger(y) && x >= 0 && y >= 0 && x < width && y < height) continue
    throw new ArgumentError(`${CALLER}: the point (${x}, ${y}) is no pixel of frames of ${width} × ${height}`)
  }
}

function checkMemory({ frameCount, height, width }: ClipStream, { limits }: Config, { field }: MeasureOptions): void {
  const gib = (2 * frameCount * 2 * height * width * 4) / 2 ** 30
  if (!field || gib <= limits.memory) return
  throw new OutOfMemoryError(
    `${CALLER}: the field of ${frameCount} frames of ${width} × ${height} pixels takes ${gib.toFixed(1)} GiB, more than limits.memory = ${limits.memory}; ask for points or harmonics, take a part of the clip, or raise the limit`,
  )
}
