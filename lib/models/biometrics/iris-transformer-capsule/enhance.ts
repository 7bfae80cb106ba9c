// Even light and full contrast for strips, and strips as the network takes them.
import { functional as F } from '../../../nn'
import { cat, type Tensor, tensor, tidy, zeros } from '../../../tensor'

const BLOCK = 16
const TILE = 32
const LEVELS = 256

/**
 * Takes the local background away (means of 16 × 16 blocks, bicubic between them), then equalises each tile of 32 × 32.
 *
 * @param strip `[H, W]` floating point, sides multiples of 32; columns go round
 * @returns `[H, W]` uint8
 */
export function enhanceStrip(strip: Tensor): Tensor<'uint8'> {
  return tidy(() => equaliseTiles(strip.sub(background(strip))))
}

/** Means of blocks as a smooth surface that is whole around the pupil, `[H, W]`. */
export function background(strip: Tensor): Tensor {
  const [height = 0, width = 0] = strip.shape
  const blocks = F.avgPool2d(strip.reshape([1, 1, height, width]), BLOCK)
  const columns = blocks.size(3)
  // Bicubic reaches two blocks to each side.
  const round = cat([blocks.narrow(3, columns - 2, 2), blocks, blocks.narrow(3, 0, 2)], { dim: 3 })
  const smooth = F.interpolate(round, { size: [height, width + 4 * BLOCK], mode: 'bicubic', alignCorners: false })
  return smooth.narrow(3, 2 * BLOCK, width).reshape([height, width])
}

/** Each tile's values replaced by their share of the tile that is darker, in 256 levels; flat tiles become black. */
export function equaliseTiles(strip: Tensor): Tensor<'uint8'> {
  const [height = 0, width = 0] = strip.shape
  const [rows, columns] = [height / TILE, width / TILE]
  const tiles = strip
    .reshape([rows, TILE, columns, TILE])
    .transpose(1, 2)
    .reshape([rows * columns, TILE * TILE])
  const least = tiles.amin({ dim: [1], keepdim: true })
  const range = tiles.amax({ dim: [1], keepdim: true }).sub(least)
  // The least difference that is contrast, and no rounding.
  const levels = tiles
    .sub(least)
    .div(range.clampMin(1e-5))
    .mul(LEVELS - 1)
    .round()
    .to('int64')
  const histogram = zeros([rows * columns, LEVELS], { dtype: 'float32', device: strip.device }).scatterAdd(
    1,
    levels,
    tiles.mul(0).add(1).to('float32'),
  )
  const below = histogram.cumsum(1)
  const darkest = histogram.narrow(1, 0, 1)
  const table = below
    .sub(darkest)
    .div(
      darkest
        .neg()
        .add(TILE * TILE)
        .clampMin(1),
    )
    .mul(LEVELS - 1)
  const equal = table.gather(1, levels).round().to('uint8')
  return equal
    .reshape([rows, columns, TILE, TILE])
    .transpose(1, 2)
    .reshape([height, width])
    .contiguous() as Tensor<'uint8'>
}

const IMAGENET_MEAN = [0.485, 0.456, 0.406] as const
const IMAGENET_STD = [0.229, 0.224, 0.225] as const

/**
 * Strips as the network takes them: resized to a square (bilinear, half-pixel, no antialias), grey in three channels,
 * standardised as for ImageNet.
 *
 * @param strips `[B, H, W]` uint8
 * @returns `[B, 3, size, size]` float32
 */
export function networkInput(strips: Tensor, size: number): Tensor {
  return tidy(() => {
    const grey = strips.to('float32').div(255).unsqueeze(1)
    const square = F.interpolate(grey, { size: [size, size], mode: 'bilinear', alignCorners: false })
    const channel = (values: readonly number[]) =>
      tensor([...values], { dtype: 'float32', device: strips.device }).reshape([1, 3, 1, 1])
    return square.sub(channel(IMAGENET_MEAN)).div(channel(IMAGENET_STD))
  })
}
