import { ArgumentError } from '../native/errors'
import { nearestNames } from '../native/nearest'
import { ALEXNETS } from './alexnet'
import { ASTS } from './ast'
import { BEITS } from './beit'
import { BERTS } from './bert'
import { BLIPS } from './blip'
import { C3DS } from './c3d'
import { CLIPS } from './clip'
import { CONVNEXTS } from './convnext'
import { DENSENETS } from './densenet'
import { FCOSES, MOBILENET_DETECTORS, RCNNS, RETINANETS, SSDS } from './detection'
import { DGCNNS } from './dgcnn'
import { DISTILBERTS } from './distilbert'
import { EFFICIENTNETS } from './efficientnet'
import { PYRAMIDS } from './fpn'
import {
  CYCLEGAN_RESNETS,
  DDPMS,
  MULTISCALE_PATCHGANS,
  PATCHGANS,
  PIX2PIX_UNETS,
  SPADES,
  STYLEGAN2_DISCRIMINATORS,
  STYLEGAN2S,
} from './generative'
import { GHOSTNETS } from './ghostnet'
import { GOOGLENETS } from './googlenet'
import { GPT2S } from './gpt2'
import { GATED_GRAPH_NETWORKS, GRAPH_ATTENTION_NETWORKS, GRAPH_NETWORKS } from './graph'
import { AST_CLASSIFIERS, TIMESFORMER_CLASSIFIERS, VIDEOMAE_CLASSIFIERS, VIT_CLASSIFIERS_HF } from './hf-heads'
import { HRNETS } from './hrnet'
import { I3DS } from './i3d'
import { INCEPTION_RESNETS } from './inception-resnet'
import { INCEPTIONS } from './inception-v3'
import { KPCONVS } from './kpconv'
import { KPCONV_NETWORKS } from './kpconv-networks'
import { LPIPS_NETWORKS } from './lpips'
import { MIXERS } from './mlp-mixer'
import { MNASNETS } from './mnasnet'
import { MOBILENETS_V2 } from './mobilenet-v2'
import { MOBILENETS_V3 } from './mobilenet-v3'
import { MPNETS } from './mpnet'
import { MTCNNS } from './mtcnn'
import { MVITS } from './mvit'
import type { NetworkEntry } from './network'
import { POINTNET_CLASSIFIERS, POINTNET_PARTS, POINTNET_SCENES } from './pointnet'
import { POINTNET2_CLASSIFIERS, POINTNET2_PARTS, POINTNET2_SCENES } from './pointnet2'
import { RAFTS } from './raft'
import { REGNETS } from './regnet'
import { RES2NETS } from './res2net'
import { RESNETS } from './resnet'
import { ROBERTAS } from './roberta'
import { S3DS } from './s3d'
import { ENCODER_DECODERS, SEGMENTATION_NETWORKS, UNETS } from './segmentation'
import { SHUFFLENETS_V2 } from './shufflenet-v2'
import { SLOWFASTS } from './slowfast'
import { SQUEEZENETS } from './squeezenet'
import { SWINS, SWINS_3D } from './swin'
import { T5S } from './t5'
import { TIMESFORMERS } from './timesformer'
import { VGGS } from './vgg'
import { VIDEO_BOTTLENECKS } from './video-bottleneck-net'
import { VIDEO_RESNETS } from './video-resnet'
import { VIDEOMAES } from './videomae'
import { VILTS } from './vilt'
import { VITS } from './vit'
import { VITS_HF } from './vit-hf'
import { WAV2VEC2S } from './wav2vec2'
import { WHISPERS } from './whisper'
import { X3DS } from './x3d'
import { XCEPTIONS } from './xception'
import { ALIGNED_XCEPTIONS } from './xception-aligned'
import { YOLOV5S } from './yolov5'

