// Published layouts by name.
import { CLIP_HF } from './clip'
import { CONVNEXT_TIMM } from './convnext'
import { DDPM_HUB } from './ddpm'
import { DETECTION_TORCHVISION_V1 } from './detection'
import { EFFICIENTNET_TIMM, EFFICIENTNET_V2_S_TIMM } from './efficientnet'
import type { Layout } from './layout'
import { MVIT_PYTORCHVIDEO } from './mvit'
import { SPADE_HOOKS } from './spade'
import {
  STYLEGAN2_DISCRIMINATOR_256_ROSINALITY,
  STYLEGAN2_DISCRIMINATOR_1024_ROSINALITY,
  STYLEGAN2_ROSINALITY,
} from './stylegan2'
import { SWIN_TIMM } from './swin'
import { BERT_TENSORFLOW, WAV2VEC2_WEIGHT_NORM } from './text'
import { VIDEOMAE_TRANSFORMERS_5, VIT_TRANSFORMERS_5 } from './transformers5'
import { C3D_MMACTION, I3D_KINETICS } from './video'
import { VIT_HF, VIT_TIMM } from './vit'

export { Layout, type LayoutRule, loadPublished } from './layout'

export const LAYOUTS = {
  'bert-tensorflow': BERT_TENSORFLOW,
  'wav2vec2-weight-norm': WAV2VEC2_WEIGHT_NORM,
  'c3d-mmaction': C3D_MMACTION,
  'clip-hf': CLIP_HF,
  'convnext-timm': CONVNEXT_TIMM,
  'ddpm-hub': DDPM_HUB,
  'detection-torchvision-v1': DETECTION_TORCHVISION_V1,
  'efficientnet-timm': EFFICIENTNET_TIMM,
  'efficientnet-v2-s-timm': EFFICIENTNET_V2_S_TIMM,
  'i3d-kinetics': I3D_KINETICS,
  'mvit-pytorchvideo': MVIT_PYTORCHVIDEO,
  'spade-hooks': SPADE_HOOKS,
  'stylegan2-rosinality': STYLEGAN2_ROSINALITY,
  'stylegan2-discriminator-256-rosinality': STYLEGAN2_DISCRIMINATOR_256_ROSINALITY,
  'stylegan2-discriminator-1024-rosinality': STYLEGAN2_DISCRIMINATOR_1024_ROSINALITY,
  'swin-timm': SWIN_TIMM,
  'videomae-transformers5': VIDEOMAE_TRANSFORMERS_5,
  'vit-transformers5': VIT_TRANSFORMERS_5,
  'vit-timm': VIT_TIMM,
  'vit-hf': VIT_HF,
} as const satisfies Readonly<Record<string, Layout>>

export type LayoutName = keyof typeof LAYOUTS
