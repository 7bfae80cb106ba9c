import { beforeAll, describe, expect, test } from 'vitest'
import { parameter } from '../../lib/nn/roles'
import { Adam, AdamW, GradScaler, RMSprop, SGD } from '../../lib/optim'
import {
  autocast,
  autocastDType,
  conv2d,
  crossEntropyLoss,
  isAutocastEnabled,
  linear,
  memory,
  ones,
  type Tensor,
  tensor,
  tidy,
} from '../../lib/tensor'
import { deviation, FACTS, readExtras } from './reference-extras'

let stored: (name: string) => Tensor
beforeAll(async () => {
  stored = await readExtras()
})

describe('autocast', () => {
  // Products of 16-bit numbers may be summed in another order on another machine.
  const LIMITS = { bfloat16: 2e-2, float16: 3e-3 } as const

  test.each(['bfloat16', 'float16'] as const)('computes and differentiates as PyTorch does (%s)', (dtype) => {
    const get = (name: string) => stored(`autocast/${dtype}/${name}`)
    const [weight, kernel] = [parameter(get('linear').clone()), parameter(get('kernel').clone())]
    const results = autocast({ dtype }, () => {
      const scores = linear(get('x'), weight)
      const features = conv2d(get('image'), kernel, { padding: 1 })
      const product = scores.matmul(scores.t())
      const total = features.to('float32').pow(2).mean()
      const loss = crossEntropyLoss(scores, tensor([0n, 1n, 2n, 3n]))
      const softmax = scores.softmax(1)
      const added = scores.add(get('x').narrow(1, 0, 5))
      return { scores, features, product, total, loss, softmax, added }
    })
    results.loss.add(results.total).backward()
    for (const [name, expected] of Object.entries(FACTS.autocast[dtype])) {
      expect(results[name as keyof typeof results].dtype, name).toBe(expected)
    }
    for (const name of ['scores', 'features', 'product', 'loss'] as const) {
      expect(deviation(results[name], get(name)), name).toBeLessThan(LIMITS[dtype])
    }
    expect(weight.grad?.dtype).toBe('float32')
    expect(deviation(weight.grad as Tensor, get('linear.grad'))).toBeLessThan(LIMITS[dtype])
    expect(deviation(kernel.grad as Tensor, get('kernel.grad'))).toBeLessThan(LIMITS[dtype])
  })

  test('ends with its function, also when that throws, and nests', () => {
    const product = () => ones([2, 2]).matmul(ones([2, 2])).dtype
    expect(product()).toBe('float32')
    autocast({}, () => {
      expect([product(), isAutocastEnabled(), autocastDType()]).toEqual(['bfloat16', true, 'bfloat16'])
      autocast({ enabled: false }, () => expect([product(), isAutocastEnabled()]).toEqual(['float32', false]))
      autocast({ dtype: 'float16' }, () => expect(product()).toBe('float16'))
      expect(product()).toBe('bfloat16')
      expect(() =>
        autocast({ enabled: false }, () => {
          throw new Error('inside')
        }),
      ).toThrow('inside')
      expect(product()).toBe('bfloat16')
    })
    expect([product(), isAutocastEnabled()]).toEqual(['float32', false])
  })

  test('uses a weight as the optimiser left it, also in the same scope', () => {
    const weight = parameter(ones([1, 1]))
    autocast({}, () => {
      const output = () => linear(ones([1, 1]), weight)
      output().to('float32').sum().backward()
      new SGD([weight], { lr: 0.5 }).step()
      expect(output().to('float32').item()).toBe(0.5)
    })
  })

  test('refuses promises and what it does not know', () => {
    expect(() => autocast({}, async () => 1)).toThrow(/returned a promise/)
    expect(isAutocastEnabled()).toBe(false)
    expect(() => autocast({ device: 'tpu' as never }, () => 1)).toThrow(/device is 'tpu'/)
    expect(() => autocast({ dtype: 'float32' as never }, () => 1)).toThrow(/dtype is 'float32'/)
  })
})

