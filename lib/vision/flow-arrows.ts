import { ArgumentError, DeviceError, DTypeError, ShapeError } from '../native/errors'
import { tidy } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'
import { checkFlow } from './check-flow'
import { drawOver } from './overlay'

export interface FlowArrowOptions {
  /** Distance between arrows in pixels, 20 unless stated. An arrow shows the mean of the square around its tail. */
  readonly step?: number | undefined
  /** Drawn pixels for each pixel of motion; unless stated, 95 % of the arrows are no longer than a step. */
  readonly scale?: number | undefined
  /** `#rgb` or `#rrggbb`; `#ffe14d` (yellow) unless stated. */
  readonly colour?: string | undefined
  /** `[H, W]` bool, false where the flow is unknown and not shown. NaN and |value| > 1e9 are unknown always. */
  readonly valid?: Tensor | undefined
}

/** An arrow from its tail along its vector, in drawn pixels. */
interface Arrow {
  readonly x: number
  readonly y: number
  readonly dx: number
  readonly dy: number
}

/** An arrow shorter than this is drawn as a dot: a head has no room on it. */
const DOT_BELOW = 1.5

/**
 * Draws a flow over a picture as anti-aliased arrows with a dark outline.
 *
 * @param image `[3, H, W]`, `[1, H, W]` or `[H, W]`; uint8, or floating point in 0–1
 * @param flow `[2, H, W]` floating point in pixels, of the size of the image
 * @returns `[3, H, W]` uint8 on the device of the image
 * @throws ShapeError, DTypeError, DeviceError when image and flow do not go together
 * @throws ArgumentError when an option is out of its range
 */
export async function drawFlowArrows(
  image: Tensor,
  flow: Tensor,
  { step = 20, scale, colour = '#ffe14d', valid }: FlowArrowOptions = {},
): Promise<Tensor<'uint8'>> {
  checkFlow('drawFlowArrows', flow, valid)
  const [height, width] = flow.shape.slice(1) as [number, number]
  checkPicture(image, flow, width, height)
  checkOptions(step, scale, colour)
  using plain = tidy(() => flow.detach().to('float32').contiguous())
  const vectors = (await plain.data()) as Float32Array
  const known = valid === undefined ? undefined : ((await valid.data()) as Uint8Array)
  const arrows = scaled(cellMeans(vectors, known, width, height, step), scale, step)
  return drawOver('drawFlowArrows', image, drawing(arrows, step, colour))
}

function checkPicture(image: Tensor, flow: Tensor, width: number, height: number): void {
  const { shape, dtype } = image
  const channels = shape.length === 2 ? 1 : shape.length === 3 ? shape[0] : 0
  if ((channels !== 1 && channels !== 3) || shape.at(-1) !== width || shape.at(-2) !== height) {
    throw new ShapeError(
      `drawFlowArrows: the image is [3, H, W], [1, H, W] or [H, W] with the flow's [${height}, ${width}], got ` +
        `[${shape.join(', ')}]`,
    )
  }
  if (!['uint8', 'float16', 'bfloat16', 'float32', 'float64'].includes(dtype)) {
    throw new DTypeError(`drawFlowArrows: the image is uint8 or floating point in 0–1, got ${dtype}`)
  }
  if (image.device !== flow.device) {
    throw new DeviceError(
      `drawFlowArrows: the image is on ${image.device}, the flow on ${flow.device}; move one with to()`,
    )
  }
}

function checkOptions(step: number, scale: number | undefined, colour: string): void {
  if (!Number.isInteger(step) || step < 4) {
    throw new ArgumentError(`drawFlowArrows: step is ${step}; it must be a whole number of at least 4 pixels`)
  }
  if (scale !== undefined && !(scale > 0 && scale < Number.POSITIVE_INFINITY)) {
    throw new ArgumentError(`drawFlowArrows: scale is ${scale}; it must be a positive number`)
  }
  if (!/^#(?:[0-9a-f]{3}|[0-9a-f]{6})$/i.test(colour)) {
    throw new ArgumentError(`drawFlowArrows: colour '${colour}' is not #rgb or #rrggbb, as in #ffe14d`)
  }
}

