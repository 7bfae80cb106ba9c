// The schedules of the three hosts, with the consistency in the loss.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DataLoader, RandomSampler } from '../../../data'
import { loadCheckpoint } from '../../../io'
import { Adam } from '../../../optim'
import type { Trained, TrainRequest } from '../../../pipeline'
import { manualSeed, tidyAsync } from '../../../tensor'
import { fitModel, Trainer, type TrainerOptions, type ValidationOptions } from '../../../train'
import { type Config, settingsOf } from './config'
import { regionSizes } from './consistency'
import { type ActionData, actionData, labelsOf, SegmentSamples, type TrainingSample } from './data'
import { ambiguousOf, evaluateLocalizer } from './evaluate'
import { createLocalizer, type Localizer } from './model'
import { PairedBatches } from './sampling'

/** A trained network, and its config as the data made it. */
export interface TrainedLocalizer extends Trained {
  readonly model: Localizer
  readonly config: Config
}

/** Trains a host by its paper's schedule; with `keep: 'best'` the weights that do best on the test videos are the result. */
export async function train(request: TrainRequest<Config>): Promise<TrainedLocalizer> {
  const { device, folder, resume, signal, progress } = request
  const data = await actionData(request, request.config, 'train')
  const config: Config = { ...request.config, classes: [...data.classes] }
  const { steps, epochs, seed, segments } = settingsOf(config)
  const { regions } = config.rsc
  const parts = regionSizes(segments, regions).length
  if (parts < regions) request.note(`${segments} segments divide into ${parts} regions, not ${regions}`)
  const judged = config.training.keep === 'best' ? await judgedData(request, config) : undefined
  manualSeed(seed)
  const model = createLocalizer(config).to(device)
  const validation = judged && validationOn(judged, model, config, request)
  const { trainer, loader } = localizerTrainer(model, config, data, {
    ...{ folder: join(folder, 'localizer'), progress, validation },
    ...(validation && { best: { metric: 'map', mode: 'max' } }),
  })
  return fitModel(
    trainer,
    loader,
    { steps, epochs, resume, signal },
    async ({ loss, best = Number.NaN }): Promise<TrainedLocalizer> => {
      if (!validation) return { model, config, values: { loss } }
      await loadBest(model, join(folder, 'localizer'))
      return { model, config, values: { loss, bestMap: best } }
    },
  )
}

/** What trains a network, on batches of a set of videos. */
export function localizerTrainer(
  model: Localizer,
  config: Config,
  data: ActionData,
  options: Pick<
    TrainerOptions<TrainingSample>,
    'folder' | 'progress' | 'validation' | 'best' | 'onRecord' | 'logEvery' | 'curves'
  > = {},
) {
  const { learningRate, weightDecay, seed } = settingsOf(config)
  const samples = new SegmentSamples(data, config)
  const loader = new DataLoader(samples, { ...batchesOf(data, config), seed })
  const optimizer = new Adam(model.parameters(), { lr: learningRate, weightDecay })
  const trainer = new Trainer<TrainingSample>({
    ...{ model, optimizer, seed, ...options },
    loss: ({ x, labels }) => {
      const { loss, host, consistency } = model.loss(x, labels)
      return { loss, host: host.detach(), consistency: consistency.detach() }
    },
  })
  return { trainer, loader }
}

/** An epoch is a pass over the videos; of a schedule in steps, the steps between two tests. */
function batchesOf(data: ActionData, config: Config) {
  const { steps, batchSize, keepEvery, seed } = settingsOf(config)
  const { videos, classes } = data
  if (config.host === 'co2-net') {
    const length = steps === undefined ? Math.ceil(videos.length / batchSize) : Math.min(keepEvery, steps)
    const labels = videos.map((video) => labelsOf(video, classes))
    return { batchSampler: new PairedBatches(labels, batchSize, length, seed) }
  }
  if (steps === undefined) return { batchSize, shuffle: true }
  const numSamples = Math.min(keepEvery, steps) * batchSize
  return { batchSize, sampler: new RandomSampler(videos, { numSamples, seed }) }
}

async function judgedData(request: TrainRequest<Config>, config: Config) {
  return { test: await actionData(request, config, 'test'), ambiguous: await ambiguousOf(request.data) }
}

/** mAP on the test videos after each epoch. */
function validationOn(
  { test, ambiguous }: Awaited<ReturnType<typeof judgedData>>,
  model: Localizer,
  config: Config,
  request: TrainRequest<Config>,
): ValidationOptions<TrainingSample, unknown> {
  let map = Number.NaN
  // The videos differ in length, and all are judged at once: one batch stands for them.
  const data = {
    length: 1,
    async *[Symbol.asyncIterator](): AsyncGenerator<TrainingSample> {
      const scores = await evaluateLocalizer(model, test, config, { ...request, ambiguous })
      map = scores.average
      yield await tidyAsync(async () => new SegmentSamples(test, config).get(0))
    },
  }
  const metric = { compute: () => map, reset: () => {} }
  return { data, predict: () => undefined, update: () => {}, metrics: { map: metric } }
}

async function loadBest(model: Localizer, folder: string): Promise<void> {
  const path = join(folder, 'checkpoints', 'best.pth')
  if (!existsSync(path)) return
  await tidyAsync(async () => {
    const { model: best } = await loadCheckpoint(path)
    if (best) model.loadStateDict(best)
  })
}
