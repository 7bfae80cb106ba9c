// Against the tokenizers library; tools/reference/text_tokenizers.py made the tokenizers and the numbers.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { tidy } from '../../lib/tensor'
import {
  bertTokenizer,
  clipTokenizer,
  clipTokenizerFromMerges,
  gpt2Tokenizer,
  robertaTokenizer,
  Tokenizer,
} from '../../lib/text'

interface Reference {
  readonly tokenizer: { readonly model: Record<string, unknown> }
  readonly texts: readonly { text: string; ids: number[]; tokens: string[]; decoded: string; whole: string }[]
  readonly pairs: readonly { pair: [string, string]; ids: number[]; typeIds: number[]; special: number[] }[]
}

const { source: _, ...REFERENCES } = JSON.parse(
  readFileSync(new URL('../fixtures/text/tokenizers.json', import.meta.url), 'utf8'),
) as Record<string, Reference>
const make = (name: string) => new Tokenizer((REFERENCES[name] as Reference).tokenizer)

describe.each(Object.entries(REFERENCES))('%s', (name, { texts, pairs }) => {
  const tokenizer = make(name)
  test.each(texts)('of $text', ({ text, ids, tokens, decoded, whole }) => {
    const encoded = tokenizer.encode(text)
    expect(encoded.tokens).toEqual(tokens)
    expect(encoded.ids).toEqual(ids)
    expect(tokenizer.decode(ids)).toBe(decoded)
    expect(tokenizer.decode(ids, { skipSpecialTokens: false })).toBe(whole)
  })

  test.each(pairs)('of the pair $pair', ({ pair, ids, typeIds, special }) => {
    const encoded = tokenizer.encode(pair[0], { pair: pair[1] })
    expect(encoded.ids).toEqual(ids)
    expect(encoded.typeIds).toEqual(typeIds)
    expect(encoded.specialTokensMask).toEqual(special)
  })
})

describe('from the files of before', () => {
  const filesOf = (name: string) => {
    const { vocab, merges } = (REFERENCES[name] as Reference).tokenizer.model as {
      vocab: Record<string, number>
      merges?: [string, string][]
    }
    return { vocab, merges: ['#version: 0.2', ...(merges ?? []).map((pair) => pair.join(' ')), ''].join('\n') }
  }
  /** Words in the order of their numbers, one a line. */
  const linesOf = (vocab: Record<string, number>) =>
    `${Object.keys(vocab)
      .sort((a, b) => (vocab[a] as number) - (vocab[b] as number))
      .join('\n')}\n`
  const expectSame = (name: string, tokenizer: Tokenizer) => {
    for (const { text, ids, whole } of (REFERENCES[name] as Reference).texts) {
      expect(tokenizer.encode(text).ids).toEqual(ids)
      expect(tokenizer.decode(ids, { skipSpecialTokens: false })).toBe(whole)
    }
  }

  test('vocab.txt of BERT', () => {
    expectSame('bert', bertTokenizer(linesOf(filesOf('bert').vocab)))
    expectSame('bertCased', bertTokenizer(linesOf(filesOf('bertCased').vocab), { lowercase: false }))
    expect(() => bertTokenizer('a\nb\n')).toThrow("the vocabulary has no '[PAD]'")
  })

  test('vocab.json and merges.txt of GPT-2 and CLIP', () => {
    const gpt2 = filesOf('gpt2')
    expectSame('gpt2', gpt2Tokenizer(gpt2.vocab, gpt2.merges))
    const clip = filesOf('clip')
    expectSame('clip', clipTokenizer(clip.vocab, clip.merges))
    expect(() => gpt2Tokenizer(gpt2.vocab, 'a b c')).toThrow('merges: line 1 is "a b c"; it must be two tokens')
    expect(() => robertaTokenizer(gpt2.vocab, gpt2.merges)).toThrow("the vocabulary has no '<s>'")
  })

  test('OpenAI’s merges of CLIP, whose vocabulary is bytes, bytes at the end of a word, merges, start and end', () => {
    const clip = clipTokenizerFromMerges('"bpe_simple_vocab_16e6.txt#version: 0.2\na t\nc at</w>\n')
    expect(clip.size).toBe(516)
    expect([clip.idOf('!'), clip.idOf('!</w>'), clip.idOf('at'), clip.idOf('<|endoftext|>')]).toEqual([
      0, 256, 512, 515,
    ])
    // a is the byte 97, the 64th of the visible ones.
    expect(clip.encode('A !').ids).toEqual([514, 256 + 64, 256, 515])
  })
})

test('texts of one length, padded after or before, and cut with what stands around them', () => {
  tidy(() => {
    const bert = make('bert')
    const [cls, sep] = [bert.idOf('[CLS]'), bert.idOf('[SEP]')]
    const batch = bert.encodeBatch(['a', 'a man is riding a horse'], { maxLength: 5 })
    const [short, long] = batch.inputIds.toArray() as number[][]
    expect(batch.inputIds.shape).toEqual([2, 5])
    expect(short).toEqual([cls, bert.idOf('a'), sep, 0, 0])
    expect(long?.at(-1)).toBe(sep)
    expect(batch.attentionMask.toArray()).toEqual([
      [1, 1, 1, 0, 0],
      [1, 1, 1, 1, 1],
    ])
    const left = bert.encodeBatch(['a', 'a a'], { padSide: 'left', addSpecialTokens: false })
    expect(left.attentionMask.toArray()).toEqual([
      [0, 1],
      [1, 1],
    ])
    const pairs = bert.encodeBatch(['a a a a'], { pairs: ['a'], maxLength: 6 })
    expect(pairs.tokenTypeIds.toArray()).toEqual([[0, 0, 0, 0, 1, 1]])
  })
})

test('refuses what it cannot read or do, and says where', async () => {
  expect(() => Tokenizer.fromJson('{')).toThrow('tokenizer: the text is no JSON')
  expect(() => new Tokenizer([])).toThrow('tokenizer is a list; it must be an object')
  expect(() => new Tokenizer({ model: { type: 'Magic' } })).toThrow(
    "model.type is 'Magic', which is not read; known are BPE, WordPiece, Unigram",
  )
  const { model } = (REFERENCES.bert as Reference).tokenizer
  expect(() => new Tokenizer({ model: { ...model, vocab: { a: -1 } } })).toThrow("model.vocab: the number of 'a' is -1")
  expect(() => new Tokenizer({ model: { ...model, unk_token: '?' } })).toThrow(
    "model.unk_token is '?', which is not in the vocabulary",
  )
  expect(() => new Tokenizer({ model, pre_tokenizer: { type: 'Split', pattern: { Regex: '(' } } })).toThrow(
    'pre_tokenizer.pattern: the pattern ( cannot be read',
  )
  expect(() => new Tokenizer({ model, normalizer: { type: 'Precompiled', precompiled_charsmap: 'AAAA' } })).toThrow(
    'no table of replacements',
  )
  expect(() => make('bert').encode('a', { maxLength: 1 })).toThrow('maxLength is 1; it must be 2 or more')
  expect(() => make('words').encodeBatch(['a', 'a man'])).toThrow('give padToken')
  const folder = mkdtempSync(join(tmpdir(), 'tokenizer-'))
  try {
    writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify((REFERENCES.clip as Reference).tokenizer))
    expect((await Tokenizer.fromFile(join(folder, 'tokenizer.json'))).size).toBe(make('clip').size)
    writeFileSync(join(folder, 'broken.json'), '{"model": 3}')
    await expect(Tokenizer.fromFile(join(folder, 'broken.json'))).rejects.toThrow(/broken\.json: model is number 3/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
