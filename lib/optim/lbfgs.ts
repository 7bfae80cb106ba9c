import { ArgumentError, FormatError } from '../native/errors'
import { clearAutocastCache } from '../tensor/autocast'
import { enableGrad, noGrad } from '../tensor/autograd'
import { describe } from '../tensor/call'
import { isTensor, TENSORS } from '../tensor/handle'
import { cat, zerosLike } from '../tensor/ops.generated'
import { dispose, keep, tensorsIn, tidy } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'
import { Optimizer } from './optimizer'
import {
  type BaseOptions,
  checkCount,
  checkNumber,
  learningRate,
  type OptionsOf,
  type Params,
  withDefaults,
} from './param-group'
import { type OptimizerStateDict, readState, type StateValue, writeState } from './state-dict'
import { type LinePoint, strongWolfe } from './strong-wolfe'

export interface LBFGSOptions extends BaseOptions {
  /** Iterations in one step. */
  maxIter: number
  /** Evaluations of the closure in one step; 1.25 times `maxIter` unless stated. */
  maxEval: number
  /** Stops when no component of the gradient is larger. */
  toleranceGrad: number
  /** Stops when the parameters or the loss change less. */
  toleranceChange: number
  /** How many updates are remembered. */
  historySize: number
  lineSearchFn: 'strong_wolfe' | null
}

/** What is remembered between steps; vectors hold all parameters one after the other. */
interface Memory {
  evaluations: number
  iterations: number
  direction: Tensor | null
  length: number
  gradientChanges: Tensor[]
  changes: Tensor[]
  curvatures: Tensor[]
  /** Scale of the inverse Hessian that the recursion begins with. */
  scale: Tensor | null
  alphas: (Tensor | null)[]
  previousGradient: Tensor | null
  previousLoss: number
}

const emptyMemory = (): Memory => ({
  evaluations: 0,
  iterations: 0,
  direction: null,
  length: 0,
  gradientChanges: [],
  changes: [],
  curvatures: [],
  scale: null,
  alphas: [],
  previousGradient: null,
  previousLoss: 0,
})

/**
 * Limited-memory BFGS (Liu and Nocedal, "On the limited memory BFGS method for large scale optimization", 1989), as
 * `torch.optim.LBFGS`: one group of parameters on one device; `step` needs a closure, which it calls several times.
 *
 * It decides by the values of the loss and so cannot be captured in a graph.
 */
export class LBFGS extends Optimizer<LBFGSOptions> {
  #memory = emptyMemory()

  constructor(params: Params<LBFGSOptions>, options: OptionsOf<LBFGSOptions> = {}) {
    const { maxIter = 20 } = options
    super(
      params,
      withDefaults<LBFGSOptions>('LBFGS', options, {
        lr: 1,
        maxIter,
        maxEval: Math.floor((maxIter * 5) / 4),
        toleranceGrad: 1e-7,
        toleranceChange: 1e-9,
        historySize: 100,
        lineSearchFn: null,
      }),
    )
    if (this.paramGroups.length !== 1) {
      throw new ArgumentError(`LBFGS: takes one group of parameters, got ${this.paramGroups.length}`)
    }
  }

  protected override checkOptions(options: LBFGSOptions): void {
    checkCount('LBFGS', 'maxIter', options.maxIter, 1)
    checkCount('LBFGS', 'maxEval', options.maxEval, 1)
    checkCount('LBFGS', 'historySize', options.historySize, 1)
    checkNumber('LBFGS', 'toleranceGrad', options.toleranceGrad)
    checkNumber('LBFGS', 'toleranceChange', options.toleranceChange)
    if (options.lineSearchFn !== null && options.lineSearchFn !== 'strong_wolfe') {
      throw new ArgumentError(
        `LBFGS: lineSearchFn is ${describe(options.lineSearchFn)}; it must be 'strong_wolfe' or null`,
      )
    }
  }

  protected override stateNames(): readonly string[] {
    return []
  }

  protected override update(): void {}

