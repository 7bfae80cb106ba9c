import { FFmpegError, FormatContext, Packet } from 'node-av/lib'

/** Copies a video's packets over and over until it lasts `seconds`; nothing is decoded. */
export async function loopVideo(source: string, target: string, seconds: number): Promise<void> {
  const output = new FormatContext()
  checked(output.allocOutputContext2(null, 'mp4', target))
  try {
    const first = await openInput(source)
    const [from] = first.streams
    if (!from) throw new Error(`bench: ${source} has no streams`)
    const stream = output.newStream(null)
    checked(from.codecpar.copy(stream.codecpar))
    stream.codecpar.codecTag = 0
    stream.timeBase = from.timeBase
    const [length, timeBase] = [from.duration, from.timeBase]
    await first.closeInput()
    checked(await output.openOutput())
    checked(await output.writeHeader(null))
    const rounds = Math.ceil((seconds * timeBase.den) / timeBase.num / Number(length))
    for (let round = 0; round < rounds; round++) {
      const shift = BigInt(round) * length
      await copyPackets(source, async (packet) => {
        packet.pts += shift
        packet.dts += shift
        packet.rescaleTs(timeBase, stream.timeBase)
        checked(await output.interleavedWriteFrame(packet))
      })
    }
    checked(await output.writeTrailer())
    await output.closeOutput()
  } finally {
    output.freeContext()
  }
}

async function openInput(path: string): Promise<FormatContext> {
  const input = new FormatContext()
  checked(await input.openInput(path))
  checked(await input.findStreamInfo(null))
  return input
}

async function copyPackets(path: string, write: (packet: Packet) => Promise<void>): Promise<void> {
  const input = await openInput(path)
  const packet = new Packet()
  packet.alloc()
  try {
    while ((await input.readFrame(packet)) >= 0) await write(packet)
  } finally {
    packet.free()
    await input.closeInput()
  }
}

function checked(code: number): void {
  FFmpegError.throwIfError(code, 'bench: looping a video')
}
