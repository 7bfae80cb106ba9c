import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Conv2d, Linear, Module, ModuleDict, ModuleList, ReLU, Sequential } from '../../lib/nn'
import { type Buffer, buffer, type Parameter, parameter } from '../../lib/nn/roles'
import { memory, noGrad, ones, type Tensor, tensor, tidy, zeros } from '../../lib/tensor'

/** A module with every kind of member, in an order that the state dict must not keep. */
class Block extends Module {
  static override readonly stateNames = { renamed: 'old_name' }
  readonly conv = new Linear(2, 2)
  readonly runningMean: Buffer
  readonly scale: Parameter
  readonly positions: Buffer
  readonly renamed: Parameter
  readonly weight_ih_l0: Parameter
  readonly Mixed: Linear
  readonly list: ModuleList<Linear>
  /** Neither is part of the module: no role, no module. */
  readonly plain = ones([2])
  readonly options = { width: 2 }

  constructor() {
    super()
    this.runningMean = buffer(zeros([2]))
    this.scale = parameter(ones([2]))
    this.positions = buffer(ones([2]), { persistent: false })
    this.renamed = parameter(ones([1]), { requiresGrad: false })
    this.weight_ih_l0 = parameter(ones([1]))
    this.Mixed = new Linear(2, 1, { bias: false })
    this.list = new ModuleList([new Linear(1, 1, { bias: false })])
  }

  forward(x: Tensor): Tensor {
    return this.Mixed.forward(this.conv.forward(x).mul(this.scale))
  }
}

let before = 0
beforeEach(() => {
  before = memory.stats().tensors
})
/** Modules that a test made. */
const made: Module[] = []
const make = <M extends Module>(module: M): M => {
  made.push(module)
  return module
}
afterEach(() => {
  for (const module of made.splice(0)) module.dispose()
})

describe('names', () => {
  const STATE = [
    'scale',
    'old_name',
    'weight_ih_l0',
    'running_mean',
    'conv.weight',
    'conv.bias',
    'Mixed.weight',
    'list.0.weight',
  ]

  test("stand in PyTorch's order: own parameters, own buffers, then children", () => {
    expect([...make(new Block()).stateDict().keys()]).toEqual(STATE)
  })

  test('parameters, buffers and modules are walked with dotted names', () => {
    const block = make(new Block())
    expect([...block.namedParameters()].map(([name]) => name)).toEqual(STATE.filter((name) => name !== 'running_mean'))
    expect([...block.namedBuffers()].map(([name]) => name)).toEqual(['running_mean', 'positions'])
    expect([...block.namedModules('net')].map(([name]) => name)).toEqual([
      'net',
      'net.conv',
      'net.Mixed',
      'net.list',
      'net.list.0',
    ])
    expect(block.parameterCount()).toBe(2 + 1 + 1 + 6 + 2 + 1)
    expect(block.parameterCount({ trainable: true })).toBe(block.parameterCount() - 1)
  })

  test('a tensor without a role belongs to nobody', () => {
    const block = make(new Block())
    block.dispose()
    expect(block.plain.disposed).toBe(false)
    block.plain.dispose()
  })
})

describe('state dicts', () => {
  test('load by name, converted, into the same tensors', () => {
    const [source, target] = [make(new Block()), make(new Block()).to('float64')]
    const { weight } = target.Mixed
    const report = target.loadStateDict(source.stateDict())
    expect(report).toEqual({ missing: [], unexpected: [] })
    expect(target.Mixed.weight).toBe(weight)
    expect(weight.dtype).toBe('float64')
    tidy(() => expect(weight.to('float32').toArray()).toEqual(source.Mixed.weight.toArray()))
  })

  test('a plain object serves as well', () => {
    const layer = make(new Linear(1, 1))
    const state = { weight: tensor([[5]]), bias: tensor([7]) }
    layer.loadStateDict(state)
    expect([layer.weight.toArray(), layer.bias?.toArray()]).toEqual([[[5]], [7]])
  })

  test('what does not fit is listed whole, and nothing is changed', () => {
    const block = make(new Block())
    const state = new Map(block.stateDict())
    state.delete('conv.bias')
    state.delete('scale')
    state.set('conv.weight', ones([3, 2]))
    state.set('Mixed.weight', ones([2]))
    state.set('running_mean', ones([2]))
    state.set('extra', ones([1]))
    state.set('more.extra', ones([1]))
    const values = [...block.stateDict()].map(([name, value]) => [name, value.toArray()])
    expect(() => block.loadStateDict(state)).toThrow(
      [
        'Block.loadStateDict: the state dict does not fit; nothing was changed',
        '2 missing:',
        '  scale',
        '  conv.bias',
        '2 unexpected:',
        '  extra',
        '  more.extra',
        '2 of another shape:',
        '  conv.weight: [3, 2], expected [2, 2]',
        '  Mixed.weight: [2], expected [1, 2]',
      ].join('\n'),
    )
    expect([...block.stateDict()].map(([name, value]) => [name, value.toArray()])).toEqual(values)
  })

  test('strict: false loads what agrees and reports the rest; shapes must agree all the same', () => {
    const layer = make(new Linear(1, 1))
    const report = layer.loadStateDict({ weight: tensor([[5]]), other: ones([1]) }, { strict: false })
    expect(report).toEqual({ missing: ['bias'], unexpected: ['other'] })
    expect(layer.weight.toArray()).toEqual([[5]])
    expect(() => layer.loadStateDict({ weight: ones([2]) }, { strict: false })).toThrow(/\[2\], expected \[1, 1\]/)
  })

  test('a value that is no tensor is named', () => {
    const layer = make(new Linear(1, 1))
    expect(() => layer.loadStateDict({ weight: [[1]], bias: ones([1]) } as never)).toThrow(/weight: is no tensor/)
  })
})

