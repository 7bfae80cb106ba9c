// THUMOS14 as it was released with W-TALC (Paul et al., ECCV 2018): arrays of Python objects.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readNpyObjects } from '../io'
import { ArgumentError, FormatError } from '../native/errors'
import { systemReason } from '../native/system-reason'
import { dispose, isTensor, type Tensor } from '../tensor'
import { type ActionPart, type ActionSegment, type WrittenFeatures, writeActionFeatures } from './action-features'

const FEATURES = /^(.+)-I3D-JOINTFeatures\.npy$/

/**
 * Writes `NAME-I3D-JOINTFeatures.npy` and `NAME-Annotations/{videoname,subset,labels_all,segments}.npy` as
 * `readActionFeatures` reads it: validation videos are for training. All features are held in memory at once.
 *
 * @param source the folder of the two
 * @returns how many videos of each part were written
 * @throws ArgumentError when the files are not there; FormatError when their arrays do not fit together
 */
export async function convertReducedFeatures(
  source: string,
  target: string,
): Promise<Readonly<Record<ActionPart, number>>> {
  const names = await readdir(source).catch((cause: unknown) => {
    throw new ArgumentError(`convertReducedFeatures: cannot list ${source}: ${systemReason(cause)}`, { cause })
  })
  const file = names.find((name) => FEATURES.test(name))
  if (file === undefined) throw new ArgumentError(`convertReducedFeatures: ${source} has no *-I3D-JOINTFeatures.npy`)
  const annotations = join(source, `${FEATURES.exec(file)?.[1]}-Annotations`)
  const list = async (name: string) => (await readNpyObjects(join(annotations, `${name}.npy`))).items
  const [videos, subsets, labels, segments] = await Promise.all(
    ['videoname', 'subset', 'labels_all', 'segments'].map(list),
  )
  const { items: features } = await readNpyObjects(join(source, file))
  const lengths = [videos, subsets, labels, segments, features].map((each) => each?.length ?? 0)
  if (new Set(lengths).size > 1) {
    throw new FormatError(
      `convertReducedFeatures: ${source} has ${lengths.join(', ')} names, subsets, labels, segments and features; they must be as many`,
    )
  }
  const written = { train: 0, test: 0 }
  async function* rows(): AsyncGenerator<WrittenFeatures & { readonly part: ActionPart }> {
    for (const [i, name] of (videos ?? []).entries()) {
      const x = features[i]
      if (typeof name !== 'string' || !isTensor(x)) {
        throw new FormatError(`convertReducedFeatures: video ${i} of ${source} is no name with an array of features`)
      }
      const part = subsets?.[i] === 'test' ? 'test' : 'train'
      yield { name, part, features: (x as Tensor).to('float32'), actions: actionsOf(name, labels?.[i], segments?.[i]) }
      written[part] += 1
    }
  }
  try {
    await writeActionFeatures(target, rows())
  } finally {
    for (const each of features) if (isTensor(each)) dispose(each as Tensor)
  }
  return written
}

function actionsOf(name: string, labels: unknown, segments: unknown): readonly ActionSegment[] {
  const [words, times] = [listOf(labels), listOf(segments)]
  if (words.length !== times.length) {
    throw new FormatError(`convertReducedFeatures: ${name} has ${words.length} labels and ${times.length} segments`)
  }
  return words.map((label, i) => {
    const [start, end] = listOf(times[i]).map(Number)
    if (typeof label === 'string' && start !== undefined && end !== undefined && start <= end) {
      return { label, segment: [start, end] }
    }
    throw new FormatError(`convertReducedFeatures: action ${i} of ${name} is ${String(label)} at [${start}, ${end}]`)
  })
}

/** A list, or the elements of an array of numbers. */
function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  return isTensor(value) ? ((value as Tensor).toArray() as unknown[]) : []
}
