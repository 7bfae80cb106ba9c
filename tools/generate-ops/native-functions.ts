import { parse } from 'yaml'

/** What `native_functions.yaml` says of one overload. */
export interface NativeFunction {
  /** `add.Tensor` */
  readonly key: string
  readonly isFunction: boolean
  readonly isMethod: boolean
  /** Dispatcher schemas print a dimension name as `str`; only the yaml tells. */
  readonly named: boolean
  /** Place in the file, which lists the usual overload before the special ones. */
  readonly order: number
}

interface Entry {
  readonly func: string
  readonly variants?: string
}

/** Reads the yaml of the wheel: overload key → variants. */
export function readNativeFunctions(text: string): Map<string, NativeFunction> {
  const entries = parse(text) as readonly Entry[]
  return new Map(
    entries.map((entry, order) => {
      const key = entry.func.slice(0, entry.func.indexOf('('))
      // An entry without the line is a function only, as in torchgen.
      const variants = (entry.variants ?? 'function').split(',').map((v) => v.trim())
      return [
        key,
        {
          key,
          order,
          isFunction: variants.includes('function'),
          isMethod: variants.includes('method'),
          named: entry.func.includes('Dimname'),
        },
      ]
    }),
  )
}