describe('tied parameters', () => {
  class Tied extends Module {
    readonly first = new Linear(2, 2)
    readonly second = new Linear(2, 2)
    readonly again: Linear
    constructor() {
      super()
      Object.assign(this.second, { weight: this.first.weight })
      this.again = this.first
    }
  }

  test('are counted, moved and trained once, and have all their names in the state dict', () => {
    const tied = make(new Tied())
    expect([...tied.namedParameters()].map(([name]) => name)).toEqual(['first.weight', 'first.bias', 'second.bias'])
    expect([...tied.stateDict().keys()]).toEqual([
      'first.weight',
      'first.bias',
      'second.weight',
      'second.bias',
      'again.weight',
      'again.bias',
    ])
    expect([...tied.modules()]).toHaveLength(3)
    tied.to('float64')
    expect(tied.second.weight).toBe(tied.first.weight)
    expect(tied.second.weight.dtype).toBe('float64')
  })
})

describe('training', () => {
  test('gradients reach the parameters, and zeroGrad forgets them', () => {
    const layer = make(new Linear(2, 1))
    tidy(() =>
      layer
        .forward(tensor([[2, 3]]))
        .sum()
        .backward(),
    )
    expect(tidy(() => layer.weight.grad?.toArray())).toEqual([[2, 3]])
    layer.zeroGrad()
    expect(layer.weight.grad).toBeNull()
  })

  test('a frozen part gets none', () => {
    const net = make(new Sequential(new Linear(2, 2), new ReLU(), new Linear(2, 1)))
    net.at(0).freeze()
    tidy(() =>
      net
        .forward(ones([3, 2]))
        .sum()
        .backward(),
    )
    expect(net.at(0).weight.grad).toBeNull()
    tidy(() => expect(net.at(2).weight.grad).not.toBeNull())
    expect(net.parameterCount({ trainable: true })).toBe(3)
    net.requiresGrad_()
    expect(net.parameterCount({ trainable: true })).toBe(9)
  })

  test('train and eval reach every module', () => {
    const net = make(new Sequential(new ReLU(), new ModuleListUser()))
    net.eval()
    expect([...net.modules()].map(({ training }) => training)).toEqual(new Array(5).fill(false))
    expect(net.train().at(1).items.at(0).training).toBe(true)
  })

  test('apply visits children before parents', () => {
    const names: string[] = []
    make(new Sequential(new ReLU(), new Sequential(new Linear(1, 1)))).apply((m) => names.push(m.constructor.name))
    expect(names).toEqual(['ReLU', 'Linear', 'Sequential', 'Sequential'])
  })
})

class ModuleListUser extends Module {
  readonly items = new ModuleList([new ReLU()])
  forward(x: Tensor): Tensor {
    return this.items.at(0).forward(x)
  }
}

