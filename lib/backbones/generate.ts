// Writes text with a decoder: the likeliest token each time, or the likeliest of several lines kept side by side.
import { ArgumentError, CancelledError } from '../native/errors'
import { wholeNumber } from '../nn/options'
import { type Device, dispose, noGrad, type Tensor, tensor, tidy, tidyAsync } from '../tensor'
import type { LayerCache } from './text-blocks'

/**
 * What generation asks of a network: scores `[rows, words]` of the token after the last, from tokens `[rows, L]` that
 * come after those of the cache.
 */
export type DecodeStep = (
  tokens: Tensor,
  cache: readonly LayerCache[] | null,
) => { readonly logits: Tensor; readonly cache: readonly LayerCache[] }

export interface GenerateOptions {
  /** At most so many; default 20. */
  readonly maxNewTokens?: number
  /** Tokens that end a text. */
  readonly eosTokenId?: number | readonly number[]
  /** Lines kept side by side; 1, the default, is greedy. */
  readonly numBeams?: number
  /** Exponent of the length by which a line's score is divided: above 0 favours long ones; default 1. */
  readonly lengthPenalty?: number
  /** Stops at `numBeams` ended lines (true), where better ones are unlikely (false, default) or impossible (`'never'`). */
  readonly earlyStopping?: boolean | 'never'
  readonly signal?: AbortSignal
}

export interface GeneratedText {
  /** The new tokens, with the one that ended the text. */
  readonly tokens: readonly number[]
  /** Sum of the tokens' log-probabilities, with beams divided by length^`lengthPenalty`. */
  readonly score: number
}

interface Settings {
  readonly beams: number
  readonly maxNewTokens: number
  readonly ends: ReadonlySet<number>
  readonly lengthPenalty: number
  readonly earlyStopping: boolean | 'never'
}

interface Line {
  readonly tokens: readonly number[]
  readonly score: number
}

/** A candidate: a line of this text, and the token after it. */
interface Candidate extends Line {
  readonly parent: number
  readonly stops: boolean
}

/** Far below any score, as the transformers package has it: lines that do not exist. */
const NEVER = -1e9

/** The lines of one text. */
class Search {
  lines: readonly Line[]
  #ended: readonly Line[] = []
  #improvable = true

  constructor(readonly settings: Settings) {
    this.lines = Array.from({ length: settings.beams }, (_, i) => ({ tokens: [], score: i === 0 ? 0 : NEVER }))
  }

  /** Takes the best continuations, best first. Returns which line each of the next ones continues. */
  advance(candidates: readonly Candidate[]): readonly number[] {
    const { beams, maxNewTokens, lengthPenalty, earlyStopping } = this.settings
    const length = candidates[0]?.tokens.length ?? 1
    const full = earlyStopping === true && this.#ended.length === beams
    if (this.#improvable && !full) {
      const added = candidates
        .slice(0, beams)
        .filter(({ stops }) => stops)
        .map(({ tokens, score }) => ({ tokens, score: score / length ** lengthPenalty }))
      this.#ended = [...this.#ended, ...added].sort((a, b) => b.score - a.score).slice(0, beams)
    }
    const going = candidates.filter(({ stops }) => !stops).slice(0, beams)
    if (going.length === 0) {
      this.#improvable = false
      return this.lines.map((_, i) => i)
    }
    const kept = Array.from({ length: beams }, (_, i) => going[i] ?? { ...(going[0] as Candidate), score: NEVER })
    this.lines = kept
    const horizon = earlyStopping === 'never' && lengthPenalty > 0 ? maxNewTokens : length
    const best = (kept[0]?.score ?? NEVER) / horizon ** lengthPenalty
    const worst = this.#ended.length === beams ? (this.#ended.at(-1)?.score ?? NEVER) : NEVER
    this.#improvable &&= best > worst
    return kept.map(({ parent }) => parent)
  }

  get done(): boolean {
    const { beams, earlyStopping } = this.settings
    return !this.#improvable || (earlyStopping === true && this.#ended.length === beams)
  }

  get best(): GeneratedText {
    return this.#ended[0] ?? this.lines[0] ?? { tokens: [], score: NEVER }
  }
}

