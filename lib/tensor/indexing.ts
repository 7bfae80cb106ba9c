import { ArgumentError, DTypeError, ShapeError } from '../native/errors'
import { call, describe, wrap } from './call'
import { handleFromElements } from './elements'
import { isTensor } from './handle'
import { tidy } from './scope'
import type { Tensor } from './tensor'
import type { Scalar } from './types'

const SLICE: unique symbol = Symbol.for('@lab/vision-native/slice') as never

/** A range of one dimension; make it with `slice()`. */
export interface Slice {
  readonly [SLICE]: true
  readonly start: number | undefined
  readonly stop: number | undefined
  readonly step: number
}

/** Adds a dimension of size 1 at its place among the indices. */
export const newAxis: unique symbol = Symbol.for('@lab/vision-native/new-axis') as never

/** What picks a part of one dimension; `'...'` stands for all dimensions that no other index names. */
export type Index = number | Slice | null | typeof newAxis | '...' | Tensor | readonly number[] | readonly boolean[]

/**
 * The range of a dimension from `start` (included) to `stop` (excluded), for `t.at()`. Negative ends count from the
 * last; ends beyond the dimension are brought back to it; null or nothing stands for the dimension's own end.
 *
 * @throws ArgumentError for fractions, and for a `step` below 1: `t.flip([dim])` reverses
 */
export function slice(start?: number | null, stop?: number | null, step = 1): Slice {
  for (const end of [start, stop]) {
    if (end !== undefined && end !== null && !Number.isSafeInteger(end)) {
      throw new ArgumentError(`slice: ${describe(end)} must be a whole number, null or nothing`)
    }
  }
  if (!Number.isSafeInteger(step) || step < 1) {
    throw new ArgumentError(
      `slice: the step ${describe(step)} must be a whole number of 1 or more; t.flip([dim]) reverses`,
    )
  }
  return { [SLICE]: true, start: start ?? undefined, stop: stop ?? undefined, step }
}

/** `t.at(...)`: a view, or a copy where tensors or lists pick elements. */
export function indexTensor(tensor: Tensor, indices: readonly Index[]): Tensor {
  return tidy(() => {
    const { view, picks } = resolve('at', tensor, indices)
    if (picks.length > 0) return call('aten::index.Tensor', [view, picks]) as Tensor
    // Not the tensor itself: whoever disposes of the part must not dispose of the whole.
    return view === tensor ? (call('aten::alias', [tensor]) as Tensor) : view
  })
}

/** `t.setAt(...)`: writes a value, broadcast and converted, to what `at` would give. */
export function assignIndexed(tensor: Tensor, indices: readonly Index[], value: Tensor | Scalar): void {
  tidy(() => {
    const { view, picks } = resolve('setAt', tensor, indices)
    const { dtype, device } = tensor
    const source = isTensor(value)
      ? (value as Tensor)
      : (call('aten::scalar_tensor', [value], { dtype, device }) as Tensor)
    if (picks.length === 0) call('aten::copy_', [view, source])
    else call('aten::index_put_', [view, picks, source.to({ dtype, device })])
  })
}

/** The basic indices applied as a view, and what advanced ones pick of its dimensions (null: all). */
interface Resolved {
  readonly view: Tensor
  readonly picks: readonly (Tensor | null)[]
}

