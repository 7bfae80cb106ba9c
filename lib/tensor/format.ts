import type { Tensor } from './tensor'

/** Text of a tensor as the console shows it. */
export function formatTensor(tensor: Tensor): string {
  return `tensor(${JSON.stringify(tensor.toArray())})`
}
