import { DTypeError } from '../native/errors'
import { bytesOf, CODE_OF_DTYPE, Complex, type DType } from '../tensor/types'
import { NUMPY_GLOBALS } from './pickle-numpy'
import { kindOf, type PickleContext, PickleDict, PickleGlobal, PickleSet, PickleTuple } from './pickle-values'

/** A storage that a pickle refers to; its bytes lie elsewhere in the file. Sizes are in bytes. */
export class StorageReference {
  constructor(
    readonly key: string,
    readonly dtype: DType,
    /** What the storage of that key has in all. */
    readonly wholeSize: number,
    /** Where this one begins in it; legacy files have storages inside others. */
    readonly begin: number,
    readonly size: number,
  ) {}
}

/** A tensor as a pickle describes it, checked against its storage. */
export class TensorDescription {
  constructor(
    readonly storage: StorageReference,
    readonly dtype: DType,
    /** Elements, from the start of the storage. */
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
    readonly requiresGrad: boolean,
  ) {}
}

/** A value that has a text for a name: a dtype, a device. */
export class PickleName {
  constructor(readonly text: string) {}
}

/** The class of a storage: the dtype of its elements, undefined where this package lacks it. */
export class StorageType {
  constructor(
    readonly name: string,
    readonly dtype: DType | undefined,
  ) {}
}

const MAX_DIMENSIONS = 64

const STORAGE_DTYPES: ReadonlyMap<string, DType | undefined> = new Map([
  ['DoubleStorage', 'float64'],
  ['FloatStorage', 'float32'],
  ['HalfStorage', 'float16'],
  ['BFloat16Storage', 'bfloat16'],
  ['LongStorage', 'int64'],
  ['IntStorage', 'int32'],
  ['ShortStorage', 'int16'],
  ['CharStorage', 'int8'],
  ['ByteStorage', 'uint8'],
  ['BoolStorage', 'bool'],
  ['ComplexFloatStorage', 'complex64'],
  ['ComplexDoubleStorage', 'complex128'],
  ['UntypedStorage', 'uint8'],
  ['TypedStorage', 'uint8'],
  ...['QUInt8Storage', 'QInt8Storage', 'QInt32Storage', 'QUInt4x2Storage', 'QUInt2x4Storage'].map(
    (name): [string, undefined] => [name, undefined],
  ),
])

/** Names of `torch.dtype` objects; more than this package has tensors of, as a value may name any. */
const DTYPES = [
  ...['float16', 'float32', 'float64', 'bfloat16', 'int8', 'int16', 'int32', 'int64', 'uint8', 'bool'],
  ...['complex32', 'complex64', 'complex128', 'uint16', 'uint32', 'uint64', 'half', 'float', 'double'],
  ...['float8_e4m3fn', 'float8_e5m2', 'float8_e4m3fnuz', 'float8_e5m2fnuz', 'qint8', 'quint8', 'qint32'],
]

const DICT_TYPES: ReadonlyMap<string, PickleDict['type']> = new Map([
  ['collections.OrderedDict', 'OrderedDict'],
  ['collections.defaultdict', 'defaultdict'],
  ['collections.Counter', 'Counter'],
  ['builtins.dict', 'dict'],
])

/**
 * What a name in the pickle of a PyTorch file stands for: names on PyTorch's own list for `weights_only`, and NumPy's
 * for scalars and arrays. Undefined for all others.
 */
export function torchGlobal(module: string, name: string, context: PickleContext): unknown {
  // Python 2 had another name for its built-in names, and pickles of protocol 2 keep it.
  const label = `${module === '__builtin__' ? 'builtins' : module}.${name}`
  const unsupported = UNSUPPORTED.get(label)
  if (unsupported !== undefined) throw new DTypeError(context.fail(`names ${label}: ${unsupported}`).message)
  return GLOBALS.get(label)
}

