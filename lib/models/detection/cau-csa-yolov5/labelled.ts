// Pictures with boxes: what readers give, augmentation changes and the network learns from.
import type { Tensor } from '../../../tensor'

/** Edges in pixels. */
export type Edges = readonly [x1: number, y1: number, x2: number, y2: number]

/** An object in a picture. */
export interface LabelledBox {
  /** Number of its class. */
  readonly category: number
  readonly box: Edges
}

/** A picture in memory with its objects. */
export interface LabelledImage {
  /** `[3, H, W]` float32 in 0–1. */
  readonly image: Tensor
  readonly boxes: readonly LabelledBox[]
}

/** An object as a data set states it. */
export interface LabelledObject extends LabelledBox {
  /** In pixels: of the outline where there is one. */
  readonly area: number
  /** A group whose members were not told apart: not learnt, and no error when found. */
  readonly crowd: boolean
}

/** A picture of a data set. */
export interface LabelledPicture {
  readonly name: string
  readonly height: number
  readonly width: number
  readonly objects: readonly LabelledObject[]
  /** `[3, H, W]` float32 in 0–1. */
  read(): Promise<Tensor>
}

/** A part of a data set. */
export interface DetectionData {
  readonly classes: readonly string[]
  readonly pictures: readonly LabelledPicture[]
}

export interface PlaceOptions {
  readonly scale: number
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

/**
 * Boxes where `x → scale · x + left` and `y → scale · y + top` take them, cut at the edges. Those of which too little is
 * left are dropped: 2 pixels a side, a tenth of the area, sides that differ a hundredfold.
 */
export function moveBoxes(
  boxes: readonly LabelledBox[],
  { scale, left, top, width, height }: PlaceOptions,
): LabelledBox[] {
  const within = (value: number, most: number) => Math.min(Math.max(value, 0), most)
  return boxes.flatMap(({ category, box: [x1, y1, x2, y2] }) => {
    const edges = [
      within(scale * x1 + left, width),
      within(scale * y1 + top, height),
      within(scale * x2 + left, width),
      within(scale * y2 + top, height),
    ] as const
    const [w, h] = [edges[2] - edges[0], edges[3] - edges[1]]
    const visible = (w * h) / (scale ** 2 * (x2 - x1) * (y2 - y1) + 1e-16)
    return w > 2 && h > 2 && visible > 0.1 && Math.max(w / h, h / w) < 100 ? [{ category, box: edges }] : []
  })
}
