import { ArgumentError, DTypeError, ShapeError } from '../native/errors'
import { call, describe, wrap } from './call'
import { dtypeOfArray, handleFromElements } from './elements'
import { isTensor } from './handle'
import type { Generator } from './random'
import type { Tensor } from './tensor'
// Registers the class that results are wrapped in.
import './tensor'
import { Complex, type Device, type DType, type Scalar, type TypedArray } from './types'

/** What all functions that make tensors take. */
export interface TensorOptions<D extends DType = DType> {
  /** Element type; by default float32, or what the data says. */
  readonly dtype?: D | undefined
  readonly device?: Device | undefined
  /** Records operations on the tensor for `backward()`. */
  readonly requiresGrad?: boolean | undefined
}

export interface RandomOptions<D extends DType = DType> extends TensorOptions<D> {
  /** Draws from this generator instead of the device's default one. */
  readonly generator?: Generator | undefined
}

/** Nested arrays of numbers, booleans, bigints or complex numbers, as deep as the tensor has dimensions. */
export type TensorData = Scalar | TypedArray | readonly TensorData[]

/**
 * A tensor with a copy of the data.
 *
 * numbers give float32, bigints int64, booleans bool, `Complex` complex64; typed arrays their own type.
 *
 * @param data a number, nested arrays, or a typed array
 * @param options `shape` for a typed array or a flat list; dtype, device, requiresGrad
 * @throws ShapeError when nested arrays are ragged or the shape does not fit the data
 * @throws ArgumentError when elements are of several kinds, or none that a tensor holds
 */
export function tensor<D extends DType = DType>(
  data: TensorData,
  options: TensorOptions<D> & { readonly shape?: readonly number[] | undefined } = {},
): Tensor<D> {
  if (isTensor(data)) {
    throw new ArgumentError('tensor: the data is a Tensor already; use clone(), or to() for another dtype or device')
  }
  if (ArrayBuffer.isView(data)) {
    const shape = options.shape ?? [lengthOf(data)]
    return finish(wrap(handleFromElements(data, shape, dtypeOfArray(data))) as Tensor, options)
  }
  const nested = shapeOf(data)
  const flat: Scalar[] = []
  flatten(data, nested, 0, flat)
  const shape = options.shape ?? nested
  return finish(wrap(fromScalars(flat, shape, options.dtype)) as Tensor, options)
}

function lengthOf(view: ArrayBufferView): number {
  const length = (view as { length?: unknown }).length
  if (typeof length !== 'number') throw new ArgumentError('tensor: a DataView has no element type; use a typed array')
  return length
}

/** Converts, moves and marks a fresh tensor; an intermediate one is freed. */
function finish<D extends DType>(made: Tensor, { dtype, device, requiresGrad }: TensorOptions<D>): Tensor<D> {
  let result = made
  if ((dtype !== undefined && dtype !== made.dtype) || (device !== undefined && device !== 'cpu')) {
    try {
      result = made.to({ dtype: dtype ?? made.dtype, device: device ?? 'cpu' })
    } finally {
      if (result !== made || result.disposed) made.dispose()
    }
  }
  if (requiresGrad) result.requiresGrad_()
  return result as Tensor<D>
}

function shapeOf(data: TensorData): number[] {
  const shape: number[] = []
  let level: unknown = data
  while (Array.isArray(level)) {
    shape.push(level.length)
    level = level[0]
    if (shape.length > 64) throw new ShapeError('tensor: arrays nested deeper than 64 levels')
  }
  if (ArrayBuffer.isView(level)) shape.push(lengthOf(level))
  return shape
}

function flatten(data: unknown, shape: readonly number[], depth: number, out: Scalar[]): void {
  const listed = Array.isArray(data) || (ArrayBuffer.isView(data) && !(data instanceof DataView))
  if (depth < shape.length) {
    const length = listed ? (data as ArrayLike<unknown>).length : undefined
    if (length !== shape[depth]) {
      throw new ShapeError(
        `tensor: ragged data: dimension ${depth} has ${shape[depth]} items first, then ${length ?? describe(data)}`,
      )
    }
    for (const item of data as Iterable<unknown>) flatten(item, shape, depth + 1, out)
    return
  }
  if (listed)
    throw new ShapeError(`tensor: ragged data: an array where dimension ${depth - 1} first held single elements`)
  if (typeof data !== 'number' && typeof data !== 'boolean' && typeof data !== 'bigint' && !Complex.is(data)) {
    throw new ArgumentError(
      `tensor: an element is ${describe(data)}; elements are numbers, booleans, bigints or Complex`,
    )
  }
  out.push(data)
}

