import { inspect } from 'node:util'
import { ArgumentError, DisposedError, DTypeError } from '../native/errors'
import { bridge, native } from '../native/frame'
import { type BackwardOptions, someOf } from './autograd'
import { call, registerTensorClass, wrap } from './call'
import { type ElementsOf, elementsFromBytes } from './elements'
import { formatTensor } from './format'
import { type GradientHook, type HookHandle, registerGradientHook, registerPostAccumulateHook } from './gradient-hooks'
import { HANDLE, OWNER, type TensorLike } from './handle'
import { assignIndexed, type Index, indexTensor } from './indexing'
import { installMethods } from './install-methods'
import { METHODS, type TensorMethods } from './methods.generated'
import { dispose, type Scope } from './scope'
import { Complex, type Device, DTYPE_OF_CODE, type DType, type Layout, type Scalar } from './types'

/** Offsets of what `bridge.describe()` lays out in the frame. */
enum Field {
  DType = 0,
  DeviceType = 1,
  DeviceIndex = 2,
  Layout = 3,
  RequiresGrad = 4,
  IsLeaf = 5,
  Version = 6,
  Numel = 7,
  ElementSize = 8,
  StorageOffset = 9,
  Contiguous = 10,
  Rank = 11,
  Sizes = 12,
}

const LAYOUTS: readonly Layout[] = [
  'strided',
  'sparse_coo',
  'sparse_csr',
  'mkldnn',
  'sparse_csc',
  'sparse_bsr',
  'sparse_bsc',
]
/** c10's numbers: CPU = 1 is MKLDNN and so on; only these three occur here. */
const DEVICE_NAMES: ReadonlyMap<number, string> = new Map([
  [0, 'cpu'],
  [1, 'cuda'],
  [14, 'meta'],
])

// biome-ignore lint/correctness/noUnusedVariables: merges with the class below
export interface Tensor<D extends DType = DType> extends TensorMethods {}

