import { ArgumentError } from '../native/errors'
import { roiAlign } from '../ops/roi-align'
import { cat, full, nonzero, type Tensor } from '../tensor'
import { Module } from './module'
import { expandSize, showOptions, withDefaults } from './options'

export interface MultiScaleRoIAlignOptions {
  /** Samples of a bin along each axis; 0 or less takes ⌈size of the bin⌉; default 2. */
  readonly samplingRatio?: number
  /** Boxes of this size (square root of the area, in pixels) … default 224 */
  readonly canonicalScale?: number
  /** … are taken from the map of this level, whose stride is 2^level; default 4. */
  readonly canonicalLevel?: number
}

/**
 * RoIAlign from the map of a pyramid that fits a box's size (Lin et al., CVPR 2017, eq. 1), as
 * `torchvision.ops.MultiScaleRoIAlign`.
 *
 * Shapes: maps `[N, C, Hᵢ, Wᵢ]`, for each image boxes `[Kᵢ, 4]` in pixels → `[K, C, height, width]`.
 */
export class MultiScaleRoIAlign extends Module {
  readonly outputSize: readonly [number, number]
  readonly samplingRatio: number
  readonly canonicalScale: number
  readonly canonicalLevel: number

  constructor(outputSize: number | readonly [number, number], options: MultiScaleRoIAlignOptions = {}) {
    super()
    const defaults = { samplingRatio: 2, canonicalScale: 224, canonicalLevel: 4 }
    const all = withDefaults<Required<MultiScaleRoIAlignOptions>>('MultiScaleRoIAlign', defaults, options)
    this.outputSize = expandSize('MultiScaleRoIAlign: outputSize', outputSize, 2, 1) as [number, number]
    this.samplingRatio = all.samplingRatio
    this.canonicalScale = all.canonicalScale
    this.canonicalLevel = all.canonicalLevel
  }

  /**
   * @param maps of strides that are powers of two, each twice the one before
   * @param imageSizes of the images without padding: the largest tells the maps' strides
   * @throws ArgumentError without maps or images
   */
  forward(
    maps: readonly Tensor[],
    boxes: readonly Tensor[],
    imageSizes: readonly (readonly [height: number, width: number])[],
  ): Tensor {
    const [finest] = maps
    const coarsest = maps.at(-1)
    if (!finest || !coarsest || imageSizes.length === 0) {
      throw new ArgumentError(
        `MultiScaleRoIAlign: ${maps.length} maps of ${imageSizes.length} images; it needs one of each`,
      )
    }
    const height = Math.max(...imageSizes.map(([own]) => own))
    const levelOf = (map: Tensor): number => -Math.round(Math.log2(map.size(2) / height))
    const places = boxes.map((own, i) => full([own.size(0), 1], i, { dtype: own.dtype, device: own.device }))
    const rois = cat([cat(places), cat(boxes)], { dim: 1 })
    const pool = (map: Tensor, own: Tensor): Tensor => {
      const { samplingRatio } = this
      return roiAlign(map, own, this.outputSize, { spatialScale: 2 ** -levelOf(map), samplingRatio })
    }
    if (maps.length === 1) return pool(finest, rois)

    const levels = this.#levels(rois).clamp({ min: levelOf(finest), max: levelOf(coarsest) })
    const chosen = maps.map((_, i) => nonzero(levels.eq(levelOf(finest) + i)).squeeze(1))
    const pooled = maps.map((map, i) => pool(map, rois.indexSelect(0, chosen[i] as Tensor)))
    return cat(pooled).indexSelect(0, cat(chosen).argsort())
  }

  #levels(rois: Tensor): Tensor {
    const [, x1, y1, x2, y2] = rois.unbind({ dim: 1 }) as [Tensor, Tensor, Tensor, Tensor, Tensor]
    const size = x2.sub(x1).mul(y2.sub(y1)).sqrt()
    // So that rounding leaves a box of exactly the canonical size on its level.
    return size.div(this.canonicalScale).log2().add(this.canonicalLevel).add(1e-6).floor()
  }

  protected override describeOptions(): string {
    const { outputSize, samplingRatio, canonicalScale, canonicalLevel } = this
    return showOptions({ outputSize, samplingRatio, canonicalScale, canonicalLevel })
  }
}
