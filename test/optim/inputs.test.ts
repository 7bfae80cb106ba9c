import { describe, expect, test } from 'vitest'
import { parameter } from '../../lib/nn/roles'
import * as optim from '../../lib/optim'
import { memory, ones, type Tensor, tensor, tidy, zeros } from '../../lib/tensor'

const { Adam, Adamax, LBFGS, SGD, RMSprop } = optim
const weight = () => parameter(ones([2, 3]))
const failure = (fn: () => unknown): { kind?: string; message: string } => {
  try {
    fn()
  } catch (error) {
    return error as Error
  }
  return { message: 'nothing was thrown' }
}
const refused = (fn: () => unknown, message: RegExp, kind = 'Argument') =>
  expect(failure(fn)).toMatchObject({ kind, message: expect.stringMatching(message) })

describe('options', () => {
  type Constructor = new (params: unknown, options?: unknown) => unknown
  const exported = optim as unknown as Record<string, Constructor>
  const cases: [optimiser: keyof typeof optim, options: Record<string, unknown>, message: RegExp][] = [
    ['SGD', { lr: -0.1 }, /SGD: lr is -0.1; it must be a number of at least 0/],
    ['SGD', { lr: Number.NaN }, /lr is NaN/],
    ['SGD', { lr: '0.1' }, /lr is '0.1'/],
    ['SGD', { lr: tensor([1, 2]) }, /one element/],
    ['SGD', { lr: tensor(1n) }, /float32 or float64, got int64/],
    ['SGD', { momentum: -1 }, /momentum is -1/],
    ['SGD', { weightDecay: -1 }, /weightDecay is -1/],
    ['SGD', { nesterov: true }, /nesterov needs a momentum above 0/],
    ['SGD', { nesterov: true, momentum: 0.9, dampening: 0.1 }, /no dampening/],
    ['SGD', { maximize: 1 }, /maximize is 1; it must be true or false/],
    ['SGD', { learningRate: 1 }, /no option 'learningRate'; the options are lr, momentum/],
    ['Adam', { betas: [0.9, 1] }, /Adam: betas\[1\] is 1; it must be a number of at least 0 and below 1/],
    ['Adam', { betas: [-0.1, 0.9] }, /betas\[0\] is -0.1/],
    ['AdamW', { betas: 0.9 }, /AdamW: betas are 0.9; they must be two numbers/],
    ['Adam', { eps: -1 }, /eps is -1/],
    ['Adamax', { weightDecay: Number.POSITIVE_INFINITY }, /weightDecay is Infinity/],
    ['NAdam', { momentumDecay: -1 }, /momentumDecay is -1/],
    ['RAdam', { decoupledWeightDecay: 'yes' }, /decoupledWeightDecay is 'yes'/],
    ['Adagrad', { lrDecay: -1 }, /lrDecay is -1/],
    ['Adadelta', { rho: 1.1 }, /rho is 1.1; it must be a number of at least 0 and at most 1/],
    ['RMSprop', { alpha: -1 }, /alpha is -1/],
    ['LBFGS', { maxIter: 0 }, /maxIter is 0; it must be a whole number of at least 1/],
    ['LBFGS', { lineSearchFn: 'armijo' }, /must be 'strong_wolfe' or null/],
  ]
  test.each(cases)('%s %j', (name, options, message) => {
    refused(() => new (exported[name] as Constructor)([weight()], options), message)
    // The same rule holds for the options of a group.
    if (name !== 'LBFGS') {
      refused(() => new (exported[name] as Constructor)([{ params: [weight()], ...options }]), message)
    }
  })

  test('schedulers', () => {
    const optimizer = new SGD([{ params: [weight()] }, { params: [weight()] }], { lr: 0.1 })
    refused(() => new optim.StepLR(optimizer, { stepSize: 0 }), /stepSize is 0/)
    refused(() => new optim.StepLR({} as never, { stepSize: 1 }), /no optimizer/)
    refused(() => new optim.MultiStepLR(optimizer, { milestones: [1.5] }), /milestones\[0\] is 1.5/)
    refused(() => new optim.LambdaLR(optimizer, { lrLambda: [() => 1] }), /lrLambda has 1 values; the optimizer has 2/)
    refused(() => new optim.LambdaLR(optimizer, { lrLambda: 0.5 as never }), /lrLambda is 0.5, no function/)
    refused(() => new optim.LinearLR(optimizer, { startFactor: 0 }), /startFactor is 0/)
    refused(() => new optim.OneCycleLR(optimizer, { maxLr: 1 }), /how long/)
    refused(() => new optim.OneCycleLR(optimizer, { maxLr: 1, totalSteps: 5, pctStart: 2 }), /pctStart is 2/)
    const adagrad = new optim.Adagrad([weight()])
    refused(() => new optim.OneCycleLR(adagrad, { maxLr: 1, totalSteps: 5 }), /pass cycleMomentum: false/)
    const cycle = new optim.OneCycleLR(optimizer, { maxLr: 1, totalSteps: 1 })
    cycle.step()
    refused(() => cycle.step(), /step 2 is beyond its totalSteps of 1/)
    refused(() => new optim.ReduceLROnPlateau(optimizer, { factor: 1 }), /factor is 1/)
    refused(() => new optim.ReduceLROnPlateau(optimizer, { mode: 'least' as never }), /must be min or max/)
    const step = new optim.StepLR(optimizer, { stepSize: 1 })
    refused(() => new optim.SequentialLR(optimizer, { schedulers: [step], milestones: [3] }), /take 0 milestones/)
    refused(
      () => new optim.SequentialLR(optimizer, { schedulers: [step, step], milestones: [0] }),
      /milestones\[0\] is 0/,
    )
    refused(() => new optim.SequentialLR(adagrad, { schedulers: [step], milestones: [] }), /of another optimizer/)
    refused(() => new optim.ChainedScheduler([]), /takes schedulers/)
    refused(() => step.loadStateDict({ gamma: 1 }), /has no step_size, base_lrs, last_epoch/, 'Format')
  })
})

