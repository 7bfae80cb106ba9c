// Video and sound, by FFmpeg.
import { audioInfo, readAudio, readVideo, videoInfo } from '../../../lib/io'
import { fixtures } from '../fixtures'
import { bytes } from '../mutators'
import { readers, type Target } from '../target'

const mediaFiles = (...names: readonly string[]) => fixtures(...names.map((name) => `fixtures/video/${name}`))

/** A second of 8 kHz sound: a header and its samples. */
function wave(): Buffer {
  const samples = Int16Array.from({ length: 2000 }, (_, i) => 8000 * Math.sin(i / 5))
  const header = Buffer.alloc(44)
  header.write('RIFF', 0)
  header.writeUInt32LE(36 + samples.byteLength, 4)
  header.write('WAVEfmt ', 8)
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(1, 20)
  header.writeUInt16LE(1, 22)
  header.writeUInt32LE(8000, 24)
  header.writeUInt32LE(16_000, 28)
  header.writeUInt16LE(2, 32)
  header.writeUInt16LE(16, 34)
  header.write('data', 36)
  header.writeUInt32LE(samples.byteLength, 40)
  return Buffer.concat([header, Buffer.from(samples.buffer)])
}

const TIMEOUT = { timeoutMs: 5000 }
const LIMITS = { ...TIMEOUT, maxPixels: 2 ** 18, maxFrames: 40 }

export const video: Target = {
  corpus: mediaFiles('b-frames.mp4', 'edit-list.mp4', 'variable-rate.mkv', 'flat-bt601-full.mkv', 'transport.mpegts'),
  mutators: [bytes('moov', 'trak', 'stts', 'ctts', 'stsz', 'co64', 'avcC', 'elst', 'tkhd', '\x1aE\xdf\xa3')],
  read: readers(
    (input) => videoInfo(input, { count: true, maxPixels: LIMITS.maxPixels, ...TIMEOUT }),
    async (input) => {
      for await (using chunk of readVideo(input, { limits: LIMITS, onCorrupt: 'skip', threads: 1, chunkFrames: 4 }))
        chunk.index
    },
  ),
}

export const audio: Target = {
  corpus: [wave()],
  mutators: [bytes('RIFF', 'fmt ', 'data', 'LIST', 'OggS', 'fLaC', 'ID3')],
  read: readers(
    (input) => audioInfo(input, TIMEOUT),
    (input) => readAudio(input, { limits: TIMEOUT, onCorrupt: 'skip' }),
  ),
}
