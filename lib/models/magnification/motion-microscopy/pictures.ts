// Pictures of motion: slices through time, lines that move, and amplitudes in colour.
import { type ClipStream, clipStream, type VideoInput } from '../../../pipeline'
import { clamp, gridSampler, stack, type Tensor, tensor, tidy, tidyAsync } from '../../../tensor'
import { drawOver } from '../../../vision/overlay'
import type { Harmonic } from './measurement'
import { alongLine, type Line, pointsOf } from './waves'

/**
 * What a line of a clip shows over time: a row a frame, so that what moves along the line draws a curve.
 *
 * @returns `[3, T, points]`, uint8 from files
 */
export async function spaceTimeSlice(
  input: VideoInput | ClipStream,
  line: Line,
  signal?: AbortSignal,
): Promise<Tensor> {
  return tidyAsync(async () => {
    const clip = typeof input === 'object' && 'frameCount' in input ? input : await clipStream(input, 'spaceTimeSlice')
    const rows: Tensor[] = []
    for await (const frame of clip.frames(signal)) {
      rows.push(
        tidy(() => {
          const row = alongLine(frame.to('float32'), line)
          return frame.dtype === 'uint8' ? row.round().to('uint8') : row
        }),
      )
    }
    return stack(rows, { dim: 1 })
  })
}

/**
 * Where the points of a line are when the motion is magnified.
 *
 * @param motion `[2, H, W]` of a frame, px
 */
export function warpLine(
  motion: Tensor,
  line: Line,
  magnification: number,
): { readonly x: number; readonly y: number }[] {
  return tidy(() => {
    const [u, v] = alongLine(motion, line).toArray() as number[][]
    return pointsOf(line).map(({ x, y }, i) => ({
      x: x + magnification * (u?.[i] ?? 0),
      y: y + magnification * (v?.[i] ?? 0),
    }))
  })
}

/** Draws lines at rest and moved over a frame: `[3, H, W]` uint8. */
export async function drawWarpedLines(
  image: Tensor,
  motion: Tensor,
  lines: readonly Line[],
  magnification: number,
): Promise<Tensor<'uint8'>> {
  const path = (points: readonly { readonly x: number; readonly y: number }[]) =>
    points.map(({ x, y }) => `${(x + 0.5).toFixed(2)},${(y + 0.5).toFixed(2)}`).join(' ')
  const drawn = lines.map(
    (line) =>
      `<polyline points="${path(pointsOf(line))}" fill="none" stroke="#888" stroke-dasharray="3 3"/>` +
      `<polyline points="${path(warpLine(motion, line, magnification))}" fill="none" stroke="#f80" stroke-width="2"/>`,
  )
  return drawOver('drawWarpedLines', image, drawn.join(''))
}

/** Colours from no motion to the most: dark blue, blue, green, yellow, red. */
const SCALE = [
  [0.05, 0.03, 0.3],
  [0.1, 0.35, 0.9],
  [0.15, 0.75, 0.4],
  [0.98, 0.85, 0.15],
  [0.85, 0.1, 0.1],
] as const

/**
 * Amplitudes in colour over a frame, as in the paper's Fig. 4D.
 *
 * @param image `[3, H, W]`, uint8 or floating point in 0–1
 * @param amplitude `[H, W]`, px
 * @param options `most`: what is red, the largest unless stated; `opacity`: 0.6 unless stated
 * @returns `[3, H, W]` uint8
 */
export function amplitudeOverlay(
  image: Tensor,
  amplitude: Tensor,
  { most, opacity = 0.6 }: { readonly most?: number; readonly opacity?: number } = {},
): Tensor<'uint8'> {
  return tidy(() => {
    const top = most ?? (amplitude.amax().item() as number)
    const place = clamp(amplitude.to('float32').div(Math.max(top, 1e-12)), { min: 0, max: 1 })
    const colours = tensor(SCALE.flat()).reshape([SCALE.length, 3]).t().reshape([1, 3, SCALE.length, 1])
    // The scale is a picture one pixel wide, read between its pixels.
    const y = place.mul(2).sub(1)
    const grid = stack([y.mul(0), y], { dim: -1 }).unsqueeze(0)
    const heat = gridSampler(colours, grid, 0, 1, true).squeeze(0)
    const picture = image.to('float32').div(image.dtype === 'uint8' ? 255 : 1)
    const blended = picture.mul(1 - opacity).add(heat, { alpha: opacity })
    return clamp(blended.mul(255), { min: 0, max: 255 }).round().to('uint8') as Tensor<'uint8'>
  })
}

/** The motion of a harmonic at a time, `[2, H, W]`. */
export function harmonicMotion({ real, imaginary, hz }: Harmonic, seconds: number): Tensor {
  const angle = 2 * Math.PI * hz * seconds
  return tidy(() => real.mul(Math.cos(angle)).add(imaginary, { alpha: Math.sin(angle) }))
}
