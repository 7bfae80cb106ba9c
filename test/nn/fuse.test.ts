import { describe, expect, test } from 'vitest'
import * as nn from '../../lib/nn'
import {
  BatchNorm1d,
  BatchNorm2d,
  BatchNorm3d,
  Conv1d,
  Conv2d,
  Conv3d,
  fuseConvBnEval,
  fuseLinearBnEval,
  Linear,
  MaxPool2d,
  Module,
  ReLU,
  ReLU6,
  Sequential,
} from '../../lib/nn'
import {
  capture,
  inferenceMode,
  isTensor,
  manualSeed,
  noGrad,
  rand,
  randn,
  type Tensor,
  tensor,
} from '../../lib/tensor'

/** Gives a batch norm statistics, gains and shifts that are no identity. */
function fill<Norm extends BatchNorm1d | BatchNorm2d | BatchNorm3d>(bn: Norm): Norm {
  noGrad(() => {
    for (const t of [bn.weight, bn.runningVar]) t?.copy_(rand(t.shape).add(0.5))
    for (const t of [bn.bias, bn.runningMean]) t?.copy_(randn(t.shape))
  })
  bn.eval()
  return bn
}

const difference = (a: Tensor, b: Tensor) => a.sub(b).abs().amax().toNumber()

describe('fuseConvBnEval', () => {
  test('folds by hand: w · γ / √(σ² + ε), β − μ · γ / √(σ² + ε)', () => {
    const conv = new Conv1d(1, 1, 1, { bias: false, dtype: 'float64' }).eval()
    const bn = new BatchNorm1d(1, { eps: 0, dtype: 'float64' }).eval()
    noGrad(() => {
      conv.weight.fill_(3)
      for (const [t, value] of [
        [bn.weight, 2],
        [bn.bias, 5],
        [bn.runningMean, 7],
        [bn.runningVar, 4],
      ] as const) {
        t?.fill_(value)
      }
    })
    const fused = fuseConvBnEval(conv, bn)
    expect([fused.weight.toArray(), fused.bias?.toArray()]).toEqual([[[[3]]], [-2]])
  })

  test.each([
    [
      '1d',
      () => [
        new Conv1d(4, 6, 3, { stride: 2, groups: 2, dtype: 'float64' }),
        new BatchNorm1d(6, { dtype: 'float64' }),
        [2, 4, 9],
      ],
    ],
    [
      '2d, no bias, dilated',
      () => [
        new Conv2d(3, 5, 3, { padding: 2, dilation: 2, bias: false, dtype: 'float64' }),
        new BatchNorm2d(5, { dtype: 'float64', affine: false }),
        [2, 3, 7, 6],
      ],
    ],
    [
      '2d, reflected',
      () => [
        new Conv2d(3, 5, [3, 2], { padding: 1, paddingMode: 'reflect', dtype: 'float64' }),
        new BatchNorm2d(5, { dtype: 'float64' }),
        [2, 3, 7, 6],
      ],
    ],
    [
      '3d',
      () => [new Conv3d(2, 3, 2, { dtype: 'float64' }), new nn.BatchNorm3d(3, { dtype: 'float64' }), [1, 2, 4, 5, 4]],
    ],
  ] as const)('%s: equals the two after one another', (_, make) => {
    manualSeed(1)
    const [conv, norm, shape] = make() as [Conv2d, BatchNorm2d, number[]]
    const bn = fill(norm)
    conv.eval()
    const x = randn(shape, { dtype: 'float64' })
    const fused = fuseConvBnEval(conv, bn)
    expect(fused.constructor).toBe(conv.constructor)
    expect(difference(fused.forward(x), bn.forward(conv.forward(x)))).toBeLessThan(1e-12)
  })

  test('refuses training, norms without statistics, and other channels', () => {
    const conv = new Conv2d(1, 2, 1)
    const bn = new BatchNorm2d(2)
    expect(() => fuseConvBnEval(conv, bn.eval())).toThrow(/the Conv2d is in training.*eval\(\)/)
    expect(() => fuseConvBnEval(conv.eval(), new BatchNorm2d(2))).toThrow(/the BatchNorm2d is in training/)
    expect(() => fuseConvBnEval(conv, new BatchNorm2d(2, { trackRunningStats: false }).eval())).toThrow(/no statistics/)
    expect(() => fuseConvBnEval(conv, new BatchNorm2d(3).eval())).toThrow(/has 3 features, the Conv2d gives 2/)
  })
})

