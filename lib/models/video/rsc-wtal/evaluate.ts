// Mean average precision over temporal overlaps, and what else is reported of a test set.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type ActionVideo, type AmbiguousSpan, readAmbiguousSpans } from '../../../datasets'
import { evaluateTemporal, type TemporalDetection, type TemporalSummary, type TemporalTruth } from '../../../metrics'
import { type EvaluateRequest, type Evaluation, SYNTHETIC, throwIfCancelled } from '../../../pipeline'
import { tidyAsync } from '../../../tensor'
import { type Config, overlapsOf } from './config'
import { type ActionData, actionData, labelsOf } from './data'
import { ActionFinder } from './find'
import type { Localizer } from './model'
import { type Instance, SEGMENT_FRAMES, secondsOf } from './proposals'

/** What a localizer makes of a set of videos. */
export interface LocalizerScores extends TemporalSummary {
  /** Mean average precision of the classes of whole videos. */
  readonly classification: number
  /** Mean difference of the similarities of regions in the two streams. */
  readonly consistency: number
  readonly proposals: number
}

/** The protocol of the paper on a set of videos. */
export async function evaluateLocalizer(
  model: Localizer,
  { videos, classes }: ActionData,
  config: Config,
  {
    device,
    signal,
    onProgress,
    ambiguous = [],
  }: Pick<EvaluateRequest<Config>, 'device' | 'signal' | 'onProgress'> & {
    readonly ambiguous?: readonly AmbiguousSpan[]
  },
): Promise<LocalizerScores> {
  using finder = new ActionFinder(model, config, device)
  const [truth, detections]: [TemporalTruth[], TemporalDetection[]] = [[], []]
  const scores: (readonly number[])[] = []
  let consistency = 0
  for (const [index, video] of videos.entries()) {
    throwIfCancelled(signal, 'evaluate')
    const found = await tidyAsync(async () => finder.find(await video.read(), { signal }))
    truth.push(...truthOf(video, config))
    const kept =
      config.host === 'co2-net' ? withoutAmbiguous(found.instances, video.name, ambiguous, config) : found.instances
    for (const { label, score, span } of kept) {
      const segment = config.evaluation.units === 'seconds' ? secondsOf(span, config.video.fps) : span
      detections.push({ video: video.name, label: classes[label] ?? label, score, segment })
    }
    scores.push(found.curves.scores)
    consistency += found.consistency / videos.length
    onProgress?.({ stage: 'videos', done: index + 1, total: videos.length })
  }
  const labels = videos.map((video) => labelsOf(video, classes))
  return {
    ...evaluateTemporal(truth, detections, overlapsOf(config)),
    classification: classificationPrecision(scores, labels),
    consistency,
    proposals: detections.length,
  }
}

function truthOf({ name, actions }: ActionVideo, { evaluation, video }: Config): TemporalTruth[] {
  const whole = (seconds: number) => Math.round((seconds * video.fps) / SEGMENT_FRAMES)
  return actions.map(({ label, segment: [start, end] }) => {
    return { video: name, label, segment: evaluation.units === 'seconds' ? [start, end] : [whole(start), whole(end)] }
  })
}

/** Proposals without those that share a segment with an ambiguous span of their video. */
export function withoutAmbiguous(
  instances: readonly Instance[],
  name: string,
  ambiguous: readonly AmbiguousSpan[],
  { video }: Pick<Config, 'video'>,
): readonly Instance[] {
  const whole = (seconds: number) => Math.round((seconds * video.fps) / SEGMENT_FRAMES)
  const spans = ambiguous
    .filter((each) => each.video === name)
    .map(({ segment: [a, b] }) => [whole(a), whole(b)] as const)
  return instances.filter(({ span: [from, to] }) => spans.every(([a, b]) => b <= from || a >= to))
}

/** Mean over classes of the average precision of videos by their score; classes that no video has do not count. */
export function classificationPrecision(
  scores: readonly (readonly number[])[],
  labels: readonly (readonly number[])[],
): number {
  const classes = [...new Set(labels.flat())]
  const precisions = classes.map((label) => {
    const order = scores.map((_, i) => i).sort((a, b) => (scores[b]?.[label] ?? 0) - (scores[a]?.[label] ?? 0))
    let [hits, sum] = [0, 0]
    for (const [rank, video] of order.entries()) {
      if (!labels[video]?.includes(label)) continue
      hits += 1
      sum += hits / (rank + 1)
    }
    return sum / hits
  })
  return precisions.reduce((sum, value) => sum + value, 0) / precisions.length
}

/** Spans of the list `ambiguous.txt` of a data set, where there is one. */
export async function ambiguousOf(data: string): Promise<readonly AmbiguousSpan[]> {
  const path = join(data, 'ambiguous.txt')
  return data !== SYNTHETIC && existsSync(path) ? readAmbiguousSpans(path) : []
}

/** mAP at each overlap, their mean, and mAP of the classes of whole videos. */
export async function evaluate(request: EvaluateRequest<Config>): Promise<Evaluation> {
  const { config, data } = request
  const test = await actionData(request, config, 'test')
  const ambiguous = await ambiguousOf(data)
  const scores = await evaluateLocalizer(request.model as Localizer, test, config, { ...request, ambiguous })
  const overlaps = overlapsOf(config)
  return {
    protocol: `mAP at temporal IoU ${overlaps[0]} to ${overlaps.at(-1)}, ${config.evaluation.units}; ${scores.proposals} proposals in ${test.videos.length} videos of ${test.classes.length} classes`,
    samples: test.videos.length,
    metrics: {
      ...Object.fromEntries(overlaps.map((overlap, i) => [`map@${overlap}`, scores.map[i] ?? Number.NaN])),
      average: scores.average,
      classificationMap: scores.classification,
      consistency: scores.consistency,
    },
  }
}
