import { ArgumentError } from '../native/errors'
import { type Tensor, tensor, tidy } from '../tensor'

/**
 * Adds rows below and columns on the right that mirror the picture without repeating its edge, as often as it takes; a
 * side of one pixel is repeated.
 *
 * @param images `[…, H, W]`
 * @returns `[…, height, width]`; the images themselves where nothing is to be added
 * @throws ArgumentError when the wanted sides are smaller
 */
export function mirrorPad(images: Tensor, height: number, width: number): Tensor {
  const [rows, columns] = [images.size(-2), images.size(-1)]
  if (!(height >= rows && width >= columns)) {
    throw new ArgumentError(`mirrorPad: ${rows} × ${columns} pixels do not become ${height} × ${width} by adding some`)
  }
  return tidy(() => {
    const taller = height === rows ? images : images.indexSelect(-2, mirrored(rows, height, images))
    return width === columns ? taller : taller.indexSelect(-1, mirrored(columns, width, images))
  })
}

/** Sides that are the next multiples. */
export function mirrorPadToMultiple(images: Tensor, multiple: number): Tensor {
  const up = (side: number) => Math.ceil(side / multiple) * multiple
  return mirrorPad(images, up(images.size(-2)), up(images.size(-1)))
}

/** Which line each line of the padded side shows. */
function mirrored(size: number, wanted: number, { device }: Tensor): Tensor {
  const period = Math.max(1, 2 * (size - 1))
  const lines = Array.from({ length: wanted }, (_, i) => {
    const place = i % period
    return place < size ? place : period - place
  })
  return tensor(lines, { dtype: 'int64', device })
}
