import { ArgumentError, ShapeError } from '../native/errors'
import { call, describe } from '../tensor/call'
import { empty, zeros } from '../tensor/creation'
import type { Tensor } from '../tensor/tensor'
import * as init from './init'
import { Module } from './module'
import { FACTORY, type FactoryOptions, oneOf, probability, showOptions, wholeNumber, withDefaults } from './options'
import { isPackedSequence, type PackedSequence, type Sequence } from './packed-sequence'
import { type Parameter, parameter } from './roles'

/** PyTorch's names: `weight_ih_l0`, `bias_hh_l1_reverse`; `weight_hr_l0` projects the hidden state of an LSTM. */
export type RecurrentWeightName = `${'weight' | 'bias'}_${'ih' | 'hh' | 'hr'}_l${number}${'' | '_reverse'}`

export interface RecurrentOptions extends FactoryOptions {
  /** Layers, each fed with the outputs of the one before it. Default: 1. */
  readonly numLayers?: number | undefined
  /** Adds learnt biases. Default: true. */
  readonly bias?: boolean | undefined
  /** The batch is the first dimension of inputs and outputs (not of states). Default: false, the second. */
  readonly batchFirst?: boolean | undefined
  /** Probability with which outputs of all layers but the last are dropped in training. Default: 0. */
  readonly dropout?: number | undefined
  /** Reads the sequence backwards too; outputs hold both. Default: false. */
  readonly bidirectional?: boolean | undefined
}

const DEFAULTS = { numLayers: 1, bias: true, batchFirst: false, dropout: 0, bidirectional: false, ...FACTORY }

type Operator = 'rnn_tanh' | 'rnn_relu' | 'lstm' | 'gru'

/** What RNN, LSTM and GRU share: parameters by layer and direction, batches, packs and states. */
abstract class Recurrent extends Module {
  [name: RecurrentWeightName]: Parameter
  readonly numLayers: number
  readonly bias: boolean
  readonly batchFirst: boolean
  readonly dropout: number
  readonly bidirectional: boolean
  readonly #names: readonly RecurrentWeightName[]

  /** @param gates rows of a weight for each hidden feature @param projSize 0 without a projection */
  constructor(
    readonly inputSize: number,
    readonly hiddenSize: number,
    gates: number,
    projSize: number,
    options: Required<RecurrentOptions>,
  ) {
    super()
    const name = new.target.name
    wholeNumber(`${name}: inputSize`, inputSize)
    wholeNumber(`${name}: hiddenSize`, hiddenSize)
    this.numLayers = wholeNumber(`${name}: numLayers`, options.numLayers)
    this.bias = options.bias
    this.batchFirst = options.batchFirst
    this.dropout = probability(`${name}: dropout`, options.dropout)
    this.bidirectional = options.bidirectional

    const made = { dtype: options.dtype, device: options.device }
    const names: RecurrentWeightName[] = []
    const add = (weight: RecurrentWeightName, shape: readonly number[]) => {
      this[weight] = parameter(empty(shape, made))
      names.push(weight)
    }
    const directions = this.bidirectional ? (['', '_reverse'] as const) : ([''] as const)
    const [rows, outputs] = [gates * hiddenSize, projSize || hiddenSize]
    for (let layer = 0; layer < this.numLayers; layer++) {
      for (const direction of directions) {
        add(`weight_ih_l${layer}${direction}`, [rows, layer === 0 ? inputSize : outputs * directions.length])
        add(`weight_hh_l${layer}${direction}`, [rows, outputs])
        if (this.bias) add(`bias_ih_l${layer}${direction}`, [rows])
        if (this.bias) add(`bias_hh_l${layer}${direction}`, [rows])
        if (projSize > 0) add(`weight_hr_l${layer}${direction}`, [projSize, hiddenSize])
      }
    }
    this.#names = names
    this.resetParameters()
  }

  /** Draws new first values: uniform within ±1/√hiddenSize. */
  resetParameters(): void {
    const bound = 1 / Math.sqrt(this.hiddenSize)
    for (const weight of this.#weights()) init.uniform_(weight, { a: -bound, b: bound })
  }

  /** In the order that the operators take. They are read at each call, since a parametrisation may compute them. */
  #weights(): Tensor[] {
    return this.#names.flatMap((name) => this[name] ?? [])
  }

  /**
   * Runs over a batch, a single sequence or a pack.
   *
   * @param states to start from; none for zeros
   * @param sizes of each state's last dimension
   */
  protected recur(
    operator: Operator,
    input: Sequence,
    states: readonly Tensor[],
    sizes: readonly number[],
  ): [output: Sequence, ...states: Tensor[]] {
    if (isPackedSequence(input)) return this.#recurPacked(operator, input, states, sizes)
    const batched = this.#checkInput(input)
    const batch = this.batchFirst ? 0 : 1
    const sequences = batched ? input : input.unsqueeze(batch)
    const start = this.#startStates(states, sizes, sequences.size(batch), batched, sequences)
    const [output, ...last] = this.#call(operator, 'input', [sequences], start, [this.batchFirst])
    return batched ? [output, ...last] : [output.squeeze(batch), ...last.map((state) => state.squeeze(1))]
  }

