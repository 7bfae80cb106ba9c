import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import * as nn from '../../lib/nn'
import * as plain from '../../lib/nn/activation'
import * as smooth from '../../lib/nn/activation-smooth'
import * as F from '../../lib/nn/functional'
import {
  GradcheckError,
  gradcheck,
  gradgradcheck,
  manualSeed,
  memory,
  rand,
  randn,
  type Tensor,
  tensor,
  tidy,
} from '../../lib/tensor'
import { caseNames } from '../support/layer-cases'
import { checkGradients, NOT_BY_DIFFERENCES } from '../support/layer-gradients'

// The cases of every export are compared with differences where they are declared, by testLayerCases(); here are those
// that cannot be, at inputs where they can, and the second derivatives.

const double = 'float64' as const
const leaf = (...shape: number[]) => randn(shape, { dtype: double }).requiresGrad_()
const seeded = (name: string, fn: () => void) =>
  test(name, () => {
    manualSeed(2)
    const before = memory.stats().tensors
    tidy(fn)
    expect(memory.stats().tensors).toBe(before)
  })

test('exceptions are cases that exist', () => {
  const fixtures = readdirSync(new URL('../fixtures/nn', import.meta.url)).filter((file) => /\.safetensors$/.test(file))
  const names = new Set(fixtures.flatMap((file) => [...caseNames(file.replace('.safetensors', ''))]))
  expect(Object.keys(NOT_BY_DIFFERENCES).filter((name) => !names.has(name))).toEqual([])
})

test('a layer with a wrong gradient fails', () => {
  class Wrong extends nn.Module {
    readonly weight = nn.parameter(tensor([2, 3], { dtype: double }))
    forward(x: Tensor): Tensor {
      return x.mul(this.weight).mul(this.weight.detach())
    }
  }
  tidy(() => {
    const layer = new Wrong()
    const x = leaf(2)
    expect(() => checkGradients(layer, [x], () => [layer.forward(x)])).toThrow(GradcheckError)
    layer.dispose()
  })
})

describe('by differences, where the case of the fixture cannot be', () => {
  seeded('Embedding without a padding row', () => {
    const layer = new nn.Embedding(6, 3, { dtype: double })
    const rows = tensor([0n, 2n, 2n, 5n])
    expect(gradcheck(() => layer.forward(rows), [layer.weight])).toBe(true)
    expect(gradcheck((w) => F.embedding(rows, w as Tensor), leaf(6, 3))).toBe(true)
    layer.dispose()
  })

  seeded('embeddingBag in each mode', () => {
    const rows = tensor([[0n, 2n], [2n, 4n]]) // biome-ignore format: a matrix
    for (const mode of ['sum', 'mean', 'max'] as const) {
      expect(gradcheck((w) => F.embeddingBag(rows, w as Tensor, { mode }), leaf(5, 3))).toBe(true)
    }
  })

  seeded('gaussianNllLoss with variances above eps', () => {
    const variance = rand([3, 5], { dtype: double }).add(0.5).requiresGrad_()
    const loss = new nn.GaussianNLLLoss({ full: true })
    expect(
      gradcheck((x, y, v) => loss.forward(x as Tensor, y as Tensor, v as Tensor), [leaf(3, 5), leaf(3, 5), variance]),
    ).toBe(true)
  })

  seeded('ctcLoss of normalised log-probabilities', () => {
    const targets = tensor([[1n, 2n, 2n], [3n, 1n, 0n]]) // biome-ignore format: a matrix
    const [lengths, targetLengths] = [tensor([7n, 6n]), tensor([3n, 2n])]
    const loss = (x: Tensor) => F.ctcLoss(x.logSoftmax(2), targets, lengths, targetLengths, { reduction: 'none' })
    expect(gradcheck(loss, leaf(7, 2, 4))).toBe(true)
  })

  seeded('max unpooling with distinct indices', () => {
    const x = leaf(1, 2, 4, 6)
    const [pooled, indices] = F.maxPool2dWithIndices(x.detach(), [2, 2]) as [Tensor, Tensor]
    const unpool = new nn.MaxUnpool2d(2)
    expect(gradcheck((y) => unpool.forward(y as Tensor, indices), pooled.requiresGrad_())).toBe(true)
    const line = leaf(1, 2, 3)
    const places = tensor([[[0n, 3n, 4n], [1n, 2n, 5n]]]) // biome-ignore format: a matrix
    expect(gradcheck((y) => new nn.MaxUnpool1d(2).forward(y as Tensor, places), line)).toBe(true)
    const corner = tensor([[[[[0n]]], [[[7n]]]]])
    expect(gradcheck((y) => new nn.MaxUnpool3d(2).forward(y as Tensor, corner), leaf(1, 2, 1, 1, 1))).toBe(true)
  })
})

