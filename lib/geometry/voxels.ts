// Points in cells of a grid with sides along the axes.
import { ArgumentError, ShapeError } from '../native/errors'
import { type Tensor, tensor, uniqueDim, zeros } from '../tensor'
import { tidy } from '../tensor/scope'
import { checkSizes } from './check'

export interface VoxelDownsampleOptions {
  /** Numbers that belong to the points, `[N, C]`, such as colours: their means come along. */
  readonly features?: Tensor | undefined
  /** A corner of the grid, D numbers; 0 unless given. */
  readonly origin?: readonly number[] | undefined
}

export interface VoxelDownsampled {
  /** `[V, D]`: the mean of the points of each cell, cells in lexical order. */
  readonly points: Tensor
  /** `[V, C]`. */
  readonly features: Tensor | undefined
  /** How many points, int64 `[V]`. */
  readonly counts: Tensor<'int64'>
  /** The cell's numbers along the axes, int64 `[V, D]`. */
  readonly cells: Tensor<'int64'>
  /** The row of each point's cell, int64 `[N]`. */
  readonly rowOf: Tensor<'int64'>
}

/**
 * One point for each cell that has any: the mean, to which gradients pass.
 *
 * @param points `[N, D]`
 * @param voxelSize the side of a cell, in the unit of the points
 */
export function voxelDownsample(
  points: Tensor,
  voxelSize: number,
  { features, origin }: VoxelDownsampleOptions = {},
): VoxelDownsampled {
  checkSizes('voxelDownsample', 'points', points, [-1, -1])
  if (!(voxelSize > 0)) throw new ArgumentError(`voxelDownsample: voxelSize is ${voxelSize}; it must be above 0`)
  const dims = points.size(1)
  if (origin !== undefined && origin.length !== dims) {
    throw new ArgumentError(`voxelDownsample: origin is [${origin}]; points [${points.shape}] need ${dims} numbers`)
  }
  if (features !== undefined) {
    checkSizes('voxelDownsample', 'features', features, [-1, -1])
    if (features.size(0) !== points.size(0)) {
      throw new ShapeError(`voxelDownsample: ${points.size(0)} points with ${features.size(0)} features`)
    }
  }
  return tidy(() => {
    const { device } = points
    const corner = tensor([...(origin ?? new Array<number>(dims).fill(0))], { dtype: 'float64', device })
    const places = points.detach().to('float64').sub(corner).div(voxelSize).floor()
    if (!places.isfinite().all().item()) {
      throw new ArgumentError('voxelDownsample: a coordinate is not finite; take such points out before')
    }
    const found = uniqueDim(places.to('int64'), 0, { returnInverse: true, returnCounts: true })
    const [cells, rowOf, counts] = found as [Tensor<'int64'>, Tensor<'int64'>, Tensor<'int64'>]
    const meanOf = (values: Tensor) =>
      zeros([cells.size(0), values.size(1)], { dtype: values.dtype, device })
        .indexAdd(0, rowOf, values)
        .div(counts.to(values.dtype).unsqueeze(1))
    return {
      points: meanOf(points),
      features: features && meanOf(features),
      ...{ counts, cells, rowOf },
    }
  })
}

export interface VoxelizeOptions {
  /** The least and the largest corner of the grid. */
  readonly min: readonly number[]
  readonly max: readonly number[]
  /** Cells along each axis. */
  readonly size: readonly number[]
}

/**
 * How many points lie in each cell of a box; a point on the largest side belongs to the last cell, one outside to none.
 *
 * @param points `[N, D]`
 * @returns int64 of `size`
 */
export function voxelize(points: Tensor, { min, max, size }: VoxelizeOptions): Tensor<'int64'> {
  checkSizes('voxelize', 'points', points, [-1, -1])
  const dims = points.size(1)
  const fits = [min, max, size].every((list) => list.length === dims)
  const right = size.every((count, axis) => {
    return Number.isSafeInteger(count) && count > 0 && (max[axis] ?? 0) > (min[axis] ?? 0)
  })
  if (!fits || !right) {
    throw new ArgumentError(
      `voxelize: min [${min}], max [${max}], size [${size}]; points [${points.shape}] need ${dims} numbers each, max above min, size from 1`,
    )
  }
  return tidy(() => {
    const options = { dtype: 'float64', device: points.device } as const
    const [low, high, counts] = [min, max, size].map((list) => tensor([...list], options)) as [Tensor, Tensor, Tensor]
    const values = points.detach().to('float64')
    const inside = values.ge(low).logicalAnd(values.le(high)).all(1)
    const kept = values.at(inside as Tensor<'bool'>)
    const cells = kept.sub(low).div(high.sub(low)).mul(counts).floor().minimum(counts.sub(1)).to('int64')
    const strides = size.map((_, axis) => size.slice(axis + 1).reduce((product, count) => product * count, 1))
    const flat = cells.mul(tensor(strides, { dtype: 'int64', device: points.device })).sum({ dim: [1] })
    const total = size.reduce((product, count) => product * count, 1)
    return flat.bincount({ minlength: total }).reshape([...size]) as Tensor<'int64'>
  })
}
