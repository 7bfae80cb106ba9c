// From activation and attention to actions with times, as each host does it.
import { runsAbove, temporalNms, temporalSoftNms } from '../../../vision'
import { type Config, classNames, settingsOf } from './config'
import { type ClassCurves, linspace, minMax, upsampleCurve } from './curves'

/** What a localizer says of one video, as plain numbers. */
export interface VideoCurves {
  /** Activation of each class; weighted by attention for HAM-Net and CO2-Net. */
  readonly activation: ClassCurves
  /** Attention, or actionness. */
  readonly attention: Float64Array
  /** Probability of each class in the video. */
  readonly scores: readonly number[]
  /** Segments of the video; fewer are looked at where CoLA takes every so many. */
  readonly segments: number
}

/** An action that was found. */
export interface Instance {
  /** Number of its class. */
  readonly label: number
  readonly score: number
  /** Beginning and end in segments. */
  readonly span: readonly [start: number, end: number]
}

/** Frames of a segment. */
export const SEGMENT_FRAMES = 16

const ATTENTION_LEVELS = linspace(0.1, 0.9, 10)

/** CoLA's: samples for each segment, least length of a proposal, and the levels it is cut at. */
const COLA = {
  scale: 24,
  leastSamples: 2,
  actionness: Array.from({ length: 33 }, (_, i) => 0.1 + 0.025 * i),
  activation: {
    thumos14: Array.from({ length: 10 }, (_, i) => 0.025 * i),
    'activitynet1.2': Array.from({ length: 10 }, (_, i) => 0.015 * i),
  },
} as const

/**
 * The classes that a video is searched for: those of at least the threshold; where there is none, the best one (CoLA,
 * CO2-Net) or none at all (HAM-Net).
 */
export function chosenClasses(scores: readonly number[], threshold: number, host: Config['host']): readonly number[] {
  const sure = scores.flatMap((score, c) => (score >= threshold ? [c] : []))
  if (sure.length > 0 || host === 'ham-net') return sure
  return [scores.indexOf(Math.max(...scores))]
}

export interface OuterInnerOptions {
  /** Of the surroundings, as a share of the run's length. */
  readonly margin: number
  /** Score of the class in the video. */
  readonly classScore: number
  /** Weight of it. */
  readonly classWeight: number
}

/** How much higher a curve is in a run than around it, with the class's score on top (Shou et al., ECCV 2018). */
export function outerInnerScore(
  curve: ArrayLike<number>,
  [first, last]: readonly [number, number],
  { margin, classScore, classWeight }: OuterInnerOptions,
): number {
  const length = last - first + 1
  const [from, to] = [
    Math.max(0, Math.floor(first - margin * length)),
    Math.min(curve.length - 1, Math.floor(last + margin * length)),
  ]
  let [inner, outer] = [0, 0]
  for (let i = from; i <= to; i++) {
    if (i >= first && i <= last) inner += curve[i] as number
    else outer += curve[i] as number
  }
  const around = to - from + 1 - length
  return inner / length - (around > 0 ? outer / around : 0) + classWeight * classScore
}

/** Seconds of a span of segments. */
export function secondsOf([start, end]: readonly [number, number], fps: number): readonly [number, number] {
  return [(start * SEGMENT_FRAMES) / fps, (end * SEGMENT_FRAMES) / fps]
}

/** The actions of a video by descending score. */
export function proposalsOf(curves: VideoCurves, config: Config): readonly Instance[] {
  const { host, inference, video } = config
  const { classThreshold } = settingsOf(config)
  const chosen = chosenClasses(curves.scores, classThreshold, host)
  const found = chosen.flatMap((label) => {
    const options = { ...inference, classScore: curves.scores[label] ?? 0 }
    const all = host === 'cola' ? colaRuns(curves, label, config, options) : attentionRuns(curves, label, options)
    // CO2-Net suppresses in segments, the others in seconds: the length of 1 that is added makes them differ.
    const edge = host === 'co2-net' ? 1 : video.fps / SEGMENT_FRAMES
    if (host === 'cola') return temporalNms(all, { overlap: inference.overlap, edge })
    return temporalSoftNms(all, { sigma: inference.sigma, edge })
  })
  const sorted = found.sort((a, b) => b.score - a.score)
  return inference.most === undefined ? sorted : sorted.slice(0, inference.most)
}

/** Runs of attention above ten levels; equal runs of several levels are all there. */
function attentionRuns({ activation, attention }: VideoCurves, label: number, options: OuterInnerOptions): Instance[] {
  const curve = activation.classes[label] ?? new Float64Array(0)
  return ATTENTION_LEVELS.flatMap((level) =>
    runsAbove(attention, level).map(([first, last]): Instance => {
      return { label, score: outerInnerScore(curve, [first, last], options), span: [first, last + 1] }
    }),
  )
}

/** Runs of activation and of actionness, both from 0 to 1 and finely sampled. */
function colaRuns(
  { activation, attention, segments }: VideoCurves,
  label: number,
  { variant }: Config,
  options: OuterInnerOptions,
): Instance[] {
  const fine = (curve: Float64Array) => upsampleCurve(minMax(curve), COLA.scale)
  const curve = fine(activation.classes[label] ?? new Float64Array(0))
  const actionness = fine(attention)
  const perSample = segments / curve.length
  const cut = (own: Float64Array, level: number) => own.map((value) => (value < level ? 0 : value))
  const instances = (runs: Float64Array, judged: Float64Array) =>
    runsAbove(runs, 0)
      .filter(([first, last]) => last - first + 1 >= COLA.leastSamples)
      .map(([first, last]): Instance => {
        const score = outerInnerScore(judged, [first, last], options)
        return { label, score, span: [first * perSample, (last + 1) * perSample] }
      })
  return [
    ...COLA.activation[variant].flatMap((level) => {
      const above = cut(curve, level)
      return instances(above, above)
    }),
    ...COLA.actionness.flatMap((level) => instances(cut(actionness, level), curve)),
  ]
}

/** Names of the classes of instances, and their times in seconds. */
export function namedInstances(instances: readonly Instance[], config: Config) {
  const names = classNames(config)
  return instances.map(({ label, score, span }) => {
    return { label: names[label] ?? `class ${label}`, score, segment: secondsOf(span, config.video.fps) }
  })
}
