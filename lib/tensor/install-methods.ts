import { op, opN } from './call'

/** Puts the generated operator methods on the prototype; those that the class writes itself stay. */
export function installMethods(prototype: object, methods: readonly (readonly [name: string, id: number])[]): void {
  for (const [name, id] of methods) {
    if (Object.hasOwn(prototype, name)) continue
    const method = {
      [name](this: unknown, a?: unknown, b?: unknown, c?: unknown, d?: unknown, ...more: unknown[]): unknown {
        return more.length > 0 ? opN(id, [this, a, b, c, d, ...more]) : op(id, this, a, b, c, d)
      },
    }[name]
    Object.defineProperty(prototype, name, { value: method, writable: true, configurable: true })
  }
}
