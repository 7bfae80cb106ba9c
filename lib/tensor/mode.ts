import { ArgumentError } from '../native/errors'

/**
 * Runs `fn` with a mode of the thread, which `enter` sets and the function it returns sets back. A mode must not outlive
 * the call: other work runs while a promise waits.
 *
 * @throws ArgumentError when `fn` returns a promise
 */
export function withMode<T>(name: string, fn: () => T, enter: () => () => void): T {
  const leave = enter()
  let result: T
  try {
    result = fn()
  } finally {
    leave()
  }
  if (!isThenable(result)) return result
  // Its work goes on without the mode; that it may fail as well is no news.
  result.then(undefined, () => {})
  throw new ArgumentError(
    `${name}: the function returned a promise, and the mode ends before the promise settles; await first, and call ${name} around the synchronous part`,
  )
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
