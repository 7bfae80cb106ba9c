import { setImmediate as turn } from 'node:timers/promises'
import type { Ffmpeg } from './ffmpeg'

/**
 * FFmpeg whose steps run on the thread that asks for them, one turn of its event loop each.
 *
 * In a worker this is what keeps the process alive: a step of node-av that runs on the thread pool when its worker is
 * terminated comes back to a thread that runs no JavaScript any more, and ends the process. A worker that decodes has
 * nothing else to do meanwhile; signals and time limits are looked at between the steps.
 */
export function blocking({ lib, constants }: Ffmpeg): Ffmpeg {
  const step = async <T>(run: () => T): Promise<T> => {
    const result = run()
    await turn()
    return result
  }

  class FormatContext extends lib.FormatContext {
    override openInput(...args: Parameters<InstanceType<typeof lib.FormatContext>['openInputSync']>) {
      return step(() => this.openInputSync(...args))
    }
    override findStreamInfo() {
      return step(() => this.findStreamInfoSync(null))
    }
    override readFrame(...args: Parameters<InstanceType<typeof lib.FormatContext>['readFrameSync']>) {
      return step(() => this.readFrameSync(...args))
    }
    override seekFrame(...args: Parameters<InstanceType<typeof lib.FormatContext>['seekFrameSync']>) {
      return step(() => this.seekFrameSync(...args))
    }
    /** What avformat_seek_file does for the containers that have no such seek of their own, which are those that are read. */
    override seekFile(
      ...[stream, , at, , flags]: Parameters<InstanceType<typeof lib.FormatContext>['seekFile']>
    ): Promise<number> {
      return this.seekFrame(stream, at, flags)
    }
    override closeInput() {
      return step(() => this.closeInputSync())
    }
    override openOutput() {
      return step(() => this.openOutputSync())
    }
    override writeHeader(...args: Parameters<InstanceType<typeof lib.FormatContext>['writeHeaderSync']>) {
      return step(() => this.writeHeaderSync(...args))
    }
    override interleavedWriteFrame(
      ...args: Parameters<InstanceType<typeof lib.FormatContext>['interleavedWriteFrameSync']>
    ) {
      return step(() => this.interleavedWriteFrameSync(...args))
    }
    override writeTrailer() {
      return step(() => this.writeTrailerSync())
    }
    override closeOutput() {
      return step(() => this.closeOutputSync())
    }
  }

  class CodecContext extends lib.CodecContext {
    override open2(...args: Parameters<InstanceType<typeof lib.CodecContext>['open2Sync']>) {
      return step(() => this.open2Sync(...args))
    }
    override sendPacket(...args: Parameters<InstanceType<typeof lib.CodecContext>['sendPacketSync']>) {
      return step(() => this.sendPacketSync(...args))
    }
    override receiveFrame(...args: Parameters<InstanceType<typeof lib.CodecContext>['receiveFrameSync']>) {
      return step(() => this.receiveFrameSync(...args))
    }
    override sendFrame(...args: Parameters<InstanceType<typeof lib.CodecContext>['sendFrameSync']>) {
      return step(() => this.sendFrameSync(...args))
    }
    override receivePacket(...args: Parameters<InstanceType<typeof lib.CodecContext>['receivePacketSync']>) {
      return step(() => this.receivePacketSync(...args))
    }
  }

  class SoftwareScaleContext extends lib.SoftwareScaleContext {
    override scaleFrame(...args: Parameters<InstanceType<typeof lib.SoftwareScaleContext>['scaleFrameSync']>) {
      return step(() => this.scaleFrameSync(...args))
    }
  }

  class SoftwareResampleContext extends lib.SoftwareResampleContext {
    override convert(...args: Parameters<InstanceType<typeof lib.SoftwareResampleContext>['convertSync']>) {
      return step(() => this.convertSync(...args))
    }
  }

  return { lib: { ...lib, FormatContext, CodecContext, SoftwareScaleContext, SoftwareResampleContext }, constants }
}
