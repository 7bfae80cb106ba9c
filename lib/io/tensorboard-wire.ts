/** Castagnoli's polynomial, reflected. */
const POLYNOMIAL = 0x82f63b78

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1
  return value
})

/** CRC-32C (RFC 3720). */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) crc = (TABLE[(crc ^ byte) & 0xff] as number) ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}

/** TFRecord's checksum: a CRC of data that holds CRCs would be weak, so it is rotated and shifted. */
export function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c(bytes)
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}

/** Bytes before and after the data of a TFRecord. */
export const HEADER_BYTES = 12
export const FOOTER_BYTES = 4

/** A TFRecord: length, its checksum, data, its checksum. */
export function frameRecord(data: Uint8Array): Uint8Array {
  const record = Buffer.alloc(HEADER_BYTES + data.byteLength + FOOTER_BYTES)
  record.writeBigUInt64LE(BigInt(data.byteLength), 0)
  record.writeUInt32LE(maskedCrc(record.subarray(0, 8)), 8)
  record.set(data, HEADER_BYTES)
  record.writeUInt32LE(maskedCrc(data), HEADER_BYTES + data.byteLength)
  return record
}

/** Wire types of protocol buffers. */
const [VARINT, FIXED64, LENGTH, FIXED32] = [0, 1, 2, 5] as const

/** Builds a protocol-buffer message. Fields are written in the order of the calls; as in proto3, 0 and '' may be left out. */
export class MessageWriter {
  readonly #parts: Uint8Array[] = []

  bytes(field: number, value: Uint8Array): this {
    this.#parts.push(varint(field * 8 + LENGTH), varint(value.byteLength), value)
    return this
  }

  string(field: number, value: string): this {
    return value === '' ? this : this.bytes(field, Buffer.from(value))
  }

  /** An int64 or an enum that is not negative. */
  int(field: number, value: number): this {
    if (value !== 0) this.#parts.push(varint(field * 8 + VARINT), varint(value))
    return this
  }

  double(field: number, value: number): this {
    if (Object.is(value, 0)) return this
    const part = Buffer.alloc(8)
    part.writeDoubleLE(value)
    this.#parts.push(varint(field * 8 + FIXED64), part)
    return this
  }

  /** A float of a oneof, which is written when it is 0 too. */
  float(field: number, value: number): this {
    const part = Buffer.alloc(4)
    part.writeFloatLE(Math.fround(value))
    this.#parts.push(varint(field * 8 + FIXED32), part)
    return this
  }

  packedDoubles(field: number, values: readonly number[]): this {
    if (values.length === 0) return this
    const part = Buffer.alloc(8 * values.length)
    for (const [index, value] of values.entries()) part.writeDoubleLE(value, 8 * index)
    return this.bytes(field, part)
  }

  finish(): Uint8Array {
    return Buffer.concat(this.#parts)
  }
}

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  // By division: shifts would cut at 32 bits.
  while (rest >= 128) {
    bytes.push((rest % 128) + 128)
    rest = Math.floor(rest / 128)
  }
  return Uint8Array.of(...bytes, rest)
}

/** A field of a message: its number, and its value as the wire type says. */
export type Field = { readonly field: number } & (
  | { readonly wire: 'number'; readonly value: number }
  | { readonly wire: 'bytes'; readonly value: Buffer }
  | { readonly wire: 'double' | 'float'; readonly value: number }
)

/** Reads the fields of a message in order. @throws RangeError when it is cut off or holds what is no field */
export function* readFields(message: Buffer): Generator<Field> {
  let at = 0
  const number = (): number => {
    let [value, scale] = [0n, 0n]
    for (;;) {
      const byte = message.readUInt8(at++)
      value |= BigInt(byte & 0x7f) << scale
      if (byte < 128) return Number(BigInt.asIntN(64, value))
      scale += 7n
      if (scale > 63n) throw new RangeError('a number of more than 64 bits')
    }
  }
  const skip = (length: number): number => {
    if (length < 0 || at + length > message.length) throw new RangeError('a field that ends after its message')
    at += length
    return at - length
  }
  while (at < message.length) {
    const key = number()
    const [field, wire] = [Math.floor(key / 8), key % 8]
    if (wire === VARINT) yield { field, wire: 'number', value: number() }
    else if (wire === FIXED64) yield { field, wire: 'double', value: message.readDoubleLE(skip(8)) }
    else if (wire === FIXED32) yield { field, wire: 'float', value: message.readFloatLE(skip(4)) }
    else if (wire === LENGTH) {
      const length = number()
      const start = skip(length)
      yield { field, wire: 'bytes', value: message.subarray(start, start + length) }
    } else throw new RangeError(`wire type ${wire}`)
  }
}
