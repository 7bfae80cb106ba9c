/** What went wrong, in one word; `error.code` is `ERR_VISION_NATIVE_` and this word in capitals. */
export type ErrorKind =
  | 'Argument'
  | 'Shape'
  | 'DType'
  | 'Device'
  | 'OutOfMemory'
  | 'Disposed'
  | 'Format'
  | 'Cancelled'
  | 'Load'
  | 'Config'
  | 'Operator'
  | 'Data'
  | 'Divergence'
  | 'Distributed'

const BRAND = Symbol.for('@lab/vision-native/error')

/**
 * Every error this package throws. Use `VisionNativeError.is(e)` rather than `instanceof`: an application may hold both
 * the ESM and the CommonJS build, whose classes differ.
 */
export class VisionNativeError extends Error {
  readonly kind: ErrorKind
  readonly code: string

  constructor(kind: ErrorKind, message: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
    this.code = `ERR_VISION_NATIVE_${kind.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()}`
    this.name = `${kind}Error`
  }

  get [BRAND](): true {
    return true
  }

  static is(value: unknown, kind?: ErrorKind): value is VisionNativeError {
    return (
      typeof value === 'object' &&
      value !== null &&
      BRAND in value &&
      (!kind || (value as VisionNativeError).kind === kind)
    )
  }
}

/** An argument of the wrong type or outside its range. */
export class ArgumentError extends VisionNativeError {
  constructor(message: string, options?: ErrorOptions) {
    super('Argument', message, options)
  }
}

/** Tensors whose ranks or sizes do not fit the operation. */
export class ShapeError extends VisionNativeError {
  constructor(message: string, options?: ErrorOptions) {
    super('Shape', message, options)
  }
}

/** Element types that the operation does not take. */
export class DTypeError extends VisionNativeError {
  constructor(message: string, options?: ErrorOptions) {
    super('DType', message, options)
  }
}

/** A device that is not there, or tensors on different ones. */
export class DeviceError extends VisionNativeError {
  constructor(message: string, options?: ErrorOptions) {
    super('Device', message, options)
  }
}

/** A line of code and how many tensors that it made are alive. */
export interface CreationSite {
  readonly site: string
  readonly tensors: number
}

/** What is known of an allocation that was refused; what is not known is absent. */
export interface MemoryShortage {
  readonly requestedBytes?: number | undefined
  /** What was left of the limit, or of the device's memory. */
  readonly freeBytes?: number | undefined
  /** In debug mode: live tensors by the line that made them, most first. */
  readonly sites?: readonly CreationSite[] | undefined
}

/** An allocation that would pass the limit, or that the machine refused. */
export class OutOfMemoryError extends VisionNativeError implements MemoryShortage {
  readonly requestedBytes: number | undefined
  readonly freeBytes: number | undefined
  readonly sites: readonly CreationSite[] | undefined

  constructor(message: string, { requestedBytes, freeBytes, sites, ...options }: ErrorOptions & MemoryShortage = {}) {
    super('OutOfMemory', message, options)
    this.requestedBytes = requestedBytes
    this.freeBytes = freeBytes
    this.sites = sites
  }
}

/** A tensor that was disposed, or that belongs to another thread. */
export class DisposedError extends VisionNativeError {
  constructor(message: string, options?: ErrorOptions) {
    super('Disposed', message, options)
  }
}

/** A file or buffer that is not what it should be. */
export class FormatError extends VisionNativeError {
  constructor(message: string, options?: ErrorOptions) {
    super('Format', message, options)
  }
}

/** A call that its `AbortSignal` stopped; `cause` is the signal's reason. */
export class CancelledError extends VisionNativeError {
  constructor(message: string, options?: ErrorOptions) {
    super('Cancelled', message, options)
  }
}

/** @throws CancelledError when the signal was aborted */
export function throwIfCancelled(signal: AbortSignal | undefined, caller: string): void {
  if (signal?.aborted) throw new CancelledError(`${caller}: cancelled by its AbortSignal`, { cause: signal.reason })
}

/** Binaries or LibTorch that could not be found or opened. */
export class LoadError extends VisionNativeError {
  constructor(message: string, options?: ErrorOptions) {
    super('Load', message, options)
  }
}

