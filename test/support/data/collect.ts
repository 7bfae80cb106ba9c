import { isTensor, type Tensor } from '../../../lib/tensor'

/** A value with arrays in the place of its tensors. */
export function plain(value: unknown): unknown {
  if (isTensor(value)) return (value as Tensor).toArray()
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
}

/** All batches of a loader as plain values. */
export async function collect(loader: AsyncIterable<unknown>): Promise<unknown[]> {
  const batches: unknown[] = []
  for await (const batch of loader) batches.push(plain(batch))
  return batches
}
