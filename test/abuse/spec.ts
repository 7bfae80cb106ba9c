import type { DType } from '../../lib/tensor/types'

/** What the elements of a tensor are. */
export type Fill =
  | 'normal'
  | 'unit' // between 0.1 and 0.9
  | 'spd' // symmetric positive definite in the last two dimensions
  | 'lower' // lower triangular with a dominant diagonal
  | 'sorted'
  | 'ones'
  | 'hostile' // NaN, infinities, extremes of integers
  | { readonly below: number }
  | { readonly values: readonly number[] }

/** How a tensor lies in memory, or what else is the matter with it. */
export type Form =
  | 'plain'
  | 'transposed'
  | 'strided'
  | 'expanded'
  | 'offset'
  | 'grad'
  | 'conj'
  | 'sparse'
  | 'coalesced'
  | 'csr'
  | 'csc'
  | 'nested'
  | 'meta'
  | 'disposed'

export interface TensorSpec {
  readonly kind: 'tensor'
  readonly dtype: DType
  readonly sizes: readonly number[]
  readonly fill: Fill
  readonly form: Form
}

/** A value of a call, as data: printable, and made into the real thing by materialise.ts. */
export type ValueSpec =
  | TensorSpec
  | { readonly kind: 'plain'; readonly value: number | boolean | string | bigint | null | undefined }
  | { readonly kind: 'list'; readonly items: readonly ValueSpec[] }
  | { readonly kind: 'odd'; readonly what: Odd }
  | { readonly kind: 'generator' }
  /** The same object as the positional argument of that number. */
  | { readonly kind: 'same'; readonly position: number }

export type Odd = 'function' | 'symbol' | 'date' | 'typed array' | 'complex' | 'nested list' | 'sparse list' | 'object'

export interface CallSpec {
  /** `add_` */
  readonly name: string
  readonly overload: string
  readonly positional: readonly ValueSpec[]
  readonly options: Readonly<Record<string, ValueSpec>>
}

export const plain = (value: number | boolean | string | bigint | null | undefined): ValueSpec => ({
  kind: 'plain',
  value,
})
export const list = (items: readonly ValueSpec[]): ValueSpec => ({ kind: 'list', items })

/** The call in one line, as a person would write it. */
export function describeCall(call: CallSpec): string {
  const options = Object.entries(call.options).map(([key, value]) => `${key}: ${describeValue(value)}`)
  const values = call.positional.map(describeValue)
  if (options.length > 0) values.push(`{ ${options.join(', ')} }`)
  return `${call.name}(${values.join(', ')})`
}

function describeFill(fill: Fill): string {
  if (typeof fill === 'string') return fill
  return 'below' in fill ? `below ${fill.below}` : `values ${fill.values}`
}

function describeValue(spec: ValueSpec): string {
  switch (spec.kind) {
    case 'tensor': {
      const fill = describeFill(spec.fill)
      const notes = [fill, spec.form].filter((note) => note !== 'normal' && note !== 'plain')
      return `${spec.dtype}[${spec.sizes}]${notes.length > 0 ? `<${notes.join(', ')}>` : ''}`
    }
    case 'plain':
      if (typeof spec.value === 'bigint') return `${spec.value}n`
      if (typeof spec.value === 'string') return `'${spec.value}'`
      return Object.is(spec.value, -0) ? '-0' : String(spec.value)
    case 'list':
      return `[${spec.items.map(describeValue).join(', ')}]`
    case 'odd':
      return `<${spec.what}>`
    case 'generator':
      return '<generator>'
    case 'same':
      return `<argument ${spec.position + 1}>`
  }
}
