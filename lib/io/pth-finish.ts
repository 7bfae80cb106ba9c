import { FormatError } from '../native/errors'
import type { Tensor } from '../tensor/tensor'
import { Complex } from '../tensor/types'
import { tensorOfNumpy } from './npy-elements'
import { NumpyArray } from './pickle-numpy'
import { kindOf, PickleDict, PickleSet, PickleTuple } from './pickle-values'
import { PickleName, TensorDescription } from './pth-rebuild'
import { type StorageSource, tensorIn } from './pth-storage'
import { isIndex, type PthKey, type PthValue, setAttributes } from './pth-values'

/** A PyTorch file whose pickle was read. */
export interface OpenedPth {
  readonly value: unknown
  readonly storages: StorageSource
}

/** Deeper values than any program makes would exhaust the stack of whatever walks over them. */
const MAX_DEPTH = 500

/** Turns what the pickle machine made into values of JavaScript. What was one object stays one. */
export class PthFinisher {
  /** All tensors of the value, each once. */
  readonly tensors: ReadonlySet<TensorDescription>
  readonly #done = new Map<object, PthValue>()
  readonly #open = new Set<object>()

  /** @throws FormatError when the value holds itself, is too deep, or holds what is no data */
  constructor(readonly opened: OpenedPth) {
    this.tensors = tensorsOf(opened.value)
  }

  finish(storages: ReadonlyMap<string, Tensor>): PthValue {
    return this.#convert(this.opened.value, storages)
  }

  #convert(value: unknown, storages: ReadonlyMap<string, Tensor>): PthValue {
    if (isPlain(value)) return value
    if (typeof value !== 'object' || value === null) throw this.#wrong(`it holds ${kindOf(value)}, which is no data`)
    const done = this.#done.get(value)
    if (done !== undefined) return done
    if (this.#open.has(value)) throw this.#wrong('a value holds itself; break the cycle before saving')
    if (this.#open.size >= MAX_DEPTH) throw this.#wrong(`values are nested deeper than ${MAX_DEPTH} levels`)
    this.#open.add(value)
    const made = this.#make(value, storages)
    this.#open.delete(value)
    this.#done.set(value, made)
    return made
  }

  #make(value: object, storages: ReadonlyMap<string, Tensor>): PthValue {
    const inner = (item: unknown) => this.#convert(item, storages)
    if (value instanceof TensorDescription) return tensorIn(storages.get(value.storage.key) as Tensor, value)
    if (value instanceof PickleName) return value.text
    if (Array.isArray(value)) return value.map(inner)
    if (value instanceof PickleTuple) return Object.freeze(value.items.map(inner))
    if (value instanceof PickleSet) return new Set([...value.items].map(inner))
    if (value instanceof PickleDict) return this.#dict(value, inner)
    if (value instanceof NumpyArray) return value.items ? value.items.map(inner) : this.#array(value)
    throw this.#wrong(`it holds ${kindOf(value)}, which is no data`)
  }

  #dict({ type, entries, attributes }: PickleDict, inner: (value: unknown) => PthValue): PthValue {
    const items = [...entries].map(([key, value]): [PthKey, PthValue] => [this.#key(key, inner), inner(value)])
    const keys = items.map(([key]) => key)
    const named = keys.every((key) => typeof key === 'string' && !isIndex(key))
    const numbered = keys.every((key) => typeof key === 'number' && isIndex(key))
    if (type !== 'OrderedDict' && (named || numbered)) return Object.fromEntries(items)
    const map = new Map(items)
    if (attributes !== undefined) setAttributes(map, inner(attributes))
    return map
  }

  #key(key: unknown, inner: (value: unknown) => PthValue): PthKey {
    if (key === null || ['string', 'number', 'bigint', 'boolean'].includes(typeof key)) return key as PthKey
    if (key instanceof PickleTuple) return inner(key) as readonly PthValue[]
    if (key instanceof PickleName) return key.text
    throw this.#wrong(`a dict has ${kindOf(key)} for a key`)
  }

  #array({ type, shape, data, fortranOrder, scalar }: NumpyArray): PthValue {
    if (type === undefined) throw this.#wrong('it holds a NumPy array without data')
    const tensor = tensorOfNumpy(type, Uint8Array.from(data), shape, fortranOrder, this.opened.storages.name)
    if (!scalar) return tensor
    using only = tensor
    return only.item()
  }

  #wrong(problem: string): FormatError {
    return new FormatError(`${this.opened.storages.name}: ${problem}`)
  }
}

function isPlain(value: unknown): value is number | bigint | string | boolean | null | Complex | Uint8Array {
  if (value === null || value instanceof Uint8Array || Complex.is(value)) return true
  return ['number', 'bigint', 'string', 'boolean'].includes(typeof value)
}

/** A walk without recursion: how deep the value is, is not known yet. */
function tensorsOf(value: unknown): Set<TensorDescription> {
  const found = new Set<TensorDescription>()
  const seen = new Set<object>()
  const waiting: unknown[] = [value]
  while (waiting.length > 0) {
    const item = waiting.pop()
    if (typeof item !== 'object' || item === null || seen.has(item)) continue
    seen.add(item)
    if (item instanceof TensorDescription) found.add(item)
    else for (const inner of innerOf(item)) waiting.push(inner)
  }
  return found
}

function innerOf(item: object): Iterable<unknown> {
  if (Array.isArray(item)) return item
  if (item instanceof PickleTuple) return item.items
  if (item instanceof PickleSet) return item.items
  if (item instanceof NumpyArray) return item.items ?? []
  if (!(item instanceof PickleDict)) return []
  return [...item.entries.values(), ...item.entries.keys(), item.attributes]
}