/** The mean known vector of each whole square of `step` pixels, at its centre. Squares mostly unknown are left out. */
function cellMeans(
  vectors: Float32Array,
  known: Uint8Array | undefined,
  width: number,
  height: number,
  step: number,
): Arrow[] {
  const arrows: Arrow[] = []
  // A picture smaller than a step still shows an arrow.
  const [cellWidth, cellHeight] = [Math.min(step, width), Math.min(step, height)]
  const [columns, rows] = [Math.floor(width / cellWidth), Math.floor(height / cellHeight)]
  const [left, top] = [Math.floor((width - columns * cellWidth) / 2), Math.floor((height - rows * cellHeight) / 2)]
  for (let cell = 0; cell < columns * rows; cell++) {
    const x0 = left + (cell % columns) * cellWidth
    const y0 = top + Math.floor(cell / columns) * cellHeight
    let [count, du, dv] = [0, 0, 0]
    for (let y = y0; y < y0 + cellHeight; y++) {
      for (let i = y * width + x0; i < y * width + x0 + cellWidth; i++) {
        const [u, v] = [vectors[i] as number, vectors[width * height + i] as number]
        if (known?.[i] === 0 || !(Math.abs(u) <= 1e9 && Math.abs(v) <= 1e9)) continue
        count += 1
        du += u
        dv += v
      }
    }
    if (2 * count < cellWidth * cellHeight) continue
    arrows.push({ x: x0 + cellWidth / 2, y: y0 + cellHeight / 2, dx: du / count, dy: dv / count })
  }
  return arrows
}

function scaled(arrows: readonly Arrow[], scale: number | undefined, step: number): Arrow[] {
  const lengths = arrows.map(({ dx, dy }) => Math.hypot(dx, dy)).sort((a, b) => a - b)
  // By the longest alone, one fast object would shrink all other arrows to dots.
  const long = lengths[Math.ceil(0.95 * lengths.length) - 1] || lengths.at(-1) || 0
  const factor = scale ?? (long > 0 ? step / long : 1)
  return arrows.map(({ x, y, dx, dy }) => ({ x, y, dx: dx * factor, dy: dy * factor }))
}

function drawing(arrows: readonly Arrow[], step: number, colour: string): string {
  // The outline under the fill keeps a bright arrow visible on a bright picture. A path for each arrow, because a parser
  // may refuse one attribute of many megabytes.
  const paths = arrows.map((arrow) => `<path d="${outline(arrow, step)}"/>`).join('')
  return (
    `<g fill="${colour}" stroke="#101010" stroke-opacity="0.8" stroke-width="1.4" stroke-linejoin="round" ` +
    `paint-order="stroke">${paths}</g>`
  )
}

/** The closed outline of an arrow, or of a dot. */
function outline({ x, y, dx, dy }: Arrow, step: number): string {
  const length = Math.hypot(dx, dy)
  if (length < DOT_BELOW) {
    const r = 0.9
    return `M${point(x - r, y)}a${r},${r} 0 1,0 ${2 * r},0a${r},${r} 0 1,0 ${-2 * r},0Z`
  }
  const [ux, uy] = [dx / length, dy / length]
  const head = Math.min(0.5 * length, 0.4 * step)
  const headHalf = 0.55 * head
  const shaftHalf = Math.min(0.05 * step, 0.35 * headHalf)
  // Distances along the arrow and to its left.
  const corners: readonly (readonly [number, number])[] = [
    [0, shaftHalf],
    [length - head, shaftHalf],
    [length - head, headHalf],
    [length, 0],
    [length - head, -headHalf],
    [length - head, -shaftHalf],
    [0, -shaftHalf],
  ]
  return `M${corners.map(([along, aside]) => point(x + ux * along - uy * aside, y + uy * along + ux * aside)).join('L')}Z`
}

function point(x: number, y: number): string {
  return `${x.toFixed(2)},${y.toFixed(2)}`
}
