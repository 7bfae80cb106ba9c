import { keep } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'

/** What a tensor is to the module that holds it. */
export type Role = 'parameter' | 'buffer' | 'transient'

const ROLE: unique symbol = Symbol.for('@lab/vision-native/role') as never

/** A tensor that training changes. */
export type Parameter = Tensor & { readonly [ROLE]: 'parameter' }
/** A tensor that belongs to a module's state, but that no gradient reaches. */
export type Buffer = Tensor & { readonly [ROLE]: 'buffer' | 'transient' }

/**
 * Makes a tensor a parameter: a leaf that requires gradients and outlives every scope, until its module is disposed.
 *
 * @param options `requiresGrad: false` for a frozen one
 */
export function parameter(tensor: Tensor, { requiresGrad = true }: { requiresGrad?: boolean } = {}): Parameter {
  const leaf = tensor.isLeaf ? tensor : tensor.detach()
  return mark(keep(leaf.requiresGrad_(requiresGrad)), 'parameter') as Parameter
}

/**
 * Makes a tensor part of a module's state.
 *
 * @param options `persistent: false` leaves it out of `stateDict()`
 */
export function buffer(tensor: Tensor, { persistent = true }: { persistent?: boolean } = {}): Buffer {
  return mark(keep(tensor), persistent ? 'buffer' : 'transient') as Buffer
}

export function roleOf(tensor: object): Role | undefined {
  return (tensor as { [ROLE]?: Role })[ROLE]
}

function mark(tensor: Tensor, role: Role): Tensor {
  return Object.defineProperty(tensor, ROLE, { value: role, configurable: true })
}
