import { beforeAll, describe, expect, test } from 'vitest'
import { ArgumentError, DTypeError, ShapeError } from '../../lib/native/errors'
import { RoIAlign } from '../../lib/nn'
import { type RoiAlignOptions, roiAlign } from '../../lib/ops'
import { full, grad, setNumThreads, type Tensor, tensor, tidy, tidyAsync, zeros } from '../../lib/tensor'
import { detectionCases, detectionTensors } from '../support/detection-cases'
import { laidOut, largestDifference, noise, testOp } from '../support/test-op'

// Threads that wait for one another are slow on a machine that is busy with other tests.
beforeAll(() => setNumThreads(1))

const numbers = (t: Tensor) => Array.from(t.to('float64').contiguous().dataSync() as Float64Array)
const boxesOf = (...rows: readonly (readonly number[])[]) =>
  tensor(rows.flat(), { shape: [rows.length, 5], dtype: 'float64' })

/** The definition, sample by sample, with autograd of LibTorch's operators. */
function reference(
  input: Tensor,
  boxes: Tensor,
  [height, width]: readonly [number, number],
  { spatialScale = 1, samplingRatio = -1, aligned = false }: RoiAlignOptions,
): Tensor {
  const [rows, columns] = [input.size(2), input.size(3)]
  const flat = numbers(boxes)
  const weights = (low: number, high: number, bins: number, size: number): number[][] => {
    const shift = aligned ? 0.5 : 0
    const start = low * spatialScale - shift
    const extent = aligned ? high * spatialScale - shift - start : Math.max(high * spatialScale - shift - start, 1)
    const samples = samplingRatio > 0 ? samplingRatio : Math.ceil(extent / bins)
    return Array.from({ length: bins }, (_, bin) => {
      const line = new Array<number>(size).fill(0)
      for (let i = 0; i < samples; i++) {
        let at = start + ((bin + (i + 0.5) / samples) * extent) / bins
        if (at < -1 || at > size) continue
        at = Math.min(Math.max(at, 0), size - 1)
        const first = Math.min(Math.floor(at), size - 1)
        const second = Math.min(first + 1, size - 1)
        line[first] = (line[first] ?? 0) + (1 - (at - first)) / samples
        line[second] = (line[second] ?? 0) + (at - first) / samples
      }
      return line
    })
  }
  const matrix = (lines: number[][], size: number) =>
    tensor(lines.flat(), { shape: [lines.length, size], dtype: 'float64' })
  const made = Array.from({ length: boxes.size(0) }, (_, k) => {
    const [place, x1, y1, x2, y2] = flat.slice(5 * k, 5 * k + 5) as [number, number, number, number, number]
    const down = matrix(weights(y1, y2, height, rows), rows)
    const right = matrix(weights(x1, x2, width, columns), columns)
    return down.matmul(input.select(0, place)).matmul(right.t())
  })
  return made.reduce(
    (all, one, k) => all.add(one.unsqueeze(0).mul(unit(made.length, k))),
    zeros([made.length, input.size(1), height, width], { dtype: 'float64' }),
  )
}

const unit = (count: number, k: number) =>
  tensor(
    Array.from({ length: count }, (_, i) => (i === k ? 1 : 0)),
    { shape: [count, 1, 1, 1], dtype: 'float64' },
  )

const cases = [
  { shape: [1, 1, 1, 1], size: [1, 1], samplingRatio: 2 },
  { shape: [2, 9, 6, 5], size: [3, 2], samplingRatio: -1, aligned: true },
  { shape: [1, 3, 7, 40], size: [7, 7], samplingRatio: 2, spatialScale: 0.5 },
  { shape: [1, 17, 11, 13], size: [9, 10], samplingRatio: 1, aligned: true },
] as const

testOp('roi_align', {
  tolerances: { float64: 1e-12, float32: 1e-5, float16: 4e-3, bfloat16: 3e-2 },
  cases: cases.map(({ shape, size, ...options }) => ({
    name: `[${shape}] onto [${size}] ${JSON.stringify(options)}`,
    // Positions are computed in float32, so boxes are numbers that it holds exactly, also in bfloat16.
    inputs: () => [noise(shape), boxesOf([0, 0.5, -1, 3, 4], [shape[0] - 1, 1, 1.5, 4, 2], [0, -8, -8, 64, 16])],
    run: (input: Tensor, boxes: Tensor) => roiAlign(input, boxes, size, options),
    reference: (input: Tensor, boxes: Tensor) => reference(input, boxes, size, options),
    differentiable: [0],
    skipGradients: shape[1] * shape[2] * shape[3] > 200,
  })),
})

