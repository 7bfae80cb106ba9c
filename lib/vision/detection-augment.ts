// Colours, mirrors and mixtures of pictures with boxes, by the rules of YOLOv5.
import { dirichlet, fraction, uniform } from '../data/transforms/draw'
import { ArgumentError, ShapeError } from '../native/errors'
import { cat, type Generator, stack, type Tensor, tidy } from '../tensor'
import { hsvToRgb, rgbToHsv } from './colour'
import { checkLabelled, type LabelledImage, sizeOfImage } from './labelled'

export interface HsvJitterOptions {
  /** Most that the hue is multiplied by beyond 1; default 0.015. */
  readonly hue?: number
  /** The same of the saturation; default 0.7. */
  readonly saturation?: number
  /** The same of the value; default 0.4. */
  readonly value?: number
  readonly generator?: Generator | undefined
}

/**
 * Hue, saturation and value multiplied by factors drawn about 1, the hue around the wheel.
 *
 * @param image `[3, H, W]` or `[N, 3, H, W]`, RGB from 0 to 1
 */
export function hsvJitter(image: Tensor, options: HsvJitterOptions = {}): Tensor {
  const { hue = 0.015, saturation = 0.7, value = 0.4, generator } = options
  for (const [name, gain] of Object.entries({ hue, saturation, value })) {
    if (!(gain >= 0 && gain <= 1)) throw new ArgumentError(`hsvJitter: ${name} is ${gain}; it must be from 0 to 1`)
  }
  const [h, s, v] = [hue, saturation, value].map((gain) => 1 + gain * uniform(-1, 1, generator)) as [
    number,
    number,
    number,
  ]
  return scaleHsv(image, [h, s, v])
}

/** Hue, saturation and value multiplied by factors, the hue around the wheel. */
export function scaleHsv(image: Tensor, [hue, saturation, value]: readonly [number, number, number]): Tensor {
  return tidy(() => {
    const [h, s, v] = rgbToHsv(image).unbind({ dim: -3 }) as [Tensor, Tensor, Tensor]
    const turned = h.mul(hue).remainder(1)
    const scaled = [s.mul(saturation), v.mul(value)].map((part) => part.clamp({ min: 0, max: 1 }))
    return hsvToRgb(stack([turned, ...scaled], { dim: -3 }))
  })
}

/** The mirror image, left for right, with its boxes. */
export function flipLabelled(picture: LabelledImage): LabelledImage {
  checkLabelled('flipLabelled', picture)
  return tidy(() => {
    const { image, boxes, labels } = picture
    const [x1, y1, x2, y2] = boxes.unbind({ dim: 1 }) as [Tensor, Tensor, Tensor, Tensor]
    const [, width] = sizeOfImage(picture)
    const mirrored = stack([x2.neg().add(width), y1, x1.neg().add(width), y2], { dim: 1 })
    return { image: image.flip([-1]), boxes: mirrored, labels: labels.clone() }
  })
}

/** `flipLabelled` with a probability, ½ unless stated. */
export function randomFlipLabelled(
  picture: LabelledImage,
  { p = 0.5, generator }: { readonly p?: number; readonly generator?: Generator | undefined } = {},
): LabelledImage {
  if (!(p >= 0 && p <= 1)) throw new ArgumentError(`randomFlipLabelled: p is ${p}; it must be from 0 to 1`)
  return fraction(generator) < p ? flipLabelled(picture) : picture
}

export interface MixupOptions {
  /** Both parameters of the Beta distribution of the share; default 32: about one half. */
  readonly alpha?: number
  /** The first picture's share, instead of a drawn one. */
  readonly share?: number | undefined
  readonly generator?: Generator | undefined
}

/**
 * Two pictures blended, with the boxes of both (Zhang et al., ICLR 2018).
 *
 * @throws ShapeError when their sizes differ
 */
export function mixupLabelled(first: LabelledImage, second: LabelledImage, options: MixupOptions = {}): LabelledImage {
  const { alpha = 32, generator } = options
  checkLabelled('mixupLabelled', first)
  checkLabelled('mixupLabelled', second)
  if (String(first.image.shape) !== String(second.image.shape)) {
    throw new ShapeError(
      `mixupLabelled: the pictures are [${first.image.shape}] and [${second.image.shape}]; they have one shape`,
    )
  }
  if (!(alpha > 0 && Number.isFinite(alpha))) {
    throw new ArgumentError(`mixupLabelled: alpha is ${alpha}; it must be above 0`)
  }
  return tidy(() => {
    const share = options.share ?? dirichlet(alpha, 1, 2, generator).at(0, 0).toNumber()
    return {
      image: first.image.mul(share).add(second.image.mul(1 - share)),
      boxes: cat([first.boxes, second.boxes]),
      labels: cat([first.labels, second.labels]),
    }
  })
}
