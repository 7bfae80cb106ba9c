import { ArgumentError } from '../native/errors'
import { bridge } from '../native/frame'
import { loadCudaLibraries } from '../native/load-cuda'
import { describe } from './call'
import { CODE_OF_DTYPE, DTYPE_OF_CODE, type DType } from './types'

export interface AutocastOptions {
  /** The kind of device whose operators are concerned; the CPU unless stated. */
  readonly device?: 'cpu' | 'cuda' | undefined
  /** What fast operators compute in; bfloat16 on the CPU and float16 on CUDA unless stated. */
  readonly dtype?: 'float16' | 'bfloat16' | undefined
  /** `false` turns mixed precision off within another `autocast`. */
  readonly enabled?: boolean | undefined
  /** Casts each weight once; on unless stated. */
  readonly cache?: boolean | undefined
}

/** Bits of the bridge's modes. */
const ENABLED = 1
const CACHE = 2
const DTYPE_STEP = 4

/**
 * Runs `fn` in mixed precision, as `torch.autocast`: matrix products and convolutions compute in 16 bits, operators that
 * need the range in float32. Call `backward()` outside.
 *
 * @throws ArgumentError when `fn` returns a promise: the mode would end before its work does
 */
export function autocast<T>({ device = 'cpu', dtype, enabled = true, cache = true }: AutocastOptions, fn: () => T): T {
  if (device !== 'cpu' && device !== 'cuda') {
    throw new ArgumentError(`autocast: device is ${describe(device)}; it must be 'cpu' or 'cuda'`)
  }
  const to = dtype ?? (device === 'cpu' ? 'bfloat16' : 'float16')
  const code = CODE_OF_DTYPE.get(to)
  if (code === undefined || (to !== 'bfloat16' && to !== 'float16')) {
    throw new ArgumentError(`autocast: dtype is ${describe(to)}; it must be 'bfloat16' or 'float16'`)
  }
  if (device === 'cuda') loadCudaLibraries()
  const native = bridge()
  const before = native.enterAutocast(device, (enabled ? ENABLED : 0) + (cache ? CACHE : 0) + DTYPE_STEP * code)
  let result: T
  try {
    result = fn()
  } finally {
    native.leaveAutocast(device, before)
  }
  if (!isThenable(result)) return result
  // Its work goes on without the mode; that it may fail as well is no news.
  result.then(undefined, () => {})
  throw new ArgumentError(
    'autocast: the function returned a promise, and the mode ends before the promise settles; await first, and call autocast around the synchronous part',
  )
}

/** True inside `autocast` of this kind of device. */
export function isAutocastEnabled(device: 'cpu' | 'cuda' = 'cpu'): boolean {
  return (bridge().autocastModes(device) & ENABLED) !== 0
}

/** What fast operators compute in inside `autocast` of this kind of device. */
export function autocastDType(device: 'cpu' | 'cuda' = 'cpu'): DType {
  const code = Math.floor(bridge().autocastModes(device) / DTYPE_STEP)
  return DTYPE_OF_CODE.get(code) ?? 'float32'
}

/** Forgets weights that were cast: those that were changed in place since would be used as they were. */
export function clearAutocastCache(): void {
  bridge().clearAutocastCache()
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
