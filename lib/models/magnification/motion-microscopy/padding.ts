// What lies beyond the edge of a picture.
import { pad, type Tensor } from '../../../tensor'

/** Beyond the edge: its nearest pixels, or its opposite side. */
export type Boundary = 'replicate' | 'periodic'

/** A picture with its edge repeated, and back; pictures that are periodic stay as they are. */
export class Frame {
  readonly margin: number

  constructor(
    readonly height: number,
    readonly width: number,
    boundary: Boundary,
    padding: number,
  ) {
    this.margin = boundary === 'periodic' ? 0 : padding
  }

  get paddedHeight(): number {
    return this.height + 2 * this.margin
  }

  get paddedWidth(): number {
    return this.width + 2 * this.margin
  }

  /** @param images `[N, H, W]` */
  pad(images: Tensor): Tensor {
    const { margin } = this
    return margin === 0 ? images : pad(images, [margin, margin, margin, margin], { mode: 'replicate' })
  }

  /** @param maps `[…, H + 2m, W + 2m]` */
  crop(maps: Tensor): Tensor {
    const { margin, height, width } = this
    return margin === 0 ? maps : maps.narrow(-2, margin, height).narrow(-1, margin, width)
  }
}
