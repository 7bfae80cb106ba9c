// Text to numbers and back, as the tokenizer.json of a published network says.
import { readFile } from 'node:fs/promises'
import { ArgumentError, FormatError } from '../native/errors'
import { type Tensor, tensor } from '../tensor'
import { type AddedToken, addedTokensOf, splitAtTokens } from './added-tokens'
import { type DecodeTokens, decoderOf } from './decoders'
import { modelOf, type TokenModel } from './models'
import { type Normalize, normalizerOf } from './normalizers'
import { field, type Part, partOf } from './part'
import { BARE, type Encoded, type PostProcessor, postProcessorOf } from './post-processors'
import { type PreTokenize, preTokenizerOf } from './pre-tokenizers'

export interface EncodeOptions {
  /** A second text, for networks that take two. */
  readonly pair?: string
  /** The tokens that the network expects around a text; default true. */
  readonly addSpecialTokens?: boolean
  /** Cuts to so many tokens, those around the text included: of two texts the longer is cut first. */
  readonly maxLength?: number
}

export interface Encoding extends Encoded {
  readonly tokens: readonly string[]
}

export interface BatchOptions extends Omit<EncodeOptions, 'pair'> {
  /** A second text for each. */
  readonly pairs?: readonly string[]
  /** Fills to the longest text (default) or to `maxLength`, */
  readonly padding?: 'longest' | 'maxLength'
  /** with this token; by default the one that the file names, or that is usual. */
  readonly padToken?: string
  /** after the text (default) or before it, as for writing on. */
  readonly padSide?: 'right' | 'left'
}

/** Texts as networks take them, each int64 `[texts, length]`. */
export interface EncodedBatch {
  readonly inputIds: Tensor<'int64'>
  /** 1 for tokens, 0 for padding. */
  readonly attentionMask: Tensor<'int64'>
  readonly tokenTypeIds: Tensor<'int64'>
}

const PAD_TOKENS = ['[PAD]', '<pad>', '<|endoftext|>', '</s>']

/**
 * A tokenizer as the `tokenizers` library describes it: byte pairs, word pieces or unigrams, with what comes before and
 * after. Numbers equal the library's.
 *
 * ```ts
 * const tokenizer = await Tokenizer.fromFile('tokenizer.json')
 * const { inputIds, attentionMask } = tokenizer.encodeBatch(['a cat', 'two dogs on a lawn'])
 * ```
 */
export class Tokenizer {
  readonly #normalize: Normalize
  readonly #preTokenize: PreTokenize
  readonly #model: TokenModel
  readonly #post: PostProcessor
  readonly #decode: DecodeTokens
  readonly #added: readonly AddedToken[]
  readonly #ids: ReadonlyMap<string, number>
  readonly #tokens: ReadonlyMap<number, string>
  readonly #special: ReadonlySet<number>
  readonly #padding: Part | null

  /** @param description the object of a tokenizer.json @throws FormatError naming the field that is not as it should be */
  constructor(description: unknown) {
    const file = partOf(description, 'tokenizer')
    this.#normalize = normalizerOf(file.normalizer)
    this.#preTokenize = preTokenizerOf(file.pre_tokenizer)
    this.#model = modelOf(file.model)
    this.#post = postProcessorOf(file.post_processor)
    this.#decode = decoderOf(file.decoder)
    this.#added = addedTokensOf(file.added_tokens, this.#normalize)
    this.#padding = file.padding ? partOf(file.padding, 'padding') : null
    this.#ids = new Map([...this.#model.vocabulary, ...this.#added.map(({ content, id }) => [content, id] as const)])
    this.#tokens = new Map([...this.#ids].map(([token, id]) => [id, token]))
    this.#special = new Set(this.#added.filter(({ special }) => special).map(({ id }) => id))
  }

  /** @throws FormatError when the text is no JSON, or no tokenizer */
  static fromJson(json: string): Tokenizer {
    try {
      return new Tokenizer(JSON.parse(json))
    } catch (error) {
      if (error instanceof SyntaxError)
        throw new FormatError(`tokenizer: the text is no JSON (${error.message})`, { cause: error })
      throw error
    }
  }

  /** Reads a tokenizer.json. @throws FormatError naming the file */
  static async fromFile(path: string): Promise<Tokenizer> {
    const text = await readFile(path, 'utf8')
    try {
      return Tokenizer.fromJson(text)
    } catch (error) {
      throw FormatError.is(error, 'Format')
        ? new FormatError(`${path}: ${(error as Error).message}`, { cause: error })
        : error
    }
  }

  /** How many tokens there are. */
  get size(): number {
    return this.#ids.size
  }

  idOf(token: string): number | undefined {
    return this.#ids.get(token)
  }

  tokenOf(id: number): string | undefined {
    return this.#tokens.get(id)
  }

