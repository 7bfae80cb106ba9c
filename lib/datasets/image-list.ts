// Pictures of a folder, and pairs of pictures of two folders.
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { extname, join } from 'node:path'
import sharp from 'sharp'
import { ArgumentError, throwIfCancelled } from '../native/errors'
import { systemReason } from '../native/system-reason'
import { DataProblems, type SettleOptions } from './problems'

/** Endings of the files that are pictures, in small letters. */
export const IMAGE_EXTENSIONS: readonly string[] = ['.jpg', '.jpeg', '.png', '.webp', '.avif', '.tif', '.tiff', '.gif']

/**
 * Paths of the pictures below a folder, at any depth, in alphabetical order.
 *
 * @throws ArgumentError when the folder cannot be read or holds none
 */
export async function listImages(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch((cause: unknown) => {
    throw new ArgumentError(`listImages: cannot list ${root}: ${systemReason(cause)}`, { cause })
  })
  const paths = entries
    .filter((entry) => entry.isFile() && IMAGE_EXTENSIONS.includes(extname(entry.name).toLowerCase()))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
  if (paths.length === 0) {
    throw new ArgumentError(`listImages: ${root} holds no pictures; they end in ${IMAGE_EXTENSIONS.join(', ')}`)
  }
  return paths
}

export interface UsableOptions extends SettleOptions {
  /** The data set, for messages. */
  readonly what: string
  /** Pixels of the shorter side. */
  readonly least?: number | undefined
  /** Where those that are not usable are noted, for the caller to settle with others; settled here unless given. */
  readonly problems?: DataProblems | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * The pictures that can be opened and have at least `least` pixels a side; headers are read, pixels are not.
 *
 * @throws FormatError naming those that are not, unless they are to be skipped
 */
export async function usableImages(
  paths: readonly string[],
  { what, least = 1, problems: given, signal, ...settle }: UsableOptions,
): Promise<string[]> {
  const problems = given ?? new DataProblems(what)
  const usable: string[] = []
  for (const path of paths) {
    throwIfCancelled(signal, 'usableImages')
    const header = await problems.try(path, () => sharp(path).metadata())
    if (header === undefined) continue
    const { width = 0, height = 0 } = header
    if (Math.min(width, height) >= least) usable.push(path)
    else problems.add(path, `${width} × ${height} pixels; the least side is ${least}`)
  }
  if (given === undefined) problems.settle(paths.length, settle)
  return usable
}

/** A picture and what it should be. */
export interface ImagePair {
  readonly input: string
  readonly target: string
}

/**
 * Pairs of pictures of equal names in two folders of `root`, such as LOL's `low` and `high`.
 *
 * @throws ArgumentError when a folder cannot be read; FormatError naming pictures without a partner or of another size,
 *   unless they are to be skipped
 */
export async function readImagePairs(
  root: string,
  { input, target, ...settle }: { readonly input: string; readonly target: string } & SettleOptions,
): Promise<ImagePair[]> {
  const problems = new DataProblems(`readImagePairs: ${root}`)
  const paths = await listImages(join(root, input))
  const pairs: ImagePair[] = []
  for (const path of paths) {
    const partner = join(root, target, path.slice(join(root, input).length + 1))
    if (!existsSync(partner)) problems.add(path, `has no partner ${partner}`)
    else {
      const [a, b] = [
        await problems.try(path, () => sharp(path).metadata()),
        await problems.try(partner, () => sharp(partner).metadata()),
      ]
      if (a === undefined || b === undefined) continue
      if (a.width === b.width && a.height === b.height) pairs.push({ input: path, target: partner })
      else problems.add(path, `is ${a.width} × ${a.height} pixels, and its partner ${b.width} × ${b.height}`)
    }
  }
  problems.settle(paths.length, settle)
  return pairs
}
