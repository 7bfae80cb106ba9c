// The boxes that detectors start from, at every place of a map.
import { ArgumentError } from '../../native/errors'
import { cat, stack, type Tensor, tensor } from '../../tensor'
import { arange } from '../../tensor/creation'
import { tidy } from '../../tensor/scope'
import type { Device } from '../../tensor/types'
import type { ImageSize } from './formats'

/**
 * Anchors of some sizes and aspect ratios around every place of feature maps (Ren et al., NeurIPS 2015; a size for each
 * map: Lin et al., CVPR 2017), as torchvision's `AnchorGenerator`.
 */
export class AnchorGenerator {
  /**
   * @param sizes for each map its anchors' sizes: square roots of their areas in pixels
   * @param aspectRatios for each map height / width
   * @throws ArgumentError when the two lists differ in length or a map has none
   */
  constructor(
    readonly sizes: readonly (readonly number[])[],
    readonly aspectRatios: readonly (readonly number[])[],
  ) {
    if (sizes.length !== aspectRatios.length) {
      throw new ArgumentError(
        `AnchorGenerator: sizes are for ${sizes.length} maps, aspect ratios for ${aspectRatios.length}; give as many`,
      )
    }
    const values = [...sizes, ...aspectRatios]
    if (values.some((list) => list.length === 0 || list.some((value) => !(value > 0)))) {
      throw new ArgumentError('AnchorGenerator: each map needs sizes and aspect ratios above 0')
    }
  }

  /** How many anchors a place of each map has. */
  get numAnchorsPerLocation(): number[] {
    return this.sizes.map((sizes, level) => sizes.length * (this.aspectRatios[level]?.length ?? 0))
  }

  /**
   * @param imageSize the batch's [height, width] in pixels
   * @param mapSizes [height, width] of each map
   * @returns for each map `[height · width · anchors, 4]` float32 as (x1, y1, x2, y2): row by row, anchors of a place together
   * @throws ArgumentError when there are not as many maps as sizes
   */
  generate(imageSize: ImageSize, mapSizes: readonly ImageSize[], device: Device = 'cpu'): Tensor[] {
    if (mapSizes.length !== this.sizes.length) {
      throw new ArgumentError(
        `AnchorGenerator: there are ${mapSizes.length} feature maps, but sizes for ${this.sizes.length}`,
      )
    }
    return tidy(() =>
      mapSizes.map(([height, width], level) => {
        // Strides are whole: an image that no stride divides has its last anchors short of its edge.
        const y = arange(height, { dtype: 'int32', device }).mul(Math.floor(imageSize[0] / height))
        const x = arange(width, { dtype: 'int32', device }).mul(Math.floor(imageSize[1] / width))
        const ys = y.unsqueeze(1).expand([height, width]).reshape([-1])
        const xs = x.unsqueeze(0).expand([height, width]).reshape([-1])
        const places = stack([xs, ys, xs, ys], { dim: 1 }).unsqueeze(1)
        return places.add(this.#cell(level, device)).reshape([-1, 4])
      }),
    )
  }

  /** Anchors around the origin, their corners rounded. */
  #cell(level: number, device: Device): Tensor {
    const heights = tensor([...(this.aspectRatios[level] ?? [])], { dtype: 'float32', device }).sqrt()
    const sizes = tensor([...(this.sizes[level] ?? [])], { dtype: 'float32', device })
    const w = heights.reciprocal().unsqueeze(1).mul(sizes).flatten()
    const h = heights.unsqueeze(1).mul(sizes).flatten()
    return stack([w.neg(), h.neg(), w, h], { dim: 1 }).div(2).round()
  }
}

export interface DefaultBoxOptions {
  /** Size of the first map's boxes as a share of the image; default 0.15. */
  readonly minRatio?: number
  /** Size of the last map's; default 0.9. */
  readonly maxRatio?: number
  /** Sizes as shares of the image, one more than there are maps, instead of the ratios. */
  readonly scales?: readonly number[]
  /** Pixels between the places of each map; default: the image divided by the map. */
  readonly steps?: readonly number[]
  /** Keeps boxes no larger than the image; default true. */
  readonly clip?: boolean
}