describe('parameters', () => {
  test('there must be some, leaves that require gradients, each once', () => {
    const p = weight()
    refused(() => new SGD([]), /there are no parameters/)
    refused(() => new SGD([{ params: [] }]), /a group has no parameters/)
    refused(() => new SGD(p as never), /put the tensor into a list/)
    refused(() => new SGD(null as never), /the parameters are null/)
    refused(() => new SGD(['w'] as never), /got 'w'/)
    refused(() => new SGD([{ params: 3 }] as never), /with params 3/)
    refused(() => new SGD([p, 'w'] as never), /parameter 1 is 'w', not a Tensor/)
    refused(() => new SGD([ones([2])]), /parameter 0 \[2\] does not require gradients/)
    refused(() => new SGD([p.mul(2)]), /was computed; only leaf tensors/)
    refused(() => new SGD([p, p]), /parameter 1 \[2, 3\] is there twice/)
    refused(() => new SGD([{ params: [p] }, { params: [p] }]), /is there twice/)
    refused(() => new SGD([parameter(zeros([1], { dtype: 'complex64' }))]), /viewAsReal/)
    refused(() => new LBFGS([{ params: [p] }, { params: [weight()] }]), /takes one group/)
  })

  test('a step needs what it needs', () => {
    const p = weight()
    refused(() => new LBFGS([p]).step(), /step needs a closure/)
    p.grad = ones([2, 3]).toSparse() as Tensor<'float32'>
    refused(() => new SGD([p]).step(), /a gradient is sparse_coo/)
  })

  test('with gaps, in other orders, or without elements get the step of contiguous ones', () => {
    for (const make of [Adam, SGD, Adamax, RMSprop, optim.Adagrad]) {
      const layouts: (() => Tensor)[] = [
        () => ones([2, 3, 4, 5]).mul(0.5),
        () => ones([2, 3, 4, 5]).mul(0.5).contiguous({ memoryFormat: 'channels_last' }),
        () => ones([2, 3, 4, 10]).mul(0.5).narrow(3, 2, 5),
        () => ones([5, 4, 3, 2]).mul(0.5).permute([3, 2, 1, 0]),
      ]
      const values = Float32Array.from({ length: 120 }, (_, i) => Math.sin(i))
      const results = layouts.map((layout) => {
        const p = parameter(layout().detach())
        const optimizer = new make([p, parameter(zeros([0]))], { weightDecay: 0.1 })
        for (const scale of [1, -3]) {
          p.grad = tensor(values, { shape: [2, 3, 4, 5] }).mul(scale) as Tensor<'float32'>
          optimizer.step()
        }
        return p.toArray()
      })
      for (const result of results.slice(1)) expect(result, make.name).toEqual(results[0])
    }
  })

  test('without gradients stay as they are', () => {
    const [p, q] = [weight(), weight()]
    const optimizer = new Adam([p, q])
    p.grad = ones([2, 3])
    optimizer.step()
    expect(q.toArray()).toEqual(weight().toArray())
    expect(Object.keys(optimizer.stateDict().state)).toEqual(['0'])
    optimizer.initialize()
    expect(Object.keys(optimizer.stateDict().state)).toEqual(['0', '1'])
  })
})

