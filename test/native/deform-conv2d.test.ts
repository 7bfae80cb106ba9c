import { beforeAll, describe, expect, test } from 'vitest'
import { ArgumentError, DTypeError, ShapeError } from '../../lib/native/errors'
import { Conv2d, DeformConv2d } from '../../lib/nn'
import { type DeformConv2dOptions, deformConv2d } from '../../lib/ops'
import { conv2d, grad, manualSeed, setNumThreads, type Tensor, tensor, tidy, tidyAsync, zeros } from '../../lib/tensor'
import { detectionCases, detectionTensors } from '../support/detection-cases'
import { bytesOf, laidOut, largestDifference, noise, testOp } from '../support/test-op'

// Threads that wait for one another are slow on a machine that is busy with other tests.
beforeAll(() => setNumThreads(1))

const numbers = (t: Tensor) => Array.from(t.to('float64').contiguous().dataSync() as Float64Array)

/** The definition, number by number. */
function reference(
  input: Tensor,
  offset: Tensor,
  weight: Tensor,
  mask: Tensor,
  [stride, padding, dilation]: readonly [number, number, number],
): Tensor {
  const [n, channels, height, width] = input.shape as [number, number, number, number]
  const [filters, own, kh, kw] = weight.shape as [number, number, number, number]
  const [, wide, oh, ow] = offset.shape as [number, number, number, number]
  const [taps, together] = [kh * kw, channels / (wide / (2 * kh * kw))]
  const [x, moved, w, m] = [input, offset, weight, mask].map(numbers) as [number[], number[], number[], number[]]
  const pixel = (i: number, c: number, r: number, q: number) =>
    r < 0 || q < 0 || r >= height || q >= width ? 0 : (x[((i * channels + c) * height + r) * width + q] as number)
  const out: number[] = []
  for (let i = 0; i < n; i++) {
    for (let f = 0; f < filters; f++) {
      for (let p = 0; p < oh * ow; p++) {
        let sum = 0
        for (let k = 0; k < own; k++) {
          const c = Math.floor(f / (filters / (channels / own))) * own + k
          const g = Math.floor(c / together)
          for (let t = 0; t < taps; t++) {
            const place = ((i * wide) / 2 + g * taps + t) * oh * ow + p
            const at = (i * wide + g * 2 * taps + 2 * t) * oh * ow + p
            const r = Math.floor(p / ow) * stride - padding + Math.floor(t / kw) * dilation + (moved[at] as number)
            const q = (p % ow) * stride - padding + (t % kw) * dilation + (moved[at + oh * ow] as number)
            const [top, left] = [Math.floor(r), Math.floor(q)]
            const [b, a] = [r - top, q - left]
            const value =
              (1 - b) * ((1 - a) * pixel(i, c, top, left) + a * pixel(i, c, top, left + 1)) +
              b * ((1 - a) * pixel(i, c, top + 1, left) + a * pixel(i, c, top + 1, left + 1))
            sum += (w[(f * own + k) * taps + t] as number) * (m[place] as number) * value
          }
        }
        out.push(sum)
      }
    }
  }
  return tensor(out, { shape: [n, filters, oh, ow], dtype: 'float64' })
}

const cases = [
  { input: [1, 1, 1, 1], weight: [1, 1, 1, 1], out: [1, 1], offsetGroups: 1, geometry: [1, 0, 1] },
  { input: [2, 4, 5, 6], weight: [4, 2, 3, 3], out: [5, 6], offsetGroups: 2, geometry: [1, 1, 1] },
  { input: [1, 6, 9, 8], weight: [6, 1, 3, 2], out: [5, 5], offsetGroups: 3, geometry: [2, 2, 2] },
  { input: [1, 40, 7, 5], weight: [3, 40, 2, 2], out: [6, 4], offsetGroups: 1, geometry: [1, 0, 1] },
] as const

