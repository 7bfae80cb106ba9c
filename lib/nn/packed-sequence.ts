import { inspect } from 'node:util'
import { ArgumentError, ShapeError } from '../native/errors'
import { call, describe } from '../tensor/call'
import { tensor } from '../tensor/creation'
import { isTensor, TENSORS } from '../tensor/handle'
import { padSequence as padSequences } from '../tensor/ops.generated'
import { tidy } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'
import { withDefaults } from './options'

const PACKED: unique symbol = Symbol.for('@lab/vision-native/packed-sequence') as never

/**
 * Sequences of different lengths without their padding, as `torch.nn.utils.rnn.PackedSequence`: step by step, the
 * longest sequence first. Made by `packPaddedSequence` and `packSequence`; recurrent layers take and return it.
 */
export class PackedSequence {
  constructor(
    /** `[Σ lengths, …]`: the first elements of all sequences, then the second ones, and so on. */
    readonly data: Tensor,
    /** int64 on the CPU: how many sequences reach each step. */
    readonly batchSizes: Tensor,
    /** For each sequence of the pack its index among those that were packed; null when they came sorted. */
    readonly sortedIndices: Tensor | null = null,
    /** The reverse of `sortedIndices`. */
    readonly unsortedIndices: Tensor | null = null,
  ) {}

  get [PACKED](): true {
    return true
  }

  /** The same sequences with other data, such as what a layer made of them. */
  with(data: Tensor): PackedSequence {
    return new PackedSequence(data, this.batchSizes, this.sortedIndices, this.unsortedIndices)
  }

  /** @internal So that `tidy` may return it. */
  *[TENSORS](): Iterable<Tensor> {
    yield this.data
    yield this.batchSizes
    if (this.sortedIndices) yield this.sortedIndices
    if (this.unsortedIndices) yield this.unsortedIndices
  }

  toString(): string {
    return `PackedSequence(data=${this.data}, batchSizes=${this.batchSizes})`
  }

  [inspect.custom](): string {
    return this.toString()
  }
}

/** True for a packed sequence of any copy of this package in the process. */
export function isPackedSequence(value: unknown): value is PackedSequence {
  return typeof value === 'object' && value !== null && PACKED in value
}

/** Tensor or pack: what recurrent layers run over. */
export type Sequence = Tensor | PackedSequence

export interface PackOptions {
  /** The batch is the first dimension. Default: false, the second. */
  readonly batchFirst?: boolean | undefined
  /** Refuses sequences that do not come longest first; without it they are sorted. Default: true, as in PyTorch. */
  readonly enforceSorted?: boolean | undefined
}

/**
 * Leaves out the padding of a batch, as `torch.nn.utils.rnn.pack_padded_sequence`.
 *
 * @param input `[T, N, …]`, or `[N, T, …]` with `batchFirst`
 * @param lengths `[N]`: how long each sequence is, 1 or more; int64 on the CPU, or numbers
 * @throws ShapeError when there is not one length for each sequence
 * @throws ArgumentError when `enforceSorted` and a sequence is longer than the one before it
 */
export function packPaddedSequence(
  input: Tensor,
  lengths: Tensor | readonly number[],
  options: PackOptions = {},
): PackedSequence {
  const { batchFirst, enforceSorted } = withDefaults(
    'packPaddedSequence',
    { batchFirst: false, enforceSorted: true },
    options,
  )
  const batch = batchFirst ? 0 : 1
  return tidy(() => {
    const given = isTensor(lengths) ? lengths : tensor(lengths, { dtype: 'int64' })
    checkLengths(input, given, batch, enforceSorted)
    const sorted = enforceSorted ? null : given.argsort(true, { descending: true }).to(input.device)
    const [data, batchSizes] = call('aten::_pack_padded_sequence', [
      sorted ? input.indexSelect(batch, sorted) : input,
      sorted ? given.indexSelect(0, sorted.to(given.device)) : given,
      batchFirst,
    ]) as [Tensor, Tensor]
    return new PackedSequence(data, batchSizes, sorted, sorted?.argsort() ?? null)
  })
}

