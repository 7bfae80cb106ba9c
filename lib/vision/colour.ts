import { DTypeError, ShapeError } from '../native/errors'
import { tensor } from '../tensor/creation'
import { stack, where } from '../tensor/ops.generated'
import { tidy } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'

// Every function takes `[..., 3, H, W]` floating point; red, green and blue are in 0–1 (sRGB, as files hold them).

/** Luma weights of Rec. 601, as JPEG, OpenCV and Pillow use them. */
const [RED, GREEN, BLUE] = [0.299, 0.587, 0.114]

/**
 * Grey by Rec. 601: 0.299 R + 0.587 G + 0.114 B.
 *
 * @param image `[..., 3, H, W]` floating point, or uint8 (the result is rounded)
 * @returns `[..., 1, H, W]` of the image's dtype
 * @throws ShapeError, DTypeError when the tensor is no colour image
 */
export function rgbToGrey(image: Tensor): Tensor {
  return tidy(() => {
    const bytes = image.dtype === 'uint8'
    const [red, green, blue] = channels('rgbToGrey', bytes ? image.to('float32') : image)
    const grey = luma(red, green, blue).unsqueeze(-3)
    return bytes ? grey.round().to('uint8') : grey
  })
}

/**
 * Hue, saturation, value (Smith, 1978), all in 0–1: hue 0 is red, 1/3 green, 2/3 blue; the hue of a grey is 0.
 *
 * @param image `[..., 3, H, W]` floating point in 0–1
 * @throws ShapeError, DTypeError when the tensor is no colour image
 */
export function rgbToHsv(image: Tensor): Tensor {
  return tidy(() => {
    const [red, green, blue] = channels('rgbToHsv', image)
    const value = red.maximum(green).maximum(blue)
    const range = value.sub(red.minimum(green).minimum(blue))
    const divisor = range.where(range.gt(0), 1)
    const [fromRed, fromGreen, fromBlue] = [
      green.sub(blue),
      blue.sub(red).add(range.mul(2)),
      red.sub(green).add(range.mul(4)),
    ]
    const sector = where(value.eq(red), fromRed, where(value.eq(green), fromGreen, fromBlue)).div(divisor)
    // The remainder of a tiny negative number rounds to 1, which is hue 0.
    const turn = sector.div(6).remainder(1)
    const saturation = range.div(value.where(value.gt(0), 1))
    return joined(turn.where(turn.lt(1), 0), saturation, value)
  })
}

/**
 * Red, green and blue of hue, saturation and value; hue may be any number of turns.
 *
 * @param image `[..., 3, H, W]` floating point, saturation and value in 0–1
 * @throws ShapeError, DTypeError when the tensor is no colour image
 */
export function hsvToRgb(image: Tensor): Tensor {
  return tidy(() => {
    const [hue, saturation, value] = channels('hsvToRgb', image)
    const chroma = saturation.mul(value)
    // Each colour falls from the value by a trapezium of the hue; red, green and blue are 2 sectors apart.
    const channel = (offset: number) => {
      const place = hue.mul(6).add(offset).remainder(6)
      return value.sub(chroma.mul(place.minimum(place.neg().add(4)).clamp({ min: 0, max: 1 })))
    }
    return joined(channel(5), channel(3), channel(1))
  })
}

/**
 * Luma and colour differences of JPEG (JFIF, ITU-T T.871, full range): Y in 0–1, Cb and Cr in 0–1 around 0.5.
 *
 * @param image `[..., 3, H, W]` floating point in 0–1
 * @throws ShapeError, DTypeError when the tensor is no colour image
 */
export function rgbToYcbcr(image: Tensor): Tensor {
  return tidy(() => {
    const [red, green, blue] = channels('rgbToYcbcr', image)
    const y = luma(red, green, blue)
    const cb = blue
      .sub(y)
      .div(2 * (1 - BLUE))
      .add(0.5)
    const cr = red
      .sub(y)
      .div(2 * (1 - RED))
      .add(0.5)
    return joined(y, cb, cr)
  })
}

/** The inverse of `rgbToYcbcr`; values outside 0–1 are not clamped. */
export function ycbcrToRgb(image: Tensor): Tensor {
  return tidy(() => {
    const [y, cb, cr] = channels('ycbcrToRgb', image)
    const red = y.add(cr.sub(0.5).mul(2 * (1 - RED)))
    const blue = y.add(cb.sub(0.5).mul(2 * (1 - BLUE)))
    const green = y.sub(red.mul(RED)).sub(blue.mul(BLUE)).div(GREEN)
    return joined(red, green, blue)
  })
}

