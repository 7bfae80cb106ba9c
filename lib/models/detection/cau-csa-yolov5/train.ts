import { type LevelAnchors, YOLOV5_ANCHORS, type YOLOv5, YOLOv5Loss } from '../../../backbones'
import { DataLoader } from '../../../data'
import { ExponentialMovingAverage } from '../../../optim'
import type { Trained, TrainRequest } from '../../../pipeline'
import { manualSeed } from '../../../tensor'
import { fitModel, Trainer, type TrainerOptions } from '../../../train'
import { fittedAnchors, objectSizes } from './anchors'
import { type Config, sizeDefaults } from './config'
import { detectionData, hasValidation } from './data'
import { evaluateDetector } from './evaluate'
import type { DetectionData } from './labelled'
import { createDetector } from './model'
import { collateDetection, type DetectionBatch, TrainingSamples } from './samples'
import { detectorOptimiser, WarmupCosine } from './schedule'

/** A trained network, and its config as the data made it. */
export interface TrainedDetector extends Trained {
  readonly model: YOLOv5
  readonly config: Config
}

/** YOLOv5's schedule, which is the paper's: SGD with a warm-up and a cosine, averaged weights, mosaics. */
export async function train(request: TrainRequest<Config>): Promise<TrainedDetector> {
  const { device, folder, resume, signal, progress, note } = request
  const data = await detectionData('train', request, request.config)
  const config = fittedConfig(request.config, data, note)
  manualSeed(config.training.seed)
  const model = createDetector(config).to(device)
  const { trainer, loader, average } = detectorTrainer(model, config, data, { folder, progress })
  using held = average
  return await fitModel(
    trainer,
    loader,
    { epochs: config.training.epochs, resume, signal },
    async ({ loss }): Promise<TrainedDetector> => {
      // The averages are the result.
      held?.swap()
      if (!hasValidation(request)) return { model, config, values: { loss } }
      const validation = await detectionData('val', request, config)
      const { summary } = await evaluateDetector(model.eval(), validation, config, { device, signal })
      return { model, config, values: { loss, ap: summary.ap, ap50: summary.ap50 } }
    },
  )
}

/** The config with the names of the data's classes, and anchors that fit its objects. */
export function fittedConfig(config: Config, data: DetectionData, note: (text: string) => void = () => {}): Config {
  const { fitAnchors, seed } = config.training
  const named: Config = { ...config, classes: [...data.classes] }
  if (!fitAnchors) return named
  const given: readonly LevelAnchors[] =
    config.anchors ?? (config.network.base.endsWith('6') ? YOLOV5_ANCHORS.four : YOLOV5_ANCHORS.three)
  const anchors = fittedAnchors(objectSizes(data.pictures, config.size, config.crop), given, seed)
  if (anchors === given) return named
  note(
    `anchors were fitted to the objects: ${anchors.flatMap((level) => level.map((pair) => pair.map(Math.round).join(','))).join(' ')}`,
  )
  return { ...named, anchors: anchors.map((level) => level.map(([w, h]) => [w, h])) }
}

/** What trains a network, on batches of a data set. */
export function detectorTrainer(
  model: YOLOv5,
  config: Config,
  data: DetectionData,
  options: Pick<TrainerOptions<DetectionBatch>, 'folder' | 'progress' | 'onRecord' | 'logEvery' | 'curves'> = {},
) {
  const { batchSize, nominalBatch, epochs, seed, momentum, averageDecay, averageRamp, ...training } = config.training
  const loader = new DataLoader(new TrainingSamples(data.pictures, config), {
    ...{ batchSize, shuffle: true, seed },
    collate: collateDetection,
  })
  const batches = Math.ceil(data.pictures.length / batchSize)
  const accumulate = Math.max(1, Math.min(Math.round(nominalBatch / batchSize), batches))
  const optimizer = detectorOptimiser(model, {
    ...{ learningRate: training.learningRate, momentum },
    weightDecay: (training.weightDecay * batchSize * accumulate) / nominalBatch,
  })
  const schedule = new WarmupCosine(optimizer, {
    ...{ epochs, momentum, finalRate: sizeDefaults(config).finalRate },
    stepsPerEpoch: Math.ceil(batches / accumulate),
    warmupSteps: Math.ceil(Math.max(training.warmupEpochs * batches, training.warmupSteps) / accumulate),
  })
  const average =
    averageDecay === 0
      ? undefined
      : new ExponentialMovingAverage(model, { decay: averageDecay, ramp: averageRamp, useBuffers: true })
  const objective = detectorLoss(model, config)
  const trainer = new Trainer({
    ...options,
    ...{ model, optimizer, ema: average, accumulate, seed },
    schedule: { scheduler: schedule, every: 'step' },
    // Which cells an object belongs to is decided from its numbers, which a captured step cannot read.
    capture: false,
    loss: ({ image, targets }: DetectionBatch) => {
      const { total, box, objectness, classes } = objective.forward(model.forward(image), targets)
      // YOLOv5 adds gradients up where the trainer takes their mean.
      return { loss: total.mul(accumulate), box, objectness, classes }
    },
  })
  return { trainer, loader, average }
}

/** YOLOv5's objective, its weights scaled by levels, classes and size as in its training script. */
export function detectorLoss(model: YOLOv5, config: Config): YOLOv5Loss {
  const { classGain, objectnessGain, gainSize } = sizeDefaults(config)
  const perLevel = 3 / model.strides.length
  return new YOLOv5Loss(model, {
    box: config.training.boxGain * perLevel,
    classes: ((classGain * model.head.numClasses) / 80) * perLevel,
    objectness: objectnessGain * (gainSize / 640) ** 2 * perLevel,
  })
}
