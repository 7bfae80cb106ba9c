import { ArgumentError, DTypeError } from '../native/errors'
import { describe } from '../tensor/call'
import { isTensor } from '../tensor/handle'
import type { Tensor } from '../tensor/tensor'
import { Complex, type DType } from '../tensor/types'
import { integerBytes, MAX_INTEGER_BYTES, PickleWriter } from './pickle-writer'
import type { Placed } from './pth-snapshot'
import { attributesOf, isIndex } from './pth-values'

const STORAGES: ReadonlyMap<DType, string> = new Map([
  ['float64', 'DoubleStorage'],
  ['float32', 'FloatStorage'],
  ['float16', 'HalfStorage'],
  ['bfloat16', 'BFloat16Storage'],
  ['int64', 'LongStorage'],
  ['int32', 'IntStorage'],
  ['int16', 'ShortStorage'],
  ['int8', 'CharStorage'],
  ['uint8', 'ByteStorage'],
  ['bool', 'BoolStorage'],
  ['complex64', 'ComplexFloatStorage'],
  ['complex128', 'ComplexDoubleStorage'],
])

/** As the reader's. */
const MAX_DEPTH = 500
const LONE_SURROGATE = /\p{Surrogate}/u

/** Writes plain values and placed tensors as Python's pickle would. What is one object stays one. */
export class PthPickler {
  readonly #writer = new PickleWriter()
  readonly #open = new Set<object>()
  /** Keys and indices that lead to the value at hand, for messages. */
  readonly #path: string[] = []

  constructor(
    readonly caller: string,
    readonly tensors: ReadonlyMap<Tensor, Placed>,
  ) {}

  pickle(value: unknown): Uint8Array {
    this.#write(value)
    return this.#writer.end()
  }

