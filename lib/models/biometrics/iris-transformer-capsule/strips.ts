// The strips of a data set: made once, kept as bytes, and in the folder of a run as pictures.
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DataProblems, type IrisImage, readIrisImages } from '../../../datasets'
import { readImage, writeImage } from '../../../io'
import { ArgumentError, ConfigError } from '../../../native/errors'
import { type DataOptions, SYNTHETIC, throwIfCancelled } from '../../../pipeline'
import { type Tensor, tensor, tidyAsync } from '../../../tensor'
import type { Config } from './config'
import { IrisNormaliser } from './normalise'
import { divideEyes, type Eye, eyesOf, type IrisParts, type IrisSample } from './protocol'
import { type SyntheticImage, syntheticStrip } from './synthetic'

/** What a strip is made of. */
export type StripSource = IrisImage | SyntheticImage

/** Subjects of PolyU that the paper takes. */
const POLYU_SUBJECTS = 140
/** Made-up eyes of the test are numbered from here. */
const TEST_IDENTITIES = 100_000

/** The eyes of a data set, divided as the config says. */
export async function irisParts(request: DataOptions & { readonly config: Config }): Promise<IrisParts<StripSource>> {
  const { data, config, skipBroken, note } = request
  if (data === SYNTHETIC) return syntheticParts(config)
  const images = await readIrisImages(data, { skipBroken, note })
  const { protocol, testShare, subjects = protocol === 'polyu' ? POLYU_SUBJECTS : undefined } = config.data
  const domains = domainsOf(images, config.data.domains)
  const first = new Set([...new Set(images.map(({ subject }) => subject))].sort(bySubject).slice(0, subjects))
  const samples = images.flatMap((image): IrisSample<StripSource>[] => {
    const domain = domains.indexOf(image.domain)
    if (!first.has(image.subject) || domain < 0) return []
    return [
      { eye: `${image.subject} ${image.eye}`, domain: domain === 0 ? 0 : 1, instance: image.instance, source: image },
    ]
  })
  return divideEyes(eyesOf(samples), { protocol, testShare, seed: config.training.seed })
}

/** Numbers in their order, names in theirs. */
function bySubject(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}

function domainsOf(images: readonly IrisImage[], stated: readonly [string, string] | undefined): readonly string[] {
  const there = [...new Set(images.map(({ domain }) => domain))]
  const list = there.join(', ')
  if (stated !== undefined) {
    const missing = stated.filter((name) => !there.includes(name))
    if (missing.length === 0) return stated
    throw new ConfigError(`iris-transformer-capsule: data.domains names ${missing.join(' and ')}; the data has ${list}`)
  }
  if (there.length !== 2) {
    throw new ConfigError(
      `iris-transformer-capsule: the data has the domains ${list}; two are compared. Say which: data.domains=["VIS","NIR"]`,
    )
  }
  const visible = there.find((name) => name.toUpperCase() === 'VIS')
  return visible === undefined ? there : [visible, ...there.filter((name) => name !== visible)]
}

function syntheticParts(config: Config): IrisParts<StripSource> {
  const { identities, testIdentities, instances } = config.synthetic
  const eyes = (from: number, count: number): Eye<StripSource>[] =>
    eyesOf(
      Array.from({ length: count }, (_, i) => from + i).flatMap((identity) =>
        ([0, 1] as const).flatMap((domain) =>
          Array.from({ length: instances }, (_, instance) => ({
            ...{ eye: `${identity}`, domain, instance },
            source: { identity, domain, instance },
          })),
        ),
      ),
    )
  return { train: eyes(0, identities), validation: [], test: eyes(TEST_IDENTITIES, testIdentities) }
}

export interface StripOptions extends Pick<DataOptions, 'signal' | 'skipBroken' | 'note'> {
  readonly config: Config
  /** Where strips are kept as pictures; nowhere unless stated. */
  readonly folder?: string | undefined
  readonly onProgress?:
    | ((progress: { readonly stage: string; readonly done: number; readonly total: number }) => void)
    | undefined
}

/** Strips in memory, a byte a pixel. */
export class Strips {
  private constructor(
    readonly height: number,
    readonly width: number,
    private readonly bytes: ReadonlyMap<StripSource, Uint8Array>,
  ) {}

  /**
   * Makes the strips of images, or reads those that the folder has.
   *
   * @throws FormatError naming pictures in which no iris is found, unless they are to be skipped; CancelledError
   */
  static async of(sources: readonly StripSource[], options: StripOptions): Promise<Strips> {
    const { config, folder, signal, onProgress } = options
    const { height, width } = config.normalisation
    const problems = new DataProblems('irises')
    using normaliser = new IrisNormaliser(config)
    const bytes = new Map<StripSource, Uint8Array>()
    if (folder !== undefined) await mkdir(folder, { recursive: true })
    for (const [index, source] of sources.entries()) {
      // Made-up strips take no time.
      if ('path' in source) throwIfCancelled(signal, 'iris-transformer-capsule')
      await tidyAsync(async () => {
        const strip = await ('path' in source
          ? problems.try(source.path, () => stripOf(source, normaliser, folder, signal))
          : normaliser.finish(syntheticStrip(source, config.normalisation, config.synthetic, config.training.seed)))
        if (strip !== undefined) bytes.set(source, (await strip.data()) as Uint8Array)
      })
      onProgress?.({ stage: 'strips', done: index + 1, total: sources.length })
    }
    problems.settle(sources.length, options)
    return new Strips(height, width, bytes)
  }

  has(source: StripSource): boolean {
    return this.bytes.has(source)
  }

  /** `[H, W]` uint8. */
  get(source: StripSource): Tensor<'uint8'> {
    const bytes = this.bytes.get(source)
    if (bytes === undefined) throw new ArgumentError('Strips.get: there is no strip of this image')
    return tensor(bytes, { shape: [this.height, this.width] }) as Tensor<'uint8'>
  }
}

async function stripOf(
  image: IrisImage,
  normaliser: IrisNormaliser,
  folder: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Tensor<'uint8'>> {
  const name = `${[image.subject, image.eye, image.domain, image.instance].join('-').replace(/[^\w.-]+/g, '_')}.png`
  const path = folder === undefined ? undefined : join(folder, name)
  if (path !== undefined && existsSync(path))
    return (await readImage(path, { mode: 'grey' })).squeeze(0) as Tensor<'uint8'>
  const { strip } = await normaliser.run(await readImage(image.path, { dtype: 'float32' }), { signal })
  if (path !== undefined) await writeImage(strip, path)
  return strip
}

/** The images of eyes that have a strip; eyes that lose all of a domain are left out. */
export function withStrips(eyes: readonly Eye<StripSource>[], strips: Strips): Eye<StripSource>[] {
  const kept = (images: readonly IrisSample<StripSource>[]) => images.filter(({ source }) => strips.has(source))
  return eyes
    .map(({ name, images: [a, b] }): Eye<StripSource> => ({ name, images: [kept(a), kept(b)] }))
    .filter(({ images: [a, b] }) => a.length > 0 && b.length > 0)
}

/** What the strips of eyes are made of. */
export function sourcesOf(eyes: readonly Eye<StripSource>[]): StripSource[] {
  return eyes.flatMap(({ images }) => images.flatMap((own) => own.map(({ source }) => source)))
}
