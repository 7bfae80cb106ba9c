// Packed layers in a block: shortcuts, export, files, cancelling, and shapes and devices of what is refused.
import { describe, expect, test } from 'vitest'
import { readSafetensors, writeSafetensors } from '../../lib/io'
import { ArgumentError, DeviceError } from '../../lib/native/errors'
import { BatchNorm3d, BinaryConv3d, PackedBinaryConv3d } from '../../lib/nn'
import { bconv3d, bconv3dFused, binConv3d, packBinaryWeight, signBiasPack } from '../../lib/ops'
import {
  call,
  callAsync,
  cat,
  manualSeed,
  ones,
  rand,
  randn,
  setNumThreads,
  type Tensor,
  tensor,
  tidy,
  tidyAsync,
  where,
  zeros,
} from '../../lib/tensor'
import { channelsSecond, equal, floatSums, perChannel, signs, type Triple } from '../support/binary-conv3d'
import { temporaryFolder } from '../support/temporary-folder'
import { bytesOf, largestDifference } from '../support/test-op'

const ONE: Triple = [1, 1, 1]
const file = temporaryFolder()

/** norm(α·y) + [x, x] + bias1, PReLU, bias2, in LibTorch's operators. */
function block(layer: BinaryConv3d, norm: BatchNorm3d, x: Tensor, tail: readonly [Tensor, Tensor, Tensor]): Tensor {
  const [bias1, slope, bias2] = tail.map(perChannel) as [Tensor, Tensor, Tensor]
  const weight = layer.weight.detach()
  const alpha = weight.abs().mean({ dim: [1, 2, 3, 4] })
  const moved = layer.bias ? x.add(perChannel(layer.bias.detach())) : x
  const y = norm.forward(floatSums(moved, weight, layer.stride, layer.padding).mul(perChannel(alpha))).detach()
  const shortcut = layer.inChannels === layer.outChannels ? x : cat([x, x], { dim: 1 })
  const r = y.add(shortcut).add(bias1)
  return where(r.gt(0), r, r.mul(slope)).add(bias2)
}

function randomBlock(from: number, to: number) {
  const layer = new BinaryConv3d(from, to, 3, { padding: 1 })
  layer.bias?.detach().copy_(randn([from]))
  const norm = new BatchNorm3d(to).eval()
  norm.runningMean?.copy_(randn([to]))
  norm.runningVar?.copy_(rand([to]).add(0.5))
  norm.weight?.detach().copy_(randn([to]))
  norm.bias?.detach().copy_(randn([to]))
  const tail = [randn([to]), rand([to]), randn([to])] as const
  const [bias1, slope, bias2] = tail
  return { layer, norm, tail, packed: layer.toPacked({ norm, bias1, slope, bias2 }) }
}

describe('the shortcut', () => {
  // A block of 64 channels inside the part, across its end, and a part that is no whole number of words.
  test.each([
    [128, 64],
    [192, 96],
    [70, 35],
    [6, 1],
  ])('%i channels take the %i of the residual in turn', (filters, part) => {
    tidy(() => {
      manualSeed(1)
      const [x, w] = [randn([2, 5, 2, 3, 4]), randn([filters, 5, 1, 1, 1])]
      const residual = randn([2, part, 2, 3, 4])
      const { output } = bconv3dFused(signBiasPack(x), packBinaryWeight(w), ones([filters]), zeros([filters]), {
        residual,
      })
      const whole = cat(new Array<Tensor>(filters / part).fill(residual), { dim: 1 })
      expect(equal(output as Tensor, floatSums(x, w, ONE, [0, 0, 0]).add(whole))).toBe(true)
    })
  })

  test('of channels that do not divide the output’s is refused', () => {
    tidy(() => {
      const [bits, w] = [signBiasPack(randn([1, 5, 1, 2, 2])), packBinaryWeight(randn([6, 5, 1, 1, 1]))]
      for (const shape of [[1, 4, 1, 2, 2], [1, 0, 1, 2, 2], [1, 12, 1, 2, 2], [6]]) {
        expect(() => bconv3dFused(bits, w, ones([6]), ones([6]), { residual: zeros(shape) })).toThrow(
          /or a part of its channels/,
        )
      }
    })
  })
})

