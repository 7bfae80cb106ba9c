// Tokenizers from the files that were published before tokenizer.json: vocab.txt, vocab.json and merges.txt.
import { FormatError } from '../native/errors'
import { BYTE_SYMBOLS } from './byte-level'
import { Tokenizer } from './tokenizer'

const lines = (text: string) => text.split(/\r?\n/)

/** Pairs of a merges.txt; its first line tells a version. */
function mergesOf(text: string): string[][] {
  return lines(text)
    .filter((line) => line !== '' && !line.startsWith('#version'))
    .map((line, i) => {
      const pair = line.split(' ')
      if (pair.length === 2) return pair
      throw new FormatError(`merges: line ${i + 1} is ${JSON.stringify(line)}; it must be two tokens`)
    })
}

const added = (content: string, id: number, options: object = {}) => ({
  id,
  content,
  special: true,
  normalized: false,
  ...options,
})

function idIn(vocabulary: Readonly<Record<string, number>>, token: string): number {
  const id = Object.hasOwn(vocabulary, token) ? vocabulary[token] : undefined
  if (id !== undefined) return id
  throw new FormatError(`the vocabulary has no '${token}'; is it another network's?`)
}

/**
 * BERT's tokenizer from its vocab.txt, one token a line; DistilBERT's and ViLT's too.
 *
 * @param options `lowercase`: false for the cased networks
 * @throws FormatError when the vocabulary lacks BERT's special tokens
 */
export function bertTokenizer(
  vocabulary: string,
  { lowercase = true }: { readonly lowercase?: boolean } = {},
): Tokenizer {
  const tokens = lines(vocabulary)
  if (tokens.at(-1) === '') tokens.pop()
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]))
  const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'].map((token) => added(token, idIn(vocab, token)))
  return new Tokenizer({
    added_tokens: special,
    normalizer: { type: 'BertNormalizer', lowercase },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: { type: 'BertProcessing', cls: ['[CLS]', vocab['[CLS]']], sep: ['[SEP]', vocab['[SEP]']] },
    decoder: { type: 'WordPiece' },
    model: { type: 'WordPiece', vocab, unk_token: '[UNK]' },
  })
}

/** GPT-2's tokenizer from its vocab.json and merges.txt; no tokens are added around a text. */
export function gpt2Tokenizer(vocabulary: Readonly<Record<string, number>>, merges: string): Tokenizer {
  return new Tokenizer({
    added_tokens: [added('<|endoftext|>', idIn(vocabulary, '<|endoftext|>'))],
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false },
    decoder: { type: 'ByteLevel' },
    model: { type: 'BPE', vocab: vocabulary, merges: mergesOf(merges) },
  })
}

/** RoBERTa's tokenizer from its vocab.json and merges.txt. */
export function robertaTokenizer(vocabulary: Readonly<Record<string, number>>, merges: string): Tokenizer {
  const special = ['<s>', '<pad>', '</s>', '<unk>'].map((token) => added(token, idIn(vocabulary, token)))
  return new Tokenizer({
    added_tokens: [...special, added('<mask>', idIn(vocabulary, '<mask>'), { lstrip: true })],
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false },
    post_processor: { type: 'RobertaProcessing', cls: ['<s>', vocabulary['<s>']], sep: ['</s>', vocabulary['</s>']] },
    decoder: { type: 'ByteLevel' },
    model: { type: 'BPE', vocab: vocabulary, merges: mergesOf(merges) },
  })
}

const [START, END] = ['<|startoftext|>', '<|endoftext|>']

/**
 * CLIP's tokenizer from vocab.json and merges.txt. `encodeBatch(texts, { maxLength: 77, padding: 'maxLength' })` gives
 * what the text encoder takes; OpenAI's own code pads with `padToken: '!'`, the token 0.
 */
export function clipTokenizer(vocabulary: Readonly<Record<string, number>>, merges: string): Tokenizer {
  return makeClip(vocabulary, mergesOf(merges))
}

/** How many merges of OpenAI's file its networks use. */
const CLIP_MERGES = 49152 - 256 - 2

/** CLIP's tokenizer from OpenAI's `bpe_simple_vocab_16e6.txt`, unpacked. */
export function clipTokenizerFromMerges(text: string): Tokenizer {
  const merges = mergesOf(text.replace(/^"bpe_simple_vocab[^\n]*\n/, '#version\n')).slice(0, CLIP_MERGES)
  const tokens = [
    ...BYTE_SYMBOLS,
    ...BYTE_SYMBOLS.map((symbol) => `${symbol}</w>`),
    ...merges.map((pair) => pair.join('')),
    START,
    END,
  ]
  return makeClip(Object.fromEntries(tokens.map((token, id) => [token, id])), merges)
}

function makeClip(vocab: Readonly<Record<string, number>>, merges: readonly (readonly string[])[]): Tokenizer {
  const [start, end] = [idIn(vocab, START), idIn(vocab, END)]
  return new Tokenizer({
    added_tokens: [added(START, start), added(END, end)],
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'NFC' },
        { type: 'Replace', pattern: { Regex: '\\s+' }, content: ' ' },
        { type: 'Lowercase' },
      ],
    },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        {
          type: 'Split',
          pattern: { Regex: "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+" },
          behavior: 'Removed',
          invert: true,
        },
        { type: 'ByteLevel', add_prefix_space: false },
      ],
    },
    post_processor: { type: 'RobertaProcessing', cls: [START, start], sep: [END, end] },
    decoder: { type: 'Sequence', decoders: [{ type: 'ByteLevel' }, { type: 'BPEDecoder', suffix: '</w>' }] },
    model: { type: 'BPE', vocab, merges, unk_token: END, end_of_word_suffix: '</w>' },
  })
}
