import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { findLibTorch } from '../../lib/native/libtorch'
import { exists, JOBS, ROOT, run } from '../run'

/** What a check is asked for. */
export interface SanitizeOptions {
  readonly seconds: string
  readonly seed: string
  /** The only operator to call. */
  readonly only?: string | undefined
}

/** Folder of the binaries with AddressSanitizer and UndefinedBehaviorSanitizer; theirs are in its `Release`. */
export const BUILD = join(ROOT, 'build-sanitize')

/**
 * What ends a run at the first report. LibTorch keeps what it makes at start until the end, which is no leak; V8's
 * handler of bad addresses would end the process without a word.
 */
export const STRICT = {
  ASAN_OPTIONS: 'detect_leaks=0:halt_on_error=1:allow_user_segv_handler=0',
  UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
}

/** Builds with AddressSanitizer and UndefinedBehaviorSanitizer. */
export function buildSanitized(...targets: readonly string[]): Promise<void> {
  return buildIn(BUILD, { VISION_NATIVE_SANITIZE: 'address,undefined' }, targets)
}

/** Builds targets in a folder of their own with these settings of CMakeLists.txt. */
export async function buildIn(
  folder: string,
  own: Readonly<Record<string, string>>,
  targets: readonly string[],
): Promise<void> {
  const generator = exists('ninja') ? ['-G', 'Ninja'] : []
  const settings = { CMAKE_BUILD_TYPE: 'Release', LIBTORCH: findLibTorch().root, ...own }
  const definitions = Object.entries(settings).map(([name, value]) => `-D${name}=${value}`)
  await run('cmake', ['-S', ROOT, '-B', folder, ...generator, ...definitions, '--log-level=WARNING'])
  await run('cmake', ['--build', folder, '--parallel', JOBS, '--target', ...targets])
}

/** Compiles the addon with planted defects (test/sanitize/planted.cc) and returns its path. */
export function buildPlanted(folder: string, ...flags: readonly string[]): string {
  const addon = join(folder, 'planted.node')
  const headers = join(ROOT, 'node_modules/node-api-headers/include')
  const source = join(ROOT, 'test/sanitize/planted.cc')
  const options = ['-std=c++20', '-g', '-O1', '-fPIC', '-shared', `-I${headers}`, ...flags]
  execFileSync(process.env.CXX ?? 'c++', [...options, source, '-o', addon], { stdio: ['ignore', 'inherit', 'inherit'] })
  return addon
}
