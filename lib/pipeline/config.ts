// Options of a system: checked against its zod schema, listed for help, and set from a command line.
import { z } from 'zod'
import { ArgumentError, ConfigError } from '../native/errors'
import { nearestNames } from '../native/nearest'
import { shown } from '../native/shown'

/** Schema of a system's options; every key has a default, so that `{}` is the paper's configuration. */
export type ConfigSchema = z.ZodObject

/** Some keys of a config, at any depth. */
export type PartialConfig<T> = {
  readonly [K in keyof T]?: T[K] extends readonly unknown[] | undefined
    ? T[K]
    : T[K] extends object | undefined
      ? PartialConfig<NonNullable<T[K]>>
      : T[K]
}

/** A key of a config, as `vision-native info` lists it. */
export interface ConfigField {
  /** Dotted, such as `training.epochs`. */
  readonly key: string
  /** Such as `number` or `'a' | 'b'`. */
  readonly type: string
  readonly default: unknown
  readonly description: string
}

interface Settings {
  readonly [key: string]: unknown
}

/**
 * The complete config.
 *
 * @throws ConfigError naming every key that is not known (with the nearest that is) or whose value breaks a rule
 */
export function parseConfig<S extends ConfigSchema>(schema: S, input: unknown, caller: string): z.output<S> {
  const parsed = schema.safeParse(input)
  if (parsed.success) return parsed.data
  const keys = configFields(schema).map(({ key }) => key)
  const problems = parsed.error.issues.flatMap((issue) => explain(issue, input, keys))
  throw new ConfigError(`${caller}: the config is wrong:\n${problems.map((line) => `  ${line}`).join('\n')}`)
}

function explain(issue: z.core.$ZodIssue, input: unknown, keys: readonly string[]): string[] {
  const path = issue.path.join('.')
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const full = path === '' ? key : `${path}.${key}`
      const sections = keys.flatMap((known) =>
        known
          .split('.')
          .slice(0, -1)
          .map((_, i, parts) => parts.slice(0, i + 1).join('.')),
      )
      return `${full} is no key; the nearest is ${nearestNames(full, [...new Set([...keys, ...sections])], 1)[0]}`
    })
  }
  const value = valueAt(input, issue.path)
  return [`${path === '' ? 'the config' : path} is ${value === undefined ? 'missing' : shown(value)}: ${issue.message}`]
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (isSection(value) ? value[String(key)] : undefined), input)
}

/** The keys of a schema with type, default and description, in its order. */
export function configFields(schema: ConfigSchema): ConfigField[] {
  return [...fieldsOf(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }), '', schema.safeParse({}).data)]
}

type JsonSchema = z.core.JSONSchema.JSONSchema

function* fieldsOf(schema: JsonSchema, prefix: string, defaults: unknown): Generator<ConfigField> {
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (typeof property === 'boolean') continue
    const key = prefix === '' ? name : `${prefix}.${name}`
    const value = isSection(defaults) ? defaults[name] : undefined
    if (property.properties === undefined) {
      yield { key, type: typeOf(property), default: value, description: property.description ?? '' }
    } else yield* fieldsOf(property, key, value)
  }
}

function typeOf(schema: JsonSchema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' | ')
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  const either = schema.anyOf ?? schema.oneOf
  if (either !== undefined) return either.map((part) => (typeof part === 'boolean' ? 'any' : typeOf(part))).join(' | ')
  if (schema.type === 'array') {
    const { items, prefixItems } = schema
    if (prefixItems)
      return `[${prefixItems.map((item) => (typeof item === 'boolean' ? 'any' : typeOf(item))).join(', ')}]`
    return items === undefined || typeof items === 'boolean' || Array.isArray(items)
      ? 'list'
      : `list of ${typeOf(items)}`
  }
  return schema.type === 'integer' ? 'whole number' : String(schema.type ?? 'any')
}

/** One config over another, key by key; lists are replaced whole. */
export function mergeConfigs(base: unknown, over: unknown): unknown {
  if (over === undefined) return base
  if (!isSection(base) || !isSection(over)) return over
  const keys = new Set([...Object.keys(base), ...Object.keys(over)])
  return Object.fromEntries([...keys].map((key) => [key, mergeConfigs(base[key], over[key])]))
}

/**
 * A config from settings of a command line, `training.epochs=3`; values are JSON where they can be read so, and text
 * otherwise.
 *
 * @throws ArgumentError for a setting without `=` or without a key
 */
export function configOfSettings(settings: readonly string[], caller: string): unknown {
  return settings.reduce<unknown>((config, setting) => {
    const at = setting.indexOf('=')
    const path = setting.slice(0, Math.max(at, 0)).split('.')
    if (path.includes(''))
      throw new ArgumentError(`${caller}: '${setting}' is no setting; write key=value, such as training.epochs=3`)
    const nested = path.reduceRight<unknown>((value, key) => ({ [key]: value }), jsonOrText(setting.slice(at + 1)))
    return mergeConfigs(config, nested)
  }, {})
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function isSection(value: unknown): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
