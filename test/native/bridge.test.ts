import { describe, expect, test } from 'vitest'
import { bridge } from '../../lib/native/frame'
import * as lib from '../../lib/tensor'
import {
  add,
  arange,
  avgPool2d,
  Complex,
  call,
  cat,
  clamp,
  conv2d,
  dropout,
  einsum,
  equal,
  full,
  Generator,
  isFloatingPoint,
  memory,
  nanToNum,
  ones,
  rand,
  reshape,
  resultType,
  split,
  stack,
  sum,
  type Tensor,
  tensor,
  tidy,
  topk,
  upsampleBilinear2d,
  zeros,
} from '../../lib/tensor'
import { HANDLE } from '../../lib/tensor/handle'

/** Runs a test in a scope of its own, so that none leaves tensors to the next. */
const scoped = (name: string, fn: () => void) => test(name, () => tidy(fn))
const values = (t: unknown) => Array.from((t as Tensor).dataSync() as ArrayLike<number | bigint>, Number)
const refusal = (kind: string, message: RegExp) =>
  expect.objectContaining({ kind, message: expect.stringMatching(message) })

describe('every type of a schema, into the operator', () => {
  scoped('Tensor', () => expect(values(add(tensor([1, 2]), tensor([3, 4])))).toEqual([4, 6]))
  scoped('Tensor?, given, left out, null and undefined', () => {
    const x = ones([1, 1, 2, 2])
    const weight = full([1, 1, 1, 1], 3)
    expect(values(conv2d(x, weight, { bias: tensor([1]) }))).toEqual([4, 4, 4, 4])
    expect(values(conv2d(x, weight, { bias: null }))).toEqual([3, 3, 3, 3])
    expect(values(conv2d(x, weight, { bias: undefined }))).toEqual([3, 3, 3, 3])
    expect(values(conv2d(x, weight))).toEqual([3, 3, 3, 3])
  })
  scoped('Tensor[]', () => expect(values(cat([tensor([1]), tensor([2, 3])]))).toEqual([1, 2, 3]))
  scoped('Tensor?[] with null', () => {
    const x = tensor([[1, 2], [3, 4]]) // biome-ignore format: a matrix
    expect(values(x.index([null, tensor([1n])]))).toEqual([2, 4])
  })
  scoped('Scalar: integer, fraction, boolean, bigint, complex', () => {
    const x = tensor([1, 2])
    expect(values(x.mul(3))).toEqual([3, 6])
    expect(values(x.mul(0.5))).toEqual([0.5, 1])
    expect(values(x.mul(true))).toEqual([1, 2])
    expect(values(x.mul(2n))).toEqual([2, 4])
    expect(values(x.mul(new Complex(0, 2)))).toEqual([0, 2, 0, 4])
  })
  scoped('Scalar[]', () => {
    const sums = call('aten::_foreach_add.ScalarList', [
      [tensor([1]), tensor([2])],
      [10, 0.5],
    ]) as Tensor[]
    expect(sums.map((t) => values(t))).toEqual([[11], [2.5]])
  })
  scoped('int and int?', () => {
    expect(values(tensor([1, 2, 3]).select(0, -1))).toEqual([3])
    expect(values(call('aten::std.correction', [tensor([1, 3])], { dim: [0], correction: 0 }))).toEqual([1])
  })
  scoped('int lists, and one int for int[2]', () => {
    const x = arange(16).reshape([1, 1, 4, 4])
    expect(values(avgPool2d(x, 2))).toEqual([2.5, 4.5, 10.5, 12.5])
    expect(values(avgPool2d(x, [2, 4]))).toEqual([3.5, 11.5])
  })
  scoped('SymInt lists, also empty', () => {
    expect(arange(6).reshape([2, 3]).shape).toEqual([2, 3])
    expect(tensor([5]).reshape([]).shape).toEqual([])
  })
  scoped('bigint lists', () => expect(call('aten::reshape', [arange(6), [3n, 2n]])).toHaveProperty('shape', [3, 2]))
  scoped('float and float?', () => {
    expect(values(dropout(ones([3]), 1, true))).toEqual([0, 0, 0])
    expect(values(nanToNum(tensor([Number.NaN]), { nan: 2 }))).toEqual([2])
  })
  scoped('float lists, of whole numbers too', () => {
    const x = ones([1, 1, 2, 2])
    expect(upsampleBilinear2d(x, false, { scaleFactors: [2, 1.5] }).shape).toEqual([1, 1, 4, 3])
    expect(upsampleBilinear2d(x, false, { scaleFactors: [2, 3] }).shape).toEqual([1, 1, 4, 6])
  })
  scoped('bool', () => expect(sum(ones([2, 3]), { dim: [0], keepdim: true }).shape).toEqual([1, 3]))
  scoped('bool lists', () => {
    const [input, weight, bias] = convolutionBackward([true, true, false]) as [Tensor, Tensor, null]
    expect([input.shape, weight.shape, bias]).toEqual([[1, 1, 2, 2], [1, 1, 1, 1], null])
  })
  scoped('str and str?', () => {
    expect(values(einsum('ij,j->i', [tensor([[1, 2]]), tensor([3, 4])]))).toEqual([11])
    expect(values(tensor([-7]).div(2, { roundingMode: 'floor' }))).toEqual([-4])
  })
  scoped('ScalarType, Layout, Device', () => {
    const t = call('aten::zeros', [[2]], {
      dtype: 'int16',
      layout: 'strided',
      device: 'meta',
      pinMemory: false,
    }) as Tensor
    expect([t.dtype, t.layout, t.device]).toEqual(['int16', 'strided', 'meta'])
  })
  scoped('MemoryFormat', () => {
    const x = zeros([1, 2, 2, 2]).contiguous({ memoryFormat: 'channels_last' })
    expect(x.strides).toEqual([8, 1, 4, 2])
  })
  scoped('Generator', () => {
    const draw = () => values(rand([3], { generator: new Generator(7) }))
    expect(draw()).toEqual(draw())
  })
  scoped('typed arrays as lists of numbers', () => {
    expect(values(call('aten::reshape', [arange(4), new Int32Array([2, 2])]))).toEqual([0, 1, 2, 3])
  })
})

