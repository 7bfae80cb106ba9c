import { ShapeError } from '../native/errors'
import type { Tensor } from '../tensor'
import * as ops from '../tensor'
import * as init from './init'
import { Module } from './module'
import { FACTORY, type FactoryOptions, oneOf, showOptions, wholeNumber, withDefaults } from './options'
import type { LSTMState } from './recurrent'
import { type Parameter, parameter } from './roles'

export interface CellOptions extends FactoryOptions {
  /** Adds learnt biases. Default: true. */
  readonly bias?: boolean | undefined
}

const DEFAULTS = { bias: true, ...FACTORY }

/** One step of a recurrent layer. */
abstract class Cell extends Module {
  readonly weightIh: Parameter
  readonly weightHh: Parameter
  readonly biasIh: Parameter | null
  readonly biasHh: Parameter | null

  /** @param gates rows of a weight for each hidden feature */
  constructor(
    readonly inputSize: number,
    readonly hiddenSize: number,
    gates: number,
    { bias, ...made }: Required<CellOptions>,
  ) {
    super()
    wholeNumber(`${new.target.name}: inputSize`, inputSize)
    const rows = gates * wholeNumber(`${new.target.name}: hiddenSize`, hiddenSize)
    this.weightIh = parameter(ops.empty([rows, inputSize], made))
    this.weightHh = parameter(ops.empty([rows, hiddenSize], made))
    this.biasIh = bias ? parameter(ops.empty([rows], made)) : null
    this.biasHh = bias ? parameter(ops.empty([rows], made)) : null
    this.resetParameters()
  }

  /** Draws new first values: uniform within ±1/√hiddenSize. */
  resetParameters(): void {
    const bound = 1 / Math.sqrt(this.hiddenSize)
    for (const weight of [this.weightIh, this.weightHh, this.biasIh, this.biasHh]) {
      if (weight) init.uniform_(weight, { a: -bound, b: bound })
    }
  }

  /** Runs `step` on a batch, which a single input becomes for it. */
  protected step(
    input: Tensor,
    states: readonly Tensor[],
    count: number,
    step: (input: Tensor, states: readonly Tensor[]) => readonly Tensor[],
  ): Tensor[] {
    const name = this.constructor.name
    if ((input.ndim !== 1 && input.ndim !== 2) || input.shape.at(-1) !== this.inputSize) {
      throw new ShapeError(
        `${name}: input is [${input.shape.join(', ')}]; expected [N, ${this.inputSize}] or [${this.inputSize}]`,
      )
    }
    const expected = [...input.shape.slice(0, -1), this.hiddenSize]
    const wrong = states.find((state) => String(state.shape) !== String(expected))
    if (wrong) {
      throw new ShapeError(`${name}: a state is [${wrong.shape.join(', ')}]; expected [${expected.join(', ')}]`)
    }
    const { dtype, device } = input
    const start =
      states.length > 0 ? states : Array.from({ length: count }, () => ops.zeros(expected, { dtype, device }))
    if (input.ndim === 2) return [...step(input, start)]
    return step(
      input.unsqueeze(0),
      start.map((state) => state.unsqueeze(0)),
    ).map((state) => state.squeeze(0))
  }

  protected override describeOptions(): string {
    const { inputSize, hiddenSize, biasIh } = this
    return [inputSize, hiddenSize, ...(biasIh ? [] : [showOptions({ bias: false })])].join(', ')
  }
}

export interface RNNCellOptions extends CellOptions {
  /** Default: `tanh`. */
  readonly nonlinearity?: 'tanh' | 'relu' | undefined
}

/**
 * One step of `RNN`, as `torch.nn.RNNCell`.
 *
 * Shapes: input `[N, inputSize]` or `[inputSize]`, state `[N, hiddenSize]`, zero unless given → the next state.
 */
export class RNNCell extends Cell {
  readonly nonlinearity: 'tanh' | 'relu'

  constructor(inputSize: number, hiddenSize: number, options: RNNCellOptions = {}) {
    const defaults = { ...DEFAULTS, nonlinearity: 'tanh' as const }
    const { nonlinearity, ...rest } = withDefaults<Required<RNNCellOptions>>('RNNCell', defaults, options)
    super(inputSize, hiddenSize, 1, rest)
    this.nonlinearity = oneOf('RNNCell: nonlinearity', nonlinearity, ['tanh', 'relu'])
  }

  forward(input: Tensor, state?: Tensor): Tensor {
    const cell = this.nonlinearity === 'relu' ? ops.rnnReluCell : ops.rnnTanhCell
    const { weightIh, weightHh, biasIh, biasHh } = this
    const [next] = this.step(input, state ? [state] : [], 1, (x, [h]) => [
      cell(x, h as Tensor, weightIh, weightHh, { bIh: biasIh, bHh: biasHh }),
    ])
    return next as Tensor
  }
}

/** One step of `GRU`, as `torch.nn.GRUCell`. Shapes: those of `RNNCell`. */
export class GRUCell extends Cell {
  constructor(inputSize: number, hiddenSize: number, options: CellOptions = {}) {
    super(inputSize, hiddenSize, 3, withDefaults<Required<CellOptions>>('GRUCell', DEFAULTS, options))
  }

  forward(input: Tensor, state?: Tensor): Tensor {
    const { weightIh, weightHh, biasIh, biasHh } = this
    const [next] = this.step(input, state ? [state] : [], 1, (x, [h]) => [
      ops.gruCell(x, h as Tensor, weightIh, weightHh, { bIh: biasIh, bHh: biasHh }),
    ])
    return next as Tensor
  }
}

/** One step of `LSTM`, as `torch.nn.LSTMCell`. Shapes: those of `RNNCell`, for the hidden and for the cell state. */
export class LSTMCell extends Cell {
  constructor(inputSize: number, hiddenSize: number, options: CellOptions = {}) {
    super(inputSize, hiddenSize, 4, withDefaults<Required<CellOptions>>('LSTMCell', DEFAULTS, options))
  }

  forward(input: Tensor, state?: LSTMState): [hidden: Tensor, cell: Tensor] {
    const { weightIh, weightHh, biasIh, biasHh } = this
    return this.step(input, state ?? [], 2, (x, start) =>
      ops.lstmCell(x, start, weightIh, weightHh, { bIh: biasIh, bHh: biasHh }),
    ) as [Tensor, Tensor]
  }
}
