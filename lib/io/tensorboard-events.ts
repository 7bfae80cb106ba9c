import { type Field, MessageWriter, readFields } from './tensorboard-wire'

/** How values are spread: `counts[i]` of them are at most `limits[i]` and above the limit before. */
export interface HistogramData {
  readonly min: number
  readonly max: number
  readonly count: number
  readonly sum: number
  readonly sumOfSquares: number
  readonly limits: readonly number[]
  readonly counts: readonly number[]
}

/** One value of an event, by its tag. */
export type SummaryValue =
  | { readonly kind: 'scalar'; readonly tag: string; readonly value: number }
  | { readonly kind: 'histogram'; readonly tag: string; readonly histogram: HistogramData }
  | {
      readonly kind: 'image'
      readonly tag: string
      readonly width: number
      readonly height: number
      readonly channels: number
      /** A PNG file. */
      readonly encoded: Uint8Array
    }
  | { readonly kind: 'text'; readonly tag: string; readonly text: string }
  /** What this package does not read; `kind` of the plugin that wrote it is in `plugin`. */
  | { readonly kind: 'other'; readonly tag: string; readonly plugin: string }

/** One entry of an event file. */
export interface LogEvent {
  /** Seconds since 1970. */
  readonly wallTime: number
  readonly step: number
  readonly values: readonly SummaryValue[]
  /** Of the first event of a file. */
  readonly fileVersion?: string | undefined
  /** True where a run starts again: TensorBoard drops what was logged at this step and later ones. */
  readonly restart?: boolean | undefined
}

/** Field numbers of TensorBoard's event.proto and summary.proto, by message. */
const EVENT = { wallTime: 1, step: 2, fileVersion: 3, summary: 5, sessionLog: 7, source: 10 } as const
const VALUE = { tag: 1, simpleValue: 2, image: 4, histogram: 5, tensor: 8, metadata: 9 } as const
const IMAGE = { height: 1, width: 2, channels: 3, encoded: 4 } as const
const HISTOGRAM = { min: 1, max: 2, count: 3, sum: 4, sumOfSquares: 5, limits: 6, counts: 7 } as const
const TENSOR = { dtype: 1, shape: 2, floats: 5, doubles: 6, strings: 8 } as const
const DT_STRING = 7
const SESSION_START = 1

/** What makes a reader understand the file. */
export const FILE_VERSION = 'brain.Event:2'

export function encodeEvent(event: LogEvent, writer?: string): Uint8Array {
  const message = new MessageWriter().double(EVENT.wallTime, event.wallTime).int(EVENT.step, event.step)
  if (event.fileVersion !== undefined) message.string(EVENT.fileVersion, event.fileVersion)
  if (event.values.length > 0) {
    const summary = new MessageWriter()
    for (const value of event.values) summary.bytes(1, encodeValue(value))
    message.bytes(EVENT.summary, summary.finish())
  }
  if (event.restart === true) message.bytes(EVENT.sessionLog, new MessageWriter().int(1, SESSION_START).finish())
  if (writer !== undefined) message.bytes(EVENT.source, new MessageWriter().string(1, writer).finish())
  return message.finish()
}

function encodeValue(value: SummaryValue): Uint8Array {
  const message = new MessageWriter().string(VALUE.tag, value.tag)
  switch (value.kind) {
    case 'scalar':
      return message.float(VALUE.simpleValue, value.value).finish()
    case 'image': {
      const { height, width, channels, encoded } = value
      const image = new MessageWriter().int(IMAGE.height, height).int(IMAGE.width, width)
      return message
        .bytes(VALUE.image, image.int(IMAGE.channels, channels).bytes(IMAGE.encoded, encoded).finish())
        .finish()
    }
    case 'histogram':
      return message.bytes(VALUE.histogram, encodeHistogram(value.histogram)).finish()
    case 'text': {
      const dimension = new MessageWriter().bytes(2, new MessageWriter().int(1, 1).finish()).finish()
      const tensor = new MessageWriter().int(TENSOR.dtype, DT_STRING).bytes(TENSOR.shape, dimension)
      message.bytes(VALUE.tensor, tensor.bytes(TENSOR.strings, Buffer.from(value.text)).finish())
      return message.bytes(VALUE.metadata, pluginMetadata('text')).finish()
    }
    case 'other':
      return message.finish()
  }
}

function encodeHistogram({ min, max, count, sum, sumOfSquares, limits, counts }: HistogramData): Uint8Array {
  return new MessageWriter()
    .double(HISTOGRAM.min, min)
    .double(HISTOGRAM.max, max)
    .double(HISTOGRAM.count, count)
    .double(HISTOGRAM.sum, sum)
    .double(HISTOGRAM.sumOfSquares, sumOfSquares)
    .packedDoubles(HISTOGRAM.limits, limits)
    .packedDoubles(HISTOGRAM.counts, counts)
    .finish()
}

