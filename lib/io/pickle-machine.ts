import type { FormatError } from '../native/errors'
import { PickleCursor } from './pickle-cursor'
import {
  isBuildable,
  kindOf,
  type PickleContext,
  PickleDict,
  PickleGlobal,
  PickleSet,
  PickleTuple,
} from './pickle-values'

/** What a kind of file allows in its pickles. */
export interface PickleRules {
  /** What a name stands for; undefined refuses it. */
  global(module: string, name: string, context: PickleContext): unknown
  /** The object outside the pickle that an id names, such as a storage. */
  persistent?(id: unknown, context: PickleContext): unknown
}

enum Op {
  Mark = 0x28,
  EmptyTuple = 0x29,
  Stop = 0x2e,
  Pop = 0x30,
  PopMark = 0x31,
  Dup = 0x32,
  BinBytes = 0x42,
  ShortBinBytes = 0x43,
  Float = 0x46,
  BinFloat = 0x47,
  Int = 0x49,
  BinInt = 0x4a,
  BinInt1 = 0x4b,
  Long = 0x4c,
  BinInt2 = 0x4d,
  None = 0x4e,
  PersistentId = 0x50,
  BinPersistentId = 0x51,
  Reduce = 0x52,
  String = 0x53,
  BinString = 0x54,
  ShortBinString = 0x55,
  Unicode = 0x56,
  BinUnicode = 0x58,
  EmptyList = 0x5d,
  Append = 0x61,
  Build = 0x62,
  Global = 0x63,
  Dict = 0x64,
  Appends = 0x65,
  Get = 0x67,
  BinGet = 0x68,
  LongBinGet = 0x6a,
  List = 0x6c,
  Put = 0x70,
  BinPut = 0x71,
  LongBinPut = 0x72,
  SetItem = 0x73,
  Tuple = 0x74,
  SetItems = 0x75,
  EmptyDict = 0x7d,
  Proto = 0x80,
  NewObject = 0x81,
  Tuple1 = 0x85,
  Tuple2 = 0x86,
  Tuple3 = 0x87,
  NewTrue = 0x88,
  NewFalse = 0x89,
  Long1 = 0x8a,
  Long4 = 0x8b,
  ShortBinUnicode = 0x8c,
  BinUnicode8 = 0x8d,
  BinBytes8 = 0x8e,
  EmptySet = 0x8f,
  AddItems = 0x90,
  FrozenSet = 0x91,
  StackGlobal = 0x93,
  Memoize = 0x94,
  Frame = 0x95,
  ByteArray8 = 0x96,
}

const MARK = Symbol('mark')
const HIGHEST_PROTOCOL = 5
/** Each takes some tens of bytes, so the values of any pickle fit in memory. */
const MAX_VALUES = 8_000_000
/** Containers and objects take some hundreds. */
const MAX_OBJECTS = 1_000_000
/** Copies out of the memo beyond this and the pickle's own length are a bomb. */
const FREE_CHARGE = 4096

/**
 * Runs a pickle (protocols 0 to 5) on a machine that cannot do more than build values: names are looked up in the
 * rules' table, which holds no code of the file, and nothing is allocated that the pickle does not pay for in bytes.
 *
 * @param name how errors call the file
 * @returns the value, made of JavaScript's own and of the classes of `pickle-values`, and where the pickle ends
 * @throws FormatError naming the byte, what stands there and the rule
 */
export function unpickle(
  bytes: Uint8Array,
  name: string,
  rules: PickleRules,
  begin = 0,
): { readonly value: unknown; readonly end: number } {
  return new Machine(new PickleCursor(bytes, begin, name), rules).run()
}

class Machine implements PickleContext {
  readonly #stack: unknown[] = []
  /** Positions of marks, so that finding the last is no search. */
  readonly #marks: number[] = []
  readonly #memo = new Map<number, unknown>()
  #charged = 0
  #values = 0
  #objects = 0

  constructor(
    readonly cursor: PickleCursor,
    readonly rules: PickleRules,
  ) {}

  fail(problem: string): FormatError {
    return this.cursor.fail(problem)
  }

  charge(items: number): void {
    this.#charged += items
    const limit = this.cursor.length + FREE_CHARGE
    if (this.#charged > limit) {
      throw this.fail(`copies ${this.#charged} items out of a pickle of ${this.cursor.length} bytes; it is a bomb`)
    }
  }

  run(): { value: unknown; end: number } {
    for (;;) {
      const op = this.cursor.begin()
      if (op === Op.Stop) {
        const value = this.#pop()
        if (this.#stack.length > 0) throw this.fail(`ends with ${this.#stack.length} values left over`)
        return { value, end: this.cursor.at }
      }
      this.#step(op)
    }
  }

  #step(op: number): void {
    if (this.#constant(op) || this.#container(op) || this.#memory(op) || this.#object(op)) return
    const known = Op[op] !== undefined ? ` (${Op[op]})` : ''
    throw this.fail(`has the opcode 0x${op.toString(16).padStart(2, '0')}${known}, which no checkpoint needs`)
  }

  // ---- Stack --------------------------------------------------------------------------------------------------------

  #push(value: unknown): true {
    this.#count()
    this.#stack.push(value)
    return true
  }

