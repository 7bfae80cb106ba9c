// From a picture of any size to its objects: fitted or cut into squares, through the network, and back.
import { type Detections, type DetectionsOptions, suppressPredictions, type YOLOv5 } from '../../../backbones'
import { batchedNms } from '../../../ops'
import type { RunOptions } from '../../../pipeline'
import { throwIfCancelled } from '../../../pipeline'
import { type CapturedFunction, capture, cat, noGrad, type Tensor, tensor, tidy, tidyAsync } from '../../../tensor'
import { letterbox, unletterboxBoxes } from '../../../vision'
import type { Config } from './config'

export type FindOptions = Required<
  Pick<DetectionsOptions, 'scoreThreshold' | 'iouThreshold' | 'maxDetections' | 'multiLabel'>
>

/** A square of a picture. */
export interface Square {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

/** An object so near to a cut may be a part of one that another square holds whole. */
const CUT = 2

/** A network that is ready to run on pictures of any size, off the event loop. */
export class Finder {
  readonly #predict: CapturedFunction<[Tensor], Tensor>

  constructor(
    readonly model: YOLOv5,
    readonly config: Config,
  ) {
    this.#predict = capture((batch: Tensor) => noGrad(() => model.decode(model.forward(batch))))
  }

  /**
   * The objects of a picture, the most probable first; boxes in its pixels.
   *
   * @param image `[3, H, W]` in 0–1
   * @throws CancelledError
   */
  find(image: Tensor, options: FindOptions, run: RunOptions = {}): Promise<Detections> {
    const [, height = 0, width = 0] = image.shape
    const squares = squaresOf(height, width, this.config)
    return tidyAsync(async () => {
      const found: Detections[] = []
      for (const [i, square] of squares.entries()) {
        throwIfCancelled(run.signal, 'detect')
        const cut = image.narrow(1, square.top, square.height).narrow(2, square.left, square.width)
        const part = await this.#findIn(cut, options, run)
        found.push(squares.length === 1 ? part : placed(withoutCut(part, square, height, width), square))
        run.onProgress?.({ stage: 'squares', done: i + 1, total: squares.length })
      }
      return found.length === 1 ? (found[0] as Detections) : merged(found, options)
    })
  }

  #findIn(image: Tensor, options: FindOptions, { signal }: RunOptions): Promise<Detections> {
    return tidyAsync(async () => {
      const { image: fitted, ...done } = letterbox(image, {
        size: this.config.size,
        stride: this.model.strides.at(-1) ?? 1,
      })
      const predictions = await this.#predict.run([fitted.unsqueeze(0).contiguous()], { signal })
      const [{ boxes, scores, labels }] = suppressPredictions(predictions, options) as [Detections]
      return { boxes: unletterboxBoxes(boxes, done), scores, labels }
    })
  }

  dispose(): void {
    this.#predict.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

/** The squares that a picture is cut into: the picture itself unless it is larger than `crop`. */
export function squaresOf(
  height: number,
  width: number,
  { crop, overlap }: Pick<Config, 'crop' | 'overlap'>,
): Square[] {
  if (crop === undefined) return [{ left: 0, top: 0, width, height }]
  const starts = (length: number) => {
    const last = length - crop
    if (last <= 0) return [0]
    const count = Math.ceil(last / Math.max(crop - overlap, 1))
    return [...Array.from({ length: count }, (_, i) => i * Math.max(crop - overlap, 1)), last]
  }
  return starts(height).flatMap((top) =>
    starts(width).map((left) => ({ left, top, width: Math.min(crop, width), height: Math.min(crop, height) })),
  )
}

/** Objects of a square that none of its inner edges cuts. */
function withoutCut({ boxes, scores, labels }: Detections, square: Square, height: number, width: number): Detections {
  return tidy(() => {
    const [x1, y1, x2, y2] = boxes.unbind({ dim: 1 }) as [Tensor, Tensor, Tensor, Tensor]
    const whole = [
      ...(square.left > 0 ? [x1.ge(CUT)] : []),
      ...(square.top > 0 ? [y1.ge(CUT)] : []),
      ...(square.left + square.width < width ? [x2.le(square.width - CUT)] : []),
      ...(square.top + square.height < height ? [y2.le(square.height - CUT)] : []),
    ].reduce((all, each) => all.logicalAnd(each), x1.ge(0))
    const rows = whole.nonzero().squeeze(1)
    return {
      boxes: boxes.indexSelect(0, rows),
      scores: scores.indexSelect(0, rows),
      labels: labels.indexSelect(0, rows),
    }
  })
}

function placed({ boxes, scores, labels }: Detections, { left, top }: Square): Detections {
  const { dtype, device } = boxes
  return { boxes: boxes.add(tensor([left, top, left, top], { dtype, device })), scores, labels }
}

/** Objects of all squares, those that several hold once. */
function merged(found: readonly Detections[], { iouThreshold, maxDetections }: FindOptions): Detections {
  return tidy(() => {
    const all = (part: (each: Detections) => Tensor) => cat(found.map(part))
    const [boxes, scores, labels] = [all((each) => each.boxes), all((each) => each.scores), all((each) => each.labels)]
    const kept = batchedNms(boxes, scores, labels, iouThreshold)
    const rows = kept.narrow(0, 0, Math.min(maxDetections, kept.size(0)))
    return {
      boxes: boxes.indexSelect(0, rows),
      scores: scores.indexSelect(0, rows),
      labels: labels.indexSelect(0, rows),
    }
  })
}
