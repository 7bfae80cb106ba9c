// Learning and Using the Arrow of Time (CVPR 2018).
import { defineSystem } from '../../../pipeline'
import { randn, type Tensor } from '../../../tensor'
import { card } from './card'
import { chunkLayout, mapChannels } from './chunks'
import { Config, tiny } from './config'
import { evaluate } from './evaluate'
import { type ArrowNetwork, createNetwork } from './model'
import { TimeArrowDetector } from './pipeline'
import { train } from './train'

export { ArrowAlexNet } from './alexnet'
export { type BlackFrame, findBlackFrame, removeBlackFrame } from './black-frame'
export { card } from './card'
export { type ChunkLayout, chunkLayout, groupStarts, reversedStart } from './chunks'
export { type ClipSource, type DirectedClip, MemoryClip } from './clips'
export { type AnalysedClip, type Cluster, clipFeature, clusterClips, clusterSheet } from './clusters'
export { CODEC_VARIANTS, type CodecReport, type CodecVariant, codecReport, recode } from './codec'
export { Config } from './config'
export { type DiscClip, type DiscOptions, discFlow, drawDiscs, reverseDiscs, rollDiscs } from './discs'
export { blueWhiteRed, evidencePicture, heatOfFrame } from './evidence-picture'
export {
  type ActionClip,
  actionNetwork,
  actionScores,
  type FineTuneOptions,
  fineTuneActions,
  freezeForRegime,
  initialiseFromImageNet,
  REGIMES,
  type Regime,
} from './fine-tune'
export { chunked, flipMaps, mapsOf } from './maps'
export { type ArrowNetwork, createNetwork, type Evidence, TCam } from './model'
export { TimeArrowDetector } from './pipeline'
export { ArrowPredictor, type Localisation, type Prediction } from './predict'
export { type DirectedFlow, directedFlow, type PreparedFrames, prepareFrames } from './prepare'
export { goodSteps, shotStarts } from './shots'
export { cameraMotion, commonRectangle, type FrameMotion, motionsToCentre, smoothMatrices } from './stabilise'
export { prepareVideos } from './videos'
export { type Vote, vote } from './votes'

export const system = defineSystem({
  card,
  config: Config,
  tiny,
  create: (config: Config): ArrowNetwork => createNetwork(config),
  probe: (model, { network, input }) => ({
    inputs: [
      randn([2, network.chunks, chunkLayout(network).length * mapChannels(network.modality), input.crop, input.crop]),
    ],
    run: (x: Tensor) => model.forward(x),
  }),
  train,
  evaluate,
  load: TimeArrowDetector.load,
})
