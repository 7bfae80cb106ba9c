// Numbers that every element of a tensor has a different part in, the same here and in tools/reference/backbones/common.py.
import type { Module } from '../../lib/nn'
import { noGrad, type Tensor, tensor, tidy } from '../../lib/tensor'
import { HANDLE } from '../../lib/tensor/handle'

/** Prime, so that rows of a matrix are never the same numbers. */
const PERIOD = 65_537

/** `count` numbers in [−1, 1) that look independent, chosen by a name. */
export function hashNumbers(name: string, count: number): Float64Array {
  let seed = 0x811c9dc5
  for (const byte of Buffer.from(name)) seed = Math.imul(seed ^ byte, 0x01000193)
  const numbers = new Float64Array(Math.min(count, PERIOD))
  for (let i = 0; i < numbers.length; i++) {
    let x = (seed + Math.imul(i, 0x9e3779b9)) >>> 0
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
    numbers[i] = ((x ^ (x >>> 16)) >>> 0) / 2 ** 31 - 1
  }
  return numbers
}

/** A float32 tensor `centre + spread · hashNumbers(name)`, the numbers repeated as often as needed. */
export function hashTensor(name: string, shape: readonly number[], spread = 1, centre = 0): Tensor {
  const size = shape.reduce((product, length) => product * length, 1)
  const numbers = hashNumbers(name, size)
  for (let i = 0; i < numbers.length; i++) numbers[i] = centre + spread * (numbers[i] as number)
  const period = new Float32Array(numbers)
  return tidy(() => {
    const once = tensor(period)
    if (size <= PERIOD) return once.reshape([...shape])
    return once
      .repeat([Math.ceil(size / PERIOD)])
      .narrow(0, 0, size)
      .reshape([...shape])
  })
}

/** Whole numbers from 0 to `high` − 1. */
export function hashIntegers(name: string, shape: readonly number[], high: number): Tensor<'int64'> {
  const size = shape.reduce((product, length) => product * length, 1)
  const numbers = hashNumbers(name, size)
  const values = BigInt64Array.from({ length: size }, (_, i) =>
    BigInt(Math.floor((((numbers[i % PERIOD] ?? 0) + 1) / 2) * high)),
  )
  return tensor(values, { shape: [...shape] }) as Tensor<'int64'>
}

/** Fills every floating-point tensor of a network by its name. */
export function fillWithHash(network: Module): void {
  fillStateWithHash(network.stateDict())
}

/** How far numbers lie from 0, by a regular expression that the name matches; the first one counts. */
export type Spreads = Readonly<Record<string, number>>

/** The same for tensors by name; `spreads` for networks that scale their weights themselves. */
export function fillStateWithHash(state: ReadonlyMap<string, Tensor>, spreads: Spreads = {}): void {
  const seen = new Set<number>()
  noGrad(() => {
    for (const [name, target] of state) {
      if (seen.has(target[HANDLE]) || !/^(float|bfloat)/.test(target.dtype)) continue
      seen.add(target[HANDLE])
      const { spread, centre } = rangeOf(name, target.shape, spreads)
      tidy(() => target.copy_(hashTensor(name, target.shape, spread, centre)))
    }
  })
}

/** Sums keep their variance, norms stay near the identity, statistics are possible ones. */
function rangeOf(name: string, shape: readonly number[], spreads: Spreads): { spread: number; centre: number } {
  const wanted = Object.entries(spreads).find(([pattern]) => new RegExp(pattern).test(name))
  if (wanted) return { spread: wanted[1], centre: 0 }
  const last = name.slice(name.lastIndexOf('.') + 1)
  if (last === 'running_var') return { spread: 0.5, centre: 1 }
  if (shape.length >= 2) {
    const fanIn = shape.slice(1).reduce((product, length) => product * length, 1)
    return { spread: Math.sqrt(3 / fanIn), centre: 0 }
  }
  return last === 'weight' || last === 'gamma' ? { spread: 0.2, centre: 1 } : { spread: 0.1, centre: 0 }
}
