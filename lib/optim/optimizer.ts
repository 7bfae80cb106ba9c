import { ConfigError } from '../native/errors'
import { clearAutocastCache } from '../tensor/autocast'
import { enableGrad, noGrad } from '../tensor/autograd'
import { zeros } from '../tensor/creation'
import { guardCapture, isCapturing } from '../tensor/graph'
import { HANDLE, isTensor, TENSORS } from '../tensor/handle'
import { zerosLike } from '../tensor/ops.generated'
import { dispose, keep, tidy } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'
import { Batch } from './batch'
import {
  type BaseOptions,
  checkLearningRate,
  checkParameters,
  type OptionsOf,
  type ParamGroup,
  type ParamGroupInit,
  type Params,
  toGroups,
  withDefaults,
} from './param-group'
import { type OptimizerStateDict, readState, writeState } from './state-dict'

/** What an optimiser remembers of one parameter, by PyTorch's names; names that begin with `_` are not saved. */
export type ParameterState = Record<string, Tensor>

export interface StepOptions {
  /** A tensor of one float32: where it is 1, the step changes nothing. `GradScaler` passes it. */
  readonly foundInf?: Tensor | undefined
}

/** An optimiser of any options, as schedulers and scalers see it. */
export interface AnyOptimizer {
  readonly paramGroups: readonly ParamGroup[]
  readonly takesFoundInf: boolean
  initialize(): void
  step(closure?: undefined, options?: StepOptions): undefined
  zeroGrad(options?: { setToNone?: boolean }): void
  stateDict(): OptimizerStateDict
  loadStateDict(stateDict: OptimizerStateDict): void
}

/**
 * Base of the optimisers, as `torch.optim.Optimizer`.
 *
 * State is made by the first step that sees a gradient, or by `initialize()`: call that before a step is captured in a
 * graph. All of it is tensors, also the counts of steps, so that a captured step goes on counting.
 */
export abstract class Optimizer<O extends BaseOptions = BaseOptions> {
  /** Options of groups that do not say others. */
  readonly defaults: Readonly<O>
  /** The groups, whose options may be changed between steps. */
  readonly paramGroups: ParamGroup<O>[] = []
  readonly #state = new Map<Tensor, ParameterState>()

  /** True when a step can be made to change nothing by a tensor (`foundInf`), without reading it. */
  get takesFoundInf(): boolean {
    return false
  }

  /** @param defaults all options, complete; their order is that of the state dict */
  protected constructor(params: Params<O>, defaults: O) {
    this.defaults = defaults
    for (const group of toGroups(this.constructor.name, params)) this.addParamGroup(group)
  }

  /** @throws ArgumentError naming the option, its value and the rule */
  protected abstract checkOptions(options: O): void

  /** Names of the state tensors that a parameter of this group needs. */
  protected abstract stateNames(group: ParamGroup<O>): readonly string[]

  /** A state tensor as it is before the first step. */
  protected initialState(name: string, parameter: Tensor, _group: ParamGroup<O>): Tensor {
    return name === 'step' ? zeros([], { dtype: 'float32', device: parameter.device }) : zerosLike(parameter)
  }

  /** Changes the parameters of a batch in place; runs without recording gradients, in a scope. */
  protected abstract update(batch: Batch, group: ParamGroup<O>, options: StepOptions): void

  /** Adds parameters, with options of their own. */
  addParamGroup({ params, ...given }: ParamGroupInit<O>): void {
    const caller = this.constructor.name
    const options = withDefaults(caller, given as unknown as OptionsOf<O>, this.defaults)
    checkLearningRate(caller, options.lr)
    this.checkOptions(options)
    const list = [...params]
    checkParameters(caller, list, new Set(this.paramGroups.flatMap((group) => group.params)))
    this.paramGroups.push({ ...options, params: list })
  }

  /** Makes the state of all parameters now. */
  initialize(): void {
    noGrad(() => {
      for (const group of this.paramGroups) for (const parameter of group.params) this.#stateOf(parameter, group)
    })
  }

