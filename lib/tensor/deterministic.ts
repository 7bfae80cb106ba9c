import { bridge } from '../native/frame'

export interface DeterministicOptions {
  /** Tells of operators that cannot give equal bits on the standard error, instead of refusing them; default false. */
  readonly warnOnly?: boolean
}

const [OFF, ON, WARN] = [0, 1, 2]

/**
 * Whether equal input gives equal bits, as `torch.use_deterministic_algorithms`: operators take the algorithm that does,
 * those that have none are refused with an `OperatorError` that names them, and memory that nobody wrote is filled with
 * NaN or the largest integer. For the whole process, its workers too; a function that was captured before is captured anew.
 *
 * Most operators give equal bits anyway on the CPU; on CUDA sums by atomic additions do not.
 */
export function deterministic(on: boolean, { warnOnly = false }: DeterministicOptions = {}): void {
  bridge().setDeterministic(on ? (warnOnly ? WARN : ON) : OFF)
}

/** Whether `deterministic` is on; with `warnOnly` too. */
export function isDeterministic(): boolean {
  return bridge().deterministic() !== OFF
}