interface Stored extends Required<RoiAlignOptions> {
  readonly outputSize: readonly [number, number]
}

describe('equals torchvision', () => {
  test.each(detectionCases<Stored>('roi_align'))('case $name, $options', (one) =>
    tidyAsync(async () => {
      const parts = await detectionTensors(one)
      const part = (role: string) => parts.get(role) as Tensor
      const { outputSize, ...options } = one.options
      for (const layout of ['contiguous', 'strided', 'channels last'] as const) {
        const input = laidOut(part('input'), layout).requiresGrad_()
        const out = roiAlign(input, part('boxes'), outputSize, options)
        expect(largestDifference(out, part('out'))).toBeLessThan(1e-12)
        const [slope] = grad(out, [input], { gradOutputs: [part('upstream')] })
        expect(largestDifference(slope as Tensor, part('grad.input'))).toBeLessThan(1e-11)
        const narrow = roiAlign(input.detach().to('float32'), part('boxes'), outputSize, options)
        expect(largestDifference(narrow, part('out'))).toBeLessThan(1e-4)
      }
    }),
  )
})

describe('by hand', () => {
  test('a region of whole pixels with one sample a bin gives the pixels', () => {
    tidy(() => {
      const input = noise([1, 2, 6, 9])
      const out = roiAlign(input, boxesOf([0, 2, 1, 6, 5]), [4, 4], { samplingRatio: 1, aligned: true })
      expect(numbers(out)).toEqual(numbers(input.narrow(2, 1, 4).narrow(3, 2, 4)))
    })
  })

  test('what is not finite in the map stays with the bins that read it', () => {
    tidy(() => {
      // The sample of the last bin but one lies on its pixel, and its neighbour has weight 0, as in torchvision.
      const input = zeros([1, 1, 4, 8])
      input.select(3, 7).fill_(Number.NaN)
      for (const layout of ['contiguous', 'channels last'] as const) {
        const out = roiAlign(laidOut(input, layout), boxesOf([0, 0, 0, 8, 4]), [4, 8], {
          samplingRatio: 1,
          aligned: true,
        })
        expect(numbers(out.isnan().to('float64').sum({ dim: 2 }))).toEqual([0, 0, 0, 0, 0, 0, 4, 4])
      }
    })
  })

  test('boxes that are not finite give NaN and no gradient; those far outside give 0', () => {
    tidy(() => {
      for (const layout of ['contiguous', 'channels last'] as const) {
        const input = laidOut(noise([1, 3, 5, 9]), layout).requiresGrad_()
        const bad = boxesOf([0, Number.NaN, 0, 1, 1], [0, 0, 0, Number.POSITIVE_INFINITY, 3], [0, 50, 50, 60, 60])
        const out = roiAlign(input, bad, 2)
        expect(out.narrow(0, 0, 2).isnan().all().item()).toBe(true)
        expect(numbers(out.select(0, 2)).every((x) => x === 0)).toBe(true)
        const [slope] = grad(out, [input], { gradOutputs: [full([3, 3, 2, 2], 1, { dtype: 'float64' })] })
        expect(numbers(slope as Tensor).every((x) => x === 0)).toBe(true)
      }
    })
  })

  test('a region a million times the map ends soon', () => {
    tidy(() => {
      const out = roiAlign(noise([1, 1, 4, 4]).mul(0).add(1), boxesOf([0, -1e6, -1e6, 1e6, 1e6]), 1, { aligned: true })
      expect(out.item()).toBeLessThan(1e-9)
      expect(out.item()).toBeGreaterThan(0)
    })
  })

  test('a list of boxes stands for their images', () => {
    tidy(() => {
      const input = noise([2, 3, 6, 6])
      const own = [
        tensor([0, 0, 3, 3], { shape: [1, 4], dtype: 'float64' }),
        tensor([1, 1, 5, 4, 0, 2, 3, 6], { shape: [2, 4], dtype: 'float64' }),
      ]
      const out = roiAlign(input, own, 3)
      const same = roiAlign(input, boxesOf([0, 0, 0, 3, 3], [1, 1, 1, 5, 4], [1, 0, 2, 3, 6]), 3)
      expect(numbers(out)).toEqual(numbers(same))
      expect(() => roiAlign(input, own.slice(1), 3)).toThrow(ArgumentError)
    })
  })

  test('the layer is the function, and prints its options', () => {
    tidy(() => {
      const layer = new RoIAlign(3, { spatialScale: 0.25, samplingRatio: 2, aligned: true })
      expect(String(layer)).toBe('RoIAlign(outputSize=3, spatialScale=0.25, samplingRatio=2, aligned=true)')
      const [input, boxes] = [noise([1, 2, 6, 6]), boxesOf([0, 0, 0, 20, 16])]
      const options = { spatialScale: 0.25, samplingRatio: 2, aligned: true }
      expect(numbers(layer.forward(input, boxes))).toEqual(numbers(roiAlign(input, boxes, 3, options)))
    })
  })
})