const ACTIVATIONS: readonly (readonly [string, () => nn.Layer])[] = [
  ['CELU', () => new nn.CELU({ alpha: 0.6 })],
  ['ELU', () => new nn.ELU({ alpha: 1.7 })],
  ['GELU', () => new nn.GELU()],
  ['GELU tanh', () => new nn.GELU({ approximate: 'tanh' })],
  ['GLU', () => new nn.GLU({ dim: 1 })],
  ['Hardshrink', () => new nn.Hardshrink()],
  ['Hardswish', () => new nn.Hardswish()],
  ['Hardtanh', () => new nn.Hardtanh()],
  ['LeakyReLU', () => new nn.LeakyReLU({ negativeSlope: 0.3 })],
  ['LogSigmoid', () => new nn.LogSigmoid()],
  ['LogSoftmax', () => new nn.LogSoftmax(1)],
  ['Mish', () => new nn.Mish()],
  ['PReLU', () => new nn.PReLU({ numParameters: 4 })],
  ['ReLU', () => new nn.ReLU()],
  ['ReLU6', () => new nn.ReLU6()],
  ['RReLU eval', () => new nn.RReLU().eval()],
  ['SELU', () => new nn.SELU()],
  ['SiLU', () => new nn.SiLU()],
  ['Sigmoid', () => new nn.Sigmoid()],
  ['Softmax', () => new nn.Softmax(1)],
  ['Softmin', () => new nn.Softmin(1)],
  ['Softplus', () => new nn.Softplus({ beta: 1.5 })],
  ['Softshrink', () => new nn.Softshrink()],
  ['Softsign', () => new nn.Softsign()],
  ['Tanh', () => new nn.Tanh()],
  ['Tanhshrink', () => new nn.Tanhshrink()],
  ['Threshold', () => new nn.Threshold(0.1, 2)],
]

const LAYERS: readonly (readonly [string, () => nn.Layer, readonly number[]])[] = [
  ...ACTIVATIONS.map(([name, make]) => [name, make, [3, 4]] as const),
  ['Linear', () => new nn.Linear(4, 3), [2, 4]],
  ['Conv1d', () => new nn.Conv1d(2, 4, 3, { groups: 2 }), [2, 2, 6]],
  ['Conv2d', () => new nn.Conv2d(2, 3, 3, { stride: 2, padding: 1 }), [1, 2, 5, 5]],
  ['Conv3d', () => new nn.Conv3d(1, 2, 2), [1, 1, 3, 3, 3]],
  ['ConvTranspose2d', () => new nn.ConvTranspose2d(2, 2, 2, { stride: 2 }), [1, 2, 3, 3]],
  ['BatchNorm2d train', () => new nn.BatchNorm2d(2), [3, 2, 2, 2]],
  ['BatchNorm2d eval', () => new nn.BatchNorm2d(2).eval(), [2, 2, 2, 2]],
  ['InstanceNorm2d', () => new nn.InstanceNorm2d(2, { affine: true }), [2, 2, 3, 3]],
  ['GroupNorm', () => new nn.GroupNorm(2, 4), [2, 4, 3]],
  ['LayerNorm', () => new nn.LayerNorm([4]), [3, 4]],
  ['AvgPool2d', () => new nn.AvgPool2d(2), [1, 2, 4, 4]],
  ['MaxPool2d', () => new nn.MaxPool2d(2), [1, 2, 4, 4]],
  ['AdaptiveAvgPool2d', () => new nn.AdaptiveAvgPool2d(2), [1, 2, 5, 3]],
]

describe('second derivatives by differences', () => {
  for (const [name, make, shape] of LAYERS) {
    seeded(name, () => {
      const layer = make().to(double)
      expect(
        gradgradcheck((x) => layer.forward(x as Tensor), [leaf(...shape), ...layer.parameters()], { fastMode: true }),
      ).toBe(true)
      layer.dispose()
    })
  }

  seeded('are refused by name where LibTorch has none', () => {
    expect(() => gradgradcheck((x) => new nn.Hardsigmoid().forward(x as Tensor), leaf(3))).toThrow(
      /derivative for aten::hardsigmoid_backward is not implemented/,
    )
  })

  test('of every activation', () => {
    const named = new Set(ACTIVATIONS.map(([name]) => name.split(' ')[0]))
    const others = ['Hardsigmoid', 'Softmax2d']
    const activations = Object.keys({ ...plain, ...smooth }).filter((name) => /^[A-Z]/.test(name))
    expect(activations.filter((name) => !named.has(name) && !others.includes(name))).toEqual([])
  })
})