function resolve(name: string, tensor: Tensor, indices: readonly Index[]): Resolved {
  const { shape } = tensor
  const items: readonly Single[] = indices.map((index, position) =>
    Array.isArray(index) ? fromList(name, index, position) : (index as Single),
  )
  const named = items.reduce<number>((sum, item, position) => sum + dimensionsOf(name, item, position), 0)
  if (named > shape.length) {
    throw new ArgumentError(
      `${name}: ${named} indices for the ${shape.length} dimensions of a tensor of shape [${shape.join(', ')}]`,
    )
  }
  if (items.filter((item) => item === '...').length > 1) {
    throw new ArgumentError(`${name}: '...' stands twice; it stands once for all dimensions that are not named`)
  }

  let view = tensor
  let picks: (Tensor | null)[] = []
  let anyPick = false
  let dim = 0 // of the view
  let source = 0 // of the tensor
  for (const [position, item] of items.entries()) {
    const size = shape[source] ?? 0
    if (typeof item === 'number') {
      view = select(name, view, dim, item, { position, source, size })
      source += 1
    } else if (item === newAxis) {
      view = call('aten::unsqueeze', [view, dim++]) as Tensor
      picks.push(null)
    } else if (item === '...') {
      const rest = shape.length - named
      dim += rest
      source += rest
      picks.push(...new Array<null>(rest).fill(null))
    } else if (!isTensor(item)) {
      if (item !== null) view = narrow(view, dim, item)
      dim += 1
      source += 1
      picks.push(null)
    } else if (item.ndim === 0 && item.dtype !== 'bool') {
      view = select(name, view, dim, Number(item.item()), { position, source, size })
      source += 1
    } else if (item.ndim === 0) {
      // A single boolean keeps everything or nothing, along a dimension of its own.
      view = call('aten::unsqueeze', [view, dim++]) as Tensor
      picks.push(call('aten::unsqueeze', [item, 0]) as Tensor)
      anyPick = true
    } else {
      const covered = dimensionsOf(name, item, position)
      checkMask(name, item, shape, source, position)
      dim += covered
      source += covered
      picks.push(item)
      anyPick = true
    }
  }
  if (!anyPick) picks = []
  return { view, picks }
}

type Single = Exclude<Index, readonly number[] | readonly boolean[]>

/** How many of the tensor's dimensions an index names. */
function dimensionsOf(name: string, item: Single, position: number): number {
  if (item === newAxis || item === '...') return 0
  if (item === null || typeof item === 'number') return 1
  if (isTensor(item)) {
    const { dtype } = item as Tensor
    if (dtype === 'bool') return (item as Tensor).ndim
    if (dtype === 'int64' || dtype === 'int32') return 1
    throw new DTypeError(`${name}: index ${position} is a ${dtype} tensor; tensors index as int64, int32 or bool masks`)
  }
  if (typeof item === 'object' && SLICE in item) return 1
  throw new ArgumentError(
    `${name}: index ${position} is ${describe(item)}; indices are numbers, slice(), null, newAxis, '...', tensors and lists`,
  )
}

function select(
  name: string,
  view: Tensor,
  dim: number,
  index: number,
  { position, source, size }: { position: number; source: number; size: number },
): Tensor {
  if (!Number.isSafeInteger(index))
    throw new ArgumentError(`${name}: index ${position} is ${index}; it must be a whole number`)
  if (index < -size || index >= size) {
    const range = size === 0 ? 'it has no elements' : `use ${-size} to ${size - 1}`
    throw new ArgumentError(
      `${name}: index ${position} is ${index}, out of range for dimension ${source} of size ${size}; ${range}`,
    )
  }
  return call('aten::select.int', [view, dim, index]) as Tensor
}

function narrow(view: Tensor, dim: number, { start, stop, step }: Slice): Tensor {
  return call('aten::slice.Tensor', [view], { dim, start, end: stop, step }) as Tensor
}

function fromList(name: string, list: readonly unknown[], position: number): Tensor {
  if (list.every((item) => typeof item === 'boolean')) {
    // An empty list picks no elements, as a list of numbers does.
    if (list.length > 0) return wrap(handleFromElements(Uint8Array.from(list, Number), [list.length], 'bool')) as Tensor
  }
  const wrong = list.find((item) => !Number.isSafeInteger(item))
  if (wrong !== undefined) {
    throw new ArgumentError(
      `${name}: a list at index ${position} holds ${describe(wrong)}; lists hold whole numbers, or booleans alone`,
    )
  }
  const numbers = BigInt64Array.from(list as readonly number[], BigInt)
  return wrap(handleFromElements(numbers, [list.length], 'int64')) as Tensor
}

function checkMask(name: string, item: Tensor, shape: readonly number[], source: number, position: number): void {
  if (item.dtype !== 'bool') return
  const mask = item.shape
  const covered = shape.slice(source, source + mask.length)
  if (mask.some((size, i) => size !== covered[i])) {
    throw new ShapeError(
      `${name}: index ${position} is a mask of shape [${mask.join(', ')}] on dimensions of sizes [${covered.join(', ')}]`,
    )
  }
}