  #wrong(problem: string): ArgumentError {
    return new ArgumentError(`${this.caller}: ${['value', ...this.#path].join('')} ${problem}`)
  }

  #write(value: unknown): void {
    const writer = this.#writer
    if (value === null) writer.none()
    else if (typeof value === 'boolean') writer.boolean(value)
    else if (typeof value === 'number') this.#number(value)
    else if (typeof value === 'bigint') this.#integer(value)
    else if (typeof value === 'string') this.#string(value)
    else if (typeof value === 'object') this.#object(value)
    else throw this.#wrong(`is ${describe(value)}, which Python's plain data do not have`)
  }

  #number(value: number): void {
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) this.#integer(BigInt(value))
    else this.#writer.float(value)
  }

  #integer(value: bigint): void {
    if (integerBytes(value) > MAX_INTEGER_BYTES) {
      throw this.#wrong(`is an integer of more than ${MAX_INTEGER_BYTES} bytes`)
    }
    this.#writer.integer(value)
  }

  #string(value: string): void {
    if (LONE_SURROGATE.test(value)) throw this.#wrong('is a string with half a surrogate pair, which is no Unicode')
    this.#writer.string(value)
  }

  #object(value: object): void {
    if (this.#writer.recall(value)) return
    if (this.#open.has(value)) throw this.#wrong('holds itself; break the cycle')
    if (this.#open.size >= MAX_DEPTH) throw this.#wrong(`is nested deeper than ${MAX_DEPTH} levels`)
    this.#open.add(value)
    this.#container(value)
    this.#open.delete(value)
  }

  #container(value: object): void {
    if (isTensor(value)) this.#tensor(value as unknown as Tensor)
    else if (Complex.is(value)) this.#call('__builtin__', 'complex', [value.real, value.imag].map(floatOf))
    else if (value instanceof Uint8Array) this.#bytes(value)
    else if (Array.isArray(value)) this.#array(value)
    else if (value instanceof Set) this.#set(value)
    else if (value instanceof Map) this.#map(value)
    else if (isPlain(value)) this.#dict(value)
    else {
      const remedy = ArrayBuffer.isView(value) ? 'make a tensor of it' : 'convert it to a plain object'
      throw this.#wrong(`is ${describe(value)}; ${remedy}`)
    }
    this.#writer.remember(value)
  }

  #inside(step: string, value: unknown): void {
    this.#path.push(step)
    this.#write(value)
    this.#path.pop()
  }

  /** `module.name(...args)`, each argument written by a function. */
  #call(module: string, name: string, args: readonly ((writer: PickleWriter) => void)[]): void {
    this.#writer.global(module, name)
    this.#writer.mark()
    for (const write of args) write(this.#writer)
    this.#writer.tuple()
    this.#writer.reduce()
  }

  #bytes(value: Uint8Array): void {
    // Protocol 2 has no bytes; this is how Python's own pickle writes them in it.
    const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1')
    this.#call('_codecs', 'encode', [(writer) => writer.string(text), (writer) => writer.string('latin1')])
  }

  #array(items: readonly unknown[]): void {
    const writer = this.#writer
    const frozen = Object.isFrozen(items)
    if (!frozen) writer.emptyList()
    if (items.length === 0) {
      if (frozen) writer.emptyTuple()
      return
    }
    writer.mark()
    for (let i = 0; i < items.length; i++) this.#inside(`[${i}]`, items[i])
    if (frozen) writer.tuple()
    else writer.appends()
  }

  #set(items: ReadonlySet<unknown>): void {
    this.#call('__builtin__', 'set', [() => this.#array([...items])])
  }

  #map(map: ReadonlyMap<unknown, unknown>): void {
    const writer = this.#writer
    const ordered = [...map.keys()].every((key) => typeof key === 'string')
    if (!ordered) writer.emptyDict()
    else this.#call('collections', 'OrderedDict', [])
    this.#items([...map], (key) => this.#key(key))
    const attributes = attributesOf(map as ReadonlyMap<string, never>)
    if (attributes === undefined || !ordered) return
    this.#inside('.attributes', attributes)
    writer.build()
  }

  #dict(value: object): void {
    this.#writer.emptyDict()
    // As in JSON, a property without a value is none.
    const entries = Object.entries(value).filter(([, item]) => item !== undefined)
    this.#items(entries, (key) => (isIndex(key) ? this.#integer(BigInt(key)) : this.#string(key)))
  }

  #items<K>(entries: readonly (readonly [K, unknown])[], writeKey: (key: K) => void): void {
    if (entries.length === 0) return
    this.#writer.mark()
    for (const [key, item] of entries) {
      this.#path.push(
        typeof key === 'string' && /^[a-z_]\w*$/i.test(key) ? `.${key}` : `[${JSON.stringify(String(key))}]`,
      )
      writeKey(key)
      this.#write(item)
      this.#path.pop()
    }
    this.#writer.setItems()
  }

  #key(key: unknown): void {
    const plain = key === null || ['string', 'number', 'bigint', 'boolean'].includes(typeof key)
    if (plain) this.#write(key)
    else if (Array.isArray(key)) this.#write(Object.isFrozen(key) ? key : Object.freeze([...key]))
    else throw this.#wrong(`has ${describe(key)} for a key; Python's dicts take strings, numbers and tuples`)
  }

  #tensor(tensor: Tensor): void {
    const placed = this.tensors.get(tensor)
    const type = STORAGES.get(tensor.dtype)
    if (placed === undefined || type === undefined) {
      throw new DTypeError(this.#wrong(`is ${tensor.dtype}, which torch.save has no storage for`).message)
    }
    const { storage, offset, shape, strides, requiresGrad } = placed
    const sizes = (numbers: readonly number[]) => () => this.#array(Object.freeze([...numbers]))
    this.#call('torch._utils', '_rebuild_tensor_v2', [
      (writer) => {
        writer.mark()
        writer.string('storage')
        writer.global('torch', type)
        writer.string(storage.key)
        writer.string('cpu')
        writer.integer(BigInt(storage.numel))
        writer.tuple()
        writer.persistentId()
      },
      (writer) => writer.integer(BigInt(offset)),
      sizes(shape),
      sizes(strides),
      (writer) => writer.boolean(requiresGrad),
      () => this.#call('collections', 'OrderedDict', []),
    ])
  }
}

function floatOf(value: number): (writer: PickleWriter) => void {
  return (writer) => writer.float(value)
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  // An object of another realm, such as a test runner's, has another Object.
  return prototype === null || Object.getPrototypeOf(prototype) === null
}
