// Time of a forward pass of networks of the registry, as `inference` has it.
import { createBackbone } from '../lib/backbones'
import type { Context } from './benchmarks'
import { type InferenceCase, inferenceRows } from './inference'
import type { Row } from './support/result'

const CASES: readonly InferenceCase[] = [
  { name: 'ResNet-50, 1×3×224×224', peer: 'resnet50', model: () => createBackbone('resnet50') },
  { name: 'EfficientNet-B0, 1×3×224×224', peer: 'efficientnet_b0', model: () => createBackbone('efficientnet_b0') },
  { name: 'ViT-B/16, 1×3×224×224', peer: 'vit_b_16', model: () => createBackbone('vit_b_16') },
  { name: 'Swin-T, 1×3×224×224', peer: 'swin_t', model: () => createBackbone('swin_t') },
  { name: 'R(2+1)D-18, 1×3×16×112×112', peer: 'r2plus1d_18', model: () => createBackbone('r2plus1d_18') },
]

export interface BackboneRow extends Row {
  readonly imagesPerSecond: number
}

export async function backbones(context: Context): Promise<{ rows: BackboneRow[] }> {
  const { rows } = await inferenceRows(CASES, context)
  return { rows: rows.map((row) => ({ ...row, imagesPerSecond: 1000 / row.oursMs })) }
}
