import { type EvaluateRequest, type Evaluation, throwIfCancelled } from '../../../pipeline'
import { cat, type Tensor, tidyAsync } from '../../../tensor'
import { type Config, decodingOf } from './config'
import { labelledVolumes } from './data'
import { byteLevel } from './decode'
import type { MapNetwork } from './model'
import { ap75, type InstanceReport, instanceReport, jaccard, SIZE_CLASSES } from './report'
import { scoreObjects, VolumeSegmenter } from './segmenter'

/** The paper's protocol on the part for validation: average precision of the objects of all volumes together. */
export async function evaluate(request: EvaluateRequest<Config>): Promise<Evaluation> {
  const { config, signal, onProgress } = request
  const { report, jaccard: overlap, volumes } = await evaluateVolumes(request)
  const { thresholds, precision } = report
  const mean = (values: readonly number[] = []) => values.reduce((sum, value) => sum + value, 0) / values.length
  const sizes = Object.keys(SIZE_CLASSES).map((name) => [`ap75 ${name}`, precision[name]?.[5] ?? -1] as const)
  throwIfCancelled(signal, 'evaluate')
  onProgress?.({ stage: 'objects', done: volumes, total: volumes })
  return {
    protocol: `AP of the ${report.objects.all} objects at IoU 0.75, ranked by ${config.evaluation.score}, decoder ${decodingOf(config).decoder}; small up to 5,000 voxels, large above 15,000; −1 where there is none`,
    samples: volumes,
    metrics: {
      ap75: ap75(report),
      ...Object.fromEntries(sizes),
      ap50: precision.all?.[0] ?? -1,
      [`ap50 to ${Math.round(100 * (thresholds.at(-1) ?? 0))}`]: mean(precision.all),
      jaccard: overlap,
      objects: report.objects.all ?? 0,
      predictions: report.rows.length,
    },
  }
}

export interface VolumeScores {
  readonly report: InstanceReport
  /** Of the mask at a probability of 0.5, or of the objects where there are only affinities. */
  readonly jaccard: number
  readonly volumes: number
}

/** Objects of the volumes for validation against their truth. */
export async function evaluateVolumes(request: EvaluateRequest<Config>): Promise<VolumeScores> {
  const { config, device, signal, onProgress } = request
  const model = request.model as MapNetwork
  return tidyAsync(async () => {
    const volumes = await labelledVolumes('val', request)
    using segmenter = new VolumeSegmenter(model, config, device)
    const [found, truths, masks]: [Tensor[], Tensor[], Tensor[]] = [[], [], []]
    const scores = new Map<number, number>()
    let [labelsBefore, objectsBefore] = [0, 0]
    for (const { image, labels } of volumes) {
      throwIfCancelled(signal, 'evaluate')
      const parts = await tidyAsync(async () => {
        const segmentation = await segmenter.segment(image, { signal, onProgress })
        const truth = (await labels.read([0, 0, 0], labels.shape)).to('int32')
        for (const { label, score } of scoreObjects(segmentation.labels, segmentation.maps, model.representation)) {
          scores.set(label + labelsBefore, score)
        }
        const hasMask = model.representation.startsWith('B')
        const mask = hasMask ? segmentation.maps.select(0, 0).gt(byteLevel(0.5)) : segmentation.labels.gt(0)
        return {
          found: shifted(segmentation.labels.flatten(), labelsBefore),
          truth: shifted(truth.flatten(), objectsBefore),
          mask: mask.flatten(),
        }
      })
      found.push(parts.found)
      truths.push(parts.truth)
      masks.push(parts.mask)
      labelsBefore = Math.max(labelsBefore, Number(parts.found.amax().item()))
      objectsBefore = Math.max(objectsBefore, Number(parts.truth.amax().item()))
    }
    const [predicted, truth] = [cat(found), cat(truths)]
    const report = instanceReport(predicted, truth, {
      scores: config.evaluation.score === 'probability' ? scores : undefined,
      ranges: config.evaluation.ranges,
    })
    return { report, jaccard: jaccard(cat(masks), truth), volumes: volumes.length }
  })
}

/** Numbers above 0 moved behind those of the volumes before. */
function shifted(labels: Tensor, by: number): Tensor {
  return labels.add(labels.gt(0).to(labels.dtype).mul(by))
}
