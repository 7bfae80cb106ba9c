import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { readSafetensors } from '../../lib/io'
import { ArgumentError, CancelledError, DTypeError, ShapeError } from '../../lib/native/errors'
import { bm3d, bm3dAsync } from '../../lib/ops'
import { call, setNumThreads, type Tensor, tensor, tidy, zeros } from '../../lib/tensor'
import { runChild } from '../support/child'
import { bytesOf, largestDifference, noise as uniform } from '../support/test-op'

beforeAll(() => setNumThreads(1))

const fixture = fileURLToPath(new URL('../fixtures/native/bm3d.safetensors', import.meta.url))
const numbers = (t: Tensor) => Array.from(t.to('float64').contiguous().dataSync() as Float64Array)

/** The test scene of the low-light card, RGB of side `n`. */
function scene(n: number): Float32Array {
  const out = new Float32Array(3 * n * n)
  for (let row = 0; row < n; row++) {
    for (let column = 0; column < n; column++) {
      const [y, x] = [row / n, column / n]
      let l: number
      if (y < 0.5) {
        if (x < 0.5) l = 0.25 + 0.5 * (Math.floor((x * n) / 4) % 2)
        else l = 0.2 + 0.2 * y + ((x - 0.75) ** 2 + (y - 0.25) ** 2 < 0.03 ? 0.5 : 0)
      } else if (x < 0.5) l = 0.3 + 0.4 * ((Math.floor((x * n) / 8) + Math.floor((y * n) / 8)) % 2)
      else l = 0.2 + 0.6 * x * y
      const at = row * n + column
      out.set([0.95 * l], at)
      out.set([0.8 * l + 0.1 * x], at + n * n)
      out.set([0.6 * l + 0.2 * (1 - y)], at + 2 * n * n)
    }
  }
  return out
}

/** Normal numbers of the card. */
function normal(count: number, seed: number): Float64Array {
  const unit = (i: number) => {
    let a = Number((BigInt(i) * 2654435761n + BigInt(seed)) & 0xffffffffn)
    for (let k = 0; k < 2; k++) a = Math.imul(a ^ (a >>> 16), 0x45d9f3b) >>> 0
    a = (a ^ (a >>> 16)) >>> 0
    return (a + 0.5) / 2 ** 32
  }
  return Float64Array.from(
    { length: count },
    (_, j) => Math.sqrt(-2 * Math.log(unit(j))) * Math.cos(2 * Math.PI * unit(count + j)),
  )
}

function noisyScene(n: number, sigma: number): { clean: Tensor; noisy: Tensor } {
  const clean = scene(n)
  const z = normal(clean.length, 7)
  const noisy = clean.map((value, i) => value + sigma * (z[i] as number))
  const shape = [3, n, n]
  return { clean: tensor(clean, { shape }), noisy: tensor(noisy, { shape }) }
}

const psnr = (a: Tensor, b: Tensor) => -10 * Math.log10(a.sub(b).square().mean().toNumber())

describe('check 6: the card’s figures', () => {
  test('noise as the card’s', () => {
    const z = normal(3 * 64 * 64, 7)
    for (const [i, value] of [-1.324829, -1.782241, 0.077498].entries()) expect(z[i]).toBeCloseTo(value, 6)
  })

  test.each([
    [64, 20.161, 32.488, 33.002],
    [96, 20.184, 34.301, 35.347],
  ])('scene of %i: %d dB before, %d after the first stage, %d after both', (n, before, basic, full) => {
    tidy(() => {
      const { clean, noisy } = noisyScene(n, 25 / 255)
      expect(Math.abs(psnr(noisy, clean) - before)).toBeLessThan(0.001)
      expect(Math.abs(psnr(bm3d(noisy, { sigma: 25 / 255, stages: 'hard' }), clean) - basic)).toBeLessThan(0.002)
      expect(Math.abs(psnr(bm3d(noisy, { sigma: 25 / 255 }), clean) - full)).toBeLessThan(0.002)
    })
  })

  test('without noise the image stays as it is', () => {
    tidy(() => {
      const { noisy } = noisyScene(64, 25 / 255)
      for (const sigma of [0, 1e-9]) {
        for (const stages of ['hard', 'both'] as const) {
          expect(largestDifference(bm3d(noisy, { sigma, stages }), noisy)).toBeLessThan(1e-6)
        }
      }
    })
  })

  test('what is changed little is answered little', () => {
    tidy(() => {
      const { noisy } = noisyScene(64, 25 / 255)
      const nudged = noisy.add(uniform([3, 64, 64]).mul(1e-7).to('float32'))
      const difference = bm3d(nudged, { sigma: 25 / 255 }).sub(bm3d(noisy, { sigma: 25 / 255 }))
      expect(Math.sqrt(difference.square().mean().toNumber())).toBeLessThan(1e-6)
    })
  })
})

