// Drawings (SVG) laid over pictures.
import sharp from 'sharp'
import { ArgumentError, DTypeError, ShapeError } from '../native/errors'
import { tensor } from '../tensor/creation'
import { tidy } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'

/** @throws ShapeError, DTypeError unless the image is `[3, H, W]`, `[1, H, W]` or `[H, W]`, uint8 or floating point */
export function pictureSize(caller: string, { shape, dtype }: Tensor): [height: number, width: number] {
  const channels = shape.length === 2 ? 1 : shape.length === 3 ? shape[0] : 0
  const [height, width] = [shape.at(-2), shape.at(-1)]
  if ((channels !== 1 && channels !== 3) || !height || !width) {
    throw new ShapeError(`${caller}: the image is [3, H, W], [1, H, W] or [H, W], got [${shape.join(', ')}]`)
  }
  if (!['uint8', 'float16', 'bfloat16', 'float32', 'float64'].includes(dtype)) {
    throw new DTypeError(`${caller}: the image is uint8 or floating point in 0–1, got ${dtype}`)
  }
  return [height, width]
}

/** The image as `[3, H, W]` float32 in 0–255. */
export function levels(image: Tensor): Tensor {
  const plain = image.detach().to('float32')
  const picture = image.dtype === 'uint8' ? plain : plain.clamp({ min: 0, max: 1 }).mul(255)
  const [height, width] = [image.size(-2), image.size(-1)]
  return picture.reshape([-1, height, width]).expand([3, height, width])
}

/** Lays the elements of an SVG over an image: `[3, H, W]` uint8. */
export async function drawOver(caller: string, image: Tensor, elements: string): Promise<Tensor<'uint8'>> {
  const [height, width] = pictureSize(caller, image)
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${elements}</svg>`
  const overlay = await sharp(Buffer.from(svg), { limitInputPixels: false }).ensureAlpha().raw().toBuffer()
  return tidy(() => {
    const drawn = tensor(overlay, { shape: [height, width, 4], device: image.device })
      .permute([2, 0, 1])
      .to('float32')
    const picture = levels(image)
    const opacity = drawn.narrow(0, 3, 1).div(255)
    const blended = picture.add(drawn.narrow(0, 0, 3).sub(picture).mul(opacity))
    return blended.round().to('uint8').contiguous() as Tensor<'uint8'>
  })
}

/** Red, green and blue in 0–255. */
export type Rgb = readonly [red: number, green: number, blue: number]

/** @throws ArgumentError for a colour that is not `#rgb` or `#rrggbb` */
export function parseColour(caller: string, colour: string): Rgb {
  const digits = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(colour)?.[1]
  if (digits === undefined) throw new ArgumentError(`${caller}: '${colour}' is no colour; write #rgb or #rrggbb`)
  const size = digits.length / 3
  const part = (i: number) => Number.parseInt(digits.slice(i * size, (i + 1) * size).padEnd(2, digits[i]), 16)
  return [part(0), part(1), part(2)]
}

/** A colour for each number, neighbours far apart on the circle of hues. */
export function colourOf(i: number): string {
  const hue = (i * 137.508) % 360
  const channel = (offset: number): string => {
    // The usual formula of HSL at full saturation and a lightness of 0.55.
    const k = (offset + hue / 30) % 12
    const value = 0.55 - 0.45 * Math.max(-1, Math.min(k - 3, 9 - k, 1))
    return Math.round(value * 255)
      .toString(16)
      .padStart(2, '0')
  }
  return `#${channel(0)}${channel(8)}${channel(4)}`
}
