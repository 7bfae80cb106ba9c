import { ArgumentError } from '../native/errors'
import type { Tensor } from '../tensor/tensor'
import type { ParameterState } from './optimizer'

/**
 * Parameters of one device and dtype that get a step together, with their gradients and state, all in one memory order
 * per parameter: the fused operators walk through memory without looking at strides.
 */
export class Batch {
  readonly params: Tensor[] = []
  readonly grads: Tensor[] = []
  readonly states: ParameterState[] = []
  /** Parameters with gaps in memory get their step as dense copies, which are copied back. */
  readonly #copies: [target: Tensor, dense: Tensor][] = []

  constructor(
    /** Where all its tensors are. */
    readonly device: Tensor['device'],
  ) {}

  add(param: Tensor, grad: Tensor, state: ParameterState): void {
    const dense = isDense(param) ? param : param.clone()
    if (dense !== param) this.#copies.push([param, dense])
    this.params.push(dense)
    this.grads.push(inOrderOf(dense, grad))
    this.states.push(state)
  }

  /** One tensor of the state of each parameter. */
  state(name: string): Tensor[] {
    return this.states.map((state) => state[name] as Tensor)
  }

  finish(): void {
    for (const [target, dense] of this.#copies) target.copy_(dense)
  }
}

function inOrderOf(param: Tensor, grad: Tensor): Tensor {
  if (grad.layout !== 'strided') {
    throw new ArgumentError(
      `optimizer: a gradient is ${grad.layout}; optimisers take dense ones: set sparse to false, or call toDense()`,
    )
  }
  if ((grad.isContiguous && param.isContiguous) || String(grad.strides) === String(param.strides)) return grad
  return param.clone().copy_(grad)
}

/** True when the elements fill their memory without gaps or overlaps, in whatever order. */
function isDense(tensor: Tensor): boolean {
  if (tensor.isContiguous) return true
  const { shape, strides } = tensor
  const dims = shape.map((size, dim) => ({ size, stride: strides[dim] as number })).filter(({ size }) => size !== 1)
  dims.sort((a, b) => a.stride - b.stride)
  let expected = 1
  for (const { size, stride } of dims) {
    if (stride !== expected) return false
    expected *= size
  }
  return true
}
