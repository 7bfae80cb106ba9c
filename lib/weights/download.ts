// One file over the network: resumed after a cut, checked, and given its name when it is whole.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, readFile, rename, rm, stat, statfs, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CancelledError, FormatError, LoadError, VisionNativeError } from '../native/errors'
import { withFileLock } from '../native/file-lock'
import { openFile, syncFile } from '../native/open-file'
import { systemReason } from '../native/system-reason'
import type { Progress } from '../tensor'
import { ConnectionError, type GetOptions, get, type Response } from './http'

export interface DownloadOptions {
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
  /** Called once when another process downloads the same file. */
  readonly onWait?: ((pid: number) => void) | undefined
  readonly env?: NodeJS.ProcessEnv | undefined
  /** Without a byte for so long, the connection is given up and another made; 30 seconds unless stated. */
  readonly timeoutMs?: number | undefined
  /** How often a download begins anew without having got any further; 5 unless stated. */
  readonly attempts?: number | undefined
  /** Downloads the file even when it is there. */
  readonly force?: boolean | undefined
  /** Before the second attempt; twice as long before each further one. Half a second unless stated. */
  readonly retryDelayMs?: number | undefined
}

/** What a file is to be: the whole SHA-256, its first digits, or nothing that is known. */
export interface Expected {
  readonly sha256?: string | undefined
  readonly sha256Prefix?: string | undefined
}

/** What arrived. */
export interface Downloaded {
  readonly sha256: string
  readonly bytes: number
  /** True when nothing had to be downloaded. */
  readonly alreadyThere?: boolean
}

/** What a partial file is part of; the server is asked to go on only if it still has the same. */
interface Part {
  readonly url: string
  readonly tag: string | undefined
  readonly total: number | undefined
  readonly sha256: string | undefined
}

/**
 * Downloads a file to a path. A part that an earlier call left is gone on with; the file takes its name in one step when
 * it is whole and its checksum is right. One process at a time downloads a file; others wait and take what it got.
 *
 * @throws LoadError when the server does not give it, or the folder cannot be written
 * @throws FormatError when it arrived whole but has another checksum
 * @throws CancelledError when `signal` is aborted; the part stays for the next call
 */
export async function download(
  url: string,
  path: string,
  expected: Expected = {},
  options: DownloadOptions = {},
): Promise<Downloaded> {
  const { signal, force = false } = options
  try {
    const there = () => (force ? undefined : intact(path, expected, signal))
    // Without the lock: a folder that many share may be read-only to those that fetch nothing.
    const early = await there()
    if (early !== undefined) return early
    await mkdir(dirname(path), { recursive: true })
    // Whoever held the lock before may have fetched it.
    const work = async () => (await there()) ?? fetchWhole(url, path, expected, options)
    return await withFileLock(`${path}.lock`, work, options)
  } catch (cause) {
    if (signal?.aborted) {
      throw new CancelledError(`the download of ${url} was cancelled; it goes on from here next time`, {
        cause: signal.reason,
      })
    }
    if (VisionNativeError.is(cause)) throw cause
    throw new LoadError(
      `${path} cannot be written: ${systemReason(cause)}. Set VISION_NATIVE_CACHE to another folder.`,
      {
        cause,
      },
    )
  }
}

/** The file as it is wanted, if it is there. */
async function intact(
  path: string,
  expected: Expected,
  signal: AbortSignal | undefined,
): Promise<Downloaded | undefined> {
  if ((await sizeOf(path)) === 0) return undefined
  const there = await checksum(path, signal)
  return mismatch(there.sha256, expected) === undefined ? { ...there, alreadyThere: true } : undefined
}

async function fetchWhole(
  url: string,
  path: string,
  expected: Expected,
  options: DownloadOptions,
): Promise<Downloaded> {
  const partial = `${path}.partial`
  const resumed = (await sizeOf(partial)) > 0
  const published = await fetchPartial(url, partial, options)
  const arrived = await checksum(partial, options.signal)
  const problem = mismatch(arrived.sha256, { ...expected, sha256: expected.sha256 ?? published })
  if (problem !== undefined) {
    await discard(partial)
    // What lay there before may have been at fault.
    if (resumed) return fetchWhole(url, path, expected, options)
    throw new FormatError(`${url}: ${problem}; it was changed on the way or on the server, and nothing was kept`)
  }
  await rename(partial, path)
  await rm(`${partial}.json`, { force: true })
  return arrived
}

/** Asks until the partial file is whole. @returns the SHA-256 that the server published, where it did */
async function fetchPartial(url: string, partial: string, options: DownloadOptions): Promise<string | undefined> {
  const { attempts = 5, retryDelayMs = 500, signal } = options
  for (let failures = 0; ; ) {
    const before = await sizeOf(partial)
    try {
      return await fetchOnce(url, partial, options)
    } catch (error) {
      signal?.throwIfAborted()
      if (!(error instanceof ConnectionError)) throw error
      failures = (await sizeOf(partial)) > before ? 1 : failures + 1
      if (failures >= attempts) {
        throw new LoadError(
          `${url}: ${error.message}; given up after ${attempts} attempts. Try again: it goes on from byte ${await sizeOf(partial)}.`,
          { cause: error },
        )
      }
      await sleep(retryDelayMs * 2 ** (failures - 1), undefined, { signal })
    }
  }
}