const stepsOf = ({ state }: optim.OptimizerStateDict) => (state[0] as { step: Tensor }).step.item()

describe('state dicts', () => {
  test('of another optimiser, another model or none are refused, and nothing is changed', () => {
    const make = (shape: number[]) => {
      const p = parameter(ones(shape))
      p.grad = ones(shape)
      return p
    }
    const step = <T extends optim.AnyOptimizer>(optimizer: T) => {
      optimizer.step()
      return optimizer
    }
    const adam = step(new Adam([make([2, 3])], { lr: 0.1 }))
    const before = JSON.stringify(adam.stateDict())
    const foreign: [unknown, RegExp][] = [
      [
        step(new SGD([make([2, 3])], { momentum: 0.9 })).stateDict(),
        /param_groups\[0\].momentum: the optimiser has no such option[\s\S]*state\[0\].momentum_buffer: the optimiser keeps no such state[\s\S]*state\[0\].exp_avg: missing/,
      ],
      [step(new Adam([make([3, 2])])).stateDict(), /state\[0\].exp_avg: \[3, 2\], the parameter is \[2, 3\]/],
      [step(new Adam([make([2, 3])], { amsgrad: true })).stateDict(), /nothing thrown/],
      [step(new Adam([make([2, 3]), make([1])])).stateDict(), /groups of 2 parameters, the optimiser has 1/],
      [{}, /no state dict of an optimiser/],
      [null, /null is no state dict/],
      [{ state: {}, param_groups: [{ params: [0], betas: [2, 3] }] }, /betas\[0\] is 2/],
    ]
    for (const [state, message] of foreign) {
      const other = new Adam([make([2, 3])], { lr: 0.1 })
      if (String(message).includes('nothing thrown')) {
        // Options come with the state dict, and with them what state there is.
        other.loadStateDict(state as optim.OptimizerStateDict)
        expect(other.paramGroups[0]?.amsgrad).toBe(true)
        continue
      }
      const kind = String(message).includes('betas') ? 'Argument' : 'Format'
      refused(() => adam.loadStateDict(state as optim.OptimizerStateDict), message, kind)
      expect(JSON.stringify(adam.stateDict())).toBe(before)
    }
  })

  test('are copied, and loading leaves nothing behind', () => {
    const p = weight()
    p.grad = ones([2, 3])
    const [first, second] = [new Adam([p]), new Adam([p])]
    first.step()
    const state = first.stateDict()
    second.loadStateDict(state)
    const made = memory.stats().tensors
    second.loadStateDict(state)
    expect(memory.stats().tensors).toBe(made)
    second.step()
    expect(stepsOf(state)).toBe(1)
    expect(stepsOf(second.stateDict())).toBe(2)
  })

  test('hold numbers for counts in older files', () => {
    const p = weight()
    p.grad = ones([2, 3])
    const optimizer = new Adam([p])
    const exp = zeros([2, 3])
    optimizer.loadStateDict({
      state: { 0: { step: 7, exp_avg: exp, exp_avg_sq: exp } },
      param_groups: [{ params: [0] }],
    })
    optimizer.step()
    expect(stepsOf(optimizer.stateDict())).toBe(8)
  })
})

test('a step, zeroGrad and dispose leave nothing behind', () => {
  const p = weight()
  const before = memory.stats().tensors
  const optimizer = new Adam([p])
  tidy(() => {
    p.grad = ones([2, 3])
    optimizer.step()
    optimizer.zeroGrad({ setToNone: false })
    expect(p.grad?.toArray()).toEqual(zeros([2, 3]).toArray())
    optimizer.zeroGrad()
    expect(p.grad).toBeNull()
  })
  expect(memory.stats().tensors).toBe(before + 3)
  optimizer.dispose()
  expect(memory.stats().tensors).toBe(before)
})

test('the closure is run with gradients, and its loss is returned', () => {
  const p = weight()
  const optimizer = new SGD([p], { lr: 1 })
  const loss = optimizer.step(() => {
    optimizer.zeroGrad()
    const sum = p.sum()
    sum.backward()
    return sum
  })
  expect([loss.item(), p.sum().item()]).toEqual([6, 0])
})
