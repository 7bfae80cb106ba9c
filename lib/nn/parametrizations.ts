import { ArgumentError, ShapeError } from '../native/errors'
import type { Tensor } from '../tensor'
import * as ops from '../tensor'
import { call, describe } from '../tensor/call'
import { type Member, Module } from './module'
import { wholeNumber, withDefaults } from './options'
import { type Buffer, buffer, parameter, roleOf } from './roles'

/**
 * Parametrisations, as `torch.nn.utils.parametrize`: a parameter of a module, such as its weight, is computed from other
 * tensors, which are trained in its place. The property stays where it was, but reading it computes the tensor anew; the
 * originals are members of the module's child `parametrizations`, with PyTorch's names
 * (`parametrizations.weight.original0`).
 */

/** Computes a tensor from its originals. */
export abstract class Parametrization extends Module {
  abstract forward(...originals: Tensor[]): Tensor

  /** Originals from which `forward` gives the value, or nearly: where training starts. Itself unless overridden. */
  rightInverse(value: Tensor): Tensor | readonly Tensor[] {
    return value
  }
}

/** The originals of one tensor and what they pass through. */
class ParametrizedTensor extends Module {
  readonly chain: Parametrization[]
  readonly originals: readonly Tensor[]

  constructor(value: Tensor, first: Parametrization, originals: readonly Tensor[]) {
    super()
    this.chain = [first]
    const [original, second] = originals
    if (original && !second) {
      // In place, so that an optimiser that holds the tensor trains its original.
      if (original !== value) call('aten::set_data', [value, original.detach()])
      this.originals = [value]
      return
    }
    this.originals = originals.map((tensor) => withRoleOf(value, tensor))
  }

  protected override *members(): Iterable<readonly [name: string, member: Member]> {
    const single = this.originals.length === 1
    for (const [i, original] of this.originals.entries()) yield [single ? 'original' : `original${i}`, original]
    for (const [i, parametrization] of this.chain.entries()) yield [String(i), parametrization]
  }

  value(): Tensor {
    return ops.tidy(() => {
      const [first, ...others] = this.chain as [Parametrization, ...Parametrization[]]
      return others.reduce((value, next) => next.forward(value), first.forward(...this.originals))
    })
  }

  /** Sets the originals to those that give this value. */
  assign(value: Tensor): void {
    ops.noGrad(() =>
      ops.tidy(() => {
        const [first, ...others] = this.chain as [Parametrization, ...Parametrization[]]
        const wanted = others.reduceRight((tensor, next) => inverse(next, tensor)[0] as Tensor, value)
        for (const [i, original] of inverse(first, wanted).entries()) this.originals[i]?.copy_(original)
      }),
    )
  }
}

/** Makes a tensor what `model` is to its module. */
function withRoleOf(model: Tensor, tensor: Tensor): Tensor {
  if (roleOf(model) !== 'parameter') return buffer(tensor)
  return parameter(tensor, { requiresGrad: model.requiresGrad })
}

function inverse(parametrization: Parametrization, value: Tensor): readonly Tensor[] {
  const originals = ops.noGrad(() => parametrization.rightInverse(value))
  return ops.isTensor(originals) ? [originals] : originals
}

/** The child of a module that holds its parametrised tensors. */
class Parametrizations extends Module {
  /** By property. */
  readonly tensors = new Map<string, { readonly stateName: string; readonly tensor: ParametrizedTensor }>()

  protected override *members(): Iterable<readonly [name: string, member: Member]> {
    for (const { stateName, tensor } of this.tensors.values()) yield [stateName, tensor]
  }
}

type Parametrized = Module & { readonly parametrizations?: Parametrizations }

/**
 * Computes a tensor of a module by `parametrization` from now on, as `torch.nn.utils.parametrize`'s
 * `register_parametrization`. Where the tensor is parametrised already, the new one takes the other's result.
 *
 * A single original is the very tensor that stood there, so an optimiser that was given it before trains it; several are
 * new ones, for which an optimiser must be made afterwards.
 *
 * @param name the property, such as `weight`
 * @returns the module
 * @throws ArgumentError when the property is no parameter or buffer
 * @throws ShapeError when the parametrisation changes shape or dtype
 */
