import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { cachedLibTorch, cacheRoot, type Variant } from './cache'
import { CancelledError, LoadError, VisionNativeError } from './errors'
import { withFileLock } from './file-lock'
import { inspectLibTorch, type LibTorchFolder } from './libtorch-folder'
import { stripLibTorch } from './strip'
import { systemReason } from './system-reason'
import { DISK_SPACE, platformOptions, requirements } from './wheels'

/** Options of {@link setup}. */
export interface SetupOptions {
  /** `cuda` downloads the CUDA libraries too. */
  readonly variant?: Variant
  /** Downloads again even when the cache is complete. */
  readonly force?: boolean
  /** Shows pip's own output, progress bar included, on stderr. */
  readonly showPip?: boolean
  /** Told what is going on, in whole sentences. */
  readonly onMessage?: (message: string) => void
  readonly signal?: AbortSignal
  readonly env?: NodeJS.ProcessEnv
}

/** What {@link setup} did. */
export interface SetupResult {
  /** The LibTorch folder, as `LIBTORCH` would name it. */
  readonly root: string
  readonly variant: Variant
  /** False when it was complete already. */
  readonly installed: boolean
}

/**
 * Fills the cache with LibTorch by way of pip, once however many processes ask at a time; nothing is left behind when
 * it fails.
 *
 * @throws LoadError when Python or pip is missing, the disk is too full, or the download fails
 * @throws CancelledError when `signal` is aborted
 */
export async function setup(options: SetupOptions = {}): Promise<SetupResult> {
  const { variant = 'cpu', force = false, env = process.env } = options
  const done = force ? undefined : cached(variant, env)
  if (done) return result(done, false)

  const python = findPip(env)
  const folder = cachedLibTorch(variant, env)
  try {
    mkdirSync(cacheRoot(env), { recursive: true })
  } catch (cause) {
    throw unwritable(cacheRoot(env), cause)
  }

  let waited = false
  const work = async (): Promise<SetupResult> => {
    const meanwhile = force && !waited ? undefined : cached(variant, env)
    if (meanwhile) return result(meanwhile, false)
    return result(await install(python, folder, variant, { ...options, env }), true)
  }
  const onWait = (pid: number) => {
    waited = true
    options.onMessage?.(`Another process (${pid}) is setting up LibTorch; waiting for it.`)
  }
  try {
    return await withFileLock(`${folder}.lock`, work, { onWait, signal: options.signal })
  } catch (cause) {
    if (!options.signal?.aborted) throw VisionNativeError.is(cause) ? cause : unwritable(cacheRoot(env), cause)
    throw new CancelledError('setup: cancelled; nothing was left in the cache', { cause: options.signal.reason })
  }
}

function unwritable(folder: string, cause: unknown): LoadError {
  return new LoadError(
    `setup: the cache folder ${folder} cannot be written: ${systemReason(cause)}. ` +
      'Set VISION_NATIVE_CACHE to a folder that can, and has room.',
    { cause },
  )
}

function result({ root, variant }: LibTorchFolder, installed: boolean): SetupResult {
  return { root, variant, installed }
}

/** The cached LibTorch that serves for a variant; the one with CUDA serves for the CPU as well. */
function cached(variant: Variant, env: NodeJS.ProcessEnv): LibTorchFolder | undefined {
  for (const candidate of variant === 'cuda' ? (['cuda'] as const) : (['cuda', 'cpu'] as const)) {
    const inspection = inspectLibTorch(join(cachedLibTorch(candidate, env), 'torch'), env)
    if (inspection.ok && inspection.folder.variant === candidate) return inspection.folder
  }
  return undefined
}

function findPip(env: NodeJS.ProcessEnv): string {
  let reason = 'there is no python3 on PATH. Install Python 3.9 or newer with pip (apt-get install python3 python3-pip)'
  for (const python of ['python3', 'python']) {
    const run = spawnSync(python, ['-m', 'pip', '--version'], { env, encoding: 'utf8' })
    if (run.status === 0) return python
    if (run.error) continue
    reason = `${python} has no pip (${run.stderr.trim().split('\n').at(-1)}). Install it (apt-get install python3-pip)`
  }
  throw new LoadError(
    `setup: LibTorch is downloaded with pip, but ${reason}, or unpack LibTorch yourself and set LIBTORCH to its folder.`,
  )
}

