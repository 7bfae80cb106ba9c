import { ArgumentError, ShapeError } from '../native/errors'
import { type AsyncCallOptions, call, callAsync } from '../tensor/call'
import { cat } from '../tensor/ops.generated'
import { keep, tidy, tidyAsync } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'

export interface CosineOptions {
  /** Lengths of the rows of the base, `[N]` float32 (float64 for float64), which are computed otherwise. */
  readonly baseNorms?: Tensor | undefined
}

export interface CosineMatches {
  /** Cosines, `[Q, k]`, the largest first; of the dtype of the rows, float32 for int8. */
  readonly scores: Tensor
  /** Rows of the base, int64 `[Q, k]`. */
  readonly indices: Tensor
}

/**
 * The k rows of a base whose cosine with each query is largest, exactly: no score is approximated, none is stored, and of
 * equal ones the lower row comes first. Rows of length 0 have the cosine 0; NaN comes last. Products of int8 are whole
 * numbers of 32 bits; float16 and bfloat16 are computed in float32. The result depends neither on the number of threads
 * nor on how many queries are searched together. There is no gradient.
 *
 * @param queries `[Q, D]` float32, float64, float16, bfloat16, or int8 of `quantizeRows`
 * @param base `[N, D]` of the same dtype
 * @param k 1 to N
 * @throws ShapeError when D differs; DTypeError when the dtypes do; ArgumentError when k is out of range
 */
export function topkCosine(queries: Tensor, base: Tensor, k: number, { baseNorms }: CosineOptions = {}): CosineMatches {
  return matches(call('vision_native::topk_cosine', [queries, base, k], { baseNorms }))
}

/** `topkCosine` on a thread of LibTorch's, with the event loop free. */
export async function topkCosineAsync(
  queries: Tensor,
  base: Tensor,
  k: number,
  { baseNorms, ...watch }: CosineOptions & AsyncCallOptions = {},
): Promise<CosineMatches> {
  return matches(await callAsync('vision_native::topk_cosine', [queries, base, k], { baseNorms }, watch))
}

function matches(results: unknown): CosineMatches {
  const [scores, indices] = results as [Tensor, Tensor]
  return { scores, indices }
}

export interface HammingMatches {
  /** How many bits differ, int32 `[Q, k]`, the fewest first. */
  readonly distances: Tensor
  /** Rows of the base, int64 `[Q, k]`. */
  readonly indices: Tensor
}

/**
 * The k rows of a base that differ from each query in the fewest bits; of equal ones the lower row comes first.
 *
 * @param queries words of 64 bits, int64 `[Q, W]`, of `packBits`
 * @param base int64 `[N, W]`
 * @param k 1 to N
 * @throws ShapeError when W differs; DTypeError for other dtypes; ArgumentError when k is out of range
 */
export function topkHamming(queries: Tensor, base: Tensor, k: number): HammingMatches {
  return bitMatches(call('vision_native::topk_hamming', [queries, base, k]))
}

/** `topkHamming` on a thread of LibTorch's, with the event loop free. */
export async function topkHammingAsync(
  queries: Tensor,
  base: Tensor,
  k: number,
  watch: AsyncCallOptions = {},
): Promise<HammingMatches> {
  return bitMatches(await callAsync('vision_native::topk_hamming', [queries, base, k], {}, watch))
}

function bitMatches(results: unknown): HammingMatches {
  const [distances, indices] = results as [Tensor, Tensor]
  return { distances, indices }
}

export interface QuantizedRows {
  /** Int8 `[N, D]` in −127…127. */
  readonly codes: Tensor
  /** Float32 `[N]`: `codes·scale` is the row, to within half a scale. NaN for rows that are not finite, whose codes are 0. */
  readonly scales: Tensor
}

/**
 * Rows as int8, each with its own scale: the largest magnitude of a row becomes 127, halves are rounded to even.
 *
 * @param input `[N, D]`, floating point
 */
export function quantizeRows(input: Tensor): QuantizedRows {
  const [codes, scales] = call('vision_native::quantize_rows', [input]) as [Tensor, Tensor]
  return { codes, scales }
}

/**
 * Signs of rows as bits: bit d % 64 of word ⌊d / 64⌋ is 1 where element d is above 0.
 *
 * @param input `[N, D]`, floating point
 * @returns int64 `[N, ⌈D / 64⌉]`
 */
export function packBits(input: Tensor): Tensor {
  return call('vision_native::pack_bits', [input]) as Tensor
}

/** How an index holds its rows: as they are, as bytes (a quarter of float32), or as signs (a thirty-second). */
export type CosineStorage = 'float32' | 'int8' | 'bit'

/**
 * Rows to be searched by cosine, exactly in the arithmetic of their storage. With `bit`, scores are 1 − 2·(bits that
 * differ)/D, the cosine of the signs.
 *
 * ```ts
 * const index = CosineIndex.from(embeddings, { storage: 'int8' })
 * const { scores, indices } = index.search(query, 10)
 * await writeSafetensors('index.safetensors', index.stateDict())
 * ```
 */
export class CosineIndex {
  readonly storage: CosineStorage
  /** D. */
  readonly dims: number
  #rows: Tensor
  #norms: Tensor | undefined

