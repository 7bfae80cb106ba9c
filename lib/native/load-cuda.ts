import type { Loader } from '../../bindings'
import { CUDA_OPERATORS, damagedFiles } from './binaries'
import { DeviceError } from './errors'
import type { LibTorchFolder } from './libtorch-folder'
import { loadNative, type Native, openLibrary } from './load'

const DRIVER = 'libcuda.so.1'

let opened = false

/**
 * Opens the CUDA part of LibTorch and our CUDA library, on the first use of a CUDA device.
 *
 * @throws DeviceError when the driver, the CUDA part of LibTorch or our CUDA library is not there: which, and the
 *   command that mends it
 */
export function loadCudaLibraries(): void {
  if (opened) return
  if (process.env.VISION_NATIVE_CUDA === '0') {
    throw new DeviceError('CUDA is not available: VISION_NATIVE_CUDA is 0; unset it to use a GPU')
  }
  const native = loadNative()
  const reason = cudaUnavailable(native)
  if (reason) throw new DeviceError(`CUDA is not available: ${reason}`)

  for (const library of native.libtorch.cudaLibraries) openLibrary(native.loader, library)
  if (native.binaries.cuda) openLibrary(native.loader, native.binaries.cuda)
  opened = true
}

/**
 * Opens CUDA where everything for it is there. This must come before the first operator: LibTorch asks once in a process
 * whether it has CUDA, and some CPU operators ask. `VISION_NATIVE_CUDA=0` leaves it closed, which starts faster.
 */
export function openCudaIfPresent(): void {
  if (process.env.VISION_NATIVE_CUDA === '0' || cudaUnavailable(loadNative())) return
  try {
    loadCudaLibraries()
  } catch {
    // The CPU is of use all the same; the reason is told to whoever asks for a CUDA device.
  }
}

/** Why CUDA cannot be used, with the remedy, or undefined. Opens nothing but the driver's library. */
export function cudaUnavailable({ loader, libtorch, binaries }: Native): string | undefined {
  const driver = driverProblem(loader)
  if (driver) return driver
  const library = cudaLibTorchProblem(libtorch)
  if (library) return library
  if (!binaries.cuda) {
    return (
      `${CUDA_OPERATORS} is not in ${binaries.folder}. ` +
      'Run `npm run build:cuda` in a working copy; an installed package without it was packed without CUDA.'
    )
  }
  if (binaries.origin === 'prebuild' && damagedFiles(binaries, [CUDA_OPERATORS]).length > 0) {
    return `${binaries.cuda} differs from the checksum of its build. Reinstall @lab/vision-native.`
  }
  return undefined
}

/** Why the NVIDIA driver cannot be used, or undefined. */
export function driverProblem(loader: Loader): string | undefined {
  try {
    loader.open(DRIVER)
    return undefined
  } catch (error) {
    return (
      `the NVIDIA driver's library cannot be opened (${(error as Error).message}). ` +
      'Install the NVIDIA driver, or give the container access to the GPU (docker run --gpus all).'
    )
  }
}

/** Why this LibTorch does not serve for CUDA, or undefined. */
export function cudaLibTorchProblem(libtorch: LibTorchFolder): string | undefined {
  if (libtorch.variant === 'cuda') return undefined
  const names = libtorch.missingCuda.map(({ soname }) => soname)
  const shown = names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ')
  const lack = libtorch.cuda === null ? 'is built for the CPU' : `lacks ${shown}`
  return `the LibTorch in ${libtorch.root} ${lack}. Run \`npx vision-native setup --cuda\` (about 2.5 GB).`
}