const GLOBALS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ...[...STORAGE_DTYPES].flatMap(([name, dtype]) =>
    ['torch', 'torch.cuda', 'torch.storage'].map((module): [string, unknown] => [
      `${module}.${name}`,
      new StorageType(name, dtype),
    ]),
  ),
  ...DTYPES.map((name): [string, unknown] => [`torch.${name}`, new PickleName(`torch.${name}`)]),
  ...['torch.strided', 'torch.contiguous_format', 'torch.preserve_format', 'torch.channels_last'].map(
    (name): [string, unknown] => [name, new PickleName(name)],
  ),
  ...[...DICT_TYPES].map(([name, type]) => define(name, (args, context) => makeDict(type, args, context))),
  define('builtins.set', makeSet),
  define('builtins.frozenset', makeSet),
  define('builtins.list', (args, context) => [...itemsOf(args, context)]),
  define('builtins.tuple', (args, context) => new PickleTuple([...itemsOf(args, context)])),
  define('builtins.complex', ([real = 0, imag = 0], context) => {
    if (typeof real === 'number' && typeof imag === 'number') return new Complex(real, imag)
    throw context.fail(`makes a complex of ${kindOf(real)} and ${kindOf(imag)}`)
  }),
  define('builtins.bytearray', ([value = new Uint8Array(0)], context) => {
    if (value instanceof Uint8Array) return value
    throw context.fail(`makes bytes of ${kindOf(value)}`)
  }),
  // Only named, as the type argument of others.
  ...['builtins.int', 'builtins.float', 'builtins.str', 'builtins.bool'].map((name): [string, unknown] => [
    name,
    new PickleGlobal(name),
  ]),
  define('_codecs.encode', encodeText),
  define('torch.Size', (args, context) => new PickleTuple([...itemsOf(args, context)])),
  define('torch.device', ([type, index], context) => {
    if (typeof type !== 'string' || (index !== undefined && typeof index !== 'number')) {
      throw context.fail(`makes a device of ${kindOf(type)}`)
    }
    return new PickleName(index === undefined ? type : `${type}:${index}`)
  }),
  define('torch.serialization._get_layout', ([name], context) => {
    if (typeof name === 'string') return new PickleName(name)
    throw context.fail(`makes a layout of ${kindOf(name)}`)
  }),
  define('torch._utils._rebuild_tensor', (args, context) => rebuildTensor(args.slice(0, 4), context)),
  define('torch._utils._rebuild_tensor_v2', (args, context) => rebuildTensor(args, context)),
  define('torch._utils._rebuild_tensor_v3', ([storage, offset, size, stride, grad, , dtype], context) =>
    rebuildTensor([storage, offset, size, stride, grad], context, dtypeNamed(dtype, context)),
  ),
  define('torch._utils._rebuild_parameter', rebuildParameter),
  define('torch._utils._rebuild_parameter_with_state', rebuildParameter),
  define('torch._tensor._rebuild_from_type_v2', rebuildFromType),
  ...['torch.Tensor', 'torch._tensor.Tensor', 'torch.nn.parameter.Parameter', 'torch.nn.parameter.Buffer'].map(
    (name): [string, unknown] => [name, new PickleGlobal(name)],
  ),
  ...NUMPY_GLOBALS,
])

/** What data may be of and is not read, and what to do about it in Python. */
const UNSUPPORTED: ReadonlyMap<string, string> = new Map([
  ['torch._utils._rebuild_qtensor', 'quantized tensors are not read; call dequantize() in Python before saving'],
  ['torch._utils._rebuild_sparse_tensor', 'sparse tensors are not read; call to_dense() in Python before saving'],
  ['torch._utils._rebuild_nested_tensor', 'nested tensors are not read; save a list of tensors'],
  ['torch._utils._rebuild_meta_tensor_no_storage', 'tensors on the meta device have no data; save real ones'],
])

type Construct = (args: readonly unknown[], context: PickleContext) => unknown

function define(name: string, construct: Construct): [string, PickleGlobal] {
  return [name, new PickleGlobal(name, construct)]
}

// ---- Containers -----------------------------------------------------------------------------------------------------

function itemsOf([source]: readonly unknown[], context: PickleContext): readonly unknown[] {
  if (source === undefined) return []
  const items = source instanceof PickleTuple ? source.items : Array.isArray(source) ? source : undefined
  if (items === undefined) throw context.fail(`makes a collection of ${kindOf(source)}`)
  context.charge(items.length)
  return items
}

function makeSet(args: readonly unknown[], context: PickleContext): PickleSet {
  const set = new PickleSet()
  for (const item of itemsOf(args, context)) set.items.add(item)
  return set
}

function makeDict(type: PickleDict['type'], args: readonly unknown[], context: PickleContext): PickleDict {
  const dict = new PickleDict(type)
  // A defaultdict's first argument is its factory, which is only named.
  const [content] = type === 'defaultdict' ? args.slice(1) : args
  if (content === undefined) return dict
  if (content instanceof PickleDict) {
    context.charge(content.entries.size)
    for (const [key, value] of content.entries) dict.entries.set(key, value)
    return dict
  }
  for (const pair of itemsOf([content], context)) {
    const [key, value] = pair instanceof PickleTuple ? pair.items : Array.isArray(pair) ? pair : []
    if (key === undefined || value === undefined) throw context.fail(`makes a ${type} of ${kindOf(pair)}`)
    dict.entries.set(key, value)
  }
  return dict
}

/** How protocol 2, which Python 2 could read, holds bytes. */
function encodeText([text, encoding]: readonly unknown[], context: PickleContext): Uint8Array {
  if (typeof text !== 'string' || (encoding !== 'latin1' && encoding !== 'latin-1')) {
    throw context.fail(`encodes ${kindOf(text)} as ${kindOf(encoding)}; bytes are encoded as "latin1"`)
  }
  context.charge(text.length)
  return Uint8Array.from(Buffer.from(text, 'latin1'))
}

// ---- Tensors --------------------------------------------------------------------------------------------------------

