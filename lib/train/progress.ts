// CommonJS, whose names Node's ESM loader does not all see.
import cliProgress, { type Options, type Params, type SingleBar } from 'cli-progress'
import type { EpochRecord, Values } from './records'

/** What a step tells. */
export interface StepProgress {
  readonly epoch: number
  /** Batches of this epoch so far, and in all where known. */
  readonly batch: number
  readonly batches: number | undefined
  /** Batches that are left in the whole training, where known. */
  readonly left: number | undefined
  readonly samples: number
  readonly loss: number | undefined
}

/** Tells how a training goes: a bar where there is a terminal, a line for each epoch elsewhere. */
export class ProgressReporter {
  readonly #bar: SingleBar | undefined
  readonly #epochs: number | undefined
  readonly #stream: NodeJS.WriteStream
  #start = performance.now()
  #samples = 0
  #batches = 0

  constructor(show: boolean, epochs: number | undefined, stream: NodeJS.WriteStream = process.stderr) {
    this.#epochs = epochs
    this.#stream = stream
    this.#show = show
    if (!show || !stream.isTTY) return
    this.#bar = new cliProgress.SingleBar({ format: drawn, stream, hideCursor: true, clearOnComplete: true, fps: 5 })
  }
  readonly #show: boolean

  beginEpoch(batches: number | undefined): void {
    this.#bar?.start(batches ?? 0, 0, { text: '' })
  }

  step({ epoch, batch, batches, left, samples, loss }: StepProgress): void {
    this.#samples += samples
    this.#batches += 1
    if (!this.#bar) return
    const seconds = (performance.now() - this.#start) / 1000
    const parts = [
      this.#epochOf(epoch),
      batches === undefined ? `${batch} batches` : `${batch}/${batches}`,
      ...(loss === undefined ? [] : [`loss ${short(loss)}`]),
      `${short(this.#samples / seconds)} samples/s`,
      ...(left === undefined ? [] : [`${duration((seconds / this.#batches) * left)} left`]),
    ]
    this.#bar.update(batch, { text: parts.join('  ') })
  }

  endEpoch(record: EpochRecord): void {
    this.#bar?.stop()
    this.line(`${this.#epochOf(record.epoch - 1)}  ${epochText(record)}`)
  }

  line(text: string): void {
    if (this.#show) this.#stream.write(`${text}\n`)
  }

  stop(): void {
    this.#bar?.stop()
  }

  #epochOf(epoch: number): string {
    return this.#epochs === undefined ? `epoch ${epoch + 1}` : `epoch ${epoch + 1}/${this.#epochs}`
  }
}

/** `loss 0.1234  accuracy 0.9876  1,437 samples/s  waiting for data 2 %  3.2 s` */
function epochText({ loss, values, validation, samplesPerSecond, waitShare, seconds }: EpochRecord): string {
  const named = (numbers: Values = {}) => Object.entries(numbers).map(([name, value]) => `${name} ${short(value)}`)
  return [
    `loss ${short(loss)}`,
    ...named(values),
    ...(validation ? [`validation ${named(validation).join(', ')}`] : []),
    `${short(samplesPerSecond)} samples/s`,
    `waiting for data ${Math.round(waitShare * 100)} %`,
    duration(seconds),
  ].join('  ')
}

function drawn(options: Options, params: Params, payload: { text: string }): string {
  const bar = params.total > 0 ? `${cliProgress.Format.BarFormat(params.progress, options)} ` : ''
  return `${bar}${payload.text}`
}

/** Four digits: `0.01234`, `12.34`, `1,234`. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  return value.toLocaleString('en-US', { maximumSignificantDigits: 4 })
}

/** `0.8 s`, `48 s`, `3:07`, `1:02:03` */
export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  if (seconds < 60) return `${Math.round(seconds)} s`
  const whole = Math.round(seconds)
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const two = (n: number) => String(n).padStart(2, '0')
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`
}
