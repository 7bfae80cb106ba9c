// Numbered objects in colours over the picture or the volume that they were found in.
import { ArgumentError, ShapeError } from '../native/errors'
import { cat, type Tensor, tensor, tidy, where, zeros } from '../tensor'
import { colourOf, levels, parseColour } from './overlay'

export interface LabelColourOptions {
  /** How much of an object's colour covers it; 0.35 unless stated. Its outline is covered wholly. */
  readonly alpha?: number | undefined
}

/**
 * Objects of a picture in colours, with outlines.
 *
 * @param image `[H, W]`, `[1, H, W]` or `[3, H, W]`; uint8, or floating point in 0–1
 * @param labels `[H, W]` whole numbers; 0 stays as it is
 * @returns `[3, H, W]` uint8
 * @throws ShapeError when the two are not of one size, ArgumentError for an alpha outside 0–1
 */
export function drawLabels(image: Tensor, labels: Tensor, { alpha = 0.35 }: LabelColourOptions = {}): Tensor<'uint8'> {
  const [height, width] = image.shape.slice(-2)
  if (labels.ndim !== 2 || labels.size(0) !== height || labels.size(1) !== width) {
    throw new ShapeError(
      `drawLabels: labels are [H, W] with the image's [${height}, ${width}], got [${labels.shape.join(', ')}]`,
    )
  }
  if (!(alpha >= 0 && alpha <= 1)) throw new ArgumentError(`drawLabels: alpha is ${alpha}; it is from 0 to 1`)
  return tidy(() => {
    const numbers = labels.to('int64')
    const most = numbers.numel === 0 ? 0 : Number(numbers.amax().item())
    const table = Array.from({ length: most + 1 }, (_, label) => [...parseColour('drawLabels', colourOf(label))])
    const colours = tensor(table, { dtype: 'float32', device: labels.device })
    const painted = colours
      .indexSelect(0, numbers.flatten())
      .reshape([...labels.shape, 3])
      .permute([2, 0, 1])
    const inside = numbers.ne(0)
    const cover = where(edges(numbers).logicalAnd(inside), 1, inside.to('float32').mul(alpha))
    const picture = levels(image)
    return picture.add(painted.sub(picture).mul(cover)).round().to('uint8').contiguous() as Tensor<'uint8'>
  })
}

/** Where a number differs from that on the right or below, on either side of it. */
function edges(labels: Tensor): Tensor {
  const found = [0, 1].map((dim) => {
    const count = labels.size(dim) - 1
    const differs = labels.narrow(dim, 0, count).ne(labels.narrow(dim, 1, count))
    const last = zeros([...labels.shape].with(dim, 1), { dtype: 'bool', device: labels.device })
    return cat([differs, last], { dim }).logicalOr(cat([last, differs], { dim }))
  })
  return (found[0] as Tensor).logicalOr(found[1] as Tensor)
}

export interface VolumePictureOptions extends LabelColourOptions {
  /** Slices that are shown, evenly spaced; 6 unless stated. */
  readonly slices?: number | undefined
  /** Slices beside one another; 3 unless stated. */
  readonly columns?: number | undefined
}

const GAP = 2

/**
 * Slices of a volume side by side, with the objects in colours.
 *
 * @param volume `[D, H, W]`, uint8 or floating point in 0–1
 * @param labels `[D, H, W]` whole numbers
 * @returns `[3, H', W']` uint8
 * @throws ShapeError when the two are not of one size
 */
export function volumePicture(
  volume: Tensor,
  labels: Tensor,
  { slices = 6, columns = 3, ...colours }: VolumePictureOptions = {},
): Tensor<'uint8'> {
  if (volume.ndim !== 3 || String(volume.shape) !== String(labels.shape)) {
    throw new ShapeError(
      `volumePicture: volume and labels are [D, H, W] of one size, got [${volume.shape.join(', ')}] and [${labels.shape.join(', ')}]`,
    )
  }
  const [depth = 1, height = 1, width = 1] = volume.shape
  const count = Math.min(slices, depth)
  const [across, down] = [Math.min(columns, count), Math.ceil(count / columns)]
  return tidy(() => {
    const sheet = zeros([3, down * (height + GAP) - GAP, across * (width + GAP) - GAP], { dtype: 'uint8' }).add(255)
    for (let i = 0; i < count; i++) {
      const z = Math.floor(((i + 0.5) * depth) / count)
      const drawn = drawLabels(volume.select(0, z), labels.select(0, z), colours)
      const [row, column] = [Math.floor(i / across), i % across]
      sheet
        .narrow(1, row * (height + GAP), height)
        .narrow(2, column * (width + GAP), width)
        .copy_(drawn)
    }
    return sheet as Tensor<'uint8'>
  })
}
