// The paper's comparison: YOLOv5, with CAU, with CSA, with both, trained and judged alike.
import { type CompareOptions, compareNetworks } from '../../../pipeline'
import { gflops } from './complexity'
import type { Config } from './config'
import { detectionData } from './data'
import { evaluateDetector } from './evaluate'
import { train } from './train'

/** Names of the variants, as the paper's tables have them, and what makes them. */
export const VARIANTS = {
  base: { upsampling: 'nearest', attention: 'none' },
  '+ CAU': { upsampling: 'cau', attention: 'none' },
  '+ CSA': { upsampling: 'nearest', attention: 'csa' },
  '+ CAU + CSA': { upsampling: 'cau', attention: 'csa' },
} as const

export type Variant = keyof typeof VARIANTS

/** A row of the paper's Table 1. */
export interface VariantScores {
  readonly variant: Variant
  readonly apSmall: number
  readonly apMedium: number
  readonly apLarge: number
  readonly ap50: number
  readonly ap: number
  readonly parameters: number
  /** For a picture of 640 × 640. */
  readonly gflops: number
}

/** Trains the variants on one data set and judges them on its part for validation. */
export function compareVariants(options: CompareOptions<Config, Variant>): Promise<VariantScores[]> {
  const { device, signal } = options
  return compareNetworks(VARIANTS, options, async (variant, request) => {
    const { model, config: fitted } = await train(request)
    using trained = model.eval()
    const data = await detectionData('val', request, fitted)
    const { summary } = await evaluateDetector(trained, data, fitted, { device, signal })
    const { apSmall = -1, apMedium, apLarge, ap50, ap } = summary
    const parameters = trained.parameterCount()
    return { variant, apSmall, apMedium, apLarge, ap50, ap, parameters, gflops: gflops(trained) }
  })
}

/** The rows with the columns of the paper's Table 1. */
export function variantTable(rows: readonly VariantScores[]): string {
  const percent = (value: number) => (value < 0 ? '–' : (100 * value).toFixed(1))
  const lines = rows.map((row) => [
    ...[
      row.variant,
      percent(row.apSmall),
      percent(row.apMedium),
      percent(row.apLarge),
      percent(row.ap50),
      percent(row.ap),
    ],
    ...[`${(row.parameters / 1e6).toFixed(1)}M`, row.gflops.toFixed(1)],
  ])
  const table = [['', 'AP_s', 'AP_m', 'AP_l', 'AP50', 'mAP', 'params', 'GFLOPs'], ...lines]
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((line) => (line[column] ?? '').length)))
  return table
    .map((line) =>
      line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '),
    )
    .join('\n')
}
