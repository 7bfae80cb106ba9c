import { writeImage } from '../../io'
import { imageFormatOf } from '../../io/image-encode'
import { type Tensor, tensor } from '../../tensor'
import { tidyAsync } from '../../tensor/scope'
import { drawBoundingBoxes } from '../../vision'
import { type Json, Result } from './result'
import { isJsonPath, writeJson } from './write-json'

/** An object in a picture. */
export interface Detection {
  /** `(x1, y1, x2, y2)` in pixels of the picture given. */
  readonly box: readonly [x1: number, y1: number, x2: number, y2: number]
  readonly label: string
  /** 0–1. */
  readonly score: number
}

/** Objects of a picture, the surest first. */
export class Detections extends Result {
  /** @param image the picture they are in, `[3, H, W]` */
  constructor(
    readonly image: Tensor,
    readonly objects: readonly Detection[],
  ) {
    super()
  }

  /** Writes the objects as JSON, or the picture with their boxes as png, jpg, webp, avif or tiff. */
  async toFile(path: string): Promise<void> {
    if (isJsonPath(path)) return writeJson(path, this.toJSON())
    imageFormatOf(path, 'toFile')
    await tidyAsync(async () => {
      const boxes = tensor(this.objects.flatMap(({ box }) => [...box])).reshape([-1, 4])
      const labels = this.objects.map(({ label, score }) => `${label} ${score.toFixed(2)}`)
      await writeImage(
        this.objects.length === 0 ? this.image : await drawBoundingBoxes(this.image, boxes, { labels }),
        path,
      )
    })
  }

  describe(): string {
    if (this.objects.length === 0) return 'no objects'
    return this.objects
      .map(({ box, label, score }) => `${score.toFixed(2)}  ${label}  ${box.map((edge) => Math.round(edge)).join(' ')}`)
      .join('\n')
  }

  toJSON(): Json {
    return { objects: this.objects.map((object) => ({ ...object })) }
  }

  protected override tensors(): Iterable<Tensor> {
    return [this.image]
  }
}
