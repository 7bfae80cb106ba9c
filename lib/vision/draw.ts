// Drawing what detectors find, as torchvision.utils does, anti-aliased.
import { ArgumentError, ShapeError } from '../native/errors'
import { tensor, where } from '../tensor'
import { tidy } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'
import { checkBoxes } from './boxes/check'
import { colourOf, drawOver, levels, parseColour, pictureSize } from './overlay'

/** One colour for all, or one for each, `#rgb` or `#rrggbb`; unless stated they differ. */
export type Colours = string | readonly string[]

export interface DrawBoxesOptions {
  /** What stands above each box. */
  readonly labels?: readonly string[]
  readonly colours?: Colours
  /** Of the lines in pixels; default 2. */
  readonly width?: number
  /** Fills boxes with their colour, half transparent; default false. */
  readonly fill?: boolean
  /** Of the labels in pixels; default 14. */
  readonly fontSize?: number
}

/**
 * Draws boxes with labels.
 *
 * @param image `[3, H, W]`, `[1, H, W]` or `[H, W]`; uint8, or floating point in 0–1
 * @param boxes `[N, 4]` as (x1, y1, x2, y2) in pixels
 * @returns `[3, H, W]` uint8
 * @throws ShapeError, DTypeError for an image or boxes that do not fit; ArgumentError for lists of another length
 */
export async function drawBoundingBoxes(
  image: Tensor,
  boxes: Tensor,
  options: DrawBoxesOptions = {},
): Promise<Tensor<'uint8'>> {
  const { labels, colours, width = 2, fill = false, fontSize = 14 } = options
  checkBoxes('drawBoundingBoxes', 'boxes', boxes)
  const count = boxes.size(0)
  checkCount('drawBoundingBoxes', 'labels', labels, count)
  const colour = chooser('drawBoundingBoxes', colours, count)
  const rows = (await numbers(boxes)).map(([x1 = 0, y1 = 0, x2 = 0, y2 = 0], i) => {
    const fillOf = fill ? `fill="${colour(i)}" fill-opacity="0.5"` : 'fill="none"'
    const frame =
      `<rect x="${x1}" y="${y1}" width="${Math.max(0, x2 - x1)}" height="${Math.max(0, y2 - y1)}" ` +
      `${fillOf} stroke="${colour(i)}" stroke-width="${width}"/>`
    const text = labels?.[i]
    return frame + (text === undefined ? '' : label(text, x1, y1, fontSize, colour(i)))
  })
  return drawOver('drawBoundingBoxes', image, rows.join(''))
}

/** A line of text on its colour above a box, or inside where there is no room above. */
function label(text: string, x: number, y: number, size: number, colour: string): string {
  const [width, height] = [0.6 * size * text.length + 6, size + 4]
  const top = y - height >= 0 ? y - height : y
  const left = Math.max(0, x)
  return (
    `<rect x="${left}" y="${top}" width="${width}" height="${height}" fill="${colour}"/>` +
    `<text x="${left + 3}" y="${top + 0.8 * height}" font-family="monospace" font-size="${size}" fill="#000">${escaped(text)}</text>`
  )
}

function escaped(text: string): string {
  const names: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }
  return text.replace(/[&<>]/g, (character) => names[character] ?? character)
}

export interface DrawMasksOptions {
  /** How much of the colour covers the image; default 0.8. */
  readonly alpha?: number
  readonly colours?: Colours
}

/**
 * Colours the pixels of masks, as `torchvision.utils.draw_segmentation_masks`: where masks lie over one another the last
 * one is seen.
 *
 * @param image as `drawBoundingBoxes`
 * @param masks `[N, H, W]` bool; what is not 0 of another type
 * @returns `[3, H, W]` uint8
 */
export function drawSegmentationMasks(image: Tensor, masks: Tensor, options: DrawMasksOptions = {}): Tensor<'uint8'> {
  const { alpha = 0.8, colours } = options
  const [height, width] = pictureSize('drawSegmentationMasks', image)
  const { shape } = masks
  if (shape.length !== 3 || shape[1] !== height || shape[2] !== width) {
    throw new ShapeError(
      `drawSegmentationMasks: masks are [N, H, W] with the image's [${height}, ${width}], got [${shape.join(', ')}]`,
    )
  }
  if (!(alpha >= 0 && alpha <= 1))
    throw new ArgumentError(`drawSegmentationMasks: alpha is ${alpha}; it is from 0 to 1`)
  const colour = chooser('drawSegmentationMasks', colours, masks.size(0))
  return tidy(() => {
    const picture = levels(image)
    const painted = masks
      .ne(0)
      .unbind()
      .reduce((below, mask, i) => {
        const rgb = tensor([...parseColour('drawSegmentationMasks', colour(i))], {
          dtype: 'float32',
          device: image.device,
        })
        return where(mask, rgb.reshape([3, 1, 1]), below)
      }, picture)
    // Rounded down, as torchvision converts.
    const blended = picture.mul(1 - alpha).add(painted.mul(alpha))
    return blended.to('uint8').contiguous() as Tensor<'uint8'>
  })
}

