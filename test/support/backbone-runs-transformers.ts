import type { ViltModel } from '../../lib/backbones'
import { arange, type Tensor } from '../../lib/tensor'
import type { Run } from './backbone-runs'

/** By the case's name in test/fixtures/backbones. */
export const TRANSFORMER_RUNS: Readonly<Record<string, Run>> = {
  // The second text has two words less, the second picture a third of its width; transformers shuffles the patches.
  vilt_b32: {
    run: (network: ViltModel, [tokens, images]) => {
      const attentionMask = arange(12, { dtype: 'int64' }).reshape([2, 6]).lt(10)
      const sizes = [
        [64, 96],
        [64, 64],
      ] as const
      const out = network.forward(tokens as Tensor, images as Tensor, { attentionMask, imageSizes: sizes })
      return [out.lastHiddenState.narrow(1, 0, 7), out.poolerOutput]
    },
  },
}
