import { DTypeError } from '../native/errors'
import { type Buildable, kindOf, type PickleContext, PickleGlobal, PickleTuple } from './pickle-values'

/** A NumPy array or scalar as a pickle describes it: bytes in the element type's own layout. */
export class NumpyArray implements Buildable {
  type: NumpyType | undefined
  shape: readonly number[] = []
  fortranOrder = false
  data: Uint8Array = new Uint8Array(0)
  /** What an array of objects holds, in its order. */
  items: readonly unknown[] | undefined

  /** @param objects whether it may hold objects, which the pickle lists one by one */
  constructor(
    readonly scalar: boolean,
    readonly objects = false,
  ) {}

  /** The state is `(version, shape, dtype, fortran order, bytes)`. */
  build(state: unknown, context: PickleContext): void {
    const [, shape, type, fortranOrder, data] = state instanceof PickleTuple ? state.items : []
    const sizes = shape instanceof PickleTuple ? shape.items : undefined
    if (!sizes?.every((size) => Number.isSafeInteger(size) && (size as number) >= 0) || sizes.length > 64) {
      throw context.fail(`makes a NumPy array of shape ${kindOf(shape)}`)
    }
    if (!(type instanceof NumpyType) || typeof fortranOrder !== 'boolean') {
      throw context.fail(`makes a NumPy array of ${kindOf(type)}`)
    }
    this.shape = sizes as readonly number[]
    this.fortranOrder = fortranOrder
    this.fill(type, typeof data === 'string' ? Uint8Array.from(Buffer.from(data, 'latin1')) : data, context)
  }

  fill(type: NumpyType, data: unknown, context: PickleContext): void {
    if (type.kind === 'O') {
      if (!this.objects) {
        throw context.fail('makes a NumPy array of Python objects, which would be pickles of their own')
      }
      this.#list(type, data, context)
      return
    }
    const bytes = this.shape.reduce((product, size) => product * size, type.itemSize)
    if (!(data instanceof Uint8Array) || data.byteLength !== bytes) {
      throw context.fail(
        `makes a NumPy array of shape [${this.shape}] of ${type.descr}, which takes ${bytes} bytes, of ${kindOf(data)}`,
      )
    }
    this.type = type
    this.data = data
  }

  #list(type: NumpyType, data: unknown, context: PickleContext): void {
    const count = this.shape.reduce((product, size) => product * size, 1)
    if (!Array.isArray(data) || data.length !== count) {
      throw context.fail(`makes a NumPy array of ${count} objects of ${kindOf(data)}`)
    }
    this.type = type
    this.items = data
  }
}

/** A NumPy dtype: kind, bytes, byte order. */
export class NumpyType implements Buildable {
  order: '<' | '>' | '|' = '<'

  constructor(
    readonly kind: string,
    readonly itemSize: number,
  ) {}

  /** As headers of `.npy` files write it. */
  get descr(): string {
    return `${this.order}${this.kind}${this.itemSize}`
  }

  /** The state is `(version, byte order, …)`. */
  build(state: unknown, context: PickleContext): void {
    const order = state instanceof PickleTuple ? state.items[1] : undefined
    // "=" is the order of the machine that wrote it.
    if (order === '<' || order === '>' || order === '|') this.order = order
    else if (order !== '=') throw context.fail(`has ${kindOf(order)} for the byte order of a NumPy dtype`)
  }
}

/** NumPy's names, whose module was renamed in version 2. */
export const NUMPY_GLOBALS = numpyGlobals(false)
/** The same, with arrays that may hold objects. */
export const NUMPY_OBJECT_GLOBALS = numpyGlobals(true)

function numpyGlobals(objects: boolean): readonly [string, unknown][] {
  return [
    ['numpy.dtype', new PickleGlobal('numpy.dtype', makeType)],
    ['numpy.ndarray', new PickleGlobal('numpy.ndarray')],
    ...['numpy.core.multiarray', 'numpy._core.multiarray'].flatMap((module): [string, unknown][] => [
      [`${module}.scalar`, new PickleGlobal(`${module}.scalar`, makeScalar)],
      // Its arguments are those of an empty array; the state that follows holds all.
      [`${module}._reconstruct`, new PickleGlobal(`${module}._reconstruct`, () => new NumpyArray(false, objects))],
    ]),
  ]
}

function makeType([name]: readonly unknown[], context: PickleContext): NumpyType {
  const [, kind, bytes] = (typeof name === 'string' && /^([biufcO])(\d{1,2})$/.exec(name)) || []
  if (kind === undefined) {
    throw new DTypeError(context.fail(`names the NumPy dtype ${kindOf(name)}; numbers and booleans are read`).message)
  }
  return new NumpyType(kind, Number(bytes))
}

function makeScalar([type, data]: readonly unknown[], context: PickleContext): NumpyArray {
  if (!(type instanceof NumpyType)) throw context.fail(`makes a NumPy scalar of ${kindOf(type)}`)
  const scalar = new NumpyArray(true)
  scalar.fill(type, typeof data === 'string' ? Uint8Array.from(Buffer.from(data, 'latin1')) : data, context)
  return scalar
}
