import { isTensor } from '../tensor/handle'
import { tensorsIn } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'
import type { Device } from '../tensor/types'

/** Number of samples of a batch: the first size of its first tensor that has one. */
export function sampleCount(batch: unknown): number {
  for (const tensor of tensorsIn(batch)) {
    const [first] = (tensor as Tensor).shape
    if (first !== undefined) return first
  }
  return 1
}

/** A batch with its tensors on a device, through arrays and plain objects; the batch itself where they are there. */
export function toDevice<Batch>(batch: Batch, device: Device): Batch {
  const elsewhere = [...tensorsIn(batch)].some((tensor) => (tensor as Tensor).device !== device)
  return elsewhere ? (moved(batch, device) as Batch) : batch
}

function moved(value: unknown, device: Device): unknown {
  if (isTensor(value)) return (value as Tensor).to(device)
  if (Array.isArray(value)) return value.map((item) => moved(item, device))
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [key, moved(item, device)]))
  if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, moved(item, device)]))
  }
  return value
}
