// Time of content-aware upsampling beside the same in LibTorch's operators: windows by im2col, softmax and sum.
import { contentAwareUpsample } from '../lib/ops'
import { im2col, randn, setNumThreads, type Tensor, tidy } from '../lib/tensor'
import type { Context } from './benchmarks'
import { operatorRun, timeOf } from './support/operator'
import { largestDifference, median, type Row } from './support/result'

const ROUNDS = 15

export function contentAwareUpsampleTime({ threads }: Context): { rows: Row[] } {
  setNumThreads(threads)
  return tidy(() => {
    const features = randn([1, 256, 40, 40])
    const logits = randn([1, 100, 40, 40])
    const rows = [false, true].map((backward) => {
      const ours = operatorRun(contentAwareUpsample, features, logits, backward)
      const theirs = operatorRun(composition, features, logits, backward)
      const equalTo = largestDifference(ours(), theirs())
      const times: [number[], number[]] = [[], []]
      for (let round = 0; round < ROUNDS; round++) {
        times[0].push(timeOf(ours))
        times[1].push(timeOf(theirs))
      }
      const [oursMs, peerMs] = [median(times[0]), median(times[1])]
      const name = `256 at 40×40, ${backward ? 'forward and backward' : 'forward'}`
      return { case: name, oursMs, peer: 'LibTorch im2col', peerMs, ratio: peerMs / oursMs, equalTo }
    })
    return { rows }
  })
}

function composition(features: Tensor, logits: Tensor): Tensor {
  const taps = im2col(features, 5, 1, 2, 1).reshape([1, 256, 25, 1, 40, 40])
  const weights = logits.reshape([1, 1, 25, 4, 40, 40]).softmax(2)
  const sums = taps.mul(weights).sum({ dim: 2 })
  return sums.reshape([1, 256, 2, 2, 40, 40]).permute([0, 1, 4, 2, 5, 3]).reshape([1, 256, 80, 80])
}
