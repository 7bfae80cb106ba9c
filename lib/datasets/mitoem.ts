// The layouts of MitoEM (Wei et al., MICCAI 2020) and of EPFL's hippocampus, which the paper calls Lucchi.
import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, extname, join } from 'node:path'
import { ArgumentError } from '../native/errors'
import { connectedComponents } from '../ops'
import { type Tensor, tidy } from '../tensor'
import { listImages } from './image-list'
import { openVolume } from './open-volume'
import { DataProblems, type SettleOptions } from './problems'
import { sliceVolume } from './slice-volume'
import { tensorVolume, type VolumeSource } from './volume-source'

/** A volume and the numbers of its objects. */
export interface LabelledVolume {
  readonly name: string
  readonly image: VolumeSource
  readonly labels: VolumeSource
}

export type VolumePart = 'train' | 'val'

/**
 * The volumes of a part:
 * - MitoEM: `im/im0000.png` …, and labels of slices of the same numbers in `mito_train` and `mito_val`;
 * - Lucchi: `training.tif`, `training_groundtruth.tif`, `testing.tif` and `testing_groundtruth.tif`, masks whose components
 *   are the objects;
 * - one's own: `train` and `val` with `NAME.npz` (arrays `volume` and `labels`), or with `NAME` and `NAME.labels`, each a
 *   folder of slices, a `.tif`, or the `.json` of a volume in tiles.
 *
 * @throws ArgumentError for a folder in no such layout; FormatError naming slices without a partner and volumes whose
 *   labels are of another size, unless they are to be skipped
 */
export async function readLabelledVolumes(
  root: string,
  part: VolumePart,
  settle: SettleOptions = {},
): Promise<LabelledVolume[]> {
  if (existsSync(join(root, 'im'))) return [await mitoEm(root, part, settle)]
  if (existsSync(join(root, 'training.tif'))) return [await lucchi(root, part)]
  if (existsSync(join(root, part))) return ownVolumes(join(root, part), settle)
  throw new ArgumentError(
    `readLabelledVolumes: ${root} is in no layout that is read: MitoEM (im, mito_train, mito_val), Lucchi (training.tif …), or ${part} with NAME.npz or NAME and NAME.labels`,
  )
}

/** Whether a data set has a part. */
export function hasLabelledVolumes(root: string, part: VolumePart): boolean {
  const own = part === 'train' ? ['mito_train', 'training.tif', 'train'] : ['mito_val', 'testing.tif', 'val']
  return own.some((name) => existsSync(join(root, name)))
}

/** The number at the end of a slice's name. */
function numberOf(path: string): number {
  return Number(/(\d+)\D*$/.exec(basename(path, extname(path)))?.[1] ?? Number.NaN)
}

async function mitoEm(root: string, part: VolumePart, settle: SettleOptions): Promise<LabelledVolume> {
  const folder = join(root, part === 'train' ? 'mito_train' : 'mito_val')
  const images = new Map((await listImages(join(root, 'im'))).map((path) => [numberOf(path), path]))
  const problems = new DataProblems(`readLabelledVolumes: ${folder}`)
  const all = await listImages(folder)
  const pairs = all.flatMap((path) => {
    const image = images.get(numberOf(path))
    if (image !== undefined) return [[image, path] as const]
    problems.add(path, `there is no slice of its number in ${join(root, 'im')}`)
    return []
  })
  problems.settle(all.length, settle)
  return paired(folder, {
    image: await sliceVolume(pairs.map(([image]) => image)),
    labels: await sliceVolume(
      pairs.map(([, labels]) => labels),
      { labels: true },
    ),
  })
}

async function lucchi(root: string, part: VolumePart): Promise<LabelledVolume> {
  const name = part === 'train' ? 'training' : 'testing'
  const image = await sliceVolume(join(root, `${name}.tif`))
  const truth = await sliceVolume(join(root, `${name}_groundtruth.tif`), { labels: true })
  const mask = await truth.read([0, 0, 0], truth.shape)
  const labels = numbered(mask)
  mask.dispose()
  return paired(join(root, name), { image, labels: tensorVolume(labels, truth.name) })
}

/** Components of a mask; labels as they are. */
function numbered(values: Tensor): Tensor {
  return tidy(() => {
    const most = values.amax()
    const isMask = values.eq(0).logicalOr(values.eq(most)).all().item() === true
    return isMask ? connectedComponents(values.gt(0), { connectivity: 26 }).labels : values.clone()
  })
}

async function ownVolumes(folder: string, settle: SettleOptions): Promise<LabelledVolume[]> {
  const problems = new DataProblems(`readLabelledVolumes: ${folder}`)
  const volumes: LabelledVolume[] = []
  const names = readdirSync(folder).sort()
  const isLabels = (name: string) => /\.labels(\.\w+)?$/.test(name)
  const images = names.filter((name) => !isLabels(name) && !name.startsWith('.'))
  for (const name of images) {
    const path = join(folder, name)
    const volume = await problems.try(path, async () => {
      if (extname(name) === '.npz') {
        return paired(path, { image: await openVolume(path), labels: await openVolume(path, { labels: true }) })
      }
      const isFolder = statSync(path).isDirectory()
      const stem = isFolder ? path : path.slice(0, -extname(path).length)
      const labels = `${stem}.labels${isFolder ? '' : extname(path)}`
      if (!existsSync(labels)) throw new ArgumentError(`has no labels ${basename(labels)}`)
      return paired(path, { image: await openVolume(path), labels: await openVolume(labels, { labels: true }) })
    })
    if (volume !== undefined) volumes.push(volume)
  }
  problems.settle(images.length, settle)
  if (volumes.length === 0) throw new ArgumentError(`readLabelledVolumes: ${folder} holds no volumes`)
  return volumes
}

/** @throws ArgumentError when the two are not of one size */
function paired(name: string, { image, labels }: Omit<LabelledVolume, 'name'>): LabelledVolume {
  if (String(image.shape) === String(labels.shape)) return { name, image, labels }
  throw new ArgumentError(`${name} has ${image.shape.join(' × ')} voxels, its labels have ${labels.shape.join(' × ')}`)
}