function convolutionBackward(mask: readonly boolean[]): unknown {
  const one = ones([1, 1, 2, 2])
  return call('aten::convolution_backward', [
    one,
    one,
    ones([1, 1, 1, 1]),
    [1, 1],
    [0, 0],
    [1, 1],
    false,
    [0, 0],
    1,
    mask,
  ])
}

describe('every type of a schema, out of the operator', () => {
  scoped('Tensor, a tuple of them, a list of them', () => {
    const [top, indices] = topk(tensor([3, 9, 5]), 2)
    expect([values(top), values(indices)]).toEqual([
      [9, 5],
      [1, 2],
    ])
    expect(split(arange(5), 2).map((t) => values(t))).toEqual([[0, 1], [2, 3], [4]])
  })
  scoped('an undefined tensor is null', () => {
    const [input, weight, bias] = convolutionBackward([false, true, false]) as [null, Tensor, null]
    // The weight's gradient is the sum of four products of ones.
    expect([input, values(weight), bias]).toEqual([null, [4], null])
  })
  scoped('int, bool, float, Scalar', () => {
    expect(call('aten::size.int', [zeros([2, 3]), 1])).toBe(3)
    expect(isFloatingPoint(zeros([1]))).toBe(true)
    expect(equal(zeros([1]), ones([1]))).toBe(false)
    expect(call('aten::_local_scalar_dense', [tensor(1.5)])).toBe(1.5)
    expect(call('aten::_local_scalar_dense', [tensor(true)])).toBe(true)
    expect(call('aten::_local_scalar_dense', [tensor(new Complex(1, -2))])).toEqual(new Complex(1, -2))
  })
  scoped('an integer beyond 2^53 is a bigint', () => {
    expect(call('aten::_local_scalar_dense', [tensor(2n ** 53n - 1n)])).toBe(2 ** 53 - 1)
    expect(call('aten::_local_scalar_dense', [tensor(2n ** 53n)])).toBe(2n ** 53n)
    expect(call('aten::_local_scalar_dense', [tensor(-(2n ** 63n))])).toBe(-(2n ** 63n))
  })
  scoped('SymInt, SymBool, and a tuple of numbers', () => {
    expect(call('aten::sym_numel', [zeros([2, 3])])).toBe(6)
    expect(call('aten::sym_is_contiguous', [zeros([2, 3])])).toBe(true)
    // An affine map of [0, 1] to 0 … 127.
    const [scale, zeroPoint] = call('aten::_choose_qparams_per_tensor', [tensor([0, 1])], {
      reduceRange: true,
    }) as number[]
    expect(scale).toBeCloseTo(1 / 127, 6)
    expect(zeroPoint).toBe(0)
  })
  scoped('ScalarType', () => expect(resultType(tensor([1n]), 1.5)).toBe('float32'))
  scoped('nothing', () => expect(call('aten::_foreach_add_.Scalar', [[ones([1])], 1])).toBeUndefined())
})

