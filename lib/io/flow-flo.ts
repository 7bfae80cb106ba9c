import { ArgumentError, FormatError } from '../native/errors'
import { type FlowField, UNKNOWN_ABOVE } from './flow-field'
import { firstBytes } from './image-decode'
import type { SourceBytes } from './source'

/** The float 202021.25, whose little-endian bytes read "PIEH": a check of the byte order too. */
const MAGIC = 202021.25
const HEADER_BYTES = 12
/** What Middlebury's own code writes for an unknown component. */
const UNKNOWN = 1e10

/**
 * Middlebury's `.flo` (Baker et al., IJCV 2011): the magic number, int32 width and height, then u and v of each pixel in
 * turn, row by row; all little-endian. A component that is NaN or beyond ±1e9 makes its pixel unknown.
 *
 * @throws FormatError before anything is allocated when the header and the number of bytes disagree
 */
export function decodeFlo({ name, bytes }: SourceBytes): FlowField {
  if (bytes.byteLength < HEADER_BYTES) {
    throw new FormatError(`${name} is too short for a .flo file: ${bytes.byteLength} bytes, its header alone has 12`)
  }
  const header = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES)
  if (header.getFloat32(0, true) !== MAGIC) {
    throw new FormatError(`${name} is no .flo file: it begins with ${firstBytes(bytes)}, not with 50 49 45 48 ("PIEH")`)
  }
  const [width, height] = [header.getInt32(4, true), header.getInt32(8, true)]
  if (width <= 0 || height <= 0) {
    throw new FormatError(`${name} states a size of ${width} × ${height}; both must be positive`)
  }
  const expected = HEADER_BYTES + 8 * width * height
  if (bytes.byteLength !== expected) {
    const verdict = bytes.byteLength < expected ? 'it is truncated' : 'bytes follow its end'
    throw new FormatError(
      `${name} states a size of ${width} × ${height}, which takes ${expected} bytes; it has ${bytes.byteLength}: ${verdict}`,
    )
  }
  return separate(alignedFloats(bytes), width, height)
}

/** Twelve bytes into a pooled buffer, floats are rarely at an address that a Float32Array accepts. */
function alignedFloats(bytes: Uint8Array): Float32Array {
  return new Float32Array(Uint8Array.from(bytes.subarray(HEADER_BYTES)).buffer)
}

function separate(interleaved: Float32Array, width: number, height: number): FlowField {
  const count = width * height
  const vectors = new Float32Array(2 * count)
  const valid = new Uint8Array(count)
  for (let i = 0; i < count; i++) {
    const [u, v] = [interleaved[2 * i] as number, interleaved[2 * i + 1] as number]
    // Written so that NaN counts as unknown.
    if (!(Math.abs(u) <= UNKNOWN_ABOVE && Math.abs(v) <= UNKNOWN_ABOVE)) continue
    vectors[i] = u
    vectors[count + i] = v
    valid[i] = 1
  }
  return { width, height, vectors, valid }
}

/** The bytes of a `.flo` file. @throws ArgumentError when a known component would be read back as unknown */
export function encodeFlo({ width, height, vectors, valid }: FlowField): Uint8Array {
  const count = width * height
  const bytes = new Uint8Array(HEADER_BYTES + 8 * count)
  const header = new DataView(bytes.buffer)
  header.setFloat32(0, MAGIC, true)
  header.setInt32(4, width, true)
  header.setInt32(8, height, true)
  const pairs = new Float32Array(bytes.buffer, HEADER_BYTES)
  for (let i = 0; i < count; i++) {
    const known = valid[i] === 1
    const [u, v] = [vectors[i] as number, vectors[count + i] as number]
    if (known && !(Math.abs(u) <= UNKNOWN_ABOVE && Math.abs(v) <= UNKNOWN_ABOVE)) {
      throw new ArgumentError(
        `writeFlow: the flow at x ${i % width}, y ${Math.floor(i / width)} is (${u}, ${v}), which a .flo file holds for ` +
          'unknown; pass { valid } with false there',
      )
    }
    pairs[2 * i] = known ? u : UNKNOWN
    pairs[2 * i + 1] = known ? v : UNKNOWN
  }
  return bytes
}
