import { describe, expect, test } from 'vitest'
import { Linear, Module, ReLU } from '../../lib/nn'
import {
  detectAnomaly,
  grad,
  isAnomalyEnabled,
  ones,
  setDetectAnomaly,
  type Tensor,
  tensor,
  tidy,
} from '../../lib/tensor'

const scoped = (name: string, fn: () => void) => test(name, () => tidy(fn))
const leaf = (...values: number[]) => tensor(values, { requiresGrad: true })

/** The line of this file that calls it. */
function here(): number {
  const line = (new Error().stack ?? '').split('\n')[2]
  return Number(/autograd-anomaly\.test\.ts:(\d+)/.exec(line ?? '')?.[1])
}

function messageOf(fn: () => void): string {
  try {
    fn()
  } catch (error) {
    return (error as Error).message
  }
  return 'nothing was thrown'
}

describe('detectAnomaly', () => {
  scoped('names the node, its output and the line of the forward operator', () => {
    let line = 0
    const message = messageOf(() =>
      detectAnomaly(() => {
        const x = leaf(-1, 4)
        line = here() + 1
        const root = x.sqrt()
        root.nansum().backward()
      }),
    )
    expect(line).toBeGreaterThan(0)
    expect(message).toMatch(/the gradient that SqrtBackward0 computed is NaN in its output 0; the operator ran at/)
    expect(message).toContain(`autograd-anomaly.test.ts:${line}:`)
  })

  scoped('counts outputs: the divisor of 0 / 0 is output 1', () => {
    const message = messageOf(() =>
      detectAnomaly(() => {
        const [a, b] = [tensor([0]), leaf(0)]
        a.div(b).nansum().backward()
      }),
    )
    expect(message).toMatch(/DivBackward0 computed is NaN in its output 1/)
  })

  scoped('names the line of a model, not of the layer it calls', () => {
    class Net extends Module {
      readonly first = new Linear(2, 2)
      readonly act = new ReLU()
      line = 0
      forward(x: Tensor): Tensor {
        const y = this.act.forward(this.first.forward(x))
        this.line = here() + 1
        return this.first.forward(y.mul(0).sqrt())
      }
    }
    const net = new Net()
    const message = messageOf(() =>
      detectAnomaly(() =>
        net
          .forward(ones([1, 2]))
          .mul(0)
          .sum()
          .backward(),
      ),
    )
    expect(message).toMatch(/SqrtBackward0/)
    expect(message).toContain(`autograd-anomaly.test.ts:${net.line}:`)
    net.dispose()
  })

  scoped('names the line for other failures too', () => {
    let line = 0
    const message = messageOf(() =>
      detectAnomaly(() => {
        const x = leaf(1)
        line = here() + 1
        const y = x.exp()
        y.add_(1)
        y.sum().backward()
      }),
    )
    expect(message).toMatch(
      /modified by an inplace operation.*; detectAnomaly: ExpBackward0 failed, the operator ran at/,
    )
    expect(message).toContain(`autograd-anomaly.test.ts:${line}:`)
  })

  scoped('tells both lines where a gradient of a gradient fails', () => {
    let [forward, first] = [0, 0]
    const message = messageOf(() =>
      detectAnomaly(() => {
        const x = leaf(0)
        forward = here() + 1
        const y = x.pow(1.5)
        first = here() + 1
        const [g] = grad(y, x, { createGraph: true })
        // d²(x^1.5)/dx² = 0.75 / √x is infinite at 0, and 0 · ∞ is NaN.
        grad((g as Tensor).mul(0).sum(), x)
      }),
    )
    expect(message).toContain(`autograd-anomaly.test.ts:${first}:`)
    expect(message).toMatch(new RegExp(`for the backward of PowBackward0, whose operator ran at .*:${forward}:`))
  })

  scoped('passes a NaN on without checkNan, and outside', () => {
    const nan = () => {
      const x = leaf(-1)
      x.sqrt().nansum().backward()
      return x.grad?.item()
    }
    expect(nan()).toBeNaN()
    expect(detectAnomaly(nan, { checkNan: false })).toBeNaN()
    expect(() => detectAnomaly(nan)).toThrow(/NaN/)
    expect(nan()).toBeNaN()
  })

  scoped('leaves what a hook throws as it is', () => {
    const mine = new Error('mine')
    expect(() =>
      detectAnomaly(() => {
        const x = leaf(1)
        const y = x.mul(2)
        y.registerHook(() => {
          throw mine
        })
        y.mul(2).backward()
      }),
    ).toThrow(mine)
  })

  scoped('says so when the operator ran before it', () => {
    const y = leaf(-1).sqrt().nansum()
    expect(messageOf(() => detectAnomaly(() => y.backward()))).toMatch(/line is not known: it ran before anomaly mode/)
  })

  scoped('gives the right gradients where nothing is wrong', () => {
    const x = leaf(1, 2)
    expect(detectAnomaly(() => grad(x.pow(2).sum(), x)[0]?.toArray())).toEqual([2, 4])
  })
})

describe('the mode', () => {
  test('is as it was afterwards, nested and whatever is thrown', () => {
    expect(isAnomalyEnabled()).toBe(false)
    detectAnomaly(
      () => {
        expect(() =>
          detectAnomaly(() => {
            throw new Error('inside')
          }),
        ).toThrow('inside')
        expect(isAnomalyEnabled()).toBe(true)
        // The outer one does not search for NaN.
        tidy(() => leaf(-1).sqrt().nansum().backward())
      },
      { checkNan: false },
    )
    expect(isAnomalyEnabled()).toBe(false)
  })

  test('refuses a promise and is over', () => {
    expect(() => detectAnomaly(async () => undefined)).toThrow(/detectAnomaly: the function returned a promise/)
    expect(isAnomalyEnabled()).toBe(false)
  })

  test('may be set for asynchronous work', async () => {
    setDetectAnomaly(true)
    try {
      await Promise.resolve()
      expect(() => tidy(() => leaf(-1).sqrt().nansum().backward())).toThrow(/SqrtBackward0.*autograd-anomaly\.test\.ts/)
    } finally {
      setDetectAnomaly(false)
    }
    expect(isAnomalyEnabled()).toBe(false)
  })
})
