// Black bars around a film: their codec noise gives the direction away.
import { type Tensor, tidy, zerosLike } from '../../../tensor'

/** Widths of black bars in pixels. */
export interface BlackFrame {
  readonly top: number
  readonly bottom: number
  readonly left: number
  readonly right: number
}

const SAMPLES = 5

/**
 * The black frame of a clip: border rows and columns whose mean is below the threshold in five evenly spaced frames.
 *
 * @param frames `[T, 3, H, W]` uint8
 * @param threshold of 255
 * @returns zeros where there is none, or where the whole clip is black
 */
export function findBlackFrame(frames: Tensor, threshold = 12): BlackFrame {
  const [count = 1, , height = 0, width = 0] = frames.shape
  const chosen = Array.from({ length: SAMPLES }, (_, i) => Math.round((i * (count - 1)) / (SAMPLES - 1)))
  const brightest = (dims: readonly number[]) =>
    tidy(() => {
      const means = [...new Set(chosen)].map((t) => frames.select(0, t).to('float32').mean({ dim: dims }))
      const rest = means.slice(1)
      return rest.reduce((most, mean) => most.maximum(mean), means[0] as Tensor).dataSync() as Float32Array
    })
  const [top, bottom] = darkEnds(brightest([0, 2]), threshold)
  const [left, right] = darkEnds(brightest([0, 1]), threshold)
  if (top >= height || left >= width) return { top: 0, bottom: 0, left: 0, right: 0 }
  return { top, bottom, left, right }
}

function darkEnds(means: Float32Array, threshold: number): readonly [number, number] {
  const values = [...means]
  const first = values.findIndex((mean) => mean >= threshold)
  if (first < 0) return [values.length, 0]
  return [first, values.reverse().findIndex((mean) => mean >= threshold)]
}

export function hasBlackFrame({ top, bottom, left, right }: BlackFrame): boolean {
  return top + bottom + left + right > 0
}

/** Frames without their black frame (`'crop'`), or with zeros in it (`'zero'`). */
export function removeBlackFrame(frames: Tensor, frame: BlackFrame, how: 'crop' | 'zero'): Tensor {
  const [height = 0, width = 0] = frames.shape.slice(-2)
  const { top, left } = frame
  const [rows, columns] = [height - top - frame.bottom, width - left - frame.right]
  return tidy(() => {
    const inside = frames.narrow(-2, top, rows).narrow(-1, left, columns)
    if (how === 'crop') return inside.contiguous()
    const blank = zerosLike(frames)
    blank.narrow(-2, top, rows).narrow(-1, left, columns).copy_(inside)
    return blank
  })
}
