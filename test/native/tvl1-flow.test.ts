import { beforeAll, describe, expect, test } from 'vitest'
import { readFlow, readImage } from '../../lib/io'
import { bridge } from '../../lib/native/frame'
import { type Tvl1Options, tvl1Flow } from '../../lib/ops'
import { call, type Tensor } from '../../lib/tensor'
import {
  asFloat32,
  bits,
  flowOf,
  frames,
  largestDifference,
  mean,
  normalNumbers,
  type Pair,
  randomNumbers,
  shifted,
  texture,
} from '../support/tvl1'
import { at, endPointError, energy, type Field, field, totalVariation, warpedResidual } from '../support/tvl1-reference'

// Threads that wait for one another are slow on a machine that is busy with other tests.
beforeAll(() => bridge().setNumThreads(1))

function solve({ first, second }: Pair, options: Tvl1Options & { init?: Tensor } = {}) {
  const { flow, iterations } = tvl1Flow(frames(first), frames(second), options)
  return { ...flowOf(flow), iterations }
}

/** Mean end-point error away from the border, where part of the texture has left the image. */
function shiftError(pair: Pair, u: number, v: number, options: Tvl1Options = {}, margin = 16): number {
  const flow = solve(pair, options)
  return endPointError(flow.u, flow.v, () => [u, v], margin)
}

const differences = (a: Field, b: Field) => a.data.map((value, i) => Math.abs(value - (b.data[i] as number)))
const transpose = (f: Field): Field => field(f.height, f.width, (x, y) => at(f, y, x))
const mirror = (f: Field): Field => field(f.width, f.height, (x, y) => at(f, f.width - 1 - x, y))
const withNoise = (f: Field, sigma: number, seed: number): Field => {
  const normal = normalNumbers(seed)
  return field(f.width, f.height, (x, y) => at(f, x, y) + sigma * normal())
}

describe('check 4: no motion', () => {
  test.each(['opencv-cpu', 'opencv24-cuda', 'opencv-cuda', 'ipol'] as const)(
    'equal images give exactly zero flow, %s',
    (preset) => {
      const image = field(64, 48, texture(2, 1))
      const { u, v } = solve({ first: image, second: image }, { preset })
      expect([...u.data, ...v.data].every((value) => value === 0)).toBe(true)
    },
  )

  test.each([0, 0.2])('constant images give zero flow and no NaN, γ = %f', (gamma) => {
    const first = field(40, 33, () => 90)
    const second = field(40, 33, () => 120)
    const { u, v } = solve({ first, second }, { gamma })
    expect([...u.data, ...v.data].every((value) => value === 0)).toBe(true)
  })
})

describe('check 5: shifts', () => {
  test.each([
    [1, 0],
    [3, 2],
    [0.5, 0.25],
    [-4, 0],
    [0, 4],
    [-1.7, -2.6],
  ])('(%f, %f) is found within 0.02 px, to the right and down positive', (u, v) => {
    expect(shiftError(shifted(texture(2, 1), 128, 96, u, v), u, v)).toBeLessThan(0.02)
  })

  test('(3, 0) without the median', () => {
    expect(shiftError(shifted(texture(2, 1), 128, 96, 3, 0), 3, 0, { medianFilter: false })).toBeLessThan(0.02)
  })

  test.each([
    [12, -8],
    [20, 10],
  ])('(%f, %f) on 340 × 256: opencv24-cuda reaches it, opencv-cpu does not', (u, v) => {
    const pair = shifted(texture(2, 1, 60), 340, 256, u, v)
    expect(shiftError(pair, u, v, { preset: 'opencv24-cuda' }, 30)).toBeLessThan(0.02)
    expect(shiftError(pair, u, v, {}, 30)).toBeGreaterThan(10)
  })

  test('the other presets find (2, -1)', () => {
    const pair = shifted(texture(2, 2), 128, 96, 2, -1)
    expect(shiftError(pair, 2, -1, { preset: 'opencv-cuda' })).toBeLessThan(0.02)
    expect(shiftError(pair, 2, -1, { preset: 'ipol' })).toBeLessThan(0.05)
  })
})

describe('check 6: symmetries', () => {
  const pair = shifted(texture(2, 3), 96, 64, 2.2, -1.4)
  const flow = solve(pair)

  test('transposing both images swaps u and v', () => {
    const turned = solve({ first: transpose(pair.first), second: transpose(pair.second) })
    expect(largestDifference(transpose(turned.v), flow.u)).toBeLessThan(1e-5)
    expect(largestDifference(transpose(turned.u), flow.v)).toBeLessThan(1e-5)
  })

  test('mirroring both images negates u', () => {
    // Levels of 125, 100 and 80 columns are exact, so that mirrored images have mirrored pyramids; with the usual ε
    // what is left to converge, some 1e-3 px, differs between the two.
    const options = { scales: 3, epsilon: 0.001 }
    const still = shifted(texture(2, 3), 125, 100, 1, 0.5)
    const flow = solve(still, options)
    const { u, v } = solve({ first: mirror(still.first), second: mirror(still.second) }, options)
    const difference = (a: Field, b: Field, sign: number) =>
      mean(a.data.map((value, i) => Math.abs(value - sign * (b.data[i] as number))))
    expect(difference(mirror(u), flow.u, -1)).toBeLessThan(1e-3)
    expect(difference(mirror(v), flow.v, 1)).toBeLessThan(1e-3)
  })
})