/** Every network by its published name. */
export const BACKBONES = {
  ...ALEXNETS,
  ...VGGS,
  ...RESNETS,
  ...PYRAMIDS,
  ...RCNNS,
  ...RETINANETS,
  ...FCOSES,
  ...SSDS,
  ...MOBILENET_DETECTORS,
  ...SEGMENTATION_NETWORKS,
  ...ENCODER_DECODERS,
  ...UNETS,
  ...VIDEO_RESNETS,
  ...C3DS,
  ...I3DS,
  ...S3DS,
  ...SQUEEZENETS,
  ...VITS,
  ...BERTS,
  ...GOOGLENETS,
  ...INCEPTIONS,
  ...SWINS,
  ...SWINS_3D,
  ...CLIPS,
  ...YOLOV5S,
  ...DENSENETS,
  ...MOBILENETS_V2,
  ...MOBILENETS_V3,
  ...MNASNETS,
  ...SHUFFLENETS_V2,
  ...MVITS,
  ...ROBERTAS,
  ...DISTILBERTS,
  ...MPNETS,
  ...RAFTS,
  ...EFFICIENTNETS,
  ...REGNETS,
  ...CONVNEXTS,
  ...GPT2S,
  ...VITS_HF,
  ...ASTS,
  ...VIDEOMAES,
  ...TIMESFORMERS,
  ...VIT_CLASSIFIERS_HF,
  ...AST_CLASSIFIERS,
  ...VIDEOMAE_CLASSIFIERS,
  ...TIMESFORMER_CLASSIFIERS,
  ...T5S,
  ...HRNETS,
  ...RES2NETS,
  ...XCEPTIONS,
  ...ALIGNED_XCEPTIONS,
  ...GHOSTNETS,
  ...VIDEO_BOTTLENECKS,
  ...SLOWFASTS,
  ...X3DS,
  ...BEITS,
  ...MIXERS,
  ...POINTNET_CLASSIFIERS,
  ...POINTNET_PARTS,
  ...POINTNET_SCENES,
  ...POINTNET2_CLASSIFIERS,
  ...POINTNET2_PARTS,
  ...POINTNET2_SCENES,
  ...WHISPERS,
  ...WAV2VEC2S,
  ...BLIPS,
  ...VILTS,
  ...INCEPTION_RESNETS,
  ...MTCNNS,
  ...LPIPS_NETWORKS,
  ...GRAPH_NETWORKS,
  ...GRAPH_ATTENTION_NETWORKS,
  ...GATED_GRAPH_NETWORKS,
  ...DGCNNS,
  ...KPCONVS,
  ...KPCONV_NETWORKS,
  ...STYLEGAN2S,
  ...STYLEGAN2_DISCRIMINATORS,
  ...SPADES,
  ...PATCHGANS,
  ...MULTISCALE_PATCHGANS,
  ...PIX2PIX_UNETS,
  ...CYCLEGAN_RESNETS,
  ...DDPMS,
} as const

export type BackboneName = keyof typeof BACKBONES

/** What the function that makes a network takes. */
export type BackboneOptions<Name extends BackboneName> = Parameters<(typeof BACKBONES)[Name]['create']>[0]

/** The class of a network. */
export type Backbone<Name extends BackboneName> = ReturnType<(typeof BACKBONES)[Name]['create']>

/**
 * A network by name, with first values as its authors'.
 *
 * @throws ArgumentError when there is none of that name; it tells the nearest ones
 */
export function createBackbone<Name extends BackboneName>(name: Name, options?: BackboneOptions<Name>): Backbone<Name> {
  return backboneEntry(name).create(options as object) as Backbone<Name>
}

/** What the registry says of a network. @throws ArgumentError when there is none of that name */
export function backboneEntry(name: BackboneName): NetworkEntry {
  if (Object.hasOwn(BACKBONES, name)) return BACKBONES[name] as NetworkEntry
  throw new ArgumentError(
    `there is no network '${String(name)}'; the nearest names are ${nearestNames(String(name), Object.keys(BACKBONES)).join(', ')}`,
  )
}

export function backboneNames(): BackboneName[] {
  return Object.keys(BACKBONES) as BackboneName[]
}
