import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { ArgumentError, DTypeError } from '../../lib/native/errors'
import { BinaryConv3d } from '../../lib/nn'
import { bconv3d, bconv3dFused, binConv3d, packBinaryWeight, signBiasPack, unpackSigns } from '../../lib/ops'
import {
  arange,
  call,
  conv3d,
  full,
  grad,
  manualSeed,
  ones,
  pad,
  rand,
  randn,
  setNumThreads,
  type Tensor,
  tensor,
  tidy,
  where,
  zeros,
  zerosLike,
} from '../../lib/tensor'
import { channelsSecond, equal, floatSums, perChannel, signs, type Triple } from '../support/binary-conv3d'
import { bytesOf, laidOut, largestDifference } from '../support/test-op'

const ONE: Triple = [1, 1, 1]

function sums(x: Tensor, weight: Tensor, options: { stride?: Triple; padding?: Triple } = {}): Tensor {
  return channelsSecond(bconv3d(signBiasPack(x), packBinaryWeight(weight), options))
}

const list = (t: Tensor) => Array.from(t.to('float64').contiguous().dataSync() as Float64Array)
const words = (t: Tensor) => Array.from(t.contiguous().dataSync() as BigInt64Array, (word) => BigInt.asUintN(64, word))

describe('check 1: all ones', () => {
  test('centre, faces, edges and corners', () => {
    tidy(() => {
      const y = sums(ones([1, 64, 3, 3, 3]), ones([1, 64, 3, 3, 3]), { padding: ONE })
      // By the number of places that lie on a border: a tap falls outside along each of them.
      const expected = [1728, 1152, 768, 512]
      const borders = (i: number) => [i % 3, Math.floor(i / 3) % 3, Math.floor(i / 9)].filter((k) => k !== 1).length
      expect(list(y)).toEqual(Array.from({ length: 27 }, (_, i) => expected[borders(i)]))
    })
  })
})

describe('check 2: equal to the float convolution of signs', () => {
  const run = (isa: string) =>
    spawnSync(process.execPath, ['--import', 'tsx', 'test/support/binary-conv3d-digest.ts'], {
      encoding: 'utf8',
      env: { ...process.env, VISION_NATIVE_ISA: isa },
    })

  test('all channels and kernels on every instruction set of this machine, with the same bits', () => {
    const runs = ['scalar', 'avx2', 'avx512']
      .map((isa) => ({ isa, ...run(isa) }))
      .filter(({ stderr }) => !/this CPU has not all of it/.test(stderr))
    expect(runs.map(({ isa }) => isa)).toContain('scalar')
    for (const { stdout, stderr } of runs) {
      expect(stdout, stderr).not.toBe('')
      expect(JSON.parse(stdout)).toEqual({ wrong: [], digest: JSON.parse(runs[0]?.stdout ?? '').digest })
    }
  })

  test.each([
    ['a row of more outputs than are made together', [1, 70, 1, 3, 300], [9, 70, 1, 3, 5], [1, 1, 1], [2, 1, 2]],
    ['a padding beyond the kernel: no tap is inside', [1, 3, 1, 2, 9], [2, 3, 1, 1, 3], [1, 1, 2], [1, 2, 7]],
    ['a kernel larger than the input', [2, 5, 1, 2, 3], [3, 5, 3, 5, 7], [1, 1, 1], [1, 2, 3]],
    ['a stride that leaves columns over', [1, 130, 2, 6, 8], [65, 130, 1, 3, 3], [1, 3, 3], [0, 0, 0]],
    ['sums beyond 16 bits', [1, 4096, 3, 3, 5], [3, 4096, 3, 3, 5], [1, 1, 1], [0, 0, 0]],
  ] as const)('%s', (_, x, weight, stride, padding) => {
    tidy(() => {
      manualSeed(3)
      const [a, w] = [randn(x), randn(weight)]
      expect(equal(sums(a, w, { stride, padding }), floatSums(a, w, stride, padding))).toBe(true)
    })
  })

  test('the largest sum of a large kernel', () => {
    tidy(() => {
      const y = sums(ones([1, 4096, 3, 3, 5]), full([1, 4096, 3, 3, 5], -1))
      expect(list(y)).toEqual([-4096 * 45])
    })
  })

  test.each(['float16', 'bfloat16', 'float64'] as const)('%s, in any layout', (dtype) => {
    tidy(() => {
      manualSeed(4)
      const x: Tensor = randn([2, 67, 2, 5, 66]).to(dtype)
      const expected = bytesOf(signBiasPack(x.to('float32')))
      for (const layout of ['contiguous', 'strided', 'channels last'] as const) {
        expect(bytesOf(signBiasPack(laidOut(x, layout)))).toEqual(expected)
      }
    })
  })

  test('the same bits with any number of threads', () => {
    tidy(() => {
      manualSeed(5)
      const [x, w] = [randn([2, 65, 3, 7, 9]), randn([70, 65, 3, 3, 3])]
      const runs = [1, 2, 3].map((threads) => {
        setNumThreads(threads)
        return bytesOf(sums(x, w, { padding: ONE }))
      })
      setNumThreads(1)
      expect(runs[1]).toEqual(runs[0])
      expect(runs[2]).toEqual(runs[0])
    })
  })
})

