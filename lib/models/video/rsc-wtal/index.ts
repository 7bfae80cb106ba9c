// Weakly-Supervised Temporal Action Localization with Regional Similarity Consistency (MMM 2023).
import { defineSystem } from '../../../pipeline'
import { cat, rand, type Tensor } from '../../../tensor'
import { card } from './card'
import { Config, tiny } from './config'
import { evaluate } from './evaluate'
import { createLocalizer } from './model'
import { ActionLocalizer } from './pipeline'
import { train } from './train'

export { card } from './card'
export { Co2Net, type Co2Output, co2Loss, coActivityLoss } from './co2-net'
export { Cola, type ColaOutput, colaLoss, snippetContrast } from './cola'
export { type ComparedLocalizer, type ComparedRow, Comparison, compareLocalizers } from './compare'
export { Config, classNames, HOSTS, type Host, VARIANTS, type Variant } from './config'
export { type ConsistencyOptions, regionalConsistency, regionalSimilarity, regionSizes } from './consistency'
export { type ActionData, actionData } from './data'
export { evaluateLocalizer, type LocalizerScores } from './evaluate'
export { ActionFinder, type FoundActions } from './find'
export { HamNet, type HamOutput, hamLoss, hiddenAttention } from './ham-net'
export type { HostNetwork, HostOptions, Localized } from './host'
export { createLocalizer, Localizer, type LocalizerLoss } from './model'
export { ActionLocalizer, type SegmentFeatures } from './pipeline'
export { Projection } from './projection'
export { type Instance, outerInnerScore, proposalsOf, type VideoCurves } from './proposals'
export { loadPublishedLocalizer } from './published'
export { evenIndices, PairedBatches, perturbedIndices } from './sampling'
export { type MinedSnippets, mineSnippets } from './snippet-mining'
export { syntheticVideos } from './synthetic'
export { topKMean, videoLoss } from './video-score'

export const system = defineSystem({
  card,
  config: Config,
  tiny,
  create: createLocalizer,
  probe: (model, { features }) => ({
    inputs: [rand([2, 20, 2 * features])],
    run: (x: Tensor) => {
      const { activation, attention } = model.forward(x)
      return cat([activation.flatten(), attention.flatten()])
    },
  }),
  train,
  evaluate,
  load: ActionLocalizer.load,
})
