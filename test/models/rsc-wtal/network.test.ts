// Networks and losses beside the paper's numbers, loops over scalars, and a second implementation in PyTorch.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { I3D } from '../../../lib/backbones'
import {
  Config,
  coActivityLoss,
  createLocalizer,
  HOSTS,
  type Localizer,
  regionalConsistency,
  topKMean,
  VARIANTS,
  videoLoss,
} from '../../../lib/models/video/rsc-wtal'
import { attended, guideLoss } from '../../../lib/models/video/rsc-wtal/video-score'
import { AvgPool1d, skipInit } from '../../../lib/nn'
import { mergeConfigs } from '../../../lib/pipeline'
import {
  arange,
  gradcheck,
  manualSeed,
  noGrad,
  ones,
  rand,
  randn,
  type Tensor,
  tensor,
  tidy,
} from '../../../lib/tensor'

const configOf = (over: object) => Config.parse(over)
const float64 = { dtype: 'float64' } as const

/** Parameter p in the order of names becomes `gain · sin(0.37e + 0.11p)`. */
function fill(model: Localizer, gain: number): void {
  noGrad(() => {
    for (const [p, parameter] of model.parameters().entries()) {
      const values = arange(parameter.numel, float64)
        .mul(0.37)
        .add(0.11 * p)
        .sin()
        .mul(gain)
      parameter.copy_(values.reshape([...parameter.shape]))
    }
  })
}

const numbers = (x: Tensor) => x.detach().flatten().toArray() as number[]

describe('5. parameter counts', () => {
  const count = (over: object) =>
    tidy(() => {
      using model = skipInit(() => createLocalizer(configOf(over)))
      return [model.parameterCount(), model.projNet?.parameterCount() ?? 0, model.flowProjNet?.parameterCount() ?? 0]
    })

  test('of hosts with f_proj, of the hosts alone, and of both projections', () => {
    expect(count({ host: 'ham-net' })).toEqual([30_196_758, 1_050_112, 0])
    expect(count({ host: 'cola' })).toEqual([13_676_032, 1_050_112, 0])
    expect(count({ host: 'co2-net' })).toEqual([35_183_127, 1_050_112, 0])
    expect(count({ host: 'co2-net', variant: 'activitynet1.2' })).toEqual([35_347_047, 1_050_112, 0])
    expect(count({ host: 'cola', variant: 'activitynet1.2' })).toEqual([40_644_796, 1_050_112, 0])
    expect(count({ host: 'cola', rsc: { projection: 'none' } })).toEqual([12_625_920, 0, 0])
    expect(count({ host: 'cola', rsc: { projection: 'both' } })).toEqual([14_726_144, 1_050_112, 1_050_112])
  })

  test('of the two I3D networks without their classifiers', () =>
    tidy(() => {
      for (const [inChannels, expected] of [
        [3, 12_287_264],
        [2, 12_265_312],
      ] as const) {
        using net = skipInit(() => new I3D({ inChannels }))
        expect(net.parameterCount() - net.logits.parameterCount()).toBe(expected)
      }
    }))

  test('refuses an odd number of features, and features of another size', () => {
    expect(() => createLocalizer(configOf({ features: 7 }))).toThrow(/features is 7; it must be even/)
    tidy(() => {
      using model = createLocalizer(configOf({ features: 8, classes: 2 }))
      expect(() => model.forward(rand([1, 20, 8]))).toThrow(/they must be \[B, L, 16\], RGB before flow/)
    })
  })
})

describe('a second implementation in PyTorch', () => {
  const reference = JSON.parse(readFileSync(new URL('../../fixtures/rsc-wtal.json', import.meta.url), 'utf8'))
  const { features, classes, length, batch, gain, cases } = reference

  test.each(cases as { host: string; variant: string }[])('$host, $variant: outputs, loss and gradients', (expected) =>
    tidy(() => {
      const { host, variant } = expected
      const config = configOf({ host, variant, features, classes, training: { segments: length } })
      using model = createLocalizer(config).to('float64').eval()
      fill(model, gain)
      const e = arange(batch * length * 2 * features, float64)
      const x = e
        .mul(0.7)
        .sin()
        .add(e.mul(0.013).sin().mul(0.5))
        .abs()
        .reshape([batch, length, 2 * features])
      const y = tensor(
        [
          [1, 0, 0],
          [1, 1, 0],
          [0, 1, 0],
          [0, 1, 1],
          [0, 0, 1],
          [1, 0, 1],
        ],
        float64,
      )
      const { activation, attention } = model.forward(x)
      const { loss, host: hostLoss, consistency } = model.loss(x, y)
      loss.backward()
      const gradients = [...model.net.parameters()].map(({ grad }) => (grad as Tensor).square().sum().item() as number)
      const actual = {
        activation: numbers(activation.select(0, 1).narrow(0, 0, 6)),
        attention: numbers(attention.select(0, 1)).slice(0, 6),
        loss: loss.item(),
        hostLoss: hostLoss.item(),
        consistency: consistency.item(),
        projectionGradient: numbers(model.projNet?.parameters()[0]?.grad as Tensor).slice(0, 8),
        hostGradientNorm: Math.sqrt(gradients.reduce((sum, each) => sum + each, 0)),
      }
      for (const [key, value] of Object.entries(actual)) {
        const wanted = [(expected as unknown as Record<string, number | number[]>)[key]].flat()
        for (const [i, each] of [value].flat().entries()) {
          expect(each, `${key}[${i}]`).toBeCloseTo(wanted[i] as number, 9)
        }
        expect([value].flat().length, key).toBe(wanted.length)
      }
      model.zeroGrad()
    }),
  )
})

