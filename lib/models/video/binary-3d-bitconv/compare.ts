// The paper's comparisons: float and one bit, without shortcuts, without Sign2 (Tables 2 and 3), and video by video (Fig. 5).
import { ArgumentError } from '../../../native/errors'
import { type CompareOptions, compareNetworks } from '../../../pipeline'
import { equivalentParameters, storedBytes } from './accounting'
import type { Config } from './config'
import { actionData } from './data'
import { scoreVideos, topAccuracy, type VideoScore } from './evaluate'
import type { ActionNetwork } from './model'
import { packNetwork } from './pack'
import { ActionPredictor } from './predict'
import { train } from './train'

/** Names of the variants, and what makes them. */
export const VARIANTS = {
  float: { precision: 'float' },
  'no shortcut': { precision: 'binary', shortcut: false, sign2: true },
  'no Sign2': { precision: 'binary', shortcut: true, sign2: false },
  full: { precision: 'binary', shortcut: true, sign2: true },
} as const

export type Variant = keyof typeof VARIANTS

/** A variant on the test videos. */
export interface VariantScores {
  readonly variant: Variant
  readonly top1: number
  readonly top5: number
  /** Millions of parameters as the paper counts them. */
  readonly memory: number
  /** Of the file, packed where the network is of one bit, in millions of bytes. */
  readonly megabytes: number
  readonly videos: readonly VideoScore[]
}

/** Trains the variants alike on one data set, and judges them on its test videos. */
export function compareVariants(options: CompareOptions<Config, Variant>): Promise<VariantScores[]> {
  const { device, signal } = options
  return compareNetworks(VARIANTS, options, async (variant, request) => {
    const trained = await train(request)
    using model = (trained.model as ActionNetwork).eval()
    const fitted = trained.config as Config
    const { videos } = await actionData('test', request, fitted)
    using predictor = new ActionPredictor(model, fitted, device)
    const scores = await scoreVideos(predictor, videos, { signal })
    return {
      ...{ variant, videos: scores, top1: topAccuracy(scores, 1), top5: topAccuracy(scores, 5) },
      memory: equivalentParameters(model) / 1e6,
      megabytes: deployedBytes(model, fitted) / 1e6,
    }
  })
}

function deployedBytes(model: ActionNetwork, config: Config): number {
  if (config.network.precision === 'float') return storedBytes(model).total
  using packed = packNetwork(model, config)
  return storedBytes(packed).total
}

/** The rows as a table of text. */
export function variantTable(rows: readonly VariantScores[]): string {
  const percent = (share: number) => (100 * share).toFixed(2)
  return aligned([
    ['', 'top-1', 'top-5', 'memory', 'MB'],
    ...rows.map(({ variant, top1, top5, memory, megabytes }) => [
      ...[variant, percent(top1), percent(top5), memory.toFixed(3), megabytes.toFixed(2)],
    ]),
  ])
}

/**
 * What two networks say of the same videos, side by side (Fig. 5).
 *
 * @param names of the networks
 * @throws ArgumentError when the videos differ
 */
export function videoReport(
  first: readonly VideoScore[],
  second: readonly VideoScore[],
  classes: readonly string[],
  names: readonly [string, string] = ['float', '1-bit'],
): string {
  if (first.length !== second.length || first.some(({ name }, i) => name !== second[i]?.name)) {
    throw new ArgumentError('videoReport: the scores are of different videos; score the same list with both networks')
  }
  const entry = ({ top5, probabilities, label }: VideoScore, place: number) => {
    const number = top5[place]
    if (number === undefined) return ['', '']
    const mark = number === label ? ' *' : ''
    return [`${classes[number] ?? number}${mark}`, `${(100 * (probabilities[number] ?? 0)).toFixed(1)} %`]
  }
  const blocks = first.map((score, i) => {
    const other = second[i] as VideoScore
    const places = Array.from({ length: Math.max(score.top5.length, other.top5.length) }, (_, place) => place)
    const rows = places.map((place) => [...entry(score, place), ...entry(other, place)])
    return `${score.name}: ${classes[score.label] ?? score.label}\n${aligned([[names[0], '', names[1], ''], ...rows])}`
  })
  return blocks.join('\n\n')
}

/** Columns of one width: the first flush left, numbers flush right. */
function aligned(table: readonly (readonly string[])[]): string {
  const columns = table[0]?.length ?? 0
  const widths = Array.from({ length: columns }, (_, c) => Math.max(...table.map((row) => row[c]?.length ?? 0)))
  const pad = (cell: string, c: number) =>
    /^[\d.]+( %)?$/.test(cell) ? cell.padStart(widths[c] ?? 0) : cell.padEnd(widths[c] ?? 0)
  return table.map((row) => row.map(pad).join('  ').trimEnd()).join('\n')
}
