// Noise schedules and samplers beside those of diffusers, and the U-Net's rules.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  classifierFreeGuidance,
  type DdimOptions,
  type DdpmOptions,
  type NoiseGrowth,
  NoiseSchedule,
  sampleDdim,
  sampleDdpm,
  sinusoidalEmbedding,
  UNet2D,
} from '../../lib/backbones'
import { Generator, manualSeed, ones, type Tensor, tensor, tidy, tidyAsync, zeros } from '../../lib/tensor'
import { hashTensor } from '../support/hash-weights'
import { liveTensors, liveTensorsDownTo } from '../support/live-tensors'

interface Reference {
  readonly schedules: Readonly<
    Record<NoiseGrowth, Readonly<Record<'betas' | 'alphasCumprod' | 'noisy' | 'velocity', readonly number[]>>>
  >
  readonly samplers: readonly {
    readonly sampler: 'ddpm' | 'ddim'
    readonly options: DdpmOptions & DdimOptions
    readonly expected: readonly number[]
  }[]
}

const reference = JSON.parse(
  readFileSync(new URL('../fixtures/generative/diffusion.json', import.meta.url), 'utf8'),
) as Reference

const SHAPE = [2, 3, 4, 4]

/** The function that stands for a network in the reference. */
const denoise = (x: Tensor, steps: Tensor) =>
  x
    .mul(0.3)
    .add(x.mul(3).sin().mul(0.1))
    .sub(0.2)
    .add(steps.to('float32').div(1000).reshape([-1, 1, 1, 1]))

function largestDifference(got: Tensor | readonly number[], expected: readonly number[]): number {
  const values = Array.isArray(got) ? got : [...((got as Tensor).to('float64').flatten().dataSync() as Float64Array)]
  expect(values.length).toBe(expected.length)
  return Math.max(...expected.map((value, i) => Math.abs(value - (values[i] ?? Number.NaN))))
}

describe('NoiseSchedule', () => {
  test.each(['linear', 'quadratic', 'cosine'] as const)('%s growth gives what diffusers gives', (growth) => {
    const expected = reference.schedules[growth]
    const schedule = new NoiseSchedule({ steps: 100, growth, betaEnd: 0.1 })
    expect(largestDifference(schedule.betas, expected.betas)).toBeLessThan(1e-6)
    expect(largestDifference(schedule.alphasCumprod, expected.alphasCumprod)).toBeLessThan(1e-6)
    tidy(() => {
      const [clean, noise] = [hashTensor('clean', SHAPE), hashTensor('noise', SHAPE)]
      const steps = tensor([17n, 99n])
      expect(largestDifference(schedule.addNoise(clean, noise, steps), expected.noisy)).toBeLessThan(2e-6)
      const velocity = schedule.targetOf('velocity', clean, noise, steps)
      expect(largestDifference(velocity, expected.velocity)).toBeLessThan(2e-6)
    })
  })

  test('images and noise come back from what a network would tell', () => {
    tidy(() => {
      const schedule = new NoiseSchedule({ steps: 50 })
      const [clean, noise] = [hashTensor('clean', SHAPE), hashTensor('noise', SHAPE)]
      const steps = tensor([3n, 40n])
      const noisy = schedule.addNoise(clean, noise, steps)
      for (const target of ['noise', 'clean', 'velocity'] as const) {
        const told = schedule.targetOf(target, clean, noise, steps)
        const apart = schedule.split(target, noisy, told, steps)
        expect(apart.clean.sub(clean).abs().max().toNumber()).toBeLessThan(1e-5)
        expect(apart.noise.sub(noise).abs().max().toNumber()).toBeLessThan(1e-5)
      }
    })
  })

  test('examples for training are noisy as their steps say, and equal from equal seeds', () => {
    tidy(() => {
      const schedule = new NoiseSchedule()
      const clean = hashTensor('clean', [64, 2, 2])
      const draw = () => schedule.example(clean, { target: 'velocity', generator: new Generator(5) })
      const [first, second] = [draw(), draw()]
      expect(first.noisy.equal(second.noisy) && first.steps.equal(second.steps)).toBe(true)
      expect(first.noisy.equal(schedule.addNoise(clean, first.noise, first.steps))).toBe(true)
      expect(first.target.equal(schedule.targetOf('velocity', clean, first.noise, first.steps))).toBe(true)
      const mean = first.steps.to('float32').mean().toNumber()
      expect(mean).toBeGreaterThan(350)
      expect(mean).toBeLessThan(650)
    })
  })

  test('refuses variances that are none, and steps that are not there', () => {
    expect(() => new NoiseSchedule({ betaEnd: 1 })).toThrow('betaEnd 1; they are variances above 0 and below 1')
    expect(() => new NoiseSchedule({ betaStart: 0.1, betaEnd: 0.01 })).toThrow('the smaller one first')
    expect(() => new NoiseSchedule({ steps: 0 })).toThrow('NoiseSchedule: steps is 0')
    expect(() => new NoiseSchedule({ growth: 'sine' as never })).toThrow("'linear', 'quadratic', 'cosine'")
    tidy(() => {
      const image = zeros([1, 1])
      expect(() => new NoiseSchedule().addNoise(image, image, 1000)).toThrow(
        'step is 1000; it must be a whole number from 0 to 999',
      )
    })
  })
})

