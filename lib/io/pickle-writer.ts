/** The opcodes of protocol 2 that Python's own `weights_only` reader takes. */
enum Op {
  Mark = 0x28,
  EmptyTuple = 0x29,
  Stop = 0x2e,
  BinFloat = 0x47,
  BinInt = 0x4a,
  BinInt1 = 0x4b,
  BinInt2 = 0x4d,
  None = 0x4e,
  BinPersistentId = 0x51,
  Reduce = 0x52,
  BinUnicode = 0x58,
  EmptyList = 0x5d,
  Build = 0x62,
  Global = 0x63,
  Appends = 0x65,
  BinGet = 0x68,
  LongBinGet = 0x6a,
  BinPut = 0x71,
  LongBinPut = 0x72,
  Tuple = 0x74,
  SetItems = 0x75,
  EmptyDict = 0x7d,
  Proto = 0x80,
  NewTrue = 0x88,
  NewFalse = 0x89,
  Long1 = 0x8a,
}

const PROTOCOL = 2
/** The most that the one length byte of an integer states. */
export const MAX_INTEGER_BYTES = 255

/** Writes a pickle of protocol 2, value by value. What was written is recalled by its number in the memo. */
export class PickleWriter {
  #bytes = Buffer.alloc(4096)
  #length = 0
  #remembered = 0
  readonly #memo = new Map<unknown, number>()
  readonly #globals = new Map<string, number>()

  constructor() {
    this.#op(Op.Proto)
    this.#uint8(PROTOCOL)
  }

  /** The whole pickle. */
  end(): Uint8Array {
    this.#op(Op.Stop)
    return this.#bytes.subarray(0, this.#length)
  }

  // ---- Memo ---------------------------------------------------------------------------------------------------------

  /** Writes a reference to what was remembered under `key`; false when nothing was. */
  recall(key: unknown): boolean {
    const index = this.#memo.get(key)
    if (index === undefined) return false
    this.#indexed(Op.BinGet, Op.LongBinGet, index)
    return true
  }

  /** Remembers the value just written under `key`. */
  remember(key: unknown): void {
    this.#memo.set(key, this.#remembered)
    this.#put()
  }

  #put(): void {
    this.#indexed(Op.BinPut, Op.LongBinPut, this.#remembered++)
  }

  #indexed(short: Op, long: Op, index: number): void {
    if (index < 256) {
      this.#op(short)
      this.#uint8(index)
    } else {
      this.#op(long)
      const at = this.#room(4)
      this.#bytes.writeUInt32LE(index, at)
    }
  }

  // ---- Values -------------------------------------------------------------------------------------------------------

  none(): void {
    this.#op(Op.None)
  }

  boolean(value: boolean): void {
    this.#op(value ? Op.NewTrue : Op.NewFalse)
  }

  float(value: number): void {
    this.#op(Op.BinFloat)
    const at = this.#room(8)
    this.#bytes.writeDoubleBE(value, at)
  }

  /** @param value of no more than `MAX_INTEGER_BYTES` bytes */
  integer(value: bigint): void {
    if (value >= 0n && value < 0x100n) {
      this.#op(Op.BinInt1)
      this.#uint8(Number(value))
    } else if (value >= 0n && value < 0x10000n) {
      this.#op(Op.BinInt2)
      const at = this.#room(2)
      this.#bytes.writeUInt16LE(Number(value), at)
    } else if (BigInt.asIntN(32, value) === value) {
      this.#op(Op.BinInt)
      const at = this.#room(4)
      this.#bytes.writeInt32LE(Number(value), at)
    } else {
      const length = integerBytes(value)
      this.#op(Op.Long1)
      this.#uint8(length)
      for (let i = 0; i < length; i++) this.#uint8(Number((value >> BigInt(8 * i)) & 0xffn))
    }
  }

  string(value: string): void {
    if (this.recall(value)) return
    const length = Buffer.byteLength(value)
    this.#op(Op.BinUnicode)
    const at = this.#room(4 + length)
    this.#bytes.writeUInt32LE(length, at)
    this.#bytes.write(value, at + 4)
    this.remember(value)
  }

  /** A name of Python's, such as `collections` and `OrderedDict`. */
  global(module: string, name: string): void {
    const text = `${module}\n${name}\n`
    const known = this.#globals.get(text)
    if (known !== undefined) {
      this.#indexed(Op.BinGet, Op.LongBinGet, known)
      return
    }
    this.#op(Op.Global)
    const at = this.#room(Buffer.byteLength(text))
    this.#bytes.write(text, at)
    this.#globals.set(text, this.#remembered)
    this.#put()
  }

  // ---- What is made of values that were written before --------------------------------------------------------------

  mark(): void {
    this.#op(Op.Mark)
  }

  /** A tuple of all since the mark. */
  tuple(): void {
    this.#op(Op.Tuple)
  }

  emptyTuple(): void {
    this.#op(Op.EmptyTuple)
  }

  emptyList(): void {
    this.#op(Op.EmptyList)
  }

  /** Adds all since the mark to the list before it. */
  appends(): void {
    this.#op(Op.Appends)
  }

  emptyDict(): void {
    this.#op(Op.EmptyDict)
  }

  /** Adds keys and values since the mark to the dict before it. */
  setItems(): void {
    this.#op(Op.SetItems)
  }

  /** Calls the global before the tuple with it. */
  reduce(): void {
    this.#op(Op.Reduce)
  }

  /** Sets attributes, a dict, of the object before it. */
  build(): void {
    this.#op(Op.Build)
  }

  persistentId(): void {
    this.#op(Op.BinPersistentId)
  }

  // ---- Bytes --------------------------------------------------------------------------------------------------------

  #op(op: Op): void {
    this.#uint8(op)
  }

  #uint8(value: number): void {
    const at = this.#room(1)
    this.#bytes[at] = value
  }

  /** Where the next `bytes` bytes go. May replace `#bytes`: call it in a statement of its own before. */
  #room(bytes: number): number {
    const begin = this.#length
    this.#length += bytes
    if (this.#length > this.#bytes.byteLength) {
      const larger = Buffer.alloc(Math.max(this.#length, 2 * this.#bytes.byteLength))
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    return begin
  }
}

/** Bytes of an integer in two's complement. */
export function integerBytes(value: bigint): number {
  let bytes = 1
  while (bytes <= MAX_INTEGER_BYTES && BigInt.asIntN(8 * bytes, value) !== value) bytes += 1
  return bytes
}