/** Settings that contradict each other or the machine. */
export class ConfigError extends VisionNativeError {
  constructor(message: string, options?: ErrorOptions) {
    super('Config', message, options)
  }
}

/** An operator refused its input for a reason that fits none of the other kinds. */
export class OperatorError extends VisionNativeError {
  constructor(message: string, options?: ErrorOptions) {
    super('Operator', message, options)
  }
}

/** A training whose loss became NaN or infinite. */
export class DivergenceError extends VisionNativeError {
  constructor(message: string, options?: ErrorOptions) {
    super('Divergence', message, options)
  }
}

/** A process of a group that is gone, late or out of step; or a group that could not be formed. */
export class DistributedError extends VisionNativeError {
  constructor(message: string, options?: ErrorOptions) {
    super('Distributed', message, options)
  }
}

/** Where loading of data failed; what is not known is absent. */
export interface DataPlace {
  /** The number of the sample. */
  readonly sample?: number | undefined
  /** The number of the batch within its epoch. */
  readonly batch?: number | undefined
  /** The number of the worker. */
  readonly worker?: number | undefined
}

/** A sample that could not be loaded, or a worker that ended, failed or took too long; `cause` is what it threw. */
export class DataError extends VisionNativeError implements DataPlace {
  readonly sample: number | undefined
  readonly batch: number | undefined
  readonly worker: number | undefined

  constructor(message: string, { sample, batch, worker, ...options }: ErrorOptions & DataPlace = {}) {
    super('Data', message, options)
    this.sample = sample
    this.batch = batch
    this.worker = worker
  }
}

const classes = {
  Argument: ArgumentError,
  Shape: ShapeError,
  DType: DTypeError,
  Device: DeviceError,
  OutOfMemory: OutOfMemoryError,
  Disposed: DisposedError,
  Format: FormatError,
  Cancelled: CancelledError,
  Load: LoadError,
  Config: ConfigError,
  Operator: OperatorError,
  Data: DataError,
  Divergence: DivergenceError,
  Distributed: DistributedError,
} as const

/**
 * The error of a kind that native code named.
 *
 * @param sites in debug mode: live tensors by the line that made them, most first
 */
export function errorOfKind(kind: string, message: string, sites?: readonly CreationSite[]): VisionNativeError {
  if (kind === 'OutOfMemory') return outOfMemory(message, sites)
  const Kind = classes[kind as ErrorKind] ?? OperatorError
  return new Kind(message)
}

const TOLD_SITES = 3

function outOfMemory(message: string, sites: readonly CreationSite[] | undefined): OutOfMemoryError {
  const most = (sites ?? []).slice(0, TOLD_SITES).map(({ site, tensors }) => `\n  ${tensors} made at ${site}`)
  const lines = most.length === 0 ? '' : `\nmost live tensors:${most.join('')}`
  return new OutOfMemoryError(`${message}${lines}`, { ...shortageOf(message), sites })
}

/** Figures of our own allocator's message, and of those of LibTorch's for CPU and CUDA. */
function shortageOf(message: string): MemoryShortage {
  const ours = /an allocation of (\d+) bytes exceeds the limit of (\d+) bytes of CPU memory, of which (\d+)/.exec(
    message,
  )
  if (ours) {
    const [requestedBytes = 0, limit = 0, used = 0] = ours.slice(1).map(Number)
    return { requestedBytes, freeBytes: Math.max(0, limit - used) }
  }
  const machine = /you tried to allocate (\d+) bytes/.exec(message)
  if (machine) return { requestedBytes: Number(machine[1]) }
  return {
    requestedBytes: sizeIn(/Tried to allocate ([\d.]+) (bytes|KiB|MiB|GiB)/.exec(message)),
    freeBytes: sizeIn(/of which ([\d.]+) (bytes|KiB|MiB|GiB) is free/.exec(message)),
  }
}

const UNITS: Readonly<Record<string, number>> = { bytes: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 }

function sizeIn(match: RegExpExecArray | null): number | undefined {
  return match ? Math.round(Number(match[1]) * (UNITS[match[2] ?? ''] ?? Number.NaN)) : undefined
}