describe('a result that is an argument', () => {
  scoped('an in-place method returns its very object', () => {
    const x = ones([2])
    expect(x.add_(1)).toBe(x)
    expect(values(x)).toEqual([2, 2])
  })
  scoped('out variants return the very output', () => {
    const [a, b, out] = [ones([2]), ones([2]), zeros([2])]
    expect(call('aten::add.out', [a, b, out], { alpha: 3 })).toBe(out)
    expect(values(out)).toEqual([4, 4])
    const [top, where] = [zeros([1]), zeros([1], { dtype: 'int64' })]
    const result = call('aten::topk.values', [tensor([3, 9]), 1, top, where]) as unknown[]
    expect(result[0]).toBe(top)
    expect(result[1]).toBe(where)
  })
  scoped('no tensor is made for it', () => {
    const x = ones([2])
    const before = memory.stats().tensors
    for (let i = 0; i < 10; i++) x.add_(1)
    expect(memory.stats().tensors).toBe(before)
  })
})

describe('overloads', () => {
  scoped('are told apart by type', () => {
    const x = tensor([-2, 5])
    expect(values(clamp(x, { min: 0 }))).toEqual([0, 5])
    expect(values(clamp(x, { max: tensor([-3, 4]) }))).toEqual([-3, 4])
    expect(values(sum(ones([2, 2])))).toEqual([4])
    expect(values(sum(ones([2, 2]), { dim: 0 }))).toEqual([2, 2])
  })
  scoped('the one of a name is called alone', () => {
    expect(() => call('aten::add.Tensor', [ones([1]), 1])).toThrow(refusal('Argument', /'other' takes Tensor, got 1/))
  })
  scoped('when none fits, each says why', () => {
    const wrong = () => add(ones([1]), 'x' as never)
    expect(wrong).toThrow(
      refusal('Argument', /no overload takes these arguments\n {2}Tensor: .*got 'x'\n {2}Scalar: .*got 'x'/),
    )
  })
})

describe('numbers', () => {
  const intArgument = (value: unknown) => () => call('aten::select.int', [ones([3]), 0, value])
  scoped('a fraction, NaN, infinity or unsafe integer is no int', () => {
    expect(intArgument(0.5)).toThrow(refusal('Argument', /'index' takes .*got 0\.5.*whole number/s))
    expect(intArgument(Number.NaN)).toThrow(refusal('Argument', /got nan/))
    expect(intArgument(Number.POSITIVE_INFINITY)).toThrow(refusal('Argument', /got inf/))
    expect(intArgument(2 ** 53)).toThrow(refusal('Argument', /bigint/))
    expect(() => reshape(ones([2]), [1.5, 2])).toThrow(refusal('Argument', /whole number/))
  })
  scoped('minus zero is the int 0, and keeps its sign as a float', () => {
    expect(values(intArgument(-0)())).toEqual([1])
    expect(values(reshape(zeros([0]), [-0, 2]))).toEqual([])
    expect(Object.is(values(ones([1]).mul(-0))[0], -0)).toBe(true)
  })
  scoped('a whole number keeps integers integer, a fraction does not', () => {
    expect(tensor([1n]).add(2).dtype).toBe('int64')
    expect(tensor([1n]).add(2.5).dtype).toBe('float32')
  })
  scoped('bigints travel exactly', () => {
    const big = 2n ** 62n + 1n
    expect(tensor([big]).add(1n).item()).toBe(big + 1n)
    expect(full([1], big).item()).toBe(big)
  })
  scoped('a bigint beyond 64 bits is refused', () => {
    expect(() => ones([1]).add(2n ** 63n)).toThrow(refusal('Argument', /does not fit into 64 bits/))
    expect(() => reshape(ones([1]), [2n ** 64n] as never)).toThrow(refusal('Argument', /64 bits/))
  })
  scoped('int8 wraps as in LibTorch, not in the bridge', () => {
    expect(tensor([127], { dtype: 'int8' }).add(1).item()).toBe(-128)
  })
})

