// Expected values are those worked out in the card of fusion-low-light-enhancement.
import { describe, expect, test } from 'vitest'
import { fitAsymmetric, fitNiqe, lightnessOrderError, measureOfEnhancement, niqe } from '../../lib/metrics'
import { arange, full, Generator, ones, rand, randn, type Tensor, tensor, tidy } from '../../lib/tensor'

const grey = (values: Tensor) => values.unsqueeze(0).expand([3, -1, -1])

describe('lightnessOrderError', () => {
  test.each([
    ['plain', 99],
    ['local-maximum', 47.6],
  ] as const)('of 0…99 against its inverse, %s, is %d', (variant, expected) => {
    tidy(() => {
      const rising = arange(100).to('float32').div(255).reshape([10, 10])
      const falling = rising.neg().add(99 / 255)
      expect(lightnessOrderError(grey(rising), grey(rising), { variant }).item()).toBe(0)
      expect(lightnessOrderError(grey(rising), grey(falling), { variant }).item()).toBeCloseTo(expected, 4)
    })
  })

  test('of two pixels that change places among four is a half', () => {
    tidy(() => {
      const [a, b] = [
        tensor([
          [0, 1],
          [2, 3],
        ]),
        tensor([
          [1, 0],
          [2, 3],
        ]),
      ]
      expect(lightnessOrderError(grey(a.div(3)), grey(b.div(3)), { variant: 'plain' }).item()).toBe(0.5)
    })
  })

  test('refuses pictures of different sizes', () => {
    expect(() => tidy(() => lightnessOrderError(ones([3, 4, 4]), ones([3, 4, 5])))).toThrow(/must be the same/)
  })
})

test('measureOfEnhancement of a block with 200 and 100, alone and beside a constant one', () => {
  tidy(() => {
    const block = full([5, 5], 200 / 255)
    block.setAt([0, 0], 100 / 255)
    const wide = full([5, 10], 200 / 255)
    wide.setAt([0, 0], 100 / 255)
    expect(measureOfEnhancement(grey(block)).item()).toBeCloseTo(13.862944, 5)
    expect(measureOfEnhancement(grey(wide)).item()).toBeCloseTo(6.931472, 5)
    expect(measureOfEnhancement(full([3, 10, 10], 0.4)).item()).toBe(0)
  })
})

describe('niqe', () => {
  test('its fit finds the shape of a Gaussian and of a Laplace distribution', () => {
    tidy(() => {
      const generator = new Generator(3)
      const normal = fitAsymmetric(randn([400_000], { generator }))
      expect(Math.abs(normal.shape - 2)).toBeLessThan(0.02)
      expect(normal.left).toBeCloseTo(Math.SQRT2, 1)
      expect(normal.right).toBeCloseTo(Math.SQRT2, 1)
      const uniform = rand([400_000], { generator, dtype: 'float64' }).sub(0.5)
      const laplace = fitAsymmetric(uniform.sign().mul(uniform.abs().mul(-2).log1p()).neg())
      expect(Math.abs(laplace.shape - 1)).toBeLessThan(0.02)
    })
  })

  test('grows with the noise of a picture', () => {
    tidy(() => {
      const generator = new Generator(5)
      const picture = (phase: number) => {
        const line = arange(288).to('float32')
        const waves = line.mul(0.11).add(phase).sin().unsqueeze(0).mul(line.mul(0.07).cos().unsqueeze(1))
        const texture = rand([1, 1, 72, 72], { generator }).sub(0.5).mul(0.1)
        const wide = texture.repeat([1, 1, 4, 4]).squeeze(0).squeeze(0)
        return grey(waves.mul(0.3).add(0.5).add(wide)).clamp({ min: 0, max: 1 })
      }
      const model = fitNiqe([picture(0), picture(1), picture(2)])
      const clean = picture(3)
      const scores = [0, 5, 10, 20].map((sigma) => {
        const noise = randn([288, 288], { generator }).mul(sigma / 255)
        return niqe(clean.add(grey(noise)).clamp({ min: 0, max: 1 }), model).item() as number
      })
      expect(scores).toEqual([...scores].sort((a, b) => a - b))
      expect(scores[3]).toBeGreaterThan(2 * (scores[0] ?? 0))
    })
  })
})
