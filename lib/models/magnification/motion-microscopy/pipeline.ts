import type { z } from 'zod'
import { writeVideo } from '../../../io'
import { ConfigError, OutOfMemoryError } from '../../../native/errors'
import {
  type ClipStream,
  clipStream,
  type Json,
  type LoadOptions,
  Pipeline,
  parseConfig,
  type RunOptions,
  type Summary,
  throwIfCancelled,
  type VideoInput,
  VideoResult,
} from '../../../pipeline'
import { type Device, dispose, resolveDevice, stack, type Tensor, tidyAsync } from '../../../tensor'
import { mapFilter } from '../../../vision'
import { needsWholeClip } from '../../../vision/temporal-filter'
import { card } from './card'
import { Config } from './config'
import { filterOf } from './filter'
import { type Magnified, Magnifier } from './magnifier'
import { type MeasureOptions, measureClip } from './measure'
import type { Harmonic, MotionMeasurement } from './measurement'
import { interpolateHarmonic } from './waves'

const CALLER = 'motion-microscopy'

/** What is known of a clip that was magnified into a file. */
export class MagnificationReport implements Summary {
  constructor(
    readonly path: string,
    readonly frames: number,
    readonly fps: number,
    readonly measured: Measured,
  ) {}

  describe(): string {
    const { magnification, beyond } = this.measured
    const share = beyond > 0.1 ? `; ${(100 * beyond).toFixed(0)} % of the picture moves too far for that` : ''
    return `${this.frames} frames, ${this.fps} a second, motions magnified ${magnification} times${share}`
  }

  toJSON(): Json {
    return { frames: this.frames, fps: this.fps, ...this.measured }
  }

  /** There is nothing to free. */
  dispose(): void {}
}

/** Of a magnified clip. */
export type Measured = {
  readonly magnification: number
  /**
   * Share of the energy whose motion was magnified past a quarter of its wavelength, where pictures break up; the worst
   * frame's.
   */
  readonly beyond: number
}

/**
 * Magnifies motions of a clip from a camera that stands still, and measures them.
 *
 * @example
 * using microscope = await MotionMicroscope.load({ config: { magnification: 400, band: [1.6, 1.8] } })
 * await microscope.runToFile('bridge.mp4', 'magnified.mp4')
 */
export class MotionMicroscope extends Pipeline<VideoInput, VideoResult> {
  /** The last clip's, whose graphs serve the next one of its size. */
  #idle: Magnifier | undefined
  readonly #kinds = new WeakMap<Magnifier, string>()

  private constructor(
    readonly config: Config,
    readonly device: Device,
  ) {
    super()
  }

  /** @throws ConfigError when the config is wrong, or weights are given: there is nothing to load */
  static async load(options: LoadOptions<typeof Config> = {}): Promise<MotionMicroscope> {
    const { weights, config, device = 'auto' } = options
    if (weights !== undefined && weights !== 'random') {
      throw new ConfigError(`${CALLER}: it has no parameters; leave out the weights ${weights}`)
    }
    const complete = parseConfig(Config, config ?? ({} satisfies z.input<typeof Config>), card.name)
    return new MotionMicroscope(complete, resolveDevice(device).device)
  }

