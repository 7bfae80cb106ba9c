import { DistributedError } from '../native/errors'
import { zeros } from '../tensor'
import { cat } from '../tensor/ops.generated'
import { tidyAsync } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'
import type { DType } from '../tensor/types'
import { allGatherAsync, allGatherObject, type CollectiveOptions } from './collectives'

type Named = Readonly<Record<string, Tensor>>

interface Kind {
  readonly dtype: DType
  readonly shape: readonly number[]
}

/**
 * Tensors by name of all processes, in the order of ranks, on the CPU. Shapes may differ from process to process, and a
 * process may lack names that others have.
 *
 * @throws DistributedError when a name is of different dtypes
 */
export function allGatherTensors(tensors: Named, options: CollectiveOptions = {}): Promise<Record<string, Tensor>[]> {
  return tidyAsync(async () => {
    const own = Object.entries(tensors).map(([name, { dtype, shape }]): [string, Kind] => [name, { dtype, shape }])
    const kinds = (await allGatherObject(own, options)).map((entries) => new Map(entries))
    const gathered: Record<string, Tensor>[] = kinds.map(() => ({}))
    for (const name of new Set(kinds.flatMap((each) => [...each.keys()]))) {
      const parts = await gatherOne(
        name,
        tensors[name],
        kinds.map((each) => each.get(name)),
        options,
      )
      for (const [rank, part] of parts.entries()) if (part !== undefined) (gathered[rank] ?? {})[name] = part
    }
    return gathered
  })
}

/** All processes send as many elements as the largest has. */
async function gatherOne(
  name: string,
  tensor: Tensor | undefined,
  kinds: readonly (Kind | undefined)[],
  options: CollectiveOptions,
): Promise<(Tensor | undefined)[]> {
  const dtypes = [...new Set(kinds.flatMap((kind) => (kind ? [kind.dtype] : [])))]
  const [dtype] = dtypes
  if (dtypes.length > 1) {
    throw new DistributedError(
      `allGatherTensors: '${name}' is ${dtypes.join(' and ')}; it must be one on all processes`,
    )
  }
  const lengths = kinds.map((kind) => (kind ? numelOf(kind) : 0))
  const longest = Math.max(...lengths)
  const flat = tensor?.detach().to('cpu').reshape([-1]) ?? zeros([0], { dtype })
  const padded = cat([flat, zeros([longest - flat.numel], { dtype })])
  const all = (await allGatherAsync(padded, options)).reshape([kinds.length, longest])
  return kinds.map(
    (kind, rank) =>
      kind &&
      all
        .at(rank)
        .narrow(0, 0, numelOf(kind))
        .reshape([...kind.shape])
        .clone(),
  )
}

function numelOf({ shape }: Kind): number {
  return shape.reduce((product, size) => product * size, 1)
}
