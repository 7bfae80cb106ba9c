// Pictures with boxes, as readers give them.
import type { Tensor } from '../../../tensor'

/** Edges in pixels. */
export type Edges = readonly [x1: number, y1: number, x2: number, y2: number]

/** An object as a data set states it. */
export interface LabelledObject {
  /** Number of its class. */
  readonly category: number
  readonly box: Edges
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
