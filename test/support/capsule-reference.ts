import type { Tensor } from '../../lib/tensor'
import { zeros } from '../../lib/tensor'

export function squashReference(s: Tensor, kappa: number, dim: number): Tensor {
  const squared = s.mul(s).sum({ dim, keepdim: true })
  return s.mul(squared.sqrt()).div(squared.add(kappa))
}

/** Couplings and capsules of every iteration, one equation a line. */
export function routingReference(
  votes: Tensor,
  bias: Tensor | undefined,
  iterations = 3,
  kappa = 0.5,
): { couplings: Tensor[]; capsules: Tensor[] } {
  const [batch, inputs, outputs, dims, height, width] = votes.shape as [number, number, number, number, number, number]
  let logits: Tensor = zeros([batch, inputs, outputs, height, width], { dtype: 'float64' })
  const couplings: Tensor[] = []
  const capsules: Tensor[] = []
  for (let t = 0; t < iterations; t++) {
    const shares = logits.flatten({ startDim: 2 }).softmax(-1).reshape(logits.shape)
    const sums = shares.unsqueeze(3).mul(votes).sum({ dim: 1 })
    const biased = bias ? sums.add(bias.reshape([1, outputs, dims, 1, 1])) : sums
    const out = squashReference(biased, kappa, 2)
    logits = logits.add(out.unsqueeze(1).mul(votes).sum({ dim: 3 }))
    couplings.push(shares)
    capsules.push(out)
  }
  return { couplings, capsules }
}
