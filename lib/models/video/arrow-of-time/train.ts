import { join } from 'node:path'
import { DataLoader, RandomSampler } from '../../../data'
import { functional as F } from '../../../nn'
import { MultiStepLR, SGD } from '../../../optim'
import type { Trained, TrainRequest } from '../../../pipeline'
import { manualSeed } from '../../../tensor'
import { fitModel, Trainer } from '../../../train'
import type { Config } from './config'
import { ClipWindows, directedClips, type WindowSample } from './data'
import { type ArrowNetwork, createNetwork } from './model'

/** The schedule of the released training from scratch: SGD, one epoch at a rate ten times that of the others. */
export async function train(request: TrainRequest<Config>): Promise<Trained> {
  const { config, device, folder, resume, signal, progress } = request
  const { seed, epochs, batchSize, updates, accumulate, workers } = config.training
  const windows = new ClipWindows(await directedClips(request, 'train'), config)
  manualSeed(seed)
  const model = createNetwork(config).to(device)
  // Each clip is there in both directions, so that drawing among all of them is balanced.
  const sampler = new RandomSampler(windows, { replacement: true, numSamples: updates * accumulate * batchSize, seed })
  const loader = new DataLoader(windows, { batchSize, sampler, seed, workers })
  const trainer = arrowTrainer(model, config, { folder: join(folder, 'arrow'), progress })
  return fitModel(trainer, loader, { epochs, resume, signal }, ({ loss }) => ({ model, values: { loss } }))
}

/** Trains a network on windows of directed clips. */
export function arrowTrainer(
  model: ArrowNetwork,
  { training }: Config,
  options: { readonly folder?: string; readonly progress?: boolean } = {},
): Trainer<WindowSample> {
  const { firstLearningRate: lr, learningRate, momentum, weightDecay, accumulate, seed } = training
  const optimizer = new SGD(model.parameters(), { lr, momentum, weightDecay })
  return new Trainer<WindowSample>({
    ...{ model, optimizer, accumulate, seed, ...options },
    loss: ({ x, forward }) => F.binaryCrossEntropyWithLogits(model.forward(x), forward),
    schedule: new MultiStepLR(optimizer, { milestones: [1], gamma: learningRate / lr }),
  })
}
