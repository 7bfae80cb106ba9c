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

/** Sums before the squash, couplings and capsules of every iteration of dense routing. */
export function denseReference(
  input: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  iterations = 3,
  kappa = 1,
): { couplings: Tensor[]; capsules: Tensor[]; votes: Tensor } {
  // û[b, i, j, m] = Σ_n W[i, j, m, n]·x[b, i, n]
  const votes = weight.unsqueeze(0).mul(input.unsqueeze(2).unsqueeze(3)).sum({ dim: 4 })
  let logits: Tensor = zeros(votes.shape.slice(0, 3), { dtype: 'float64' })
  const couplings: Tensor[] = []
  const capsules: Tensor[] = []
  for (let t = 0; t < iterations; t++) {
    const shares = logits.softmax(2)
    const sums = shares.unsqueeze(3).mul(votes).sum({ dim: 1 })
    const out = squashReference(bias ? sums.add(bias) : sums, kappa, 2)
    logits = logits.add(out.unsqueeze(1).mul(votes).sum({ dim: 3 }))
    couplings.push(shares)
    capsules.push(out)
  }
  return { couplings, capsules, votes }
}