  #count(): void {
    this.#values += 1
    if (this.#values > MAX_VALUES) throw this.fail(`makes more than ${MAX_VALUES} values; it is a bomb`)
  }

  /** As `push`, for what takes more memory than the byte or two by which it is asked for. */
  #pushObject(value: unknown): true {
    this.#objects += 1
    if (this.#objects > MAX_OBJECTS) throw this.fail(`makes more than ${MAX_OBJECTS} objects; it is a bomb`)
    return this.#push(value)
  }

  #pop(): unknown {
    const value = this.#top()
    this.#stack.pop()
    return value
  }

  #top(): unknown {
    const value = this.#stack.at(-1)
    if (this.#stack.length === 0 || value === MARK) throw this.fail('takes a value from an empty stack')
    return value
  }

  #popToMark(): unknown[] {
    const mark = this.#marks.pop()
    if (mark === undefined) throw this.fail('takes values up to a mark that is not there')
    const items = this.#stack.splice(mark + 1)
    this.#stack.pop()
    return items
  }

  // ---- Opcodes ------------------------------------------------------------------------------------------------------

  #constant(op: number): boolean {
    const { cursor } = this
    switch (op) {
      case Op.None:
        return this.#push(null)
      case Op.NewTrue:
        return this.#push(true)
      case Op.NewFalse:
        return this.#push(false)
      case Op.Int:
        return this.#push(cursor.intLine())
      case Op.Long:
        return this.#push(cursor.longLine())
      case Op.BinInt:
        return this.#push(cursor.int32())
      case Op.BinInt1:
        return this.#push(cursor.uint8())
      case Op.BinInt2:
        return this.#push(cursor.uint16())
      case Op.Long1:
        return this.#push(cursor.long(cursor.uint8()))
      case Op.Long4:
        return this.#push(cursor.long(cursor.int32()))
      case Op.Float:
        return this.#push(cursor.floatLine())
      case Op.BinFloat:
        return this.#push(cursor.float64())
      case Op.String:
        return this.#push(cursor.stringLine())
      case Op.BinString:
        return this.#push(cursor.latin1(cursor.int32()))
      case Op.ShortBinString:
        return this.#push(cursor.latin1(cursor.uint8()))
      case Op.Unicode:
        return this.#push(cursor.unicodeLine())
      case Op.ShortBinUnicode:
        return this.#push(cursor.utf8(cursor.uint8()))
      case Op.BinUnicode:
        return this.#push(cursor.utf8(cursor.uint32()))
      case Op.BinUnicode8:
        return this.#push(cursor.utf8(cursor.uint64()))
      case Op.ShortBinBytes:
        return this.#push(cursor.bytes(cursor.uint8()))
      case Op.BinBytes:
        return this.#push(cursor.bytes(cursor.uint32()))
      case Op.BinBytes8:
      case Op.ByteArray8:
        return this.#push(cursor.bytes(cursor.uint64()))
      default:
        return false
    }
  }

  #container(op: number): boolean {
    switch (op) {
      case Op.Mark:
        this.#marks.push(this.#stack.length)
        return this.#push(MARK)
      case Op.EmptyTuple:
        return this.#pushObject(new PickleTuple([]))
      case Op.Tuple1:
      case Op.Tuple2:
      case Op.Tuple3:
        return this.#pushObject(new PickleTuple(this.#popSome(op - Op.Tuple1 + 1)))
      case Op.Tuple:
        return this.#pushObject(new PickleTuple(this.#popToMark()))
      case Op.EmptyList:
        return this.#pushObject([])
      case Op.List:
        return this.#pushObject(this.#popToMark())
      case Op.Append:
        return this.#append([this.#pop()])
      case Op.Appends:
        return this.#append(this.#popToMark())
      case Op.EmptyDict:
        return this.#pushObject(new PickleDict())
      case Op.Dict: {
        const items = this.#popToMark()
        this.#pushObject(new PickleDict())
        return this.#setItems(items)
      }
      case Op.SetItem:
        return this.#setItems(this.#popSome(2))
      case Op.SetItems:
        return this.#setItems(this.#popToMark())
      case Op.EmptySet:
        return this.#pushObject(new PickleSet())
      case Op.AddItems:
        return this.#addItems(this.#popToMark())
      case Op.FrozenSet: {
        const items = this.#popToMark()
        this.#pushObject(new PickleSet())
        return this.#addItems(items)
      }
      default:
        return false
    }
  }

  #memory(op: number): boolean {
    const { cursor } = this
    switch (op) {
      case Op.Proto: {
        const protocol = cursor.uint8()
        if (protocol <= HIGHEST_PROTOCOL) return true
        throw this.fail(`is of pickle protocol ${protocol}; protocols up to ${HIGHEST_PROTOCOL} are read`)
      }
      case Op.Frame:
        cursor.need(cursor.uint64())
        return true
      case Op.Pop:
        if (this.#marks.at(-1) === this.#stack.length - 1) this.#popToMark()
        else this.#pop()
        return true
      case Op.PopMark:
        this.#popToMark()
        return true
      case Op.Dup:
        return this.#push(this.#top())
      case Op.Put:
        return this.#remember(cursor.indexLine())
      case Op.BinPut:
        return this.#remember(cursor.uint8())
      case Op.LongBinPut:
        return this.#remember(cursor.uint32())
      case Op.Memoize:
        return this.#remember(this.#memo.size)
      case Op.Get:
        return this.#recall(cursor.indexLine())
      case Op.BinGet:
        return this.#recall(cursor.uint8())
      case Op.LongBinGet:
        return this.#recall(cursor.uint32())
      default:
        return false
    }
  }

  #object(op: number): boolean {
    switch (op) {
      case Op.Global: {
        const module = this.cursor.line()
        return this.#push(this.#global(module, this.cursor.line()))
      }
      case Op.StackGlobal: {
        const [module, name] = this.#popSome(2)
        if (typeof module === 'string' && typeof name === 'string') return this.#push(this.#global(module, name))
        throw this.fail(`names a global by ${kindOf(module)} and ${kindOf(name)}, not by strings`)
      }
      case Op.Reduce:
      case Op.NewObject:
        return this.#construct()
      case Op.Build:
        return this.#build()
      case Op.PersistentId:
        return this.#persistent(this.cursor.line())
      case Op.BinPersistentId:
        return this.#persistent(this.#pop())
      default:
        return false
    }
  }

  #popSome(count: number): unknown[] {
    const items: unknown[] = []
    for (let i = 0; i < count; i++) items.push(this.#pop())
    return items.reverse()
  }

  #append(items: readonly unknown[]): true {
    const list = this.#top()
    if (!Array.isArray(list)) throw this.fail(`appends to ${kindOf(list)}, which is no list`)
    for (const item of items) list.push(item)
    return true
  }

  #setItems(items: readonly unknown[]): true {
    const dict = this.#top()
    if (!(dict instanceof PickleDict)) throw this.fail(`sets items of ${kindOf(dict)}, which is no dict`)
    if (items.length % 2 !== 0) throw this.fail('sets a key without a value')
    for (let i = 0; i < items.length; i += 2) dict.entries.set(items[i], items[i + 1])
    return true
  }

  #addItems(items: readonly unknown[]): true {
    const set = this.#top()
    if (!(set instanceof PickleSet)) throw this.fail(`adds items to ${kindOf(set)}, which is no set`)
    for (const item of items) set.items.add(item)
    return true
  }

  #remember(index: number): true {
    this.#count()
    this.#memo.set(index, this.#top())
    return true
  }

  #recall(index: number): true {
    const value = this.#memo.get(index)
    if (value === undefined) throw this.fail(`recalls value ${index}, which was never remembered`)
    return this.#push(value)
  }

  #global(module: string, name: string): unknown {
    const value = this.rules.global(module, name, this)
    if (value !== undefined) return value
    const label = `${module}.${name}`
    throw this.fail(
      `names ${JSON.stringify(label.length > 200 ? `${label.slice(0, 200)}…` : label)}, which is not on the list of ` +
        'what data may be made of: the file would run code of that name. Save tensors and plain values in Python, such as ' +
        'torch.save(model.state_dict(), path)',
    )
  }

  #construct(): true {
    const [target, args] = this.#popSome(2)
    if (!(target instanceof PickleGlobal) || target.construct === undefined) {
      throw this.fail(`calls ${kindOf(target)}, which is nothing that can be made`)
    }
    if (!(args instanceof PickleTuple)) throw this.fail(`calls ${target.name} with ${kindOf(args)} in place of a tuple`)
    return this.#pushObject(target.construct(args.items, this))
  }

  #build(): true {
    const state = this.#pop()
    const object = this.#top()
    if (object instanceof PickleDict && object.type === 'OrderedDict' && state instanceof PickleDict) {
      // Attributes such as the `_metadata` of a state dict.
      object.attributes = state
      return true
    }
    if (!isBuildable(object)) throw this.fail(`sets attributes of ${kindOf(object)}, which no data need`)
    object.build(state, this)
    return true
  }

  #persistent(id: unknown): true {
    if (this.rules.persistent === undefined) throw this.fail('refers to an object outside of the pickle')
    return this.#pushObject(this.rules.persistent(id, this))
  }
}