testOp('deform_conv2d', {
  tolerances: { float64: 1e-12, float32: 2e-5, float16: 4e-2, bfloat16: 0.3 },
  cases: cases.map(({ input, weight, out, offsetGroups, geometry }) => ({
    name: `[${input}] by [${weight}], ${offsetGroups} offset groups, stride, padding, dilation ${geometry}`,
    inputs: () => {
      const taps = offsetGroups * weight[2] * weight[3]
      return [
        noise(input),
        noise([input[0], 2 * taps, ...out], 2).mul(2),
        noise(weight, 3),
        noise([input[0], taps, ...out], 4),
      ]
    },
    run: (x: Tensor, offset: Tensor, w: Tensor, mask: Tensor) =>
      deformConv2d(x, offset, w, { mask, stride: geometry[0], padding: geometry[1], dilation: geometry[2] }),
    reference: (x: Tensor, offset: Tensor, w: Tensor, mask: Tensor) => reference(x, offset, w, mask, geometry),
    differentiable: [0, 1, 2, 3],
    skipGradients: input[1] * input[2] > 24,
  })),
})

interface Stored {
  readonly stride: readonly [number, number]
  readonly padding: readonly [number, number]
  readonly dilation: readonly [number, number]
}

describe('equals torchvision', () => {
  test.each(detectionCases<Stored>('deform_conv2d'))('case $name, $options', (one) =>
    tidyAsync(async () => {
      const parts = await detectionTensors(one)
      for (const layout of ['contiguous', 'strided', 'channels last'] as const) {
        const names = ['input', 'offset', 'weight', 'bias', 'mask'].filter((name) => parts.has(name))
        const leaves = new Map(
          names.map((name) => [
            name,
            laidOut(parts.get(name) as Tensor, layout)
              .detach()
              .requiresGrad_(),
          ]),
        )
        const get = (name: string) => leaves.get(name) as Tensor
        const options: DeformConv2dOptions = {
          ...one.options,
          bias: leaves.get('bias') ?? null,
          mask: leaves.get('mask') ?? null,
        }
        const out = deformConv2d(get('input'), get('offset'), get('weight'), options)
        expect(largestDifference(out, parts.get('out') as Tensor)).toBeLessThan(1e-12)
        const slopes = grad(out, [...leaves.values()], { gradOutputs: [parts.get('upstream') as Tensor] })
        for (const [i, name] of names.entries()) {
          const expected = parts.get(`grad.${name}`) as Tensor
          expect(largestDifference(slopes[i] as Tensor, expected), name).toBeLessThan(1e-11)
        }
      }
    }),
  )
})

describe('by hand', () => {
  test('without offsets it is a convolution', () => {
    tidy(() => {
      const [x, w, bias] = [noise([2, 4, 7, 6]), noise([6, 2, 3, 3], 2), noise([6], 3)]
      const ours = deformConv2d(x, zeros([2, 18, 4, 3], { dtype: 'float64' }), w, { bias, stride: 2, padding: 1 })
      expect(largestDifference(ours, conv2d(x, w, { bias, stride: 2, padding: 1, groups: 2 }))).toBeLessThan(1e-13)
    })
  })

  test('an offset of (1, −2) moves the image', () => {
    tidy(() => {
      const x = noise([1, 1, 5, 6])
      const offset = tensor(
        [1, -2].flatMap((step) => new Array<number>(30).fill(step)),
        { shape: [1, 2, 5, 6], dtype: 'float64' },
      )
      const out = deformConv2d(x, offset, noise([1, 1, 1, 1]).mul(0).add(1))
      expect(numbers(out.narrow(2, 0, 4).narrow(3, 2, 4))).toEqual(numbers(x.narrow(2, 1, 4).narrow(3, 0, 4)))
      expect(numbers(out.select(2, 4)).every((value) => value === 0)).toBe(true)
    })
  })

  test('offsets that are not finite read 0 and have no gradient; NaN in the image stays near', () => {
    tidy(() => {
      const x = noise([1, 2, 5, 5]).requiresGrad_()
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, -1e30]) {
        const offset = zeros([1, 2, 5, 5], { dtype: 'float64' }).fill_(bad).requiresGrad_()
        const out = deformConv2d(x, offset, noise([3, 2, 1, 1]))
        expect(numbers(out).every((value) => value === 0)).toBe(true)
        const slopes = grad(out.sum(), [x, offset])
        for (const slope of slopes) expect(numbers(slope as Tensor).every((value) => value === 0)).toBe(true)
      }
      const spoilt = noise([1, 2, 5, 5])
      spoilt.select(3, 0).fill_(Number.NaN)
      const out = deformConv2d(spoilt, zeros([1, 18, 5, 5], { dtype: 'float64' }), noise([3, 2, 3, 3]), { padding: 1 })
      expect(out.narrow(3, 3, 2).isfinite().all().item()).toBe(true)
    })
  })

  test('gradients have the same bits with any number of threads', () => {
    tidy(() => {
      const shapes = [
        [2, 40, 9, 8],
        [2, 18, 9, 8],
        [16, 40, 3, 3],
      ]
      const leaves = shapes.map((shape, i) =>
        noise(shape, i + 1)
          .to('float32')
          .requiresGrad_(),
      )
      const [x, offset, w] = leaves as [Tensor, Tensor, Tensor]
      const runs = [1, 2, 3].map((threads) => {
        setNumThreads(threads)
        return grad(deformConv2d(x, offset, w, { padding: 1 }).square().sum(), leaves).map((t) => bytesOf(t as Tensor))
      })
      setNumThreads(1)
      for (const again of runs.slice(1)) {
        expect(again.map((bytes, i) => Buffer.compare(bytes, runs[0]?.[i] as Uint8Array))).toEqual([0, 0, 0])
      }
    })
  })

  test('the layer begins as a convolution, and prints its options', () => {
    tidy(() => {
      manualSeed(3)
      const layer = new DeformConv2d(4, 6, 3, { padding: 1 })
      manualSeed(3)
      const plain = new Conv2d(4, 6, 3, { padding: 1 })
      expect(String(layer)).toBe('DeformConv2d(4, 6, kernelSize=(3, 3), stride=(1, 1), padding=(1, 1))')
      expect(numbers(layer.weight)).toEqual(numbers(plain.weight))
      const x = noise([1, 4, 5, 5]).to('float32')
      const out = layer.forward(x, zeros([1, 18, 5, 5]))
      expect(largestDifference(out, plain.forward(x))).toBeLessThan(1e-6)
      expect(() => new DeformConv2d(4, 6, 3, { groups: 3 })).toThrow(ArgumentError)
    })
  })
})

