// Tokenizers, settings and records.

import { readEvents } from '../../../lib/io'
import { configOfSettings, mergeConfigs, parseConfig, type SystemEntry } from '../../../lib/pipeline'
import { SYSTEMS } from '../../../lib/registry.generated'
import { bertTokenizer, Tokenizer } from '../../../lib/text'
import { readRecords } from '../../../lib/train/run-folder'
import { parseRenameRule, renameState } from '../../../lib/weights'
import { fixtures, texts, values } from '../fixtures'
import { eventRecord } from '../formats'
import { bytes, json, text } from '../mutators'
import { readers, type Target } from '../target'

const [{ source: _, ...described }] = fixtures('fixtures/text/tokenizers.json').map((file) =>
  JSON.parse(file.toString()),
)

/** Of each tokenizer the parts, and of its vocabulary the beginning: a change is then as likely in any of them. */
const small = Object.values(described as Record<string, { tokenizer: { model: TokenizerModel } }>).map(
  ({ tokenizer }) => {
    const { vocab, merges } = tokenizer.model
    const first = Array.isArray(vocab) ? vocab.slice(0, 60) : Object.fromEntries(Object.entries(vocab).slice(0, 300))
    return { ...tokenizer, model: { ...tokenizer.model, vocab: first, ...(merges && { merges: merges.slice(0, 40) }) } }
  },
)
interface TokenizerModel {
  readonly vocab: readonly unknown[] | Readonly<Record<string, number>>
  readonly merges?: readonly unknown[]
}

const SAMPLE = "The quick brown fox, 12 é 你好 💥 <s> [MASK] don't\n\t  a"

export const tokenizer: Target = {
  corpus: values(...small),
  mutators: [
    json(
      'Sequence',
      'NFC',
      'Split',
      'Replace',
      'Regex',
      'String',
      'Metaspace',
      'ByteLevel',
      'WordPiece',
      'BPE',
      'Unigram',
      'TemplateProcessing',
      'BertNormalizer',
      'Strip',
      'Precompiled',
      'Isolated',
      '[^\\s]+',
      '(',
      '\\p{Greek}',
      '$A:0',
    ),
    text(),
  ],
  read: (input) => {
    const made = Tokenizer.fromJson(input.toString())
    const { ids } = made.encode(SAMPLE, { pair: 'second' })
    made.decode(ids)
    made.encodeBatch(['a', SAMPLE], { maxLength: 16 })
  },
}

export const vocabulary: Target = {
  corpus: texts('[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\n##e\na\n'),
  mutators: [text('[UNK]', '##')],
  read: (input) => bertTokenizer(input.toString()).encode(SAMPLE),
}

/** The records that end within the first bytes. */
function wholeRecords(file: Buffer, most: number): Buffer {
  let end = 0
  for (let next = 0; next <= most && next < file.length; next += 16 + Number(file.readBigUInt64LE(next))) end = next
  return file.subarray(0, end)
}

export const events: Target = {
  corpus: fixtures('io/fixtures/tensorboard.events').map((file) => wholeRecords(file, 2000)),
  mutators: [bytes(), eventRecord, eventRecord],
  read: async (input) => {
    for await (const event of readEvents(input))
      JSON.stringify(event, (_key, value) => (typeof value === 'bigint' ? `${value}` : value))
  },
}

export const records: Target = {
  corpus: texts('{"kind":"step","step":1,"loss":0.5}\n{"kind":"epoch","epoch":1}\n'),
  mutators: [text(), json()],
  read: (_, path) => readRecords(path),
}

const systems = await Promise.all(
  Object.entries(SYSTEMS as Readonly<Record<string, SystemEntry>>).map(async ([name, entry]) => ({
    name,
    system: (await entry.load()).system,
  })),
)

/** The options of every system, beginning with those of its tiny training. */
export const config: Target = {
  corpus: values(
    ...systems.map(({ name, system }) => ({ name, config: parseConfig(system.config, system.tiny, name) })),
  ),
  mutators: [json('training', 'epochs', 'model', '__proto__')],
  read: (input) => {
    const given = JSON.parse(input.toString())
    const { system, name } =
      systems.find((each) => each.name === given?.name) ?? (systems[0] as (typeof systems)[number])
    parseConfig(system.config, mergeConfigs(system.tiny, given?.config), name)
  },
}

/** Settings and rules of a command line, a line each. */
export const settings: Target = {
  corpus: texts('training.epochs=3', 'model.name="x"\ndata=[1,2]', 'module.*=*\nlayers.*.weight=layer.*.w'),
  mutators: [text('=', '.', '*', '__proto__.x=1', 'constructor.prototype.x=1')],
  read: readers(
    (input) => void configOfSettings(input.toString().split('\n'), 'fuzz'),
    (input) => {
      const rules = input.toString().split('\n').map(parseRenameRule)
      renameState(new Map([['module.layers.0.weight', 1]]), rules)
    },
  ),
}
