import { afterEach, expect, test } from 'vitest'
import {
  capture,
  deterministic,
  empty,
  isDeterministic,
  manualSeed,
  randn,
  type Tensor,
  tensor,
  tidy,
  zeros,
} from '../../lib/tensor'

afterEach(() => deterministic(false))

/** LibTorch has no way to write twice to one place that gives equal bits. */
const put = () =>
  tidy(() =>
    zeros([3])
      .put_(tensor([0n, 0n]), tensor([1, 2]))
      .sum()
      .toNumber(),
  )

test('is off at first, and says what it is', () => {
  expect(isDeterministic()).toBe(false)
  deterministic(true)
  expect(isDeterministic()).toBe(true)
  deterministic(true, { warnOnly: true })
  expect(isDeterministic()).toBe(true)
  deterministic(false)
  expect(isDeterministic()).toBe(false)
})

test('refuses operators that cannot give equal bits, by name, and no longer once it is off', () => {
  expect(put()).toBeGreaterThan(0)
  deterministic(true)
  expect(put).toThrow(/put_.*deterministic/)
  deterministic(false)
  expect(put()).toBeGreaterThan(0)
})

test('memory that nobody wrote holds NaN', () => {
  deterministic(true)
  tidy(() => expect(empty([5]).isnan().all().item()).toBe(true))
})

test('a captured function is captured anew for the other mode', () => {
  tidy(() => {
    using run = capture((x: Tensor) => x.add(empty([2]).mul(0)))
    const x = tensor([1, 2])
    run.sync(x)
    deterministic(true)
    expect(run.sync(x).toArray()).toEqual([Number.NaN, Number.NaN])
    expect(run.toString()).toMatch(/empty/)
  })
})

test('equal seeds give equal bits, sums over equal places too', () => {
  deterministic(true)
  const sums = () =>
    tidy(() => {
      manualSeed(3)
      const places = randn([1000]).mul(5).round().to('int64').remainder(7)
      return zeros([7])
        .indexAdd(0, places, randn([1000]))
        .toArray()
    })
  expect(sums()).toEqual(sums())
})
