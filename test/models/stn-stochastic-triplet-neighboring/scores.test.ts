import { expect, test } from 'vitest'
import { comparison, quantise } from '../../../lib/models/enhancement/stn-stochastic-triplet-neighboring'
import { full, type Tensor, tensor, tidy } from '../../../lib/tensor'

const SIDE = 16
const grey = (value: (i: number, j: number) => number): Tensor =>
  tensor(
    Float32Array.from({ length: SIDE * SIDE }, (_, k) => value(Math.floor(k / SIDE), k % SIDE) / 255),
    { shape: [1, 1, SIDE, SIDE] },
  )
const first = (i: number, j: number) => (37 * i + 11 * j + 5 * ((i * j) % 7)) % 256
const second = (i: number, j: number) => Math.min(255, Math.max(0, first(i, j) + ((13 * i + 29 * j) % 21) - 10))

test('bytes are rounded with halves up, and clipped', () => {
  tidy(() => {
    const image = tensor([-0.1, 0.5 / 255, 1.4999 / 255, 1.5001 / 255, 0.99999, 1.2])
    expect([...quantise(image).dataSync()]).toEqual([0, 1, 1, 2, 255, 255])
  })
})

test('10. one grey level of difference is 48.13 dB, and equal pictures have an SSIM of 1', () => {
  tidy(() => {
    const [image, other] = [full([1, 3, 16, 16], 100 / 255), full([1, 3, 16, 16], 101 / 255)]
    expect(comparison(image, other).psnr).toBeCloseTo(48.1308, 4)
    expect(comparison(image, image)).toEqual({ psnr: Number.POSITIVE_INFINITY, ssim: 1 })
  })
})

test('S5. scores are those of an independent implementation', () => {
  tidy(() => {
    const { psnr, ssim } = comparison(grey(second), grey(first))
    expect(psnr).toBeCloseTo(32.672226057, 8)
    expect(ssim).toBeCloseTo(0.9960293529, 9)
  })
})

test('10. SSIM is that of a loop over windows in double precision', () => {
  const weights = Array.from({ length: 11 }, (_, i) => Math.exp(-((i - 5) ** 2) / 4.5))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const [c1, c2] = [(0.01 * 255) ** 2, (0.03 * 255) ** 2]
  let [sum, count] = [0, 0]
  for (let top = 0; top + 11 <= SIDE; top++) {
    for (let left = 0; left + 11 <= SIDE; left++) {
      let [a, b, aa, bb, ab] = [0, 0, 0, 0, 0]
      for (let i = 0; i < 11; i++) {
        for (let j = 0; j < 11; j++) {
          const weight = ((weights[i] ?? 0) * (weights[j] ?? 0)) / total ** 2
          const [x, y] = [first(top + i, left + j), second(top + i, left + j)]
          a += weight * x
          b += weight * y
          aa += weight * x * x
          bb += weight * y * y
          ab += weight * x * y
        }
      }
      const structure = (2 * (ab - a * b) + c2) / (aa - a * a + bb - b * b + c2)
      sum += (structure * (2 * a * b + c1)) / (a * a + b * b + c1)
      count++
    }
  }
  tidy(() => expect(Math.abs(comparison(grey(first), grey(second)).ssim - sum / count)).toBeLessThan(1e-9))
})

test('pictures below the window are refused', () => {
  tidy(() =>
    expect(() => comparison(full([1, 1, 10, 16], 0), full([1, 1, 10, 16], 0))).toThrow(/smaller than the window/),
  )
})