describe('bad arguments', () => {
  scoped('what no operator takes', () => {
    const x = ones([1])
    for (const bad of [Symbol('s'), () => 0, undefined, null, new Date(0), new Map()]) {
      expect(() => call('aten::add', [x, bad as never, 1])).toThrow(refusal('Argument', /aten::add/))
    }
  })
  scoped('unknown operators and options are named', () => {
    expect(() => call('aten::no_such', [])).toThrow(refusal('Argument', /aten::no_such/))
    expect(() => call('aten::add.no_such', [])).toThrow(refusal('Argument', /aten::add\.no_such/))
    expect(() => add(ones([1]), 1, { beta: 2 } as never)).toThrow(
      refusal('Argument', /no option 'beta'; it takes alpha/),
    )
  })
  scoped('too few, too many, options not last', () => {
    expect(() => call('aten::relu', [])).toThrow(refusal('Argument', /takes 1 positional \(self\), got 0/))
    expect(() => call('aten::relu', [ones([1]), 1])).toThrow(refusal('Argument', /got 2/))
    expect(() => call('aten::add', [ones([1]), { alpha: 1 }, 1])).toThrow(refusal('Argument', /options come last/))
    expect(() => call('aten::relu', new Array(70).fill(1))).toThrow(refusal('Argument', /64/))
  })
  scoped('lists of mixed kinds', () => {
    expect(() => reshape(ones([2]), [1, '2'] as never)).toThrow(refusal('Argument', /holds '2'/))
    expect(() => reshape(ones([2]), [1, true] as never)).toThrow(refusal('Argument', /mixes 1 with true/))
    expect(() => cat([ones([1]), 1] as never)).toThrow(refusal('Argument', /mixes a Tensor with 1/))
    expect(() => cat([ones([1]), null] as never)).toThrow(refusal('Argument', /null is not allowed/))
  })
  scoped('what LibTorch refuses has its kind and the shapes', () => {
    expect(() => add(ones([2]), ones([3]))).toThrow(
      refusal('Shape', /aten::add: .*self \[2\] float32, other \[3\] float32/s),
    )
    expect(() => ones([2], { dtype: 'int64' }).requiresGrad_()).toThrow(refusal('DType', /floating point/i))
    expect(() => add(ones([2]), ones([2], { device: 'meta' }))).toThrow(refusal('Device', /device/))
  })
  scoped('a failed call leaves nothing behind and the next one works', () => {
    const x = ones([2])
    const before = memory.stats().tensors
    expect(() => x.reshape([3])).toThrow(refusal('Shape', /reshape/))
    expect(memory.stats().tensors).toBe(before)
    expect(values(x.add(1))).toEqual([2, 2])
  })
  scoped('a getter that computes while its call is laid out is noticed', () => {
    const x = ones([1])
    const options = {
      get alpha() {
        return x.sum().item()
      },
    }
    expect(() => add(x, x, options as never)).toThrow(refusal('Argument', /another operator ran/))
    expect(values(add(x, x, { alpha: 2 }))).toEqual([3])
  })
})

describe('calls larger than the frame', () => {
  scoped('a list of 20,000 numbers', () => {
    const sizes = new Array(20_000).fill(1)
    expect(arange(20_000).splitWithSizes(sizes)).toHaveLength(20_000)
  })
  scoped('a list of 20,000 tensors, in and out', () => {
    const parts = arange(20_000).unbind()
    expect(parts).toHaveLength(20_000)
    expect(values(stack(parts).at([0, 9_999, 19_999]))).toEqual([0, 9_999, 19_999])
  })
  scoped('bigints keep their bits when the frame grows', () => {
    const sizes = [...new Array<bigint>(30_000).fill(1n), 2n]
    const parts = call('aten::split_with_sizes', [arange(30_002), sizes]) as Tensor[]
    expect(parts).toHaveLength(30_001)
    expect(values(parts.at(-1))).toEqual([30_000, 30_001])
  })
})

describe('strings', () => {
  scoped('more than the bridge keeps', () => {
    for (let i = 0; i < 5_000; i++) {
      expect(() => zeros([1], { dtype: `type${i}` as never })).toThrow(new RegExp(`'type${i}'`))
    }
    expect(values(tensor([7]).div(2, { roundingMode: 'floor' }))).toEqual([3])
  })
})

test('no hand-written name hides a generated function by accident', () => {
  // `slice` alone is both: the index of at(); the operator stays as the method.
  expect(typeof lib.slice).toBe('function')
  expect(tidy(() => values(arange(5).slice({ start: 1, end: 3 })))).toEqual([1, 2])
})

describe('the native functions', () => {
  const [one, buffer] = [1, new ArrayBuffer(4)]
  test.each([
    ['attach', [one, () => {}], 'argument 1 must be an ArrayBuffer'],
    ['attach', [new ArrayBuffer(64), one], 'argument 2 must be a function'],
    ['toBytesAsync', [undefined, one, () => {}], 'argument 2 must be an ArrayBuffer'],
    ['toBytesAsync', [undefined, buffer, one], 'argument 3 must be a function'],
    ['registerHook', [undefined, false, one, 'here'], 'argument 3 must be a function'],
    ['setAnomaly', [true, true, one], 'argument 3 must be a function'],
  ] as const)('%s refuses %j', (name, args, message) => {
    tidy(() => {
      const handle = ones([1], { requiresGrad: true })[HANDLE]
      const fn = bridge()[name] as (...args: unknown[]) => unknown
      const given = args.map((value) => value ?? handle)
      expect(() => fn(...given)).toThrow(refusal('Argument', new RegExp(message)))
    })
  })
})