function fromScalars(flat: readonly Scalar[], shape: readonly number[], dtype: DType | undefined): number {
  const kinds = new Set(flat.map((value) => (typeof value === 'object' ? 'complex' : typeof value)))
  if (kinds.size > 1) throw new ArgumentError(`tensor: the data mixes ${[...kinds].join(' and ')}; use one kind`)
  switch ([...kinds][0]) {
    case 'bigint':
      return handleFromElements(BigInt64Array.from(flat as bigint[], checkInt64), shape, 'int64')
    case 'boolean':
      return handleFromElements(Uint8Array.from(flat as boolean[], Number), shape, 'bool')
    case 'complex': {
      const parts = (flat as Complex[]).flatMap(({ real, imag }) => [real, imag])
      return dtype === 'complex128'
        ? handleFromElements(Float64Array.from(parts), shape, 'complex128')
        : handleFromElements(Float32Array.from(parts), shape, 'complex64')
    }
    default:
      return fromNumbers(flat as readonly number[], shape, dtype)
  }
}

function fromNumbers(numbers: readonly number[], shape: readonly number[], dtype: DType | undefined): number {
  if (dtype !== undefined && INTEGER_RANGES[dtype]) return fromIntegers(numbers, shape, dtype)
  // Doubles keep every digit until LibTorch rounds them to the dtype asked for.
  if (dtype !== undefined && dtype !== 'float32')
    return handleFromElements(Float64Array.from(numbers), shape, 'float64')
  return handleFromElements(Float32Array.from(numbers), shape, 'float32')
}

/** The integers each dtype holds; for int64 those that a number holds exactly. */
const INTEGER_RANGES: Partial<Record<DType, readonly [number, number]>> = {
  int8: [-128, 127],
  int16: [-32768, 32767],
  int32: [-2147483648, 2147483647],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  uint8: [0, 255],
}

function fromIntegers(numbers: readonly number[], shape: readonly number[], dtype: DType): number {
  const [least, most] = INTEGER_RANGES[dtype] as readonly [number, number]
  const wrong = numbers.find((value) => !Number.isInteger(value) || value < least || value > most)
  if (wrong !== undefined) {
    throw new DTypeError(
      `tensor: ${wrong} is no ${dtype}: whole numbers from ${least} to ${most}; round or clamp it first`,
    )
  }
  return handleFromElements(BigInt64Array.from(numbers, BigInt), shape, 'int64')
}

function checkInt64(value: bigint): bigint {
  if (BigInt.asIntN(64, value) === value) return value
  throw new DTypeError(`tensor: ${value} does not fit into int64`)
}

// ---- Filled ---------------------------------------------------------------------------------------------------------

/** Options of all of these operators, whose names in LibTorch they are. */
interface CreateOptions<D extends DType> extends RandomOptions<D> {
  readonly step?: Scalar | undefined
  readonly base?: number | undefined
}

function create<D extends DType>(
  name: string,
  args: readonly unknown[],
  { dtype, device, requiresGrad, ...more }: CreateOptions<D>,
  fallback?: DType,
): Tensor<D> {
  const made = call(`aten::${name}`, args, { dtype: dtype ?? fallback, device, ...more }) as Tensor<D>
  return requiresGrad ? made.requiresGrad_() : made
}

/** A tensor of zeros. @param size e.g. `[2, 3]`; `[]` for a scalar */
export function zeros<D extends DType = 'float32'>(size: readonly number[], options: TensorOptions<D> = {}): Tensor<D> {
  return create('zeros', [size], options)
}

/** A tensor of ones. */
export function ones<D extends DType = 'float32'>(size: readonly number[], options: TensorOptions<D> = {}): Tensor<D> {
  return create('ones', [size], options)
}

/** A tensor whose elements are whatever the memory held. */
export function empty<D extends DType = 'float32'>(size: readonly number[], options: TensorOptions<D> = {}): Tensor<D> {
  return create('empty.memory_format', [size], options)
}

/** A tensor of one value: a number gives float32, a bigint int64, a boolean bool. */
export function full<D extends DType = DType>(
  size: readonly number[],
  value: Scalar,
  options: TensorOptions<D> = {},
): Tensor<D> {
  return create('full', [size, value], options, dtypeOfScalars(value))
}

