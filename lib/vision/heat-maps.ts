// Points as heat maps, and points from heat maps.
import { ArgumentError, ShapeError } from '../native/errors'
import { arange, type Tensor, tensor, tidy } from '../tensor'

export interface HeatMapOptions {
  /** Height and width of the maps. */
  readonly size: readonly [height: number, width: number]
  /** Spread of a point in pixels of the maps; 2 unless stated. */
  readonly sigma?: number
  /** Pixels of the image a pixel of the maps; 4 unless stated. Middles of pixels are whole numbers in both. */
  readonly stride?: number
}

/**
 * Heat maps of points: exp(−d² ∕ 2σ²) around each, its true place and not the nearest pixel (Zhang et al., CVPR 2020).
 *
 * @param points `[N, K, 2]` x and y in pixels of the image
 * @param visible `[N, K]`: maps of points that are not visible are zeros; all are unless stated
 * @returns `[N, K, height, width]` float32
 */
export function encodeHeatMaps(points: Tensor, options: HeatMapOptions, visible?: Tensor): Tensor {
  const { size, sigma = 2, stride = 4 } = options
  const [height, width] = size
  if (points.ndim !== 3 || points.shape[2] !== 2) {
    throw new ShapeError(`encodeHeatMaps: points are [${points.shape}]; they are [N, K, 2], x and y`)
  }
  if (visible !== undefined && String(visible.shape) !== String(points.shape.slice(0, 2))) {
    throw new ShapeError(`encodeHeatMaps: visible is [${visible.shape}], points are [${points.shape}]; it is [N, K]`)
  }
  if (!(sigma > 0 && stride > 0)) {
    throw new ArgumentError(`encodeHeatMaps: sigma is ${sigma} and stride ${stride}; both are above 0`)
  }
  return tidy(() => {
    const { device } = points
    const places = points.to('float32').div(stride)
    const along = (length: number, axis: 0 | 1) =>
      arange(length, { dtype: 'float32', device })
        .sub(places.select(2, axis).unsqueeze(-1))
        .square()
        .div(-2 * sigma * sigma)
        .exp()
    const maps = along(height, 1).unsqueeze(-1).mul(along(width, 0).unsqueeze(-2))
    return visible === undefined ? maps : maps.mul(visible.gt(0).to('float32').unsqueeze(-1).unsqueeze(-1))
  })
}

export interface DecodeHeatMapOptions {
  /**
   * Between pixels:
   * - `'dark'` (default): the peak of the parabola through the logarithm, exact for Gaussians (Zhang et al., CVPR 2020)
   * - `'quarter'`: a quarter of a pixel towards the higher neighbour (Newell et al., ECCV 2016)
   * - `'mean'`: the mean place of the map after a softmax times `sharpness` (Luvizon et al. 2017); gradients pass
   * - `'peak'`: the highest pixel
   */
  readonly method?: 'dark' | 'quarter' | 'mean' | 'peak'
  /** Pixels of the image a pixel of the maps; 4 unless stated. */
  readonly stride?: number
  /** Of `'mean'`; 1 unless stated. */
  readonly sharpness?: number
}

/**
 * The points that heat maps show.
 *
 * @param maps `[N, K, H, W]`
 * @returns `points` `[N, K, 2]` x and y in pixels of the image, `scores` `[N, K]` the highest values
 */
export function decodeHeatMaps(maps: Tensor, options: DecodeHeatMapOptions = {}): { points: Tensor; scores: Tensor } {
  const { method = 'dark', stride = 4, sharpness = 1 } = options
  if (maps.ndim !== 4) throw new ShapeError(`decodeHeatMaps: maps are [${maps.shape}]; they are [N, K, H, W]`)
  const [people = 0, kinds = 0, height = 0, width = 0] = maps.shape
  if (height * width === 0) throw new ShapeError(`decodeHeatMaps: maps are ${height} × ${width}; they need pixels`)
  return tidy(() => {
    const flat = maps.flatten({ startDim: 2 })
    const scores = flat.amax({ dim: [-1] })
    if (method === 'mean') return { points: meanPlace(flat, width, sharpness).mul(stride), scores }
    const values = maps.detach().to({ dtype: 'float64', device: 'cpu' }).contiguous().dataSync() as Float64Array
    const places = new Float64Array(people * kinds * 2)
    for (let k = 0; k < people * kinds; k++) {
      const [x, y] = peakOf(values.subarray(k * height * width, (k + 1) * height * width), height, width, method)
      places.set([x * stride, y * stride], 2 * k)
    }
    const points = tensor(places, { shape: [people, kinds, 2] }).to({ dtype: maps.dtype, device: maps.device })
    return { points, scores }
  })
}

function meanPlace(flat: Tensor, width: number, sharpness: number): Tensor {
  const weights = flat.mul(sharpness).softmax(-1)
  const index = arange(flat.shape.at(-1) ?? 0, { dtype: flat.dtype, device: flat.device })
  const y = index.div(width).floor()
  const x = index.sub(y.mul(width))
  const mean = (along: Tensor) => weights.mul(along).sum({ dim: [-1] })
  return mean(x)
    .unsqueeze(-1)
    .mul(tensor([1, 0]).to(flat.device))
    .add(
      mean(y)
        .unsqueeze(-1)
        .mul(tensor([0, 1]).to(flat.device)),
    )
}

function peakOf(
  map: Float64Array,
  height: number,
  width: number,
  method: 'dark' | 'quarter' | 'peak',
): [number, number] {
  let best = 0
  for (let i = 1; i < map.length; i++) if ((map[i] ?? 0) > (map[best] ?? 0)) best = i
  const [x, y] = [best % width, Math.floor(best / width)]
  const at = (column: number, row: number) => map[row * width + column] ?? 0
  const inside = x > 0 && y > 0 && x < width - 1 && y < height - 1
  if (method === 'peak' || !inside) return [x, y]
  if (method === 'quarter') {
    return [x + Math.sign(at(x + 1, y) - at(x - 1, y)) / 4, y + Math.sign(at(x, y + 1) - at(x, y - 1)) / 4]
  }
  const log = (column: number, row: number) => Math.log(Math.max(at(column, row), 1e-10))
  const centre = log(x, y)
  const [dx, dy] = [(log(x + 1, y) - log(x - 1, y)) / 2, (log(x, y + 1) - log(x, y - 1)) / 2]
  const [dxx, dyy] = [log(x + 1, y) - 2 * centre + log(x - 1, y), log(x, y + 1) - 2 * centre + log(x, y - 1)]
  const dxy = (log(x + 1, y + 1) - log(x + 1, y - 1) - log(x - 1, y + 1) + log(x - 1, y - 1)) / 4
  const determinant = dxx * dyy - dxy * dxy
  if (!(Math.abs(determinant) > 1e-12)) return [x, y]
  const [stepX, stepY] = [(dxy * dy - dyy * dx) / determinant, (dxy * dx - dxx * dy) / determinant]
  // A peak lies within its pixel; elsewhere the map is no hill.
  return Math.abs(stepX) <= 1 && Math.abs(stepY) <= 1 ? [x + stepX, y + stepY] : [x, y]
}
