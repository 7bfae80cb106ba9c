// Toward More Accurate Heterogeneous Iris Recognition with Transformers and Capsules (MMM 2023).
import { defineSystem } from '../../../pipeline'
import { cat, randn, type Tensor, tensor } from '../../../tensor'
import { card } from './card'
import { Config, tiny } from './config'
import { evaluate } from './evaluate'
import { reconstructionOf } from './loss'
import { CapsuleMatcher } from './matcher'
import { TransCapsIris } from './model'
import { IrisMatcher } from './pipeline'
import { train } from './train'

export { type AttentionSizes, FeedForward, HeadAttention, TransformerLayer } from './attention'
export { card } from './card'
export { bestCircles, type EyeCircles, type EyeEdges } from './circles'
export { type Described, IrisComparer, type PairScore } from './compare'
export { Config, PROTOCOLS, type Protocol } from './config'
export { HalfGenuineBatches, IrisPairs, type PairSample } from './data'
export { background, enhanceStrip, equaliseTiles, networkInput } from './enhance'
export { curveOf, type ScoredPairs, scoredPairs, thresholdFor, verificationCharts } from './evaluate'
export { ChunkTokens, IrisExtractor, type IrisFeatures, TokenGenerator, TokenTransformer } from './extractor'
export { type Eyelids, findEyelids, heightAt, type Parabola } from './eyelids'
export { irisLoss, pairMarginLoss, reconstructionOf } from './loss'
export { CapsuleMatcher, LinearMatcher, Reconstruction, type Verdict } from './matcher'
export { type Comparison, differenceOf, TransCapsIris } from './model'
export { IrisNormaliser, type NormalisedIris } from './normalise'
export { matchPicture, type SeenIris } from './picture'
export { type Candidate, IrisMatch, IrisMatcher, IrisTemplate } from './pipeline'
export {
  divideEyes,
  type Eye,
  eyesOf,
  genuinePairsOf,
  type IrisParts,
  type IrisSample,
  type TestPair,
  type TestPairs,
  testPairs,
} from './protocol'
export { type Circle, rubberSheet, rubberSheetPoints, type StripSize } from './rubber-sheet'
export { IrisSegmenter, type Segmentation } from './segment'
export { fillSpecular, specularMask } from './specular'
export { irisParts, type StripSource, Strips, sourcesOf, withStrips } from './strips'
export { irisTexture, type SyntheticImage, syntheticStrip } from './synthetic'
export { drawEye, type EyeOptions } from './synthetic-eye'
export { irisTrainer } from './train'

export const system = defineSystem({
  card,
  config: Config,
  tiny,
  create: (config: Config) => new TransCapsIris(config),
  probe: (model, { input }) => ({
    inputs: [randn([2, 3, input.size, input.size]), randn([2, 3, input.size, input.size])],
    run: (first: Tensor, second: Tensor) => {
      const [mine, other] = model.extractor.forward(first, second)
      const { sureness, capsules } = model.judge(mine, other)
      // What is added to both maps alike is not in their difference.
      const parts = [mine.flatten(), sureness.flatten()]
      if (!(model.matcher instanceof CapsuleMatcher) || capsules === undefined) return cat(parts)
      return cat([...parts, reconstructionOf(model.matcher, capsules, tensor([0n, 1n])).flatten()])
    },
  }),
  train,
  evaluate,
  load: IrisMatcher.load,
})
