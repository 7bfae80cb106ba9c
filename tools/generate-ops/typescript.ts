import type { Candidate } from './overloads'
import type { Argument, Result, Schema, SchemaType } from './schema'

/** `log_softmax` → `logSoftmax`; underscores at either end stay, for they mean private and in place. */
export const camelCase = (name: string): string =>
  name.replace(/(?<=[^_])_+([a-zA-Z0-9])/g, (_, letter: string) => letter.toUpperCase())

const RESERVED = new Set([
  'var',
  'in',
  'with',
  'new',
  'default',
  'function',
  'delete',
  'import',
  'this',
  'arguments',
  'eval',
])

/** A name that may be declared: reserved words get an underscore. */
export const declarable = (name: string): string => (RESERVED.has(name) ? `${name}_` : name)

const ARGUMENT_TYPES: Readonly<Record<string, string>> = {
  Tensor: 'Tensor',
  Scalar: 'Scalar',
  int: 'number | bigint',
  SymInt: 'number | bigint',
  float: 'number',
  bool: 'boolean',
  str: 'string',
  ScalarType: 'DType',
  Layout: 'Layout',
  Device: 'Device',
  MemoryFormat: 'MemoryFormat',
  Generator: 'Generator',
}

const RESULT_TYPES: Readonly<Record<string, string>> = {
  ...ARGUMENT_TYPES,
  Scalar: 'number | bigint | boolean | Complex',
  int: 'number',
  SymInt: 'number',
}

/** Where the types of signatures come from. */
export const TYPE_SOURCES: readonly (readonly [file: string, names: readonly string[]])[] = [
  ['./random', ['Generator']],
  ['./tensor', ['Tensor']],
  ['./types', ['Complex', 'Device', 'DType', 'Layout', 'MemoryFormat', 'Scalar']],
]

export function argumentType(type: SchemaType): string {
  if (!type.list) return baseType(ARGUMENT_TYPES, type)
  const isInteger = type.base === 'int' || type.base === 'SymInt'
  const element = isInteger ? 'number' : baseType(ARGUMENT_TYPES, type)
  const list = type.optionalElement ? `readonly (${element} | null)[]` : `readonly ${element}[]`
  return type.size ? `${element} | ${list}` : list
}

function resultType(result: Result): string {
  const element = baseType(RESULT_TYPES, result.type)
  return result.type.list ? `${element}[]` : element
}

function baseType(types: Readonly<Record<string, string>>, type: SchemaType): string {
  const text = types[type.base]
  if (!text) throw new Error(`no TypeScript type for ${type.text}`)
  return text
}

const isOwnSelf = (schema: Schema, result: Result) =>
  result.written && schema.args.some((a) => a.name === 'self' && !a.type.list && a.alias === result.alias)

/** TypeScript type of what a call gives; `self` is the type of the tensor that an in-place call returns. */
export function resultsType(schema: Schema, self: 'Tensor' | 'this'): string {
  const texts = schema.results.map((r) => (isOwnSelf(schema, r) ? self : resultType(r)))
  const [only, ...others] = texts
  if (only === undefined) return 'void'
  if (others.length === 0) return only
  const labels = schema.results.map((r) => (r.name ? `${declarable(camelCase(r.name))}: ` : ''))
  const labelled = labels.every((label) => label !== '')
  return `[${texts.map((text, i) => (labelled ? labels[i] : '') + text).join(', ')}]`
}

/** A TypeScript signature that stands for one or more overloads. */
export interface Signature {
  readonly parameters: readonly { readonly name: string; readonly types: readonly string[] }[]
  readonly optionsType: string | undefined
  readonly result: string
  readonly schemas: readonly Schema[]
}

export function signatureOf(candidate: Candidate, form: 'function' | 'method'): Signature {
  const isSelf = (a: Argument) => form === 'method' && a.name === 'self'
  const parameters = candidate.positional.filter((a) => !isSelf(a))
  return {
    parameters: parameters.map((a) => ({ name: declarable(camelCase(a.name)), types: [argumentType(a.type)] })),
    optionsType: candidate.options.length > 0 ? `{ ${candidate.options.map(optionText).join('; ')} }` : undefined,
    result: resultsType(candidate.schema, form === 'method' ? 'this' : 'Tensor'),
    schemas: [candidate.schema],
  }
}

const optionText = (a: Argument) => `${camelCase(a.name)}?: ${argumentType(a.type)}${a.type.optional ? ' | null' : ''}`

/**
 * Signatures that differ in the type of one argument become one with a union, so that a caller may pass a value that is
 * a Tensor or a number without knowing which.
 */
export function mergeSignatures(signatures: readonly Signature[]): Signature[] {
  const merged: Signature[] = []
  for (const signature of signatures) {
    const at = merged.findIndex((other) => differingParameter(other, signature) !== undefined)
    const other = merged[at]
    if (other === undefined) merged.push(signature)
    else merged[at] = union(other, signature)
  }
  return merged
}

const typeText = (types: readonly string[]) => types.join(' | ')

/** Index of the only parameter whose types differ; undefined when the signatures differ otherwise. */
function differingParameter(a: Signature, b: Signature): number | undefined {
  if (a.result !== b.result || a.optionsType !== b.optionsType) return undefined
  if (a.parameters.length !== b.parameters.length) return undefined
  if (a.parameters.some((p, i) => p.name !== b.parameters[i]?.name)) return undefined
  const different = a.parameters.flatMap((p, i) =>
    typeText(p.types) === typeText(b.parameters[i]?.types ?? []) ? [] : [i],
  )
  return different.length <= 1 ? (different[0] ?? 0) : undefined
}

function union(a: Signature, b: Signature): Signature {
  return {
    ...a,
    parameters: a.parameters.map((p, i) => ({
      ...p,
      types: [...new Set([...p.types, ...(b.parameters[i]?.types ?? [])])],
    })),
    schemas: [...a.schemas, ...b.schemas],
  }
}

/** `other: Tensor | Scalar, options?: { alpha?: Scalar }` */
export function parameterList(signature: Signature): string {
  const positional = signature.parameters.map((p) => `${p.name}: ${typeText(p.types)}`)
  return [...positional, ...(signature.optionsType ? [`options?: ${signature.optionsType}`] : [])].join(', ')
}