  /** The tokens of a text. @throws ArgumentError when `maxLength` leaves no place beside the tokens that are added */
  encode(text: string, { pair, addSpecialTokens = true, maxLength }: EncodeOptions = {}): Encoding {
    const post = addSpecialTokens ? this.#post : BARE
    let first = this.#encodeText(text)
    let second = pair === undefined ? null : this.#encodeText(pair)
    if (maxLength !== undefined) {
      const room = maxLength - post.added(second !== null)
      if (!Number.isInteger(maxLength) || room < 0) {
        throw new ArgumentError(
          `Tokenizer: maxLength is ${maxLength}; it must be ${post.added(second !== null)} or more`,
        )
      }
      const lengths = shares(first.length, second?.length ?? 0, room)
      first = first.slice(0, lengths[0])
      second = second?.slice(0, lengths[1]) ?? null
    }
    const encoded = post.add(first, second)
    return { ...encoded, tokens: encoded.ids.map((id) => this.#tokens.get(id) ?? '') }
  }

  /** Texts of one length, as tensors. @throws ArgumentError when they need padding and there is no token for it */
  encodeBatch(texts: readonly string[], options: BatchOptions = {}): EncodedBatch {
    const { pairs, padding = 'longest', padSide = 'right', maxLength, ...rest } = options
    if (pairs && pairs.length !== texts.length) {
      throw new ArgumentError(
        `Tokenizer: ${texts.length} texts and ${pairs.length} second ones; there must be one for each`,
      )
    }
    const encoded = texts.map((text, i) => this.encode(text, { ...rest, maxLength, pair: pairs?.[i] }))
    const longest = Math.max(0, ...encoded.map(({ ids }) => ids.length))
    const length = padding === 'maxLength' ? (maxLength ?? longest) : longest
    const needsPad = encoded.some(({ ids }) => ids.length < length)
    const pad = needsPad ? this.#padId(options.padToken) : 0
    const table = (values: (each: Encoding) => readonly number[], fill: number) => {
      const rows = encoded.map((each) => {
        const row = values(each)
        const more = new Array<number>(length - row.length).fill(fill)
        return padSide === 'right' ? [...row, ...more] : [...more, ...row]
      })
      return tensor(BigInt64Array.from(rows.flat(), BigInt), { shape: [texts.length, length] }) as Tensor<'int64'>
    }
    return {
      inputIds: table(({ ids }) => ids, pad),
      attentionMask: table(({ ids }) => ids.map(() => 1), 0),
      tokenTypeIds: table(({ typeIds }) => typeIds, 0),
    }
  }

  /** The text of tokens; numbers without a token are left out. @param options `skipSpecialTokens`: default true */
  decode(
    ids: Iterable<number | bigint>,
    { skipSpecialTokens = true }: { readonly skipSpecialTokens?: boolean } = {},
  ): string {
    const tokens: string[] = []
    for (const each of ids) {
      const id = Number(each)
      const token = this.#tokens.get(id)
      if (token !== undefined && !(skipSpecialTokens && this.#special.has(id))) tokens.push(token)
    }
    return this.#decode(tokens).join('')
  }

  #encodeText(text: string): number[] {
    const raw = this.#added.filter(({ normalized }) => !normalized)
    const later = this.#added.filter(({ normalized }) => normalized)
    const ids: number[] = []
    let first = true
    for (const outer of splitAtTokens(text, raw)) {
      if (typeof outer === 'number') ids.push(outer)
      else {
        for (const inner of splitAtTokens(this.#normalize(outer), later)) {
          if (typeof inner === 'number') ids.push(inner)
          else for (const piece of this.#preTokenize(inner, first)) ids.push(...this.#model.tokenize(piece))
          first = false
        }
      }
      first = false
    }
    return ids
  }

  #padId(token: string | undefined): number {
    const named = this.#padding ? field(this.#padding, 'pad_token', 'string', 'padding', '') : ''
    const candidates = token === undefined ? [named, ...PAD_TOKENS] : [token]
    const id = candidates.map((each) => this.#ids.get(each)).find((each) => each !== undefined)
    if (id !== undefined) return id
    throw new ArgumentError(
      token === undefined
        ? 'Tokenizer: the texts differ in length, and the tokenizer names no token for padding; give padToken'
        : `Tokenizer: padToken '${token}' is not one of the tokenizer's tokens`,
    )
  }
}

/** How much of each text fits: the longer is cut until they are equally long. */
function shares(first: number, second: number, room: number): [number, number] {
  if (first + second <= room) return [first, second]
  const [short, long] = [Math.min(first, second), Math.max(first, second)]
  const [less, more] =
    short <= room - short ? [short, Math.min(long, room - short)] : [Math.floor(room / 2), Math.ceil(room / 2)]
  return first <= second ? [less, more] : [more, less]
}