describe('packed layers', () => {
  test('a block that doubles the channels and one that keeps them, bits handed over', () => {
    tidy(() => {
      manualSeed(2)
      const [one, two] = [randomBlock(40, 80), randomBlock(80, 80)]
      const x = randn([2, 40, 3, 5, 6])
      const first = one.packed.forward(x, { residual: x, nextBias: two.packed.bias, returns: 'both' })
      const expected = block(one.layer, one.norm, x, one.tail)
      expect(largestDifference(first.output as Tensor, expected)).toBeLessThan(1e-5 * expected.abs().max().toNumber())
      const second = two.packed.forward(first.bits as Tensor, { residual: first.output })
      // From the packed block's own floats: a rounding may turn a sign.
      const reference = block(two.layer, two.norm, first.output as Tensor, two.tail)
      expect(largestDifference(second.output as Tensor, reference)).toBeLessThan(
        1e-5 * reference.abs().max().toNumber(),
      )
    })
  })

  test('come back from a safetensors file with every bit', async () => {
    await tidyAsync(async () => {
      manualSeed(3)
      const { packed } = randomBlock(65, 9)
      const path = file('packed.safetensors')
      await writeSafetensors(path, packed.stateDict())
      const restored = new PackedBinaryConv3d(65, 9, 3, { padding: 1 })
      restored.loadStateDict(await readSafetensors(path))
      const x = randn([1, 65, 2, 4, 5])
      for (const options of [{}, { returns: 'bits' }] as const) {
        const [a, b] = [packed.forward(x, options), restored.forward(x, options)]
        expect(bytesOf((a.output ?? a.bits) as Tensor)).toEqual(bytesOf((b.output ?? b.bits) as Tensor))
      }
      expect(restored.weight.dtype).toBe('int64')
      expect(String(restored)).toBe(
        'PackedBinaryConv3d(65, 9, kernelSize=(3, 3, 3), stride=(1, 1, 1), padding=(1, 1, 1))',
      )
    })
  })

  test('without weight scale, norm and tail they are the sums', () => {
    tidy(() => {
      manualSeed(4)
      const layer = new BinaryConv3d(7, 3, [1, 3, 2], { scale: 'none', bias: false, stride: [1, 2, 1] })
      const x = randn([1, 7, 2, 5, 5])
      const { output } = layer.toPacked().forward(x)
      expect(equal(output as Tensor, floatSums(x, layer.weight.detach(), [1, 2, 1], [0, 0, 0]))).toBe(true)
    })
  })

  test('need running statistics', () => {
    const norm = new BatchNorm3d(4, { trackRunningStats: false })
    expect(() => new BinaryConv3d(4, 4, 1).toPacked({ norm })).toThrow(ArgumentError)
  })
})