function rebuildTensor(args: readonly unknown[], context: PickleContext, dtype?: DType): TensorDescription {
  const [storage, offset, size, stride, requiresGrad = false] = args
  if (!(storage instanceof StorageReference))
    throw context.fail(`makes a tensor of ${kindOf(storage)} in place of a storage`)
  const shape = numbersOf('size', size, context)
  const strides = numbersOf('stride', stride, context)
  if (shape.length !== strides.length) {
    throw context.fail(`makes a tensor of size [${shape}] with a stride of [${strides}]; they must be as many`)
  }
  if (typeof requiresGrad !== 'boolean') throw context.fail(`has ${kindOf(requiresGrad)} for requires_grad`)
  const [start = 0] = numbersOf('storage_offset', new PickleTuple([offset]), context)
  const type = dtype ?? storage.dtype
  checkInside(storage, type, start, shape, strides, context)
  return new TensorDescription(storage, type, start, shape, strides, requiresGrad)
}

function checkInside(
  storage: StorageReference,
  dtype: DType,
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
  context: PickleContext,
): void {
  const empty = shape.includes(0)
  const last = shape.reduce((sum, size, dim) => sum + (size - 1) * (strides[dim] ?? 0), offset)
  const needed = empty ? 0 : (last + 1) * bytesOf(dtype)
  if (needed > storage.size) {
    throw context.fail(
      `makes a tensor of size [${shape}], stride [${strides}], offset ${offset} (${dtype}), which needs ${needed} bytes of ` +
        `storage ${JSON.stringify(storage.key)}; it has ${storage.size}`,
    )
  }
  const numel = shape.reduce((product, size) => product * size, 1)
  if (!Number.isSafeInteger(numel)) throw context.fail(`makes a tensor of size [${shape}], which no memory holds`)
}

function numbersOf(what: string, value: unknown, context: PickleContext): readonly number[] {
  const items = value instanceof PickleTuple ? value.items : Array.isArray(value) ? value : undefined
  const wrong = (items ?? [value]).find((item) => !Number.isSafeInteger(item) || (item as number) < 0)
  if (items === undefined || wrong !== undefined) {
    throw context.fail(`makes a tensor with ${kindOf(wrong ?? value)} in its ${what}; whole numbers from 0 are allowed`)
  }
  if (items.length > MAX_DIMENSIONS) {
    throw context.fail(`makes a tensor of ${items.length} dimensions; ${MAX_DIMENSIONS} are the most`)
  }
  return items.map(Number)
}

function dtypeNamed(value: unknown, context: PickleContext): DType {
  if (!(value instanceof PickleName)) throw context.fail(`has ${kindOf(value)} for a dtype`)
  const name = value.text.replace('torch.', '')
  if (CODE_OF_DTYPE.has(name)) return name as DType
  throw new DTypeError(
    context.fail(`makes a tensor of ${value.text}, which is not supported; convert it in Python`).message,
  )
}

function rebuildParameter([data, requiresGrad]: readonly unknown[], context: PickleContext): TensorDescription {
  if (!(data instanceof TensorDescription) || typeof requiresGrad !== 'boolean') {
    throw context.fail(`makes a parameter of ${kindOf(data)} with requires_grad ${kindOf(requiresGrad)}`)
  }
  return new TensorDescription(data.storage, data.dtype, data.offset, data.shape, data.strides, requiresGrad)
}

/** Tensors with Python attributes, which are left out, and subclasses, which become tensors. */
function rebuildFromType([rebuild, , args]: readonly unknown[], context: PickleContext): unknown {
  if (!(rebuild instanceof PickleGlobal) || !rebuild.construct || !rebuild.name.startsWith('torch._utils._rebuild_')) {
    throw context.fail(`makes a tensor by ${kindOf(rebuild)}`)
  }
  if (!(args instanceof PickleTuple)) throw context.fail(`makes a tensor of ${kindOf(args)}`)
  return rebuild.construct(args.items, context)
}

/**
 * The storage that a persistent id names: `('storage', type, key, location, numel)`, with a view `(key, offset, numel)`
 * last in legacy files. Sizes are those that the id claims; the reader of the file checks them.
 *
 * @throws DTypeError for a storage of elements that this package lacks
 */
export function storageOf(id: unknown, context: PickleContext): StorageReference {
  const [kind, type, key, , numel, view = null] = id instanceof PickleTuple ? id.items : []
  const whole = Number.isSafeInteger(numel) && (numel as number) >= 0
  if (kind !== 'storage' || !(type instanceof StorageType) || typeof key !== 'string' || !whole) {
    throw context.fail(`refers to ${kindOf(id)} outside of it; ('storage', type, key, location, numel) is expected`)
  }
  if (type.dtype === undefined) {
    throw new DTypeError(
      context.fail(`refers to a ${type.name}, which is not supported; call dequantize() in Python before saving`)
        .message,
    )
  }
  const itemSize = bytesOf(type.dtype)
  const size = (numel as number) * itemSize
  if (view === null) return new StorageReference(key, type.dtype, size, 0, size)
  const [, offset, length] = view instanceof PickleTuple ? view.items : []
  const fits = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && (offset as number) >= 0
  if (!fits || (length as number) < 0 || (offset as number) + (length as number) > (numel as number)) {
    throw context.fail(`has a view (${kindOf(offset)}, ${kindOf(length)}) of a storage of ${numel} elements`)
  }
  return new StorageReference(key, type.dtype, size, (offset as number) * itemSize, (length as number) * itemSize)
}
