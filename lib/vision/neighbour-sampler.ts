// Sub-images of neighbouring pixels: one pixel of each 2 × 2 cell, and those beside it.
import { ShapeError } from '../native/errors'
import { type Tensor, tensor, tidy } from '../tensor'
import { type CounterRandomOptions, counterRandom } from './counter-random'

/** For each of the eight patterns, the pixels of a cell (0 1 above 2 3) that go to the first, second and third image. */
export const NEIGHBOUR_PATTERNS = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 3],
  [1, 3, 0],
  [2, 0, 3],
  [2, 3, 0],
  [3, 1, 2],
  [3, 2, 1],
] as const

/**
 * A pattern for each 2 × 2 cell of a batch of images, each of the eight as likely (Huang et al., "Neighbor2Neighbor",
 * CVPR 2021; Algorithm 1 of "STN", MMM 2023). Given to the samplers below with several images, all are cut alike.
 *
 * @param batch number of images
 * @param height of the images; the last odd row belongs to no cell
 * @param width likewise
 * @returns `[batch, ⌊height / 2⌋, ⌊width / 2⌋]` uint8, rows of `NEIGHBOUR_PATTERNS`
 * @throws ShapeError for images without a cell
 */
export function drawNeighbourPatterns(
  batch: number,
  height: number,
  width: number,
  options: CounterRandomOptions,
): Tensor<'uint8'> {
  if (!(height >= 2 && width >= 2)) {
    throw new ShapeError(`drawNeighbourPatterns: ${height} × ${width} pixels hold no cell of 2 × 2`)
  }
  return tidy(() => {
    const [word] = counterRandom([batch, Math.floor(height / 2), Math.floor(width / 2)], options)
    return word.bitwiseRightShift(29).to('uint8') as Tensor<'uint8'>
  })
}

/**
 * Two sub-images of half the size: of each cell a pixel, and one that shares an edge with it.
 *
 * @param images `[B, C, H, W]`; all channels of a cell are cut alike
 * @param patterns of `drawNeighbourPatterns`
 * @returns two of `[B, C, ⌊H / 2⌋, ⌊W / 2⌋]`
 * @throws ShapeError when the patterns do not fit
 */
export function neighbourPair(images: Tensor, patterns: Tensor): readonly [first: Tensor, second: Tensor] {
  const [first, second] = subImages('neighbourPair', images, patterns, 2)
  return [first as Tensor, second as Tensor]
}

/** As `neighbourPair`, and with it the other pixel that shares an edge with the first. */
export function neighbourTriplet(
  images: Tensor,
  patterns: Tensor,
): readonly [first: Tensor, second: Tensor, third: Tensor] {
  const [first, second, third] = subImages('neighbourTriplet', images, patterns, 3)
  return [first as Tensor, second as Tensor, third as Tensor]
}

function subImages(caller: string, images: Tensor, patterns: Tensor, count: 2 | 3): Tensor[] {
  if (images.ndim !== 4) {
    throw new ShapeError(`${caller}: images have the shape [${images.shape.join(', ')}]; it must be [B, C, H, W]`)
  }
  const [batch = 0, channels = 0, height = 0, width = 0] = images.shape
  const [rows, columns] = [Math.floor(height / 2), Math.floor(width / 2)]
  const wanted = [batch, rows, columns]
  if (patterns.ndim !== 3 || wanted.some((size, i) => size !== patterns.size(i))) {
    throw new ShapeError(
      `${caller}: patterns [${patterns.shape.join(', ')}] do not fit images [${images.shape.join(', ')}]; they must be [${wanted.join(', ')}], as drawNeighbourPatterns makes them`,
    )
  }
  return tidy(() => {
    const cells = images
      .narrow(2, 0, 2 * rows)
      .narrow(3, 0, 2 * columns)
      .reshape([batch, channels, rows, 2, columns, 2])
      .permute([0, 1, 2, 4, 3, 5])
      .reshape([batch, channels, rows, columns, 4])
    const table = tensor(NEIGHBOUR_PATTERNS, { dtype: 'int64', device: images.device })
    const codes = patterns.to('int64').flatten()
    return Array.from({ length: count }, (_, i) => {
      const pixel = table.select(1, i).indexSelect(0, codes).reshape([batch, 1, rows, columns, 1])
      return cells.gather(4, pixel.expand([-1, channels, -1, -1, -1])).squeeze(4)
    })
  })
}