describe('check 3: parity and range', () => {
  test('y has the parity of Ci·|V| and is no larger', () => {
    tidy(() => {
      manualSeed(6)
      const y = sums(randn([1, 5, 3, 4, 5]), randn([4, 5, 3, 3, 3]), { padding: ONE })
      const most = sums(ones([1, 5, 3, 4, 5]), ones([4, 5, 3, 3, 3]), { padding: ONE })
      expect(y.abs().le(most).all().item()).toBe(true)
      expect(y.sub(most).remainder(2).eq(0).all().item()).toBe(true)
    })
  })

  test('one bit of the input changes the outputs that see it by 2', () => {
    tidy(() => {
      manualSeed(6)
      const [x, w] = [randn([1, 5, 3, 5, 7]), randn([4, 5, 3, 3, 3])]
      const flipped = x.clone()
      const at = (t: Tensor) => t.select(1, 2).select(1, 1).select(1, 2).select(1, 3)
      at(flipped).neg_()
      const change = sums(flipped, w, { padding: ONE })
        .sub(sums(x, w, { padding: ONE }))
        .abs()
      const seen = zeros([1, 4, 3, 5, 7])
      seen.narrow(3, 1, 3).narrow(4, 2, 3).fill_(2)
      expect(equal(change, seen)).toBe(true)
    })
  })
})

describe('check 4: special values', () => {
  test('zeros are positive, NaN is not, x + bias is taken in float32', () => {
    tidy(() => {
      const values = [0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-45, -1e-45]
      const x = tensor(values, { shape: [1, 7, 1, 1, 1], dtype: 'float32' })
      expect(words(signBiasPack(x))).toEqual([0b0101011n])
      const exact = randn([1, 70, 1, 1, 1])
      expect(list(unpackSigns(signBiasPack(exact, exact.neg().flatten()), 70)).every((sign) => sign === 1)).toBe(true)
    })
  })
})

describe('check 5: estimators', () => {
  const gradientOf = (estimator: 'quadratic' | 'clip', values: number[]) => {
    const x = tensor(values, { shape: [1, 1, 1, 1, values.length], dtype: 'float64' }).requiresGrad_()
    const w = ones([1, 1, 1, 1, 1], { dtype: 'float64' })
    const y = binConv3d(x, w, { estimator })
    return list(grad([y.sum()], [x])[0] as Tensor)
  }
  const values = [-1.5, -1, -0.5, 0, 0.25, 1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]

  test('the piecewise quadratic and the clipped one', () => {
    tidy(() => {
      expect(gradientOf('quadratic', values)).toEqual([0, 0, 1, 2, 1.5, 0, 0, 0, 0])
      expect(gradientOf('clip', values)).toEqual([0, 1, 1, 1, 1, 1, 0, 0, 0])
    })
  })

  test('weights beyond 1 have no gradient, at 1 they have', () => {
    tidy(() => {
      const w = tensor([-1.001, -1, 0.5, 1, 1.001], { shape: [1, 5, 1, 1, 1], dtype: 'float64' }).requiresGrad_()
      const y = binConv3d(ones([1, 5, 1, 1, 1], { dtype: 'float64' }), w)
      expect(list(grad([y.sum()], [w])[0] as Tensor)).toEqual([0, 1, 1, 1, 0])
    })
  })
})