export interface DrawKeypointsOptions {
  /** Pairs of keypoints that a line joins. */
  readonly connectivity?: readonly (readonly [number, number])[]
  /** One for all instances, or one for each. */
  readonly colours?: Colours
  /** Of the dots in pixels; default 2. */
  readonly radius?: number
  /** Of the lines in pixels; default 3. */
  readonly width?: number
}

/**
 * Draws keypoints of instances, and lines between those that belong together.
 *
 * @param image as `drawBoundingBoxes`
 * @param keypoints `[N, K, 2]` as (x, y), or `[N, K, 3]` as (x, y, visible), whose invisible ones are left out
 * @returns `[3, H, W]` uint8
 */
export async function drawKeypoints(
  image: Tensor,
  keypoints: Tensor,
  options: DrawKeypointsOptions = {},
): Promise<Tensor<'uint8'>> {
  const { connectivity = [], colours, radius = 2, width = 3 } = options
  const { shape } = keypoints
  if (shape.length !== 3 || (shape[2] !== 2 && shape[2] !== 3)) {
    throw new ShapeError(`drawKeypoints: keypoints are [N, K, 2] or [N, K, 3], got [${shape.join(', ')}]`)
  }
  const [count = 0, each = 0] = shape
  if (connectivity.flat().some((place) => !Number.isInteger(place) || place < 0 || place >= each)) {
    throw new ArgumentError(
      `drawKeypoints: connectivity joins keypoints 0 to ${each - 1}, got ${JSON.stringify(connectivity)}`,
    )
  }
  const colour = chooser('drawKeypoints', colours, count)
  const points = await numbers(keypoints.reshape([-1, shape[2]]))
  const at = (instance: number, place: number) => points[instance * each + place] ?? []
  const seen = ([, , visible = 1]: readonly number[]): boolean => visible > 0
  const instances = Array.from({ length: count }, (_, i) => {
    const lines = connectivity
      .map(([from, to]) => [at(i, from), at(i, to)] as const)
      .filter(([from, to]) => seen(from) && seen(to))
      .map(([a, b]) => `<path d="M${a[0]},${a[1]}L${b[0]},${b[1]}" stroke="${colour(i)}" stroke-width="${width}"/>`)
    const dots = Array.from({ length: each }, (_, place) => at(i, place))
      .filter(seen)
      .map(([x, y]) => `<circle cx="${x}" cy="${y}" r="${radius}" fill="${colour(i)}"/>`)
    return [...lines, ...dots].join('')
  })
  return drawOver('drawKeypoints', image, instances.join(''))
}

/** The rows of a tensor `[N, M]`, read without blocking. @throws ArgumentError for numbers that are not finite */
async function numbers(rows: Tensor): Promise<number[][]> {
  const width = rows.size(1)
  using plain = tidy(() => rows.detach().to('float64').contiguous())
  const values = (await plain.data()) as Float64Array
  if (!values.every(Number.isFinite)) throw new ArgumentError('drawing: coordinates must be finite numbers')
  return Array.from({ length: rows.size(0) }, (_, i) => [...values.subarray(i * width, (i + 1) * width)])
}

function checkCount(caller: string, name: string, list: readonly unknown[] | undefined, count: number): void {
  if (list === undefined || list.length === count) return
  throw new ArgumentError(`${caller}: there are ${list.length} ${name} for ${count}; give one for each`)
}

/** The colour of each thing. */
function chooser(caller: string, colours: Colours | undefined, count: number): (i: number) => string {
  if (colours === undefined) return colourOf
  const list = typeof colours === 'string' ? new Array<string>(count).fill(colours) : colours
  checkCount(caller, 'colours', list, count)
  for (const colour of list) parseColour(caller, colour)
  return (i) => list[i] ?? colourOf(i)
}
