import { describe, expect, test } from 'vitest'
import {
  GradcheckError,
  type GradcheckOptions,
  gradcheck,
  gradgradcheck,
  manualSeed,
  memory,
  ones,
  rand,
  randn,
  type Tensor,
  tensor,
  tidy,
} from '../../lib/tensor'

const scoped = (name: string, fn: () => void) => test(name, () => tidy(fn))
const refusal = (kind: string, message: RegExp) =>
  expect.objectContaining({ kind, message: expect.stringMatching(message) })
const leaf = (...values: number[]) => tensor(values, { dtype: 'float64', requiresGrad: true })
const errorOf = (fn: () => unknown): GradcheckError => {
  try {
    fn()
  } catch (error) {
    if (error instanceof GradcheckError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

/** x³ whose backward is told x² is a constant: its gradient is x², a third of the true 3x². */
const wrongCube = (x: Tensor) => x.mul(x.detach().pow(2))
const modes: readonly GradcheckOptions[] = [{ fastMode: false }, { fastMode: true }]

describe.each(modes)('gradcheck %o', (mode) => {
  scoped('accepts right gradients of several inputs and outputs, strided and empty ones too', () => {
    manualSeed(1)
    const a = randn([3, 4], { dtype: 'float64' }).t().requiresGrad_()
    const b = randn([3, 2, 2], { dtype: 'float64' }).select(2, 1).requiresGrad_()
    const constant = rand([4, 2], { dtype: 'float64' })
    const none = leaf()
    expect(
      gradcheck((x, y, c, e) => [x.matmul(y).mul(c), y.exp().sum(), e.mul(2)], [a, b, constant, none] as never, mode),
    ).toBe(true)
  })

  scoped('finds a wrong gradient and says where', () => {
    const error = errorOf(() => gradcheck((x, y) => [y.mul(2), wrongCube(x)], [leaf(0, 2), leaf(1, 1)], mode))
    // Of output 1 by input 0: at x = 0 both are 0; at x = 2 it is 12, backward says 4.
    expect(error.mismatch).toMatchObject({ input: 0, output: 1, entry: [1, 1] })
    expect(error.mismatch.numerical).toBeCloseTo(12, 4)
    expect(error.mismatch.analytical).toBeCloseTo(4, 12)
    expect(error.message).toMatch(
      /^gradcheck: the derivative of element 1 of output 1 \[2\] by element 1 of input 0 \[2\] is 1[12]\.\d+ by differences, 4 by backward$/,
    )
    expect(error.kind).toBe('Operator')
    expect(gradcheck(wrongCube, leaf(2), { ...mode, raiseException: false })).toBe(false)
  })

  scoped('finds an error in one entry of many', () => {
    const x = rand([40], { dtype: 'float64' }).requiresGrad_()
    const wrongAt17 = (v: Tensor) => {
      const y = v.clone()
      y.setAt([17], v.at(17).detach())
      return y
    }
    expect(errorOf(() => gradcheck(wrongAt17, x, mode)).mismatch.entry).toEqual([17, 17])
  })

  scoped('finds an output that hides its dependence', () => {
    const error = errorOf(() => gradcheck((x) => [x.mul(2), x.detach().mul(3)], leaf(1, 2), mode))
    expect(error.message).toMatch(/output 1 requires no gradients, but input 0 changes it/)
    expect(gradcheck((x) => [x.mul(2), x.gt(0).to('float64'), x.gt(0)], leaf(1, 2), mode)).toBe(true)
  })

  scoped('finds a backward that gives other gradients each time', () => {
    let calls = 0
    const noisy = (x: Tensor) => {
      const y = x.mul(2)
      y.registerHook((g) => g.add(1e-7 * (calls++ % 2)))
      return y
    }
    expect(errorOf(() => gradcheck(noisy, leaf(1), mode)).message).toMatch(/is not deterministic.*raise nondetTol/)
    expect(gradcheck(noisy, leaf(1), { ...mode, nondetTol: 1e-6 })).toBe(true)
  })

  scoped('finds NaN', () => {
    expect(gradcheck((x) => x.sqrt(), leaf(-1), { ...mode, raiseException: false })).toBe(false)
  })

  scoped('keeps to its bounds: an error of 1 % passes only with a wider one', () => {
    const slightly = (x: Tensor) => {
      const y = x.mul(10)
      y.registerHook((g) => g.mul(1.01))
      return y
    }
    expect(gradcheck(slightly, leaf(1), { ...mode, raiseException: false })).toBe(false)
    expect(gradcheck(slightly, leaf(1), { ...mode, rtol: 0.02 })).toBe(true)
    expect(gradcheck(slightly, leaf(1), { ...mode, atol: 0.2 })).toBe(true)
  })

  scoped('leaves inputs, gradients and memory as they were', () => {
    const x = leaf(1, 2, 3)
    const { tensors } = memory.stats()
    gradcheck((v) => v.sin(), x, mode)
    gradcheck(wrongCube, x, { ...mode, raiseException: false })
    expect([x.toArray(), x.grad]).toEqual([[1, 2, 3], null])
    expect(memory.stats().tensors).toBe(tensors)
  })
})

describe('gradgradcheck', () => {
  scoped('accepts right second derivatives', () => {
    expect(gradgradcheck((x, y) => [x.pow(3).mul(y), y.sin()], [leaf(1, 2), leaf(3, 4)])).toBe(true)
    expect(gradgradcheck((x) => x.exp(), leaf(1), { fastMode: true, gradOutputs: [leaf(2)] })).toBe(true)
  })

  scoped('finds a second derivative that is missing', () => {
    // The gradient 2x is right, but detached: differentiated again it is 0 where 2 is true.
    const squareOnce = (x: Tensor) => {
      const y = x.mul(1)
      y.registerHook((g) => g.mul(x.detach().mul(2)))
      return y.sub(y.detach()).add(x.detach().pow(2))
    }
    const x = leaf(3)
    expect(gradcheck(squareOnce, x)).toBe(true)
    const { mismatch } = errorOf(() => gradgradcheck(squareOnce, x, { gradOutputs: [leaf(1)] }))
    expect([mismatch.input, mismatch.analytical]).toEqual([0, 0])
    expect(mismatch.numerical).toBeCloseTo(2, 6)
  })
})

describe('what is refused', () => {
  const identity = (x: Tensor) => x.mul(1)
  test.each<readonly [string, () => unknown, string, RegExp]>([
    [
      'float32',
      () => gradcheck(identity, ones([1], { requiresGrad: true })),
      'DType',
      /input 0 is float32; only float64/,
    ],
    ['nothing to check', () => gradcheck(identity, ones([1], { dtype: 'float64' })), 'Argument', /no input requires/],
    [
      'shared memory',
      () => gradcheck(identity, ones([1], { dtype: 'float64' }).expand([3]).requiresGrad_()),
      'Argument',
      /elements of input 0 share memory/,
    ],
    ['a number', () => gradcheck(identity, 3 as never), 'Argument', /inputs are 3; pass a list of tensors/],
    ['a list with a number', () => gradcheck(identity, [leaf(1), 3 as never]), 'Argument', /input 1 is 3/],
    ['another result', () => gradcheck((() => 3) as never, leaf(1)), 'Argument', /the function returned 3/],
    ['a step of 0', () => gradcheck(identity, leaf(1), { eps: 0 }), 'Argument', /eps is 0/],
    ['a negative bound', () => gradcheck(identity, leaf(1), { rtol: -1 }), 'Argument', /rtol is -1/],
    [
      'other gradients than outputs',
      () => gradgradcheck(identity, leaf(1), { gradOutputs: [] }),
      'Argument',
      /0 gradOutputs for 1 outputs/,
    ],
  ])('%s', (_, attempt, kind, message) => {
    tidy(() => expect(attempt).toThrow(refusal(kind, message)))
  })

  scoped('an error of the function itself, also with raiseException: false', () => {
    const mine = new Error('mine')
    const fail = () => {
      throw mine
    }
    expect(() => gradcheck(fail, leaf(1), { raiseException: false })).toThrow(mine)
  })
})
