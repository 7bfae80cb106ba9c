import { ArgumentError, DTypeError, OperatorError } from '../native/errors'
import { type GradOptions, grad, noGrad } from './autograd'
import { describe } from './call'
import { rand, randn, tensor } from './creation'
import { isTensor } from './handle'
import { Generator } from './random'
import { tidy } from './scope'
import type { Tensor } from './tensor'

/** A function of tensors with one tensor or a list of them as its result. */
export type DifferentiableFunction = (...inputs: Tensor[]) => Tensor | readonly Tensor[]

export interface GradcheckOptions {
  /** Half the step of the central differences. */
  readonly eps?: number | undefined
  /** Largest difference, absolute; the sum of both bounds holds. */
  readonly atol?: number | undefined
  /** Largest difference relative to the numerical derivative. */
  readonly rtol?: number | undefined
  /** Throws where gradients differ; `false` returns false then. */
  readonly raiseException?: boolean | undefined
  /** Largest difference between two backward passes from the same values. */
  readonly nondetTol?: number | undefined
  /** Compares one random projection of the Jacobian instead of every entry: a few runs, whatever the sizes. */
  readonly fastMode?: boolean | undefined
  /** Seed of the projections, and of the gradients that `gradgradcheck` draws. */
  readonly seed?: number | undefined
}

export interface GradgradcheckOptions extends GradcheckOptions {
  /** What the first backward starts from, one for each output; drawn at random unless given. */
  readonly gradOutputs?: readonly Tensor[] | undefined
}

/** Where the derivative of an output with respect to an input is not what backward computes. */
export interface GradientMismatch {
  /** Place of the input among the arguments. */
  readonly input: number
  /** Place of the output among the results. */
  readonly output: number
  /** Row-major places in the output and in the input; null where a projection was compared. */
  readonly entry: readonly [outputElement: number, inputElement: number] | null
  readonly numerical: number
  readonly analytical: number
}

/** A gradient that `gradcheck` found wrong. */
export class GradcheckError extends OperatorError {
  constructor(
    message: string,
    readonly mismatch: GradientMismatch,
  ) {
    super(message)
    this.name = 'GradcheckError'
  }
}

interface Settings {
  readonly name: string
  readonly eps: number
  readonly atol: number
  readonly rtol: number
  readonly nondetTol: number
  readonly seed: number
}

/**
 * Compares the gradients that backward computes with central differences `(f(x + eps) − f(x − eps)) / (2 eps)`, as
 * `torch.autograd.gradcheck`. Inputs that require gradients are changed in place while it runs and put back, so `fn` may
 * also use them otherwise (parameters of a module it calls).
 *
 * Only at points where the function is differentiable can the two agree; draw inputs away from kinks and ties.
 *
 * @param fn a function of float64 tensors that gives the same result each time it is called with the same values
 * @param inputs its arguments; those that require gradients are checked
 * @param options defaults are PyTorch's: `eps` 1e-6, `atol` 1e-5, `rtol` 1e-3, `nondetTol` 0
 * @returns true; false where `raiseException: false` was passed and gradients differ
 * @throws GradcheckError naming the input, the output, the entry and both values
 * @throws DTypeError when an input to check is not float64: differences of 1e-6 drown in float32
 * @throws ArgumentError when no input requires gradients, or elements of one share memory
 */
export function gradcheck(
  fn: DifferentiableFunction,
  inputs: Tensor | readonly Tensor[],
  options: GradcheckOptions = {},
): boolean {
  return check('gradcheck', fn, inputs, options)
}

/**
 * Compares gradients of gradients with central differences of gradients, as `torch.autograd.gradgradcheck`: with respect
 * to the inputs and to what the first backward starts from.
 *
 * @param fn as for `gradcheck`
 * @param inputs as for `gradcheck`
 * @throws GradcheckError whose input counts the arguments and, after them, the gradients of the outputs
 */
