// Post-processors of tokenizer.json: which special tokens stand around one text or two.
import { field, type Part, partOf, unknownType, whole } from './part'

export interface Encoded {
  readonly ids: readonly number[]
  /** Which kind each token is: 0 of the first text, 1 of the second, as the file says. */
  readonly typeIds: readonly number[]
  /** 1 where a token was added. */
  readonly specialTokensMask: readonly number[]
}

export interface PostProcessor {
  /** The tokens of one text or two, with those around them. */
  add(first: readonly number[], second: readonly number[] | null): Encoded
  /** How many tokens are added. */
  added(pair: boolean): number
}

type Slot = { readonly text: 0 | 1; readonly type: number } | { readonly ids: readonly number[]; readonly type: number }

function processor(single: readonly Slot[], pair: readonly Slot[]): PostProcessor {
  const added = (slots: readonly Slot[]) => slots.reduce((sum, slot) => sum + ('ids' in slot ? slot.ids.length : 0), 0)
  return {
    add(first, second) {
      const parts = (second ? pair : single).map((slot) => {
        const ids = 'ids' in slot ? slot.ids : ((slot.text === 0 ? first : second) ?? [])
        return { ids, type: slot.type, special: 'ids' in slot ? 1 : 0 }
      })
      return {
        ids: parts.flatMap(({ ids }) => ids),
        typeIds: parts.flatMap(({ ids, type }) => ids.map(() => type)),
        specialTokensMask: parts.flatMap(({ ids, special }) => ids.map(() => special)),
      }
    },
    added: (two) => added(two ? pair : single),
  }
}

const TEXTS: readonly Slot[] = [
  { text: 0, type: 0 },
  { text: 1, type: 1 },
]

/** Nothing around the texts. */
export const BARE = processor(TEXTS.slice(0, 1), TEXTS)

const BUILT: Readonly<Record<string, (part: Part, path: string) => PostProcessor>> = {
  TemplateProcessing: template,
  BertProcessing: (part, path) => {
    const [cls, sep] = [tokenId(part, 'cls', path), tokenId(part, 'sep', path)]
    const single: Slot[] = [
      { ids: [cls], type: 0 },
      { text: 0, type: 0 },
      { ids: [sep], type: 0 },
    ]
    return processor(single, [...single, { text: 1, type: 1 }, { ids: [sep], type: 1 }])
  },
  RobertaProcessing: (part, path) => {
    const [cls, sep] = [tokenId(part, 'cls', path), tokenId(part, 'sep', path)]
    const single: Slot[] = [
      { ids: [cls], type: 0 },
      { text: 0, type: 0 },
      { ids: [sep], type: 0 },
    ]
    return processor(single, [...single, { ids: [sep], type: 0 }, { text: 1, type: 0 }, { ids: [sep], type: 0 }])
  },
  ByteLevel: () => BARE,
  Sequence: (part, path) => {
    const all = field(part, 'processors', 'list', path).map((each, i) =>
      postProcessorOf(each, `${path}.processors[${i}]`),
    )
    return all.find((each) => each !== BARE) ?? BARE
  },
}

export function postProcessorOf(value: unknown, path = 'post_processor'): PostProcessor {
  if (value === null || value === undefined) return BARE
  const part = partOf(value, path)
  const type = field(part, 'type', 'string', path)
  const build = Object.hasOwn(BUILT, type) ? BUILT[type] : undefined
  if (build) return build(part, path)
  throw unknownType(type, path, Object.keys(BUILT))
}

function tokenId(part: Part, name: string, path: string): number {
  return whole(field(part, name, 'list', path)[1], `${path}.${name}[1]`)
}

function template(part: Part, path: string): PostProcessor {
  const special = field(part, 'special_tokens', 'object', path, {})
  const slots = (name: 'single' | 'pair') =>
    field(part, name, 'list', path, []).map((value, i): Slot => {
      const where = `${path}.${name}[${i}]`
      const slot = partOf(value, where)
      if ('Sequence' in slot) {
        const sequence = partOf(slot.Sequence, `${where}.Sequence`)
        const type = whole(sequence.type_id ?? 0, `${where}.type_id`)
        return { text: field(sequence, 'id', 'string', where) === 'A' ? 0 : 1, type }
      }
      const token = partOf(slot.SpecialToken, `${where}.SpecialToken`)
      const id = field(token, 'id', 'string', where)
      const ids = field(partOf(special[id], `${path}.special_tokens.${id}`), 'ids', 'list', path)
      return {
        ids: ids.map((each) => whole(each, `${path}.special_tokens.${id}.ids`)),
        type: whole(token.type_id ?? 0, `${where}.type_id`),
      }
    })
  const pair = slots('pair')
  return processor(slots('single'), pair.length > 0 ? pair : TEXTS)
}
