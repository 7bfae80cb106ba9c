import { isMainThread } from 'node:worker_threads'
import type * as Constants from 'node-av/constants'
import type * as Lib from 'node-av/lib'
import { FormatError, LoadError, type VisionNativeError } from '../native/errors'
import { blocking } from './ffmpeg-blocking'

/** FFmpeg's libraries as node-av binds them. */
export interface Ffmpeg {
  readonly lib: typeof Lib
  readonly constants: typeof Constants
}

let loading: Promise<Ffmpeg> | undefined

/**
 * FFmpeg, opened on first use: its binary has 175 MB and most applications never need it.
 *
 * @param caller the public function, for messages
 * @throws LoadError when node-av is not installed or its binary cannot be opened
 */
export function ffmpeg(caller: string): Promise<Ffmpeg> {
  loading ??= load()
  return loading.catch((cause: unknown) => {
    // A later call may find what was installed meanwhile.
    loading = undefined
    throw loadError(caller, cause)
  })
}

async function load(): Promise<Ffmpeg> {
  const [lib, constants] = await Promise.all([import('node-av/lib'), import('node-av/constants')])
  // FFmpeg would write about every damaged packet to the standard error; what matters is in the errors thrown.
  lib.Log.setLevel(constants.AV_LOG_QUIET)
  return isMainThread ? { lib, constants } : blocking({ lib, constants })
}

function loadError(caller: string, cause: unknown): LoadError {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') {
    return new LoadError(
      `${caller}: video and audio need the optional package node-av (FFmpeg), which is not installed; run: npm install node-av`,
      { cause },
    )
  }
  const reason = (cause instanceof Error ? cause.message : String(cause)).replace(/\s+/g, ' ').trim()
  return new LoadError(
    `${caller}: the optional package node-av (FFmpeg) is installed but cannot be opened: ${reason.slice(0, 400)}; ` +
      'install it anew for this platform: npm install node-av',
    { cause },
  )
}

/** FFmpeg's words for an error number. */
export function reasonOf({ lib }: Ffmpeg, code: number): string {
  return lib.FFmpegError.strerror(code)
}

/** Throws what `error` makes of FFmpeg's reason when a call returned an error number; FormatError unless stated. */
export function check(
  av: Ffmpeg,
  code: number,
  what: string,
  error: (message: string) => VisionNativeError = (message) => new FormatError(message),
): number {
  if (code >= 0) return code
  throw error(`${what}: ${reasonOf(av, code)}`)
}