function checkLengths(input: Tensor, lengths: Tensor, batch: number, enforceSorted: boolean): void {
  const { shape } = input
  if (shape.length < 2 || lengths.ndim !== 1 || lengths.numel !== shape[batch]) {
    throw new ShapeError(
      `packPaddedSequence: lengths [${lengths.shape.join(', ')}] do not fit input [${shape.join(', ')}]; there is one for each of its ${shape[batch] ?? 0} sequences`,
    )
  }
  const values = Array.from(lengths.dataSync() as ArrayLike<number | bigint>, Number)
  const steps = shape[1 - batch] ?? 0
  const wrong = values.find((value) => !(value >= 1 && value <= steps))
  if (wrong !== undefined) {
    throw new ArgumentError(`packPaddedSequence: a length is ${wrong}; lengths go from 1 to the input's ${steps} steps`)
  }
  const rising = values.findIndex((value, i) => value > (values[i - 1] ?? value))
  if (enforceSorted && rising >= 0) {
    throw new ArgumentError(
      `packPaddedSequence: sequence ${rising} (${values[rising]} steps) is longer than the one before it; sort them, or pass { enforceSorted: false }`,
    )
  }
}

export interface UnpackOptions {
  /** The batch becomes the first dimension. Default: false, the second. */
  readonly batchFirst?: boolean | undefined
  /** Stands after the end of the shorter sequences. Default: 0. */
  readonly paddingValue?: number | undefined
  /** Pads to this many steps; by default to the longest sequence. */
  readonly totalLength?: number | undefined
}

/**
 * Pads a pack to a batch, in the order in which the sequences were packed, as `torch.nn.utils.rnn.pad_packed_sequence`.
 *
 * @returns `[T, N, …]`, or `[N, T, …]` with `batchFirst`; and the lengths `[N]`, int64 on the CPU
 */
export function padPackedSequence(
  sequence: PackedSequence,
  options: UnpackOptions = {},
): [padded: Tensor, lengths: Tensor] {
  const { batchFirst, paddingValue, totalLength } = withDefaults(
    'padPackedSequence',
    { batchFirst: false, paddingValue: 0, totalLength: -1 },
    options,
  )
  if (!isPackedSequence(sequence)) {
    throw new ArgumentError(`padPackedSequence: expected a PackedSequence, got ${describe(sequence)}`)
  }
  const { data, batchSizes, unsortedIndices } = sequence
  return tidy(() => {
    const args = [data, batchSizes, batchFirst, paddingValue, totalLength]
    const [padded, lengths] = call('aten::_pad_packed_sequence', args) as [Tensor, Tensor]
    if (unsortedIndices === null) return [padded, lengths]
    return [
      padded.indexSelect(batchFirst ? 0 : 1, unsortedIndices),
      lengths.indexSelect(0, unsortedIndices.to(lengths.device)),
    ]
  })
}

/**
 * Packs sequences `[Tᵢ, …]`, as `torch.nn.utils.rnn.pack_sequence`.
 *
 * @throws ArgumentError when `enforceSorted` (the default) and a sequence is longer than the one before it
 */
export function packSequence(
  sequences: readonly Tensor[],
  options: Pick<PackOptions, 'enforceSorted'> = {},
): PackedSequence {
  const { enforceSorted } = withDefaults('packSequence', { enforceSorted: true }, options)
  return tidy(() => {
    const lengths = sequences.map((sequence) => sequence.size(0))
    return packPaddedSequence(padSequences(sequences), lengths, { enforceSorted })
  })
}

/** The sequences of a pack, each with its own length, in the order in which they were packed. */
export function unpackSequence(sequence: PackedSequence): Tensor[] {
  return tidy(() => {
    const [padded, lengths] = padPackedSequence(sequence, { batchFirst: true })
    const steps = Array.from(lengths.dataSync() as ArrayLike<bigint>, Number)
    return padded.unbind().map((row, i) => row.narrow(0, 0, steps[i] ?? 0))
  })
}

export interface PadSequenceOptions {
  /** The batch becomes the first dimension. Default: false, the second. */
  readonly batchFirst?: boolean | undefined
  /** Fills the shorter sequences. Default: 0. */
  readonly paddingValue?: number | undefined
  /** Where it stands. Default: `right`, after the sequence. */
  readonly paddingSide?: 'left' | 'right' | undefined
}

/** Stacks sequences `[Tᵢ, …]` to `[T, N, …]`, as `torch.nn.utils.rnn.pad_sequence`. */
export function padSequence(sequences: readonly Tensor[], options: PadSequenceOptions = {}): Tensor {
  const defaults = { batchFirst: false, paddingValue: 0, paddingSide: 'right' as 'left' | 'right' }
  return padSequences(sequences, withDefaults('padSequence', defaults, options))
}