describe('equals a slow program in float64', () => {
  test.each([
    ['grey', 25, 39],
    ['colour', 20, 39],
    ['strong', 50, 39],
    ['near', 15, 9],
    ['least', 25, 39],
  ] as const)('%s', async (name, sigma, search) => {
    const tensors = await readSafetensors(fixture)
    tidy(() => {
      const input = tensors.get(`${name}.input`) as Tensor
      for (const stages of ['hard', 'both'] as const) {
        const out = bm3d(input, { sigma: sigma / 255, stages, search })
        expect(largestDifference(out, tensors.get(`${name}.${stages}`) as Tensor)).toBeLessThan(1e-6)
      }
    })
    for (const t of tensors.values()) t.dispose()
  })
})

describe('transforms', () => {
  const transform = (blocks: Tensor, kind: string, inverse: boolean) =>
    call('vision_native::_bm3d_transform', [blocks, kind, inverse]) as Tensor
  /** The coefficients of the image of ones along one axis: rows of the matrix. */
  const rowsOf = (kind: string) =>
    tidy(() => {
      const units = zeros([8, 8, 8])
      // A unit column times a constant row has only the first coefficient along the row, √8.
      for (let i = 0; i < 8; i++) units.select(0, i).select(0, i).fill_(1)
      return numbers(transform(units, kind, false).select(2, 0).t().div(Math.sqrt(8)))
    })

  test.each(['wavelet', 'cosine'])('%s: the inverse undoes it', (kind) => {
    tidy(() => {
      const blocks = uniform([20, 8, 8]).to('float32')
      expect(largestDifference(transform(transform(blocks, kind, false), kind, true), blocks)).toBeLessThan(2e-6)
      expect(largestDifference(transform(transform(blocks, kind, true), kind, false), blocks)).toBeLessThan(2e-6)
    })
  })

  test('the DCT is orthonormal: it keeps the energy', () => {
    tidy(() => {
      const blocks = uniform([20, 8, 8]).to('float32')
      const energy = (t: Tensor) => t.square().sum({ dim: [1, 2] })
      expect(largestDifference(energy(transform(blocks, 'cosine', false)), energy(blocks))).toBeLessThan(1e-4)
      const rows = rowsOf('cosine')
      for (let k = 0; k < 8; k++) {
        for (let i = 0; i < 8; i++) {
          const expected = Math.sqrt((k === 0 ? 1 : 2) / 8) * Math.cos((Math.PI * (2 * i + 1) * k) / 16)
          expect(rows[8 * k + i]).toBeCloseTo(expected, 6)
        }
      }
    })
  })

  test('bior1.5 has the rows of the card', () => {
    const [a, b, c, d, e] = [0.219418, 0.449284, 0.569359, 0.402347, 0.083506]
    const [m, h] = [0.353553, Math.SQRT1_2]
    const pair = (i: number) => Array.from({ length: 8 }, (_, k) => (k === 2 * i ? h : k === 2 * i + 1 ? -h : 0))
    const expected = [
      [m, m, m, m, m, m, m, m],
      [a, b, b, a, -a, -b, -b, -a],
      [c, d, -d, -c, -e, e, -e, e],
      [-e, e, -e, e, c, d, -d, -c],
      ...[0, 1, 2, 3].map(pair),
    ].flat()
    for (const [i, value] of rowsOf('wavelet').entries()) expect(value).toBeCloseTo(expected[i] as number, 5)
  })
})

describe('determinism', () => {
  const input = () => uniform([2, 3, 43, 61]).to('float32').mul(0.2).add(0.5)

  test('the same bits with any number of threads, again, and whatever the layout', () => {
    tidy(() => {
      const image = input()
      const runs = [1, 2, 3, 2].map((threads) => {
        setNumThreads(threads)
        return bytesOf(bm3d(image, { sigma: 0.1 }))
      })
      setNumThreads(1)
      runs.push(bytesOf(bm3d(image.contiguous({ memoryFormat: 'channels_last' }), { sigma: 0.1 })))
      runs.push(bytesOf(bm3d(image.transpose(2, 3).contiguous().transpose(2, 3), { sigma: 0.1 })))
      for (const run of runs) expect(Buffer.compare(run, runs[0] as Uint8Array)).toBe(0)
    })
  })

  test('the same bits with every instruction set of this CPU', async () => {
    const script = `
      import { bm3d } from 'lib/ops/bm3d'
      import { tensor, setNumThreads } from 'lib'
      import { createHash } from 'node:crypto'
      setNumThreads(1)
      let state = 1
      const values = Float32Array.from({ length: 3 * 30 * 53 }, () => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0
        return state / 2 ** 32
      })
      const image = tensor(values, { shape: [3, 30, 53] })
      const hash = createHash('sha256')
      for (const sigma of [0.1, 0.3]) hash.update(bm3d(image, { sigma }).dataSync() as Float32Array)
      console.log(hash.digest('hex'))`
    const digests: string[] = []
    for (const isa of ['scalar', 'avx2', 'avx512']) {
      const { stdout, stderr } = await runChild(script, { env: { VISION_NATIVE_ISA: isa } })
      if (!/has not all of it/.test(stderr)) digests.push(stdout.trim())
    }
    expect(digests.length).toBeGreaterThan(0)
    expect(digests[0]).toMatch(/^[0-9a-f]{64}$/)
    expect(new Set(digests).size).toBe(1)
  })
})

