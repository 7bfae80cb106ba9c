// The compression of PCD files: LZF (Lehmann's liblzf), runs of bytes and copies from up to 8 KiB before.
import { FormatError } from '../../native/errors'

/**
 * @param size of what comes out
 * @param name by which errors call the file
 * @throws FormatError when the bytes do not give exactly so many
 */
export function lzfDecompress(input: Uint8Array, size: number, name: string): Uint8Array {
  // A copy of 264 bytes takes three: what claims more is wrong, before anything is allocated.
  if (size > 88 * input.byteLength) {
    throw new FormatError(`${name}: ${input.byteLength} compressed bytes cannot hold the ${size} that are stated`)
  }
  const output = new Uint8Array(size)
  const broken = (at: number): never => {
    throw new FormatError(`${name}: the compressed data is broken at its byte ${at}`)
  }
  let [at, done] = [0, 0]
  while (at < input.byteLength) {
    const control = input[at++] ?? 0
    if (control < 32) {
      const length = control + 1
      if (at + length > input.byteLength || done + length > size) broken(at)
      output.set(input.subarray(at, at + length), done)
      at += length
      done += length
      continue
    }
    let length = control >> 5
    if (length === 7) length += input[at++] ?? broken(at)
    const back = ((control & 31) << 8) + (input[at++] ?? broken(at)) + 1
    length += 2
    if (back > done || done + length > size) broken(at)
    // One by one: a copy may begin in what it writes.
    for (let i = 0; i < length; i++, done++) output[done] = output[done - back] ?? 0
  }
  if (done !== size) throw new FormatError(`${name}: the compressed data gives ${done} bytes; ${size} are stated`)
  return output
}

const TABLE_BITS = 14
const FARTHEST = 8192
const LONGEST = 264

/** What `lzfDecompress` reads: the latest place with the same three bytes is copied from. */
export function lzfCompress(input: Uint8Array): Uint8Array {
  const size = input.byteLength
  const output = new Uint8Array(size + Math.ceil(size / 32) + 1)
  const latest = new Int32Array(1 << TABLE_BITS).fill(-1)
  const hash = (i: number) => {
    const word = ((input[i] ?? 0) << 16) | ((input[i + 1] ?? 0) << 8) | (input[i + 2] ?? 0)
    return Math.imul(word, 0x9e3779b1) >>> (32 - TABLE_BITS)
  }
  let [done, literals] = [0, 0]
  const flush = (end: number) => {
    for (; literals < end; ) {
      const length = Math.min(32, end - literals)
      output[done++] = length - 1
      output.set(input.subarray(literals, literals + length), done)
      done += length
      literals += length
    }
  }
  for (let i = 0; i < size; ) {
    let length = 0
    if (i + 2 < size) {
      const slot = hash(i)
      const from = latest[slot] ?? -1
      latest[slot] = i
      if (from >= 0 && i - from <= FARTHEST) {
        while (length < LONGEST && i + length < size && input[from + length] === input[i + length]) length++
        if (length >= 3) {
          flush(i)
          const back = i - from - 1
          const rest = length - 2
          output[done++] = (Math.min(rest, 7) << 5) | (back >> 8)
          if (rest >= 7) output[done++] = rest - 7
          output[done++] = back & 255
          i += length
          literals = i
          continue
        }
      }
    }
    i++
  }
  flush(size)
  return output.slice(0, done)
}
