import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { LIBTORCH_CUDA, LIBTORCH_VERSION } from './required'

/** Which LibTorch a cache folder holds: with the CUDA libraries, or only what the CPU needs. */
export type Variant = 'cpu' | 'cuda'

/** Folder of everything this package downloads: `VISION_NATIVE_CACHE`, or `vision-native` in the user's cache folder. */
export function cacheRoot(env: NodeJS.ProcessEnv = process.env): string {
  if (env.VISION_NATIVE_CACHE) return resolve(env.VISION_NATIVE_CACHE)
  // The XDG specification says that a relative path there is to be ignored.
  const xdg = env.XDG_CACHE_HOME?.startsWith('/') ? env.XDG_CACHE_HOME : undefined
  return join(xdg ?? join(env.HOME || homedir(), '.cache'), 'vision-native')
}

/** Folder that `vision-native setup` fills; LibTorch itself is its `torch` folder. */
export function cachedLibTorch(variant: Variant, env: NodeJS.ProcessEnv = process.env): string {
  const tag = variant === 'cuda' ? `cu${LIBTORCH_CUDA.replace('.', '')}` : 'cpu'
  return join(cacheRoot(env), `libtorch-${LIBTORCH_VERSION}-${tag}`)
}