describe('GradScaler', () => {
  test.each(FACTS.scaler.map((fact) => [fact.optimiser, fact] as const))(
    'scales and skips as PyTorch does (%s)',
    (name, fact) => {
      const scaler = new GradScaler({ initScale: 1024, growthFactor: 3, backoffFactor: 0.25, growthInterval: 3 })
      const param = parameter(ones([3]))
      const optimizer = name === 'Adam' ? new Adam([param], { lr: 0.1 }) : new RMSprop([param], { lr: 0.1 })
      for (let step = 0; step < 10; step++) {
        optimizer.zeroGrad()
        const weights = [1, 2, 0.5].map((weight) => weight * (step + 1))
        if (step === 2 || step === 7) weights[1] = Number.POSITIVE_INFINITY
        if (step === 3) weights[0] = Number.NaN
        tidy(() => scaler.scale(param.mul(tensor(weights)).sum()).backward())
        if (step % 2) scaler.unscale_(optimizer)
        scaler.step(optimizer)
        scaler.update()
        expect(scaler.getScale(), `scale of step ${step}`).toBe(fact.scales[step])
        expect(deviation(param, stored(`scaler/${name}/${step}`)), `step ${step}`).toBeLessThan(1e-5)
      }
      expect(scaler.stateDict()).toEqual(fact.state)
    },
  )

  test.each([
    ['SGD', (p: Tensor) => new SGD([p], { momentum: 0.9 })],
    ['SGD with dampening', (p: Tensor) => new SGD([p], { momentum: 0.9, dampening: 0.5 })],
    ['AdamW', (p: Tensor) => new AdamW([p])],
  ] as const)('a skipped step of %s changes neither parameters nor counts', (_, make) => {
    const param = parameter(ones([2]))
    const optimizer = make(param)
    const scaler = new GradScaler({ device: 'cpu' })
    const run = (weights: number[]) => {
      optimizer.zeroGrad()
      scaler.scale(param.mul(tensor(weights)).sum()).backward()
      scaler.step(optimizer)
      scaler.update()
      return JSON.stringify([param.toArray(), optimizer.stateDict()])
    }
    const before = run([1, 2])
    expect(run([Number.NaN, 1])).toBe(before)
    expect(run([1, 1])).not.toBe(before)
  })

  test('continues from its state dict', () => {
    const scaler = new GradScaler({ device: 'cpu' })
    scaler.loadStateDict({ scale: 8, growth_factor: 2, backoff_factor: 0.5, growth_interval: 5, _growth_tracker: 3 })
    expect(scaler.stateDict()).toEqual({
      scale: 8,
      growth_factor: 2,
      backoff_factor: 0.5,
      growth_interval: 5,
      _growth_tracker: 3,
    })
    expect(() => scaler.loadStateDict({})).toThrow(/was the saved scaler off/)
  })

  test('does nothing when it is off', () => {
    const scaler = new GradScaler({ enabled: false })
    const param = parameter(ones([1]))
    const loss = param.sum()
    expect(scaler.scale(loss)).toBe(loss)
    loss.backward()
    const optimizer = new SGD([param], { lr: 1 })
    scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()
    expect([param.item(), scaler.getScale(), scaler.stateDict()]).toEqual([0, 1, {}])
  })

  test('says when calls come in the wrong order', () => {
    const param = parameter(ones([1]))
    const optimizer = new SGD([param])
    expect(() => new GradScaler().step(optimizer)).toThrow(/call scale\(loss\) first/)
    const scaler = new GradScaler({ device: 'cpu' })
    expect(() => scaler.update()).toThrow(/no step was taken/)
    scaler.scale(param.sum()).backward()
    scaler.unscale_(optimizer)
    expect(() => scaler.unscale_(optimizer)).toThrow(/was unscaled already/)
    scaler.step(optimizer)
    expect(() => scaler.step(optimizer)).toThrow(/was stepped already/)
    expect(() => new GradScaler({ growthFactor: 1 })).toThrow(/growthFactor is 1/)
  })

  test('refuses float16 gradients', () => {
    const param = parameter(ones([1]).to('float16'))
    param.grad = ones([1]).to('float16')
    expect(() => new GradScaler({ device: 'cpu' }).step(new SGD([param]))).toThrow(/a gradient is float16/)
  })

  test('leaves nothing behind', () => {
    const before = memory.stats().tensors
    tidy(() => {
      const param = parameter(ones([1]))
      const scaler = new GradScaler()
      const optimizer = new SGD([param])
      for (let step = 0; step < 5; step++) {
        scaler.scale(param.sum()).backward()
        scaler.step(optimizer)
        scaler.update()
      }
      param.grad = null
      for (const part of [scaler, optimizer, param]) part.dispose()
    })
    expect(memory.stats().tensors).toBe(before)
  })
})
