import { describe, expect, test } from 'vitest'
import { bridge, native } from '../../lib/native/frame'
import {
  add,
  cat,
  dispose,
  keep,
  memory,
  ones,
  type Tensor,
  Tensor as TensorClass,
  tensor,
  tidy,
} from '../../lib/tensor'
import { HANDLE } from '../../lib/tensor/handle'

const disposed = expect.objectContaining({ kind: 'Disposed', code: 'ERR_VISION_NATIVE_DISPOSED' })

function disposedTensor(): Tensor {
  const x = ones([2])
  x.dispose()
  return x
}

describe('a disposed tensor', () => {
  test('is refused by every use, and by name', () => {
    const x = disposedTensor()
    expect(x.disposed).toBe(true)
    expect(() => x.add(1)).toThrow(disposed)
    expect(() => add(ones([2]), x)).toThrow(disposed)
    expect(() => cat([ones([2]), x])).toThrow(/index 1 of a list was disposed/)
    expect(() => add(ones([2]), 1, { alpha: x } as never)).toThrow(
      expect.objectContaining({ kind: expect.stringMatching(/Disposed|Argument/) }),
    )
    expect(() => x.shape).toThrow(disposed)
    expect(() => x.dataSync()).toThrow(disposed)
    expect(() => x.item()).toThrow(disposed)
    expect(() => x.grad).toThrow(disposed)
    expect(() => keep(x)).toThrow(disposed)
    expect(() => x.at(0)).toThrow(disposed)
  })

  test('rejects asynchronous reads', async () => {
    await expect(disposedTensor().data()).rejects.toThrow(disposed)
  })

  test('may be disposed again', () => {
    const before = memory.stats().tensors
    const x = disposedTensor()
    x.dispose()
    dispose([x, x])
    expect(memory.stats().tensors).toBe(before)
  })
})

describe('handles', () => {
  test('a stale handle does not reach the tensor that took its slot', () => {
    const old = ones([1])
    const stale = old[HANDLE]
    old.dispose()
    const fresh = tensor([5])
    // The slot is the same; the generation is not.
    expect(fresh[HANDLE] % 2 ** 22).toBe(stale % 2 ** 22)
    expect(fresh[HANDLE]).not.toBe(stale)
    const forged = new TensorClass(stale)
    expect(() => forged.add(1)).toThrow(disposed)
    expect(() => forged.shape).toThrow(disposed)
    native.doubles[0] = stale
    bridge().free(1)
    expect(fresh.item()).toBe(5)
    fresh.dispose()
  })

  test('no number that is not a live handle is taken for one', () => {
    tidy(() => {
      const x = ones([1])
      for (const handle of [Number.NaN, -1, 0.5, 1, 2 ** 53, 2 ** 60, Number.POSITIVE_INFINITY, x[HANDLE] + 1]) {
        const forged = new TensorClass(handle)
        expect(() => forged.add(1), String(handle)).toThrow(disposed)
      }
    })
  })

  test('the class is not for applications to construct', () => {
    expect(() => new (TensorClass as never as new (data: unknown) => Tensor)([1, 2])).toThrow(/tensor\(data\)/)
  })

  test('slots are used again: many tensors one after another take no room', () => {
    const first = ones([1])
    const slot = first[HANDLE] % 2 ** 22
    first.dispose()
    for (let i = 0; i < 10_000; i++) ones([1]).dispose()
    const last = ones([1])
    expect(last[HANDLE] % 2 ** 22).toBe(slot)
    last.dispose()
  })
})

describe('a call frame that is not what it should be', () => {
  test.each([
    ['no such function', [1e9, 4, 0, 0]],
    ['a fractional end', [0, 0.5, 0, 0]],
    ['NaN', [Number.NaN, Number.NaN, Number.NaN, Number.NaN]],
    ['negative counts', [0, 4, -1, -1]],
    ['more values than there are', [0, 4, 3, 0]],
    ['an unknown tag', [0, 6, 1, 0, 99, 0]],
    ['a string that was never interned', [0, 6, 1, 0, 6, 1e6]],
    ['a list past the frame', [0, 6, 1, 0, 7, 8191]],
  ])('%s is refused', (_, words) => {
    ones([1]).dispose()
    native.doubles.fill(0, 0, 16)
    native.doubles.set(words)
    expect(() => bridge().invoke()).toThrow(expect.objectContaining({ kind: 'Argument' }))
  })

  test('arguments of native functions are checked', () => {
    const raw = bridge() as never as Record<string, (...args: unknown[]) => unknown>
    expect(() => raw.intern?.(5)).toThrow(expect.objectContaining({ kind: 'Argument' }))
    expect(() => raw.define?.('aten::add', 'Tensor')).toThrow(expect.objectContaining({ kind: 'Argument' }))
    expect(() => raw.fromBytes?.([1, 2])).toThrow(expect.objectContaining({ kind: 'Argument' }))
    expect(() => raw.toBytes?.('x', new Uint8Array(4))).toThrow(expect.objectContaining({ kind: 'Argument' }))
    expect(() => raw.free?.(undefined)).toThrow(expect.objectContaining({ kind: 'Argument' }))
    expect(() => raw.manualSeed?.(1)).toThrow(expect.objectContaining({ kind: 'Argument' }))
  })
})
