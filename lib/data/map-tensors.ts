import { isTensor } from '../tensor/handle'
import type { Tensor } from '../tensor/tensor'

/** A value with another tensor in the place of each, in arrays and plain objects. */
export function mapTensors(value: unknown, replace: (tensor: Tensor) => Tensor): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (isTensor(value)) return replace(value as Tensor)
  if (Array.isArray(value)) return value.map((item) => mapTensors(item, replace))
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapTensors(item, replace)]))
}