describe('degenerate and bad input', () => {
  test('no boxes, no channels', () => {
    tidy(() => {
      const input = noise([1, 2, 3, 3]).requiresGrad_()
      const out = roiAlign(input, zeros([0, 5]), 2)
      expect(out.shape).toEqual([0, 2, 2, 2])
      expect(numbers(grad(out.sum(), [input])[0] as Tensor).every((x) => x === 0)).toBe(true)
      expect(roiAlign(noise([1, 0, 3, 3]), boxesOf([0, 0, 0, 1, 1]), 2).shape).toEqual([1, 0, 2, 2])
      expect(roiAlign(noise([0, 2, 0, 0]), zeros([0, 5]), 2).shape).toEqual([0, 2, 2, 2])
    })
  })

  test('what does not fit is refused', () => {
    tidy(() => {
      const [input, boxes] = [noise([2, 2, 3, 3]), boxesOf([0, 0, 0, 1, 1])]
      expect(() => roiAlign(input, boxesOf([2, 0, 0, 1, 1]), 2)).toThrow(/boxes\[0\].*place 2.*has 2/)
      expect(() => roiAlign(input, boxesOf([-1, 0, 0, 1, 1]), 2)).toThrow(/place -1/)
      expect(() => roiAlign(input, boxesOf([Number.NaN, 0, 0, 1, 1]), 2)).toThrow(/place nan/)
      expect(() => roiAlign(input.select(0, 0), boxes, 2)).toThrow(ShapeError)
      expect(() => roiAlign(input, boxes.narrow(1, 0, 4), 2)).toThrow(ShapeError)
      expect(() => roiAlign(noise([1, 2, 0, 3]), boxes, 2)).toThrow(ShapeError)
      expect(() => roiAlign(input.to('int32'), boxes, 2)).toThrow(DTypeError)
      expect(() => roiAlign(input, boxes, 0)).toThrow(ArgumentError)
      expect(() => roiAlign(input, boxes, [1, -2])).toThrow(ArgumentError)
      expect(() => roiAlign(input, boxes, 2, { spatialScale: 0 })).toThrow(ArgumentError)
      expect(() => roiAlign(input, boxes, 2, { spatialScale: Number.NaN })).toThrow(ArgumentError)
      expect(() => roiAlign(input, boxes, 2, { samplingRatio: 1e6 })).toThrow(ArgumentError)
    })
  })

  test('a second derivative is refused by name', () => {
    tidy(() => {
      const input = noise([1, 1, 3, 3]).requiresGrad_()
      const [slope] = grad(
        roiAlign(input, boxesOf([0, 0, 0, 2, 2]), 2)
          .square()
          .sum(),
        [input],
        { createGraph: false },
      )
      expect(slope?.shape).toEqual([1, 1, 3, 3])
      const out = roiAlign(input, boxesOf([0, 0, 0, 2, 2]), 2)
      expect(() => grad(out.square().sum(), [input], { createGraph: true })).toThrow(
        /roi_align: has no second derivative/,
      )
    })
  })
})