/**
 * A multi-dimensional array of one element type, held by LibTorch. Make one with `tensor`, `zeros` and the like.
 *
 * Operators are methods (`x.add(y)`) and functions (`add(x, y)`) with PyTorch's names in camelCase. Memory is freed by
 * the enclosing `tidy()` scope, by `dispose()`, or by `using`.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the methods are installed on the prototype below
export class Tensor<D extends DType = DType> implements TensorLike {
  /** @internal */
  [HANDLE]: number;
  /** @internal */
  [OWNER]: Scope | undefined = undefined

  /** @internal Use `tensor()`. */
  constructor(handle: number) {
    if (typeof handle !== 'number')
      throw new ArgumentError('new Tensor: not for use by applications; call tensor(data)')
    this[HANDLE] = handle
  }

  /** Sizes of the dimensions, outermost first. */
  get shape(): readonly number[] {
    const frame = this.#describe()
    const rank = frame[Field.Rank] as number
    return Array.from(frame.subarray(Field.Sizes, Field.Sizes + rank))
  }

  /** Number of dimensions. */
  get ndim(): number {
    return this.#describe()[Field.Rank] as number
  }

  /** Size of one dimension; negative counts from the last. */
  size(dim: number): number {
    const shape = this.shape
    const size = shape.at(dim)
    if (size === undefined || !Number.isInteger(dim)) {
      throw new ArgumentError(`size: dimension ${dim} of a tensor with ${shape.length} dimensions [${shape}]`)
    }
    return size
  }

  /** Steps between neighbours along each dimension, in elements. */
  get strides(): readonly number[] {
    const frame = this.#describe()
    const rank = frame[Field.Rank] as number
    return Array.from(frame.subarray(Field.Sizes + rank, Field.Sizes + 2 * rank))
  }

  get dtype(): D {
    const code = this.#describe()[Field.DType] as number
    return (DTYPE_OF_CODE.get(code) ?? `dtype ${code}`) as D
  }

  get device(): Device {
    const frame = this.#describe()
    const name = DEVICE_NAMES.get(frame[Field.DeviceType] as number) ?? 'unknown'
    return (name === 'cuda' ? `cuda:${frame[Field.DeviceIndex]}` : name) as Device
  }

  get layout(): Layout {
    return LAYOUTS[this.#describe()[Field.Layout] as number] ?? 'strided'
  }

  /** Number of elements. */
  get numel(): number {
    return this.#describe()[Field.Numel] as number
  }

  /** Bytes of one element. */
  get itemSize(): number {
    return this.#describe()[Field.ElementSize] as number
  }

  get storageOffset(): number {
    return this.#describe()[Field.StorageOffset] as number
  }

  get isContiguous(): boolean {
    return this.#describe()[Field.Contiguous] === 1
  }

  /** Counts in-place changes; −1 for tensors made in inference mode, which do not count. */
  get version(): number {
    return this.#describe()[Field.Version] as number
  }

  /** True once the memory was given back; every use then throws `DisposedError`. */
  get disposed(): boolean {
    return this[HANDLE] === 0
  }

  /** Gives the memory back now. Disposing twice is allowed. */
  dispose(): void {
    dispose(this)
  }

  [Symbol.dispose](): void {
    dispose(this)
  }

  // ---- Reading ------------------------------------------------------------------------------------------------------

  /**
   * The elements in row-major order as a fresh typed array, read without blocking the event loop.
   *
   * float16 and bfloat16 come as Float32Array, int64 as BigInt64Array, bool as Uint8Array of 0 and 1, complex as
   * interleaved real and imaginary parts.
   */
  async data(): Promise<ElementsOf<D>> {
    const { dtype, numel, itemSize } = this
    const buffer = new ArrayBuffer(numel * itemSize)
    await new Promise<void>((resolve, reject) => {
      bridge().toBytesAsync(this[HANDLE], buffer, (error) => (error ? reject(error) : resolve()))
    })
    return elementsFromBytes(dtype, buffer) as ElementsOf<D>
  }

  /** As `data`, waiting for the copy. */
  dataSync(): ElementsOf<D> {
    const { dtype, numel, itemSize } = this
    const buffer = new ArrayBuffer(numel * itemSize)
    bridge().toBytes(this[HANDLE], new Uint8Array(buffer))
    return elementsFromBytes(dtype, buffer) as ElementsOf<D>
  }

  /**
   * The value of a tensor with one element: a number, a boolean for bool, a `Complex`; int64 as a number while exact
   * and a bigint beyond ±2^53.
   *
   * @throws ArgumentError when there is not exactly one element
   */
  item(): number | bigint | boolean | Complex {
    const { numel, dtype } = this
    if (numel !== 1) throw new ArgumentError(`item: a tensor of shape [${this.shape}] has ${numel} elements, not one`)
    const elements = this.dataSync() as ArrayLike<number | bigint>
    const [first, second] = [elements[0] as number | bigint, elements[1]]
    if (dtype === 'bool') return first !== 0
    if (dtype === 'complex64' || dtype === 'complex128') return new Complex(Number(first), Number(second))
    return typeof first === 'bigint' && Number.isSafeInteger(Number(first)) ? Number(first) : first
  }

  /** `item()` as a number. @throws DTypeError for complex tensors and for integers beyond ±2^53 */
  toNumber(): number {
    const value = this.item()
    if (typeof value === 'number') return value
    if (typeof value === 'boolean') return value ? 1 : 0
    throw new DTypeError(`toNumber: ${String(value)} (${this.dtype}) is not exact as a number; use item()`)
  }

  /** Nested arrays of the elements; int64 as numbers while exact, bool as booleans, complex as `Complex`. */
  toArray(): NestedArray {
    return nest(this.dtype, this.dataSync() as ArrayLike<number | bigint>, this.shape)
  }

  // ---- Indexing, conversion -----------------------------------------------------------------------------------------

  /**
   * Part of the tensor by one index for each dimension: a number takes that element and drops the dimension, a
   * `slice(start, stop, step)` or `null` (all) keeps it, `newAxis` adds one, `'...'` stands for all that are not named,
   * and tensors (int64 or bool masks) or lists of numbers pick elements, as in PyTorch.
   *
   * The result is a view unless a tensor or a list is among the indices.
   */
  at(...indices: Index[]): Tensor<D> {
    return indexTensor(this, indices) as Tensor<D>
  }

  /**
   * Writes to a part of the tensor, in place: `t.setAt([0, slice(2)], 1)` is PyTorch's `t[0, 2:] = 1`.
   *
   * @param indices as those of `at`
   * @param value a number, or a tensor that broadcasts to the part; it is converted to this tensor's dtype and device
   */
  setAt(indices: readonly Index[], value: Tensor | Scalar): this {
    assignIndexed(this, indices, value)
    return this
  }

  /**
   * The tensor as another dtype, on another device, or both; itself where nothing changes.
   *
   * @throws DeviceError when the device is not there; its message says why
   */
  to<T extends DType = D>(target: T | Device | { dtype?: T; device?: Device; copy?: boolean }): Tensor<T> {
    const { dtype, device, copy } = typeof target === 'object' ? target : splitTarget<T>(target)
    const options = { dtype: dtype ?? this.dtype, device: device ?? this.device, copy: copy ?? false }
    return call('aten::to.dtype_layout', [this], options) as Tensor<T>
  }

  // ---- Autograd -----------------------------------------------------------------------------------------------------

  /** True when operations on this tensor are recorded for `backward()`. Set it on a leaf. */
  get requiresGrad(): boolean {
    return this.#describe()[Field.RequiresGrad] === 1
  }

  set requiresGrad(on: boolean) {
    this.requiresGrad_(on)
  }

  /** Sets `requiresGrad` and returns the tensor. @throws DTypeError unless the elements are floating point or complex */
  requiresGrad_(on = true): this {
    call('aten::requires_grad_', [this], { requiresGrad: on })
    return this
  }

  /** True for a tensor that no recorded operation computed. */
  get isLeaf(): boolean {
    return this.#describe()[Field.IsLeaf] === 1
  }

  /** The gradient that `backward()` summed up in this leaf, or null. */
  get grad(): Tensor<D> | null {
    const handle = bridge().grad(this[HANDLE])
    return handle === 0 ? null : (wrap(handle) as Tensor<D>)
  }

  set grad(gradient: Tensor<D> | null) {
    bridge().setGrad(this[HANDLE], gradient === null ? 0 : gradient[HANDLE])
  }

  /**
   * Adds the gradient of this tensor with respect to every leaf that requires one to the leaf's `grad`.
   *
   * @param gradient the gradient of the loss with respect to this tensor; may be left out for a tensor of one element
   */
  backward(gradient?: Tensor, { retainGraph, createGraph = false, inputs }: BackwardOptions = {}): void {
    const leaves = inputs === undefined ? [] : someOf('backward', inputs)
    call('aten::_backward', [this, leaves], { gradient, retainGraph, createGraph })
  }

  /** Name of the operation that computed this tensor, such as `'MulBackward0'`; null for a leaf. */
  get gradFn(): string | null {
    return bridge().gradFunction(this[HANDLE]) || null
  }

  /** Keeps the gradient of a computed tensor in its `grad`; leaves do so anyway. */
  retainGrad(): void {
    call('aten::retain_grad', [this])
  }

  /** True for a computed tensor that keeps its gradient. */
  get retainsGrad(): boolean {
    return call('aten::retains_grad', [this]) as boolean
  }

  /**
   * Calls `hook` whenever the gradient with respect to this tensor has been computed; what it returns takes the
   * gradient's place. Hooks run in the order they were registered.
   *
   * The gradient belongs to the scope of whoever called `backward()`. A hook runs on this thread, within that call: what
   * it throws, `backward()` throws. A backward that runs elsewhere (in a captured function, by `callAsync`) is refused
   * when it reaches the hook. A hook on a leaf lives as long as the leaf, or until it is removed.
   *
   * @throws ArgumentError when the tensor does not require gradients
   */
  registerHook(hook: GradientHook): HookHandle {
    return registerGradientHook(this, hook)
  }

  /**
   * Calls `hook` with this leaf each time `backward()` has added to its `grad`; for an optimiser that steps during
   * backward, say. Where hooks run is said at `registerHook`.
   *
   * @throws ArgumentError when the tensor is not a leaf that requires gradients
   */
  registerPostAccumulateGradHook(hook: (leaf: Tensor) => void): HookHandle {
    return registerPostAccumulateHook(this, hook)
  }

  // ---- Printing -----------------------------------------------------------------------------------------------------

  toString(): string {
    return this[HANDLE] === 0 ? 'tensor(<disposed>)' : formatTensor(this)
  }

  [inspect.custom](): string {
    return this.toString()
  }

  /** JSON of a tensor is its nested arrays. */
  toJSON(): NestedArray {
    return this.toArray()
  }

  #describe(): Float64Array {
    if (this[HANDLE] === 0) throw disposed()
    native.doubles[0] = this[HANDLE]
    bridge().describe()
    return native.doubles
  }
}

