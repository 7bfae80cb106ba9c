import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Variant } from './cache'
import { closureOf } from './linker'

/** What of the torch package serves a build or a run without Python; `version.py` is how its version is known. */
const KEEP_TORCH = new Set(['include', 'lib', 'share', 'version.py'])

const PYTHON_LIBRARIES = /^lib(torch_python|shm)/
/** `libc10_cuda.so` stays: it is small, and our CUDA library is linked to it, on machines without a GPU too. */
const CUDA_LIBRARIES = /^lib(torch_cuda|caffe2_nvrtc|torch_nvshmem|torch\.so|torch_global_deps)/

/**
 * Removes from a folder that pip filled what only Python uses, and for the CPU the CUDA libraries too. Headers, CMake
 * files, operator tables and licences stay.
 */
export function stripLibTorch(target: string, variant: Variant): void {
  const remove = (folder: string, unwanted: (name: string) => boolean) => {
    for (const name of readdirSync(folder)) {
      if (unwanted(name)) rmSync(join(folder, name), { recursive: true, force: true })
    }
  }
  const torch = join(target, 'torch')
  remove(target, (name) => !['torch', 'torchgen', 'nvidia'].includes(name) && !name.endsWith('.dist-info'))
  remove(torch, (name) => !KEEP_TORCH.has(name))
  // tools/generate-ops reads torchgen/packaged/ATen/native/native_functions.yaml.
  remove(join(target, 'torchgen'), (name) => name !== 'packaged')
  remove(join(torch, 'lib'), (name) => PYTHON_LIBRARIES.test(name) || (variant === 'cpu' && CUDA_LIBRARIES.test(name)))
  if (variant !== 'cpu') return

  // The profiling package brings 40 MB of libraries that only profilers open.
  const needed = new Set(closureOf(join(torch, 'lib/libtorch_cpu.so')).libraries)
  const nvidia = join(target, 'nvidia')
  for (const group of readdirSync(nvidia)) {
    const lib = join(nvidia, group, 'lib')
    remove(lib, (name) => /\.(so|a)\b/.test(name) && !needed.has(join(lib, name)))
  }
}