test('check 8: with ε = 0 the number of iterations between tests changes nothing', () => {
  const pair = shifted(texture(2, 4), 75, 53, 1.6, 0.9)
  const run = (blockSize: number) =>
    tvl1Flow(frames(pair.first), frames(pair.second), {
      epsilon: 0,
      innerIterations: 13,
      outerIterations: 2,
      blockSize,
    })
  const one = run(1)
  for (const blockSize of [2, 4, 8]) {
    const blocked = run(blockSize)
    expect(bits(blocked.flow)).toEqual(bits(one.flow))
    expect(blocked.iterations.toArray()).toEqual(one.iterations.toArray())
  }
  // With ε > 0 up to k − 1 iterations more are made, in whole blocks.
  const stopped = tvl1Flow(frames(pair.first), frames(pair.second), { blockSize: 4, innerIterations: 32 }).iterations
  for (const count of stopped.dataSync()) expect(count % 4).toBe(0)
})

test('check 9: the energy falls with each warp, to below that of zero flow', () => {
  // With noise, as in real images. Without it what is left of the energy is so little that ε stops the solver at values
  // that differ by some percent from warp to warp.
  const uniform = randomNumbers(5)
  const ratios: number[] = []
  for (let trial = 0; trial < 20; trial++) {
    const pair = shifted(texture(2, 100 + trial, 80), 80, 64, 6 * uniform() - 3, 6 * uniform() - 3)
    const [first, second] = [pair.first, pair.second].map((f, i) =>
      asFloat32(withNoise(f, 8, 200 + 2 * trial + i)),
    ) as [Field, Field]
    // The coarser levels by themselves, so that the finest can be run with one warp, two warps, and so on.
    const coarser = [first, second].map((f) => call('vision_native::_tvl1_pyramid_level', [frames(f)]) as Tensor)
    const start = tvl1Flow(coarser[0] as Tensor, coarser[1] as Tensor, { scales: 4 }).flow.squeeze(0)
    const init = call('vision_native::_tvl1_upsample', [start, 64, 80], { factor: 1.25 }) as Tensor
    const energies: number[] = []
    for (let warps = 1; warps <= 5; warps++) {
      const { u, v } = solve({ first, second }, { scales: 1, warps, init: init.unsqueeze(0) })
      energies.push(energy(first, second, u, v, 0.15))
      // Rounding differs a little (levels of 0–1 here, of 0–255 there), and noise makes the most of it.
      if (warps === 5) expect(mean(differences(u, solve({ first, second }).u))).toBeLessThan(0.05)
    }
    for (let i = 1; i < 5; i++) ratios.push((energies[i] as number) / (energies[i - 1] as number))
    const still = field(80, 64, () => 0)
    expect(energies[4]).toBeLessThan(energy(first, second, still, still, 0.15))
  }
  expect(Math.max(...ratios)).toBeLessThanOrEqual(1.01)
})

test('check 10: a batch gives what its pairs give alone, whenever the others stop', () => {
  const pairs = [
    shifted(texture(2, 6), 70, 50, 1, 0.5),
    shifted(texture(2, 7), 70, 50, 0, 0),
    { first: withNoise(field(70, 50, texture(2, 8)), 20, 9), second: withNoise(field(70, 50, texture(3, 10)), 20, 11) },
    shifted(texture(3, 12), 70, 50, -2, 1),
    shifted(texture(2, 13), 70, 50, 0.1, 0),
  ]
  const together = tvl1Flow(frames(...pairs.map((p) => p.first)), frames(...pairs.map((p) => p.second)))
  const totals = pairs.map(({ first, second }, n) => {
    const alone = tvl1Flow(frames(first), frames(second))
    expect(bits(together.flow.select(0, n))).toEqual(bits(alone.flow.select(0, 0)))
    expect(together.iterations.select(0, n).toArray()).toEqual(alone.iterations.select(0, 0).toArray())
    return alone.iterations.dataSync().reduce((a, b) => a + b, 0)
  })
  expect(Math.max(...totals)).toBeGreaterThan(10 * Math.min(...totals))
})

