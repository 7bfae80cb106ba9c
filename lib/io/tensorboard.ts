import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { ArgumentError } from '../native/errors'
import { systemReason } from '../native/system-reason'
import { describe } from '../tensor/call'
import { isTensor } from '../tensor/handle'
import type { Tensor } from '../tensor/tensor'
import { encodeImage } from './image-encode'
import { encodeEvent, FILE_VERSION, type LogEvent, type SummaryValue } from './tensorboard-events'
import { histogramOf } from './tensorboard-histogram'
import { frameRecord } from './tensorboard-wire'

export interface SummaryWriterOptions {
  /** When a run goes on after a crash: TensorBoard drops what an earlier file logged at this step and later ones. */
  readonly purgeStep?: number | undefined
  /** At the end of the names of the files. */
  readonly filenameSuffix?: string | undefined
  /** Seconds after which what was logged is on the disk; 5 unless stated. */
  readonly flushSeconds?: number | undefined
}

/** What is logged in one go is written at once past this size. */
const FLUSH_BYTES = 1 << 18

/**
 * Writes event files that TensorBoard shows, with the methods of PyTorch's `SummaryWriter`.
 *
 * What is logged is buffered and written in the background; `flush` waits for it, and `close` must be called at the end.
 * A failure to write, such as a full disk, is reported by the next `flush` or `close`, and never stops the program.
 */
export class SummaryWriter {
  readonly #options: SummaryWriterOptions
  readonly #file: EventFile
  /** Runs of their own, in folders below, that `addScalars` shows in one chart. */
  readonly #children = new Map<string, SummaryWriter>()
  /** Images and histograms that are being read. */
  readonly #pending = new Set<Promise<void>>()

  /** @param logDir a folder, one for each run; it is made when something is written */
  constructor(
    readonly logDir: string,
    options: SummaryWriterOptions = {},
  ) {
    const { purgeStep, filenameSuffix = '', flushSeconds = 5 } = options
    if (typeof logDir !== 'string' || logDir === '') {
      throw new ArgumentError(`SummaryWriter: logDir is ${describe(logDir)}; name a folder`)
    }
    if (/[/\\\0]/.test(filenameSuffix)) {
      throw new ArgumentError(`SummaryWriter: filenameSuffix '${filenameSuffix}' is no part of a file name`)
    }
    if (!(flushSeconds > 0)) throw new ArgumentError(`SummaryWriter: flushSeconds is ${flushSeconds}; it is above 0`)
    this.#options = options
    this.#file = new EventFile(logDir, filenameSuffix, flushSeconds)
    this.#file.add({ ...eventAt(undefined, undefined), fileVersion: FILE_VERSION }, '@lab/vision-native')
    if (purgeStep !== undefined) this.#file.add({ ...eventAt(checkStep(purgeStep), undefined), restart: true })
  }

  /**
   * A number of a chart, kept in float32.
   *
   * @param value a number, or a tensor with one element, for which the call waits
   * @param wallTime seconds since 1970; now unless stated
   */
  addScalar(tag: string, value: number | Tensor, step?: number, wallTime?: number): void {
    this.#add({ kind: 'scalar', tag: checkTag('addScalar', tag), value: numberOf(tag, value) }, step, wallTime)
  }

  /** Several numbers in one chart: each is a run of its own in `<logDir>/<mainTag>_<name>`, as in PyTorch. */
  addScalars(
    mainTag: string,
    values: Readonly<Record<string, number | Tensor>>,
    step?: number,
    wallTime?: number,
  ): void {
    checkTag('addScalars', mainTag)
    for (const [name, value] of Object.entries(values)) {
      const folder = `${mainTag.replaceAll('/', '_')}_${name}`
      if (/[/\\\0]/.test(name)) throw new ArgumentError(`addScalars: '${name}' is no part of a folder's name`)
      const child = this.#children.get(folder) ?? new SummaryWriter(join(this.logDir, folder), this.#options)
      this.#children.set(folder, child)
      child.addScalar(mainTag, value, step, wallTime)
    }
  }

