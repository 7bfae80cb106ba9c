import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { VisionNativeError } from '../lib/native/errors'
import { bridge } from '../lib/native/frame'
import { call, type Device, type DType, isTensor, manualSeed, randint, type Tensor, tensor, tidy } from '../lib/tensor'
import { isPositional } from './generate-ops/overloads'
import { type Argument, parseSchema, type Schema } from './generate-ops/schema'

/** docs/ops.md: what of our operators runs where. Dtypes and gradients are found by calling each at its example. */

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const FLOATING: readonly DType[] = ['float16', 'bfloat16', 'float32', 'float64']
const DTYPES: readonly DType[] = [...FLOATING, 'uint8', 'int32', 'int64', 'bool']

/** A tensor of an example: multiples of 1/16 within a range, which every floating dtype holds exactly. */
export interface ExampleTensor {
  readonly shape: readonly number[]
  /** Stated where the operator wants this dtype alone. */
  readonly dtype?: DType
  readonly low?: number
  readonly high?: number
  readonly values?: readonly number[]
  readonly device?: Device
  /** It has no gradient, and asking for one is an error. */
  readonly constant?: boolean
}
export type ExampleValue = ExampleTensor | readonly ExampleValue[] | number | boolean | string | null

export interface Example {
  readonly args: readonly ExampleValue[]
  readonly options?: Readonly<Record<string, ExampleValue>>
  /** Where its tensors have stated dtypes: what the first may be as well. */
  readonly dtypes?: readonly DType[]
  /** `refused`: asking for a gradient is an error. */
  readonly gradients?: 'refused'
  /** Whether shapes of results depend on values, so that there are none without data. */
  readonly dynamic?: boolean
  /** Whether there is a kernel for CUDA, which test/python/opcheck.py compares with the registrations. */
  readonly cuda?: boolean
  /** The functions of lib/ops that call it, where its own name in camelCase is not one. */
  readonly typescript?: readonly string[]
}

export const examples: ReadonlyMap<string, Example> = new Map(
  Object.entries(
    JSON.parse(readFileSync(join(ROOT, 'test/fixtures/operators.json'), 'utf8')) as Record<string, Example>,
  ),
)

let schemas: ReadonlyMap<string, Schema> | undefined

/** Schemas of the library by name. */
function ownSchemas(): ReadonlyMap<string, Schema> {
  schemas ??= new Map(
    bridge()
      .schemas()
      .filter((text) => text.startsWith('vision_native::'))
      .map(parseSchema)
      .map((schema) => [schema.name, schema]),
  )
  return schemas
}

/** Operators of the library by name; those that begin with _ are for our own use. */
export const ownOperators = (): string[] => [...ownSchemas().keys()].sort()

export const isSpec = (value: ExampleValue): value is ExampleTensor =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function valueFrom(given: ExampleValue, dtype: DType, requiresGrad: boolean): unknown {
  if (Array.isArray(given)) return given.map((one: ExampleValue) => valueFrom(one, dtype, requiresGrad))
  if (!isSpec(given)) return given
  const { shape, low = -2, high = 2, values, device = 'cpu' } = given
  const made = values
    ? tensor([...values], { dtype: 'float64' }).reshape([...shape])
    : randint(Math.round(low * 16), Math.round(high * 16) + 1, [...shape], { dtype: 'float64' }).div(16)
  const own = made.to(given.dtype ?? dtype).to(device)
  return requiresGrad && !given.constant && FLOATING.includes(own.dtype) ? own.requiresGrad_() : own
}

/** What the example gives in a dtype, or the error; with `requiresGrad`, its inputs ask for gradients. */
export function runExample(name: string, example: Example, dtype: DType, requiresGrad = false): unknown {
  manualSeed(1)
  const args = ownSchemas().get(name)?.args ?? []
  const given = new Map(example.args.map((one, i) => [args[i]?.name, one]))
  for (const [key, one] of Object.entries(example.options ?? {})) given.set(key, one)
  const valueFor = (arg: Argument) => valueFrom(given.get(arg.name) ?? null, dtype, requiresGrad)
  const positional = args.filter(isPositional).map(valueFor)
  const options = args.filter((arg) => given.has(arg.name) && !isPositional(arg))
  const named = Object.fromEntries(options.map((arg) => [camelCase(arg.name), valueFor(arg)]))
  return call(`vision_native::${name}`, positional as never, named as never)
}

/** The examples for test/sanitize/operators.cc, an argument a line in the order of the schema. */
export function exampleLines(names: Iterable<string> = examples.keys()): string {
  const lines: string[] = []
  for (const name of names) {
    const example = examples.get(name)
    if (!example) throw new Error(`${name} has no example in test/fixtures/operators.json`)
    lines.push(`op ${name}`)
    for (const [i, arg] of (ownSchemas().get(name)?.args ?? []).entries()) {
      const given = example.args[i] ?? example.options?.[arg.name]
      lines.push(given === undefined ? (arg.defaultValue === undefined ? 'none' : 'default') : lineOf(given, arg))
    }
    lines.push('call')
  }
  return `${lines.join('\n')}\n`
}