  private constructor(storage: CosineStorage, dims: number, rows: Tensor, norms: Tensor | undefined) {
    this.storage = storage
    this.dims = dims
    this.#rows = keep(rows)
    this.#norms = norms && keep(norms)
  }

  /**
   * @param rows `[N, D]`, floating point
   * @throws ShapeError for other ranks
   */
  static from(rows: Tensor, { storage = 'float32' }: { readonly storage?: CosineStorage } = {}): CosineIndex {
    if (rows.ndim !== 2) throw new ShapeError(`CosineIndex: rows are [N, D], got shape [${rows.shape}]`)
    if (storage !== 'float32' && storage !== 'int8' && storage !== 'bit') {
      throw new ArgumentError(`CosineIndex: storage is 'float32', 'int8' or 'bit', got '${storage}'`)
    }
    const values = stored(rows, storage)
    return new CosineIndex(storage, rows.size(1), values, normsOf(values, storage))
  }

  /**
   * What `stateDict()` gave.
   *
   * @throws ArgumentError when tensors are missing
   */
  static fromStateDict(state: ReadonlyMap<string, Tensor>): CosineIndex {
    const [rows, dims, norms] = [state.get('rows'), state.get('dims'), state.get('norms')]
    if (!rows || !dims)
      throw new ArgumentError("CosineIndex: the state has no 'rows' and 'dims'; pass what stateDict() gave")
    const storage = rows.dtype === 'int8' ? 'int8' : rows.dtype === 'int64' ? 'bit' : 'float32'
    if (storage !== 'bit' && !norms) throw new ArgumentError("CosineIndex: the state has no 'norms'")
    return new CosineIndex(storage, dims.toNumber(), rows.clone(), norms?.clone())
  }

  /** Rows that it holds. */
  get size(): number {
    return this.#rows.size(0)
  }

  /** Appends rows `[N, D]`; their numbers follow those before them. All rows are copied: add many at once. */
  add(rows: Tensor): void {
    this.#require(rows, 'rows')
    const [before, beforeNorms] = [this.#rows, this.#norms]
    const { values, norms } = tidy(() => {
      const more = stored(rows, this.storage)
      const moreNorms = normsOf(more, this.storage)
      return {
        values: cat([before, more]),
        norms: beforeNorms && moreNorms ? cat([beforeNorms, moreNorms]) : undefined,
      }
    })
    this.#rows = keep(values)
    this.#norms = norms && keep(norms)
    before.dispose()
    beforeNorms?.dispose()
  }

  /**
   * @param queries `[Q, D]`, floating point
   * @param k 1 to `size`
   * @throws ShapeError for another D; ArgumentError when k is out of range
   */
  search(queries: Tensor, k: number): CosineMatches {
    this.#require(queries, 'queries')
    return tidy(() => {
      const asked = stored(queries, this.storage)
      if (this.storage !== 'bit') return topkCosine(asked, this.#rows, k, { baseNorms: this.#norms })
      return this.#ofBits(topkHamming(asked, this.#rows, k))
    })
  }

  /** `search` on a thread of LibTorch's, with the event loop free. */
  searchAsync(queries: Tensor, k: number, watch: AsyncCallOptions = {}): Promise<CosineMatches> {
    this.#require(queries, 'queries')
    return tidyAsync(async () => {
      const asked = stored(queries, this.storage)
      if (this.storage !== 'bit') return topkCosineAsync(asked, this.#rows, k, { baseNorms: this.#norms, ...watch })
      return this.#ofBits(await topkHammingAsync(asked, this.#rows, k, watch))
    })
  }

  /** Its tensors, which stay its own, for a file: `rows`, `dims`, and `norms` where it has them. */
  stateDict(): Map<string, Tensor> {
    const state = new Map([
      ['rows', this.#rows],
      ['dims', tidy(() => this.#rows.newFull([], this.dims, { dtype: 'int64' }))],
    ])
    if (this.#norms) state.set('norms', this.#norms)
    return state
  }

  dispose(): void {
    this.#rows.dispose()
    this.#norms?.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  #ofBits({ distances, indices }: HammingMatches): CosineMatches {
    return {
      scores: distances
        .to('float32')
        .mul(-2 / this.dims)
        .add(1),
      indices,
    }
  }

  #require(rows: Tensor, name: string): void {
    if (rows.ndim === 2 && rows.size(1) === this.dims) return
    throw new ShapeError(`CosineIndex: ${name} are [N, ${this.dims}], got shape [${rows.shape}]`)
  }
}

function stored(rows: Tensor, storage: CosineStorage): Tensor {
  if (storage === 'bit') return packBits(rows)
  if (storage === 'float32') return rows.to('float32').clone({ memoryFormat: 'contiguous_format' })
  return tidy(() => quantizeRows(rows).codes)
}

/** Rows whose lengths are computed at once: int8 has no norm, and a float32 copy of all would be four times as large. */
const NORM_ROWS = 65536

function normsOf(rows: Tensor, storage: CosineStorage): Tensor | undefined {
  if (storage === 'bit') return undefined
  return tidy(() => {
    const parts = rows.split(NORM_ROWS, { dim: 0 })
    return cat(parts.map((part) => part.to('float32').norm(1, { p: 2 })))
  })
}
