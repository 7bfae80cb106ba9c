// Windows of a video without cuts, pans that are too fast, or frames that stand still.
import { type Tensor, tidy } from '../../../tensor'

/** All three colours changing by less than this stand still: the released tool kept whole numbers. */
const STILL = 1

/**
 * Whether each step from a frame to the next may be part of a shot: mean absolute changes of the three colours are not
 * all below 1 of 255, and none is above the limit.
 *
 * @param frames `[T, 3, H, W]` uint8
 * @returns T − 1 answers
 */
export function goodSteps(frames: Tensor, largestChange = 25): boolean[] {
  const steps = frames.size(0) - 1
  return Array.from({ length: steps }, (_, t) =>
    tidy(() => {
      const difference = frames
        .select(0, t + 1)
        .to('float32')
        .sub(frames.select(0, t).to('float32'))
      const changes = [
        ...(difference
          .abs()
          .mean({ dim: [1, 2] })
          .dataSync() as Float32Array),
      ]
      return !changes.every((change) => change < STILL) && Math.max(...changes) <= largestChange
    }),
  )
}

/** Starts of the windows of `length` frames that do not overlap and have good steps only, as early as possible. */
export function shotStarts(steps: readonly boolean[], length: number): number[] {
  const starts: number[] = []
  let run = 0
  for (const [t, isGood] of steps.entries()) {
    run = isGood ? run + 1 : 0
    if (run < length - 1) continue
    starts.push(t + 2 - length)
    // The next window begins with a frame that this one does not have.
    run = -1
  }
  return starts
}
