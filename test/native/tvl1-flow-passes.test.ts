// Passes that make several iterations at once: what they make is what single iterations make, however they are cut up.
import { createHash } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import { readSafetensors } from '../../lib/io'
import { bridge } from '../../lib/native/frame'
import { tvl1Flow } from '../../lib/ops'
import { call, manualSeed, rand, type Tensor } from '../../lib/tensor'
import {
  bits as bitsOf,
  frames,
  largestDifference,
  mean,
  normalNumbers,
  plane,
  shifted,
  stack,
  texture,
} from '../support/tvl1'
import { type Field, field, iterateOnce, referenceDefaults } from '../support/tvl1-reference'

/** All bits of a tensor in a few: comparing arrays of a million numbers takes seconds. */
const bits = (t: Tensor) => createHash('sha256').update(bitsOf(t)).digest('hex')

/** A state `[1, 3·unknowns, H, W]` and a data term: random, small enough for the threshold to have all its cases. */
function randomCase(width: number, height: number, unknowns: number): { state: Tensor; data: Tensor } {
  manualSeed(width + height)
  const state = rand([1, 3 * unknowns, height, width]).sub(0.5)
  const data = rand([1, 3, height, width]).sub(0.5).mul(16)
  return { state, data }
}

const iterate = (state: Tensor, data: Tensor, count: number, options: object) =>
  call('vision_native::_tvl1_iterate', [state, data, count], options as Record<string, unknown>) as [Tensor, Tensor]

describe('check 8: iterations made at once equal iterations made one by one', () => {
  // Widths end before, at and after a group of 16 columns and a tile of 512; heights are smaller and larger than a pass is
  // deep.
  test.each<[number, number, object]>([
    [3, 3, {}],
    [15, 40, {}],
    [16, 7, { gamma: 0.1 }],
    [17, 21, {}],
    [33, 9, { gradientFloor: 30 }],
    [768, 11, {}],
    [769, 10, { gamma: 0.1 }],
    [1281, 9, {}],
    [1040, 5, { gradientFloor: 30, gamma: 0.1 }],
  ])('%i × %i %o', (width, height, options) => {
    const { state, data } = randomCase(width, height, 'gamma' in options ? 3 : 2)
    let single = state
    let error = state
    for (let i = 0; i < 19; i++) [single, error] = iterate(single, data, 1, options)
    for (const block of [0, 5, 8]) {
      const [together, lastError] = iterate(state, data, 19, { ...options, blockSize: block })
      expect(bits(together)).toEqual(bits(single))
      expect(lastError.toNumber()).toBe(error.toNumber())
    }
  })
})

test('check 8: stopping inside a pass gives what exactly so many iterations give', () => {
  const pair = shifted(texture(2, 7, 60), 90, 70, 1.2, -0.6)
  const [first, second] = [frames(pair.first), frames(pair.second)]
  const once = { scales: 1, warps: 1, outerIterations: 1, medianFilter: false }
  const counts = new Set<number>()
  for (const epsilon of [0.5, 0.2, 0.15, 0.1, 0.07, 0.05, 0.04, 0.03, 0.02]) {
    const stopped = tvl1Flow(first, second, { ...once, innerIterations: 300, epsilon })
    const count = stopped.iterations.toNumber()
    counts.add(count)
    const exact = tvl1Flow(first, second, { ...once, innerIterations: count, epsilon: 0 })
    expect(bits(stopped.flow)).toEqual(bits(exact.flow))
    expect(stopped.residuals.toNumber()).toBe(exact.residuals.toNumber())
    expect(stopped.residuals.toNumber()).toBeLessThanOrEqual(epsilon ** 2)
    if (count > 1) {
      const before = tvl1Flow(first, second, { ...once, innerIterations: count - 1, epsilon: 0 })
      expect(before.residuals.toNumber()).toBeGreaterThan(epsilon ** 2)
    }
  }
  // Some of them stop at the first iterations, some inside later passes.
  expect(counts.size).toBeGreaterThan(6)
  expect(Math.max(...counts)).toBeGreaterThan(20)
})

describe('check 15: bands of rows', () => {
  const before = bridge().numThreads()
  afterEach(() => bridge().setNumThreads(before))

  test.each([
    [800, 70],
    [64, 640],
  ])('two threads change no bit of %i × %i, nor the place where it stops', (width, height) => {
    manualSeed(3)
    const [first, second] = [rand([1, height, width]), rand([1, height, width])]
    const solve = (threads: number) => {
      bridge().setNumThreads(threads)
      const { flow, iterations, residuals } = tvl1Flow(first, second, { scales: 2, warps: 1, epsilon: 0.1 })
      return [bits(flow), bits(iterations), bits(residuals)]
    }
    const alone = solve(1)
    expect(solve(2)).toEqual(alone)
    expect(call('vision_native::_tvl1_threads_of_last_call', [])).toBe(2)
    // More bands than cores: what they share is then the larger part.
    expect(solve(7)).toEqual(alone)
  })
})

test('pixels with a gradient below a high floor keep their third case: no step where ρ is within the limits', () => {
  const [width, height] = [37, 29]
  const normal = normalNumbers(5)
  const random = (scale: number) => field(width, height, () => Math.fround(scale * normal()))
  const data = { ix: random(3), iy: random(3), rhoC: random(0.5) }
  const state = { u: [random(0.2), random(0.2)], px: [random(0), random(0)], py: [random(0), random(0)] }
  const constants = stack([data.ix, data.iy, data.rhoC]).unsqueeze(0)
  const planes = stack([...state.u, ...state.px, ...state.py]).unsqueeze(0)
  const results = [30, 2 ** -23].map((gradientFloor) => {
    const expected = iterateOnce(state, data, { ...referenceDefaults, gradientFloor }).state
    const [next] = iterate(planes, constants, 1, { gradientFloor: gradientFloor })
    for (const k of [0, 1]) expect(largestDifference(plane(next, k), expected.u[k] as Field)).toBeLessThan(1e-5)
    return plane(next, 0)
  }) as [Field, Field]
  expect(largestDifference(...results)).toBeGreaterThan(0.01)
})

describe('settled: beside OpenCV 5.0 with its cubic and its border', () => {
  const fixture = new URL('../fixtures/native/tvl1-flow.safetensors', import.meta.url).pathname
  const likeOpenCV = { bicubicA: -0.75, zeroBorder: true }
  const once = { scales: 1, epsilon: 0 }

  test.each([
    ['defaults', {}, 2e-4, 0.05],
    ['one_warp', { ...once, warps: 1, outerIterations: 1 }, 1e-6, 1e-5],
    ['two_warps', { ...once, warps: 2, outerIterations: 2 }, 1e-5, 2e-4],
  ] as const)('%s', async (name, options, median, most) => {
    const all = await readSafetensors(fixture)
    const [first, second, expected] = ['first', 'second', name].map((key) => all.get(key)) as [Tensor, Tensor, Tensor]
    const flowWith = (sampling: object) =>
      tvl1Flow(first.unsqueeze(0), second.unsqueeze(0), { ...options, ...sampling }).flow.squeeze(0)
    const off = flowWith(likeOpenCV).sub(expected).abs()
    expect(off.median().toNumber()).toBeLessThan(median)
    expect(off.max().toNumber()).toBeLessThan(most)
    // Our own defaults give another flow, but for one warp from zero, which samples no position between pixels.
    if (name !== 'one_warp') expect(flowWith({}).sub(expected).abs().max().toNumber()).toBeGreaterThan(5 * most)
    expect(mean(expected.abs().flatten().dataSync() as Float32Array)).toBeGreaterThan(0.05)
  })
})
