// Changes of a sample that move its objects: numbers are taken from the nearest voxel.
import { functional as F } from '../../../nn'
import { cat, rand, stack, type Tensor, tensor } from '../../../tensor'
import { gaussianFilter } from '../../../vision'
import type { Draws, EmSample } from './augment'

/** Samples all slices, or each by itself, at places `[1 | D, H, W, 2]` (x, y) in −1 … 1; the border mirrors. */
function resample({ image, labels }: EmSample, grid: Tensor): EmSample {
  const perSlice = grid.size(0) > 1
  const dim = perSlice ? 1 : 0
  const at = (x: Tensor, mode: 'bilinear' | 'nearest') =>
    F.gridSample(x.to('float32').unsqueeze(dim), grid, {
      mode,
      paddingMode: 'reflection',
      alignCorners: false,
    }).squeeze(dim)
  return { image: at(image, 'bilinear'), labels: at(labels, 'nearest').to(labels.dtype) }
}

/** Places of a linear map of the slice around its middle; rows of `matrix` are those of x and y, in voxels. */
function linearGrid({ image }: EmSample, matrix: readonly (readonly [number, number])[]): Tensor {
  const [, height = 1, width = 1] = image.shape
  const [[a = 1, b = 0] = [], [c = 0, d = 1] = []] = matrix
  const theta = tensor([a, (b * height) / width, 0, (c * width) / height, d, 0], { dtype: 'float32', shape: [1, 2, 3] })
  return F.affineGrid(theta, [1, 1, height, width], { alignCorners: false })
}

/** A turn of all slices by any angle. */
export function rotate(sample: EmSample, draws: Draws): EmSample {
  const angle = 2 * Math.PI * draws.uniform()
  return resample(sample, turn(sample, angle))
}

function turn(sample: EmSample, angle: number): Tensor {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  return linearGrid(sample, [
    [cos, -sin],
    [sin, cos],
  ])
}

/** Rows and columns 0.8 to 1.2 times as large, each by its own factor. */
export function rescale(sample: EmSample, draws: Draws): EmSample {
  const [x, y] = [0.8 + 0.4 * draws.uniform(), 0.8 + 0.4 * draws.uniform()]
  return resample(
    sample,
    linearGrid(sample, [
      [1 / x, 0],
      [0, 1 / y],
    ]),
  )
}

const FIELD_SIGMA = 4
const FIELD_REACH = 16

/** A smooth random field moves all slices alike. */
export function elastic(sample: EmSample, { generator }: Draws): EmSample {
  const [, height = 1, width = 1] = sample.image.shape
  const white = rand([2, height, width], { generator }).mul(2).sub(1)
  const field = gaussianFilter(white, { sigma: FIELD_SIGMA, edge: 'replicate' }).mul(FIELD_REACH)
  const still = linearGrid(sample, [
    [1, 0],
    [0, 1],
  ])
  const moved = stack([field.select(0, 0).mul(2 / width), field.select(0, 1).mul(2 / height)], { dim: -1 })
  return resample(sample, still.add(moved.unsqueeze(0)))
}

/**
 * One slice, or all from it on, lie elsewhere: moved by up to twice `reach` voxels, or turned so that the middle of a side
 * moves as far. What lies beyond is cut off alike.
 */
export function slip(sample: EmSample, reach: number, draws: Draws): EmSample {
  const [depth = 1, height = 1, width = 1] = sample.image.shape
  const at = draws.below(depth)
  const [alone, turned] = [draws.uniform() < 0.5, draws.uniform() < 0.5]
  const slips = (z: number) => (alone ? z === at : z >= at)
  if (turned) {
    const most = Math.atan((2 * reach) / Math.max(height, width))
    const grid = turn(sample, most * (2 * draws.uniform() - 1))
    const still = turn(sample, 0)
    return resample(sample, cat(Array.from({ length: depth }, (_, z) => (slips(z) ? grid : still))))
  }
  const place = () => [draws.below(2 * reach + 1), draws.below(2 * reach + 1)] as const
  const [before, behind] = [place(), place()]
  const cut = (x: Tensor) =>
    stack(
      x.unbind({ dim: 0 }).map((slice, z) => {
        const [top, left] = slips(z) ? behind : before
        return slice.narrow(0, top, height - 2 * reach).narrow(1, left, width - 2 * reach)
      }),
    )
  return { image: cut(sample.image), labels: cut(sample.labels) }
}

/** Leaves out slices other than the first and the last, as far as there are that many. */
export function dropSlices(sample: EmSample, count: number, draws: Draws): EmSample {
  const depth = sample.image.size(0)
  if (depth < count + 2) return sample
  const kept = Array.from({ length: depth }, (_, z) => z)
  for (let i = 0; i < count; i++) kept.splice(1 + draws.below(kept.length - 2), 1)
  const places = tensor(kept, { dtype: 'int64' })
  return { image: sample.image.indexSelect(0, places), labels: sample.labels.indexSelect(0, places) }
}

/** Mirrors rows, columns and, where slices are like them, slices; and exchanges rows and columns. */
export function flipPlane(sample: EmSample, slicesToo: boolean, draws: Draws): EmSample {
  const half = () => draws.uniform() < 0.5
  const axes = [half() && slicesToo, half(), half()].flatMap((on, axis) => (on ? [axis] : []))
  const exchange = half() && sample.image.size(1) === sample.image.size(2)
  const change = (x: Tensor) => {
    const flipped = axes.length > 0 ? x.flip(axes) : x
    return exchange ? flipped.transpose(1, 2) : flipped
  }
  return { image: change(sample.image), labels: change(sample.labels) }
}
