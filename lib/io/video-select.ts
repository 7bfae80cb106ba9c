import type { Frame } from 'node-av/lib'
import type { FrameSource } from './ffmpeg-frames'

/** Which frames of a stream are given. */
export interface Selection {
  readonly startS?: number | undefined
  readonly endS?: number | undefined
  readonly startFrame?: number | undefined
  readonly endFrame?: number | undefined
  readonly fps?: number | undefined
  readonly everyNth?: number | undefined
}

export interface Picture {
  readonly frame: Frame
  readonly timestampS: number
}

/** Seconds below which two times are the same: the finest clock of a container is finer, no frame rate is. */
const SAME_S = 1e-6

/** Pictures in presentation order come at most this many packets after their place: H.264 and HEVC reorder by 16. */
const MAX_REORDER = 32

/** The frames of a selection, one after the other; a frame holds until the next call. */
export interface PictureSource {
  next(): Promise<Picture | undefined>
}

export async function selectPictures(source: FrameSource, selection: Selection): Promise<PictureSource> {
  const range = await openRange(source, selection)
  return selection.fps === undefined ? everyNth(range, selection.everyNth ?? 1) : onGrid(range, source, selection)
}

/** Frames of a range by time or number, with their places in time. */
interface Range {
  /** Decodes the next frame of the range into `frame`. @returns its time in seconds, or undefined at the end */
  next(frame: Frame): Promise<number | undefined>
  frame(): Frame
}

async function openRange(source: FrameSource, selection: Selection): Promise<Range> {
  const { startFrame, endFrame, startS } = selection
  if (startFrame !== undefined || endFrame !== undefined) {
    return numberedRange(source, startFrame ?? 0, endFrame ?? Number.POSITIVE_INFINITY)
  }
  const endS = selection.endS ?? Number.POSITIVE_INFINITY
  // On a grid the frame on show at the start counts, and may have begun long before.
  const onShow = selection.fps !== undefined
  const ahead = startS === undefined ? undefined : await seekTo(source, startS)
  return timedRange(source, ahead, startS ?? Number.NEGATIVE_INFINITY, endS, onShow)
}

function timedRange(
  source: FrameSource,
  ahead: Ahead | undefined,
  startS: number,
  endS: number,
  onShow: boolean,
): Range {
  const pull = puller(source, ahead)
  return {
    frame: () => source.frame(),
    next: async (frame) => {
      for (;;) {
        const tick = await pull(frame)
        if (tick === undefined) return undefined
        const time = source.seconds(tick)
        if (time >= endS - SAME_S) {
          frame.unref()
          return undefined
        }
        if (onShow || time >= startS - SAME_S) return time
        frame.unref()
      }
    },
  }
}

/** A frame that was decoded to see where a seek has led. */
interface Ahead {
  readonly frame: Frame
  readonly tick: number
}

function puller(source: FrameSource, ahead: Ahead | undefined): (frame: Frame) => Promise<number | undefined> {
  let waiting = ahead
  return async (frame) => {
    if (!waiting) return source.next(frame)
    const { tick } = waiting
    frame.ref(waiting.frame)
    waiting.frame.unref()
    waiting = undefined
    return tick
  }
}

/**
 * Goes to a frame at or before a time. Containers sort key frames by decoding time, which is earlier than the time they
 * are shown: where the first frame after a seek is too late, the seek goes further back.
 *
 * @returns the first frame there, or undefined where decoding starts at the beginning
 */
async function seekTo(source: FrameSource, startS: number): Promise<Ahead | undefined> {
  const { num, den } = source.stream.timeBase
  const wanted = ((startS - SAME_S) * den) / num
  const frame = source.frame()
  for (let backS = 0; ; backS = Math.max(1, 4 * backS)) {
    const from = wanted - (backS * den) / num
    if (!Number.isSafeInteger(Math.floor(from)) || !(await source.seek(from, wanted))) {
      // No index, or nothing so early: the beginning is always reached by reading on from the first frame.
      await source.rewind()
      return undefined
    }
    const tick = await source.next(frame)
    if (tick !== undefined && tick <= wanted + 1) return { frame, tick }
    frame.unref()
    if (source.seconds(from) < source.startS) {
      await source.rewind()
      return undefined
    }
  }
}

async function numberedRange(source: FrameSource, startFrame: number, endFrame: number): Promise<Range> {
  const start = startFrame > 0 ? await tickOfFrame(source, startFrame) : undefined
  let ahead: Ahead | undefined
  let index = 0
  if (start !== undefined) {
    ahead = await seekTo(source, source.seconds(start))
    index = startFrame
  }
  const pull = puller(source, ahead)
  const first = start ?? Number.NEGATIVE_INFINITY
  return {
    frame: () => source.frame(),
    next: async (frame) => {
      while (index < endFrame) {
        const tick = await pull(frame)
        if (tick === undefined) return undefined
        if (tick >= first && index++ >= startFrame) return source.seconds(tick)
        frame.unref()
      }
      return undefined
    },
  }
}

/** When frame number `index` is shown, found without decoding; undefined where packets do not say. */
async function tickOfFrame(source: FrameSource, index: number): Promise<number | undefined> {
  const ticks = await source.packetTicks(index + 1 + MAX_REORDER)
  await source.rewind()
  const known = ticks.filter((tick) => tick !== undefined)
  if (known.length < ticks.length) return undefined
  // Past the end: a time that no frame has, so that the range is empty.
  return known.sort((a, b) => a - b)[index] ?? (known.at(-1) ?? 0) + 1
}

function everyNth(range: Range, n: number): PictureSource {
  const frame = range.frame()
  let index = 0
  return {
    next: async () => {
      for (;;) {
        frame.unref()
        const timestampS = await range.next(frame)
        if (timestampS === undefined) return undefined
        if (index++ % n === 0) return { frame, timestampS }
      }
    },
  }
}

/**
 * Frames on an even grid of instants: each shows the frame that is on the screen then, the latest that began at or before
 * it. The grid starts at `startS`, or at the first frame.
 */
async function onGrid(range: Range, source: FrameSource, { fps = 1, startS, endS }: Selection): Promise<PictureSource> {
  let held = range.frame()
  let ahead = range.frame()
  let aheadS = await range.next(ahead)
  let heldEndS = Number.NEGATIVE_INFINITY
  let shown = false
  const originS = startS ?? aheadS ?? 0
  // Instants before the first frame have nothing to show.
  let instant = aheadS === undefined ? 0 : Math.max(0, Math.ceil((aheadS - originS) * fps - SAME_S * fps))
  return {
    next: async () => {
      const timestampS = originS + instant / fps
      while (aheadS !== undefined && aheadS <= timestampS + SAME_S) {
        held.unref()
        ;[held, ahead] = [ahead, held]
        heldEndS = aheadS + frameSeconds(source, held)
        shown = true
        aheadS = await range.next(ahead)
      }
      const over = aheadS === undefined && timestampS >= heldEndS - SAME_S
      if (!shown || over || timestampS >= (endS ?? Number.POSITIVE_INFINITY) - SAME_S) return undefined
      instant++
      return { frame: held, timestampS }
    },
  }
}

/** How long the last frame stays on the screen. */
function frameSeconds(source: FrameSource, frame: Frame): number {
  if (frame.duration > 0n) return source.seconds(Number(frame.duration))
  const { num, den } = source.stream.avgFrameRate
  return num > 0 ? den / num : 0
}
