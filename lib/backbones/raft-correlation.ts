// Correlations of all pairs of pixels, and their look-up: section 3.2 of RAFT.
import { ShapeError } from '../native/errors'
import { functional as F } from '../nn'
import { cat, linspace, meshgrid, stack, type Tensor } from '../tensor'

/** Inner products of all pairs of pixels of two feature maps, at several resolutions of the second (section 3.2). */
export class CorrelationPyramid {
  readonly #levels: readonly Tensor[]
  readonly #radius: number

  /**
   * @param first `[N, C, H, W]`
   * @param second of the same shape
   * @throws ShapeError when a map is too small for so many levels
   */
  constructor(first: Tensor, second: Tensor, levels: number, radius: number) {
    const [batch = 0, channels = 1, height = 0, width = 0] = first.shape
    const least = 2 ** levels
    if (height < least || width < least) {
      throw new ShapeError(
        `RAFT: feature maps are ${height} × ${width}; ${levels} levels of correlation need ${least} × ${least}, which frames of ${8 * least} × ${8 * least} give`,
      )
    }
    const products = first
      .flatten({ startDim: 2 })
      .transpose(1, 2)
      .matmul(second.flatten({ startDim: 2 }))
    let volume = products.div(Math.sqrt(channels)).view([batch * height * width, 1, height, width])
    const pyramid = [volume]
    for (let i = 1; i < levels; i++) {
      volume = F.avgPool2d(volume, 2, { stride: 2 })
      pyramid.push(volume)
    }
    this.#levels = pyramid
    this.#radius = radius
  }

  /**
   * The correlations within a square around where each pixel has moved to.
   *
   * @param places x and y in pixels of the second map, `[N, 2, H, W]`
   * @returns `[N, levels · (2 · radius + 1)², H, W]`
   */
  lookUp(places: Tensor): Tensor {
    const [batch = 0, , height = 0, width = 0] = places.shape
    const side = 2 * this.#radius + 1
    const steps = linspace(-this.#radius, this.#radius, side, { dtype: places.dtype, device: places.device })
    // As in the authors' code, which fixed the order of the channels, the first axis of the square moves x.
    const square = stack(meshgrid([steps, steps], 'ij'), { dim: -1 }).view([1, side, side, 2])
    const centres = places.permute([0, 2, 3, 1]).reshape([batch * height * width, 1, 1, 2])
    const found = this.#levels.map((volume, i) => {
      const at = centres.div(2 ** i).add(square)
      return sampleAt(volume, at).view([batch, height, width, side * side])
    })
    return cat(found, { dim: 3 }).permute([0, 3, 1, 2]).contiguous()
  }
}

/** Reads maps at places in pixels, zero outside. */
function sampleAt(maps: Tensor, places: Tensor): Tensor {
  const [height, width] = [maps.size(2), maps.size(3)]
  const [x, y] = places.split(1, { dim: 3 }) as [Tensor, Tensor]
  const across = x.mul(2 / (width - 1)).sub(1)
  const down = y.mul(2 / (height - 1)).sub(1)
  return F.gridSample(maps, cat([across, down], { dim: 3 }), { alignCorners: true })
}
