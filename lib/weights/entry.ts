// Published weights by name.
import { ArgumentError } from '../native/errors'
import { nearestNames } from '../native/nearest'
import { OTHER_WEIGHTS } from './table-others'
import { TORCHVISION_FILES, TORCHVISION_FOLDER } from './table-torchvision'

/** One file of published weights. */
export interface WeightsEntry {
  /** The network's name and what it was trained on, such as `resnet50.imagenet1k_v2`. */
  readonly name: string
  /** The network's name in the registry of `@lab/vision-native/backbones`. */
  readonly network: string
  readonly task: string
  readonly url: string
  /** What the file is called in the cache and in a mirror. */
  readonly file: string
  /** SHA-256 in hexadecimal digits, where its publisher tells it; */
  readonly sha256?: string
  /** its first digits, where these are told: those in the names of torchvision's files. */
  readonly sha256Prefix?: string
  /** SPDX identifier of what the publisher says of the file or the project that it belongs to, or `unknown`. */
  readonly licence: string
  /** Whose names the tensors have: `torchvision`, `timm`, `transformers`, … */
  readonly layout: string
}

type Files = typeof TORCHVISION_FILES

/** Names of the table. */
export type WeightsName = { [Task in keyof Files]: keyof Files[Task] }[keyof Files] | keyof typeof OTHER_WEIGHTS

function* entries(): Generator<WeightsEntry> {
  for (const [task, files] of Object.entries(TORCHVISION_FILES)) {
    for (const [name, file] of Object.entries(files as Readonly<Record<string, string>>)) {
      const sha256Prefix = /-([0-9a-f]{8,})\.pth$/.exec(file)?.[1]
      yield {
        ...{ name, network: networkOf(name), task, url: TORCHVISION_FOLDER + file, file },
        ...(sha256Prefix !== undefined && { sha256Prefix }),
        ...{ licence: 'BSD-3-Clause', layout: 'torchvision' },
      }
    }
  }
  for (const [name, row] of Object.entries(OTHER_WEIGHTS)) {
    yield { name, network: networkOf(name), file: fileOf(name, row.url), ...row }
  }
}

function networkOf(name: string): string {
  return name.slice(0, name.lastIndexOf('.'))
}

/** Many files of huggingface.co have the same name. */
function fileOf(name: string, url: string): string {
  const file = new URL(url).pathname.split('/').at(-1) ?? ''
  return url.startsWith('https://huggingface.co/') ? name + file.slice(file.lastIndexOf('.')) : file
}

const TABLE: ReadonlyMap<string, WeightsEntry> = new Map([...entries()].map((entry) => [entry.name, entry]))

/** All published weights that are known. */
export function weightsEntries(): WeightsEntry[] {
  return [...TABLE.values()]
}

/**
 * What is known of published weights.
 *
 * @param name a name of the table, or a network's, which stands for the weights its publisher takes by default
 * @throws ArgumentError when there are none of that name; it tells the nearest ones
 */
export function weightsEntry(name: string): WeightsEntry {
  const entry = TABLE.get(name) ?? defaultOf(name)
  if (entry !== undefined) return entry
  throw new ArgumentError(
    `there are no weights '${name}'; the nearest names are ${nearestNames(name, [...TABLE.keys()]).join(', ')}`,
  )
}

/** The weights that a network's publisher takes by default: the last ones of the table; undefined where there are none. */
export function defaultOf(network: string): WeightsEntry | undefined {
  return weightsEntries().findLast((entry) => entry.network === network)
}
