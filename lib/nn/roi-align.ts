import { type RoiAlignOptions, roiAlign } from '../ops/roi-align'
import type { Tensor } from '../tensor'
import { Module } from './module'
import { showOptions, withDefaults } from './options'

/**
 * RoIAlign as a layer, see `roiAlign`.
 *
 * Shapes: input `[N, C, H, W]`, boxes `[K, 5]` or a list of `[Kᵢ, 4]` → `[K, C, height, width]`.
 */
export class RoIAlign extends Module {
  readonly outputSize: number | readonly [number, number]
  readonly spatialScale: number
  readonly samplingRatio: number
  readonly aligned: boolean

  constructor(outputSize: number | readonly [number, number], options: RoiAlignOptions = {}) {
    super()
    const all = withDefaults<Required<RoiAlignOptions>>(
      'RoIAlign',
      { spatialScale: 1, samplingRatio: -1, aligned: false },
      options,
    )
    this.outputSize = outputSize
    this.spatialScale = all.spatialScale
    this.samplingRatio = all.samplingRatio
    this.aligned = all.aligned
  }

  forward(input: Tensor, boxes: Tensor | readonly Tensor[]): Tensor {
    const { spatialScale, samplingRatio, aligned } = this
    return roiAlign(input, boxes, this.outputSize, { spatialScale, samplingRatio, aligned })
  }

  protected override describeOptions(): string {
    const { outputSize, spatialScale, samplingRatio, aligned } = this
    return showOptions({ outputSize, spatialScale, samplingRatio, aligned })
  }
}