describe('degenerate and bad input', () => {
  test('no images', () => {
    tidy(() => {
      expect(deformConv2d(zeros([0, 2, 5, 5]), zeros([0, 18, 3, 3]), zeros([4, 2, 3, 3])).shape).toEqual([0, 4, 3, 3])
    })
  })

  test('what does not fit is refused', () => {
    tidy(() => {
      const [x, offset, w] = [zeros([1, 4, 5, 5]), zeros([1, 18, 3, 3]), zeros([6, 4, 3, 3])]
      expect(() => deformConv2d(x, offset, w, { padding: 1 })).toThrow(ShapeError)
      expect(() => deformConv2d(x, zeros([1, 17, 3, 3]), w)).toThrow(ShapeError)
      expect(() => deformConv2d(x, zeros([1, 54, 3, 3]), w)).toThrow(ShapeError)
      expect(() => deformConv2d(x, offset, zeros([6, 3, 3, 3]))).toThrow(ShapeError)
      expect(() => deformConv2d(x, offset, zeros([5, 2, 3, 3]))).toThrow(ShapeError)
      expect(() => deformConv2d(x, offset, zeros([6, 4, 7, 7]))).toThrow(ShapeError)
      expect(() => deformConv2d(x, offset, w, { bias: zeros([4]) })).toThrow(ShapeError)
      expect(() => deformConv2d(x, offset, w, { mask: zeros([1, 18, 3, 3]) })).toThrow(ShapeError)
      expect(() => deformConv2d(x, offset, w, { stride: 0 })).toThrow(ArgumentError)
      expect(() => deformConv2d(x, offset, w, { dilation: [1, 0] })).toThrow(ArgumentError)
      expect(() => deformConv2d(x, offset, w, { padding: -1 })).toThrow(ArgumentError)
      expect(() => deformConv2d(x, offset.to('float64'), w)).toThrow(DTypeError)
      expect(() => deformConv2d(x.to('int32'), offset, w)).toThrow(DTypeError)
    })
  })

  test('a second derivative is refused by name', () => {
    tidy(() => {
      const x = noise([1, 2, 4, 4]).requiresGrad_()
      const out = deformConv2d(x, zeros([1, 2, 4, 4], { dtype: 'float64' }), noise([2, 2, 1, 1]))
      expect(() => grad(out.square().sum(), [x], { createGraph: true })).toThrow(
        /deform_conv2d: has no second derivative/,
      )
    })
  })
})