  /** How values are spread, in TensorBoard's buckets. The values are read without blocking. */
  async addHistogram(tag: string, values: Tensor | ArrayLike<number>, step?: number, wallTime?: number): Promise<void> {
    checkTag('addHistogram', tag)
    const event = eventAt(step, wallTime)
    await this.#wait(async () => {
      const numbers = isTensor(values) ? await elementsOf(values as Tensor) : (values as ArrayLike<number>)
      this.#file.add({ ...event, values: [{ kind: 'histogram', tag, histogram: histogramOf(tag, numbers) }] })
    })
  }

  /** An image `[C, H, W]` or `[H, W]`, uint8 or floating point in 0–1, as a PNG. Encoded without blocking. */
  async addImage(tag: string, image: Tensor, step?: number, wallTime?: number): Promise<void> {
    checkTag('addImage', tag)
    const event = eventAt(step, wallTime)
    const [height = 0, width = 0] = image.shape.slice(-2)
    const channels = image.ndim === 2 ? 1 : image.size(0)
    await this.#wait(async () => {
      const encoded = await encodeImage(image, 'png')
      this.#file.add({ ...event, values: [{ kind: 'image', tag, height, width, channels, encoded }] })
    })
  }

  /** Text in Markdown. */
  addText(tag: string, text: string, step?: number, wallTime?: number): void {
    // The name by which PyTorch stores it, so that both show in one place.
    this.#add({ kind: 'text', tag: `${checkTag('addText', tag)}/text_summary`, text }, step, wallTime)
  }

  /** Waits until all that was logged is on the disk. @throws ArgumentError when it could not be written */
  async flush(): Promise<void> {
    await Promise.allSettled([...this.#pending])
    await this.#file.flush()
    for (const child of this.#children.values()) await child.flush()
  }

  /** Writes what is left and closes the files. @throws ArgumentError when something could not be written */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#pending])
    const closed = await Promise.allSettled([this.#file.close(), ...[...this.#children.values()].map((c) => c.close())])
    for (const result of closed) if (result.status === 'rejected') throw result.reason
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #add(value: SummaryValue, step: number | undefined, wallTime: number | undefined): void {
    this.#file.add({ ...eventAt(step, wallTime), values: [value] })
  }

  async #wait(work: () => Promise<void>): Promise<void> {
    const promise = work()
    this.#pending.add(promise)
    try {
      await promise
    } finally {
      this.#pending.delete(promise)
    }
  }
}

function eventAt(step: number | undefined, wallTime: number | undefined): LogEvent {
  return { wallTime: wallTime ?? Date.now() / 1000, step: checkStep(step ?? 0), values: [] }
}

function checkStep(step: number): number {
  if (Number.isSafeInteger(step) && step >= 0) return step
  throw new ArgumentError(`SummaryWriter: step is ${step}; it is a whole number from 0`)
}

function checkTag(caller: string, tag: string): string {
  if (typeof tag === 'string' && tag !== '') return tag
  throw new ArgumentError(`${caller}: the tag is ${describe(tag)}; name the chart, as in 'loss/train'`)
}

function numberOf(tag: string, value: number | Tensor): number {
  if (typeof value === 'number') return value
  if (isTensor(value as unknown)) return value.toNumber()
  throw new ArgumentError(
    `addScalar: the value of '${tag}' is ${describe(value)}; pass a number or a Tensor of one element`,
  )
}

async function elementsOf(values: Tensor): Promise<ArrayLike<number>> {
  using copy = values.detach().to({ dtype: 'float64', copy: true })
  return (await copy.data()) as Float64Array
}

let files = 0

/** One file of events: buffered in memory, appended in the background, one write after the other. */
class EventFile {
  readonly #folder: string
  readonly #suffix: string
  readonly #flushMs: number
  readonly #seconds = Math.floor(Date.now() / 1000)
  #buffered: Uint8Array[] = []
  #bytes = 0
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()
  #handle: FileHandle | undefined
  #failure: unknown
  #closed = false

  constructor(folder: string, suffix: string, flushSeconds: number) {
    this.#folder = folder
    this.#suffix = suffix
    this.#flushMs = Math.min(flushSeconds * 1000, 2 ** 31 - 1)
  }

  add(event: LogEvent, writer?: string): void {
    if (this.#closed) throw new ArgumentError(`SummaryWriter: ${this.#folder} was closed; make a new writer`)
    const record = frameRecord(encodeEvent(event, writer))
    this.#buffered.push(record)
    this.#bytes += record.byteLength
    if (this.#bytes >= FLUSH_BYTES) this.#write()
    else this.#timer ??= setTimeout(() => this.#write(), this.#flushMs).unref()
  }

  async flush(): Promise<void> {
    this.#write()
    await this.#writing
    if (this.#failure === undefined) return
    const failure = this.#failure
    this.#failure = undefined
    throw new ArgumentError(`SummaryWriter: cannot write to ${this.#folder}: ${systemReason(failure)}`, {
      cause: failure,
    })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    try {
      await this.flush()
    } finally {
      await this.#handle?.close()
      this.#handle = undefined
    }
  }

  #write(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#bytes === 0) return
    const data = Buffer.concat(this.#buffered)
    this.#buffered = []
    this.#bytes = 0
    this.#writing = this.#writing
      .then(() => this.#append(data))
      .catch((error: unknown) => {
        this.#failure ??= error
      })
  }

  async #append(data: Buffer): Promise<void> {
    this.#handle ??= await this.#open()
    await this.#handle.appendFile(data)
  }

  async #open(): Promise<FileHandle> {
    await mkdir(this.#folder, { recursive: true })
    const prefix = `events.out.tfevents.${String(this.#seconds).padStart(10, '0')}.${hostname()}.${process.pid}`
    for (;;) {
      const name = `${prefix}.${files++}${this.#suffix}`
      try {
        return await open(join(this.#folder, name), 'ax')
      } catch (error) {
        // The other build of this package counts for itself.
        if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
      }
    }
  }
}