describe('check 6: gradients', () => {
  const stride: Triple = [1, 2, 1]
  const padding: Triple = [1, 1, 0]
  const make = (dtype: 'float32' | 'float64') => {
    manualSeed(8)
    const random = (shape: number[]) => randn(shape, { dtype }).requiresGrad_() as Tensor
    return { x: random([2, 5, 3, 5, 6]), w: random([4, 5, 3, 3, 3]), bias: random([5]) }
  }
  const estimate = (z: Tensor, estimator: string) =>
    estimator === 'clip' ? z.abs().le(1).to(z.dtype) : z.abs().mul(-2).add(2).clamp({ min: 0 })
  const scaled = (w: Tensor, scale: string) => {
    return scale === 'none' ? signs(w) : signs(w).mul(w.abs().mean({ dim: [1, 2, 3, 4], keepdim: true }))
  }

  test.each([
    ['mean-abs', 'quadratic', 'float32'],
    ['mean-abs', 'clip', 'float64'],
    ['none', 'quadratic', 'float64'],
    ['none', 'clip', 'float32'],
  ] as const)('equal float convolution and estimator: %s, %s, %s', (scale, estimator, dtype) => {
    tidy(() => {
      const { x, w, bias } = make(dtype)
      const y = binConv3d(x, w, { bias, stride, padding, scale, estimator })
      const g = randn(y.shape, { dtype }) as Tensor
      const actual = grad([y], [x, w, bias], { gradOutputs: [g] }) as Tensor[]
      const z = x.detach().add(perChannel(bias.detach()))
      const [a, v] = [signs(z).requiresGrad_(), scaled(w.detach(), scale).requiresGrad_()]
      const reference = conv3d(a, v, { stride, padding })
      expect(largestDifference(y.detach(), reference.detach())).toBeLessThan(1e-4)
      const [da, dv] = grad([reference], [a, v], { gradOutputs: [g] }) as [Tensor, Tensor]
      const dx = da.mul(estimate(z, estimator))
      const expected = [dx, dv.mul(w.detach().abs().le(1)), dx.sum({ dim: [0, 2, 3, 4] })]
      for (const [i, gradient] of actual.entries()) {
        expect(largestDifference(gradient, expected[i] as Tensor)).toBeLessThan(1e-6)
      }
    })
  })

  test('of x, they are the differences of the integral that stands for sign', () => {
    tidy(() => {
      const { x, w } = make('float64')
      const weight = scaled(w.detach(), 'mean-abs')
      const y = binConv3d(x, w, { stride, padding })
      const g = randn(y.shape, { dtype: 'float64' }) as Tensor
      const dx = list(grad([y], [x], { gradOutputs: [g] })[0] as Tensor)
      const integral = (z: Tensor) => {
        const inside = z.mul(2).sub(z.mul(z).mul(signs(z)))
        return where(z.abs().lt(1), inside, signs(z))
      }
      const loss = (z: Tensor) => conv3d(integral(z), weight, { stride, padding }).mul(g).sum().toNumber()
      const step = 1e-6
      for (const i of [0, 17, 101, 250, 333, 600]) {
        const moved = (by: number) => {
          const z = x.detach().clone()
          z.flatten().narrow(0, i, 1).add_(by)
          return loss(z)
        }
        expect(Math.abs((moved(step) - moved(-step)) / (2 * step) - (dx[i] as number))).toBeLessThan(1e-6)
      }
    })
  })

  test('a second derivative is refused by name', () => {
    tidy(() => {
      const { x, w } = make('float64')
      const [dx] = grad([binConv3d(x, w).sum()], [x], { createGraph: true }) as [Tensor]
      expect(() => grad([dx.sum()], [w])).toThrow(/bin_conv3d: a second derivative/)
    })
  })
})

