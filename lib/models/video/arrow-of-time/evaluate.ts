import { type EvaluateRequest, type Evaluation, throwIfCancelled } from '../../../pipeline'
import type { Config } from './config'
import { directedClips } from './data'
import type { ArrowNetwork } from './model'
import { ArrowPredictor } from './predict'

/** The benchmark of the arrow of time: each test clip in both directions, the vote of its groups against the truth. */
export async function evaluate(request: EvaluateRequest<Config>): Promise<Evaluation> {
  const { config, device, signal, onProgress } = request
  // Videos are made ready beside themselves: there is no folder of a run.
  const clips = await directedClips({ ...request, folder: request.data }, 'test')
  using predictor = new ArrowPredictor(request.model as ArrowNetwork, config, device)
  const right = { forward: 0, backward: 0, single: 0, confident: 0 }
  let [forward, groups] = [0, 0]
  for (const [index, clip] of clips.entries()) {
    throwIfCancelled(signal, 'evaluate')
    const { direction, scores, confident } = await predictor.predict(clip, { signal })
    const truth = clip.forward ? 'forward' : 'backward'
    if (direction === truth) right[truth] += 1
    right.single += scores.filter((score) => score > 0.5 === clip.forward).length
    right.confident += confident.filter(Boolean).length
    forward += clip.forward ? 1 : 0
    groups += scores.length
    onProgress?.({ stage: 'clips', done: index + 1, total: clips.length })
  }
  const backward = clips.length - forward
  return {
    protocol: `correct directed clips of all; ${config.inference.groups} groups vote, ${config.inference.crops} crops${config.inference.flip ? ' and mirrored' : ''}; chance is 0.5`,
    samples: clips.length,
    metrics: {
      accuracy: (right.forward + right.backward) / clips.length,
      ...(forward > 0 ? { forwardAccuracy: right.forward / forward } : {}),
      ...(backward > 0 ? { backwardAccuracy: right.backward / backward } : {}),
      groupAccuracy: right.single / groups,
      confidentGroups: right.confident / groups,
    },
  }
}
