// Time of capsule routing at the shape of the iris matcher beside the same in LibTorch's operators.
import { capsuleRouting } from '../lib/ops'
import { ones, randn, setNumThreads, type Tensor, tidy, zeros } from '../lib/tensor'
import type { Context } from './benchmarks'
import { operatorRun, timeOf } from './support/operator'
import { largestDifference, median, type Row } from './support/result'

const ROUNDS = 15

export function capsuleRoutingTime({ threads }: Context): { rows: Row[] } {
  setNumThreads(threads)
  return tidy(() => {
    const votes = randn([1, 8, 8, 16, 64, 64])
    const bias = ones([8, 16]).mul(0.1)
    const rows = [false, true].map((backward) => {
      const ours = operatorRun((v, b) => capsuleRouting(v, { bias: b }), votes, bias, backward)
      const theirs = operatorRun(composition, votes, bias, backward)
      const equalTo = largestDifference(ours(), theirs())
      const times: [number[], number[]] = [[], []]
      for (let round = 0; round < ROUNDS; round++) {
        times[0].push(timeOf(ours))
        times[1].push(timeOf(theirs))
      }
      const [oursMs, peerMs] = [median(times[0]), median(times[1])]
      const name = `64×64, 8 to 8 types of 16, ${backward ? 'forward and backward' : 'forward'}`
      return { case: name, oursMs, peer: 'LibTorch composition', peerMs, ratio: peerMs / oursMs, equalTo }
    })
    return { rows }
  })
}

function composition(votes: Tensor, bias: Tensor): Tensor {
  let logits: Tensor = zeros([1, 8, 8, 64, 64])
  let out: Tensor = logits
  for (let t = 0; t < 3; t++) {
    const shares = logits.flatten({ startDim: 2 }).softmax(-1).reshape([1, 8, 8, 1, 64, 64])
    const sums = shares
      .mul(votes)
      .sum({ dim: 1 })
      .add(bias.reshape([1, 8, 16, 1, 1]))
    const squared = sums.square().sum({ dim: 2, keepdim: true })
    out = sums.mul(squared.sqrt()).div(squared.add(0.5))
    if (t < 2) logits = logits.add(out.unsqueeze(1).mul(votes).sum({ dim: 3 }))
  }
  return out
}
