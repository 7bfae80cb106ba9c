// Measurement by phases beside optical flow.
import { tvl1 } from '../../../ops'
import { type Tensor, tensor, tidyAsync } from '../../../tensor'
import { MotionEstimator } from './estimator'
import { texture } from './synthetic'

/** Root mean square error of the motion of the test texture, in px. */
export interface FlowComparison {
  readonly phases: number
  readonly tvl1: number
}

/** Phases and TV-L1 optical flow on the same pair of frames: the test texture moved by (u, v) px, 16 px from its edge. */
export async function compareWithFlow(u: number, v: number): Promise<FlowComparison> {
  return tidyAsync(async () => {
    const [first, second] = [texture(), texture(u, v)].map((image) => image.to('float32')) as [Tensor, Tensor]
    using estimator = new MotionEstimator(first)
    const truth = tensor([u, v]).reshape([2, 1, 1])
    const error = async (motion: Tensor) => {
      const inner = motion.narrow(1, 16, 96).narrow(2, 16, 96)
      return (await inner
        .sub(truth)
        .square()
        .sum({ dim: [0] })
        .mean()
        .sqrt()
        .item()) as number
    }
    return {
      phases: await error(estimator.measure(second.unsqueeze(0)).squeeze(0)),
      tvl1: await error(await tvl1().pair(first, second)),
    }
  })
}
