// The paper's figure: the truth of a video beside what two localizers, or more, make of it.
import { extname } from 'node:path'
import type { ActionVideo } from '../../../datasets'
import { writeFileAtomic } from '../../../io'
import { ArgumentError } from '../../../native/errors'
import type { Json } from '../../../pipeline'
import { lineChart, type Plot, stack, timeLine } from '../../../plot'
import { tidyAsync } from '../../../tensor'
import { temporalNms } from '../../../vision'
import { classNames } from './config'
import type { ActionFinder } from './find'
import { SEGMENT_FRAMES, secondsOf } from './proposals'

/** A localizer of the figure. */
export interface ComparedLocalizer {
  /** Such as `baseline`. */
  readonly name: string
  readonly finder: ActionFinder
}

/** Bars and the curve of one localizer. */
export interface ComparedRow {
  readonly name: string
  /** Proposals that do not overlap, the surest first. */
  readonly proposals: readonly { readonly segment: readonly [startS: number, endS: number]; readonly score: number }[]
  /** Activation of the class over time, weighted by attention where there is one. */
  readonly activation: readonly number[]
}

/** What localizers make of the actions of a class in a video. */
export class Comparison {
  constructor(
    readonly video: string,
    readonly label: string,
    readonly durationS: number,
    readonly truth: readonly (readonly [startS: number, endS: number])[],
    readonly rows: readonly ComparedRow[],
  ) {}

  /** Bars of the truth and of each localizer, and below them their activations from 0 to 1. */
  plot(): Plot {
    const xRange = [0, this.durationS] as const
    const bars = timeLine({
      title: `${this.label} in ${this.video}`,
      x: 'seconds',
      rows: [
        ...this.rows.map(({ name, proposals }) => {
          const most = Math.max(1e-12, ...proposals.map(({ score }) => score))
          const spans = proposals.map(({ segment: [start, end], score }) => ({ start, end, weight: score / most }))
          return { name, spans }
        }),
        // Last, so that a localizer has one colour in bars and curves.
        { name: 'truth', spans: this.truth.map(([start, end]) => ({ start, end })) },
      ],
      xRange,
    })
    const series = this.rows.map(({ name, activation }) => {
      const [low, high] = [Math.min(...activation), Math.max(...activation)]
      const stepS = this.durationS / activation.length
      const points = activation.map((value, i) => [(i + 0.5) * stepS, (value - low) / (high - low || 1)] as const)
      return { name, points }
    })
    const curves = lineChart({ x: 'seconds', y: 'activation, scaled', series, xRange, markers: false, height: 160 })
    return stack([bars, curves])
  }

  toJSON(): Json {
    const { video, label, durationS, truth } = this
    return { video, label, durationS, truth, rows: this.rows.map((row) => ({ ...row })) }
  }

  /** Writes the figure as svg or png, or its numbers as JSON. */
  async toFile(path: string): Promise<void> {
    const extension = extname(path).toLowerCase()
    if (extension === '.svg' || extension === '.png') return this.plot().toFile(path)
    if (extension !== '.json')
      throw new ArgumentError(`Comparison: '${extension}' of ${path} is not .svg, .png or .json`)
    await writeFileAtomic(path, Buffer.from(`${JSON.stringify(this.toJSON(), undefined, 2)}\n`), 'Comparison')
  }
}

/**
 * Runs localizers on a video.
 *
 * @param label the action that is looked at
 * @throws ArgumentError when it is none of a localizer's
 */
export async function compareLocalizers(
  video: ActionVideo,
  label: string,
  localizers: readonly ComparedLocalizer[],
): Promise<Comparison> {
  const rows: ComparedRow[] = []
  let fps = 25
  for (const { name, finder } of localizers) {
    const number = classNames(finder.config).indexOf(label)
    if (number < 0) throw new ArgumentError(`compareLocalizers: '${label}' is no action of ${name}`)
    const { curves, instances } = await tidyAsync(async () => finder.find(await video.read()))
    fps = finder.config.video.fps
    // Bars that lie over one another could not be told apart.
    const apart = temporalNms(
      instances.filter((each) => each.label === number && each.score > 0),
      { overlap: 1e-9 },
    )
    rows.push({
      name,
      proposals: apart.map(({ span, score }) => ({ segment: secondsOf(span, fps), score })),
      activation: [...(curves.activation.classes[number] ?? [])],
    })
  }
  const truth = video.actions.filter((action) => action.label === label).map(({ segment }) => segment)
  return new Comparison(video.name, label, (video.length * SEGMENT_FRAMES) / fps, truth, rows)
}