test('fuseLinearBnEval equals the two after one another', () => {
  const linear = new Linear(4, 3, { dtype: 'float64', bias: false }).eval()
  const bn = fill(new BatchNorm1d(3, { dtype: 'float64' }))
  const x = randn([5, 4], { dtype: 'float64' })
  expect(difference(fuseLinearBnEval(linear, bn).forward(x), bn.forward(linear.forward(x)))).toBeLessThan(1e-12)
})

class Residual extends Module {
  readonly conv1 = new Conv2d(8, 8, 3, { padding: 1, bias: false })
  readonly bn1 = fill(new BatchNorm2d(8))
  readonly conv2 = new Conv2d(8, 8, 3, { padding: 1 })
  readonly bn2 = fill(new BatchNorm2d(8))
  readonly relu = new ReLU({ inplace: true })

  forward(x: Tensor): Tensor {
    const y = this.relu.forward(this.bn1.forward(this.conv1.forward(x)))
    return this.relu.forward(this.bn2.forward(this.conv2.forward(y)).add_(x))
  }
}

describe('capture with optimize', () => {
  const network = () => {
    manualSeed(2)
    return new Sequential(
      new Sequential(
        new Conv2d(3, 8, 3, { stride: 2, bias: false }),
        fill(new BatchNorm2d(8)),
        new ReLU6({ inplace: true }),
      ),
      new MaxPool2d(2),
      new Residual(),
      new Conv2d(8, 8, 3, { groups: 8, padding: 1 }),
      new Sequential(new Conv2d(8, 4, 1), fill(new BatchNorm2d(4)), new ReLU()),
    ).eval()
  }
  const calls = (text: string) => [...text.matchAll(/= (\w+::\w+)/g)].map(([, name]) => name)

  test('gives what the function gives, in fewer operators', () => {
    const model = network()
    using captured = capture((x: Tensor) => model.forward(x), { optimize: true })
    const input = () => randn([2, 3, 21, 19])
    noGrad(() => captured.sync(input()))
    const x = input()
    const [expected, got] = noGrad(() => [model.forward(x), captured.sync(x)])
    expect(difference(got, expected)).toBeLessThan(1e-4)
    expect(calls(captured.toString())).toEqual([
      'mkldnn::_convolution_pointwise',
      'aten::max_pool2d',
      ...new Array(4).fill('mkldnn::_convolution_pointwise'),
    ])
    // Of the residual block the second adds the shortcut and cuts off below zero.
    expect(captured.toString()).toMatch(/_convolution_pointwise\.binary.*add.*relu/)
    expect(captured.toString()).not.toMatch(/batch_norm/)
  })

  test('adds what one chain gives in another, also where both end in the same sum', () => {
    manualSeed(3)
    const [conv, side] = [new Conv2d(4, 4, 3, { padding: 1 }).eval(), new Conv2d(4, 4, 1).eval()]
    const [norm, sideNorm] = [fill(new BatchNorm2d(4)).eval(), fill(new BatchNorm2d(4)).eval()]
    const forward = (x: Tensor) =>
      norm
        .forward(conv.forward(x))
        .add(sideNorm.forward(side.forward(x)))
        .relu_()
    using captured = capture(forward, { optimize: true })
    const x = randn([1, 4, 8, 8])
    noGrad(() => captured.sync(x))
    const [expected, got] = noGrad(() => [forward(x), captured.sync(x)])
    expect(difference(got, expected)).toBeLessThan(1e-4)
    expect(calls(captured.toString())).toEqual(new Array(2).fill('mkldnn::_convolution_pointwise'))
  })

  test('fuses convolutions of volumes as well', () => {
    manualSeed(4)
    const model = new Sequential(
      new Sequential(
        new Conv3d(3, 6, [1, 3, 3], { padding: [0, 1, 1], bias: false }),
        fill(new BatchNorm3d(6)),
        new ReLU(),
      ),
      new Sequential(new Conv3d(6, 4, [3, 1, 1], { stride: [2, 1, 1] }), fill(new BatchNorm3d(4)), new ReLU()),
    ).eval()
    using captured = capture((x: Tensor) => model.forward(x), { optimize: true })
    const x = randn([2, 3, 7, 9, 8])
    noGrad(() => captured.sync(x))
    const [expected, got] = noGrad(() => [model.forward(x), captured.sync(x)])
    expect(difference(got, expected)).toBeLessThan(1e-4)
    expect(got.strides).toEqual(expected.strides)
    expect(calls(captured.toString())).toEqual(new Array(2).fill('mkldnn::_convolution_pointwise'))
  })

  test('keeps the order in memory where operators or the caller see it', () => {
    manualSeed(5)
    const conv = new Conv2d(3, 8, 3).eval()
    // Fused all the same, unless what is written to would be parted from what shares its memory.
    const whole = new Set(['what is written after it was returned to its order'])
    const functions = {
      'what is written through a flattened one': (x: Tensor) => conv.forward(x).relu_().flatten().mul_(2),
      view: (x: Tensor) => conv.forward(x).relu().view([1, -1]),
      as_strided: (x: Tensor) => conv.forward(x).relu().add(1).asStrided([2, 3], [1, 2]),
      'a view of a view': (x: Tensor) => conv.forward(x).permute([0, 2, 3, 1]).mul(2).view([64, 8]),
      'what is written through a reshape': (x: Tensor) => {
        const y = conv.forward(x)
        y.reshape([8, 64]).at(3).mul_(-5)
        return y
      },
      'what is written after it was returned to its order': (x: Tensor) => {
        const y = conv.forward(x)
        const row = y.select(1, 3)
        const flat = y.view([8, 64])
        row.zero_()
        return flat.add(1)
      },
      result: (x: Tensor) => ({ plain: conv.forward(x), cut: conv.forward(x).relu().narrow(2, 1, 3) }),
    }
    for (const [name, fn] of Object.entries(functions)) {
      using captured = capture(fn as (x: Tensor) => Tensor | Record<string, Tensor>, { optimize: true })
      const x = randn([1, 3, 10, 10])
      noGrad(() => captured.sync(x))
      expect(captured.toString().includes('mkldnn'), name).toBe(!whole.has(name))
      const values = (result: Tensor | Record<string, Tensor>) => (isTensor(result) ? [result] : Object.values(result))
      const [expected, got] = noGrad(() => [values(fn(x)), values(captured.sync(x))])
      for (const [i, each] of expected.entries()) {
        expect(difference(got[i] as Tensor, each), name).toBeLessThan(1e-4)
        expect(got[i]?.strides, name).toEqual(each.strides)
      }
    }
  })

  test('is captured anew when a weight or a statistic changes', () => {
    const model = network()
    using captured = capture((x: Tensor) => model.forward(x), { optimize: true })
    const x = randn([1, 3, 16, 16])
    const check = () => inferenceMode(() => difference(captured.sync(x), model.forward(x)))
    check()
    for (const t of [...model.parameters(), ...model.buffers()].filter((t) => t.dtype === 'float32')) {
      noGrad(() => t.mul_(1.5))
      expect(check()).toBeLessThan(1e-3)
    }
    expect(captured.graphCount).toBe(1)
  })

  test('leaves training, and values that are used elsewhere, as they are', () => {
    const model = network()
    using training = capture((x: Tensor) => model.forward(x).sum(), { optimize: true })
    expect(training.sync(randn([1, 3, 16, 16])).requiresGrad).toBe(true)
    expect(training.toString()).toMatch(/aten::batch_norm/)
    const conv = new Conv2d(1, 2, 1).eval()
    const bn = fill(new BatchNorm2d(2))
    using twice = capture(
      (x: Tensor) => {
        const y = conv.forward(x)
        return [y, bn.forward(y)]
      },
      { optimize: true },
    )
    const x = tensor([1, 2, 3, 4], { shape: [1, 1, 2, 2] })
    noGrad(() => twice.sync(x))
    const outputs = noGrad(() => twice.sync(x))
    expect(
      difference(
        outputs[0] as Tensor,
        noGrad(() => conv.forward(x)),
      ),
    ).toBeLessThan(1e-6)
    expect(
      difference(
        outputs[1] as Tensor,
        noGrad(() => bn.forward(conv.forward(x))),
      ),
    ).toBeLessThan(1e-5)
  })

  test('does not move a convolution past a change of its input', () => {
    const conv = new Conv2d(1, 1, 1, { bias: false }).eval()
    using captured = capture(
      (x: Tensor) => {
        const input = x.clone()
        const y = conv.forward(input)
        input.zero_()
        return y.relu()
      },
      { optimize: true },
    )
    noGrad(() => conv.weight.fill_(2))
    const run = () => noGrad(() => captured.sync(tensor([3], { shape: [1, 1, 1, 1] }))).item()
    expect([run(), run()]).toEqual([6, 6])
  })
})
