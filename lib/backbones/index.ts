// Networks that several papers share, with the names of their published weights.
export * from './alexnet'
export * from './ast'
export { BEITS, Beit, BeitBlock, type BeitOptions, type BeitSize, beitBasePatch16_224 } from './beit'
export * from './bert'
export {
  BERT_BASE,
  BertEmbeddings,
  BertEncoder,
  BertLayer,
  BertLMPredictionHead,
  type BertOptions,
  BertOutput,
  type BertPlaces,
  BertPooler,
  type PositionRule,
} from './bert-blocks'
export * from './blip'
export * from './c3d'
export * from './clip'
export * from './convnext'
export * from './densenet'
export * from './detection'
export * from './dgcnn'
export * from './distilbert'
export * from './efficientnet'
export * from './extract-features'
export { createFeatureExtractor, FeatureExtractor, type Features, type Network } from './feature-extractor'
export * from './fpn'
export * from './freeze'
export type { FrozenNorm } from './frozen-norm'
export * from './generate'
export * from './generative'
export * from './ghostnet'
export * from './googlenet'
export * from './gpt2'
export * from './graph'
export * from './graph-layers'
export * from './hf-heads'
export * from './hrnet'
export * from './i3d'
export * from './i3d-segments'
export * from './inception-resnet'
export * from './inception-v3'
export * from './kpconv'
export type { KPConvBlockName, KPConvNetworkOptions } from './kpconv-blocks'
export * from './kpconv-networks'
export * from './layouts'
export * from './lpips'
export * from './mlp-mixer'
export * from './mnasnet'
export * from './mobilenet-v2'
export * from './mobilenet-v3'
export * from './mpnet'
export * from './mtcnn'
export * from './mvit'
export * from './network'
export * from './point-pyramid'
export * from './pointnet'
export * from './pointnet2'
export * from './pointnet2-layers'
export * from './prepare-image'
export * from './raft'
export * from './raft-correlation'
export * from './registry'
export * from './regnet'
export * from './res2net'
export * from './resnet'
export * from './roberta'
export * from './s3d'
export * from './segmentation'
export * from './shufflenet-v2'
export * from './slowfast'
export * from './squeezenet'
export * from './swin'
export * from './t5'
export * from './timesformer'
export * from './vgg'
export * from './video-bottleneck-net'
export * from './video-input'
export * from './video-resnet'
export * from './videomae'
export * from './vilt'
export * from './vit'
export {
  type EncoderOutput,
  VITS_HF,
  ViTModel,
  type ViTModelOptions,
  type ViTSize,
  vitBasePatch16_224Hf,
} from './vit-hf'
export * from './wav2vec2'
export * from './whisper'
export * from './x3d'
export { SeparableConv2d, XCEPTIONS, Xception, XceptionBlock, type XceptionOptions, xception } from './xception'
export * from './xception-aligned'
export * from './yolov5'
