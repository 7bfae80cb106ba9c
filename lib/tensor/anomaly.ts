import { bridge } from '../native/frame'
import { callerSite } from './debug'
import { withMode } from './mode'

export interface AnomalyOptions {
  /** Also fails where a gradient is NaN; on unless stated. */
  readonly checkNan?: boolean | undefined
}

/**
 * Runs `fn` so that a backward that fails, or that computes a NaN, names the line whose operator is to blame, as
 * `torch.autograd.detect_anomaly`. Forward and `backward()` both belong inside. Slow, for finding mistakes.
 *
 * The mode is the process's: operators of other threads are recorded too while it lasts. Operators of captured functions
 * run without JavaScript, so they have no line; call the function itself.
 *
 * @throws OperatorError from `backward()` at the first NaN in a gradient, with the node, its output and the line
 * @throws ArgumentError when `fn` returns a promise: the mode would end before its work does; use `setDetectAnomaly`
 */
export function detectAnomaly<T>(fn: () => T, { checkNan = true }: AnomalyOptions = {}): T {
  return withMode('detectAnomaly', fn, () => {
    const before = bridge().anomaly()
    setDetectAnomaly(true, { checkNan })
    return () => bridge().setAnomaly(before > 0, before !== 1, callerSite)
  })
}

/** Turns what `detectAnomaly` does on or off until the next call, as `torch.autograd.set_detect_anomaly`. */
export function setDetectAnomaly(on: boolean, { checkNan = true }: AnomalyOptions = {}): void {
  bridge().setAnomaly(on, checkNan, callerSite)
}

/** True while a failing backward names the line of the forward operator. */
export function isAnomalyEnabled(): boolean {
  return bridge().anomaly() > 0
}
