// What the sizes and lengths of objects say of a tissue, and what people need to proofread them.
import { type Isosurface, isosurface } from '../../../geometry'
import { ArgumentError } from '../../../native/errors'
import { labelStatistics } from '../../../ops'
import { type Tensor, tensor, tidy } from '../../../tensor'
import { skeletonize3d } from '../../../vision'
import { numbersOf } from './numbers'

/** Size of a voxel of MitoEM in nanometres. */
const VOXEL_NM = [30, 8, 8] as const

/** An object and where it lies. */
export interface ObjectSize {
  readonly label: number
  readonly voxels: number
  /** First places and those behind the last, z, y, x. */
  readonly box: readonly number[]
}

/** The objects of a volume, the largest first: the order in which the paper's experts looked at them. */
export function rankBySize(labels: Tensor): ObjectSize[] {
  return tidy(() => {
    const numbers = labels.to('int32')
    const most = labels.numel === 0 ? 0 : Number(numbers.amax().item())
    const { area, box } = labelStatistics(numbers, most, { dims: 3 })
    const [areas, boxes] = [numbersOf(area), numbersOf(box)]
    return areas
      .map((voxels, label) => ({ label, voxels, box: boxes.slice(6 * label, 6 * label + 6) }))
      .filter(({ label, voxels }) => label > 0 && voxels > 0)
      .sort((a, b) => b.voxels - a.voxels || a.label - b.label)
  })
}

/** The part of a volume that holds an object: 1 where it is. */
function cutOut(labels: Tensor, { label, box }: ObjectSize): Tensor {
  const part = [0, 1, 2].reduce(
    (x, axis) => x.narrow(axis, box[axis] ?? 0, (box[axis + 3] ?? 0) - (box[axis] ?? 0)),
    labels,
  )
  return part.eq(label)
}

/**
 * The surface of an object as triangles, in the units of the voxel size.
 *
 * @param voxelSize along z, y and x; MitoEM's, in nanometres, unless stated
 * @throws ArgumentError when there is no such object
 */
export function objectMesh(
  labels: Tensor,
  label: number,
  voxelSize: readonly [number, number, number] = VOXEL_NM,
): Isosurface {
  const object = rankBySize(labels).find((each) => each.label === label)
  if (object === undefined) throw new ArgumentError(`objectMesh: there is no object ${label}`)
  return tidy(() => {
    const { vertices, faces } = isosurface(cutOut(labels, object), { spacing: voxelSize })
    const [z = 0, y = 0, x = 0] = object.box.slice(0, 3).map((start, axis) => start * (voxelSize[axis] ?? 1))
    const moved = vertices.add(tensor([x, y, z]))
    return { vertices: moved as Isosurface['vertices'], faces }
  })
}

/** An object and how long it is. */
export interface ObjectLength extends ObjectSize {
  /** Voxels of its skeleton. */
  readonly length: number
}

/** A straight line through points, by least squares. */
export interface Line {
  readonly slope: number
  readonly intercept: number
  /** Share of the variance that it explains. */
  readonly r2: number
}

export interface TissueAnalysis {
  /** The largest first. */
  readonly objects: readonly ObjectLength[]
  /** Of an exponential distribution of sizes, a voxel: one over the mean. */
  readonly exponentialRate: number
  /** Voxels by length. */
  readonly volumeByLength: Line
}

/** Sizes and skeletons of all objects, and how the two go together. */
export function analyseObjects(labels: Tensor): TissueAnalysis {
  const objects = rankBySize(labels).map((object): ObjectLength => {
    const length = tidy(() => Number(skeletonize3d(cutOut(labels, object)).sum().item()))
    return { ...object, length }
  })
  const total = objects.reduce((sum, { voxels }) => sum + voxels, 0)
  return {
    objects,
    exponentialRate: objects.length / total,
    volumeByLength: fitLine(
      objects.map(({ length }) => length),
      objects.map(({ voxels }) => voxels),
    ),
  }
}

/** NaN where all points lie above one place. */
export function fitLine(xs: readonly number[], ys: readonly number[]): Line {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const [mx, my] = [mean(xs), mean(ys)]
  const product = (a: readonly number[], b: readonly number[], ma: number, mb: number) =>
    a.reduce((sum, value, i) => sum + (value - ma) * ((b[i] ?? 0) - mb), 0)
  const [xx, xy, yy] = [product(xs, xs, mx, mx), product(xs, ys, mx, my), product(ys, ys, my, my)]
  const slope = xy / xx
  return { slope, intercept: my - slope * mx, r2: yy === 0 ? 1 : xy ** 2 / (xx * yy) }
}

/** Of each length, the object nearest to it and to the line of volume by length, for the paper's row of examples. */
export function typicalObjects(
  { objects, volumeByLength }: TissueAnalysis,
  lengths: readonly number[],
): ObjectLength[] {
  const { slope, intercept } = volumeByLength
  const spread = (values: readonly number[]) => Math.max(1, Math.max(...values) - Math.min(...values))
  const [wide, high] = [spread(objects.map(({ length }) => length)), spread(objects.map(({ voxels }) => voxels))]
  return lengths.flatMap((length) => {
    const distance = (object: ObjectLength) =>
      Math.hypot((object.length - length) / wide, (object.voxels - (slope * object.length + intercept)) / high)
    const [nearest] = [...objects].sort((a, b) => distance(a) - distance(b))
    return nearest === undefined ? [] : [nearest]
  })
}
