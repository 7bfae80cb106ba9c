/** A schema type without its alias marks: `Tensor?[]` has `list` and `optionalElement`. */
export interface SchemaType {
  readonly base: string
  /** The type as written, without alias marks. */
  readonly text: string
  readonly optional: boolean
  readonly list: boolean
  /** Length of a fixed-size list (`int[2]`), which also takes one number. */
  readonly size: number | undefined
  readonly optionalElement: boolean
}

export interface Argument {
  readonly name: string
  readonly type: SchemaType
  /** Text of the default value. */
  readonly defaultValue: string | undefined
  readonly keywordOnly: boolean
  /** The operator writes to it. */
  readonly written: boolean
  /** Alias set, such as `a`. */
  readonly alias: string | undefined
}

export interface Result {
  readonly name: string | undefined
  readonly type: SchemaType
  readonly written: boolean
  readonly alias: string | undefined
}

/** One operator overload, as the dispatcher prints it. */
export interface Schema {
  readonly text: string
  /** `aten::add` */
  readonly qualified: string
  /** `add` */
  readonly name: string
  readonly overload: string
  readonly args: readonly Argument[]
  readonly results: readonly Result[]
}

/** Reads `aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor`. */
export function parseSchema(text: string): Schema {
  const open = text.indexOf('(')
  const close = closing(text, open)
  const arrow = text.indexOf('->', close)
  if (open < 0 || arrow < 0) throw new Error(`not a schema: ${text}`)
  const [qualified = '', overload = ''] = text.slice(0, open).split('.')

  let keywordOnly = false
  const args: Argument[] = []
  for (const part of splitTop(text.slice(open + 1, close))) {
    if (part === '*') keywordOnly = true
    else args.push(parseArgument(part, keywordOnly))
  }
  return {
    text,
    qualified,
    name: qualified.slice(qualified.indexOf('::') + 2),
    overload,
    args,
    results: parseResults(text.slice(arrow + 2).trim()),
  }
}

function parseArgument(part: string, keywordOnly: boolean): Argument {
  const equals = topLevelIndex(part, '=')
  const declared = equals < 0 ? part : part.slice(0, equals)
  const space = declared.lastIndexOf(' ')
  return {
    ...parseType(declared.slice(0, space)),
    name: declared.slice(space + 1),
    defaultValue: equals < 0 ? undefined : part.slice(equals + 1),
    keywordOnly,
  }
}

function parseResults(text: string): Result[] {
  const list = text.startsWith('(') ? splitTop(text.slice(1, -1)) : [text]
  return list.map((part) => {
    const space = topLevelIndex(part, ' ')
    return {
      ...parseType(space < 0 ? part : part.slice(0, space)),
      name: space < 0 ? undefined : part.slice(space + 1),
    }
  })
}

function parseType(written: string): { type: SchemaType; written: boolean; alias: string | undefined } {
  const mark = /\(([a-z|]+)?(!)?(?: -> [^)]*)?\)/.exec(written)
  const text = mark ? written.replace(mark[0], '') : written
  const shape = /^([^[\]?]+)(\?)?(?:\[(\d*)\])?(\?)?$/.exec(text)
  if (!shape) throw new Error(`unknown schema type: ${written}`)
  const [, base = '', inner, length, outer] = shape
  const list = length !== undefined
  return {
    type: {
      base,
      text,
      list,
      optional: outer !== undefined || (!list && inner !== undefined),
      optionalElement: list && inner !== undefined,
      size: length ? Number(length) : undefined,
    },
    written: mark?.[2] !== undefined,
    alias: mark?.[1],
  }
}

/** Splits at commas that stand in no bracket and no string. */
function splitTop(text: string): string[] {
  const parts: string[] = []
  for (let rest = text; rest !== ''; ) {
    const comma = topLevelIndex(rest, ',')
    parts.push((comma < 0 ? rest : rest.slice(0, comma)).trim())
    rest = comma < 0 ? '' : rest.slice(comma + 1)
  }
  return parts
}

function topLevelIndex(text: string, wanted: string): number {
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    const c = text[i]
    if (c === '"') i = text.indexOf('"', i + 1)
    else if (c === wanted && depth === 0) return i
    else if (c === '(' || c === '[') depth++
    else if (c === ')' || c === ']') depth--
  }
  return -1
}

function closing(text: string, open: number): number {
  const after = topLevelIndex(text.slice(open + 1), ')')
  return after < 0 ? -1 : open + 1 + after
}
