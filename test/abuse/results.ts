import { Complex, isTensor, type Tensor } from '../../lib'
import { CODE_OF_DTYPE } from '../../lib/tensor/types'

/** A result as plain data that outlives its tensors and can be compared. */
export type Snapshot =
  | {
      readonly kind: 'tensor'
      readonly shape: readonly number[]
      readonly dtype: string
      readonly values: ArrayLike<unknown> | undefined
    }
  | { readonly kind: 'list'; readonly items: readonly Snapshot[] }
  | { readonly kind: 'value'; readonly value: unknown }

/** `values` of tensors are left out where they are not to be compared: memory that nobody wrote, the meta device. */
export function snapshot(result: unknown, withValues = true): Snapshot {
  if (Array.isArray(result)) return { kind: 'list', items: result.map((item) => snapshot(item, withValues)) }
  if (!isTensor(result)) return { kind: 'value', value: Complex.is(result) ? result.toString() : result }
  const { shape, dtype, device } = result as Tensor
  const values = withValues && device !== 'meta' ? elements(result as Tensor) : undefined
  return { kind: 'tensor', shape, dtype, values }
}

function elements(tensor: Tensor): ArrayLike<unknown> {
  const dense = tensor.layout === 'strided' ? tensor : tensor.toDense()
  if (CODE_OF_DTYPE.has(dense.dtype)) return dense.dataSync() as ArrayLike<unknown>
  // complex32 and uint64 come out of a few operators, but no typed array holds them.
  return dense.to(dense.isComplex() ? 'complex64' : 'float64').dataSync() as ArrayLike<unknown>
}

/** Why two results differ, or undefined. `tolerance` is relative; without it numbers must be the very same. */
export function difference(a: Snapshot, b: Snapshot, tolerance = 0): string | undefined {
  if (a.kind === 'list' && b.kind === 'list') {
    if (a.items.length !== b.items.length) return `${a.items.length} results, not ${b.items.length}`
    for (const [i, item] of a.items.entries()) {
      const inner = difference(item, b.items[i] as Snapshot, tolerance)
      if (inner) return `result ${i + 1}: ${inner}`
    }
    return undefined
  }
  if (a.kind === 'tensor' && b.kind === 'tensor') return tensorDifference(a, b, tolerance)
  if (a.kind === 'value' && b.kind === 'value')
    return Object.is(a.value, b.value) ? undefined : `${a.value}, not ${b.value}`
  return `a ${a.kind}, not a ${b.kind}`
}

type TensorSnapshot = Extract<Snapshot, { kind: 'tensor' }>

function tensorDifference(a: TensorSnapshot, b: TensorSnapshot, tolerance: number): string | undefined {
  if (String(a.shape) !== String(b.shape)) return `shape [${a.shape}], not [${b.shape}]`
  if (a.dtype !== b.dtype) return `${a.dtype}, not ${b.dtype}`
  if (!a.values || !b.values) return undefined
  for (let i = 0; i < a.values.length; i++) {
    if (!close(a.values[i], b.values[i], tolerance)) return `element ${i} is ${a.values[i]}, not ${b.values[i]}`
  }
  return undefined
}

export function close(x: unknown, y: unknown, tolerance: number): boolean {
  if (Object.is(x, y) || x === y) return true
  if (tolerance === 0 || typeof x !== 'number' || typeof y !== 'number') return false
  return Math.abs(x - y) <= tolerance * Math.max(1, Math.abs(x), Math.abs(y))
}
