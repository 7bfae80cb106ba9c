import { ConfigError, DeviceError, VisionNativeError } from '../native/errors'
import { bridge } from '../native/frame'
import { loadCudaLibraries } from '../native/load-cuda'
import { describe } from './call'
import type { Device } from './types'

/**
 * Why CUDA cannot be used here, with the remedy; undefined where it can. Opens the CUDA libraries where they are
 * there.
 */
export function cudaUnavailableReason(): string | undefined {
  bridge()
  try {
    loadCudaLibraries()
  } catch (error) {
    if (VisionNativeError.is(error)) return error.message
    throw error
  }
  if (bridge().cudaDeviceCount() > 0) return undefined
  return 'CUDA is not available: the NVIDIA driver names no device. Check nvidia-smi, and CUDA_VISIBLE_DEVICES, which may hide them'
}

/** True when tensors can live on a CUDA device. `cudaUnavailableReason()` says why not. */
export function cudaIsAvailable(): boolean {
  return cudaUnavailableReason() === undefined
}

/** How many CUDA devices there are; 0 where CUDA cannot be used. */
export function cudaDeviceCount(): number {
  return cudaIsAvailable() ? bridge().cudaDeviceCount() : 0
}

/** What `resolveDevice` took. */
export interface ResolvedDevice {
  readonly device: Device
  /** Why `'auto'` took the CPU. */
  readonly reason?: string
}

/**
 * The device that a name stands for: `'auto'` takes the first CUDA device, or the CPU and says why; any other name is
 * checked.
 *
 * @throws DeviceError when a CUDA device was asked for and is not there: why, and the remedy
 */
export function resolveDevice(wanted: Device | 'auto'): ResolvedDevice {
  if (wanted === 'cpu' || wanted === 'meta') return { device: wanted }
  const index = wanted === 'auto' || wanted === 'cuda' ? 0 : deviceIndex(wanted)
  const reason = cudaUnavailableReason()
  if (reason !== undefined) {
    if (wanted === 'auto') return { device: 'cpu', reason }
    throw new DeviceError(reason)
  }
  const count = bridge().cudaDeviceCount()
  if (index >= count)
    throw new DeviceError(
      `'${wanted}' is not there: this machine has ${count} CUDA devices, cuda:0 to cuda:${count - 1}`,
    )
  return { device: `cuda:${index}` }
}

function deviceIndex(name: unknown): number {
  const digits = typeof name === 'string' ? /^cuda:(\d{1,2})$/.exec(name)?.[1] : undefined
  if (digits === undefined)
    throw new DeviceError(`${describe(name)} is no device; they are 'cpu', 'cuda', 'cuda:N', 'meta' and 'auto'`)
  return Number(digits)
}

/** How many threads an operator may use, here and in asynchronous calls. */
export function getNumThreads(): number {
  return bridge().numThreads()
}

/** Sets how many threads an operator may use, on this thread and, all together, in asynchronous calls. */
export function setNumThreads(threads: number): void {
  if (!Number.isInteger(threads) || threads < 1 || threads > 1024) {
    throw new ConfigError(`setNumThreads: ${describe(threads)} must be a whole number from 1 to 1024`)
  }
  bridge().setNumThreads(threads)
}

/** The instruction set that LibTorch's CPU kernels use here, such as `'AVX2'`. */
export function cpuCapability(): string {
  return bridge().cpuCapability()
}

/** Version of the LibTorch that is loaded, such as `'2.11.0'`. */
export function libtorchVersion(): string {
  return bridge().libtorchVersion()
}
