// Images from noise: the ancestral sampling of DDPM and the sampling of DDIM.
import { setImmediate } from 'node:timers/promises'
import { ArgumentError, CancelledError } from '../../native/errors'
import { oneOf, wholeNumber } from '../../nn/options'
import { type Device, dispose, type Generator, noGrad, randn, type Tensor, tensor, tidyAsync } from '../../tensor'
import type { DiffusionTarget, NoiseSchedule } from './diffusion-schedule'

/** What a network tells of images `[N, …]` at steps int64 `[N]`. */
export type Denoise = (noisy: Tensor, steps: Tensor) => Tensor | Promise<Tensor>

export interface DiffusionSampleOptions {
  /** How many of the schedule's steps are taken, evenly apart; all unless stated. */
  readonly steps?: number
  /** What the network tells; default `'noise'`. */
  readonly target?: DiffusionTarget
  /** Clean images are kept within ± this on the way, 1 by default; null where they have no bounds. */
  readonly clip?: number | null
  /** Draws from this generator instead of the default one; equal seeds give equal images. */
  readonly generator?: Generator
  /** Where the images are made; default the CPU. */
  readonly device?: Device
  /** Where sampling begins; drawn unless given. */
  readonly noise?: Tensor
  readonly signal?: AbortSignal
  /** Called after each step. */
  readonly onProgress?: (done: number, total: number) => void
}

export interface DdpmOptions extends DiffusionSampleOptions {
  /** The noise that each step adds back: the posterior's variance for images that are known (`'small'`), or β (`'large'`). */
  readonly variance?: 'small' | 'large'
}

export interface DdimOptions extends DiffusionSampleOptions {
  /** Noise that each step adds back: 0, the default, is none, 1 as much as DDPM. */
  readonly eta?: number
}

/**
 * Ancestral sampling (Ho, Jain, Abbeel, NeurIPS 2020): each step draws from a normal distribution around what the network
 * tells. Between steps the event loop runs.
 *
 * @param shape `[N, …]`
 * @throws CancelledError when the signal stops it
 */
export async function sampleDdpm(
  schedule: NoiseSchedule,
  denoise: Denoise,
  shape: readonly number[],
  options: DdpmOptions = {},
): Promise<Tensor> {
  const { variance = 'small', generator, target = 'noise', clip = 1 } = options
  oneOf('sampleDdpm: variance', variance, ['small', 'large'])
  return sample('sampleDdpm', schedule, denoise, shape, options, ({ noisy, told, step, before }) => {
    const [now, next] = [schedule.alphaCumprod(step), schedule.alphaCumprod(before)]
    const alpha = now / next
    const clean = clipped(schedule.split(target, noisy, told, step).clean, clip)
    const mean = clean
      .mul((Math.sqrt(next) * (1 - alpha)) / (1 - now))
      .add(noisy.mul((Math.sqrt(alpha) * (1 - next)) / (1 - now)))
    if (before < 0) return mean
    const spread = variance === 'small' ? ((1 - next) / (1 - now)) * (1 - alpha) : 1 - alpha
    return mean.add(drawn(noisy, generator).mul(Math.sqrt(spread)))
  })
}

/**
 * Sampling in few steps (Song, Meng, Ermon, "Denoising Diffusion Implicit Models", ICLR 2021), without noise but the first
 * unless `eta` is above 0. Between steps the event loop runs.
 *
 * @param shape `[N, …]`
 * @throws CancelledError when the signal stops it
 */
export async function sampleDdim(
  schedule: NoiseSchedule,
  denoise: Denoise,
  shape: readonly number[],
  options: DdimOptions = {},
): Promise<Tensor> {
  const { eta = 0, generator, target = 'noise', clip = 1 } = options
  if (!(eta >= 0)) throw new ArgumentError(`sampleDdim: eta is ${eta}; it must be 0 or more`)
  return sample('sampleDdim', schedule, denoise, shape, options, ({ noisy, told, step, before }) => {
    const [now, next] = [schedule.alphaCumprod(step), schedule.alphaCumprod(before)]
    const { clean, noise } = schedule.split(target, noisy, told, step)
    const variance = ((1 - next) / (1 - now)) * (1 - now / next) * eta ** 2
    const direction = noise.mul(Math.sqrt(Math.max(0, 1 - next - variance)))
    const mean = clipped(clean, clip).mul(Math.sqrt(next)).add(direction)
    return variance > 0 ? mean.add(drawn(noisy, generator).mul(Math.sqrt(variance))) : mean
  })
}

/**
 * Moves what a network tells away from what it tells without the condition (Ho and Salimans 2022); 1 changes nothing.
 *
 * @returns `without + scale · (conditional − without)`
 */
export function classifierFreeGuidance(conditional: Tensor, without: Tensor, scale: number): Tensor {
  return without.add(conditional.sub(without).mul(scale))
}

const clipped = (clean: Tensor, clip: number | null) => (clip === null ? clean : clean.clamp({ min: -clip, max: clip }))

const drawn = ({ shape, device, dtype }: Tensor, generator: Generator | undefined) =>
  randn([...shape], { device, dtype, generator })

interface Moment {
  readonly noisy: Tensor
  /** What the network told. */
  readonly told: Tensor
  readonly step: number
  /** The step after it, which is a smaller one; −1 at the end. */
  readonly before: number
}

function sample(
  name: string,
  schedule: NoiseSchedule,
  denoise: Denoise,
  shape: readonly number[],
  { steps: count = schedule.steps, generator, device = 'cpu', noise, signal, onProgress }: DiffusionSampleOptions,
  advance: (moment: Moment) => Tensor,
): Promise<Tensor> {
  wholeNumber(`${name}: steps`, count)
  if (count > schedule.steps) {
    throw new ArgumentError(`${name}: steps is ${count}; the schedule has ${schedule.steps}: take fewer`)
  }
  const apart = Math.floor(schedule.steps / count)
  return tidyAsync(async () => {
    let x = noise ? noise.clone() : randn([...shape], { device, generator })
    for (let i = count - 1; i >= 0; i--) {
      if (signal?.aborted) {
        throw new CancelledError(`${name}: stopped after ${count - 1 - i} of ${count} steps`, { cause: signal.reason })
      }
      const step = i * apart
      const noisy = x
      x = await tidyAsync(async () => {
        const steps = tensor(new BigInt64Array(noisy.size(0)).fill(BigInt(step)), { device: noisy.device })
        // In an object, as a promise would end the mode at once: what runs before it waits is not recorded.
        const { telling } = noGrad(() => ({ telling: denoise(noisy, steps) }))
        const told = await telling
        return noGrad(() => advance({ noisy, told, step, before: i === 0 ? -1 : step - apart }))
      })
      dispose(noisy)
      onProgress?.(count - i, count)
      await setImmediate()
    }
    return x
  })
}
