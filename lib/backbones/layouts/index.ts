// Published layouts by name.
import type { Layout } from './layout'
import { VIT_HF, VIT_TIMM } from './vit'

export { Layout, type LayoutRule, loadPublished } from './layout'

export const LAYOUTS = {
  'vit-timm': VIT_TIMM,
  'vit-hf': VIT_HF,
} as const satisfies Readonly<Record<string, Layout>>

export type LayoutName = keyof typeof LAYOUTS