  #stateOf(parameter: Tensor, group: ParamGroup<O>): ParameterState {
    let state = this.#state.get(parameter)
    if (state === undefined) {
      state = {}
      this.#state.set(parameter, state)
    }
    for (const name of this.stateNames(group)) {
      if (state[name] !== undefined) continue
      if (isCapturing()) {
        throw new ConfigError(
          `${this.constructor.name}: a captured step would make '${name}' anew in each run; call initialize() before the capture`,
        )
      }
      state[name] = keep(this.initialState(name, parameter, group))
    }
    return state
  }

  /**
   * Changes the parameters that have gradients by one step.
   *
   * @param closure computes the loss anew and calls `backward()`; run before the step
   * @returns what the closure returned
   */
  step(closure: () => Tensor, options?: StepOptions): Tensor
  step(closure?: undefined, options?: StepOptions): undefined
  step(closure?: () => Tensor, options: StepOptions = {}): Tensor | undefined {
    const loss = closure === undefined ? undefined : enableGrad(closure)
    // Options that are numbers are part of a captured step, which holds only while they stay.
    guardCapture(() => optionsKey(this.paramGroups))
    noGrad(() =>
      tidy(() => {
        for (const group of this.paramGroups) {
          for (const batch of this.#batches(group)) {
            this.update(batch, group, options)
            batch.finish()
          }
        }
      }),
    )
    clearAutocastCache()
    return loss
  }

  #batches(group: ParamGroup<O>): Iterable<Batch> {
    const batches = new Map<string, Batch>()
    for (const parameter of group.params) {
      const { grad } = parameter
      if (grad === null) continue
      const { device, dtype } = parameter
      let batch = batches.get(`${device} ${dtype}`)
      if (batch === undefined) {
        batch = new Batch(device)
        batches.set(`${device} ${dtype}`, batch)
      }
      batch.add(parameter, grad, this.#stateOf(parameter, group))
    }
    return batches.values()
  }

  /** Forgets the gradients; with `setToNone: false` fills them with zeros instead. */
  zeroGrad({ setToNone = true }: { setToNone?: boolean } = {}): void {
    noGrad(() =>
      tidy(() => {
        for (const { params } of this.paramGroups) {
          for (const parameter of params) {
            if (setToNone) parameter.grad = null
            else parameter.grad?.zero_()
          }
        }
      }),
    )
  }

  /** State and options in PyTorch's layout; the tensors themselves, not copies. */
  stateDict(): OptimizerStateDict {
    return writeState(this.paramGroups, this.#state, this.pythonOptions())
  }

  /**
   * Takes over state and options of a state dict of the same optimiser, by PyTorch or by this package; the order of the
   * parameters must be the same. Tensors are copied and converted.
   *
   * @throws FormatError listing what does not fit; nothing is changed then
   */
  loadStateDict(stateDict: OptimizerStateDict): void {
    const commit = readState(this.constructor.name, stateDict, this.paramGroups, {
      names: (group) => this.stateNames(group),
      check: (options) => {
        checkLearningRate(this.constructor.name, options.lr)
        this.checkOptions(options)
      },
      state: (parameter, group) => this.#stateOf(parameter, group),
    })
    noGrad(() => tidy(commit))
    for (const group of this.paramGroups) {
      for (const parameter of group.params) {
        const state = this.#state.get(parameter)
        if (state) noGrad(() => this.restored(state, group))
      }
    }
  }

  /** Told when the state of a parameter was loaded, to set what is not saved. */
  protected restored(_state: ParameterState, _group: ParamGroup<O>): void {}

  /** Options that PyTorch's optimiser has and this one does not, with PyTorch's defaults. */
  protected pythonOptions(): Readonly<Record<string, boolean | null>> {
    return { foreach: null, capturable: false, differentiable: false }
  }

  /** Frees the state; the parameters stay. */
  dispose(): void {
    for (const state of this.#state.values()) dispose(state)
    this.#state.clear()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  /** @internal So that `tidy` may return an optimiser. */
  *[TENSORS](): Iterable<Tensor> {
    for (const state of this.#state.values()) yield* Object.values(state)
  }
}

/** Equal texts for equal groups and options; a tensor is itself, whatever it holds. */
function optionsKey(groups: readonly ParamGroup[]): string {
  const text = (value: unknown) => (isTensor(value) ? `tensor ${value[HANDLE]}` : String(value))
  return groups
    .map(({ params, initialLr: _, ...options }) => `${params.length} ${Object.values(options).map(text).join(' ')}`)
    .join('; ')
}