export function gradgradcheck(
  fn: DifferentiableFunction,
  inputs: Tensor | readonly Tensor[],
  { gradOutputs, ...options }: GradgradcheckOptions = {},
): boolean {
  return tidy(() => {
    const list = inputsOf('gradgradcheck', inputs)
    const places = new Set(tidy(() => differentiable(run('gradgradcheck', fn, list)).map(({ place }) => place)))
    const generator = new Generator(options.seed ?? 0)
    const starts =
      gradOutputs?.map((start) => start.detach().clone().requiresGrad_()) ??
      tidy(() =>
        differentiable(run('gradgradcheck', fn, list)).map(({ output }) =>
          randn(output.shape, { dtype: output.dtype, generator }).requiresGrad_(),
        ),
      )
    generator.dispose()
    if (starts.length !== places.size) {
      throw new ArgumentError(
        `gradgradcheck: ${starts.length} gradOutputs for ${places.size} outputs that require gradients; pass one for each`,
      )
    }
    const first: DifferentiableFunction = (...args) => {
      const values = args.slice(0, list.length)
      const outputs = run('gradgradcheck', fn, values).filter((_, place) => places.has(place))
      const options: GradOptions = { gradOutputs: args.slice(list.length), createGraph: true }
      const wanted = values.filter((value) => value.requiresGrad)
      return grad(outputs, wanted, { ...options, allowUnused: true }).filter((g) => g !== null)
    }
    return check('gradgradcheck', first, [...list, ...starts], options)
  })
}

function check(
  name: string,
  fn: DifferentiableFunction,
  inputs: Tensor | readonly Tensor[],
  options: GradcheckOptions,
): boolean {
  const { raiseException = true, fastMode = false } = options
  const settings = settingsOf(name, options)
  try {
    tidy(() => {
      const list = inputsOf(name, inputs)
      const checked = checkedInputs(name, list)
      checkUndifferentiable(settings, fn, list, checked)
      if (fastMode) compareProjections(settings, fn, list, checked)
      else compareJacobians(settings, fn, list, checked)
    })
    return true
  } catch (error) {
    if (!raiseException && error instanceof GradcheckError) return false
    throw error
  }
}

// ---- Arguments ------------------------------------------------------------------------------------------------------

function settingsOf(name: string, options: GradcheckOptions): Settings {
  const { eps = 1e-6, atol = 1e-5, rtol = 1e-3, nondetTol = 0, seed = 0 } = options
  if (!(eps > 0 && Number.isFinite(eps))) throw new ArgumentError(`${name}: eps is ${eps}; it is a step above 0`)
  for (const [option, value] of Object.entries({ atol, rtol, nondetTol })) {
    if (!(value >= 0)) throw new ArgumentError(`${name}: ${option} is ${describe(value)}; it is a bound of 0 or more`)
  }
  return { name, eps, atol, rtol, nondetTol, seed }
}

function inputsOf(name: string, inputs: unknown): readonly Tensor[] {
  const list: unknown = isTensor(inputs) ? [inputs] : inputs
  if (!Array.isArray(list)) throw new ArgumentError(`${name}: inputs are ${describe(inputs)}; pass a list of tensors`)
  const wrong = list.findIndex((item) => !isTensor(item))
  if (wrong >= 0) throw new ArgumentError(`${name}: input ${wrong} is ${describe(list[wrong])}; inputs are tensors`)
  return list
}

interface CheckedInput {
  readonly place: number
  readonly input: Tensor
  readonly original: Tensor
}

function checkedInputs(name: string, inputs: readonly Tensor[]): readonly CheckedInput[] {
  const checked = inputs
    .map((input, place) => ({ place, input, original: input.detach().clone() }))
    .filter(({ input }) => input.requiresGrad)
  if (checked.length === 0) {
    throw new ArgumentError(`${name}: no input requires gradients, so there is nothing to check; call requiresGrad_()`)
  }
  for (const { place, input } of checked) {
    if (input.dtype !== 'float64') {
      throw new DTypeError(`${name}: input ${place} is ${input.dtype}; only float64 resolves such small differences`)
    }
    if (input.strides.some((stride, dim) => stride === 0 && input.size(dim) > 1)) {
      throw new ArgumentError(`${name}: elements of input ${place} share memory (expand()); pass a contiguous() copy`)
    }
  }
  return checked
}

function run(name: string, fn: DifferentiableFunction, inputs: readonly Tensor[]): readonly Tensor[] {
  const result: unknown = fn(...inputs)
  const outputs: unknown = isTensor(result) ? [result] : result
  if (!Array.isArray(outputs) || !outputs.every(isTensor)) {
    throw new ArgumentError(
      `${name}: the function returned ${describe(result)}; it returns a tensor or a list of tensors`,
    )
  }
  return outputs as Tensor[]
}

