import { ArgumentError } from '../native/errors'
import { bridge } from '../native/frame'
import { loadCudaLibraries } from '../native/load-cuda'
import { describe } from './call'
import { withMode } from './mode'
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
  return withMode('autocast', fn, () => {
    const native = bridge()
    const before = native.enterAutocast(device, (enabled ? ENABLED : 0) + (cache ? CACHE : 0) + DTYPE_STEP * code)
    return () => native.leaveAutocast(device, before)
  })
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
