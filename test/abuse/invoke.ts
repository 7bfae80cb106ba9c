import * as root from '../../lib'
import { Tensor } from '../../lib'
import * as operators from '../../lib/tensor/ops.generated'
import { camelCase } from '../../tools/generate-ops/typescript'

type Invocation = (...values: unknown[]) => unknown

const functions: Readonly<Record<string, unknown>> = { ...operators }
const methods = Tensor.prototype as unknown as Readonly<Record<string, unknown>>

/** The exported function of an operator, if it has one. */
export function freeFunction(name: string): Invocation | undefined {
  const exported = functions[camelCase(name)]
  return typeof exported === 'function' ? (exported as Invocation) : undefined
}

/** The method of an operator as a function of all its values; `self` tells which of them is the tensor. */
export function methodFunction(name: string, self = 0): Invocation | undefined {
  const method = methods[camelCase(name)]
  if (typeof method !== 'function') return undefined
  return (...values) =>
    method.apply(
      values[self],
      values.filter((_, i) => i !== self),
    )
}

/** What an application would call: the function, or the method where there is no function. */
export function publicForm(name: string): Invocation {
  const form = freeFunction(name) ?? methodFunction(name)
  if (!form) throw new Error(`${name} is neither a function nor a method`)
  return form
}

export const { call } = root
