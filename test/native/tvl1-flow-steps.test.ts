import { describe, expect, test } from 'vitest'
import { tvl1Flow } from '../../lib/ops'
import { call, type Tensor } from '../../lib/tensor'
import {
  asFloat32,
  bits,
  flowOf,
  frames,
  largestDifference,
  normalNumbers,
  plane,
  randomNumbers,
  shifted,
  stack,
  texture,
} from '../support/tvl1'
import {
  at,
  divergence,
  enlarge,
  type Field,
  field,
  forwardX,
  forwardY,
  iterateOnce,
  median5x5,
  type ReferenceParams,
  referenceDefaults,
  type State,
  shrink,
  solveReference,
  warpData,
} from '../support/tvl1-reference'

const op = (name: string, args: unknown[], options?: Record<string, unknown>) =>
  call(`vision_native::${name}`, args, options)

const noise = (width: number, height: number, seed: number, scale = 1): Field => {
  const normal = normalNumbers(seed)
  return field(width, height, () => Math.fround(scale * normal()))
}

const dot = (a: Field, b: Field): number => a.data.reduce((sum, value, i) => sum + value * (b.data[i] as number), 0)

/** Widths around those of vector registers and of the pieces that rows are worked on in. */
const sizes = [
  [3, 3],
  [7, 5],
  [16, 9],
  [33, 20],
  [258, 6],
  [519, 3],
] as const

describe('check 1: discrete operators', () => {
  test.each(sizes)('the divergence is minus the adjoint of the gradient on %i × %i', (width, height) => {
    const u = noise(width, height, 1)
    const px = field(width, height, (x, y) => (x < width - 1 ? at(noisePx, x, y) : 0))
    const py = field(width, height, (x, y) => (y < height - 1 ? at(noisePy, x, y) : 0))
    const [dx, dy] = op('_tvl1_gradient', [stack([u])]) as [Tensor, Tensor]
    const div = plane(op('_tvl1_divergence', [stack([px]), stack([py])]) as Tensor, 0)
    const left = dot(plane(dx, 0), px) + dot(plane(dy, 0), py)
    const right = -dot(u, div)
    const scale = Math.sqrt(dot(u, u) * (dot(px, px) + dot(py, py)))
    expect(Math.abs(left - right) / scale).toBeLessThan(1e-6)
  })
  const noisePx = noise(519, 20, 2)
  const noisePy = noise(519, 20, 3)

  test('the forward gradient is exactly 0 in the last column and row, and a difference elsewhere', () => {
    const u = noise(37, 19, 4)
    const [dx, dy] = (op('_tvl1_gradient', [stack([u])]) as [Tensor, Tensor]).map((t) => plane(t, 0)) as [Field, Field]
    for (let y = 0; y < 19; y++) expect(at(dx, 36, y)).toBe(0)
    for (let x = 0; x < 37; x++) expect(at(dy, x, 18)).toBe(0)
    expect(largestDifference(dx, forwardX(u))).toBeLessThan(1e-6)
    expect(largestDifference(dy, forwardY(u))).toBeLessThan(1e-6)
  })

  test('the divergence equals the reference at borders too', () => {
    const [px, py] = [noise(21, 14, 5), noise(21, 14, 6)]
    const div = plane(op('_tvl1_divergence', [stack([px]), stack([py])]) as Tensor, 0)
    expect(largestDifference(div, divergence(px, py))).toBeLessThan(1e-6)
  })
})