describe('to', () => {
  test('converts floating-point tensors, gradients too, and leaves counters', () => {
    class Counter extends Module {
      readonly weight = parameter(ones([2]))
      readonly count = buffer(tensor(3n))
    }
    const counter = make(new Counter())
    tidy(() => counter.weight.sum().backward())
    const { weight } = counter
    expect(counter.to('float64')).toBe(counter)
    expect(counter.weight).toBe(weight)
    expect([weight.dtype, tidy(() => weight.grad?.dtype), counter.count.dtype]).toEqual(['float64', 'float64', 'int64'])
    expect(weight.isLeaf && weight.requiresGrad).toBe(true)
    counter.to({ dtype: 'float32', device: 'cpu' })
    expect(weight.dtype).toBe('float32')
  })

  test("'meta' holds no data to move: made there, or not at all", () => {
    const layer = make(new Linear(2, 2, { device: 'meta' }))
    expect(layer.forward(zeros([3, 2], { device: 'meta' })).shape).toEqual([3, 2])
    expect(() => layer.to('cpu')).toThrow(/a tensor on 'meta' cannot move to 'cpu'; make the module there/)
    expect(() => make(new Linear(2, 2)).to('meta')).toThrow(/cannot move to 'meta'/)
  })
})

describe('memory', () => {
  test('a forward frees all but what it returns', () => {
    const net = make(new Sequential(new Conv2d(1, 2, 3), new ReLU(), new Conv2d(2, 2, 3)))
    const x = ones([1, 1, 8, 8])
    const alive = memory.stats().tensors
    const y = noGrad(() => net.forward(x))
    expect(memory.stats().tensors).toBe(alive + 1)
    for (const t of [x, y]) t.dispose()
  })

  test('the scope holds for subclasses, for super.forward and for several results', () => {
    class Pair extends Linear {
      override forward(x: Tensor): Tensor {
        return super.forward(x).mul(2).add(1)
      }
    }
    class Parts extends Module {
      forward(x: Tensor): { sum: Tensor; parts: Tensor[] } {
        const doubled = x.mul(2)
        return { sum: doubled.sum(), parts: [doubled.add(1)] }
      }
    }
    const [pair, parts] = [make(new Pair(2, 2)), new Parts()]
    const x = ones([1, 2])
    const alive = memory.stats().tensors
    const y = noGrad(() => pair.forward(x))
    const { sum, parts: list } = parts.forward(x)
    expect(memory.stats().tensors).toBe(alive + 3)
    expect(sum.toNumber()).toBe(4)
    for (const t of [x, y, sum, ...list]) t.dispose()
  })

  test('parameters outlive the scope in which the module was made', () => {
    const layer = make(tidy(() => new Linear(2, 2)))
    const kept: Linear[] = []
    tidy(() => {
      kept.push(make(new Linear(2, 2)))
    })
    expect([layer.weight.disposed, kept[0]?.weight.disposed]).toEqual([false, false])
  })

  test('dispose leaves nothing alive', () => {
    const net = new Sequential(new Conv2d(1, 2, 3), new ModuleListUser(), new Conv2d(2, 2, 3))
    tidy(() =>
      net
        .forward(ones([1, 1, 8, 8]))
        .sum()
        .backward(),
    )
    net.zeroGrad()
    net.dispose()
    net.dispose()
    expect(memory.stats().tensors).toBe(before)
    expect(() => net.forward(ones([1, 1, 8, 8]))).toThrow(/disposed/)
  })

  test('an error in a forward leaves nothing', () => {
    class Fails extends Module {
      forward(x: Tensor): Tensor {
        x.mul(2)
        throw new Error('as planned')
      }
    }
    const x = ones([2])
    const alive = memory.stats().tensors
    expect(() => new Fails().forward(x)).toThrow('as planned')
    expect(memory.stats().tensors).toBe(alive)
  })

  test('a forward that is no method is refused', () => {
    class Odd extends Module {}
    Object.defineProperty(Odd.prototype, 'forward', { value: 3 })
    expect(() => new Odd()).toThrow(/forward is 3, not a method/)
  })
})

describe('printing', () => {
  test('nests children as PyTorch does', () => {
    const expected = `ModuleList(
  (0): ModuleDict(
    (up): Linear(inFeatures=1, outFeatures=2, bias=true)
    (act): ReLU()
  )
  (1): ModuleList(
    (0-1): 2 x ReLU()
    (2): Linear(inFeatures=2, outFeatures=1, bias=false)
  )
)`
    const list = make(
      new ModuleList<Module>([
        new ModuleDict({ up: new Linear(1, 2), act: new ReLU() }),
        new ModuleList<Module>([new ReLU(), new ReLU(), new Linear(2, 1, { bias: false })]),
      ]),
    )
    expect(String(list)).toBe(expected)
    expect(inspect(list)).toBe(expected)
  })
})
