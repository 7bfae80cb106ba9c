// GPT-2's way of writing bytes as visible characters, so that any text is made of known symbols.

/** Printable characters stand for themselves; the other bytes for characters from U+0100 on (Radford et al. 2019). */
const SYMBOLS: readonly string[] = (() => {
  const visible = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff)
  let next = 0x100
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(visible(byte) ? byte : next++))
})()

/** The symbols in GPT-2's order: those of visible bytes first, then the others. */
export const BYTE_SYMBOLS: readonly string[] = [...SYMBOLS].sort((a, b) => (a < b ? -1 : 1))

const BYTES: ReadonlyMap<string, number> = new Map(SYMBOLS.map((symbol, byte) => [symbol, byte]))

const encoder = new TextEncoder()
// A mark of the byte order is a character like any other.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

export function toByteSymbols(text: string): string {
  let symbols = ''
  for (const byte of encoder.encode(text)) symbols += SYMBOLS[byte]
  return symbols
}

/** Characters that stand for no byte are written as they are; broken UTF-8 becomes U+FFFD. */
export function fromByteSymbols(symbols: string): string {
  const bytes: number[] = []
  for (const symbol of symbols) {
    const byte = BYTES.get(symbol)
    if (byte === undefined) bytes.push(...encoder.encode(symbol))
    else bytes.push(byte)
  }
  return decoder.decode(Uint8Array.from(bytes))
}

/** Bytes that a list of `<0x41>` tokens stands for, as text. */
export function decodeBytes(bytes: readonly number[]): string {
  return decoder.decode(Uint8Array.from(bytes))
}

export function utf8(text: string): Uint8Array {
  return encoder.encode(text)
}