async function install(
  python: string,
  folder: string,
  variant: Variant,
  options: SetupOptions & { readonly env: NodeJS.ProcessEnv },
): Promise<LibTorchFolder> {
  const parent = dirname(folder)
  // Whoever left these behind was killed: the lock is ours.
  for (const name of readdirSync(parent)) {
    if (name.startsWith(`${basename(folder)}.partial-`)) rmSync(join(parent, name), { recursive: true, force: true })
  }
  checkDiskSpace(parent, variant)

  const partial = mkdtempSync(`${folder}.partial-`)
  try {
    const target = join(partial, 'target')
    options.onMessage?.(`Downloading LibTorch (${variant === 'cuda' ? 'CUDA, about 2.5 GB' : 'CPU, about 545 MB'}).`)
    await pipInstall(python, target, partial, variant, options)
    stripLibTorch(target, variant)

    const inspection = inspectLibTorch(join(target, 'torch'), options.env)
    if (!inspection.ok || inspection.folder.variant !== variant) {
      const found = inspection.ok ? `has no ${variant} libraries` : inspection.reason
      throw new LoadError(`setup: what pip installed ${found}. Run \`npx vision-native setup --force\` again.`)
    }
    moveIntoPlace(target, folder, partial)
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
  const inspection = inspectLibTorch(join(folder, 'torch'), options.env)
  if (!inspection.ok)
    throw new LoadError(`setup: ${join(folder, 'torch')} ${inspection.reason} after it was moved there.`)
  return inspection.folder
}

function checkDiskSpace(folder: string, variant: Variant): void {
  const { bavail, bsize } = statfsSync(folder)
  const free = bavail * bsize
  const needed = DISK_SPACE[variant]
  if (free >= needed) return
  throw new LoadError(
    `setup: ${folder} has ${gigabytes(free)} free; unpacking LibTorch needs ${gigabytes(needed)}. ` +
      'Free some space, or set VISION_NATIVE_CACHE to a folder on a larger disk.',
  )
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`
}

async function pipInstall(
  python: string,
  target: string,
  partial: string,
  variant: Variant,
  { env, showPip = false, signal }: SetupOptions,
): Promise<void> {
  const list = join(partial, 'requirements.txt')
  writeFileSync(list, requirements(variant))
  const args = [
    ...['-m', 'pip', 'install', '--target', target, '--requirement', list, '--require-hashes', '--no-deps'],
    ...['--no-compile', '--no-cache-dir', '--disable-pip-version-check', ...platformOptions()],
  ]
  const output: string[] = []
  const child = spawn(python, args, {
    // pip unpacks beside the target, so that it can rename and the space that was checked is the space that is used;
    // settings for virtual environments and for --user do not concern a private folder.
    env: { ...env, TMPDIR: partial, PIP_REQUIRE_VIRTUALENV: '0', PIP_USER: '0', PIP_ROOT_USER_ACTION: 'ignore' },
    stdio: ['ignore', showPip ? 2 : 'pipe', showPip ? 2 : 'pipe'],
    signal,
  })
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text) => output.push(text))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  if (code === 0) return
  signal?.throwIfAborted()
  const said = output.join('').trim().split('\n').slice(-5).join('\n')
  throw new LoadError(
    `setup: pip ended with status ${code}${said ? `:\n${said}\n` : '; its output is above. '}` +
      "Check the network and pip's settings (`pip config list`), then run `npx vision-native setup` again.",
  )
}

function moveIntoPlace(target: string, folder: string, partial: string): void {
  // A process that has the old libraries open keeps them: they live on until it ends.
  if (existsSync(folder)) renameSync(folder, join(partial, 'old'))
  renameSync(target, folder)
}
