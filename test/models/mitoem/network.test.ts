// Numbers of the items are those of the card's "Done when" and "Sharper checks".
import { describe, expect, test } from 'vitest'
import { ConvUnit, channelsOf, ResUNet3d, SliceUNet, system } from '../../../lib/models/segmentation/mitoem'
import { parseConfig } from '../../../lib/pipeline'
import { manualSeed, noGrad, rand, randn, type Tensor, tidy } from '../../../lib/tensor'
import { hashTensor } from './hash-noise'

const numbers = (x: Tensor) => [...(x.to('float64').flatten().dataSync() as Float64Array)]

describe('1. sizes', () => {
  test('are those of the input for any number of slices, and of every representation', () => {
    tidy(() => {
      for (const representation of ['B', 'BC', 'A', 'AC'] as const) {
        const config = parseConfig(system.config, { network: { representation, width: 0.125 } }, 'test')
        using model = system.create(config).eval()
        for (const depth of [1, 2, 5]) {
          const maps = noGrad(() => model.forward(rand([1, 1, depth, 16, 32])))
          expect(maps.shape).toEqual([1, channelsOf(representation), depth, 16, 32])
        }
      }
    })
  })

  test('that cannot be halved four times are refused', () => {
    tidy(() => {
      using model = new ResUNet3d({ filters: [2, 2, 2, 2, 2] })
      expect(() => model.forward(rand([1, 1, 2, 24, 32]))).toThrow(/multiples of 16, got \[1, 1, 2, 24, 32\]/)
      expect(() => model.forward(rand([1, 2, 2, 32, 32]))).toThrow(/takes \[B, 1, D, H, W\]/)
      using slices = new SliceUNet({ widths: [2, 2, 2, 2, 2], out: 1 })
      expect(() => slices.forward(rand([1, 1, 2, 16, 20]))).toThrow(/multiples of 16/)
    })
  })

  test('of the parts are those of the card', () => {
    tidy(() => {
      using model = new ResUNet3d({ out: 1 })
      const counts = Object.fromEntries([...model.namedChildren()].map(([name, part]) => [name, part.parameterCount()]))
      expect(counts).toEqual({
        embedding: 22_204,
        down1: 79_380,
        down2: 140_400,
        down3: 249_408,
        centre: 399_040,
        up3: 5_312 + 258_624,
        up2: 3_216 + 145_584,
        up1: 1_836 + 81_972,
        up0: 1_092 + 21_420,
        head: 703,
      })
    })
  })
})

test('2. a slice changes the maps of the 14 slices on either side, and of no other', () => {
  tidy(() => {
    manualSeed(3)
    using model = new ResUNet3d({ filters: [3, 3, 3, 3, 3], out: 1 }).eval().to('float64')
    const x = randn([1, 1, 33, 16, 16], { dtype: 'float64' })
    const changed = (slice: number) => {
      const other = x.clone()
      other.select(2, slice).add_(randn([1, 1, 16, 16], { dtype: 'float64' }))
      const [a, b] = noGrad(() => [model.forward(x), model.forward(other)])
      const difference = (a as Tensor)
        .sub(b as Tensor)
        .abs()
        .amax({ dim: [0, 1, 3, 4] })
      return numbers(difference).flatMap((value, z) => (value > 0 ? [z] : []))
    }
    const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)
    expect(changed(16)).toEqual(range(2, 30))
    expect(changed(0)).toEqual(range(0, 14))
  })
})

test('16. the golden forward: border, interpolation, activation and projector are those of the release', () => {
  tidy(() => {
    using model = new ResUNet3d({ out: 2 }).eval()
    const units = [...model.modules()].filter((part): part is ConvUnit => part instanceof ConvUnit)
    expect(units).toHaveLength(34)
    noGrad(() => {
      for (const [k, { conv, norm }] of units.entries()) {
        const fan = conv.weight.shape.slice(1).reduce((product, size) => product * size, 1)
        conv.weight.copy_(hashTensor(`w${k}`, conv.weight.shape).mul(Math.sqrt(3 / fan)))
        const channels = [conv.weight.size(0)]
        conv.bias?.copy_(hashTensor(`b${k}`, channels).mul(0.1))
        if (norm === undefined) throw new Error('a unit has no norm')
        norm.weight?.copy_(hashTensor(`g${k}`, channels).mul(0.1).add(1))
        norm.bias?.copy_(hashTensor(`t${k}`, channels).mul(0.1))
        norm.runningMean?.copy_(hashTensor(`m${k}`, channels).mul(0.1))
        norm.runningVar?.copy_(hashTensor(`v${k}`, channels).mul(0.1).add(1))
      }
      const x = hashTensor('x', [1, 1, 5, 32, 48]).mul(0.5).add(0.5)
      const logits = model.forward(x)
      const values = numbers(logits)
      const near = (value: number | undefined, wanted: number) =>
        expect(Math.abs((value ?? Number.NaN) - wanted)).toBeLessThan(1e-4)
      near(numbers(logits.mean())[0], -0.198812)
      near(numbers(logits.std({ dim: null, correction: 0 }))[0], 0.245184)
      for (const [place, wanted] of [
        [0, -0.1284958],
        [960, -0.3730265],
        [1920, 0.1726927],
        [14400, -0.0043491],
      ] as const) {
        near(values[place], wanted)
      }
      const means = numbers(logits.sigmoid().mean({ dim: [0, 2, 3, 4] }))
      near(means[0], 0.46053)
      near(means[1], 0.441784)
    })
  })
})

test('every parameter has a gradient that is not 0', () => {
  tidy(() => {
    manualSeed(1)
    const config = parseConfig(system.config, { network: { width: 0.125 } }, 'test')
    using model = system.create(config)
    model
      .forward(rand([2, 1, 3, 32, 32]))
      .square()
      .mean()
      .backward()
    const without = [...model.namedParameters()].filter(
      ([name, { grad }]) => !name.endsWith('conv.bias') && !((grad?.abs().amax().item() as number) > 0),
    )
    // Biases before a batch norm are taken away by it.
    expect(without.map(([name]) => name)).toEqual([])
  })
})
