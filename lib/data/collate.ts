import { ArgumentError, DTypeError, ShapeError, VisionNativeError } from '../native/errors'
import { describe } from '../tensor/call'
import { tensor } from '../tensor/creation'
import { isTensor } from '../tensor/handle'
import { stack } from '../tensor/ops.generated'
import type { Tensor } from '../tensor/tensor'
import type { TypedArray } from '../tensor/types'

/** What `defaultCollate` makes of samples of a type. */
export type Collated<T> = T extends Tensor | number | bigint | boolean | TypedArray
  ? Tensor
  : T extends string
    ? string[]
    : T extends object
      ? { -readonly [K in keyof T]: Collated<T[K]> }
      : T[]

/** Makes one tensor of tensors of one dtype; `where` names the i-th in an error. */
export type StackTensors = (tensors: readonly Tensor[], where: (i: number) => string) => Tensor

/**
 * A batch of samples, by what they are made of:
 *
 * | samples | batch |
 * |---|---|
 * | tensors, typed arrays `[…]` | a tensor `[N, …]` |
 * | numbers, bigints, booleans | a tensor `[N]`: float32, int64, bool, as `tensor()` has it |
 * | strings | a list of N |
 * | tuples, arrays of one length | a list with a batch of each place |
 * | plain objects | an object with a batch of each key |
 *
 * A class label is a bigint, then, where a loss wants int64.
 *
 * @throws ShapeError when tensors, typed arrays or arrays differ in size, DTypeError when they differ in dtype, and
 *   ArgumentError when samples differ in kind or keys or are nothing of the above; each names the place, such as
 *   `[3].label`
 */
export function defaultCollate<T>(samples: readonly T[]): Collated<T> {
  return collateWith(samples, stackEqual)
}

/** `defaultCollate` with another way to make one tensor of several. */
export function collateWith<T>(samples: readonly T[], stackTensors: StackTensors): Collated<T> {
  if (samples.length === 0) throw new ArgumentError('collate: there are no samples, so there is no batch of them')
  return collateAt(samples, '', stackTensors) as Collated<T>
}

function stackEqual(tensors: readonly Tensor[], where: (i: number) => string): Tensor {
  const first = tensors[0] as Tensor
  const shape = `[${first.shape}]`
  const other = tensors.findIndex((item) => `[${item.shape}]` !== shape)
  if (other < 0) return stack(tensors)
  throw new ShapeError(
    `collate: ${where(other)}: shape [${tensors[other]?.shape}], but ${where(0)} has ${shape}; ` +
      'give all samples one size, or use padCollate()',
  )
}

function collateAt(values: readonly unknown[], path: string, stackTensors: StackTensors): unknown {
  const where = (i: number) => `[${i}]${path}`
  const kind = kindOf(values[0], where(0))
  for (const [i, value] of values.entries()) {
    const other = kindOf(value, where(i))
    if (other === kind) continue
    throw new ArgumentError(`collate: ${where(i)}: ${describe(value)}, but ${where(0)} is ${describe(values[0])}`)
  }
  switch (kind) {
    case 'tensor':
      return stackAll(values as readonly Tensor[], where, stackTensors)
    case 'typed array':
      return stackAll(
        (values as readonly TypedArray[]).map((array) => tensor(array)),
        where,
        stackTensors,
      )
    case 'string':
      return [...values]
    case 'list':
      return collateLists(values as readonly (readonly unknown[])[], path, where, stackTensors)
    case 'object':
      return collateObjects(values as readonly Record<string, unknown>[], path, where, stackTensors)
    default:
      return tensor(values as readonly number[])
  }
}

type Kind = 'tensor' | 'typed array' | 'list' | 'object' | 'string' | 'number' | 'bigint' | 'boolean'

function kindOf(value: unknown, where: string): Kind {
  const type = typeof value
  if (type === 'number' || type === 'bigint' || type === 'boolean' || type === 'string') return type
  if (isTensor(value)) return 'tensor'
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return 'typed array'
  if (Array.isArray(value)) return 'list'
  if (type === 'object' && value !== null) {
    const prototype = Object.getPrototypeOf(value)
    if (prototype === Object.prototype || prototype === null) return 'object'
  }
  throw new ArgumentError(
    `collate: ${where}: ${describe(value)} has no place in a batch; samples are made of tensors, numbers, strings, ` +
      'typed arrays, lists and plain objects. Pass a collate function of your own for others',
  )
}

function stackAll(tensors: readonly Tensor[], where: (i: number) => string, stackTensors: StackTensors): Tensor {
  const { dtype } = tensors[0] as Tensor
  const other = tensors.findIndex((item) => item.dtype !== dtype)
  if (other >= 0) {
    throw new DTypeError(`collate: ${where(other)}: dtype ${tensors[other]?.dtype}, but ${where(0)} has ${dtype}`)
  }
  try {
    return stackTensors(tensors, where)
  } catch (error) {
    if (VisionNativeError.is(error) && error.message.startsWith('collate:')) throw error
    throw new ArgumentError(`collate: ${where(0)}: ${(error as Error).message}`, { cause: error })
  }
}

function collateLists(
  lists: readonly (readonly unknown[])[],
  path: string,
  where: (i: number) => string,
  stackTensors: StackTensors,
): unknown[] {
  const length = lists[0]?.length ?? 0
  const other = lists.findIndex((list) => list.length !== length)
  if (other >= 0) {
    throw new ShapeError(`collate: ${where(other)}: a list of ${lists[other]?.length}, but ${where(0)} has ${length}`)
  }
  return Array.from({ length }, (_, at) =>
    collateAt(
      lists.map((list) => list[at]),
      `${path}[${at}]`,
      stackTensors,
    ),
  )
}

function collateObjects(
  objects: readonly Record<string, unknown>[],
  path: string,
  where: (i: number) => string,
  stackTensors: StackTensors,
): Record<string, unknown> {
  const keys = Object.keys(objects[0] ?? {})
  for (const [i, object] of objects.entries()) {
    const missing = keys.find((key) => !Object.hasOwn(object, key))
    if (missing !== undefined)
      throw new ArgumentError(`collate: ${where(i)}.${missing}: is missing; ${where(0)} has it`)
    const extra = Object.keys(object).find((key) => !keys.includes(key))
    if (extra !== undefined)
      throw new ArgumentError(`collate: ${where(i)}.${extra}: is there, but ${where(0)} has none`)
  }
  return Object.fromEntries(
    keys.map((key) => [
      key,
      collateAt(
        objects.map((object) => object[key]),
        `${path}.${key}`,
        stackTensors,
      ),
    ]),
  )
}