/** Linear sRGB to XYZ: the primaries of IEC 61966-2-1 with D65 at (0.95047, 1, 1.08883), to seven digits. */
const XYZ_OF_RGB = [
  [0.4124564, 0.3575761, 0.1804375],
  [0.2126729, 0.7151522, 0.072175],
  [0.0193339, 0.119192, 0.9503041],
] as const

/** XYZ of white: the row sums, so that greys have a* = b* = 0. */
const WHITE = XYZ_OF_RGB.map((row) => row[0] + row[1] + row[2])

/** Below this share of white, CIE's cube root gives way to a line (CIE 15:2004). */
const LINEAR_BELOW = (6 / 29) ** 3
const SLOPE = (29 / 6) ** 2 / 3
const OFFSET = 4 / 29

/**
 * CIE L*a*b* under D65 (CIE 15:2004): L* in 0–100, a* and b* about −110 to 110.
 *
 * @param image `[..., 3, H, W]` floating point in 0–1
 * @throws ShapeError, DTypeError when the tensor is no colour image
 */
export function rgbToLab(image: Tensor): Tensor {
  return tidy(() => {
    const linear = channels('rgbToLab', image).map(toLinear) as [Tensor, Tensor, Tensor]
    const [x, y, z] = XYZ_OF_RGB.map((row, i) => {
      const share = weighted(linear, row).div(WHITE[i] as number)
      // The power of a negative number, from an image that leaves 0–1, would be NaN in the branch not taken.
      const root = share.clamp({ min: LINEAR_BELOW }).pow(1 / 3)
      return where(share.gt(LINEAR_BELOW), root, share.mul(SLOPE).add(OFFSET))
    }) as [Tensor, Tensor, Tensor]
    return joined(y.mul(116).sub(16), x.sub(y).mul(500), y.sub(z).mul(200))
  })
}

/** The inverse of `rgbToLab`; colours outside sRGB are clamped to 0–1. */
export function labToRgb(image: Tensor): Tensor {
  return tidy(() => {
    const [lightness, a, b] = channels('labToRgb', image)
    const y = lightness.add(16).div(116)
    const xyz = [y.add(a.div(500)), y, y.sub(b.div(200))].map((root, i) => {
      const share = where(root.gt(6 / 29), root.pow(3), root.sub(OFFSET).div(SLOPE))
      return share.mul(WHITE[i] as number)
    }) as [Tensor, Tensor, Tensor]
    const inverse = tensor(XYZ_OF_RGB, { dtype: 'float64' }).inverse().toArray() as number[][]
    const rgb = inverse.map((row) => fromLinear(weighted(xyz, row as [number, number, number])))
    return joined(...(rgb as [Tensor, Tensor, Tensor]))
  })
}

/** Removes sRGB's gamma (IEC 61966-2-1). */
function toLinear(value: Tensor): Tensor {
  const curve = value.clamp({ min: 0.04045 }).add(0.055).div(1.055).pow(2.4)
  return where(value.gt(0.04045), curve, value.div(12.92))
}

function fromLinear(value: Tensor): Tensor {
  const curve = value
    .clamp({ min: 0.0031308 })
    .pow(1 / 2.4)
    .mul(1.055)
    .sub(0.055)
  return where(value.gt(0.0031308), curve, value.mul(12.92)).clamp({ min: 0, max: 1 })
}

function weighted([a, b, c]: [Tensor, Tensor, Tensor], weights: readonly [number, number, number]): Tensor {
  return a.mul(weights[0]).add(b.mul(weights[1])).add(c.mul(weights[2]))
}

function luma(red: Tensor, green: Tensor, blue: Tensor): Tensor {
  return weighted([red, green, blue], [RED, GREEN, BLUE])
}

function joined(first: Tensor, second: Tensor, third: Tensor): Tensor {
  return stack([first, second, third], { dim: -3 })
}

function channels(name: string, image: Tensor): [Tensor, Tensor, Tensor] {
  const { shape, dtype } = image
  if (shape.length < 3 || shape.at(-3) !== 3) {
    throw new ShapeError(`${name}: a colour image is [..., 3, H, W], got [${shape.join(', ')}]`)
  }
  if (!['float16', 'bfloat16', 'float32', 'float64'].includes(dtype)) {
    throw new DTypeError(`${name}: a colour image is floating point in 0–1, got ${dtype}; use to('float32').div(255)`)
  }
  return image.unbind({ dim: -3 }) as [Tensor, Tensor, Tensor]
}
