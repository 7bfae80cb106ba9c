import { setImmediate as turn } from 'node:timers/promises'
import { beforeEach, describe, expect, test } from 'vitest'
import { dispose, keep, memory, ones, type Tensor, tidy, tidyAsync } from '../../lib/tensor'
import { TENSORS } from '../../lib/tensor/handle'

const live = () => memory.stats().tensors
let before = 0
beforeEach(() => {
  before = live()
})

describe('tidy', () => {
  test('frees what the function makes, but not what it returns', () => {
    const y = tidy(() => ones([2]).add(1).mul(2))
    expect(live()).toBe(before + 1)
    expect(y.toArray()).toEqual([4, 4])
    y.dispose()
  })

  test('keeps tensors inside arrays, objects, maps, sets and objects that list theirs', () => {
    const make = () => ones([1])
    const kept = tidy(() => {
      make()
      return {
        list: [make(), [make()]],
        map: new Map([['a', make()]]),
        set: new Set([make()]),
        bare: Object.assign(Object.create(null), { x: make() }),
        holder: { [TENSORS]: () => [make()] },
      }
    })
    expect(live()).toBe(before + 6)
    dispose([kept.list, kept.map, kept.set, kept.bare])
    // The holder made its own when it was asked.
    expect(live()).toBe(before + 1)
  })

  test('a cycle in the result ends', () => {
    const result: { x: Tensor; self?: unknown } = tidy(() => {
      const cyclic: { x: Tensor; self?: unknown } = { x: ones([1]) }
      cyclic.self = cyclic
      return cyclic
    })
    expect(result.x.disposed).toBe(false)
    dispose(result)
    expect(live()).toBe(before)
  })

  test('nested: an inner result belongs to the outer scope', () => {
    let inner: Tensor | undefined
    tidy(() => {
      inner = tidy(() => ones([1]).add(1))
      expect(inner.item()).toBe(2)
    })
    expect(inner?.disposed).toBe(true)
    expect(live()).toBe(before)
  })

  test('an inner scope leaves the outer one’s tensors, also when it returns them', () => {
    tidy(() => {
      const x = ones([1])
      expect(tidy(() => x)).toBe(x)
      tidy(() => [x])
      expect(x.disposed).toBe(false)
    })
    expect(live()).toBe(before)
  })

  test('an error frees everything and passes on', () => {
    const boom = new Error('boom')
    expect(() =>
      tidy(() => {
        ones([1]).add(1)
        throw boom
      }),
    ).toThrow(boom)
    expect(live()).toBe(before)
  })

  test('a promise is refused, and nothing stays', async () => {
    expect(() => tidy(async () => ones([1]))).toThrow(/tidyAsync/)
    expect(() => tidy(() => Promise.reject(new Error('unheard')))).toThrow(/tidyAsync/)
    await turn()
    expect(live()).toBe(before)
  })

  test('a long loop that disposes by hand does not collect dead tensors', () => {
    tidy(() => {
      const x = ones([1])
      for (let i = 0; i < 50_000; i++) x.add(1).dispose()
      expect(live()).toBe(before + 1)
    })
    expect(live()).toBe(before)
  })

  test('more tensors than the frame holds are freed', () => {
    tidy(() => ones([30_000]).unbind().length)
    expect(live()).toBe(before)
  })
})

describe('keep', () => {
  test('takes a tensor out of all scopes', () => {
    let x: Tensor | undefined
    tidy(() =>
      tidy(() => {
        x = keep(ones([1]))
      }),
    )
    expect(x?.disposed).toBe(false)
    x?.dispose()
    expect(live()).toBe(before)
  })

  test('twice, and of a tensor outside any scope, changes nothing', () => {
    const x = ones([1])
    expect(keep(keep(x))).toBe(x)
    x.dispose()
  })

  test('a kept tensor that a scope returns stays kept', () => {
    const x = tidy(() => tidy(() => keep(ones([1]))))
    expect(x.disposed).toBe(false)
    x.dispose()
  })
})

describe('using', () => {
  test('frees at the end of the block', () => {
    let seen: Tensor
    {
      using x = ones([1])
      seen = x
      expect(x.item()).toBe(1)
    }
    expect(seen.disposed).toBe(true)
    expect(live()).toBe(before)
  })
})

describe('tidyAsync', () => {
  test('frees when the promise settles, and not before', async () => {
    const y = await tidyAsync(async () => {
      const x = ones([1])
      await turn()
      const sum = x.add(1)
      await sum.data()
      return sum
    })
    expect(live()).toBe(before + 1)
    expect(y.item()).toBe(2)
    y.dispose()
  })

  test('two at once do not free each other’s', async () => {
    const task = (start: number, turns: number) =>
      tidyAsync(async () => {
        let x = ones([1]).mul(start)
        for (let i = 0; i < turns; i++) {
          await turn()
          x = tidy(() => x.add(1))
        }
        return x.item()
      })
    expect(await Promise.all([task(10, 3), task(20, 9), task(30, 1)])).toEqual([13, 29, 31])
    expect(live()).toBe(before)
  })

  test('a rejection frees everything', async () => {
    const failing = tidyAsync(async () => {
      ones([1])
      await turn()
      ones([2])
      throw new Error('late')
    })
    await expect(failing).rejects.toThrow('late')
    expect(live()).toBe(before)
  })

  test('a function that throws at once rejects', async () => {
    const failing = tidyAsync(() => {
      ones([1])
      throw new Error('at once')
    })
    await expect(failing).rejects.toThrow('at once')
    expect(live()).toBe(before)
  })

  test('results of asynchronous reads belong to the scope that asked', async () => {
    await tidyAsync(async () => {
      await Promise.all([1, 2, 3].map((n) => ones([n]).mul(n).data()))
      expect(live()).toBeGreaterThan(before)
    })
    expect(live()).toBe(before)
  })

  test('a tensor made after its scope ended goes to the enclosing one', async () => {
    let late: Promise<Tensor> | undefined
    await tidyAsync(async () => {
      await tidyAsync(async () => {
        late = turn().then(() => ones([1]))
      })
      expect((await late)?.disposed).toBe(false)
      expect(live()).toBe(before + 1)
    })
    expect((await late)?.disposed).toBe(true)
    expect(live()).toBe(before)
  })

  test('and to nobody where there is none', async () => {
    let late: Promise<Tensor> | undefined
    await tidyAsync(async () => {
      late = turn().then(() => ones([1]))
    })
    const x = (await late) as Tensor
    expect(x.disposed).toBe(false)
    x.dispose()
    expect(live()).toBe(before)
  })
})