describe('packing', () => {
  test.each([
    ['more than 64 taps', [9, 70, 1, 9, 11]],
    ['one tap', [9, 130, 1, 1, 1]],
    ['a row of taps', [10, 3, 1, 1, 2]],
  ] as const)('weights of %s', (_, shape) => {
    tidy(() => {
      manualSeed(5)
      const w = randn(shape)
      const [x, padding] = [randn([1, shape[1], 1, 10, 12]), [0, 4, 5] as const]
      const options = { padding }
      const y = channelsSecond(bconv3d(signBiasPack(x), packBinaryWeight(w), options))
      expect(equal(y, floatSums(x, w, ONE, padding))).toBe(true)
      for (const dtype of ['float16', 'bfloat16', 'float64'] as const) {
        const words = packBinaryWeight(w.to(dtype)).words
        expect(bytesOf(words)).toEqual(bytesOf(packBinaryWeight(w.to(dtype).to('float32')).words))
      }
    })
  })

  test('weights that are zero, NaN and infinite', () => {
    tidy(() => {
      const values = [0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
      const { words } = packBinaryWeight(tensor(values, { shape: [1, 5, 1, 1, 1], dtype: 'float32' }))
      expect(words.select(-1, 0).dataSync()).toEqual(new BigInt64Array([0b01011n]))
    })
  })

  // Planes of 35 pixels are read as one line, every second row of them as lines of 7.
  test('planes, rows and pixels that lie apart', () => {
    tidy(() => {
      manualSeed(6)
      const wide = randn([2, 66, 3, 10, 14])
      for (const x of [
        wide,
        wide.slice({ dim: 3, step: 2 }),
        wide.slice({ dim: 4, step: 2 }),
        wide.slice({ dim: 2, start: 1 }),
      ]) {
        expect(bytesOf(signBiasPack(x))).toEqual(bytesOf(signBiasPack(x.contiguous())))
        expect(
          equal(
            channelsSecond(bconv3d(signBiasPack(x), packBinaryWeight(ones([1, 66, 1, 1, 1])))),
            signs(x).sum({ dim: [1], keepdim: true }),
          ),
        ).toBe(true)
      }
    })
  })
})

describe('what is refused, and what stops', () => {
  test('the backward has the shapes of its inputs on the meta device', () => {
    tidy(() => {
      const [g, x, w, bias] = [randn([2, 4, 3, 5, 6]), randn([2, 5, 3, 5, 6]), randn([4, 5, 3, 3, 3]), randn([5])]
      for (const wanted of [
        [true, true, true],
        [false, true, false],
      ]) {
        const shapes = (device: 'cpu' | 'meta') => {
          const [dy, a, b, c] = [g, x, w, bias].map((t) => t.to(device))
          const made = call('vision_native::_bin_conv3d_backward', [dy, a, b, wanted], {
            bias: c,
            padding: [1, 1, 1],
          }) as Tensor[]
          return made.map(({ shape, dtype }) => [shape, dtype])
        }
        expect(shapes('meta')).toEqual(shapes('cpu'))
      }
    })
  })

  test('tensors on different devices are named', () => {
    tidy(() => {
      const [x, w] = [randn([1, 3, 2, 4, 4]), randn([2, 3, 1, 3, 3])]
      const [bits, packed] = [signBiasPack(x), packBinaryWeight(w)]
      const meta = (t: Tensor) => t.to('meta')
      const apart = /is on meta|on cpu and .* on meta|on meta/
      expect(() => signBiasPack(x, meta(zeros([3])))).toThrow(apart)
      expect(() => bconv3d(bits, packBinaryWeight(meta(w)))).toThrow(apart)
      expect(() => bconv3dFused(bits, packed, meta(ones([2])), ones([2]))).toThrow(apart)
      expect(() =>
        bconv3dFused(bits, packed, ones([2]), ones([2]), { residual: meta(zeros([1, 2, 2, 2, 2])) }),
      ).toThrow(apart)
      expect(() => binConv3d(x, meta(w))).toThrow(apart)
      expect(() => binConv3d(x, w, { bias: meta(zeros([3])) })).toThrow(apart)
      expect(() => x.to('cuda:77')).toThrow(DeviceError)
    })
  })

  test('a long call stops when it is cancelled, and the next one is right', async () => {
    setNumThreads(1)
    await tidyAsync(async () => {
      // Some 20 s of work.
      const bits = signBiasPack(ones([1, 512, 8, 64, 64]))
      const { words, ...sizes } = packBinaryWeight(ones([1024, 512, 5, 5, 5]))
      const args = [bits, words, sizes.inChannels, sizes.outChannels, sizes.kernelSize]
      const controller = new AbortController()
      setTimeout(() => controller.abort(new Error('enough')), 50)
      const started = callAsync('vision_native::bconv3d', args, {}, { signal: controller.signal })
      await expect(started).rejects.toMatchObject({ kind: 'Cancelled' })
      const y = bconv3d(bits.narrow(1, 0, 5).narrow(2, 0, 5).narrow(3, 0, 5), { words, ...sizes })
      expect(
        y
          .eq(512 * 125)
          .all()
          .item(),
      ).toBe(true)
    })
  })
})