function pluginMetadata(name: string): Uint8Array {
  return new MessageWriter().bytes(1, new MessageWriter().string(1, name).finish()).finish()
}

/** @throws RangeError when the bytes are no such message */
export function decodeEvent(message: Buffer): LogEvent {
  const fields = byNumber(message)
  const summaries = all(fields, EVENT.summary)
  const version = last(fields, EVENT.fileVersion)
  const session = last(fields, EVENT.sessionLog)
  return {
    wallTime: numberOf(fields, EVENT.wallTime),
    step: numberOf(fields, EVENT.step),
    values: summaries.flatMap((summary) => all(byNumber(summary), 1).map(decodeValue)),
    ...(version === undefined ? {} : { fileVersion: version.toString() }),
    ...(session !== undefined && numberOf(byNumber(session), 1) === SESSION_START ? { restart: true } : {}),
  }
}

function decodeValue(message: Buffer): SummaryValue {
  const fields = byNumber(message)
  const tag = last(fields, VALUE.tag)?.toString() ?? ''
  const simple = fields.find(({ field, wire }) => field === VALUE.simpleValue && wire === 'float')
  if (simple?.wire === 'float') return { kind: 'scalar', tag, value: simple.value }
  const [histogram, image] = [last(fields, VALUE.histogram), last(fields, VALUE.image)]
  if (histogram !== undefined) return { kind: 'histogram', tag, histogram: decodeHistogram(histogram) }
  if (image !== undefined) return { kind: 'image', tag, ...decodeImage(image) }
  const metadata = last(fields, VALUE.metadata)
  const plugin = metadata === undefined ? undefined : last(byNumber(metadata), 1)
  const name = plugin === undefined ? '' : (last(byNumber(plugin), 1)?.toString() ?? '')
  const tensor = byNumber(last(fields, VALUE.tensor) ?? Buffer.alloc(0))
  const text = last(tensor, TENSOR.strings)
  if (name === 'text' && text !== undefined) return { kind: 'text', tag, text: text.toString() }
  const scalar = name === 'scalars' ? tensorScalar(tensor) : undefined
  return scalar === undefined ? { kind: 'other', tag, plugin: name } : { kind: 'scalar', tag, value: scalar }
}

/** The newer way to write a scalar. */
function tensorScalar(tensor: readonly Field[]): number | undefined {
  const [floats, doubles] = [last(tensor, TENSOR.floats), last(tensor, TENSOR.doubles)]
  if (floats !== undefined && floats.length >= 4) return floats.readFloatLE(0)
  return doubles !== undefined && doubles.length >= 8 ? doubles.readDoubleLE(0) : undefined
}

function decodeHistogram(message: Buffer): HistogramData {
  const fields = byNumber(message)
  const doubles = (field: number) => {
    const packed = last(fields, field) ?? Buffer.alloc(0)
    return Array.from({ length: Math.floor(packed.length / 8) }, (_, i) => packed.readDoubleLE(8 * i))
  }
  return {
    min: numberOf(fields, HISTOGRAM.min),
    max: numberOf(fields, HISTOGRAM.max),
    count: numberOf(fields, HISTOGRAM.count),
    sum: numberOf(fields, HISTOGRAM.sum),
    sumOfSquares: numberOf(fields, HISTOGRAM.sumOfSquares),
    limits: doubles(HISTOGRAM.limits),
    counts: doubles(HISTOGRAM.counts),
  }
}

function decodeImage(message: Buffer): { width: number; height: number; channels: number; encoded: Uint8Array } {
  const fields = byNumber(message)
  return {
    width: numberOf(fields, IMAGE.width),
    height: numberOf(fields, IMAGE.height),
    channels: numberOf(fields, IMAGE.channels),
    // A copy: the reader's buffer is used again.
    encoded: Uint8Array.from(last(fields, IMAGE.encoded) ?? []),
  }
}

const byNumber = (message: Buffer): readonly Field[] => [...readFields(message)]

function all(fields: readonly Field[], number: number): readonly Buffer[] {
  return fields.flatMap((one) => (one.field === number && one.wire === 'bytes' ? [one.value] : []))
}

const last = (fields: readonly Field[], number: number): Buffer | undefined => all(fields, number).at(-1)

function numberOf(fields: readonly Field[], number: number): number {
  const found = fields.findLast(({ field }) => field === number)
  return found === undefined || found.wire === 'bytes' ? 0 : found.value
}
