// The card's toy: squares in 16 × 16 × 16, an eighth of the channels.
import { Config } from '../../../lib/models/video/binary-3d-bitconv'
import { mergeConfigs, parseConfig } from '../../../lib/pipeline'

const TOY = {
  network: { width: 0.125, hidden: 512, dropout: 0 },
  input: { shortSide: 16, size: 16, normalisation: 'imagenet' },
  training: {
    real: { learningRate: 0.02 },
    activations: { learningRate: 0.005 },
    binary: { learningRate: 0.005 },
    ...{ warmupEpochs: 0, flip: 0, reestimate: 16 },
  },
  inference: { clips: 1, batchSize: 1 },
}

/** @param epochs of each stage */
export function toyConfig(epochs: number, over: object = {}): Config {
  const stages = { real: { epochs }, activations: { epochs }, binary: { epochs } }
  return parseConfig(Config, mergeConfigs(mergeConfigs(TOY, { training: stages }), over), 'toy')
}
