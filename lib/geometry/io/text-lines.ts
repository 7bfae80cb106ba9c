/** Lines of a file one after the other, without making one string of it all. */
export class TextLines {
  #at: number
  /** The number of the line that was read last, from 1. */
  line: number

  constructor(
    readonly name: string,
    readonly bytes: Uint8Array,
    start = 0,
    line = 0,
  ) {
    this.#at = start
    this.line = line
  }

  /** The first byte of the next line. */
  get position(): number {
    return this.#at
  }

  get remaining(): number {
    return this.bytes.byteLength - this.#at
  }

  /** Without its end (LF, CR LF or CR); undefined after the last. */
  next(): string | undefined {
    const { bytes } = this
    if (this.#at >= bytes.byteLength) return undefined
    let end = this.#at
    while (end < bytes.byteLength && bytes[end] !== 10 && bytes[end] !== 13) end++
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + this.#at, end - this.#at).toString('utf8')
    this.#at = end + (bytes[end] === 13 && bytes[end + 1] === 10 ? 2 : 1)
    this.line++
    return text
  }

  /** The file and the line read last, for messages. */
  get place(): string {
    return `${this.name}, line ${this.line}`
  }
}

/** Words between blanks. */
export function wordsOf(line: string): string[] {
  const trimmed = line.trim()
  return trimmed === '' ? [] : trimmed.split(/\s+/)
}

/** Parts of text as the bytes of a file, in pieces of some size. */
export function* textChunks(lines: Iterable<string>): Generator<Uint8Array> {
  let chunk = ''
  for (const line of lines) {
    chunk += `${line}\n`
    if (chunk.length < 1 << 16) continue
    yield Buffer.from(chunk, 'utf8')
    chunk = ''
  }
  if (chunk !== '') yield Buffer.from(chunk, 'utf8')
}
