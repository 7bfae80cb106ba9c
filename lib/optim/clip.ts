import { ArgumentError } from '../native/errors'
import { noGrad } from '../tensor/autograd'
import { describe } from '../tensor/call'
import { zeros } from '../tensor/creation'
import { isTensor } from '../tensor/handle'
import { linalgVectorNorm, stack } from '../tensor/ops.generated'
import { _foreachClampMax_, _foreachClampMin_, _foreachMul_, _foreachNorm } from '../tensor/private-ops.generated'
import { tidy } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'
import { checkNumber } from './param-group'

/** Keeps the factor finite where all gradients are zero; PyTorch's value. */
const TINY = 1e-6

export interface ClipNormOptions {
  /** Order of the norm; `Infinity` is the largest size. 2 unless stated. */
  readonly normType?: number | undefined
  /** Throws when the norm is NaN or infinite instead of scaling by it; reads the norm. */
  readonly errorIfNonfinite?: boolean | undefined
}

/**
 * Scales the gradients in place so that the norm of all of them together is at most `maxNorm`, as
 * `torch.nn.utils.clip_grad_norm_` (Pascanu et al., "On the difficulty of training recurrent neural networks", ICML
 * 2013).
 *
 * @param parameters tensors; those without a gradient are passed over
 * @returns the norm as it was before, a tensor of one element
 */
export function clipGradNorm_(
  parameters: Tensor | Iterable<Tensor>,
  maxNorm: number,
  { normType = 2, errorIfNonfinite = false }: ClipNormOptions = {},
): Tensor {
  checkNumber('clipGradNorm_', 'maxNorm', maxNorm)
  if (typeof normType !== 'number' || Number.isNaN(normType)) {
    throw new ArgumentError(`clipGradNorm_: normType is ${describe(normType)}; it must be a number`)
  }
  return noGrad(() =>
    tidy(() => {
      const groups = gradientsByDevice(parameters, 'clipGradNorm_')
      const [first] = groups.values()
      if (first?.[0] === undefined) return zeros([])
      const norms = [...groups.values()].flatMap((grads) => _foreachNorm(grads, { ord: normType }))
      const { device } = first[0]
      const total = linalgVectorNorm(stack(norms.map((norm) => norm.to(device))), { ord: normType })
      if (errorIfNonfinite && !Number.isFinite(total.toNumber())) {
        throw new ArgumentError(
          `clipGradNorm_: the norm of order ${normType} of the gradients is ${total.toNumber()}; nothing was scaled`,
        )
      }
      const factor = total.add(TINY).reciprocal().mul(maxNorm).clamp({ max: 1 })
      for (const [where, grads] of groups) _foreachMul_(grads, factor.to(where.split(' ')[0] as Tensor['device']))
      return total
    }),
  )
}

/** Limits every element of the gradients, in place, to ±`clipValue`, as `torch.nn.utils.clip_grad_value_`. */
export function clipGradValue_(parameters: Tensor | Iterable<Tensor>, clipValue: number): void {
  checkNumber('clipGradValue_', 'clipValue', clipValue)
  noGrad(() =>
    tidy(() => {
      for (const grads of gradientsByDevice(parameters, 'clipGradValue_').values()) {
        _foreachClampMin_(grads, -clipValue)
        _foreachClampMax_(grads, clipValue)
      }
    }),
  )
}

/** Gradients by device and dtype, as the operators on lists take them. */
function gradientsByDevice(parameters: Tensor | Iterable<Tensor>, caller: string): Map<string, Tensor[]> {
  const groups = new Map<string, Tensor[]>()
  for (const parameter of isTensor(parameters) ? [parameters as Tensor] : parameters) {
    if (!isTensor(parameter)) throw new ArgumentError(`${caller}: a parameter is ${describe(parameter)}, not a Tensor`)
    const { grad } = parameter
    if (grad === null) continue
    const key = `${grad.device} ${grad.dtype}`
    const group = groups.get(key)
    if (group) group.push(grad)
    else groups.set(key, [grad])
  }
  return groups
}