test('check 2: the threshold step minimises λ|ρ(v)| + |v − u|²/2θ on 1,000 random pixels', () => {
  const [lambda, theta] = [0.15, 0.3]
  const rho = noise(1000, 1, 7, 3)
  const ix = noise(1000, 1, 8, 4)
  const iy = noise(1000, 1, 9, 4)
  const steps = plane(
    op('_tvl1_threshold', [stack([rho]), stack([ix]), stack([iy])], { lambd: lambda, theta }) as Tensor,
    0,
  )
  for (let i = 0; i < 1000; i++) {
    const [r, gx, gy, s] = [rho, ix, iy, steps].map((f) => f.data[i] as number) as [number, number, number, number]
    const cost = (dx: number, dy: number) =>
      lambda * Math.abs(r + gx * dx + gy * dy) + (dx * dx + dy * dy) / (2 * theta)
    // Grid search, refined around the best point. The grid's axes lie along the image gradient and across it: the valley
    // of |ρ| is sharp, and a grid askew to it finds points far along the valley.
    const [ex, ey] = [gx / Math.hypot(gx, gy), gy / Math.hypot(gx, gy)]
    let best: [number, number] = [0, 0]
    for (let radius = 2; radius > 1e-4; radius /= 3) {
      const [cx, cy] = best
      for (let a = -12; a <= 12; a++) {
        for (let b = -12; b <= 12; b++) {
          const [along, across] = [(a * radius) / 12, (b * radius) / 12]
          const [dx, dy] = [cx + along * ex - across * ey, cy + along * ey + across * ex]
          if (cost(dx, dy) < cost(...best)) best = [dx, dy]
        }
      }
    }
    expect(cost(s * gx, s * gy)).toBeLessThanOrEqual(cost(...best) + 1e-6)
    expect(Math.hypot(s * gx - best[0], s * gy - best[1])).toBeLessThan(1e-3)
  }
})

/** State and data term as tensors, and a random case of both. */
function stateTensor({ u, px, py }: State): Tensor {
  const planes = [...u, ...u.flatMap((_, k) => [px[k] as Field, py[k] as Field])]
  return stack(planes).unsqueeze(0)
}

function randomCase(width: number, height: number, unknowns: number, seed: number) {
  const uniform = randomNumbers(seed)
  const disc = Array.from({ length: unknowns }, () => {
    const [px, py] = [new Float64Array(width * height), new Float64Array(width * height)]
    for (let i = 0; i < px.length; i++) {
      const [radius, angle] = [uniform() * 0.9, uniform() * 2 * Math.PI]
      if (i % width < width - 1) px[i] = Math.fround(radius * Math.cos(angle))
      if (i < width * (height - 1)) py[i] = Math.fround(radius * Math.sin(angle))
    }
    return [px, py] as const
  })
  const state: State = {
    u: Array.from({ length: unknowns }, (_, k) => noise(width, height, seed + 10 + k, 0.5)),
    px: disc.map(([data]) => ({ width, height, data })),
    py: disc.map(([, data]) => ({ width, height, data })),
  }
  const data = {
    ix: noise(width, height, seed + 20, 8),
    iy: noise(width, height, seed + 21, 8),
    rhoC: noise(width, height, seed + 22, 5),
  }
  return { state, data }
}

test.each([0, 0.1])('check 3: dual vectors stay in the unit disc, γ = %f', (gamma) => {
  const unknowns = gamma === 0 ? 2 : 3
  const { state, data } = randomCase(61, 43, unknowns, 30)
  let current = stateTensor(state)
  for (let round = 0; round < 20; round++) {
    const constants = stack([data.ix, data.iy, data.rhoC]).unsqueeze(0)
    current = (
      op('_tvl1_iterate', [current, constants, 5], { gamma, tau: round < 10 ? 0.25 : 5 }) as [Tensor, Tensor]
    )[0]
    for (let k = 0; k < unknowns; k++) {
      const [px, py] = [plane(current, unknowns + 2 * k), plane(current, unknowns + 2 * k + 1)]
      const longest = px.data.reduce((most, value, i) => Math.max(most, Math.hypot(value, py.data[i] as number)), 0)
      expect(longest).toBeLessThanOrEqual(1 + 1e-6)
      expect(longest).toBeGreaterThan(0.1)
    }
  }
})