describe('sampling', () => {
  const schedule = new NoiseSchedule({ steps: 100, betaEnd: 0.1 })

  test.each(reference.samplers.map((each) => [each.sampler, JSON.stringify(each.options), each] as const))(
    '%s %s gives what diffusers gives from an equal seed',
    async (sampler, _, { options, expected }) => {
      const before = await liveTensors()
      await tidyAsync(async () => {
        const run = sampler === 'ddpm' ? sampleDdpm : sampleDdim
        const images = await run(schedule, denoise, SHAPE, { ...options, generator: new Generator(7) })
        const size = Math.max(1, ...expected.map(Math.abs))
        expect(largestDifference(images, expected)).toBeLessThan(2e-5 * size)
      })
      expect(await liveTensorsDownTo(before)).toBe(before)
    },
  )

  test('a network that knows the image gives it back, from any noise, and is not recorded', async () => {
    await tidyAsync(async () => {
      const image = hashTensor('image', SHAPE).requiresGrad_()
      const noise = hashTensor('start', SHAPE)
      const out = await sampleDdim(schedule, async () => image.mul(1), SHAPE, { target: 'clean', noise, steps: 7 })
      expect(out.sub(image).abs().max().toNumber()).toBeLessThan(1e-6)
      expect(out.requiresGrad).toBe(false)
      expect(noise.disposed).toBe(false)
    })
  })

  test('tells how far it is, and stops when it is told to', async () => {
    await tidyAsync(async () => {
      const controller = new AbortController()
      const done: number[] = []
      const onProgress = (count: number, total: number) => {
        done.push(count / total)
        if (count === 3) controller.abort()
      }
      const running = sampleDdpm(schedule, denoise, SHAPE, { steps: 10, signal: controller.signal, onProgress })
      await expect(running).rejects.toThrow('sampleDdpm: stopped after 3 of 10 steps')
      expect(done).toEqual([0.1, 0.2, 0.3])
    })
  })

  test('refuses more steps than there are, and noise that is none', async () => {
    await expect(sampleDdpm(schedule, denoise, SHAPE, { steps: 101 })).rejects.toThrow(
      'the schedule has 100: take fewer',
    )
    await expect(sampleDdim(schedule, denoise, SHAPE, { eta: -1 })).rejects.toThrow('eta is -1')
  })

  test('guidance moves away from what is told without the condition', () => {
    tidy(() => {
      const guided = classifierFreeGuidance(tensor([2, 3]), tensor([1, 5]), 7.5)
      expect([...(guided.dataSync() as Float32Array)]).toEqual([8.5, -10])
    })
  })
})

describe('UNet2D', () => {
  const small = { channels: [8, 8], attention: [false, true], groups: 4, layersPerBlock: 1 }

  test('begins with an output near 0 and residual blocks that pass their input on', () => {
    tidy(() => {
      manualSeed(1)
      const network = new UNet2D(small)
      expect(
        network
          .forward(hashTensor('x', [2, 3, 8, 8]), 5)
          .abs()
          .max()
          .toNumber(),
      ).toBeLessThan(1e-3)
      const block = network.midBlock.resnets.at(0)
      const x = hashTensor('y', [1, 8, 4, 4])
      expect(
        block
          .forward(x, ones([1, 32]))
          .sub(x)
          .abs()
          .max()
          .toNumber(),
      ).toBeLessThan(1e-3)
      // Glorot: uniform within √(6 / (fan in + fan out)).
      const bound = Math.sqrt(6 / (3 * 9 + 8 * 9))
      const largest = network.convIn.weight.abs().max().toNumber()
      expect(largest).toBeLessThanOrEqual(bound * (1 + 1e-6))
      expect(largest).toBeGreaterThan(0.95 * bound)
      expect(network.convIn.bias?.abs().max().toNumber()).toBe(0)
    })
  })

  test('one step for all is a step for each', () => {
    tidy(() => {
      const network = new UNet2D(small).eval()
      const x = hashTensor('x', [2, 3, 8, 8])
      expect(network.forward(x, 5).equal(network.forward(x, tensor([5n, 5n])))).toBe(true)
    })
  })

  test('refuses sides that the levels do not divide, steps of another batch, and classes it does not know of', () => {
    tidy(() => {
      const network = new UNet2D(small)
      expect(() => network.forward(zeros([1, 3, 7, 8]), 0)).toThrow('H and W multiples of 2: resize or pad the images')
      expect(() => network.forward(zeros([2, 3, 8, 8]), tensor([1n]))).toThrow('steps have shape [1] for 2 images')
      expect(() => network.forward(zeros([1, 3, 8, 8]), 0, tensor([1n]))).toThrow('it was made without classes')
      expect(() => new UNet2D({ ...small, numClasses: 3 }).forward(zeros([1, 3, 8, 8]), 0)).toThrow(
        'it was made for classes; give one for each image',
      )
      expect(() => new UNet2D({ ...small, attention: [true] })).toThrow('attention has 1 entries for 2 levels')
      expect(() => new UNet2D({ ...small, headChannels: 3 })).toThrow('8 channels do not divide into heads of 3')
      expect(() => new UNet2D({ channels: [] })).toThrow('channels is empty')
    })
  })

  test('steps as sines and cosines, by hand', () => {
    tidy(() => {
      const values = (t: Tensor) => [...(t.dataSync() as Float32Array)]
      // Four frequencies from 1 to 1/10000, the last of them at number 3 = 4 − 1.
      const expected = [1, 10000 ** (-1 / 3), 10000 ** (-2 / 3), 1e-4].map((f) => f * 50)
      const plain = values(sinusoidalEmbedding(tensor([50n]), 9))
      const wanted = [...expected.map(Math.sin), ...expected.map(Math.cos), 0]
      expect(Math.max(...plain.map((v, i) => Math.abs(v - (wanted[i] as number))))).toBeLessThan(1e-5)
      const flipped = values(sinusoidalEmbedding(tensor([50n]), 8, { flipSinToCos: true }))
      expect(flipped).toEqual([...plain.slice(4, 8), ...plain.slice(0, 4)])
      expect(() => sinusoidalEmbedding(tensor([1n]), 2)).toThrow('dim is 2; it must be above 3')
    })
  })
})