  override step(closure: () => Tensor): Tensor
  override step(closure?: undefined): undefined
  override step(closure?: () => Tensor): Tensor | undefined {
    if (typeof closure !== 'function') {
      throw new ArgumentError('LBFGS: step needs a closure that computes the loss, calls backward() and returns it')
    }
    const before = tensorsIn(this.#memory)
    const loss = noGrad(() =>
      tidy(() => {
        const result = this.#iterate(closure)
        for (const tensor of tensorsIn(this.#memory)) keep(tensor)
        return result
      }),
    )
    const after = tensorsIn(this.#memory)
    dispose([...before].filter((tensor) => !after.has(tensor)))
    return loss
  }

  #iterate(closure: () => Tensor): Tensor {
    const group = this.paramGroups[0]
    if (group === undefined) throw new ArgumentError('LBFGS: there are no parameters')
    const { maxIter, maxEval, toleranceGrad, toleranceChange, lineSearchFn } = group
    const lr = learningRate(group)
    const memory = this.#memory
    const evaluate = () => enableGrad(closure)

    const firstLoss = evaluate()
    let loss = firstLoss.toNumber()
    let evaluations = 1
    memory.evaluations += 1
    let gradient = this.#gradient()
    if (largest(gradient) <= toleranceGrad) return firstLoss

    for (let iteration = 1; iteration <= maxIter; iteration++) {
      memory.iterations += 1
      const direction = this.#direction(gradient)
      memory.direction = direction
      memory.previousGradient = gradient
      memory.previousLoss = loss
      memory.length = memory.iterations === 1 ? Math.min(1, 1 / gradient.abs().sum().toNumber()) * lr : lr
      const slope = gradient.dot(direction).toNumber()
      if (slope > -toleranceChange) break

      let used = 0
      if (lineSearchFn !== null) {
        const begin = this.#params.map((parameter) => parameter.clone())
        const at = (t: number): LinePoint => {
          this.#move(direction, t)
          const value = evaluate().toNumber()
          const there = this.#gradient()
          for (const [i, parameter] of this.#params.entries()) parameter.copy_(begin[i] as Tensor)
          return { t, value, gradient: there, slope: there.dot(direction).toNumber() }
        }
        const search = { maxEvaluations: maxEval - evaluations, directionSize: largest(direction), toleranceChange }
        const found = strongWolfe({ t: 0, value: loss, gradient, slope }, memory.length, at, search)
        used = found.evaluations
        memory.length = found.point.t
        loss = found.point.value
        gradient = found.point.gradient
        this.#move(direction, memory.length)
      } else {
        this.#move(direction, memory.length)
        // In the last iteration the next step's first evaluation says the same.
        if (iteration !== maxIter) {
          loss = evaluate().toNumber()
          gradient = this.#gradient()
          used = 1
        }
      }
      evaluations += used
      memory.evaluations += used
      if (evaluations >= maxEval || largest(gradient) <= toleranceGrad) break
      if (largest(direction) * Math.abs(memory.length) <= toleranceChange) break
      if (Math.abs(loss - memory.previousLoss) < toleranceChange) break
    }
    return firstLoss
  }

  get #params(): readonly Tensor[] {
    return this.paramGroups[0]?.params ?? []
  }

  /** All gradients as one vector. */
  #gradient(): Tensor {
    return cat(this.#params.map((parameter) => (parameter.grad ?? zerosLike(parameter)).reshape([-1])))
  }

  #move(direction: Tensor, length: number): void {
    let offset = 0
    for (const parameter of this.#params) {
      const part = direction.narrow(0, offset, parameter.numel)
      parameter.add_(part.reshape(parameter.shape), { alpha: length })
      offset += parameter.numel
    }
    clearAutocastCache()
  }

  /** The negative gradient times the approximate inverse Hessian, by the two-loop recursion. */
  #direction(gradient: Tensor): Tensor {
    const memory = this.#memory
    if (memory.iterations === 1 || memory.previousGradient === null || memory.direction === null) {
      Object.assign(memory, { gradientChanges: [], changes: [], curvatures: [] })
      return gradient.neg()
    }
    this.#remember(gradient.sub(memory.previousGradient), memory.direction.mul(memory.length))
    const { gradientChanges, changes, curvatures } = memory
    const alphas: Tensor[] = []
    const direction = gradient.neg()
    for (let i = changes.length - 1; i >= 0; i--) {
      const alpha = (changes[i] as Tensor).dot(direction).mul(curvatures[i] as Tensor)
      alphas[i] = alpha
      direction.sub_((gradientChanges[i] as Tensor).mul(alpha))
    }
    if (memory.scale !== null) direction.mul_(memory.scale)
    for (let i = 0; i < changes.length; i++) {
      const beta = (gradientChanges[i] as Tensor).dot(direction).mul(curvatures[i] as Tensor)
      direction.add_((changes[i] as Tensor).mul((alphas[i] as Tensor).sub(beta)))
    }
    memory.alphas = alphas
    return direction
  }

  #remember(gradientChange: Tensor, change: Tensor): void {
    const memory = this.#memory
    const product = gradientChange.dot(change)
    // Without positive curvature along the step, the update would not keep the approximation positive definite.
    if (!(product.toNumber() > 1e-10)) return
    if (memory.changes.length >= (this.paramGroups[0]?.historySize ?? 0)) {
      for (const list of [memory.gradientChanges, memory.changes, memory.curvatures]) list.shift()
    }
    memory.gradientChanges.push(gradientChange)
    memory.changes.push(change)
    memory.curvatures.push(product.reciprocal())
    memory.scale = product.div(gradientChange.dot(gradientChange))
  }

