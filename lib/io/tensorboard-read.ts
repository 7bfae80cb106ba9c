import { createReadStream } from 'node:fs'
import { ArgumentError, FormatError } from '../native/errors'
import { systemReason } from '../native/system-reason'
import { pathOf, type Source } from './source'
import { decodeEvent, type LogEvent } from './tensorboard-events'
import { FOOTER_BYTES, HEADER_BYTES, maskedCrc } from './tensorboard-wire'

/** No event is larger; a length beyond it is damage, not data to wait for. */
const MAX_RECORD_BYTES = 2 ** 30

/**
 * The events of a TensorBoard event file, one after the other; the file is never in memory as a whole.
 *
 * A last record that is cut off, as a killed process leaves it, ends the events without an error.
 *
 * @param source a path, a `file:` URL, or the bytes
 * @throws FormatError when a checksum does not fit or a record is no event; the message says where
 * @throws ArgumentError when the file cannot be read
 */
export async function* readEvents(source: Source): AsyncGenerator<LogEvent, void, undefined> {
  const name = source instanceof Uint8Array ? `the buffer of ${source.byteLength} bytes` : pathOf(source, 'readEvents')
  let rest: Buffer = Buffer.alloc(0)
  let offset = 0
  for await (const chunk of chunksOf(source, name)) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let at = 0
    for (;;) {
      const length = recordLength(rest, at, `readEvents: ${name}: the record at byte ${offset + at}`)
      if (length === undefined || rest.length < at + HEADER_BYTES + length + FOOTER_BYTES) break
      yield eventIn(rest, at, length, `readEvents: ${name}: the record at byte ${offset + at}`)
      at += HEADER_BYTES + length + FOOTER_BYTES
    }
    rest = rest.subarray(at)
    offset += at
  }
}

async function* chunksOf(source: Source, name: string): AsyncGenerator<Buffer, void, undefined> {
  if (source instanceof Uint8Array) {
    yield Buffer.from(source.buffer, source.byteOffset, source.byteLength)
    return
  }
  try {
    for await (const chunk of createReadStream(name, { highWaterMark: 1 << 20 })) yield chunk as Buffer
  } catch (cause) {
    throw new ArgumentError(`readEvents: cannot read ${name}: ${systemReason(cause)}`, { cause })
  }
}

/** Undefined while the header is not there as a whole. */
function recordLength(bytes: Buffer, at: number, where: string): number | undefined {
  if (bytes.length < at + HEADER_BYTES) return undefined
  const length = bytes.readBigUInt64LE(at)
  if (bytes.readUInt32LE(at + 8) !== maskedCrc(bytes.subarray(at, at + 8))) {
    throw new FormatError(
      `${where} has a length that does not fit its checksum; this is no event file, or it is damaged`,
    )
  }
  if (length > MAX_RECORD_BYTES) {
    throw new FormatError(`${where} claims ${length} bytes; events have at most ${MAX_RECORD_BYTES}`)
  }
  return Number(length)
}

function eventIn(bytes: Buffer, at: number, length: number, where: string): LogEvent {
  const data = bytes.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length)
  if (bytes.readUInt32LE(at + HEADER_BYTES + length) !== maskedCrc(data)) {
    throw new FormatError(`${where} does not fit its checksum; the file is damaged there`)
  }
  try {
    return decodeEvent(data)
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new FormatError(`${where} is no event: ${cause.message}`, { cause })
  }
}