/** A 0-dimensional tensor of one value. */
export function scalarTensor<D extends DType = DType>(value: Scalar, options: TensorOptions<D> = {}): Tensor<D> {
  return create('scalar_tensor', [value], options, dtypeOfScalars(value))
}

/** The identity matrix, or the first `columns` columns of a larger one. */
export function eye<D extends DType = 'float32'>(
  rows: number,
  options: TensorOptions<D> & { readonly columns?: number | undefined } = {},
): Tensor<D> {
  const { columns, ...rest } = options
  return columns === undefined ? create('eye', [rows], rest) : create('eye.m', [rows, columns], rest)
}

/**
 * Values from `start` (included) to `end` (excluded) in steps: `arange(end)`, `arange(start, end)`,
 * `arange(start, end, step)`. Numbers give float32, bigints int64.
 */
export function arange<D extends DType = DType>(end: Scalar, options?: TensorOptions<D>): Tensor<D>
export function arange<D extends DType = DType>(start: Scalar, end: Scalar, options?: TensorOptions<D>): Tensor<D>
export function arange<D extends DType = DType>(
  start: Scalar,
  end: Scalar,
  step: Scalar,
  options?: TensorOptions<D>,
): Tensor<D>
export function arange(...args: readonly unknown[]): Tensor {
  const last = args.at(-1)
  const hasOptions = typeof last === 'object' && last !== null && !Complex.is(last)
  const numbers = (hasOptions ? args.slice(0, -1) : args).filter((value) => value !== undefined)
  if (numbers.length < 1 || numbers.length > 3) {
    throw new ArgumentError(`arange: takes end; start, end; or start, end, step, got ${numbers.length} numbers`)
  }
  const options = { ...(hasOptions ? (last as TensorOptions) : {}), step: numbers[2] as Scalar | undefined }
  const overload = ['arange', 'arange.start', 'arange.start_step'][numbers.length - 1] as string
  return create(overload, numbers.slice(0, 2), options, dtypeOfScalars(...(numbers as Scalar[])))
}

/** `steps` values from `start` to `end`, both included. */
export function linspace<D extends DType = 'float32'>(
  start: Scalar,
  end: Scalar,
  steps: number,
  options: TensorOptions<D> = {},
): Tensor<D> {
  return create('linspace', [start, end, steps], options)
}

/** `steps` values from `base ** start` to `base ** end`, evenly spaced in the exponent. */
export function logspace<D extends DType = 'float32'>(
  start: Scalar,
  end: Scalar,
  steps: number,
  options: TensorOptions<D> & { readonly base?: number | undefined } = {},
): Tensor<D> {
  return create('logspace', [start, end, steps], options)
}

// ---- Random ---------------------------------------------------------------------------------------------------------

function random<D extends DType>(
  name: string,
  args: readonly unknown[],
  options: RandomOptions<D>,
  fallback?: DType,
): Tensor<D> {
  return create(options.generator ? `${name}.generator` : name, args, options, fallback)
}

/** Uniform random values in [0, 1). */
export function rand<D extends DType = 'float32'>(size: readonly number[], options: RandomOptions<D> = {}): Tensor<D> {
  return random('rand', [size], options)
}

/** Random values of the standard normal distribution. */
export function randn<D extends DType = 'float32'>(size: readonly number[], options: RandomOptions<D> = {}): Tensor<D> {
  return random('randn', [size], options)
}

/** Random integers from `low` (included) to `high` (excluded), int64 unless stated. */
export function randint<D extends DType = 'int64'>(
  low: number,
  high: number,
  size: readonly number[],
  options: RandomOptions<D> = {},
): Tensor<D> {
  return create(options.generator ? 'randint.low_generator' : 'randint.low', [low, high, size], options, 'int64')
}

/** A random permutation of 0 … n − 1, int64 unless stated. */
export function randperm<D extends DType = 'int64'>(n: number, options: RandomOptions<D> = {}): Tensor<D> {
  return random('randperm', [n], options, 'int64')
}

/** A number makes float32, a bigint int64, a boolean bool, as in `tensor()`; the widest of several. */
function dtypeOfScalars(...values: readonly Scalar[]): DType {
  if (values.some((value) => typeof value === 'object')) return 'complex64'
  if (values.every((value) => typeof value === 'boolean')) return 'bool'
  return values.every((value) => typeof value === 'bigint') ? 'int64' : 'float32'
}