  override stateDict(): OptimizerStateDict {
    const memory = this.#memory
    const first = this.#params[0]
    const { historySize = 0 } = this.paramGroups[0] ?? {}
    const values: Record<string, StateValue> = { func_evals: memory.evaluations, n_iter: memory.iterations }
    if (memory.iterations > 0) {
      Object.assign(values, {
        ...(memory.iterations > 1 && {
          al: Array.from({ length: historySize }, (_, i) => memory.alphas[i] ?? null),
        }),
        d: memory.direction,
        t: memory.length,
        old_dirs: memory.gradientChanges,
        old_stps: memory.changes,
        ro: memory.curvatures,
        H_diag: memory.scale ?? 1,
        prev_flat_grad: memory.previousGradient,
        prev_loss: memory.previousLoss,
      })
    }
    const used = first !== undefined && memory.evaluations > 0
    return writeState(this.paramGroups, new Map(used ? [[first, values]] : []), {})
  }

  override loadStateDict(stateDict: OptimizerStateDict): void {
    const commit = readState('LBFGS', { ...stateDict, state: stateDict?.state && {} }, this.paramGroups, {
      names: () => [],
      check: (options) => this.checkOptions(options),
      state: () => ({}),
    })
    const first = stateDict.param_groups[0]?.params[0] ?? 0
    const memory = noGrad(() => tidy(() => this.#read(stateDict.state[first] ?? {})))
    for (const tensor of tensorsIn(memory)) keep(tensor)
    noGrad(() => tidy(commit))
    dispose(this.#memory)
    this.#memory = memory
  }

  #read(state: Readonly<Record<string, StateValue>>): Memory {
    const numel = this.#params.reduce((sum, parameter) => sum + parameter.numel, 0)
    const { dtype = 'float32', device = 'cpu' } = this.#params[0] ?? {}
    const wrong = (name: string, value: unknown) =>
      new FormatError(
        `LBFGS.loadStateDict: state.${name} is ${describe(value)}, which does not fit; nothing was changed`,
      )
    const count = (name: string) => {
      const value = state[name] ?? 0
      const number = isTensor(value) ? (value as Tensor).toNumber() : value
      if (typeof number !== 'number') throw wrong(name, value)
      return number
    }
    const convert = (name: string, value: unknown, elements: number): Tensor => {
      if (typeof value === 'number' && elements === 1)
        return zerosLike(this.#params[0] as Tensor)
          .sum()
          .add(value)
      if (!isTensor(value) || (value as unknown as Tensor).numel !== elements) throw wrong(name, value)
      const shape = elements === 1 ? [] : [elements]
      return (value as unknown as Tensor).to({ dtype, device, copy: true }).reshape(shape)
    }
    const one = (name: string, elements: number) =>
      state[name] === undefined || state[name] === null ? null : convert(name, state[name], elements)
    const list = (name: string, elements: number) => {
      const value = state[name] ?? []
      if (!Array.isArray(value)) throw wrong(name, value)
      return value.filter((item) => item !== null).map((item: unknown) => convert(name, item, elements))
    }
    return {
      evaluations: count('func_evals'),
      iterations: count('n_iter'),
      direction: one('d', numel),
      length: count('t'),
      gradientChanges: list('old_dirs', numel),
      changes: list('old_stps', numel),
      curvatures: list('ro', 1),
      scale: one('H_diag', 1),
      alphas: list('al', 1),
      previousGradient: one('prev_flat_grad', numel),
      previousLoss: count('prev_loss'),
    }
  }

  override dispose(): void {
    dispose(this.#memory)
    this.#memory = emptyMemory()
  }

  /** @internal */
  override *[TENSORS](): Iterable<Tensor> {
    yield* tensorsIn(this.#memory) as Iterable<Tensor>
  }
}

function largest(values: Tensor): number {
  return values.abs().max().toNumber()
}
