import { describe, expect, test } from 'vitest'
import { Conv1d, ConvTranspose1d } from '../../lib/nn/conv'
import { Linear } from '../../lib/nn/linear'
import {
  isParametrized,
  Parametrization,
  registerParametrization,
  removeParametrizations,
  spectralNorm,
  weightNorm,
} from '../../lib/nn/parametrizations'
import { type Parameter, parameter } from '../../lib/nn/roles'
import { linalgSvdvals, manualSeed, memory, noGrad, ones, randn, type Tensor, tensor, tidy } from '../../lib/tensor'
import { layerCase, testLayerCases } from '../support/layer-cases'

class Symmetric extends Parametrization {
  forward(x: Tensor): Tensor {
    return x.triu().add(x.triu({ diagonal: 1 }).transpose(-1, -2))
  }

  override rightInverse(value: Tensor): Tensor {
    return value.triu()
  }
}

class Scaled extends Parametrization {
  readonly scale: Parameter = parameter(tensor(1.5))

  forward(x: Tensor): Tensor {
    return x.mul(this.scale)
  }

  override rightInverse(value: Tensor): Tensor {
    return value.div(this.scale)
  }
}

testLayerCases('parametrizations', [
  layerCase('weightNorm rows', () => weightNorm(new Conv1d(3, 4, 3))),
  layerCase('weightNorm columns', () => weightNorm(new Conv1d(3, 4, 3), { dim: 2 })),
  layerCase('weightNorm whole', () => weightNorm(new Linear(5, 2), { dim: null })),
  layerCase('spectralNorm train', () => spectralNorm(new Conv1d(3, 4, 3), { nPowerIterations: 2 })),
  layerCase('spectralNorm eval', () => spectralNorm(new Linear(5, 2)).eval()),
  layerCase('spectralNorm transposed', () => spectralNorm(new ConvTranspose1d(3, 4, 3))),
  layerCase('spectralNorm vector', () => spectralNorm(new Linear(5, 2), { name: 'bias' })),
  layerCase('registerParametrization chain', () => {
    const layer = registerParametrization(new Linear(5, 5), 'weight', new Symmetric())
    return registerParametrization(layer, 'weight', new Scaled())
  }),
])

const rows = (t: Tensor) => t.toArray()
const names = (layer: Linear) => [...layer.stateDict().keys()]

describe('a parametrised layer', () => {
  test('starts with the weight that it had, and trains the originals', () => {
    tidy(() => {
      const layer = new Linear(3, 2)
      const before = layer.weight.clone()
      expect(isParametrized(layer)).toBe(false)
      weightNorm(layer)
      expect(isParametrized(layer, 'weight')).toBe(true)
      expect(isParametrized(layer, 'bias')).toBe(false)
      expect(layer.weight.allclose(before)).toBe(true)
      expect(names(layer)).toEqual(['bias', 'parametrizations.weight.original0', 'parametrizations.weight.original1'])
      expect(layer.parameterCount()).toBe(2 + 2 + 6)
      expect(layer.parameters().every((p) => p.requiresGrad)).toBe(true)
    })
  })

  test('follows train, eval, to, freeze and loadStateDict', () => {
    tidy(() => {
      const layer = spectralNorm(new Linear(3, 2).eval()).freeze().to('float64')
      expect([...layer.modules()].map((m) => m.training)).toEqual([false, false, false, false])
      expect(layer.weight.dtype).toBe('float64')
      expect(layer.weight.requiresGrad).toBe(false)
      const other = spectralNorm(new Linear(3, 2)).eval().to('float64')
      other.loadStateDict(layer.stateDict())
      expect(rows(other.weight)).toEqual(rows(layer.weight))
    })
  })

  test('computes its weight in a scope: reading it many times leaves nothing', () => {
    tidy(() => {
      const layer = spectralNorm(new Linear(3, 2))
      const x = ones([1, 3])
      const before = memory.stats().tensors
      for (let i = 0; i < 5; i++) layer.forward(x).dispose()
      expect(memory.stats().tensors).toBe(before)
    })
  })

  test('takes a value by assignment, through the right inverses', () => {
    tidy(() => {
      const layer = registerParametrization(new Linear(2, 2), 'weight', new Symmetric())
      registerParametrization(layer, 'weight', new Scaled())
      Object.assign(layer, {
        weight: tensor([
          [3, 6],
          [6, 9],
        ]),
      })
      expect(rows(layer.weight)).toEqual([
        [3, 6],
        [6, 9],
      ])
    })
  })

  test('stays frozen where its weight was', () => {
    const layer = new Linear(3, 2)
    layer.weight.requiresGrad_(false)
    weightNorm(layer)
    expect([...layer.namedParameters()].map(([name, p]) => [name, p.requiresGrad])).toEqual([
      ['bias', true],
      ['parametrizations.weight.original0', false],
      ['parametrizations.weight.original1', false],
    ])
  })

  test('prints its parametrisations', () => {
    const lines = String(weightNorm(new Linear(3, 2)))
      .split('\n')
      .map((line) => line.trim())
    expect(lines).toContain('(0): WeightNorm()')
  })
})