/** Default boxes of SSD (Liu et al., ECCV 2016, section 2.2), as torchvision's `DefaultBoxGenerator`. */
export class DefaultBoxGenerator {
  readonly scales: readonly number[]
  readonly #steps: readonly number[] | undefined
  readonly #clip: boolean

  /**
   * @param aspectRatios for each map those besides 1, each with its inverse
   * @throws ArgumentError for lists of other lengths
   */
  constructor(
    readonly aspectRatios: readonly (readonly number[])[],
    { minRatio = 0.15, maxRatio = 0.9, scales, steps, clip = true }: DefaultBoxOptions = {},
  ) {
    const maps = aspectRatios.length
    if (steps && steps.length !== maps) {
      throw new ArgumentError(`DefaultBoxGenerator: ${steps.length} steps for ${maps} maps; give as many`)
    }
    if (scales && scales.length !== maps + 1) {
      throw new ArgumentError(`DefaultBoxGenerator: ${scales.length} scales for ${maps} maps; give one more than maps`)
    }
    this.scales = scales ?? evenScales(maps, minRatio, maxRatio)
    this.#steps = steps
    this.#clip = clip
  }

  /** How many boxes a place of each map has. */
  get numAnchorsPerLocation(): number[] {
    return this.aspectRatios.map((ratios) => 2 + 2 * ratios.length)
  }

  /** @returns `[boxes of all maps, 4]` float32 in pixels as (x1, y1, x2, y2); as `AnchorGenerator.generate` */
  generate(imageSize: ImageSize, mapSizes: readonly ImageSize[], device: Device = 'cpu'): Tensor {
    if (mapSizes.length !== this.aspectRatios.length) {
      throw new ArgumentError(
        `DefaultBoxGenerator: there are ${mapSizes.length} feature maps, but aspect ratios for ${this.aspectRatios.length}`,
      )
    }
    return tidy(() => {
      const all = cat(mapSizes.map((size, level) => this.#boxes(imageSize, size, level, device)))
      const [centres, sizes] = all.split(2, { dim: 1 }) as [Tensor, Tensor]
      const scale = tensor([imageSize[1], imageSize[0]], { dtype: 'float32', device })
      const half = sizes.mul(0.5)
      return cat([centres.sub(half).mul(scale), centres.add(half).mul(scale)], { dim: 1 })
    })
  }

  /** Boxes of a map as (cx, cy, w, h) in shares of the image. */
  #boxes(imageSize: ImageSize, [height, width]: ImageSize, level: number, device: Device): Tensor {
    const step = this.#steps?.[level]
    const [rows, columns] = step === undefined ? [height, width] : [imageSize[0] / step, imageSize[1] / step]
    const y = arange(height, { dtype: 'float32', device }).add(0.5).div(rows)
    const x = arange(width, { dtype: 'float32', device }).add(0.5).div(columns)
    const own = tensor(this.#sizes(level).flat(), { dtype: 'float32', device }).reshape([-1, 2])
    const sizes = this.#clip ? own.clamp({ min: 0, max: 1 }) : own
    const shape = [height, width, own.size(0)]
    const centres = stack(
      [x.reshape([1, -1, 1]).expand(shape).flatten(), y.reshape([-1, 1, 1]).expand(shape).flatten()],
      { dim: 1 },
    )
    return cat([centres, sizes.repeat([height * width, 1])], { dim: 1 })
  }

  #sizes(level: number): number[][] {
    const scale = this.scales[level] ?? 0
    const between = Math.sqrt(scale * (this.scales[level + 1] ?? 0))
    const others = (this.aspectRatios[level] ?? []).flatMap((ratio) => {
      const [long, short] = [scale * Math.sqrt(ratio), scale / Math.sqrt(ratio)]
      return [
        [long, short],
        [short, long],
      ]
    })
    return [[scale, scale], [between, between], ...others]
  }
}

function evenScales(maps: number, min: number, max: number): number[] {
  if (maps === 1) return [min, max]
  return [...Array.from({ length: maps }, (_, level) => min + ((max - min) * level) / (maps - 1)), 1]
}
