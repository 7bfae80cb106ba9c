// A square that moves over a noisy ground: the action is its direction.
import { Generator, randn, type Tensor, tensor, tidy } from '../../../tensor'
import type { Config, InputPlan } from './config'
import type { ActionData, VideoItem } from './data'

/** The classes, counted anticlockwise from the right. */
export const DIRECTIONS = ['right', 'up right', 'up', 'up left', 'left', 'down left', 'down', 'down right'] as const

const STEPS: readonly (readonly [x: number, y: number])[] = [
  [1, 0],
  [1, -1],
  [0, -1],
  [-1, -1],
  [-1, 0],
  [-1, 1],
  [0, 1],
  [1, 1],
]

/** Pixels a frame: what the network must not mind. */
export const SPEEDS = [0.5, 0.75, 1, 1.5] as const

/** Seeds of test clips begin here, so that none is one of training. */
const TEST_SEEDS = 1_000_000

export interface SquareOptions {
  readonly direction: number
  readonly speed: number
  readonly frames: number
  /** Side of the frames, at whose borders the square leaves and enters. */
  readonly size: number
  readonly square: number
  readonly noise: number
  readonly seed: number
}

/** @returns `[T, 3, size, size]` uint8: a light square on a dark ground */
export function movingSquare({ direction, speed, frames, size, square, noise, seed }: SquareOptions): Tensor<'uint8'> {
  const [dx = 0, dy = 0] = STEPS[direction % STEPS.length] ?? []
  return tidy(() => {
    using generator = new Generator(seed)
    const [startX = 0, startY = 0] = [17, 31].map((factor) => (((seed * factor) % 64) / 64) * size)
    const values = new Float32Array(frames * size * size)
    for (let t = 0; t < frames; t++) {
      const [x, y] = [covered(startX + dx * speed * t, square, size), covered(startY + dy * speed * t, square, size)]
      for (let i = 0; i < size * size; i++) {
        values[t * size * size + i] = (x[i % size] ?? 0) * (y[Math.floor(i / size)] ?? 0)
      }
    }
    const drawn = tensor(values, { shape: [frames, 1, size, size] })
      .mul(0.6)
      .add(0.2)
    const noisy = drawn.add(randn([frames, 1, size, size], { generator }).mul(noise))
    return noisy.clamp({ min: 0, max: 1 }).mul(255).round().to('uint8').expand([-1, 3, -1, -1]).contiguous()
  }) as Tensor<'uint8'>
}

/** Which share of each pixel of a line lies within `length` from `start`, around the end of the line. */
function covered(start: number, length: number, size: number): Float64Array {
  const shares = new Float64Array(size)
  const from = ((start % size) + size) % size
  for (let i = 0; i < size; i++) {
    for (const pixel of [i, i + size]) {
      shares[i] = (shares[i] ?? 0) + Math.max(0, Math.min(pixel + 1, from + length) - Math.max(pixel, from))
    }
  }
  return shares
}

/** Clips of all directions in turn, at all speeds. */
export function syntheticData(part: 'train' | 'test', { synthetic }: Config, plan: InputPlan): ActionData {
  const { clips, testClips, square, noise } = synthetic
  const first = part === 'train' ? 0 : TEST_SEEDS
  const items = Array.from({ length: part === 'train' ? clips : testClips }, (_, i): VideoItem => {
    const label = i % DIRECTIONS.length
    const speed = SPEEDS[Math.floor(i / DIRECTIONS.length) % SPEEDS.length] ?? 1
    const frames = plan.frames * plan.interval
    const options = { direction: label, speed, frames, size: plan.shortSide, square, noise, seed: first + i }
    return {
      name: `square ${first + i}, ${DIRECTIONS[label]}`,
      ...{ label, frames },
      input: () => ({ frames: movingSquare(options), fps: 25 }),
      read: async (numbers) => tidy(() => movingSquare(options).indexSelect(0, tensor(numbers.map(BigInt)))),
    }
  })
  return { classes: DIRECTIONS, videos: items }
}
