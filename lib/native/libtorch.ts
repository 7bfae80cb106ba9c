import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { cachedLibTorch } from './cache'
import { LoadError } from './errors'
import { type Inspection, inspectLibTorch, type LibTorchFolder } from './libtorch-folder'
import { findPythonTorch } from './python'
import { LIBTORCH_CUDA, LIBTORCH_VERSION } from './required'

/** The places where LibTorch is looked for, in this order. */
export type Source = 'LIBTORCH' | 'python' | 'cache'

/** One place that was looked at. */
export interface Attempt {
  readonly source: Source
  /** Folder or command that was looked at, where there was one. */
  readonly place: string | undefined
  /** What was found there, as part of a sentence. */
  readonly found: string
}

/** The LibTorch that was chosen, and how. */
export interface LibTorch extends LibTorchFolder {
  readonly source: Source
  readonly tried: readonly Attempt[]
}

/** Outcome of a search: a LibTorch, or a message that says what to do. */
export type Search =
  | { readonly libtorch: LibTorch; readonly tried: readonly Attempt[] }
  | { readonly libtorch: undefined; readonly tried: readonly Attempt[]; readonly failure: string }

/**
 * Looks for LibTorch in `LIBTORCH`, in the Python on PATH and in the cache, in this order, and loads nothing. A wrong
 * `LIBTORCH` ends the search, for it was asked for; a wrong Python package is passed over.
 */
export function searchLibTorch(env: NodeJS.ProcessEnv = process.env): Search {
  const tried: Attempt[] = []
  const consider = (source: Source, root: string): LibTorch | undefined => {
    const inspection = inspectLibTorch(root, env)
    tried.push({ source, place: root, found: describe(inspection) })
    return inspection.ok ? { ...inspection.folder, source, tried } : undefined
  }
  const settle = (libtorch: LibTorch): Search => ({ libtorch, tried })

  if (env.LIBTORCH) {
    const root = resolve(env.LIBTORCH)
    const libtorch = consider('LIBTORCH', root)
    if (libtorch) return settle(libtorch)
    return { libtorch: undefined, tried, failure: wrongVariable(root, tried.at(-1)?.found ?? '') }
  }
  tried.push({ source: 'LIBTORCH', place: undefined, found: 'not set' })

  const answer = findPythonTorch(env)
  if (answer.python === undefined) {
    tried.push({ source: 'python', place: undefined, found: answer.reason })
  } else if (answer.torch === undefined) {
    tried.push({ source: 'python', place: answer.python, found: 'has no package torch' })
  } else {
    const libtorch = consider('python', answer.torch)
    if (libtorch) return settle(libtorch)
  }

  for (const variant of ['cuda', 'cpu'] as const) {
    const folder = cachedLibTorch(variant, env)
    if (existsSync(folder)) {
      const libtorch = consider('cache', join(folder, 'torch'))
      if (libtorch) return settle(libtorch)
    } else {
      tried.push({ source: 'cache', place: folder, found: 'not there' })
    }
  }
  return { libtorch: undefined, tried, failure: notFound(tried) }
}

/**
 * The LibTorch to use.
 *
 * @throws LoadError listing every place tried, what was found there, and the command that mends it
 */
export function findLibTorch(env: NodeJS.ProcessEnv = process.env): LibTorch {
  const search = searchLibTorch(env)
  if (!search.libtorch) throw new LoadError(search.failure)
  return search.libtorch
}

function describe(inspection: Inspection): string {
  if (!inspection.ok) return inspection.reason
  const { version, cuda, variant } = inspection.folder
  if (cuda === null) return `is LibTorch ${version} for the CPU`
  return `is LibTorch ${version} for CUDA ${cuda}${variant === 'cpu' ? ', usable on the CPU only' : ''}`
}

/** One line for each place, as errors and `vision-native doctor` show them. */
export function listAttempts(tried: readonly Attempt[]): string {
  return tried
    .map(({ source, place, found }) => `  ${source.padEnd(8)}  ${place === undefined ? found : `${place} ${found}`}`)
    .join('\n')
}

function wrongVariable(root: string, found: string): string {
  return (
    `LIBTORCH=${root} ${found}. Set LIBTORCH to the folder that holds lib/ and include/ of LibTorch ${LIBTORCH_VERSION} ` +
    `(CUDA ${LIBTORCH_CUDA} or CPU), or unset it and run \`npx vision-native setup\`.`
  )
}

function notFound(tried: readonly Attempt[]): string {
  return (
    `LibTorch ${LIBTORCH_VERSION} was not found. Tried, in this order:\n${listAttempts(tried)}\n` +
    'Run `npx vision-native setup` to download it (about 545 MB), or set LIBTORCH to the folder that holds lib/ and ' +
    `include/ of LibTorch ${LIBTORCH_VERSION}.`
  )
}