async function fetchOnce(url: string, partial: string, options: DownloadOptions): Promise<string | undefined> {
  const { timeoutMs = 30_000, signal, env } = options
  const have = await sizeOf(partial)
  const known = have > 0 ? await readPart(`${partial}.json`, url) : undefined
  const start = known === undefined ? 0 : have
  if (known !== undefined && known.total === have) return known.sha256
  const headers: Record<string, string> = {}
  if (start > 0) {
    headers.range = `bytes=${start}-`
    if (known?.tag !== undefined) headers['if-range'] = known.tag
  }
  const request: GetOptions = { headers, timeoutMs, signal, env }
  const response = await get(url, request)
  const offset = await acceptedOffset(url, partial, response, start)
  const total = totalOf(response, offset)
  await checkSpace(dirname(partial), (total ?? 0) - offset)
  const tag = strongTag(response) ?? response.headers['last-modified']
  const part: Part = { url, tag, total, sha256: response.publishedSha256 ?? known?.sha256 }
  await writeFile(`${partial}.json`, JSON.stringify(part))
  await receive(url, partial, response, offset, total, options)
  return part.sha256
}

/** Where the answer begins. @throws LoadError when it is no answer */
async function acceptedOffset(
  url: string,
  partial: string,
  { status, headers, body }: Response,
  start: number,
): Promise<number> {
  // A server that does not know Range, or has another file by now, sends all of it.
  if (status === 200) return 0
  if (status === 206) {
    const from = Number(/^bytes (\d+)-/.exec(headers['content-range'] ?? '')?.[1])
    if (from === start) return start
  }
  body.destroy()
  if (status === 416 || status === 206) {
    await discard(partial)
    throw new ConnectionError(`the server does not go on from byte ${start}`)
  }
  if (status === 408 || status === 429 || status >= 500)
    throw new ConnectionError(`the server answers with status ${status}`)
  const advice =
    status === 401 || status === 403 ? 'it may need an account, or a proxy that allows it' : 'it may have moved'
  throw new LoadError(`${url}: the server answers with status ${status}; ${advice}`)
}

function totalOf({ headers }: Response, offset: number): number | undefined {
  const length = headers['content-length']
  return length === undefined ? undefined : offset + Number(length)
}

/** Weak tags may belong to files with other bytes. */
function strongTag({ headers }: Response): string | undefined {
  return headers.etag?.startsWith('"') ? headers.etag : undefined
}

async function receive(
  url: string,
  partial: string,
  { body }: Response,
  offset: number,
  total: number | undefined,
  { onProgress, signal }: DownloadOptions,
): Promise<void> {
  await using file = await openFile(partial, offset > 0 ? 'r+' : 'w')
  let done = offset
  try {
    for await (const chunk of body) {
      // A part of what came must not be lost: the next attempt begins behind it.
      await file.write(chunk as Uint8Array, 0, (chunk as Uint8Array).length, done)
      done += (chunk as Uint8Array).length
      onProgress?.({ stage: 'download', done, total: total ?? 0 })
    }
  } catch (cause) {
    signal?.throwIfAborted()
    if (isDiskError(cause)) throw cause
    throw new ConnectionError(`the connection ended at byte ${done} of ${total ?? 'an unknown number'}`, { cause })
  }
  if (total !== undefined && done < total) throw new ConnectionError(`${url} ended at byte ${done} of ${total}`)
  await syncFile(file)
}

function isDiskError(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'EFBIG'].includes((error as NodeJS.ErrnoException).code ?? '')
}

async function checkSpace(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  if (bytes <= bavail * bsize) return
  const megabytes = (n: number) => `${Math.ceil(n / 1e6)} MB`
  throw new LoadError(
    `${folder} has ${megabytes(bavail * bsize)} free, the download needs ${megabytes(bytes)}; free some space, or set VISION_NATIVE_CACHE to a folder on a larger disk`,
  )
}

async function readPart(path: string, url: string): Promise<Part | undefined> {
  try {
    const part = JSON.parse(await readFile(path, 'utf8')) as Part
    return part.url === url ? part : undefined
  } catch {
    return undefined
  }
}

async function discard(partial: string): Promise<void> {
  await rm(partial, { force: true })
  await rm(`${partial}.json`, { force: true })
}

async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined)
  return found?.size ?? 0
}

/** SHA-256 and size of a file. */
export async function checksum(path: string, signal?: AbortSignal): Promise<Downloaded> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of createReadStream(path, { signal, highWaterMark: 2 ** 20 })) {
    hash.update(chunk as Uint8Array)
    bytes += (chunk as Uint8Array).length
  }
  return { sha256: hash.digest('hex'), bytes }
}

/** What is wrong with a checksum; undefined when nothing is, or nothing is known. */
export function mismatch(actual: string, { sha256, sha256Prefix }: Expected): string | undefined {
  const wanted = sha256 ?? sha256Prefix
  if (wanted === undefined || actual.startsWith(wanted.toLowerCase())) return undefined
  const published = sha256 === undefined ? `begins with ${wanted}` : `is ${wanted}`
  return `its SHA-256 is ${actual}, the published one ${published}`
}
