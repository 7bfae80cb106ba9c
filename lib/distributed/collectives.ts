// Collectives: calls that all processes of a group make in the same order, by LibTorch's functional operators, so that a
// captured function holds them.
import { ArgumentError, DistributedError, ShapeError } from '../native/errors'
import { call, callAsync, describe } from '../tensor/call'
import { tensor } from '../tensor/creation'
import { isTensor } from '../tensor/handle'
import { tidyAsync } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'
import { groupOf, type ProcessGroup } from './process-group'

export interface CollectiveOptions {
  /** The default group unless stated. */
  readonly group?: ProcessGroup | undefined
}

/** How values of processes become one. */
export type ReduceOp = 'sum' | 'mean' | 'product' | 'min' | 'max'

export interface AllReduceOptions extends CollectiveOptions {
  /** `sum` unless stated. */
  readonly op?: ReduceOp | undefined
}

const REDUCTIONS: Readonly<Record<ReduceOp, string>> = {
  sum: 'sum',
  mean: 'sum',
  product: 'product',
  min: 'min',
  max: 'max',
}

/**
 * The sum, or another reduction, over all processes. Waits on this thread; inside a captured function that is the
 * graph's. Sums and means have gradients.
 *
 * @param input of one shape and dtype in all processes
 */
export function allReduce(input: Tensor, { op = 'sum', group }: AllReduceOptions = {}): Tensor {
  const { name, worldSize } = groupOf(group, 'allReduce')
  if (op === 'sum' || op === 'mean') {
    const sum = call('vision_native_distributed::all_reduce_sum', [input, name]) as Tensor
    return op === 'mean' ? sum.div(worldSize) : sum
  }
  return waited(call('_c10d_functional::all_reduce', [input.contiguous(), reduction(op), name]))
}

/** `allReduce` beside the event loop, without gradients. */
export function allReduceAsync(input: Tensor, { op = 'sum', group }: AllReduceOptions = {}): Promise<Tensor> {
  const { name, worldSize } = groupOf(group, 'allReduceAsync')
  return tidyAsync(async () => {
    const issued = call('_c10d_functional::all_reduce', [input.detach().contiguous(), reduction(op), name])
    const reduced = await waitedAsync(issued)
    return op === 'mean' ? reduced.div(worldSize) : reduced
  })
}

function reduction(op: ReduceOp): string {
  const name = REDUCTIONS[op]
  if (name === undefined) {
    throw new ArgumentError(`allReduce: op is ${describe(op)}; it must be one of ${Object.keys(REDUCTIONS).join(', ')}`)
  }
  return name
}

/** The tensor of one process, on all. @param source its rank; 0 unless stated */
export function broadcastAsync(
  input: Tensor,
  { source = 0, group }: CollectiveOptions & { readonly source?: number | undefined } = {},
): Promise<Tensor> {
  const { name, worldSize } = groupOf(group, 'broadcastAsync')
  if (!(Number.isInteger(source) && source >= 0 && source < worldSize)) {
    throw new ArgumentError(
      `broadcastAsync: source is ${describe(source)}; it must be a rank from 0 to ${worldSize - 1}`,
    )
  }
  return tidyAsync(() => waitedAsync(call('_c10d_functional::broadcast', [input.detach().contiguous(), source, name])))
}

/**
 * The tensors of all processes, one after the other along the first dimension.
 *
 * @param input `[N, …]`, of one shape in all processes
 * @returns `[worldSize · N, …]`
 */
export function allGatherAsync(input: Tensor, { group }: CollectiveOptions = {}): Promise<Tensor> {
  const { name, worldSize } = groupOf(group, 'allGatherAsync')
  if (input.ndim === 0) throw new ShapeError('allGatherAsync: the input has no dimension; unsqueeze(0) gives it one')
  return tidyAsync(() =>
    waitedAsync(call('_c10d_functional::all_gather_into_tensor', [input.detach().contiguous(), worldSize, name])),
  )
}

/** Waits until all processes are here. @throws DistributedError naming those that did not come in time */
export async function barrier({ group }: CollectiveOptions = {}): Promise<void> {
  const { name, timeoutMs } = groupOf(group, 'barrier')
  try {
    await callAsync('vision_native_distributed::process_group_barrier', [name, timeoutMs])
  } catch (error) {
    // LibTorch throws its general exception here, whose text says "rank" of a process as of a shape.
    throw new DistributedError((error as Error).message, { cause: error })
  }
}

/** What each process passes, in the order of ranks. @param value anything that JSON holds */
export function allGatherObject<T>(value: T, options: CollectiveOptions = {}): Promise<T[]> {
  const { worldSize } = groupOf(options.group, 'allGatherObject')
  return tidyAsync(async () => {
    const bytes = Buffer.from(JSON.stringify(value) ?? 'null')
    const counts = await allGatherAsync(tensor([bytes.length], { dtype: 'int64' }), options)
    const lengths = Array.from(counts.dataSync() as BigInt64Array, Number)
    const longest = Math.max(...lengths)
    const padded = new Uint8Array(longest)
    padded.set(bytes)
    const all = (await allGatherAsync(tensor(padded), options)).dataSync() as Uint8Array
    return Array.from({ length: worldSize }, (_, rank) => {
      const own = all.subarray(rank * longest, rank * longest + (lengths[rank] ?? 0))
      return JSON.parse(Buffer.from(own).toString()) as T
    })
  })
}

/** Makes tensors of all processes equal those of one, in place; parameters before a training, for instance. */
export async function broadcastTensors(
  tensors: readonly Tensor[],
  { source = 0, group }: CollectiveOptions & { readonly source?: number | undefined } = {},
): Promise<void> {
  const { name } = groupOf(group, 'broadcastTensors')
  if (tensors.length > 0) await callAsync('vision_native_distributed::broadcast_all', [tensors, name, source])
}

function waited(issued: unknown): Tensor {
  return call('_c10d_functional::wait_tensor', [checked(issued)]) as Tensor
}

async function waitedAsync(issued: unknown): Promise<Tensor> {
  return (await callAsync('vision_native_distributed::wait_tensor', [checked(issued)])) as Tensor
}

function checked(issued: unknown): Tensor {
  if (!isTensor(issued)) throw new ArgumentError(`collective: gave ${describe(issued)} where a tensor was due`)
  return issued as Tensor
}