/**
 * Continues texts. Between tokens the event loop runs; with a signal it can be stopped there.
 *
 * @param step runs the network; with beams on `rows = N · numBeams`, the lines of a text one after the other
 * @param prompt tokens int64 `[N, L]`
 * @throws ArgumentError for options that cannot be met
 * @throws CancelledError when the signal stops it
 */
export async function generate(
  step: DecodeStep,
  prompt: Tensor,
  options: GenerateOptions = {},
): Promise<GeneratedText[]> {
  const {
    maxNewTokens = 20,
    numBeams: beams = 1,
    eosTokenId = [],
    lengthPenalty = 1,
    earlyStopping = false,
    signal,
  } = options
  wholeNumber('generate: maxNewTokens', maxNewTokens)
  wholeNumber('generate: numBeams', beams)
  const ends = new Set(typeof eosTokenId === 'number' ? [eosTokenId] : eosTokenId)
  const settings: Settings = { beams, maxNewTokens, ends, lengthPenalty, earlyStopping }
  const [texts = 0] = prompt.shape
  return tidyAsync(async () => {
    const writer = beams === 1 ? new GreedyWriter(texts, settings) : new BeamWriter(texts, settings)
    let tokens = beams === 1 ? prompt : prompt.repeatInterleave(beams, { dim: 0 })
    let cache: readonly LayerCache[] | null = null
    while (true) {
      if (signal?.aborted) {
        throw new CancelledError(`generate: stopped after ${writer.length} tokens`, { cause: signal.reason })
      }
      const out: ReturnType<DecodeStep> = noGrad(() => tidy(() => step(tokens, cache)))
      forgetCache(cache, out.cache)
      cache = out.cache
      const { next, parents } = await writer.take(out.logits)
      dispose(out.logits)
      if (writer.done) break
      if (parents) cache = reorder(cache, parents)
      if (tokens !== prompt) dispose(tokens)
      tokens = tensor(BigInt64Array.from(next, BigInt), { shape: [next.length, 1], device: prompt.device })
    }
    return writer.texts
  })
}

interface Taken {
  readonly next: readonly number[]
  /** Which row each of the next ones continues, where they change places. */
  readonly parents: readonly number[] | null
}

class GreedyWriter {
  readonly #tokens: number[][]
  readonly #scores: number[]
  readonly #ended: boolean[]
  length = 0

  constructor(
    count: number,
    readonly settings: Settings,
  ) {
    this.#tokens = Array.from({ length: count }, () => [])
    this.#scores = new Array(count).fill(0)
    this.#ended = new Array(count).fill(false)
  }

  async take(logits: Tensor): Promise<Taken> {
    const [best, scores] = tidy(() => {
      const token = logits.argmax({ dim: -1, keepdim: true })
      return [token.flatten(), logits.to('float32').logSoftmax(-1).gather(1, token).flatten()]
    }) as [Tensor<'int64'>, Tensor<'float32'>]
    const next = Array.from(await best.data(), Number)
    const added = await scores.data()
    dispose([best, scores])
    for (const [i, token] of next.entries()) {
      if (this.#ended[i]) continue
      this.#tokens[i]?.push(token)
      this.#scores[i] = (this.#scores[i] ?? 0) + (added[i] ?? 0)
      this.#ended[i] = this.settings.ends.has(token)
    }
    this.length++
    return { next, parents: null }
  }

  get done(): boolean {
    return this.length >= this.settings.maxNewTokens || this.#ended.every(Boolean)
  }

  get texts(): GeneratedText[] {
    return this.#tokens.map((tokens, i) => ({ tokens, score: this.#scores[i] ?? 0 }))
  }
}

class BeamWriter {
  readonly #searches: Search[]
  length = 0

  constructor(
    count: number,
    readonly settings: Settings,
  ) {
    this.#searches = Array.from({ length: count }, () => new Search(settings))
  }

