import { join } from 'node:path'
import { DataLoader } from '../../../data'
import { ConfigError } from '../../../native/errors'
import { functional as F } from '../../../nn'
import { updateBatchNorm } from '../../../optim'
import { type Trained, type TrainRequest, throwIfCancelled } from '../../../pipeline'
import { dispose, manualSeed, type Tensor } from '../../../tensor'
import { type FitResult, Trainer } from '../../../train'
import { type Config, stageRate } from './config'
import { actionData, type ClipSample, RandomClips, type VideoItem } from './data'
import { type ActionNetwork, createNetwork, setStage } from './model'
import { packNetwork, savePacked } from './pack'
import { loadPretrained } from './pretrained'
import { stageOptimiser, stageSchedule, stagesOf } from './schedule'
import type { Stage } from './units'

/**
 * The three stages of Section 3.2: floats, signs of activations, signs of both; then the norms are measured anew, and the
 * network is packed beside its weights.
 */
export async function train(request: TrainRequest<Config>): Promise<Trained> {
  const { device, folder, note } = request
  checkTrainable(request.config)
  const { classes, videos } = await actionData('train', request, request.config)
  const config: Config = { ...request.config, classes: [...classes] }
  manualSeed(config.training.seed)
  const model = createNetwork(config).to(device)
  try {
    const { pretrained } = config.training
    if (pretrained !== undefined) note(await loadPretrained(model, config, pretrained))
    const values: Record<string, number> = {}
    for (const stage of stagesOf(config)) {
      const { records } = await trainStage(model, stage, config, videos, { ...request, folder: join(folder, stage) })
      values[`${stage} loss`] = records.at(-1)?.loss ?? Number.NaN
    }
    await reestimateNorms(model, config, videos, request.signal)
    if (config.network.precision === 'binary') {
      using packed = packNetwork(model, config)
      await savePacked(join(folder, 'packed.safetensors'), packed, config)
      note(`the packed network is ${join(folder, 'packed.safetensors')}`)
    }
    return { model, values, config }
  } catch (error) {
    model.dispose()
    throw error
  }
}

function checkTrainable(config: Config): void {
  if (config.network.precision === 'packed') {
    throw new ConfigError(
      "binary-3d-bitconv: a packed network cannot be trained; set network.precision to 'binary', and pack what comes out",
    )
  }
  if (stagesOf(config).at(-1) === (config.network.precision === 'float' ? 'real' : 'binary')) return
  throw new ConfigError(
    'binary-3d-bitconv: the last stage has no epochs; set training.binary.epochs (training.real.epochs for the float network)',
  )
}

/** What a stage is trained with. */
export interface StageOptions {
  readonly folder?: string
  readonly resume?: boolean
  readonly progress?: boolean
  readonly signal?: AbortSignal | undefined
  /** Told the loss of each step. */
  readonly onLoss?: (loss: number) => void
}

/** One stage of the training; the network stays in it. */
export async function trainStage(
  model: ActionNetwork,
  stage: Stage,
  config: Config,
  videos: readonly VideoItem[],
  { folder, resume, progress, signal, onLoss }: StageOptions = {},
): Promise<FitResult> {
  const { seed } = config.training
  setStage(model, stage)
  const loader = clipLoader(config, videos, stage)
  const optimizer = stageOptimiser(model, stage, stageRate(config, stage), config)
  const trainer = new Trainer<ClipSample>({
    ...{ model, optimizer, seed, folder, progress },
    loss: ({ clip, label }) => F.crossEntropy(model.forward(clip), label),
    schedule: { scheduler: stageSchedule(optimizer, stage, loader.length ?? 1, config), every: 'step' },
    ...(onLoss && { logEvery: 1, onRecord: (record) => record.kind === 'step' && onLoss(record.loss) }),
  })
  try {
    return await trainer.fit(loader, { epochs: config.training[stage].epochs, resume, signal })
  } finally {
    dispose(optimizer)
  }
}

/** Each stage draws samples of its own. */
function clipLoader(config: Config, videos: readonly VideoItem[], stage: Stage | 'norms') {
  const { batchSize, seed, prefetch } = config.training
  const place = ['real', 'activations', 'binary', 'norms'].indexOf(stage)
  const clips = new RandomClips(videos, config)
  return new DataLoader(clips, {
    batchSize,
    shuffle: true,
    seed: 4 * seed + place,
    prefetchFactor: prefetch,
  })
}

/** Measures the running statistics of all norms anew, with weights that no longer move. */
export async function reestimateNorms(
  model: ActionNetwork,
  config: Config,
  videos: readonly VideoItem[],
  signal?: AbortSignal | undefined,
): Promise<void> {
  const { reestimate } = config.training
  if (reestimate === 0) return
  const loader = clipLoader(config, videos, 'norms')
  const { device } = model.classifier.weight
  async function* batches(): AsyncGenerator<Tensor> {
    for (let seen = 0; seen < reestimate; ) {
      for await (const { clip } of loader) {
        throwIfCancelled(signal, 'train')
        yield clip.to(device)
        seen += 1
        if (seen === reestimate) return
      }
    }
  }
  await updateBatchNorm(model, batches(), (clips) => model.features(clips))
}
