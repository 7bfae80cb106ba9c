import type { YOLOv5 } from '../../../backbones'
import { type CocoDetection, type CocoSummary, type CocoTruth, evaluateCoco } from '../../../metrics'
import { type EvaluateRequest, type Evaluation, throwIfCancelled } from '../../../pipeline'
import { type Device, type Tensor, tensor, tidy, tidyAsync } from '../../../tensor'
import { type CropWindow, cropBoxes } from '../../../vision'
import type { Config } from './config'
import { detectionData } from './data'
import { Finder, type FindOptions, squaresOf } from './detect'
import type { DetectionData, LabelledObject, LabelledPicture } from './labelled'

/** The paper's protocol: COCO's average precision over the pictures for validation, in their own pixels. */
export async function evaluate(request: EvaluateRequest<Config>): Promise<Evaluation> {
  const { config } = request
  const data = await detectionData('val', request, config)
  const { summary, pictures } = await evaluateDetector(request.model as YOLOv5, data, config, request)
  const { ap, ap50, ap75, apSmall = -1, apMedium, apLarge, apByCategory } = summary
  const classes = data.classes.map((name, id) => [`ap of ${name}`, apByCategory.get(id) ?? -1] as const)
  return {
    protocol: `COCO's average precision over ${config.evaluation.perCrop && config.crop ? 'squares of ' : ''}pictures, 100 detections each; −1 where there is no object`,
    samples: pictures,
    metrics: { ap, ap50, ap75, apSmall, apMedium, apLarge, ...Object.fromEntries(classes) },
  }
}

export interface DetectorScores {
  readonly summary: CocoSummary
  readonly pictures: number
  /** What was compared; other classes or limits can be tried without running the network again. */
  readonly truth: CocoTruth
  readonly detections: readonly CocoDetection[]
}

export interface EvaluateDetectorOptions {
  readonly device: Device
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: EvaluateRequest<Config>['onProgress']
}

/** COCO's numbers of a network, in evaluation mode, on a part of a data set. */
export async function evaluateDetector(
  model: YOLOv5,
  data: DetectionData,
  config: Config,
  { device, signal, onProgress }: EvaluateDetectorOptions,
): Promise<DetectorScores> {
  const { scoreThreshold, iouThreshold, perCrop } = config.evaluation
  const options: FindOptions = { scoreThreshold, iouThreshold, maxDetections: 300, multiLabel: data.classes.length > 1 }
  const pictures = perCrop ? data.pictures.flatMap((picture) => squarePictures(picture, config)) : data.pictures
  const detections: CocoDetection[] = []
  using finder = new Finder(model, config)
  for (const [id, picture] of pictures.entries()) {
    throwIfCancelled(signal, 'evaluate')
    await tidyAsync(async () => {
      const found = await finder.find((await picture.read()).to(device), options, { signal })
      const [boxes, scores, labels] = [found.boxes, found.scores, found.labels].map(numbers) as [
        number[],
        number[],
        number[],
      ]
      for (const [i, score] of scores.entries()) {
        const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = boxes.slice(4 * i, 4 * i + 4)
        detections.push({ image_id: id, category_id: labels[i] ?? 0, score, bbox: [x1, y1, x2 - x1, y2 - y1] })
      }
    })
    onProgress?.({ stage: 'pictures', done: id + 1, total: pictures.length })
  }
  const truth = truthOf({ classes: data.classes, pictures })
  return { summary: evaluateCoco(truth, detections), pictures: pictures.length, truth, detections }
}

function numbers(values: Tensor): number[] {
  return values.to('float64').flatten().toArray() as number[]
}

/** What a part of a data set says, as COCO's evaluation takes it; classes by their places. */
export function truthOf({ classes, pictures }: DetectionData): CocoTruth {
  return {
    images: pictures.map(({ height, width }, id) => ({ id, height, width })),
    categories: classes.map((_, id) => ({ id })),
    annotations: pictures.flatMap(({ objects }, image_id) =>
      objects.map(({ category, box: [x1, y1, x2, y2], area, crowd }) => ({
        ...{ image_id, category_id: category, area, iscrowd: crowd ? 1 : 0 },
        bbox: [x1, y1, x2 - x1, y2 - y1] as const,
      })),
    ),
  }
}

/** The squares of a picture as pictures, with what is visible of the objects. */
function squarePictures(picture: LabelledPicture, config: Config): LabelledPicture[] {
  return squaresOf(picture.height, picture.width, config).map((square) => {
    const { left, top, width, height } = square
    return {
      ...{ name: `${picture.name} at ${left}, ${top}`, width, height },
      objects: objectsIn(square, picture.objects),
      read: async () => (await picture.read()).narrow(1, top, height).narrow(2, left, width),
    }
  })
}

function objectsIn(square: CropWindow, objects: readonly LabelledObject[]): LabelledObject[] {
  return tidy(() => {
    const all = tensor(
      objects.flatMap(({ box }) => box),
      { shape: [objects.length, 4], dtype: 'float64' },
    )
    const { boxes, kept } = cropBoxes(all, square)
    const [edges, visible] = [boxes.toArray() as number[][], kept.toArray() as boolean[]]
    return objects.flatMap(({ category, crowd }, i) => {
      const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = edges[i] ?? []
      return visible[i] ? [{ category, crowd, box: [x1, y1, x2, y2] as const, area: (x2 - x1) * (y2 - y1) }] : []
    })
  })
}
