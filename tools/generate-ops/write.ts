import type { Candidate } from './overloads'
import type { Schema } from './schema'
import type { OperatorFunction, OperatorSurface } from './surface'
import {
  camelCase,
  declarable,
  mergeSignatures,
  parameterList,
  type Signature,
  signatureOf,
  TYPE_SOURCES,
} from './typescript'

const HEADER = '// Written by `npm run generate` from the schemas of LibTorch; do not edit.\n'

/** Values that `op` takes one by one; a function that may need more goes through `opN`. */
const OP_VALUES = 5

/** The generated files: path → text. */
export function writeSurface({ functions }: OperatorSurface): Map<string, string> {
  return new Map([
    ['lib/tensor/op-table.generated.ts', writeTable(functions)],
    ['lib/tensor/ops.generated.ts', writeFunctions(functions.filter((f) => f.surface === 'public'))],
    ['lib/tensor/private-ops.generated.ts', writeFunctions(functions.filter((f) => f.surface === 'private'))],
    ['lib/tensor/methods.generated.ts', writeMethods(functions.filter((f) => f.surface === 'public'))],
  ])
}

function writeTable(functions: readonly OperatorFunction[]): string {
  const lines = functions.map(({ name, candidates }) => {
    const overloads = candidates.map((c) => c.schema.overload).join(',')
    return `  'aten::${name}|${overloads}',`
  })
  return `${HEADER}
/**
 * Functions by id: the operator's name, then its overloads in the order in which a call tries them (the default
 * overload is the empty name).
 */
export const OP_TABLE: readonly string[] = [
${lines.join('\n')}
]
`
}

function writeFunctions(functions: readonly OperatorFunction[]): string {
  const free = functions
    .map((f) => ({ ...f, candidates: f.candidates.filter((c) => c.native.isFunction) }))
    .filter((f) => f.candidates.length > 0)
  const body = free.map(writeFunction).join('\n')
  const values = body.includes('DTYPE_OF_CODE') ? "import { DTYPE_OF_CODE } from './types'\n" : ''
  return `${HEADER}
import { ${['op', ...(body.includes('opN(') ? ['opN'] : [])].join(', ')} } from './call'
${importTypes(body)}${values}
${body}`
}

function writeFunction(f: OperatorFunction): string {
  const exported = camelCase(f.name)
  const name = declarable(exported)
  const signatures = mergeSignatures(f.candidates.map((c) => signatureOf(c, 'function')))
  const rename = name === exported ? '' : `export { ${name} as ${exported} }\n`
  const [only, ...others] = signatures
  if (only && others.length === 0) return `${doc(only, '')}${writeSingle(f.id, name, only)}${rename}`

  const lines = signatures.map((s) => `${doc(s, '')}export function ${name}(${parameterList(s)}): ${s.result}\n`)
  const least = Math.min(...signatures.map((s) => s.parameters.length))
  const letters = 'abcdefghijklmnopqrst'.slice(0, valueCount(signatures)).split('')
  const parameters = letters.map((letter, i) => `${letter}${i < least ? '' : '?'}: unknown`)
  const result = signatures.every((s) => s.result === 'DType') ? 'DType' : 'unknown'
  return `${lines.join('')}export function ${name}(${parameters.join(', ')}): ${result} {
  ${returning(result, invocation(f.id, letters))}
}
${rename}`
}

function writeSingle(id: number, name: string, s: Signature): string {
  const values = [...s.parameters.map((p) => p.name), ...(s.optionsType ? ['options'] : [])]
  const body = returning(s.result, invocation(id, values))
  return `export function ${name}(${parameterList(s)}): ${s.result} {\n  ${body}\n}\n`
}

function returning(result: string, call: string): string {
  if (result === 'void') return call
  if (result === 'unknown') return `return ${call}`
  // A dtype comes out of the dispatcher as its number.
  if (result === 'DType') return `return DTYPE_OF_CODE.get(${call} as number) as DType`
  return `return ${call} as ${result}`
}

const invocation = (id: number, values: readonly string[]) =>
  values.length > OP_VALUES ? `opN(${id}, [${values.join(', ')}])` : `op(${[id, ...values].join(', ')})`

const valueCount = (signatures: readonly Signature[]) =>
  Math.max(...signatures.map((s) => s.parameters.length + (s.optionsType ? 1 : 0)))

function writeMethods(functions: readonly OperatorFunction[]): string {
  const methods = functions
    .map((f) => ({ ...f, candidates: f.candidates.filter((c) => c.native.isMethod) }))
    .filter((f) => f.candidates.length > 0)
  const members = methods.flatMap((f) =>
    mergeSignatures(f.candidates.map((c) => signatureOf(c, 'method'))).map(
      (s) => `${doc(s, '  ')}  ${camelCase(f.name)}(${parameterList(s)}): ${s.result}\n`,
    ),
  )
  return `${HEADER}
${importTypes(members.join(''))}
/** The operators that PyTorch has as methods of a tensor. */
export interface TensorMethods {
${members.join('')}}

/**
 * What to install on the prototype: a name and a function id. Where it is not the usual case, also the number of values
 * at most (the tensor and the options counted) and the place of the tensor among them.
 */
export const METHODS: readonly (readonly [name: string, id: number, values?: number, self?: number])[] = [
${methods.map((f) => `  ${methodEntry(f)},`).join('\n')}
]
`
}

function methodEntry({ id, name, candidates }: OperatorFunction): string {
  const values = 1 + valueCount(candidates.map((c) => signatureOf(c, 'method')))
  const self = selfPlace(candidates)
  const special = values > OP_VALUES || self > 0
  return `['${camelCase(name)}', ${id}${special ? `, ${values}, ${self}` : ''}]`
}

/** Place of `self` among the positional arguments; one name must not have two. */
function selfPlace(candidates: readonly Candidate[]): number {
  const places = new Set(candidates.map((c) => c.positional.findIndex((a) => a.name === 'self')))
  const [place = -1, ...others] = places
  if (place < 0 || others.length > 0) throw new Error(`self has no one place: ${candidates[0]?.schema.text}`)
  return place
}

function importTypes(body: string): string {
  const code = body.replace(/\/\*\*.*?\*\//gs, '')
  const used = (names: readonly string[]) => names.filter((name) => new RegExp(`\\b${name}\\b`).test(code))
  const imports = TYPE_SOURCES.map(([file, names]) => [file, used(names)] as const).filter(
    ([, names]) => names.length > 0,
  )
  return imports.map(([file, names]) => `import type { ${names.join(', ')} } from '${file}'\n`).join('')
}

function doc(signature: Signature, indent: string): string {
  const lines = signature.schemas.map(schemaLine)
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}\n`).join(`${indent} *\n`)}${indent} */\n`
}

const schemaLine = (schema: Schema) => `\`${schema.text.slice(schema.text.indexOf('::') + 2).replaceAll('*/', '* /')}\``
