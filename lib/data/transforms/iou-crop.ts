import { ArgumentError } from '../../native/errors'
import { show, wholeNumber, withDefaults } from '../../nn/options'
import type { Generator, Tensor } from '../../tensor'
import { fractions, pick } from './draw'
import { columns, convertFormat } from './functional/boxes'
import { type CropWindow, crop } from './functional/crop'
import { type BoundingBoxes, isBoundingBoxes, wrapLike } from './kinds'
import { commonSize, isPicture } from './sample'
import { Transform } from './transform'

export interface RandomIoUCropOptions {
  /** Least part of the image's sides; default 0.3. */
  readonly minScale?: number
  /** Default 1. */
  readonly maxScale?: number
  /** Least width by height; default 0.5. */
  readonly minAspectRatio?: number
  /** Default 2. */
  readonly maxAspectRatio?: number
  /** Overlaps of which one is drawn; 1 leaves the sample as it is. Default 0, 0.1, 0.3, 0.5, 0.7, 0.9, 1. */
  readonly samplerOptions?: readonly number[]
  /** Attempts for each drawn overlap; default 40. */
  readonly trials?: number
}

/** Where to crop, and which boxes have their centre inside; undefined leaves the sample as it is. */
export type IoUCropParams = { readonly window: CropWindow; readonly inside: Tensor } | undefined

/**
 * Cuts a window out that overlaps at least one box by a drawn intersection over union (SSD, Liu et al., ECCV 2016).
 * Boxes whose centre is outside of it become zeros; `SanitizeBoundingBoxes` takes them out.
 */
export class RandomIoUCrop extends Transform<IoUCropParams> {
  protected override readonly geometric = true
  readonly #options: Required<RandomIoUCropOptions>

  constructor(options: RandomIoUCropOptions = {}) {
    super()
    const defaults: Required<RandomIoUCropOptions> = {
      minScale: 0.3,
      maxScale: 1,
      minAspectRatio: 0.5,
      maxAspectRatio: 2,
      samplerOptions: [0, 0.1, 0.3, 0.5, 0.7, 0.9, 1],
      trials: 40,
    }
    this.#options = withDefaults<Required<RandomIoUCropOptions>>('RandomIoUCrop', defaults, options)
    const { minScale, maxScale, samplerOptions, trials } = this.#options
    if (!(minScale > 0 && minScale <= maxScale && maxScale <= 1)) {
      throw new ArgumentError(`RandomIoUCrop: scales ${minScale} to ${maxScale}; they must be in order and from 0 to 1`)
    }
    if (samplerOptions.length === 0 || !samplerOptions.every((overlap) => overlap >= 0)) {
      throw new ArgumentError(`RandomIoUCrop: samplerOptions is ${show(samplerOptions)}; it must be a list of overlaps`)
    }
    wholeNumber('RandomIoUCrop: trials', trials)
  }

  protected override check(parts: readonly Tensor[]): void {
    super.check(parts)
    if (parts.filter(isBoundingBoxes).length === 1 && parts.some(isPicture)) return
    throw new ArgumentError('RandomIoUCrop: the sample must hold an image and one boundingBoxes(), and may hold masks')
  }

  makeParams(parts: readonly Tensor[], generator: Generator | undefined): IoUCropParams {
    const [height, width] = commonSize('RandomIoUCrop', parts)
    const boxes = parts.find(isBoundingBoxes)
    // Without a box no window would ever do.
    if (boxes === undefined || boxes.numel === 0) return undefined
    for (;;) {
      const overlap = pick(this.#options.samplerOptions, generator)
      if (overlap >= 1) return undefined
      for (let trial = 0; trial < this.#options.trials; trial++) {
        const window = this.#window(height, width, generator)
        const inside = window && centresInside(boxes, window, overlap)
        if (window && inside) return { window, inside }
      }
      // torchvision would go on for ever where no window does and 1 is not among the options.
      if (!this.#options.samplerOptions.some((option) => option >= 1)) return undefined
    }
  }

  #window(height: number, width: number, generator: Generator | undefined): CropWindow | undefined {
    const { minScale, maxScale, minAspectRatio, maxAspectRatio } = this.#options
    const [across = 0, down = 0] = fractions(2, generator).map((r) => minScale + (maxScale - minScale) * r)
    const [w, h] = [Math.trunc(width * across), Math.trunc(height * down)]
    if (h < 1 || w < 1 || w / h < minAspectRatio || w / h > maxAspectRatio) return undefined
    const [x = 0, y = 0] = fractions(2, generator)
    return { top: Math.trunc((height - h) * y), left: Math.trunc((width - w) * x), height: h, width: w }
  }

  transform(part: Tensor, params: IoUCropParams): Tensor {
    if (params === undefined) return part
    const cropped = crop(part, params.window)
    return isBoundingBoxes(part) ? wrapLike(cropped.mul(params.inside.unsqueeze(-1)), cropped) : cropped
  }
}

/** Which boxes have their centre in a window, bool `[N]`, if one of those overlaps it enough. */
function centresInside(boxes: BoundingBoxes, window: CropWindow, overlap: number): Tensor | undefined {
  const [left, top] = [window.left, window.top]
  const [right, bottom] = [left + window.width, top + window.height]
  const [x1, y1, x2, y2] = columns(convertFormat(boxes, boxes.format, 'xyxy'))
  const [x, y] = [x1.add(x2).mul(0.5), y1.add(y2).mul(0.5)]
  const tests = [x.gt(left), x.lt(right), y.gt(top), y.lt(bottom)]
  const inside = tests.reduce((all, test) => all.logicalAnd(test))
  const span = (low: Tensor, high: Tensor) => high.sub(low).clamp({ min: 0 })
  const width = span(x1.clamp({ min: left }), x2.clamp({ max: right }))
  const height = span(y1.clamp({ min: top }), y2.clamp({ max: bottom }))
  const shared = width.mul(height)
  const area = x2.sub(x1).mul(y2.sub(y1))
  const iou = shared.div(area.add(window.width * window.height).sub(shared))
  const best = iou.maskedFill(inside.logicalNot(), -1).max().toNumber()
  return best >= 0 && best >= overlap ? inside : undefined
}
