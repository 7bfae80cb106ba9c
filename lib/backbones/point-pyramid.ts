// Clouds of points at several resolutions, with who is near to whom, as kernel point convolutions read them.
import { voxelDownsample } from '../geometry'
import { ArgumentError, ShapeError } from '../native/errors'
import { wholeNumber } from '../nn/options'
import { knn } from '../ops'
import { cat, type Tensor, tidy, where, zeros } from '../tensor'

/** Clouds one after the other, level by level; numbers of points are of the level's clouds together. */
export interface PointPyramid {
  /** `[N_l, 3]` of each level, the finest first. */
  readonly points: readonly Tensor[]
  /** Around the points of each level, those of the same level: int64 `[N_l, K]`, N_l where there are fewer. */
  readonly neighbours: readonly Tensor[]
  /** Around the points of the next level, those of each level: int64 `[N_(l+1), K]`, N_l where there are fewer. */
  readonly pools: readonly Tensor[]
  /** For the points of each level, the nearest of the next level: int64 `[N_l, 1]`. */
  readonly upsamples: readonly Tensor[]
  /** How many points each cloud has on each level. */
  readonly lengths: readonly (readonly number[])[]
}

export interface PointPyramidOptions {
  /** Side of the cells that the finest level was made with, in the unit of the points; doubled from level to level. */
  readonly cell: number
  /** Default 5. */
  readonly levels?: number
  /** In cells; a number for each level, or one for all. Default 2.5; 6 where convolutions are deformable. */
  readonly radius?: number | readonly number[]
  /** The nearest ones in the ball, at most so many. Default 40. */
  readonly maxNeighbours?: number
}

/**
 * Clouds, and the means of their points in ever larger cells (Thomas et al., ICCV 2019, Sec. 3.3).
 *
 * @param clouds `[N, 3]` each; make them with `voxelDownsample` of the first cell, so that they are no denser
 */
export function pointPyramid(
  clouds: readonly Tensor[],
  { cell, levels = 5, radius = 2.5, maxNeighbours = 40 }: PointPyramidOptions,
): PointPyramid {
  wholeNumber('pointPyramid: levels', levels)
  wholeNumber('pointPyramid: maxNeighbours', maxNeighbours)
  if (!(cell > 0)) throw new ArgumentError(`pointPyramid: cell is ${cell}; it must be above 0`)
  for (const cloud of clouds) {
    if (cloud.ndim === 2 && cloud.size(0) > 0 && cloud.size(1) === 3) continue
    throw new ShapeError(`pointPyramid: a cloud is [${cloud.shape.join(', ')}]; it must be [N, 3] with points in it`)
  }
  return tidy(() => {
    const byLevel: (readonly Tensor[])[] = [clouds]
    for (let level = 1; level < levels; level++) {
      const size = cell * 2 ** level
      byLevel.push((byLevel[level - 1] ?? []).map((cloud) => voxelDownsample(cloud, size).points))
    }
    const reach = (level: number) => cell * 2 ** level * (typeof radius === 'number' ? radius : (radius[level] ?? 2.5))
    const finer = byLevel.slice(0, -1)
    const next = (level: number) => byLevel[level + 1] ?? []
    return {
      points: byLevel.map((each) => cat(each)),
      neighbours: byLevel.map((each, level) => nearestIn(each, each, maxNeighbours, reach(level))),
      pools: finer.map((each, level) => nearestIn(next(level), each, maxNeighbours, reach(level))),
      upsamples: finer.map((each, level) => nearestIn(each, next(level), 1, Number.POSITIVE_INFINITY)),
      lengths: byLevel.map((each) => each.map((cloud) => cloud.size(0))),
    }
  })
}

/** Numbers of the nearest supports of the query's own cloud, nearest first; their count where there are fewer in reach. */
function nearestIn(queries: readonly Tensor[], supports: readonly Tensor[], count: number, radius: number): Tensor {
  const total = supports.reduce((sum, cloud) => sum + cloud.size(0), 0)
  let before = 0
  // Always as many columns: the largest of features counts one that is not there, in every batch alike.
  const rows = queries.map((query, i) => {
    const support = supports[i] as Tensor
    const found = knn(query.unsqueeze(0), support.unsqueeze(0), Math.min(count, support.size(0)))
    const near = found.distances.squeeze(0).lt(radius ** 2)
    const numbered = where(near, found.indices.squeeze(0).add(before), total)
    before += support.size(0)
    const absent = zeros([query.size(0), count - numbered.size(1)], { dtype: 'int64', device: query.device }).add(total)
    return cat([numbered, absent], { dim: 1 })
  })
  return cat(rows)
}

/**
 * Values of points `[N, C]` by their numbers `[M, K]`: `[M, K, C]`.
 *
 * @param absent what stands for a point that is not there, whose number is N
 */
export function gatherNeighbours(values: Tensor, indices: Tensor, absent = 0): Tensor {
  const last = zeros([1, values.size(1)], { dtype: values.dtype, device: values.device }).add(absent)
  const rows = cat([values, last]).indexSelect(0, indices.flatten())
  return rows.view([...indices.shape, values.size(1)])
}
