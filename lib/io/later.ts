import { callAsync } from '../tensor/call'
import type { Tensor } from '../tensor/tensor'

/** An `aten` operator with one result, on LibTorch's threads: a large picture must not hold up the event loop. */
export async function later(
  operator: string,
  args: readonly unknown[],
  options?: Record<string, unknown>,
): Promise<Tensor> {
  return (await callAsync(`aten::${operator}`, args, options)) as Tensor
}
