// Published layouts by name.
import { CLIP_HF } from './clip'
import type { Layout } from './layout'
import { MVIT_PYTORCHVIDEO } from './mvit'
import { SWIN_TIMM } from './swin'
import { VIT_HF, VIT_TIMM } from './vit'

export { Layout, type LayoutRule, loadPublished } from './layout'

export const LAYOUTS = {
  'clip-hf': CLIP_HF,
  'mvit-pytorchvideo': MVIT_PYTORCHVIDEO,
  'swin-timm': SWIN_TIMM,
  'vit-timm': VIT_TIMM,
  'vit-hf': VIT_HF,
} as const satisfies Readonly<Record<string, Layout>>

export type LayoutName = keyof typeof LAYOUTS