interface Output {
  readonly place: number
  readonly output: Tensor
}

function differentiable(outputs: readonly Tensor[]): readonly Output[] {
  return outputs.map((output, place) => ({ place, output })).filter(({ output }) => output.requiresGrad)
}

// ---- Numerical and analytical derivatives ---------------------------------------------------------------------------

/** The outputs' elements with `delta` added to an input; undefined for outputs that have no derivative by their dtype. */
function evaluate(
  { name }: Settings,
  fn: DifferentiableFunction,
  inputs: readonly Tensor[],
  { input, original }: CheckedInput,
  delta: Tensor,
): readonly (Float64Array | undefined)[] {
  return tidy(() => {
    noGrad(() => input.add_(delta))
    try {
      return run(name, fn, inputs).map((output) =>
        /^float/.test(output.dtype) ? (output.detach().to('float64').dataSync() as Float64Array) : undefined,
      )
    } finally {
      noGrad(() => input.copy_(original))
    }
  })
}

/** The derivative of each output along `direction`, a change of one input. */
function differences(
  settings: Settings,
  fn: DifferentiableFunction,
  inputs: readonly Tensor[],
  checked: CheckedInput,
  direction: Tensor,
): readonly Float64Array[] {
  return tidy(() => {
    const above = evaluate(settings, fn, inputs, checked, direction.mul(settings.eps))
    const below = evaluate(settings, fn, inputs, checked, direction.mul(-settings.eps))
    return above.map((high, place) => {
      const low = below[place]
      if (high === undefined || low === undefined) return new Float64Array()
      return high.map((value, i) => (value - (low[i] ?? Number.NaN)) / (2 * settings.eps))
    })
  })
}

/** An input's direction in which one element alone changes. */
function unit(input: Tensor, element: number): Tensor {
  const values = new Float64Array(input.numel)
  values[element] = 1
  return tensor(values).reshape([...input.shape])
}

/** The gradients of one output's projection with respect to the checked inputs, as elements. */
function vectorJacobian(output: Tensor, cotangent: Tensor, checked: readonly CheckedInput[]): readonly Float64Array[] {
  return tidy(() => {
    const inputs = checked.map(({ input }) => input)
    const gradients = grad(output, inputs, { gradOutputs: cotangent, retainGraph: true, allowUnused: true })
    return gradients.map((gradient, i) => {
      const { numel } = checked[i]?.input ?? output
      return gradient === null ? new Float64Array(numel) : (gradient.detach().to('float64').dataSync() as Float64Array)
    })
  })
}

/** As `vectorJacobian`, twice: the same values must give the same gradients. */
function steadyGradients(
  settings: Settings,
  { place, output }: Output,
  cotangent: Tensor,
  checked: readonly CheckedInput[],
): readonly Float64Array[] {
  const gradients = vectorJacobian(output, cotangent, checked)
  const again = vectorJacobian(output, cotangent, checked)
  for (const [i, gradient] of gradients.entries()) {
    for (const [element, value] of gradient.entries()) {
      const second = again[i]?.[element] ?? Number.NaN
      if (Math.abs(value - second) <= settings.nondetTol || Object.is(value, second)) continue
      const input = checked[i]?.place ?? 0
      throw new GradcheckError(
        `${settings.name}: backward of output ${place} is not deterministic: the gradient of input ${input}, element ` +
          `${element}, is ${value} and then ${second}; raise nondetTol if that is expected`,
        { input, output: place, entry: null, numerical: second, analytical: value },
      )
    }
  }
  return gradients
}

function agree({ atol, rtol }: Settings, analytical: number, numerical: number): boolean {
  return analytical === numerical || Math.abs(analytical - numerical) <= atol + rtol * Math.abs(numerical)
}

function mismatch(settings: Settings, found: GradientMismatch, checked: CheckedInput, output: Tensor): GradcheckError {
  const { input, entry, numerical, analytical } = found
  const where = entry
    ? `element ${entry[0]} of output ${found.output} [${output.shape}] by element ${entry[1]} of input ${input} [${checked.input.shape}]`
    : `a random projection of output ${found.output} [${output.shape}] by input ${input} [${checked.input.shape}]`
  return new GradcheckError(
    `${settings.name}: the derivative of ${where} is ${numerical} by differences, ${analytical} by backward`,
    found,
  )
}