describe('shapes and types', () => {
  test('[H, W], [C, H, W] and [B, C, H, W] are filtered alike, images of a batch alone', () => {
    tidy(() => {
      const image = uniform([2, 1, 12, 17]).to('float32')
      const batch = bm3d(image, { sigma: 0.2 })
      expect(batch.shape).toEqual([2, 1, 12, 17])
      expect(largestDifference(bm3d(image.select(0, 1), { sigma: 0.2 }), batch.select(0, 1))).toBe(0)
      expect(
        largestDifference(bm3d(image.select(0, 1).select(0, 0), { sigma: 0.2 }), batch.select(0, 1).select(0, 0)),
      ).toBe(0)
    })
  })

  test.each(['float64', 'float16', 'bfloat16'] as const)('%s is filtered in float32', (dtype) => {
    tidy(() => {
      const image = uniform([1, 11, 13]).mul(0.3).add(0.5).to(dtype)
      const out = bm3d(image, { sigma: 0.1 })
      expect(out.dtype).toBe(dtype)
      expect(largestDifference(out, bm3d(image.to('float32'), { sigma: 0.1 }).to(dtype))).toBe(0)
    })
  })

  test('on the meta device', () => {
    tidy(() => {
      const out = call('vision_native::bm3d', [zeros([2, 3, 9, 9], { dtype: 'float16' }).to('meta'), 0.1]) as Tensor
      expect([out.shape, out.dtype, out.device]).toEqual([[2, 3, 9, 9], 'float16', 'meta'])
    })
  })

  test('a block alone, a strip of blocks, no image', () => {
    tidy(() => {
      const flat = zeros([8, 8]).add(0.25)
      expect(largestDifference(bm3d(flat, { sigma: 0.1, stages: 'hard' }), flat)).toBeLessThan(1e-6)
      // The Wiener stage takes σ²/(c² + σ²) of the only coefficient, c = 8 · 0.25.
      const share = 0.1 ** 2 / ((8 * 0.25) ** 2 + 0.1 ** 2)
      expect(largestDifference(bm3d(flat, { sigma: 0.1 }), flat.mul(1 - share))).toBeLessThan(1e-6)
      expect(
        bm3d(uniform([8, 200]).to('float32'), { sigma: 0.1 })
          .isfinite()
          .all()
          .item(),
      ).toBe(true)
      expect(bm3d(zeros([0, 3, 8, 8]), { sigma: 0.1 }).shape).toEqual([0, 3, 8, 8])
    })
  })

  test('the result needs no gradient', () => {
    tidy(() => {
      const image = uniform([1, 9, 9]).to('float32').requiresGrad_()
      expect(bm3d(image, { sigma: 0.1 }).requiresGrad).toBe(false)
    })
  })

  test('black stays black', () => {
    tidy(() => {
      expect(largestDifference(bm3d(zeros([3, 20, 20]), { sigma: 0.1 }), zeros([3, 20, 20]))).toBe(0)
    })
  })
})

test('a pixel without a value stays alone', () => {
  tidy(() => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const image = uniform([1, 30, 34]).to('float32').mul(0.1).add(0.5)
      image.select(1, 14).select(1, 15).fill_(bad)
      const out = bm3d(image, { sigma: 0.05 })
      expect(out.isfinite().logicalNot().sum().toNumber()).toBe(1)
      expect(out.select(1, 14).select(1, 15).item()).toEqual(bad)
    }
  })
})

test('what does not fit is refused', () => {
  tidy(() => {
    const image = zeros([1, 9, 9])
    expect(() => bm3d(zeros([7, 9]), { sigma: 0.1 })).toThrow(ShapeError)
    expect(() => bm3d(zeros([9, 7]), { sigma: 0.1 })).toThrow(/8 x 8 pixels or larger/)
    expect(() => bm3d(zeros([2, 9, 9]), { sigma: 0.1 })).toThrow(ShapeError)
    expect(() => bm3d(zeros([9]), { sigma: 0.1 })).toThrow(ShapeError)
    expect(() => bm3d(image.to('uint8'), { sigma: 0.1 })).toThrow(DTypeError)
    for (const sigma of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => bm3d(image, { sigma })).toThrow(ArgumentError)
    }
    for (const search of [0, 2, -3, 129]) expect(() => bm3d(image, { sigma: 0.1, search })).toThrow(ArgumentError)
    expect(() => bm3d(image, { sigma: 0.1, stages: 'soft' as 'hard' })).toThrow(ArgumentError)
  })
})

test('the asynchronous form gives the same, and stops in the middle when the signal fires', async () => {
  const image = uniform([1, 40, 40]).to('float32')
  const [there, here] = [await bm3dAsync(image, { sigma: 0.1 }), bm3d(image, { sigma: 0.1 })]
  expect(largestDifference(there, here)).toBe(0)
  const large = uniform([1, 256, 256]).to('float32')
  const controller = new AbortController()
  const running = bm3dAsync(large, { sigma: 0.1, signal: controller.signal })
  setTimeout(() => controller.abort(), 20)
  await expect(running).rejects.toBeInstanceOf(CancelledError)
  for (const t of [image, there, here, large]) t.dispose()
})