describe('check 7: padding', () => {
  test('is of zeros: equal to float zero padding, unlike padding with −1', () => {
    tidy(() => {
      manualSeed(9)
      const [x, w] = [randn([1, 64, 1, 3, 3]), randn([8, 64, 3, 3, 3])]
      const y = sums(x, w, { padding: ONE })
      expect(equal(y, floatSums(x, w, ONE, ONE))).toBe(true)
      expect(equal(y, conv3d(pad(signs(x), [1, 1, 1, 1, 1, 1], { value: -1 }), signs(w)))).toBe(false)
    })
  })
})

describe('check 8: epilogue', () => {
  const CHANNELS = 70
  const FILTERS = 1000
  // Pixel k has k channels of +1, so that 1×1×1 kernels of ones reach every sum.
  const everySum = () => {
    const pixels = arange(CHANNELS + 1).reshape([1, 1, 1, 1, -1])
    const x = arange(CHANNELS).reshape([1, -1, 1, 1, 1]).lt(pixels).to('float32').mul(2).sub(1)
    return { bits: signBiasPack(x), weight: packBinaryWeight(ones([FILTERS, CHANNELS, 1, 1, 1])) }
  }
  const vectors = () => {
    manualSeed(10)
    const scale = randn([FILTERS]) as Tensor
    scale.narrow(0, 0, 50).zero_()
    const slope = rand([FILTERS]).mul(2) as Tensor
    slope.narrow(0, 50, 50).zero_()
    const random = (width: number) => randn([FILTERS]).mul(width) as Tensor
    return { scale, shift: random(20), options: { bias1: random(20), slope, bias2: random(10), nextBias: random(10) } }
  }

  test('thresholds give the bits of the formula, for 1000 channels and every sum', () => {
    tidy(() => {
      const { bits, weight } = everySum()
      const { scale, shift, options } = vectors()
      const alone = bconv3dFused(bits, weight, scale, shift, { ...options, returns: 'bits' })
      const both = bconv3dFused(bits, weight, scale, shift, { ...options, returns: 'both' })
      expect(alone.output).toBeUndefined()
      expect(words(alone.bits as Tensor)).toEqual(words(both.bits as Tensor))
      const packed = signBiasPack(both.output as Tensor, options.nextBias)
      expect(words(both.bits as Tensor)).toEqual(words(packed))
    })
  })

  test('the formula, with a residual and slopes of either sign', () => {
    tidy(() => {
      const { bits, weight } = everySum()
      const { scale, shift, options } = vectors()
      const slope = options.slope.sub(1)
      const residual = randn([1, FILTERS, 1, 1, CHANNELS + 1])
      const { output } = bconv3dFused(bits, weight, scale, shift, { ...options, nextBias: null, slope, residual })
      const y = channelsSecond(bconv3d(bits, weight))
      const r = y.mul(perChannel(scale)).add(perChannel(shift)).add(residual).add(perChannel(options.bias1))
      const h = where(r.gt(0), r, r.mul(perChannel(slope))).add(perChannel(options.bias2))
      expect(equal(output as Tensor, h)).toBe(true)
      const { bits: made } = bconv3dFused(bits, weight, scale, shift, { ...options, slope, returns: 'bits' })
      const plain = bconv3dFused(bits, weight, scale, shift, { ...options, slope, returns: 'both' }).output as Tensor
      expect(words(made as Tensor)).toEqual(words(signBiasPack(plain, options.nextBias)))
    })
  })

  test('numbers that are not finite follow the formula too', () => {
    tidy(() => {
      const { bits, weight } = everySum()
      const scale = full([FILTERS], Number.NaN)
      scale.narrow(0, 0, 500).fill_(Number.POSITIVE_INFINITY)
      const { bits: made } = bconv3dFused(bits, weight, scale, zeros([FILTERS]), { returns: 'bits' })
      const { output } = bconv3dFused(bits, weight, scale, zeros([FILTERS]))
      expect(words(made as Tensor)).toEqual(words(signBiasPack(output as Tensor)))
    })
  })
})