// ---- Comparison -----------------------------------------------------------------------------------------------------

/** Outputs that require no gradients must not depend on the inputs. */
function checkUndifferentiable(
  settings: Settings,
  fn: DifferentiableFunction,
  inputs: readonly Tensor[],
  checked: readonly CheckedInput[],
): void {
  tidy(() => {
    const outputs = run(settings.name, fn, inputs)
    if (outputs.every((output) => output.requiresGrad)) return
    const generator = new Generator(settings.seed)
    for (const one of checked) {
      const direction = rand(one.input.shape, { dtype: 'float64', generator })
      const slopes = differences(settings, fn, inputs, one, direction)
      for (const [place, output] of outputs.entries()) {
        const numerical = slopes[place]?.find((slope) => !agree(settings, 0, slope))
        if (output.requiresGrad || numerical === undefined) continue
        throw new GradcheckError(
          `${settings.name}: output ${place} requires no gradients, but input ${one.place} changes it ` +
            `(its derivative along a random direction is ${numerical})`,
          { input: one.place, output: place, entry: null, numerical, analytical: 0 },
        )
      }
    }
    generator.dispose()
  })
}

function compareJacobians(
  settings: Settings,
  fn: DifferentiableFunction,
  inputs: readonly Tensor[],
  checked: readonly CheckedInput[],
): void {
  const outputs = differentiable(run(settings.name, fn, inputs))
  // Rows first: the graph of `outputs` must not see the inputs change in place.
  const rows = outputs.map((one) =>
    Array.from({ length: one.output.numel }, (_, k) => steadyGradients(settings, one, unit(one.output, k), checked)),
  )
  for (const [i, one] of checked.entries()) {
    for (let element = 0; element < one.input.numel; element++) {
      const columns = differences(settings, fn, inputs, one, unit(one.input, element))
      for (const [o, { place, output }] of outputs.entries()) {
        for (const [k, row] of (rows[o] ?? []).entries()) {
          const numerical = columns[place]?.[k] ?? Number.NaN
          const analytical = row[i]?.[element] ?? Number.NaN
          if (agree(settings, analytical, numerical)) continue
          throw mismatch(
            settings,
            { input: one.place, output: place, entry: [k, element], numerical, analytical },
            one,
            output,
          )
        }
      }
    }
  }
}

/** v · J u by differences along u, and by one backward from v. */
function compareProjections(
  settings: Settings,
  fn: DifferentiableFunction,
  inputs: readonly Tensor[],
  checked: readonly CheckedInput[],
): void {
  const generator = new Generator(settings.seed)
  const random = (like: Tensor) => rand(like.shape, { dtype: 'float64', generator })
  const outputs = differentiable(run(settings.name, fn, inputs)).map((one) => ({ ...one, v: random(one.output) }))
  const gradients = outputs.map((one) => steadyGradients(settings, one, one.v.to(one.output.dtype), checked))
  for (const [i, one] of checked.entries()) {
    const direction = random(one.input)
    const u = direction.div(direction.norm().clamp({ min: 1e-300 }))
    const slopes = differences(settings, fn, inputs, one, u)
    const along = u.dataSync() as Float64Array
    for (const [o, { place, output, v }] of outputs.entries()) {
      const weights = v.dataSync() as Float64Array
      const numerical = dot(slopes[place] ?? [], weights)
      const analytical = dot(gradients[o]?.[i] ?? [], along)
      // A projection sums as many errors as there are entries: the absolute bound grows with the weights, as PyTorch's.
      const atol = settings.atol * sum(weights) * sum(along)
      if (agree({ ...settings, atol }, analytical, numerical)) continue
      // The entry at fault says more than the projection.
      compareJacobians(settings, fn, inputs, checked)
      throw mismatch(settings, { input: one.place, output: place, entry: null, numerical, analytical }, one, output)
    }
  }
  generator.dispose()
}

function dot(a: ArrayLike<number>, b: Float64Array): number {
  return b.reduce((total, value, i) => total + value * (a[i] ?? Number.NaN), 0)
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0)
}
