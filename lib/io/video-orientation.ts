import type { Stream } from 'node-av/lib'
import { tidyAsync } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'
import type { Ffmpeg } from './ffmpeg'
import { later } from './later'

/** How stored pictures are turned to stand upright: rows and columns exchanged first, then each reversed or not. */
export interface Orientation {
  readonly transpose: boolean
  readonly flipRows: boolean
  readonly flipColumns: boolean
}

const UPRIGHT: Orientation = { transpose: false, flipRows: false, flipColumns: false }

/**
 * The orientation that a camera wrote beside the pictures. The display matrix takes a stored point (x, y) to
 * (a·x + c·y, b·x + d·y); only quarter turns and mirrorings are followed, as players do.
 */
export function orientationOf({ constants }: Ffmpeg, stream: Stream): Orientation {
  const matrix = stream.codecpar.getCodedSideData(constants.AV_PKT_DATA_DISPLAYMATRIX)
  if (!matrix || matrix.length < 36) return UPRIGHT
  const at = (index: number) => matrix.readInt32LE(4 * index)
  const [a, b, c, d] = [at(0), at(1), at(3), at(4)]
  if (Math.abs(b) > Math.abs(a)) return { transpose: true, flipRows: b < 0, flipColumns: c < 0 }
  return { transpose: false, flipRows: d < 0, flipColumns: a < 0 }
}

/** Clockwise degrees by which the stored pictures are turned, after mirroring left to right where they are mirrored. */
export function rotationOf({ transpose, flipRows }: Orientation): 0 | 90 | 180 | 270 {
  if (transpose) return flipRows ? 270 : 90
  return flipRows ? 180 : 0
}

/** Frames `[T, H, W, C]` upright. */
export function upright(frames: Tensor, { transpose, flipRows, flipColumns }: Orientation): Promise<Tensor> {
  const dims = [...(flipRows ? [1] : []), ...(flipColumns ? [2] : [])]
  return tidyAsync(async () => {
    const turned = transpose ? frames.permute([0, 2, 1, 3]) : frames
    if (dims.length > 0) return later('flip', [turned, dims])
    return transpose ? later('contiguous', [turned]) : turned
  })
}