test.each([0.15, 0.5])(
  'check 11: the median lowers the error under salt and pepper by at least 8 percent, λ = %f',
  (lambda) => {
    const errors = [true, false].map((medianFilter) => {
      const each = [20, 21, 22].map((seed) => {
        const { first, second } = shifted(texture(3, seed), 128, 96, -2.2, 1.3)
        const uniform = randomNumbers(seed)
        const pepper = (f: Field) =>
          field(f.width, f.height, (x, y) => {
            const draw = uniform()
            return draw < 0.025 ? 0 : draw < 0.05 ? 255 : at(f, x, y)
          })
        return shiftError({ first: pepper(first), second: pepper(second) }, -2.2, 1.3, { lambda, medianFilter })
      })
      return mean(each)
    })
    const [filtered, plain] = errors as [number, number]
    expect(filtered).toBeLessThan(0.92 * plain)
  },
)

test('check 12: a square that moves by 3 px over still ground', () => {
  const [width, height, side, left, top] = [128, 96, 40, 44, 28]
  const [ground, surface] = [texture(2, 30), texture(2, 31)]
  const scene = (shift: number) =>
    field(width, height, (x, y) => {
      const inside = x >= left + shift && x < left + shift + side && y >= top && y < top + side
      return inside ? surface(x - shift, y) : ground(x, y)
    })
  const { u, v } = solve({ first: scene(0), second: scene(3) })
  const centre: number[] = []
  const still: number[] = []
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const outsideBy = Math.max(left - x, x - (left + side - 1), top - y, y - (top + side - 1))
      if (outsideBy <= -10) centre.push(Math.hypot(at(u, x, y) - 3, at(v, x, y)))
      if (outsideBy >= 10) still.push(Math.hypot(at(u, x, y), at(v, x, y)))
    }
  }
  expect(mean(centre)).toBeLessThan(0.05)
  expect(mean(still)).toBeLessThan(0.02)
  // Pixels between 10 % and 90 % of the motion on a line through the square, on the left and right edges.
  const widths: number[] = []
  for (let y = top + 10; y < top + side - 10; y++) {
    for (const edge of [left, left + side]) {
      let count = 0
      for (let x = edge - 12; x < edge + 12; x++) if (at(u, x, y) > 0.3 && at(u, x, y) < 2.7) count++
      widths.push(count)
    }
  }
  expect(mean(widths)).toBeLessThanOrEqual(4)
})

test('check 13: λ trades smoothness against the data on noisy images', () => {
  const clean = shifted(texture(2, 40), 128, 96, 1.5, -0.8)
  const pair = { first: withNoise(clean.first, 8, 41), second: withNoise(clean.second, 8, 42) }
  const measured = [0.015, 0.15, 0.5].map((lambda) => {
    const { u, v } = solve(pair, { lambda })
    return {
      variation: totalVariation(u, v) / u.data.length,
      residual: mean(warpedResidual(pair.first, pair.second, u, v).data),
    }
  })
  const [low, middle, high] = measured as [(typeof measured)[0], (typeof measured)[0], (typeof measured)[0]]
  expect(low.variation).toBeLessThan(middle.variation)
  expect(middle.variation).toBeLessThan(high.variation)
  expect(high.variation).toBeGreaterThan(0.1)
  expect(low.residual).toBeGreaterThan(middle.residual)
  expect(middle.residual).toBeGreaterThan(high.residual)
})

test('check 15: two runs are equal bit by bit', () => {
  const pair = shifted(texture(2, 50), 90, 70, 2, 1)
  const noisy = { first: withNoise(pair.first, 8, 51), second: withNoise(pair.second, 8, 52) }
  const runs = [0, 1].map(() => bits(tvl1Flow(frames(noisy.first), frames(noisy.second)).flow))
  expect(runs[0]).toEqual(runs[1])
})

test.each(['opencv-cpu', 'opencv24-cuda', 'ipol'] as const)(
  'check 16: equal images take one inner iteration a warp, %s',
  (preset) => {
    const image = field(80, 60, texture(2, 60))
    const { iterations, residuals } = tvl1Flow(frames(image), frames(image), { preset })
    expect(iterations.shape).toEqual([1, { 'opencv-cpu': 5, 'opencv24-cuda': 2, ipol: 3 }[preset], 5])
    expect(new Set(iterations.dataSync())).toEqual(new Set([1]))
    expect(new Set(residuals.dataSync())).toEqual(new Set([0]))
  },
)

describe('RubberWhale of the Middlebury set', () => {
  test('the end-point error is that of OpenCV', async () => {
    const grey = async (name: string) => (await readImage(`examples/data/${name}.png`, { mode: 'grey' })) as Tensor
    const [first, second] = [await grey('rubberwhale1'), await grey('rubberwhale2')]
    const truth = await readFlow('examples/data/rubberwhale_gt.flo')
    const { flow } = tvl1Flow(first, second)
    const error = flow
      .squeeze(0)
      .sub(truth.flow)
      .pow(2)
      .sum({ dim: [0] })
      .sqrt()
    const known = truth.valid.to('float32')
    // OpenCV 5.0's DualTVL1 has 0.156; a = −0.5 costs about 1 %.
    expect(error.mul(known).sum().toNumber() / known.sum().toNumber()).toBeLessThan(0.16)
  })
})