  /**
   * The magnified clip in memory.
   *
   * @throws OutOfMemoryError when it is larger than `limits.result`; `runToFile` writes it as it is made
   */
  async run(input: VideoInput, { signal, onProgress }: RunOptions = {}): Promise<VideoResult> {
    return tidyAsync(async () => {
      const clip = await clipStream(input, CALLER)
      this.#checkResult(clip)
      const frames: Tensor[] = []
      const shares: Tensor[] = []
      for await (const { frame, beyond } of this.#magnified(clip, { signal, onProgress })) {
        frames.push(frame.to('cpu'))
        shares.push(beyond)
      }
      return new VideoResult(stack(frames), clip.fps, await this.#measured(shares))
    })
  }

  /** The magnified clip as a file, written as it is made, whole or not at all. */
  override async runToFile(input: VideoInput, path: string, options: RunOptions = {}): Promise<MagnificationReport> {
    return tidyAsync(async () => {
      const clip = await clipStream(input, CALLER)
      const shares: Tensor[] = []
      const stream = this.#magnified(clip, options)
      async function* pictures(): AsyncGenerator<Tensor> {
        for await (const { frame, beyond } of stream) {
          shares.push(beyond)
          yield frame
          dispose(frame)
        }
      }
      const { fps } = clip
      const frames = await writeVideo(pictures(), path, { fps, layout: 'TCHW', signal: options.signal })
      return new MagnificationReport(path, frames, fps, await this.#measured(shares))
    })
  }

  /** Magnified frames one after the other; each is the caller's. */
  async *frames(input: VideoInput, options: RunOptions = {}): AsyncGenerator<Tensor, void, void> {
    for await (const { frame, beyond } of this.#magnified(await clipStream(input, CALLER), options)) {
      dispose(beyond)
      yield frame
    }
  }

  /**
   * Measures the motion of a clip, with error bars from its own noise.
   *
   * @example
   * using motion = await microscope.measure('bridge.mp4', { points: [[412, 160]] })
   * await motion.toFile('bridge.csv')
   */
  async measure(input: VideoInput, options: MeasureOptions = {}): Promise<MotionMeasurement> {
    const clip = await clipStream(input, CALLER)
    return measureClip(clip, this.config, filterOf(this.config, clip.fps), this.device, options)
  }

  /** A harmonic of a measurement with values where none could be measured, as the config's `interpolation` says. */
  interpolate(harmonic: Harmonic, { covariance }: MotionMeasurement, { signal }: RunOptions = {}): Promise<Harmonic> {
    return interpolateHarmonic(harmonic, covariance, { ...this.config.interpolation, signal })
  }

  async *#magnified(clip: ClipStream, { signal, onProgress }: RunOptions): AsyncGenerator<Magnified, void, void> {
    const { config, device } = this
    const temporal = filterOf(config, clip.fps)
    let { frameCount } = clip
    let done = 0
    const passes = needsWholeClip(temporal) ? 2 : 1
    const step = (stage: string) => {
      throwIfCancelled(signal, CALLER)
      done++
      onProgress?.({ stage, done, total: Math.max(done, passes * frameCount) })
    }
    let magnifier = this.#magnifier(clip, frameCount)
    try {
      if (passes === 2) {
        const found = await this.#observe(clip, magnifier, () => step('measure'), signal)
        if (found !== frameCount) {
          // The file has not as many frames as it says; the bins of its transform are those of what it has.
          frameCount = found
          this.#giveBack(magnifier)
          magnifier = this.#magnifier(clip, frameCount)
          await this.#observe(clip, magnifier, () => step('measure'), signal)
        }
        magnifier.rewind()
      }
      for await (const frame of clip.frames(signal)) {
        using moved = frame.to({ device, copy: true })
        const magnified = await magnifier.push(moved, signal)
        step('magnify')
        if (magnified) yield magnified
      }
      yield* magnifier.flush(signal)
    } finally {
      this.#giveBack(magnifier)
    }
  }

  /** One for clips of this kind: the one that the last clip left, or new. */
  #magnifier({ height, width, fps }: ClipStream, frames: number): Magnifier {
    const { magnification, rendering, motion, boundary, padding, limits } = this.config
    const kind = JSON.stringify([height, width, fps, needsWholeClip(filterOf(this.config, fps)) ? frames : 0])
    const idle = this.#idle
    this.#idle = undefined
    if (idle && this.#kinds.get(idle) === kind) return idle
    idle?.dispose()
    const filter = mapFilter(filterOf(this.config, fps), fps, frames)
    const { unwrap } = motion
    const common = { ...rendering, magnification, boundary, padding, unwrap, device: this.device }
    const magnifier = new Magnifier({ ...common, height, width, filter })
    this.#kinds.set(magnifier, kind)
    try {
      magnifier.holdTo(limits.memory * 2 ** 30)
      return magnifier
    } catch (error) {
      magnifier.dispose()
      throw error
    }
  }

  #giveBack(magnifier: Magnifier): void {
    magnifier.restart()
    this.#idle?.dispose()
    this.#idle = magnifier
  }

  async #observe(clip: ClipStream, magnifier: Magnifier, step: () => void, signal?: AbortSignal): Promise<number> {
    let frames = 0
    for await (const frame of clip.frames(signal)) {
      using moved = frame.to({ device: this.device, copy: true })
      await magnifier.observe(moved, signal)
      frames++
      step()
    }
    return frames
  }

  #checkResult({ frameCount, height, width }: ClipStream): void {
    const bytes = frameCount * height * width * 3
    const most = this.config.limits.result * 2 ** 30
    if (bytes <= most) return
    throw new OutOfMemoryError(
      `${CALLER}: the result of ${frameCount} frames of ${width} × ${height} pixels takes ${(bytes / 2 ** 30).toFixed(1)} GiB, more than limits.result; write a file with runToFile, take a part of the clip, or raise the limit`,
    )
  }

  async #measured(shares: readonly Tensor[]): Promise<Measured> {
    const beyond = (await stack([...shares])
      .amax()
      .item()) as number
    return { magnification: this.config.magnification, beyond }
  }

  dispose(): void {
    this.#idle?.dispose()
    this.#idle = undefined
  }
}
