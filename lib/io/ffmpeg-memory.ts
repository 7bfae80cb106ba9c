import type { IOContext } from 'node-av/lib'
import type { Ffmpeg } from './ffmpeg'

const READ_BYTES = 65_536

/** Lets FFmpeg read and seek in bytes that are in memory already. */
export function memoryReader({ lib, constants }: Ffmpeg, bytes: Uint8Array): IOContext {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let position = 0
  const seek = (offset: bigint, whence: number): bigint => {
    if (whence === constants.AVSEEK_SIZE) return BigInt(buffer.length)
    const base = whence === constants.AVSEEK_CUR ? position : whence === constants.AVSEEK_END ? buffer.length : 0
    const wanted = base + Number(offset)
    // A hostile file asks for places that do not exist; -1 is how a seek fails.
    if (wanted < 0 || wanted > buffer.length) return -1n
    position = wanted
    return BigInt(position)
  }
  const read = (size: number): Buffer | null => {
    if (position >= buffer.length) return null
    const part = buffer.subarray(position, Math.min(position + size, buffer.length))
    position += part.length
    return part
  }
  const io = new lib.IOContext()
  io.allocContextWithCallbacks(READ_BYTES, 0, read, null, seek)
  return io
}
