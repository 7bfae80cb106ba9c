// Weights on this machine: what is here, fetching, checking.
import { readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { writeFileAtomic } from '../native/atomic-file'
import { cacheRoot } from '../native/cache'
import { FormatError, LoadError } from '../native/errors'
import { checksum, type DownloadOptions, download, mismatch } from './download'
import { type WeightsEntry, type WeightsName, weightsEntries, weightsEntry } from './entry'

/** Where weights are looked for. */
export interface WeightsPlaces {
  /** `VISION_NATIVE_CACHE`, `VISION_NATIVE_WEIGHTS_MIRROR` and proxies are read from it; `process.env` unless stated. */
  readonly env?: NodeJS.ProcessEnv | undefined
}

export type PullOptions = DownloadOptions

/** Weights that are on this machine. */
export interface PulledWeights {
  readonly name: string
  readonly path: string
  readonly bytes: number
  readonly sha256: string
  readonly from: 'cache' | 'mirror' | 'network'
}

/** Weights of the table, and where they are if they are on this machine. */
export interface ListedWeights extends WeightsEntry {
  readonly path: string | undefined
  readonly bytes: number | undefined
}

export interface VerifiedWeights {
  readonly name: string
  readonly path: string
  readonly sha256: string
  readonly ok: boolean
  /** What the checksum was compared with; `nothing` where none was published and the file was not pulled. */
  readonly against: 'published' | 'published-prefix' | 'pulled' | 'nothing'
  /** What is wrong. */
  readonly problem?: string
}

/** Folder of the weights that were pulled. */
export function weightsFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(cacheRoot(env), 'weights')
}

/** Folder that weights are taken from in place of the network: `VISION_NATIVE_WEIGHTS_MIRROR`. */
export function weightsMirror(env: NodeJS.ProcessEnv = process.env): string | undefined {
  return env.VISION_NATIVE_WEIGHTS_MIRROR ? resolve(env.VISION_NATIVE_WEIGHTS_MIRROR) : undefined
}

/** The file of weights if it is on this machine: in the cache, or in the mirror. Nothing is downloaded. */
export async function localWeights(
  weights: WeightsName | (string & {}) | WeightsEntry,
  { env = process.env }: WeightsPlaces = {},
): Promise<string | undefined> {
  const { file } = entryOf(weights)
  const mirror = weightsMirror(env)
  for (const folder of [weightsFolder(env), ...(mirror === undefined ? [] : [mirror])]) {
    const path = join(folder, file)
    if ((await stat(path).catch(() => undefined))?.isFile()) return path
  }
  return undefined
}

/** All weights of the table, with where they are. */
export async function listWeights(places: WeightsPlaces = {}): Promise<ListedWeights[]> {
  return Promise.all(
    weightsEntries().map(async (entry) => {
      const path = await localWeights(entry, places)
      const bytes = path === undefined ? undefined : (await stat(path)).size
      return { ...entry, path, bytes }
    }),
  )
}

/**
 * Brings weights to this machine: from the cache, from the mirror folder where `VISION_NATIVE_WEIGHTS_MIRROR` names one
 * (the network is not used then), or from their publisher. Whatever is returned was checked against the checksum that is
 * published. Proxies are those of `HTTPS_PROXY` and `NO_PROXY`.
 *
 * @param weights a name of the table, a network's name for its default weights, or an entry of one's own
 * @throws ArgumentError when there are no weights of that name
 * @throws LoadError when they cannot be had; a download that was cut goes on the next time
 * @throws FormatError when the file has another checksum than the published one; it is not kept
 * @throws CancelledError when `signal` is aborted
 */
export async function pullWeights(
  weights: WeightsName | (string & {}) | WeightsEntry,
  options: PullOptions = {},
): Promise<PulledWeights> {
  const entry = entryOf(weights)
  const { env = process.env } = options
  const mirror = weightsMirror(env)
  if (mirror !== undefined) return fromMirror(entry, mirror, options)
  const path = join(weightsFolder(env), entry.file)
  const { sha256, bytes, alreadyThere = false } = await download(entry.url, path, entry, { ...options, env })
  if (!alreadyThere) await writeFileAtomic(`${path}.sha256`, Buffer.from(`${sha256}  ${entry.file}\n`), 'pullWeights')
  return { name: entry.name, path, bytes, sha256, from: alreadyThere ? 'cache' : 'network' }
}

async function fromMirror(entry: WeightsEntry, mirror: string, { signal }: PullOptions): Promise<PulledWeights> {
  const path = join(mirror, entry.file)
  if (!(await stat(path).catch(() => undefined))?.isFile()) {
    throw new LoadError(
      `the mirror VISION_NATIVE_WEIGHTS_MIRROR=${mirror} has no ${entry.file}; put the file of ${entry.url} there, or unset the variable to download it`,
    )
  }
  const { sha256, bytes } = await checksum(path, signal)
  const problem = mismatch(sha256, entry)
  if (problem !== undefined) throw new FormatError(`${path}: ${problem}; put the file of ${entry.url} there`)
  return { name: entry.name, path, bytes, sha256, from: 'mirror' }
}

/**
 * Checks weights on this machine against the published checksum, or against that of the download where none is published.
 *
 * @throws LoadError when they are not on this machine
 */
export async function verifyWeights(
  weights: WeightsName | (string & {}) | WeightsEntry,
  { env = process.env, signal }: WeightsPlaces & { readonly signal?: AbortSignal | undefined } = {},
): Promise<VerifiedWeights> {
  const entry = entryOf(weights)
  const path = await localWeights(entry, { env })
  if (path === undefined) {
    throw new LoadError(`${entry.name} is not on this machine; run \`npx vision-native weights pull ${entry.name}\``)
  }
  const { sha256 } = await checksum(path, signal)
  const pulled = await recordedChecksum(path)
  const against = entry.sha256 ? 'published' : entry.sha256Prefix ? 'published-prefix' : pulled ? 'pulled' : 'nothing'
  const problem = mismatch(sha256, entry) ?? (pulled === undefined ? undefined : differsFromPulled(sha256, pulled))
  return { name: entry.name, path, sha256, ok: problem === undefined, against, ...(problem && { problem }) }
}

async function recordedChecksum(path: string): Promise<string | undefined> {
  const text = await readFile(`${path}.sha256`, 'utf8').catch(() => '')
  return /^[0-9a-f]{64}/.exec(text)?.[0]
}

function differsFromPulled(sha256: string, pulled: string): string | undefined {
  return sha256 === pulled ? undefined : `its SHA-256 is ${sha256}; when it was pulled it was ${pulled}`
}

function entryOf(weights: string | WeightsEntry): WeightsEntry {
  return typeof weights === 'string' ? weightsEntry(weights) : weights
}
