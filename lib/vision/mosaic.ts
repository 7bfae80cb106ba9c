// Pictures of several others, by the rules of YOLOv5 (mosaic: Bochkovskiy et al., YOLOv4, 2020).
import { uniform } from '../data/transforms/draw'
import { ArgumentError } from '../native/errors'
import { functional as F } from '../nn'
import { cat, full, type Generator, type Tensor, tidy } from '../tensor'
import { clipBoxesToImage } from './boxes'
import { checkLabelled, type LabelledImage, movedBoxes, sizeOfImage } from './labelled'

export interface MosaicOptions {
  /** The longer side of each picture; the mosaic has twice this on both. Default 640. */
  readonly size?: number
  /** Where there is no picture; default 114 ∕ 255. */
  readonly fill?: number
  /** Where four meet, or where nine are cut out, in pixels, instead of a place drawn at random. */
  readonly center?: readonly [x: number, y: number] | undefined
  readonly generator?: Generator | undefined
}

/**
 * Four pictures, each with a corner at one place: top left, top right, bottom left, bottom right. Each is enlarged or
 * shrunk to `size` before. Boxes are cut off at the mosaic; those that lie outside have no area, which `randomWarp`,
 * the usual next step with `border: −size ∕ 2`, takes out.
 *
 * @param pictures four
 * @returns image `[C, 2·size, 2·size]`
 */
export function mosaic(pictures: readonly LabelledImage[], options: MosaicOptions = {}): LabelledImage {
  return composed('mosaic', pictures, 4, options, (sizes, size) => {
    const { generator } = options
    const drawn = () => Math.trunc(uniform(size / 2, 1.5 * size, generator))
    // YOLOv5 draws the height first.
    const [y, x] = options.center === undefined ? [drawn(), drawn()] : [options.center[1], options.center[0]]
    const corners = sizes.map(([height, width], i) => {
      return [i % 2 === 0 ? x - width : x, i < 2 ? y - height : y] as const
    })
    return { corners, canvas: 2 * size, cut: [0, 0] }
  })
}

/**
 * Nine pictures: one in the middle, the others around it from the top with the clock; a window of twice the size is cut
 * out. All else as of `mosaic`.
 *
 * @param pictures nine
 */
export function mosaic9(pictures: readonly LabelledImage[], options: MosaicOptions = {}): LabelledImage {
  return composed('mosaic9', pictures, 9, options, (sizes, size) => {
    const { generator } = options
    const drawn = () => Math.trunc(uniform(0, size, generator))
    const [y, x] = options.center === undefined ? [drawn(), drawn()] : [options.center[1], options.center[0]]
    return { corners: aroundTheMiddle(sizes, size), canvas: 3 * size, cut: [x, y] }
  })
}

type Size = readonly [height: number, width: number]
type Place = readonly [x: number, y: number]

interface Layout {
  /** Top left corners of the pictures. */
  readonly corners: readonly Place[]
  readonly canvas: number
  /** The top left corner of the window of twice the size. */
  readonly cut: Place
}

function aroundTheMiddle(sizes: readonly Size[], s: number): Place[] {
  const [h0, w0] = sizes[0] ?? [0, 0]
  return sizes.map(([h, w], i) => {
    // Each goes beside the one before it.
    const [hp, wp] = sizes[i - 1] ?? [0, 0]
    const places: readonly Place[] = [
      [s, s],
      [s, s - h],
      [s + wp, s - h],
      [s + w0, s],
      [s + w0, s + hp],
      [s + w0 - w, s + h0],
      [s + w0 - wp - w, s + h0],
      [s - w, s + h0 - h],
      [s - w, s + h0 - hp - h],
    ]
    return places[i] ?? [s, s]
  })
}

function composed(
  name: string,
  pictures: readonly LabelledImage[],
  count: number,
  { size = 640, fill = 114 / 255 }: MosaicOptions,
  layout: (sizes: readonly Size[], size: number) => Layout,
): LabelledImage {
  if (pictures.length !== count) {
    throw new ArgumentError(`${name}: there are ${pictures.length} pictures; it is made of ${count}`)
  }
  if (!Number.isSafeInteger(size) || size < 2 || size % 2 !== 0) {
    throw new ArgumentError(`${name}: size is ${size}; it must be an even number from 2`)
  }
  for (const picture of pictures) checkLabelled(name, picture)
  const [first] = pictures as readonly [LabelledImage, ...LabelledImage[]]
  return tidy(() => {
    const fitted = pictures.map((picture) => fit(picture, size))
    const { corners, canvas, cut } = layout(fitted.map(sizeOfImage), size)
    const { dtype, device } = first.image
    const whole = full([first.image.size(0), canvas, canvas], fill, { dtype, device })
    for (const [i, { image }] of fitted.entries()) paste(whole, image, corners[i] ?? [0, 0])
    const boxes = fitted.map((picture, i) => {
      const [x, y] = corners[i] ?? [0, 0]
      return movedBoxes(picture.boxes, x - cut[0], y - cut[1])
    })
    const window = whole.narrow(1, cut[1], 2 * size).narrow(2, cut[0], 2 * size)
    return {
      image: canvas === 2 * size ? window : window.clone(),
      boxes: clipBoxesToImage(cat(boxes), [2 * size, 2 * size]),
      labels: cat(fitted.map(({ labels }) => labels)),
    }
  })
}

function fit(picture: LabelledImage, size: number): LabelledImage {
  const [height, width] = sizeOfImage(picture)
  const ratio = size / Math.max(height, width)
  if (ratio === 1) return picture
  const [newHeight, newWidth] = [Math.ceil(height * ratio), Math.ceil(width * ratio)]
  const image = F.interpolate(picture.image.unsqueeze(0), { size: [newHeight, newWidth], mode: 'bilinear' }).squeeze(0)
  return { ...picture, image, boxes: picture.boxes.mul(ratio) }
}

/** Copies what of an image lies on the canvas. */
function paste(canvas: Tensor, image: Tensor, [x, y]: Place): void {
  const length = canvas.size(1)
  const [top, left] = [Math.max(y, 0), Math.max(x, 0)]
  const [bottom, right] = [Math.min(y + image.size(1), length), Math.min(x + image.size(2), length)]
  if (bottom <= top || right <= left) return
  const part = image.narrow(1, top - y, bottom - top).narrow(2, left - x, right - left)
  canvas
    .narrow(1, top, bottom - top)
    .narrow(2, left, right - left)
    .copy_(part)
}
