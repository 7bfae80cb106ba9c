// Optical flow of a clip as pictures, and lists of such clips: what two-stream networks are trained on.
import { mkdir, readdir } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { readImage, writeImage } from '../io'
import { ArgumentError, FormatError, ShapeError } from '../native/errors'
import { systemReason } from '../native/system-reason'
import { stack, type Tensor } from '../tensor'
import { tidyAsync } from '../tensor/scope'
import { linesOf, Place, readText, splitLastWords } from './text-file'

const EXTENSIONS = ['png', 'jpg', 'jpeg', 'webp'] as const

/** Flow of a clip in a folder: `flow_x_0001.jpg`, `flow_y_0001.jpg` and so on, bytes about 128. */
export class FlowFolder {
  private constructor(
    readonly path: string,
    /** Number of maps. */
    readonly length: number,
    readonly extension: string,
  ) {}

  /** @throws ArgumentError when the folder cannot be listed; FormatError when it holds no flow or lacks a map */
  static async open(path: string): Promise<FlowFolder> {
    const names = await readdir(path).catch((cause: unknown) => {
      throw new ArgumentError(`FlowFolder: cannot list ${path}: ${systemReason(cause)}`, { cause })
    })
    const there = new Set(names)
    const extension = EXTENSIONS.find((ending) => there.has(`flow_x_0001.${ending}`))
    if (extension === undefined) {
      throw new FormatError(`FlowFolder: ${path} has no flow_x_0001.{${EXTENSIONS.join(',')}}; maps are counted from 1`)
    }
    const length = names.filter((name) => name.startsWith('flow_x_') && name.endsWith(`.${extension}`)).length
    for (let i = 0; i < length; i++) {
      for (const axis of ['x', 'y'] as const) {
        const name = mapName(axis, i, extension)
        if (!there.has(name)) throw new FormatError(`FlowFolder: ${path} has ${length} maps but lacks ${name}`)
      }
    }
    return new FlowFolder(path, length, extension)
  }

  /**
   * Maps from `start`, counted from 0.
   *
   * @returns `[count, 2, H, W]` uint8
   * @throws ArgumentError when there are not so many; FormatError when a picture is broken or of another size
   */
  async read(start: number, count: number): Promise<Tensor<'uint8'>> {
    if (!(Number.isInteger(start) && start >= 0 && count > 0 && start + count <= this.length)) {
      throw new ArgumentError(
        `FlowFolder: maps ${start} to ${start + count - 1} of ${this.path} are asked for; it has ${this.length}, from 0`,
      )
    }
    return tidyAsync(async () => {
      const planes = await Promise.all(
        Array.from({ length: 2 * count }, (_, k) => {
          const name = mapName(k % 2 === 0 ? 'x' : 'y', start + Math.floor(k / 2), this.extension)
          return readImage(join(this.path, name), { mode: 'grey' })
        }),
      )
      const [first] = planes
      const odd = planes.findIndex((plane) => String(plane.shape) !== String(first?.shape))
      if (first === undefined || odd >= 0) {
        throw new FormatError(
          `FlowFolder: maps of ${this.path} are [${first?.shape}] and [${planes[odd]?.shape}]; all must have one size`,
        )
      }
      const [, height = 0, width = 0] = first.shape
      return stack(planes).reshape([count, 2, height, width]) as Tensor<'uint8'>
    })
  }
}

/**
 * Writes flow as `FlowFolder` reads it.
 *
 * @param bytes `[N, 2, H, W]` uint8
 * @param options `files`: `'png'` (default, exact) or `'jpg'` of quality 95
 */
export async function writeFlowFolder(
  path: string,
  bytes: Tensor,
  { files = 'png' }: { readonly files?: 'png' | 'jpg' } = {},
): Promise<void> {
  if (bytes.ndim !== 4 || bytes.size(1) !== 2 || bytes.dtype !== 'uint8') {
    throw new ShapeError(`writeFlowFolder: flow is ${bytes.dtype} [${bytes.shape}]; it must be uint8 [N, 2, H, W]`)
  }
  await mkdir(path, { recursive: true })
  const options = files === 'jpg' ? { quality: 95 } : {}
  for (let i = 0; i < bytes.size(0); i++) {
    await tidyAsync(async () => {
      const map = bytes.select(0, i)
      await Promise.all(
        (['x', 'y'] as const).map((axis, k) =>
          writeImage(map.select(0, k), join(path, mapName(axis, i, files)), options),
        ),
      )
    })
  }
}

function mapName(axis: 'x' | 'y', index: number, extension: string): string {
  return `flow_${axis}_${String(index + 1).padStart(4, '0')}.${extension}`
}

/** A row of a list of clips. */
export interface ClipRow {
  readonly folder: string
  /** Number of maps or frames. */
  readonly length: number
  readonly label: number
  /** Of the list, from 1. */
  readonly line: number
}

/**
 * Reads a list of clips with rows `<folder> <number of maps> <label>`, the layout of two-stream networks and of the
 * released lists of the arrow of time. Folders may hold spaces.
 *
 * @param root what relative folders are relative to; they stay as they are unless stated
 * @throws ArgumentError when the list cannot be read; FormatError naming the line that is no row
 */
export async function readClipList(path: string, { root }: { readonly root?: string } = {}): Promise<ClipRow[]> {
  const text = await readText(path, 'readClipList')
  const place = new Place('readClipList', path)
  return [...linesOf(text)].map(([number, line]) => {
    const at = place.line(number)
    const row = splitLastWords(line, 2)
    if (row === undefined) throw at.error(`'${line}' is no row "<folder> <number of maps> <label>"`)
    const [name, lengthText, labelText] = row
    const [length, label] = [at.whole(at.numeral(lengthText)), at.whole(at.numeral(labelText))]
    if (length < 1 || label < 0)
      throw at.error(`${length} maps of label ${label}; there is at least one map, and labels count from 0`)
    return { folder: root === undefined || isAbsolute(name) ? name : join(root, name), length, label, line: number }
  })
}

/** A part of a video. */
export interface ClipRange {
  readonly video: string
  /** Numbers of the first and the last frame. */
  readonly start: number
  readonly end: number
}

/**
 * Reads a list of parts of videos with rows `<video>,<start>,<end>`, as released for MJPEG-AoT.
 *
 * @throws ArgumentError when the list cannot be read; FormatError naming the line that is no row
 */
export async function readClipRanges(path: string): Promise<ClipRange[]> {
  const text = await readText(path, 'readClipRanges')
  const place = new Place('readClipRanges', path)
  return [...linesOf(text)].map(([number, line]) => {
    const at = place.line(number)
    const parts = line.split(',').map((part) => part.trim())
    const [video = '', first, last] = parts
    if (parts.length !== 3 || video === '') throw at.error(`'${line}' is no row "<video>,<start>,<end>"`)
    const [start, end] = [at.whole(at.numeral(first)), at.whole(at.numeral(last))]
    if (start < 0 || end < start) throw at.error(`frames ${start} to ${end}; the end is at or after the start`)
    return { video, start, end }
  })
}