describe('check 9: packing', () => {
  test.each([1, 63, 64, 65, 130])('%i channels come back, and unused bits are 0', (channels) => {
    tidy(() => {
      manualSeed(11)
      const x = randn([2, channels, 2, 3, 67])
      const bits = signBiasPack(x)
      expect(equal(unpackSigns(bits, channels), signs(x))).toBe(true)
      const last = BigInt(channels - 64 * Math.floor((channels - 1) / 64))
      const ends = words(bits.select(-1, bits.size(-1) - 1))
      expect(ends.every((word) => word >> last === 0n)).toBe(true)
    })
  })

  test('a weight’s words are in tiles of 8 channels, taps in order of time, height and width', () => {
    tidy(() => {
      const weight = full([9, 65, 1, 2, 3], -1)
      // Channel 8 of the output, 64 of the input, tap (0, 1, 2).
      weight.select(0, 8).select(0, 64).select(0, 0).select(0, 1).select(0, 2).fill_(1)
      const { words: packed } = packBinaryWeight(weight)
      expect(packed.shape).toEqual([2, 6, 2, 8])
      const expected = new Array<bigint>(2 * 6 * 2 * 8).fill(0n)
      expected[((1 * 6 + 5) * 2 + 1) * 8 + 0] = 1n
      expect(words(packed)).toEqual(expected)
    })
  })
})

describe('check 10: size', () => {
  test('the packed weights of layers 2a to 5b of C3D are 3,456,000 bytes', () => {
    tidy(() => {
      const shapes = [
        [64, 128],
        [128, 256],
        [256, 256],
        [256, 512],
        [512, 512],
        [512, 512],
        [512, 512],
      ] as const
      const bytes = shapes.map(([from, to]) => {
        const weight = zeros([to, from, 3, 3, 3], { device: 'meta' })
        return 8 * packBinaryWeight(weight).words.numel
      })
      expect(bytes).toEqual([27_648, 110_592, 221_184, 442_368, 884_736, 884_736, 884_736])
      expect(bytes.reduce((a, b) => a + b)).toBe(3_456_000)
    })
  })
})

describe('the layer', () => {
  test('learns, packs and prints', () => {
    tidy(() => {
      manualSeed(12)
      const layer = new BinaryConv3d(3, 4, 3, { padding: 1 })
      expect(String(layer)).toBe(
        "BinaryConv3d(3, 4, kernelSize=(3, 3, 3), stride=(1, 1, 1), padding=(1, 1, 1), scale='mean-abs', estimator='quadratic')",
      )
      const x = randn([2, 3, 2, 4, 5])
      const y = layer.forward(x)
      const { weight, scale } = layer.pack()
      const made = bconv3dFused(signBiasPack(x), weight, scale as Tensor, zeros([4]), { padding: 1 })
      expect(largestDifference(y.detach(), made.output as Tensor)).toBeLessThan(1e-6)
      expect(equal(channelsSecond(layer.sums(x)), floatSums(x, layer.weight.detach(), ONE, ONE))).toBe(true)
      y.sum().backward()
      expect(layer.weight.grad?.shape).toEqual(layer.weight.shape)
      expect(layer.bias?.grad?.shape).toEqual([3])
      layer.weight.detach().mul_(100)
      layer.clampWeight()
      expect(layer.weight.detach().abs().max().toNumber()).toBe(1)
    })
  })

  test('refuses what it has not', () => {
    const options = { groups: 2 } as object
    expect(() => new BinaryConv3d(4, 4, 3, options)).toThrow(ArgumentError)
    expect(() => new BinaryConv3d(4, 4, 3, { scale: 'max' as 'none' })).toThrow(/scale/)
  })
})