function disposed(): DisposedError {
  return new DisposedError('the tensor was disposed; return it from its tidy() scope, or keep() it, to use it later')
}

function splitTarget<T extends DType>(target: T | Device): { dtype?: T; device?: Device; copy?: boolean } {
  const isDevice = target === 'cpu' || target === 'meta' || String(target).startsWith('cuda')
  return isDevice ? { device: target as Device } : { dtype: target as T }
}

/** Nested arrays of elements, as deep as the tensor has dimensions. */
export type NestedArray = number | bigint | boolean | Complex | readonly NestedArray[]

function nest(dtype: DType, elements: ArrayLike<number | bigint>, shape: readonly number[]): NestedArray {
  const complex = dtype === 'complex64' || dtype === 'complex128'
  const read = (i: number): Exclude<NestedArray, readonly NestedArray[]> => {
    if (complex) return new Complex(Number(elements[2 * i]), Number(elements[2 * i + 1]))
    const value = elements[i] as number | bigint
    if (dtype === 'bool') return value !== 0
    return typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value
  }
  let next = 0
  const build = (dim: number): NestedArray =>
    dim === shape.length ? read(next++) : Array.from({ length: shape[dim] as number }, () => build(dim + 1))
  return build(0)
}

registerTensorClass(Tensor)
installMethods(Tensor.prototype, METHODS)
