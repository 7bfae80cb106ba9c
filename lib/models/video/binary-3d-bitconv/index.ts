// Binary Neural Network for Video Action Recognition (MMM 2023).
import { defineSystem } from '../../../pipeline'
import { randn, type Tensor } from '../../../tensor'
import { card } from './card'
import { Config, inputPlan, tiny } from './config'
import { evaluate } from './evaluate'
import { type ActionNetwork, createNetwork, spreadSigns } from './model'
import { exportPacked } from './pack'
import { ActionClassifier } from './pipeline'
import { train } from './train'

export { binaryWeights, convolutionOperations, equivalentParameters, type Operations, storedBytes } from './accounting'
export { BitC3d, type C3dOptions } from './c3d'
export { card } from './card'
export { type ClipCrop, centreCrop, clipFrames, clipStarts, networkClip, sizedFrames } from './clips'
export {
  compareVariants,
  VARIANTS,
  type Variant,
  type VariantScores,
  variantTable,
  videoReport,
} from './compare'
export { BACKBONES, type Backbone, Config, type InputPlan, inputPlan } from './config'
export { type ActionData, actionData, type ClipSample, RandomClips, type VideoItem } from './data'
export { scoreVideos, topAccuracy, type VideoScore } from './evaluate'
export { type ActionNetwork, classNames, createNetwork, setStage, spreadSigns } from './model'
export { exportPacked, packedConfig, packNetwork, savePacked } from './pack'
export { ActionClassifier } from './pipeline'
export { type ActionPrediction, ActionPredictor, meanOverClips, topNumbers } from './predict'
export { inflate, initialise, loadPretrained } from './pretrained'
export { BasicBlock, BitResNet3d, Bottleneck, type BottleneckPlan, I3D_50, SLOW_ONLY_50 } from './resnet3d'
export { rateShare, stageOptimiser, stagesOf } from './schedule'
export { DIRECTIONS, movingSquare, SPEEDS, type SquareOptions } from './synthetic'
export { reestimateNorms, type StageOptions, trainStage } from './train'
export { BinaryUnit, PackedUnit, Sign2, STAGES, type Stage, StagedBinaryConv3d } from './units'

export const system = defineSystem({
  card,
  config: Config,
  tiny,
  create: (config: Config): ActionNetwork => createNetwork(config),
  probe: (model, config) => {
    const { frames, size } = inputPlan(config)
    spreadSigns(model)
    return { inputs: [randn([2, 3, frames, size, size])], run: (clips: Tensor) => model.forward(clips) }
  },
  train,
  evaluate,
  load: ActionClassifier.load,
  export: exportPacked,
})