describe('removal', () => {
  test('leaves the present value, in the same place among the parameters', () => {
    tidy(() => {
      const layer = weightNorm(new Linear(3, 2))
      noGrad(() => [...layer.namedParameters()][1]?.[1].mul_(2))
      const value = layer.weight.clone()
      removeParametrizations(layer, 'weight')
      expect(names(layer)).toEqual(['weight', 'bias'])
      expect(rows(layer.weight)).toEqual(rows(value))
      expect(layer.weight.isLeaf && layer.weight.requiresGrad).toBe(true)
      expect(String(layer)).not.toContain('parametrizations')
    })
  })

  test('keeps the tensor that an optimiser holds where there is one original', () => {
    tidy(() => {
      const layer = new Linear(2, 2)
      const held = layer.weight
      registerParametrization(layer, 'weight', new Symmetric())
      expect([...layer.namedParameters()][1]?.[1]).toBe(held)
      const value = layer.weight.clone()
      removeParametrizations(layer, 'weight')
      expect(layer.weight).toBe(held)
      expect(rows(held)).toEqual(rows(value))
    })
  })

  test('gives the original back when asked to', () => {
    tidy(() => {
      const layer = registerParametrization(new Linear(2, 2), 'weight', new Scaled())
      const original = [...layer.namedParameters()][1]?.[1]?.toArray()
      removeParametrizations(layer, 'weight', { leaveParametrized: false })
      expect(rows(layer.weight)).toEqual(original)
    })
  })

  test('is refused where it has no meaning', () => {
    const layer = weightNorm(new Linear(2, 2))
    expect(() => removeParametrizations(layer, 'bias')).toThrow('bias of Linear is not parametrised')
    expect(() => removeParametrizations(layer, 'weight', { leaveParametrized: false })).toThrow(
      'weight has 2 originals, of which none can take its place',
    )
  })
})

describe('spectral norm', () => {
  test('divides by the largest singular value', () => {
    tidy(() => {
      manualSeed(1)
      const layer = spectralNorm(new Linear(7, 5), { nPowerIterations: 30 })
      layer.weight.dispose()
      expect(linalgSvdvals(layer.weight).at(0).toNumber()).toBeCloseTo(1, 4)
    })
  })

  test('keeps its estimate in evaluation', () => {
    tidy(() => {
      const layer = spectralNorm(new Linear(7, 5)).eval()
      const buffers = () => layer.buffers().map((b) => b.toArray())
      const before = buffers()
      layer.forward(randn([2, 7]))
      expect(buffers()).toEqual(before)
    })
  })

  test('two forward passes before a backward do not disturb each other', () => {
    tidy(() => {
      const layer = spectralNorm(new Linear(3, 2))
      const x = randn([4, 3])
      layer.forward(x).sum().add(layer.forward(x).sum()).backward()
      expect(layer.parameters().every((p) => p.grad !== null)).toBe(true)
    })
  })
})

describe('bad input is refused by name', () => {
  test('properties that are no tensors of the module', () => {
    const layer = new Linear(2, 3)
    expect(() => weightNorm(layer, { name: 'inFeatures' })).toThrow(
      'inFeatures of Linear is 2, no parameter or buffer; it has weight, bias',
    )
    expect(() => spectralNorm(new Linear(2, 3, { bias: false }), { name: 'bias' })).toThrow(
      'bias of Linear is null, no parameter or buffer; it has weight',
    )
  })

  test('options that do not exist', () => {
    expect(() => weightNorm(new Linear(2, 3), { axis: 1 } as never)).toThrow("there is no option 'axis'")
    expect(() => spectralNorm(new Linear(2, 3), { nPowerIterations: 0 })).toThrow('nPowerIterations is 0')
  })

  test('a parametrisation that changes the shape; the layer stays as it was', () => {
    class Transposed extends Parametrization {
      forward(x: Tensor): Tensor {
        return x.t()
      }
    }
    const layer = new Linear(2, 3)
    const before = layer.weight
    expect(() => registerParametrization(layer, 'weight', new Transposed())).toThrow(
      'weight is float32 [3, 2], but the parametrisation gives float32 [2, 3]; they must agree',
    )
    expect(layer.weight).toBe(before)
    expect(names(layer)).toEqual(['weight', 'bias'])
  })
})
