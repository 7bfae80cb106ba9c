// Phases against the first frame (Eq. 1 of the paper).
import { angle, type Tensor } from '../../../tensor'

/** Δφ = arg(S_t · conj(S_0)), from −π to π. */
export function phaseDifference(band: Tensor, reference: Tensor): Tensor {
  return angle(band.mul(reference.conj()))
}

/** The phase that differs from `phase` by whole turns and from the one before by at most half a turn. */
export function unwrapped(phase: Tensor, before: Tensor): Tensor {
  const turn = 2 * Math.PI
  return phase.add(before.sub(phase).div(turn).round(), { alpha: turn })
}