export function registerParametrization<M extends Module>(
  module: M,
  name: keyof M & string,
  parametrization: Parametrization,
): M {
  const value: unknown = module[name]
  const known = parametrizationsOf(module)?.tensors.get(name)
  if (known) {
    ops.tidy(() => checkResult(name, value as Tensor, parametrization.forward(value as Tensor)))
    known.tensor.chain.push(parametrization.train(module.training))
    return module
  }
  const stateName = stateNameOf(module, name, value)
  const tensor = ops.tidy(() => {
    const originals = inverse(parametrization, value as Tensor)
    checkResult(name, value as Tensor, parametrization.forward(...originals))
    return new ParametrizedTensor(value as Tensor, parametrization, originals)
  })
  const container = parametrizationsOf(module) ?? addContainer(module)
  container.tensors.set(name, { stateName, tensor })
  container.train(module.training)
  // Not enumerable: a walk over the members must not compute it.
  Object.defineProperty(module, name, {
    get: () => tensor.value(),
    set: (assigned: Tensor) => tensor.assign(assigned),
    enumerable: false,
    configurable: true,
  })
  return module
}

/** Whether a tensor of the module, or the one of this name, is parametrised. */
export function isParametrized(module: Module, name?: string): boolean {
  const tensors = parametrizationsOf(module)?.tensors
  return tensors !== undefined && (name === undefined || tensors.has(name))
}

/**
 * Makes a parametrised tensor a parameter of its own again, as `torch.nn.utils.parametrize`'s
 * `remove_parametrizations`.
 *
 * @param options `leaveParametrized: false` gives back the original instead of the present value; there must be only one
 * @returns the module
 * @throws ArgumentError when the tensor is not parametrised, or has several originals and none can be given back
 */
export function removeParametrizations<M extends Module>(
  module: M,
  name: keyof M & string,
  options: { readonly leaveParametrized?: boolean | undefined } = {},
): M {
  const { leaveParametrized } = withDefaults('removeParametrizations', { leaveParametrized: true }, options)
  const container = parametrizationsOf(module)
  const tensor = container?.tensors.get(name)?.tensor
  if (!container || !tensor) {
    throw new ArgumentError(`removeParametrizations: ${name} of ${module.constructor.name} is not parametrised`)
  }
  const [original, second] = tensor.originals as [Tensor, ...Tensor[]]
  if (second && !leaveParametrized) {
    throw new ArgumentError(
      `removeParametrizations: ${name} has ${tensor.originals.length} originals, of which none can take its place; leave it parametrised`,
    )
  }
  Object.defineProperty(module, name, {
    value: leaveParametrized ? settled(tensor, second ? undefined : original) : original,
    enumerable: true,
    configurable: true,
    writable: true,
  })
  container.tensors.delete(name)
  if (container.tensors.size === 0) Reflect.deleteProperty(module, 'parametrizations')
  return module
}

/** The present value as a tensor with the originals' role: in `place`, so that who holds that keeps it, or a new one. */
function settled(tensor: ParametrizedTensor, place: Tensor | undefined): Tensor {
  const value = ops.noGrad(() => tensor.value().detach())
  const [original] = tensor.originals as [Tensor, ...Tensor[]]
  if (place === undefined) return withRoleOf(original, value)
  call('aten::set_data', [place, value])
  return place
}

function parametrizationsOf(module: Module): Parametrizations | undefined {
  return (module as Parametrized).parametrizations
}

function addContainer(module: Module): Parametrizations {
  const container = new Parametrizations()
  Object.defineProperty(module, 'parametrizations', { value: container, enumerable: true, configurable: true })
  return container
}

function stateNameOf(module: Module, name: string, value: unknown): string {
  const own = [...module.namedParameters(), ...module.namedBuffers()]
  const found = ops.isTensor(value) && roleOf(value) ? own.find(([, tensor]) => tensor === value) : undefined
  if (found) return found[0]
  const names = own.map(([key]) => key).filter((key) => !key.includes('.'))
  throw new ArgumentError(
    `registerParametrization: ${name} of ${module.constructor.name} is ${describe(value)}, no parameter or buffer; it has ${names.join(', ') || 'none'}`,
  )
}

function checkResult(name: string, before: Tensor, after: Tensor): void {
  if (String(before.shape) === String(after.shape) && before.dtype === after.dtype) return
  throw new ShapeError(
    `registerParametrization: ${name} is ${before.dtype} [${before.shape.join(', ')}], but the parametrisation gives ${after.dtype} [${after.shape.join(', ')}]; they must agree`,
  )
}

// ---- Weight norm ----------------------------------------------------------------------------------------------------

class WeightNorm extends Parametrization {
  constructor(readonly dim: number) {
    super()
  }

  forward(magnitude: Tensor, direction: Tensor): Tensor {
    return call('aten::_weight_norm', [direction, magnitude], { dim: this.dim }) as Tensor
  }

  override rightInverse(value: Tensor): readonly Tensor[] {
    return [ops.normExceptDim(value, { pow: 2, dim: this.dim }), value]
  }
}