describe('6. losses beside loops over scalars', () => {
  const [B, L, C] = [3, 11, 4]
  const labels = () =>
    tensor(
      [
        [1, 0, 1],
        [0, 1, 0],
        [1, 0, 0],
      ],
      float64,
    )
  const values = (shape: readonly number[]) => randn([...shape], float64)

  test('means of the best', () =>
    tidy(() => {
      manualSeed(6)
      const z = values([B, L, C])
      const rows = z.toArray() as number[][][]
      for (const [ratio, k] of [
        [5, 2],
        [3, 3],
        [50, 1],
      ] as const) {
        const expected = rows.map((video) =>
          Array.from({ length: C }, (_, c) => {
            const sorted = video.map((row) => row[c] as number).sort((a, b) => b - a)
            return sorted.slice(0, k).reduce((sum, v) => sum + v, 0) / k
          }),
        )
        expect(topKMean(z, ratio).sub(tensor(expected, float64)).abs().max().item()).toBeLessThan(1e-12)
      }
      expect(gradcheck((x: Tensor) => topKMean(x, 5), [z.requiresGrad_()])).toBe(true)
    }))

  test('cross entropy of videos, with and without the background', () =>
    tidy(() => {
      manualSeed(7)
      const z = values([B, L, C])
      const scores = topKMean(z, 4).toArray() as number[][]
      const y = labels().toArray() as number[][]
      for (const background of [true, false]) {
        const each = scores.map((score, b) => {
          const own = [...(y[b] as number[]), background ? 1 : 0]
          const sum = own.reduce((s, v) => s + v, 0) + 1e-4
          const norm = Math.log(score.reduce((s, v) => s + Math.exp(v), 0))
          return -own.reduce((s, v, c) => s + (v / sum) * ((score[c] as number) - norm), 0)
        })
        const expected = each.reduce((s, v) => s + v, 0) / B
        expect(videoLoss(z, labels(), 4, background).item()).toBeCloseTo(expected, 12)
      }
      expect(gradcheck((x: Tensor) => videoLoss(x, labels(), 4, true), [z.requiresGrad_()])).toBe(true)
    }))

  test('attention on activation, and its guide', () =>
    tidy(() => {
      manualSeed(8)
      const [z, a] = [values([B, L, C]), rand([B, L, 1], float64)]
      const [rows, weights] = [z.toArray() as number[][][], a.toArray() as number[][][]]
      let [sum, worst] = [0, 0]
      const [plain, filled] = [false, true].map((fill) => attended(z, a, { fill }).toArray() as number[][][])
      for (let b = 0; b < B; b++) {
        for (let l = 0; l < L; l++) {
          const row = rows[b]?.[l] as number[]
          const weight = weights[b]?.[l]?.[0] as number
          const low = Math.min(...row)
          const total = row.reduce((s, v) => s + Math.exp(v), 0)
          sum += Math.abs(1 - weight - Math.exp(row[C - 1] as number) / total)
          for (const [c, v] of row.entries()) {
            worst = Math.max(worst, Math.abs((plain?.[b]?.[l]?.[c] as number) - weight * v))
            worst = Math.max(worst, Math.abs((filled?.[b]?.[l]?.[c] as number) - (weight * (v - low) + low)))
          }
        }
      }
      expect(worst).toBeLessThan(1e-12)
      expect(guideLoss(z, a).item()).toBeCloseTo(sum / (B * L), 12)
    }))

  test('the co-activity of pairs', () =>
    tidy(() => {
      manualSeed(9)
      const [x, z] = [values([6, L, 5]), values([6, L, 4])]
      const y = tensor(
        [
          [1, 1, 0],
          [1, 1, 0],
          [0, 1, 0],
          [0, 1, 1],
          [0, 0, 1],
          [1, 0, 1],
        ],
        float64,
      )
      expect(gradcheck((f: Tensor, s: Tensor) => coActivityLoss(f, s, y), [x.requiresGrad_(), z.requiresGrad_()])).toBe(
        true,
      )
      // Videos of a pair that are the same: high features agree, and the rest is what the margin leaves.
      const same = x.detach().narrow(0, 0, 1).expand([6, L, 5])
      const flat = z.detach().mul(0)
      expect(coActivityLoss(same, flat.narrow(0, 0, 6), y).item()).toBeCloseTo(0.5, 9)
    }))
})