  async take(logits: Tensor): Promise<Taken> {
    const { beams, ends, maxNewTokens } = this.settings
    const words = logits.shape[1] ?? 0
    const wanted = Math.max(2, 1 + ends.size) * beams
    if (wanted > words) {
      throw new ArgumentError(
        `generate: ${beams} beams need ${wanted} candidates, and there are ${words} words; use fewer beams`,
      )
    }
    const texts = this.#searches.length
    const [values, indices] = tidy(() => {
      const before = tensor(Float32Array.from(this.#searches.flatMap(({ lines }) => lines.map(({ score }) => score))))
      const scores = logits.to('float32').logSoftmax(-1).add(before.to(logits.device).unsqueeze(1))
      return scores.reshape([texts, beams * words]).topk(wanted)
    }) as [Tensor<'float32'>, Tensor<'int64'>]
    const [scores, places] = [await values.data(), await indices.data()]
    dispose([values, indices])
    this.length++
    const parents = this.#searches.flatMap((search, i) => {
      const candidates = Array.from({ length: wanted }, (_, k): Candidate => {
        const place = Number(places[i * wanted + k])
        const parent = Math.floor(place / words)
        const token = place % words
        const tokens = [...(search.lines[parent]?.tokens ?? []), token]
        const stops = ends.has(token) || tokens.length >= maxNewTokens
        return { tokens, parent, stops, score: scores[i * wanted + k] ?? NEVER }
      })
      return search.advance(candidates).map((line) => i * beams + line)
    })
    const next = this.#searches.flatMap(({ lines }) => lines.map(({ tokens }) => tokens.at(-1) ?? 0))
    return { next, parents }
  }

  get done(): boolean {
    return this.length >= this.settings.maxNewTokens || this.#searches.every(({ done }) => done)
  }

  get texts(): GeneratedText[] {
    return this.#searches.map(({ best }) => best)
  }
}

function tensorsOf(cache: readonly LayerCache[]): Tensor[] {
  return cache.flatMap(({ self, cross }) => [self.key, self.value, ...(cross ? [cross.key, cross.value] : [])])
}

/** Frees what of a cache is not in the next one. */
function forgetCache(cache: readonly LayerCache[] | null, next: readonly LayerCache[]): void {
  if (!cache) return
  const kept = new Set(tensorsOf(next))
  dispose(tensorsOf(cache).filter((each) => !kept.has(each)))
}

/** The caches of the rows that the next ones continue. */
function reorder(cache: readonly LayerCache[], parents: readonly number[]): readonly LayerCache[] {
  if (parents.every((parent, i) => parent === i)) return cache
  const device = cache[0]?.self.key.device ?? 'cpu'
  const next = tidy(() => {
    const rows = tensor(BigInt64Array.from(parents, BigInt)).to(device)
    const pick = (x: Tensor) => x.indexSelect(0, rows)
    return cache.map(({ self, cross }) => ({
      self: { key: pick(self.key), value: pick(self.value) },
      // Lines of a text attend to the same: theirs change places with their like.
      cross,
    }))
  })
  forgetCache(cache, next)
  return next
}

/** The halves of a network that reads with an encoder and writes with a decoder. */
export interface SequenceToSequence {
  /** `[N, M, D]`. */
  readonly encode: () => Tensor
  readonly decode: (
    tokens: Tensor,
    inputs: {
      readonly encoderHiddenStates: Tensor
      readonly encoderAttentionMask: Tensor | null
      readonly cache: readonly LayerCache[] | null
    },
  ) => ReturnType<DecodeStep>
}

/** Writes from what an encoder read, once; every line of a text attends to the text's own. */
export async function generateFromEncoder(
  network: SequenceToSequence,
  source: {
    readonly rows: number
    /** Tokens with which every text begins. */
    readonly start: readonly number[]
    readonly attentionMask?: Tensor | null
    readonly device: Device
  },
  options: GenerateOptions,
): Promise<GeneratedText[]> {
  const { numBeams = 1 } = options
  const { rows, start, attentionMask, device } = source
  return tidyAsync(async () => {
    const lines = (x: Tensor) => (numBeams === 1 ? x : x.repeatInterleave(numBeams, { dim: 0 }))
    const encoderHiddenStates = noGrad(() => tidy(() => lines(network.encode())))
    const encoderAttentionMask = attentionMask ? lines(attentionMask) : null
    const prompt = tensor(BigInt64Array.from(start, BigInt), { device }).repeat([rows, 1])
    return generate(
      (tokens, cache) => network.decode(tokens, { encoderHiddenStates, encoderAttentionMask, cache }),
      prompt,
      options,
    )
  })
}