function lineOf(given: ExampleValue, { type, name }: Argument): string {
  if (given === null) return 'none'
  if (isSpec(given)) {
    const { dtype = 'any', low = -2, high = 2, shape, values = [] } = given
    const range = values.length > 0 ? [Math.min(...values), Math.max(...values)] : [low, high]
    return ['tensor', dtype, ...range, shape.length, ...shape].join(' ')
  }
  if (Array.isArray(given)) {
    const list: readonly ExampleValue[] = given
    return [type.base === 'bool' ? 'bools' : 'ints', list.length, ...list.map(Number)].join(' ')
  }
  if (typeof given === 'boolean') return `bool ${Number(given)}`
  if (typeof given === 'string') return `string ${given}`
  if (typeof given === 'number')
    return type.list ? `ints 1 ${given}` : `${type.base === 'float' ? 'float' : 'int'} ${given}`
  throw new Error(`${name}: no way to write ${JSON.stringify(given)}`)
}

/** A call that the library refuses is an answer; anything else is a fault. */
function accepted(run: () => unknown): boolean {
  try {
    run()
    return true
  } catch (error) {
    if (VisionNativeError.is(error)) return false
    throw error
  }
}

/** The example with the dtype of its first tensor changed. */
const withDType = ({ args: [first, ...others], ...rest }: Example, dtype: DType): Example =>
  first !== undefined && isSpec(first) ? { ...rest, args: [{ ...first, dtype }, ...others] } : { ...rest, args: others }

function dtypesOf(name: string, example: Example): DType[] {
  const specs = [...example.args, ...Object.values(example.options ?? {})].flat().filter(isSpec)
  const stated = specs.flatMap(({ dtype }) => dtype ?? [])
  if (example.dtypes)
    return example.dtypes.filter((dtype) =>
      accepted(() => tidy(() => void runExample(name, withDType(example, dtype), dtype))),
    )
  if (stated.length === specs.length) return [...new Set(stated)]
  runExample(name, example, 'float32')
  return DTYPES.filter((dtype) => accepted(() => tidy(() => void runExample(name, example, dtype))))
}

/** Floating dtypes in which some result passes gradients back. */
function gradientsOf(name: string, example: Example): DType[] {
  return FLOATING.filter((dtype) =>
    tidy(() => {
      let tracked: Tensor[] = []
      const ran = accepted(() => {
        const results = [runExample(name, example, dtype, true)].flat().filter(isTensor) as Tensor[]
        tracked = results.filter((result) => result.requiresGrad)
      })
      return ran && tracked.length > 0
    }),
  )
}

const camelCase = (name: string) => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

/** The first sentence of the description of each name that lib/ops exports, and its file. */
function descriptions(): Map<string, { readonly file: string; readonly sentence: string }> {
  const found = new Map<string, { file: string; sentence: string }>()
  for (const file of readdirSync(join(ROOT, 'lib/ops'))) {
    const text = readFileSync(join(ROOT, 'lib/ops', file), 'utf8')
    for (const [, comment = '', name = ''] of text.matchAll(
      /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\nexport (?:async )?(?:function|class|const) (\w+)/g,
    )) {
      const words = comment
        .replace(/^\s*\* ?/gm, ' ')
        .replace(/\s+/g, ' ')
        .trim()
      // What stands in brackets ends no sentence.
      const sentence = /^(?:\([^)]*\)|\[[^\]]*\]|[^.;:]|[.;:](?! |$))*/.exec(words)?.[0] ?? words
      found.set(name, { file: `lib/ops/${file}`, sentence: sentence.replaceAll('|', '\\|') })
    }
  }
  return found
}

const listed = (dtypes: readonly DType[]) =>
  dtypes.length === 0 ? '–' : dtypes.map((d) => d.replace('bfloat', 'bf').replace('float', 'f')).join(' ')

/** The text of docs/ops.md. */
export function operatorTable(): string {
  const described = descriptions()
  const rows = ownOperators()
    .filter((name) => !name.startsWith('_') && name !== 'grad' && name !== 'backward')
    .map((name) => {
      const example = examples.get(name)
      if (!example) throw new Error(`vision_native::${name} has no example in test/fixtures/operators.json`)
      const functions = example.typescript ?? [camelCase(name)]
      const links = functions.map((one) => {
        const known = described.get(one)
        if (!known) throw new Error(`vision_native::${name}: lib/ops exports no ${one}`)
        return `[\`${one}\`](../${known.file})`
      })
      const gradients = example.gradients === 'refused' ? 'refused' : listed(gradientsOf(name, example))
      const columns = [
        `\`${name}\``,
        links.join(', '),
        described.get(functions[0] as string)?.sentence ?? '',
        listed(dtypesOf(name, example)),
        gradients,
        example.cuda ? 'CPU, CUDA' : 'CPU',
      ]
      return `| ${columns.join(' | ')} |`
    })
  return `<!-- Written by \`npm run generate\`. -->
# Operators

The kernels of the package, as operators of LibTorch's dispatcher: \`vision_native::NAME\` through \`call\`, and as typed
functions of \`@lab/vision-native/ops\`. Dtypes are those in which each accepts its example
(test/fixtures/operators.json); gradients, those in which its results pass gradients back. Sums of f16 and bf16 are kept
in float32. \`test/python/opcheck.py\` proves schemas, shapes without data and autograd of each, and the devices.

| operator | TypeScript | | dtypes | gradients | devices |
|---|---|---|---|---|---|
${rows.join('\n')}
`
}