describe('13. the consistency switched off', () => {
  test.each(HOSTS.flatMap((host) => VARIANTS.map((variant) => [host, variant] as const)))(
    '%s on %s is the plain host, bit by bit',
    (host, variant) =>
      tidy(() => {
        const over = { host, variant, features: 8, classes: 3, training: { segments: 20 } }
        manualSeed(13)
        using plain = createLocalizer(configOf({ ...over, rsc: { projection: 'none' } })).eval()
        manualSeed(13)
        using unweighted = createLocalizer(configOf({ ...over, rsc: { weight: 0 } })).eval()
        manualSeed(14)
        const x = rand([6, 20, 16])
        const y = tensor(
          [
            [1, 0, 0],
            [1, 1, 0],
            [0, 1, 0],
            [0, 1, 1],
            [0, 0, 1],
            [1, 0, 1],
          ],
          { dtype: 'float32' },
        )
        // f_proj as the identity: it takes no negative values, and its two layers cannot be one on fewer units.
        const identity = unweighted.project.bind(unweighted)
        unweighted.project = (features) => ({ ...identity(features), joined: features })
        expect(unweighted.forward(x).activation.equal(plain.forward(x).activation)).toBe(true)
        expect(unweighted.forward(x).attention.equal(plain.forward(x).attention)).toBe(true)
        expect(unweighted.loss(x, y).loss.equal(plain.loss(x, y).loss)).toBe(true)
      }),
  )
})

describe('gradients', () => {
  const cases = HOSTS.flatMap((host) =>
    (['rgb', 'flow', 'both', 'none'] as const).map((projection) => [host, projection] as const),
  )
  test.each(cases)('%s, projection %s: every parameter has one that is not all zero', (host, projection) =>
    tidy(() => {
      manualSeed(21)
      const config = mergeConfigs(
        { host, features: 16, classes: 3, training: { segments: 40 } },
        { rsc: { projection } },
      )
      using model = createLocalizer(Config.parse(config))
      const x = rand([8, 40, 32])
      const y = tensor(
        [
          [1, 0, 0],
          [1, 0, 0],
          [0, 1, 0],
          [0, 1, 0],
          [0, 0, 1],
          [1, 0, 1],
          [1, 0, 0],
          [0, 0, 1],
        ],
        {
          dtype: 'float32',
        },
      )
      model.loss(x, y).loss.backward()
      const idle = [...model.namedParameters()].filter(([, { grad }]) => !grad || grad.abs().sum().item() === 0)
      expect(idle.map(([name]) => name)).toEqual([])
      model.zeroGrad()
    }),
  )

  test('the consistency alone reaches the projection and nothing else', () =>
    tidy(() => {
      manualSeed(22)
      using model = createLocalizer(configOf({ host: 'cola', features: 8, classes: 2 }))
      const { rgb, flow } = model.project(rand([2, 20, 16]))
      regionalConsistency(rgb, flow).backward()
      const reached = [...model.namedParameters()].filter(([, { grad }]) => grad).map(([name]) => name.split('.')[0])
      expect([...new Set(reached)]).toEqual(['proj_net'])
      model.zeroGrad()
    }))
})

test('sharper 5. averages of ones count the zeros around them', () =>
  tidy(() => {
    for (const [kernel, end] of [
      [17, 9 / 17],
      [13, 7 / 13],
    ] as const) {
      const pool = new AvgPool1d(kernel, { stride: 1, padding: (kernel - 1) / 2 })
      const ends = pool.forward(ones([1, 1, 60])).flatten()
      expect(ends.select(0, 0).item()).toBeCloseTo(end, 6)
      expect(ends.select(0, 59).item()).toBeCloseTo(end, 6)
      expect(ends.select(0, 30).item()).toBeCloseTo(1, 6)
    }
    // The windows of the networks: 80 segments for HAM-Net, 60 for CO2-Net.
    using ham = skipInit(() => createLocalizer(configOf({ host: 'ham-net', variant: 'activitynet1.2', features: 8 })))
    using co2 = skipInit(() => createLocalizer(configOf({ host: 'co2-net', variant: 'activitynet1.2', features: 8 })))
    expect(String(ham)).toMatch(/AvgPool1d\(.*17/)
    expect(co2.forward(rand([1, 60, 16])).activation.shape).toEqual([1, 60, 101])
  }))
