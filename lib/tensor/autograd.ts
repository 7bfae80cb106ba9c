import { ArgumentError } from '../native/errors'
import { bridge } from '../native/frame'

/**
 * Runs `fn` without recording operations for `backward()`: results do not require gradients.
 *
 * @throws ArgumentError when `fn` returns a promise: the mode would end before its work does
 */
export function noGrad<T>(fn: () => T): T {
  return inMode('noGrad', fn, () => bridge().setGradEnabled(false))
}

/** Runs `fn` recording operations, also inside `noGrad`. @throws ArgumentError when `fn` returns a promise */
export function enableGrad<T>(fn: () => T): T {
  return inMode('enableGrad', fn, () => bridge().setGradEnabled(true))
}

/**
 * As `noGrad`, and faster: tensors made inside keep no version and can never take part in a recorded operation.
 *
 * @throws ArgumentError when `fn` returns a promise
 */
export function inferenceMode<T>(fn: () => T): T {
  return inMode('inferenceMode', fn, () => bridge().setInferenceMode(true))
}

/** True while operations on tensors that require gradients are recorded. */
export function isGradEnabled(): boolean {
  return bridge().gradEnabled()
}

/** True inside `inferenceMode`. */
export function isInferenceMode(): boolean {
  return bridge().inferenceMode()
}

/** The modes are the thread's, so they must not outlive the call: other work runs while a promise waits. */
function inMode<T>(name: string, fn: () => T, enter: () => void): T {
  const native = bridge()
  const grad = native.gradEnabled()
  const inference = native.inferenceMode()
  let result: T
  try {
    enter()
    result = fn()
  } finally {
    if (native.inferenceMode() !== inference) native.setInferenceMode(inference)
    native.setGradEnabled(grad)
  }
  if (!isThenable(result)) return result
  // Its work goes on without the mode; that it may fail as well is no news.
  result.then(undefined, () => {})
  throw new ArgumentError(
    `${name}: the function returned a promise, and the mode ends before the promise settles; await first, and call ${name} around the synchronous part`,
  )
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