describe('degenerate sizes and bad input', () => {
  test('an empty batch, a filter of zeros', () => {
    tidy(() => {
      const w = zeros([2, 3, 1, 1, 1])
      const { padding, ...rest } = { padding: ONE, x: zeros([0, 3, 2, 2, 2]) }
      expect(sums(rest.x, w, { padding }).shape).toEqual([0, 2, 4, 4, 4])
      expect(binConv3d(rest.x, w).shape).toEqual([0, 2, 2, 2, 2])
      // Its signs are +1, but their scale is 0.
      expect(list(binConv3d(ones([1, 3, 1, 1, 1]), w))).toEqual([0, 0])
    })
  })

  test('shapes and dtypes on the meta device', () => {
    tidy(() => {
      const on = (t: Tensor) => t.to('meta')
      const [x, w] = [randn([2, 65, 3, 5, 7]), randn([9, 65, 3, 3, 3])]
      const real = binConv3d(x, w, { padding: 1 })
      const meta = binConv3d(on(x), on(w), { padding: 1 })
      expect([meta.shape, meta.dtype]).toEqual([real.shape, real.dtype])
      const fused = (place: (t: Tensor) => Tensor) =>
        bconv3dFused(signBiasPack(place(x)), packBinaryWeight(place(w)), place(randn([9])), place(zeros([9])), {
          returns: 'both',
        })
      const [a, b] = [fused((t) => t), fused(on)]
      expect([b.output?.shape, b.bits?.shape]).toEqual([a.output?.shape, a.bits?.shape])
    })
  })

  test('errors name the value and the rule', () => {
    tidy(() => {
      const [x, w] = [randn([1, 3, 2, 4, 4]), randn([2, 3, 1, 3, 3])]
      const [bits, packed] = [signBiasPack(x), packBinaryWeight(w)]
      expect(() => signBiasPack(zerosLike(x).to('int32'))).toThrow(DTypeError)
      expect(() => signBiasPack(x, zeros([4]))).toThrow(
        /bias has one number for each of the 3 channels, got shape \[4\]/,
      )
      expect(() => signBiasPack(x.squeeze(0))).toThrow(/expected \[N, C, T, H, W\]/)
      expect(() => packBinaryWeight(zeros([2, 3, 0, 3, 3]))).toThrow(/kernel is empty/)
      expect(() => bconv3d(bits.to('int32'), packed)).toThrow(DTypeError)
      expect(() => bconv3d(bits, { ...packed, inChannels: 65 })).toThrow(/65 channels are 2 words a pixel/)
      expect(() => bconv3d(bits, { ...packed, outChannels: 9 })).toThrow(/use pack_weight/)
      expect(() => bconv3d(bits, packed, { stride: 0 })).toThrow(/stride must be 1 to/)
      expect(() => bconv3d(bits, packed, { padding: [0, -1, 0] })).toThrow(/padding must be 0 to/)
      expect(() => bconv3d(bits, packed, { padding: [0, 1] as unknown as Triple })).toThrow(ArgumentError)
      expect(() => bconv3d(bits, packed, { padding: 1 << 20 })).toThrow()
      expect(() => sums(x, zeros([2, 3, 3, 3, 3]))).toThrow(/larger than an input/)
      expect(() => bconv3dFused(bits, packed, ones([3]), ones([2]))).toThrow(/scale has one number/)
      expect(() => bconv3dFused(bits, packed, ones([2]), ones([2]), { nextBias: ones([2]) })).toThrow(/next_bias/)
      expect(() => bconv3dFused(bits, packed, ones([2]), ones([2]), { residual: x })).toThrow(/residual has the shape/)
      expect(() => binConv3d(x, zeros([2, 1, 1, 1, 1]))).toThrow(/groups are not supported/)
      expect(() => binConv3d(x, w, { scale: 'max' as 'none' })).toThrow(/scale is 'mean-abs' or 'none', got 'max'/)
      expect(() => binConv3d(x, w, { estimator: 'tanh' as 'clip' })).toThrow(/estimator is/)
      expect(() => call('vision_native::bconv3d', [bits, packed.words])).toThrow()
    })
  })
})
