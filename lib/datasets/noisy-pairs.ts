// Noisy pictures beside clean ones, as PolyU, Nam and CC are published: `x_real.png` and `x_mean.png`.
import { basename, dirname, extname, join } from 'node:path'
import sharp from 'sharp'
import { ArgumentError } from '../native/errors'
import { listImages } from './image-list'
import { DataProblems, type SettleOptions } from './problems'

/** A noisy picture and the clean one of the same scene. */
export interface NoisyPair {
  readonly noisy: string
  readonly clean: string
  /** Name without suffix and number: crops of one scene share it. */
  readonly scene: string
}

export interface NoisyPairsOptions extends SettleOptions {
  /** Ends the names of noisy pictures, before the extension; `_real` unless stated. */
  readonly noisySuffix?: string | undefined
  /** Ends the names of clean ones; `_mean` unless stated. */
  readonly cleanSuffix?: string | undefined
}

/**
 * Pairs of pictures below a folder, by their names.
 *
 * @throws ArgumentError when the folder cannot be read or holds no noisy picture
 * @throws FormatError naming pictures without a partner, of another size or unreadable, unless they are to be skipped
 */
export async function readNoisyPairs(
  root: string,
  { noisySuffix = '_real', cleanSuffix = '_mean', ...settle }: NoisyPairsOptions = {},
): Promise<NoisyPair[]> {
  const problems = new DataProblems(`readNoisyPairs: ${root}`)
  const paths = await listImages(root)
  const stem = (path: string) => join(dirname(path), basename(path, extname(path)))
  const byStem = new Map(paths.map((path) => [stem(path), path]))
  const noisy = paths.filter((path) => stem(path).endsWith(noisySuffix))
  if (noisy.length === 0) {
    throw new ArgumentError(`readNoisyPairs: no picture below ${root} is named …${noisySuffix}; say how they are named`)
  }
  const pairs: NoisyPair[] = []
  for (const path of noisy) {
    const name = stem(path).slice(0, -noisySuffix.length)
    const clean = byStem.get(`${name}${cleanSuffix}`)
    if (clean === undefined) {
      problems.add(path, `has no partner ${basename(name)}${cleanSuffix}`)
      continue
    }
    const a = await problems.try(path, () => sharp(path).metadata())
    const b = await problems.try(clean, () => sharp(clean).metadata())
    if (a === undefined || b === undefined) continue
    if (a.width === b.width && a.height === b.height) {
      pairs.push({ noisy: path, clean, scene: basename(name).replace(/_\d+$/, '') })
    } else problems.add(path, `is ${a.width} × ${a.height} pixels, and its partner ${b.width} × ${b.height}`)
  }
  problems.settle(noisy.length, settle)
  return pairs
}