export interface WeightNormOptions<M extends Module = Module> {
  /** Property of the tensor. Default: `weight`. */
  readonly name?: (keyof M & string) | undefined
  /** Each slice along it has a norm of its own; null for one norm of the whole. Default: 0. */
  readonly dim?: number | null | undefined
}

/**
 * Weight normalisation (Salimans and Kingma 2016), as `torch.nn.utils.parametrizations.weight_norm`: `w = g v / ‖v‖`, with
 * the magnitude g (`original0`) and the direction v (`original1`) trained apart.
 *
 * @returns the module
 */
export function weightNorm<M extends Module>(module: M, options: WeightNormOptions<M> = {}): M {
  const defaults = { name: 'weight' as keyof M & string, dim: 0 as number | null }
  const { name, dim } = withDefaults<typeof defaults>('weightNorm', defaults, options)
  return registerParametrization(module, name, new WeightNorm(dim ?? -1))
}

// ---- Spectral norm --------------------------------------------------------------------------------------------------

class SpectralNorm extends Parametrization {
  /** Estimates of the first left and right singular vectors; none for a vector, whose norm is exact. */
  readonly _u: Buffer | undefined
  readonly _v: Buffer | undefined

  constructor(
    weight: Tensor,
    readonly dim: number,
    readonly nPowerIterations: number,
    readonly eps: number,
  ) {
    super()
    if (weight.ndim < 2) return
    const [u, v] = ops.noGrad(() =>
      ops.tidy(() => {
        const matrix = this.#matrix(weight)
        const { dtype, device } = weight
        const random = (size: number) => unit(ops.randn([size], { dtype, device }), eps)
        return powerIteration(matrix, random(matrix.size(0)), random(matrix.size(1)), 15, eps)
      }),
    )
    this._u = buffer(u)
    this._v = buffer(v)
  }

  forward(weight: Tensor): Tensor {
    const { _u, _v, nPowerIterations, eps } = this
    if (!_u || !_v) return unit(weight, eps)
    const matrix = this.#matrix(weight)
    if (this.training) {
      ops.noGrad(() => {
        const [u, v] = powerIteration(matrix, _u, _v, nPowerIterations, eps)
        _u.copy_(u)
        _v.copy_(v)
      })
    }
    // Copies, because the next call may change the buffers while this one's backward still needs them.
    const sigma = _u.clone().dot(matrix.mv(_v.clone()))
    return weight.div(sigma)
  }

  /** The weight as a matrix whose rows are the outputs. */
  #matrix(weight: Tensor): Tensor {
    return weight.movedim(this.dim, 0).flatten({ startDim: 1 })
  }
}

/** Brings u and v nearer to the singular vectors of the largest singular value. */
function powerIteration(matrix: Tensor, u: Tensor, v: Tensor, times: number, eps: number): [u: Tensor, v: Tensor] {
  let [left, right] = [u, v]
  for (let i = 0; i < times; i++) {
    left = unit(matrix.mv(right), eps)
    right = unit(matrix.t().mv(left), eps)
  }
  return [left, right]
}

function unit(vector: Tensor, eps: number): Tensor {
  return vector.div(ops.linalgVectorNorm(vector).clampMin(eps))
}

export interface SpectralNormOptions<M extends Module = Module> {
  /** Property of the tensor. Default: `weight`. */
  readonly name?: (keyof M & string) | undefined
  /** Steps of the power iteration at each forward pass in training. Default: 1. */
  readonly nPowerIterations?: number | undefined
  /** Smaller norms count as this. Default: 1e-12. */
  readonly eps?: number | undefined
  /** The dimension of the outputs. Default: 1 for transposed convolutions, 0 for others. */
  readonly dim?: number | undefined
}

/**
 * Spectral normalisation (Miyato et al. 2018), as `torch.nn.utils.parametrizations.spectral_norm`: `w / σ(w)`, where σ is
 * the largest singular value, estimated by power iteration.
 *
 * @returns the module
 */
export function spectralNorm<M extends Module>(module: M, options: SpectralNormOptions<M> = {}): M {
  // Only transposed convolutions, whose weights begin with the inputs, have an output padding.
  const outputs = 'outputPadding' in module ? 1 : 0
  const defaults = { name: 'weight' as keyof M & string, nPowerIterations: 1, eps: 1e-12, dim: outputs as number }
  const { name, nPowerIterations, eps, dim } = withDefaults<typeof defaults>('spectralNorm', defaults, options)
  wholeNumber('spectralNorm: nPowerIterations', nPowerIterations)
  const weight: unknown = module[name]
  stateNameOf(module, name, weight)
  return registerParametrization(module, name, new SpectralNorm(weight as Tensor, dim, nPowerIterations, eps))
}