describe('check 7: the kernels equal the naive float64 reference', () => {
  test.each(sizes.flatMap(([width, height]) => [0, 0.1].map((gamma) => [width, height, gamma] as const)))(
    'one inner iteration on %i × %i with γ = %f, within 1e-5',
    (width, height, gamma) => {
      const unknowns = gamma === 0 ? 2 : 3
      const { state, data } = randomCase(width, height, unknowns, width)
      const expected = iterateOnce(state, data, { ...referenceDefaults, gamma })
      const constants = stack([data.ix, data.iy, data.rhoC]).unsqueeze(0)
      const [next, error] = op('_tvl1_iterate', [stateTensor(state), constants, 1], { gamma }) as [Tensor, Tensor]
      const { u, px, py } = expected.state
      for (let k = 0; k < unknowns; k++) {
        expect(largestDifference(plane(next, k), u[k] as Field)).toBeLessThan(1e-5)
        expect(largestDifference(plane(next, unknowns + 2 * k), px[k] as Field)).toBeLessThan(1e-5)
        expect(largestDifference(plane(next, unknowns + 2 * k + 1), py[k] as Field)).toBeLessThan(1e-5)
      }
      expect(Math.abs((error.toNumber() - expected.error) / expected.error)).toBeLessThan(1e-5)
    },
  )

  test('a batch of states is iterated one by one', () => {
    const cases = [40, 41, 42].map((seed) => randomCase(19, 11, 2, seed))
    const states = cases.map(({ state }) => stateTensor(state))
    const constants = cases.map(({ data }) => stack([data.ix, data.iy, data.rhoC]).unsqueeze(0))
    const joined = (parts: Tensor[]) => call('aten::cat', [parts]) as Tensor
    const [together] = op('_tvl1_iterate', [joined(states), joined(constants), 7]) as [Tensor, Tensor]
    cases.forEach((_, n) => {
      const [alone] = op('_tvl1_iterate', [states[n], constants[n], 7]) as [Tensor, Tensor]
      expect(bits(together.select(0, n))).toEqual(bits(alone.select(0, 0)))
    })
  })

  test.each([
    ['replicated border', {}],
    ['zero border, a = −0.75', { zeroBorder: true, bicubicA: -0.75 }],
  ])('the warp, %s', (_name, options) => {
    const { first, second } = shifted(texture(2, 50), 40, 30, 2.5, -1.25)
    const [u, v] = [noise(40, 30, 51, 6), noise(40, 30, 52, 6)]
    const expected = warpData(first, second, u, v, { ...referenceDefaults, ...options })
    const result = op('_tvl1_warp', [stack([first]), stack([second]), stack([u, v]).unsqueeze(0)], options) as Tensor
    // Grey levels are near 255, of which float32 resolves 2e-5.
    expect(largestDifference(plane(result, 0), expected.ix)).toBeLessThan(2e-4)
    expect(largestDifference(plane(result, 1), expected.iy)).toBeLessThan(2e-4)
    expect(largestDifference(plane(result, 2), expected.rhoC)).toBeLessThan(2e-3)
  })

  test('a warp to the exact place of a pixel is that pixel, and positions round to 1/32 px on request', () => {
    const { first, second } = shifted(texture(2, 53), 24, 20, 1, 1)
    const warp = (u: number, options = {}) => {
      const constant = field(24, 20, () => u)
      const still = field(24, 20, () => 0)
      return op(
        '_tvl1_warp',
        [stack([first]), stack([second]), stack([constant, still]).unsqueeze(0)],
        options,
      ) as Tensor
    }
    expect(at(plane(warp(3), 0), 5, 5)).toBeCloseTo((at(second, 9, 5) - at(second, 7, 5)) / 2, 4)
    expect(bits(warp(0.26, { coordinateSteps: 32 }).select(1, 0))).toEqual(bits(warp(0.25).select(1, 0)))
  })

  test.each([
    ['bilinear', 0.8],
    ['bilinear', 0.5],
    ['binomial', 0.5],
    ['gaussian', 0.5],
    ['gaussian', 0.7],
  ] as const)('a level of the %s pyramid with η = %f', (pyramid, scaleFactor) => {
    const image = noise(45, 38, 54, 50)
    const expected = shrink(image, { ...referenceDefaults, pyramid, scaleFactor })
    const result = op('_tvl1_pyramid_level', [stack([image])], { pyramid, scaleFactor }) as Tensor
    expect(result.shape).toEqual([1, expected.height, expected.width])
    expect(largestDifference(plane(result, 0), expected)).toBeLessThan(1e-4)
  })

  test.each(['bilinear', 'gaussian'] as const)('enlarging flow, %s', (pyramid) => {
    const flow = noise(17, 19, 55, 3)
    const expected = enlarge(flow, 21, 24, 1.25, { ...referenceDefaults, pyramid })
    const result = op('_tvl1_upsample', [stack([flow]), 24, 21], { factor: 1.25, pyramid }) as Tensor
    expect(largestDifference(plane(result, 0), expected)).toBeLessThan(1e-5)
  })

  const fixed = { warps: 5, epsilon: 0, outerIterations: 2, innerIterations: 8 }
  const cases: readonly (readonly [string, Partial<ReferenceParams>])[] = [
    ['opencv-cpu', {}],
    ['without median', { medianFilter: false, outerIterations: 1 }],
    ['opencv24-cuda', { pyramid: 'binomial', scaleFactor: 0.5, medianFilter: false, outerIterations: 1 }],
    [
      'ipol',
      {
        pyramid: 'gaussian',
        scaleFactor: 0.5,
        scales: 100,
        medianFilter: false,
        outerIterations: 1,
        stretchInput: true,
        presmoothingSigma: 0.8,
        gradientFloor: 1e-10,
      },
    ],
    ['illumination term', { gamma: 0.05 }],
    // The edge to the zeros is so steep that, with several levels, rounding decides between solutions there.
    ['zero border, a = −0.75, one level', { zeroBorder: true, bicubicA: -0.75, scales: 1 }],
  ]
  test.each(cases)('the full solve over all levels within 1e-3 px: %s', (_name, options) => {
    const pair = shifted(texture(2, 60), 56, 48, 1.3, -0.8)
    const [first, second] = [asFloat32(pair.first), asFloat32(pair.second)]
    const expected = solveReference(first, second, { ...fixed, ...options })
    const { flow, iterations } = tvl1Flow(frames(first), frames(second), { ...fixed, ...options })
    expect(iterations.select(0, 0).toArray()).toEqual(expected.iterations)
    const levels = { bilinear: 5, binomial: 2, gaussian: 3 }[options.pyramid ?? 'bilinear']
    expect(expected.iterations.length).toBe(Math.min(levels, options.scales ?? 5))
    const { u, v } = flowOf(flow)
    expect(largestDifference(u, expected.u)).toBeLessThan(1e-3)
    expect(largestDifference(v, expected.v)).toBeLessThan(1e-3)
  })

  test('an initial flow is shrunk level by level and scaled', () => {
    const pair = shifted(texture(2, 61), 50, 44, 1, 0.5)
    const [first, second] = [asFloat32(pair.first), asFloat32(pair.second)]
    const init = { u: noise(50, 44, 62), v: noise(50, 44, 63) }
    const few = { ...fixed, warps: 1, outerIterations: 1, innerIterations: 2 }
    const expected = solveReference(first, second, few, init)
    const { flow } = tvl1Flow(frames(first), frames(second), { ...few, init: stack([init.u, init.v]).unsqueeze(0) })
    const cold = tvl1Flow(frames(first), frames(second), few).flow
    expect(largestDifference(flowOf(flow).u, expected.u)).toBeLessThan(1e-3)
    expect(largestDifference(flowOf(cold).u, expected.u)).toBeGreaterThan(0.05)
  })

  test('iterations stop where the reference stops', () => {
    const pair = shifted(texture(2, 64), 40, 40, 0.7, 0.4)
    const [first, second] = [asFloat32(pair.first), asFloat32(pair.second)]
    const expected = solveReference(first, second).iterations.flat()
    const made = tvl1Flow(frames(first), frames(second)).iterations.dataSync()
    expect(made.length).toBe(expected.length)
    // Float32 may reach the limit one iteration earlier or later.
    const differences = Array.from(made, (count, i) => Math.abs(count - (expected[i] as number)))
    expect(Math.max(...differences)).toBeLessThanOrEqual(1)
    expect(Math.max(...made)).toBeGreaterThan(5)
  })
})

test.each(sizes)('check 11: the median equals a sort on %i × %i, borders included', (width, height) => {
  const image = noise(width, height, width + 70)
  const result = plane(op('_median_filter_5x5', [stack([image])]) as Tensor, 0)
  expect([...result.data]).toEqual([...median5x5(image).data])
})

test('check 11: the median of images with many equal values', () => {
  const uniform = randomNumbers(71)
  const image = field(40, 30, () => Math.floor(uniform() * 3))
  const result = plane(op('_median_filter_5x5', [stack([image])]) as Tensor, 0)
  expect([...result.data]).toEqual([...median5x5(image).data])
})
