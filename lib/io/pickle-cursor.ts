import { FormatError } from '../native/errors'

/** Integers of Python have any length; those of checkpoints fit in a few words. */
const MAX_LONG_BYTES = 256
const MAX_LINE_BYTES = 65_536
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Reads the numbers and strings of a pickle, none of them past its end. */
export class PickleCursor {
  readonly #view: DataView
  #opcodeAt: number

  /** @param name how errors call the file */
  constructor(
    readonly source: Uint8Array,
    public at: number,
    readonly name: string,
  ) {
    this.#view = new DataView(source.buffer, source.byteOffset, source.byteLength)
    this.#opcodeAt = at
  }

  get length(): number {
    return this.source.byteLength
  }

  fail(problem: string): FormatError {
    return new FormatError(`${this.name}: the pickle ${problem} (at byte ${this.#opcodeAt})`)
  }

  /** The next opcode. */
  begin(): number {
    this.#opcodeAt = this.at
    return this.uint8()
  }

  /** Complains unless as many bytes follow. */
  need(bytes: number): void {
    if (bytes <= this.length - this.at) return
    throw this.fail(`is truncated: it states ${bytes} bytes where ${this.length - this.at} are left`)
  }

  #take(bytes: number): number {
    if (bytes < 0) throw this.fail(`states a length of ${bytes} bytes`)
    this.need(bytes)
    const begin = this.at
    this.at += bytes
    return begin
  }

  uint8(): number {
    return this.#view.getUint8(this.#take(1))
  }

  uint16(): number {
    return this.#view.getUint16(this.#take(2), true)
  }

  int32(): number {
    return this.#view.getInt32(this.#take(4), true)
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4), true)
  }

  /** A length; one that no number holds exactly is past the end of any file. */
  uint64(): number {
    return Number(this.#view.getBigUint64(this.#take(8), true))
  }

  /** Pickles hold floats big-endian, unlike all else. */
  float64(): number {
    return this.#view.getFloat64(this.#take(8), false)
  }

  /** A copy, as the pickle's memory is not kept. */
  bytes(length: number): Uint8Array {
    const begin = this.#take(length)
    return this.source.slice(begin, begin + length)
  }

  utf8(length: number): string {
    const begin = this.#take(length)
    try {
      return UTF8.decode(this.source.subarray(begin, begin + length))
    } catch (cause) {
      throw new FormatError(this.fail('holds a string that is not UTF-8').message, { cause })
    }
  }

  /** The 8-bit strings of Python 2. */
  latin1(length: number): string {
    const begin = this.#take(length)
    return Buffer.from(this.source.buffer, this.source.byteOffset + begin, length).toString('latin1')
  }

  /** A little-endian two's complement integer: a number while exact. */
  long(length: number): number | bigint {
    if (length > MAX_LONG_BYTES) throw this.fail(`holds an integer of ${length} bytes; ${MAX_LONG_BYTES} are the most`)
    const begin = this.#take(length)
    let value = 0n
    for (let i = begin + length - 1; i >= begin; i--) value = (value << 8n) | BigInt(this.#view.getUint8(i))
    return exact(BigInt.asIntN(8 * length, value))
  }

  // ---- Lines of text, as protocol 0 has them ------------------------------------------------------------------------

  line(): string {
    const end = this.source.indexOf(0x0a, this.at)
    if (end < 0) throw this.fail('is truncated: a line does not end')
    if (end - this.at > MAX_LINE_BYTES) throw this.fail(`holds a line of ${end - this.at} bytes`)
    const text = this.latin1(end - this.at)
    this.at += 1
    return text
  }

  intLine(): number | bigint | boolean {
    const text = this.line()
    // The booleans of protocol 0.
    if (text === '00' || text === '01') return text === '01'
    return this.#integer(text)
  }

  longLine(): number | bigint {
    return this.#integer(this.line().replace(/L$/, ''))
  }

  indexLine(): number {
    const value = this.#integer(this.line())
    if (typeof value === 'number' && value >= 0) return value
    throw this.fail(`has ${value} for the number of a remembered value`)
  }

  floatLine(): number {
    const text = this.line()
    if (/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i.test(text)) return Number(text)
    const special = new Map([
      ['inf', Number.POSITIVE_INFINITY],
      ['-inf', Number.NEGATIVE_INFINITY],
      ['nan', Number.NaN],
    ]).get(text)
    if (special === undefined) throw this.fail(`has ${JSON.stringify(text)} for a float`)
    return special
  }

  stringLine(): string {
    const text = this.line()
    const quoted = /^(['"])(.*)\1$/.exec(text)
    if (quoted === null) throw this.fail('holds a string without quotes')
    return (quoted[2] ?? '').replace(/\\(?:x([0-9a-f]{2})|([\s\S]))/gi, (_, hex?: string, other = '') =>
      hex === undefined ? (ESCAPES.get(other) ?? other) : String.fromCharCode(Number.parseInt(hex, 16)),
    )
  }

  unicodeLine(): string {
    return this.line().replace(/\\u([0-9a-f]{4})|\\U([0-9a-f]{8})/gi, (_, short?: string, long?: string) => {
      const code = Number.parseInt(short ?? long ?? '', 16)
      if (code > 0x10ffff) throw this.fail(`holds the character ${code}, which Unicode lacks`)
      return String.fromCodePoint(code)
    })
  }

  #integer(text: string): number | bigint {
    if (!/^[+-]?\d{1,600}$/.test(text)) throw this.fail(`has ${JSON.stringify(text.slice(0, 60))} for an integer`)
    return exact(BigInt(text.replace('+', '')))
  }
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['t', '\t'],
  ['r', '\r'],
])

function exact(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}