  #recurPacked(
    operator: Operator,
    input: PackedSequence,
    states: readonly Tensor[],
    sizes: readonly number[],
  ): [output: Sequence, ...states: Tensor[]] {
    const { data, batchSizes, sortedIndices, unsortedIndices } = input
    if (data.ndim !== 2 || data.shape[1] !== this.inputSize) throw this.#inputError(data, 'packed data')
    const start = this.#startStates(states, sizes, Number(batchSizes.at(0).item()), true, data)
    const sorted = sortedIndices ? start.map((state) => state.indexSelect(1, sortedIndices)) : start
    const [output, ...last] = this.#call(operator, 'data', [data, batchSizes], sorted, [])
    return [input.with(output), ...(unsortedIndices ? last.map((s) => s.indexSelect(1, unsortedIndices)) : last)]
  }

  #call(
    operator: Operator,
    overload: 'input' | 'data',
    input: readonly Tensor[],
    states: readonly Tensor[],
    batchFirst: readonly boolean[],
  ): [output: Tensor, ...states: Tensor[]] {
    const { bias, numLayers, dropout, training, bidirectional } = this
    const start = operator === 'lstm' ? states : states[0]
    const flags = [bias, numLayers, dropout, training, bidirectional, ...batchFirst]
    const results = call(`aten::${operator}.${overload}`, [...input, start, this.#weights(), ...flags])
    return results as [Tensor, ...Tensor[]]
  }

  /** Whether there is a batch dimension. LibTorch ends the process on some inputs that do not fit. */
  #checkInput(input: Tensor): boolean {
    if ((input.ndim !== 2 && input.ndim !== 3) || input.shape.at(-1) !== this.inputSize) {
      throw this.#inputError(input, 'input')
    }
    return input.ndim === 3
  }

  #inputError(input: Tensor, what: string): ShapeError {
    const expected =
      what === 'input'
        ? `[${this.batchFirst ? 'N, T' : 'T, N'}, ${this.inputSize}] or [T, ${this.inputSize}]`
        : `[*, ${this.inputSize}]`
    return new ShapeError(`${this.constructor.name}: ${what} is [${input.shape.join(', ')}]; expected ${expected}`)
  }

  /** States as `[layers × directions, N, size]`: those given, checked, or zeros. */
  #startStates(
    states: readonly Tensor[],
    sizes: readonly number[],
    batch: number,
    batched: boolean,
    input: Tensor,
  ): Tensor[] {
    const stack = this.numLayers * (this.bidirectional ? 2 : 1)
    return sizes.map((size, i) => {
      const state = states[i]
      if (state === undefined) {
        return zeros([stack, batch, size], { dtype: input.dtype, device: input.device })
      }
      const expected = batched ? [stack, batch, size] : [stack, size]
      if (String(state.shape) !== String(expected)) {
        throw new ShapeError(
          `${this.constructor.name}: ${i === 0 ? 'hidden' : 'cell'} state is [${state.shape.join(', ')}]; expected [${expected.join(', ')}]`,
        )
      }
      return batched ? state : state.unsqueeze(1)
    })
  }

  protected override describeOptions(): string {
    const { inputSize, hiddenSize } = this
    const defaults = { projSize: 0, nonlinearity: 'tanh', ...DEFAULTS }
    const changed = Object.entries(defaults).filter(([key, value]) => key in this && this[key as keyof this] !== value)
    const options = Object.fromEntries(changed.map(([key]) => [key, this[key as keyof this]]))
    return [inputSize, hiddenSize, showOptions(options)].filter((part) => part !== '').join(', ')
  }
}

export interface RNNOptions extends RecurrentOptions {
  /** Default: `tanh`. */
  readonly nonlinearity?: 'tanh' | 'relu' | undefined
}

/**
 * Elman network (Elman 1990), as `torch.nn.RNN`: `h_t = tanh(W_ih x_t + b_ih + W_hh h_{t−1} + b_hh)`.
 *
 * Shapes: input `[T, N, inputSize]` (`[N, T, …]` with `batchFirst`), `[T, inputSize]` or a pack; state
 * `[layers × directions, N, hiddenSize]`, zero unless given → output `[T, N, directions × hiddenSize]` of the last layer,
 * and the last state.
 */
export class RNN extends Recurrent {
  readonly nonlinearity: 'tanh' | 'relu'

