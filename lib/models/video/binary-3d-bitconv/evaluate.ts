import { clipStream, type EvaluateRequest, type Evaluation, throwIfCancelled } from '../../../pipeline'
import { tidyAsync } from '../../../tensor'
import { storedBytes } from './accounting'
import type { Config } from './config'
import { actionData, type VideoItem } from './data'
import type { ActionNetwork } from './model'
import { ActionPredictor, topNumbers } from './predict'

/** What a network says of a video whose action is known. */
export interface VideoScore {
  readonly name: string
  readonly label: number
  /** Numbers of the five most probable actions, or of all where there are fewer. */
  readonly top5: readonly number[]
  readonly probabilities: Float64Array
}

/** Scores of videos, in their order. */
export async function scoreVideos(
  predictor: ActionPredictor,
  videos: readonly VideoItem[],
  { signal, onProgress }: Pick<EvaluateRequest<Config>, 'signal' | 'onProgress'> = {},
): Promise<VideoScore[]> {
  const scores: VideoScore[] = []
  for (const video of videos) {
    throwIfCancelled(signal, 'evaluate')
    const { probabilities } = await tidyAsync(async () =>
      predictor.predict(await clipStream(video.input(), 'evaluate'), { signal }),
    )
    scores.push({ name: video.name, label: video.label, probabilities, top5: topNumbers(probabilities, 5) })
    onProgress?.({ stage: 'videos', done: scores.length, total: videos.length })
  }
  return scores
}

/** Share of the videos whose action is among the `count` most probable. */
export function topAccuracy(scores: readonly VideoScore[], count: 1 | 5): number {
  return scores.filter(({ label, top5 }) => top5.slice(0, count).includes(label)).length / scores.length
}

/** The paper's protocol: top-1 and top-5 of test videos, probabilities a mean over evenly spaced clips. */
export async function evaluate(request: EvaluateRequest<Config>): Promise<Evaluation> {
  const { config, device } = request
  const { videos } = await actionData('test', request, config)
  const model = request.model as ActionNetwork
  using predictor = new ActionPredictor(model, config, device)
  const scores = await scoreVideos(predictor, videos, request)
  return {
    protocol: `videos, of ${predictor.plan.clips} clips each, a mean of their probabilities`,
    samples: videos.length,
    metrics: { top1: topAccuracy(scores, 1), top5: topAccuracy(scores, 5), megabytes: storedBytes(model).total / 1e6 },
  }
}
