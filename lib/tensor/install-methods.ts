import { op, opN } from './call'
import type { METHODS } from './methods.generated'

/** Puts the generated operator methods on the prototype; those that the class writes itself stay. */
export function installMethods(prototype: object, methods: typeof METHODS): void {
  for (const [name, id, values = 5, self = 0] of methods) {
    if (Object.hasOwn(prototype, name)) continue
    const value = values > 5 || self > 0 ? general(id, self) : usual(id)
    Object.defineProperty(value, 'name', { value: name })
    Object.defineProperty(prototype, name, { value, writable: true, configurable: true })
  }
}

function usual(id: number) {
  return function (this: unknown, a?: unknown, b?: unknown, c?: unknown, d?: unknown): unknown {
    return op(id, this, a, b, c, d)
  }
}

/** Where the tensor is not the first argument, as in `condition.where(…)`'s `self.where(condition, other)`. */
function general(id: number, self: number) {
  return function (this: unknown, ...args: unknown[]): unknown {
    return opN(id, args.toSpliced(self, 0, this))
  }
}
