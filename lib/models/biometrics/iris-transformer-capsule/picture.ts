// What was compared, as a picture: both eyes with their circles, the strips, and where they differ.
import { functional as F } from '../../../nn'
import { cat, full, type Tensor, tidyAsync } from '../../../tensor'
import { drawOver } from '../../../vision/overlay'
import { heightAt, type Parabola } from './eyelids'
import type { NormalisedIris } from './normalise'
import type { Circle } from './rubber-sheet'

const EYE_HEIGHT = 192
const GAP = 4
const COLOURS = { pupil: '#ffd400', iris: '#19d3ff', lid: '#ff4fd8' } as const

/** An image that was given, and what was made of it. */
export interface SeenIris {
  /** `[3, H, W]` in 0–1. */
  readonly image: Tensor
  readonly normalised: NormalisedIris
}

/**
 * Both eyes with their circles and lids (where pictures of eyes were given), then the strips, dark where they are
 * covered, then where the network sees a difference, white where it is largest.
 *
 * @param difference `[h, w]`, of the square that strips are resized to
 * @returns `[3, H, W]` uint8
 */
export function matchPicture(seen: readonly [SeenIris, SeenIris], difference: Tensor): Promise<Tensor<'uint8'>> {
  return tidyAsync(async () => {
    const [height = 0, width = 0] = seen[0].normalised.strip.shape
    const rows: Tensor[] = []
    if (seen.some(({ normalised }) => normalised.segmentation !== undefined)) {
      const half = Math.floor((width - GAP) / 2)
      const [left, right] = [await eyePicture(seen[0], half), await eyePicture(seen[1], width - GAP - half)]
      rows.push(cat([left, blank(EYE_HEIGHT, GAP), right], { dim: 2 }))
    }
    for (const { normalised } of seen) rows.push(stripPicture(normalised))
    const square = difference.div(difference.max().clampMin(1e-12)).to('cpu')
    const [h = 0, w = 0] = square.shape
    const wide = F.interpolate(square.reshape([1, 1, h, w]), { size: [height, width], mode: 'bilinear' })
    rows.push(wide.reshape([1, height, width]).mul(255).round().to('uint8').expand([3, height, width]))
    const spaced = rows.flatMap((row, i) => (i === 0 ? [row] : [blank(GAP, width), row]))
    return cat(spaced, { dim: 1 }) as Tensor<'uint8'>
  })
}

const blank = (height: number, width: number) => full([3, height, width], 255).to('uint8')

function stripPicture({ strip, mask }: NormalisedIris): Tensor {
  const [height = 0, width = 0] = strip.shape
  const shaded = strip.to('float32').mul(mask.to('float32').mul(0.6).add(0.4))
  return shaded.round().to('uint8').expand([3, height, width]).to('cpu')
}

/** The eye in the middle of a field, with what was found in it. */
async function eyePicture({ image, normalised }: SeenIris, width: number): Promise<Tensor> {
  const [, rows = 1, columns = 1] = image.shape
  const scale = Math.min(EYE_HEIGHT / rows, width / columns)
  const [h, w] = [Math.max(1, Math.round(rows * scale)), Math.max(1, Math.round(columns * scale))]
  const sized = F.interpolate(image.to('cpu').unsqueeze(0), {
    size: [h, w],
    mode: 'bilinear',
    antialias: scale < 1,
  }).squeeze(0)
  const [top, left] = [Math.floor((EYE_HEIGHT - h) / 2), Math.floor((width - w) / 2)]
  const field = full([3, EYE_HEIGHT, width], 1)
  field
    .narrow(1, top, h)
    .narrow(2, left, w)
    .copy_(sized.clamp({ min: 0, max: 1 }))
  const { segmentation } = normalised
  if (segmentation === undefined) return field.mul(255).round().to('uint8')
  const [sx, sy] = [w / columns, h / rows]
  const at = (x: number, y: number) => [left + (x + 0.5) * sx, top + (y + 0.5) * sy] as const
  const circle = ({ x, y, radius }: Circle, colour: string) => {
    const [cx, cy] = at(x, y)
    return `<ellipse cx="${cx}" cy="${cy}" rx="${radius * sx}" ry="${radius * sy}" fill="none" stroke="${colour}" stroke-width="1.5"/>`
  }
  const lid = (parabola: Parabola | undefined) => {
    if (parabola === undefined) return ''
    const { x: middle, radius } = segmentation.iris
    const points = Array.from({ length: 41 }, (_, i) => middle + ((i - 20) / 20) * radius)
    const line = points.map((x) => at(x, heightAt(parabola, x)).join()).join(' ')
    return `<polyline points="${line}" fill="none" stroke="${COLOURS.lid}" stroke-width="1.5"/>`
  }
  const { pupil, iris, eyelids } = segmentation
  const lids = lid(eyelids.upper) + lid(eyelids.lower)
  return drawOver('matchPicture', field, circle(pupil, COLOURS.pupil) + circle(iris, COLOURS.iris) + lids)
}
