// What is measured and is no published network.
import { Linear, Module, TransformerEncoder, TransformerEncoderLayer } from '../../lib/nn'
import type { Tensor } from '../../lib/tensor'

/** Six encoder layers (d 256, 4 heads, feed-forward 1024), the mean over the tokens, and a classifier. */
export class EncoderClassifier extends Module {
  readonly encoder: TransformerEncoder
  readonly head: Linear

  constructor(numClasses: number) {
    super()
    const options = { dimFeedforward: 1024, dropout: 0, batchFirst: true }
    this.encoder = new TransformerEncoder(() => new TransformerEncoderLayer(256, 4, options), 6)
    this.head = new Linear(256, numClasses)
  }

  forward(x: Tensor): Tensor {
    return this.head.forward(this.encoder.forward(x).mean({ dim: [1] }))
  }
}