  constructor(inputSize: number, hiddenSize: number, options: RNNOptions = {}) {
    const { nonlinearity, ...rest } = withDefaults<Required<RNNOptions>>(
      'RNN',
      { ...DEFAULTS, nonlinearity: 'tanh' },
      options,
    )
    super(inputSize, hiddenSize, 1, 0, rest)
    this.nonlinearity = oneOf('RNN: nonlinearity', nonlinearity, ['tanh', 'relu'])
  }

  forward(input: Tensor, state?: Tensor): [output: Tensor, state: Tensor]
  forward(input: PackedSequence, state?: Tensor): [output: PackedSequence, state: Tensor]
  forward(input: Sequence, state?: Tensor): [output: Sequence, state: Tensor] {
    const operator = this.nonlinearity === 'relu' ? 'rnn_relu' : 'rnn_tanh'
    return this.recur(operator, input, listed(state), [this.hiddenSize]) as [Sequence, Tensor]
  }
}

/**
 * Gated recurrent unit (Cho et al. 2014), as `torch.nn.GRU`: with `r`, `z` the sigmoid gates,
 * `n_t = tanh(W_in x_t + b_in + r_t ⊙ (W_hn h_{t−1} + b_hn))` and `h_t = (1 − z_t) ⊙ n_t + z_t ⊙ h_{t−1}`. Weights hold
 * the rows of r, z, n.
 *
 * Shapes: those of `RNN`.
 */
export class GRU extends Recurrent {
  constructor(inputSize: number, hiddenSize: number, options: RecurrentOptions = {}) {
    super(inputSize, hiddenSize, 3, 0, withDefaults<Required<RecurrentOptions>>('GRU', DEFAULTS, options))
  }

  forward(input: Tensor, state?: Tensor): [output: Tensor, state: Tensor]
  forward(input: PackedSequence, state?: Tensor): [output: PackedSequence, state: Tensor]
  forward(input: Sequence, state?: Tensor): [output: Sequence, state: Tensor] {
    return this.recur('gru', input, listed(state), [this.hiddenSize]) as [Sequence, Tensor]
  }
}

export interface LSTMOptions extends RecurrentOptions {
  /** Projects the hidden state to this many features (Sak et al. 2014); less than `hiddenSize`. Default: 0, none. */
  readonly projSize?: number | undefined
}

/** The hidden and the cell state of an LSTM. */
export type LSTMState = readonly [hidden: Tensor, cell: Tensor]

/**
 * Long short-term memory (Hochreiter and Schmidhuber 1997), as `torch.nn.LSTM`: with `i`, `f`, `o` the sigmoid gates and
 * `g = tanh(W_ig x_t + b_ig + W_hg h_{t−1} + b_hg)`, `c_t = f ⊙ c_{t−1} + i ⊙ g` and `h_t = o ⊙ tanh(c_t)`, or
 * `W_hr (o ⊙ tanh(c_t))` with `projSize`. Weights hold the rows of i, f, g, o.
 *
 * Shapes: those of `RNN`, with a hidden state `[layers × directions, N, projSize or hiddenSize]` and a cell state
 * `[layers × directions, N, hiddenSize]`.
 */
export class LSTM extends Recurrent {
  readonly projSize: number

  constructor(inputSize: number, hiddenSize: number, options: LSTMOptions = {}) {
    const { projSize, ...rest } = withDefaults<Required<LSTMOptions>>('LSTM', { ...DEFAULTS, projSize: 0 }, options)
    if (wholeNumber('LSTM: projSize', projSize, 0) >= hiddenSize) {
      throw new ArgumentError(`LSTM: projSize is ${projSize}; it must be smaller than hiddenSize, ${hiddenSize}`)
    }
    super(inputSize, hiddenSize, 4, projSize, rest)
    this.projSize = projSize
  }

  forward(input: Tensor, state?: LSTMState): [output: Tensor, state: [hidden: Tensor, cell: Tensor]]
  forward(input: PackedSequence, state?: LSTMState): [output: PackedSequence, state: [hidden: Tensor, cell: Tensor]]
  forward(input: Sequence, state: readonly Tensor[] = []): [output: Sequence, state: [hidden: Tensor, cell: Tensor]] {
    if (!Array.isArray(state) || (state.length !== 0 && state.length !== 2)) {
      throw new ArgumentError(`LSTM: the state is ${describe(state)}; it is [hidden, cell]`)
    }
    const sizes = [this.projSize || this.hiddenSize, this.hiddenSize]
    const [output, hidden, cell] = this.recur('lstm', input, state, sizes) as [Sequence, Tensor, Tensor]
    return [output, [hidden, cell]]
  }
}

function listed(state: Tensor | undefined): Tensor[] {
  return state === undefined ? [] : [state]
}
