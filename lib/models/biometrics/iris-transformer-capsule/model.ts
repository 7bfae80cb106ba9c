import { Module } from '../../../nn'
import type { Tensor } from '../../../tensor'
import type { Config } from './config'
import { IrisExtractor, type IrisFeatures } from './extractor'
import { CapsuleMatcher, LinearMatcher, type Verdict } from './matcher'

/** What the network says of pairs of images. */
export interface Comparison extends Verdict {
  /** `[B, C, H, W]`: how much the images differ. */
  readonly difference: Tensor
}

/**
 * Tells whether normalised irises of two domains are of one eye (TransCaps-Iris, our name): a CNN and a transformer over
 * tokens describe both, and capsules judge the difference.
 */
export class TransCapsIris extends Module {
  readonly extractor: IrisExtractor
  readonly matcher: CapsuleMatcher | LinearMatcher

  constructor(readonly config: Config) {
    super()
    this.extractor = new IrisExtractor(config)
    const { matcher, channels } = config.network
    this.matcher = matcher === 'capsules' ? new CapsuleMatcher(config) : new LinearMatcher(channels)
  }

  /** Pairs of images `[B, 3, S, S]`, of the first and of the second domain. */
  forward(first: Tensor, second: Tensor): Comparison {
    return this.judge(...this.extractor.forward(first, second))
  }

  /** Pairs of what `extractor.describe` gave. */
  compare(first: IrisFeatures, second: IrisFeatures): Comparison {
    return this.judge(...this.extractor.relate(first, second))
  }

  /** Pairs of maps that know of one another, `[B, C, H, W]`. */
  judge(first: Tensor, second: Tensor): Comparison {
    const difference = differenceOf(first, second, this.config.network.difference)
    return { difference, ...this.matcher.judge(difference) }
  }

  /** `[B]`: the larger, the more alike. */
  score({ sureness }: Verdict): Tensor {
    const genuine = sureness.select(1, 1)
    return this.config.inference.score === 'genuine' ? genuine : genuine.sub(sureness.select(1, 0))
  }
}

/**
 * Difference of two maps `[B, C, H, W]`: the magnitude of each element, √((a − b)² + 1e-12); or the signed difference
 * brought to length 1, at each pixel or for the map as a whole.
 */
export function differenceOf(a: Tensor, b: Tensor, kind: Config['network']['difference'] = 'magnitude'): Tensor {
  const signed = a.sub(b)
  const squared = signed.square()
  if (kind === 'magnitude') return squared.add(1e-12).sqrt()
  const dim = kind === 'normalize-channel' ? [1] : [1, 2, 3]
  return signed.div(squared.sum({ dim, keepdim: true }).add(1e-12).sqrt())
}
