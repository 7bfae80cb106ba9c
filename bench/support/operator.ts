// How an operator of two tensors is measured: forward alone, or forward and backward.
import { grad, noGrad, type Tensor, tidy } from '../../lib/tensor'

/** A call that gives the result, or the gradient of its square sum by the first tensor. */
export function operatorRun(
  operator: (first: Tensor, second: Tensor) => Tensor,
  first: Tensor,
  second: Tensor,
  backward: boolean,
): () => Float32Array {
  return () =>
    tidy(() => {
      if (!backward) return noGrad(() => operator(first, second)).dataSync() as Float32Array
      const [a, b] = [first.detach().clone().requiresGrad_(), second.detach().clone().requiresGrad_()]
      const [gradient] = grad(operator(a, b).square().sum(), [a, b], { allowUnused: true })
      return (gradient as Tensor).dataSync() as Float32Array
    })
}

/** Milliseconds that a call takes. */
export function timeOf(body: () => unknown): number {
  const start = performance.now()
  body()
  return performance.now() - start
}
