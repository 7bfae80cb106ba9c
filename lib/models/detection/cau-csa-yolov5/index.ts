// Feature Enhancement and Reconstruction for Small Object Detection (MMM 2023).
import { defineSystem } from '../../../pipeline'
import { cat, stack, type Tensor } from '../../../tensor'
import { card } from './card'
import { Config, tiny } from './config'
import { evaluate } from './evaluate'
import { createDetector } from './model'
import { SmallObjectDetector } from './pipeline'
import { syntheticImage } from './synthetic'
import { train } from './train'

export { compareVariants, VARIANTS, type VariantScores, variantTable } from './ablations'
export { anchorFit, fittedAnchors, objectSizes } from './anchors'
export { card } from './card'
export { CAU, type CAUOptions } from './cau'
export { gflops } from './complexity'
export { BASES, Config } from './config'
export { AttentiveDetect, attentionKernel, CSA, channelShuffle } from './csa'
export { detectionData } from './data'
export { Finder, type FindOptions } from './detect'
export { type DetectorScores, evaluateDetector } from './evaluate'
export { type HeatMap, heatMaps } from './heat-maps'
export type { DetectionData, LabelledObject, LabelledPicture } from './labelled'
export { classNames, createDetector } from './model'
export { SmallObjectDetector } from './pipeline'
export { type SyntheticOptions, syntheticImage, syntheticPictures } from './synthetic'

export const system = defineSystem({
  card,
  config: Config,
  tiny,
  create: createDetector,
  probe: (model) => ({
    inputs: [stack([0, 1].map((i) => syntheticImage(i, { side: 64, objects: 3, sizes: [8, 16], kind: 'shapes' })))],
    run: (images: Tensor) => cat(model.forward(images).map((level) => level.flatten())),
  }),
  train,
  evaluate,
  load: SmallObjectDetector.load,
})
