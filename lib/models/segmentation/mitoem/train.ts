import { join } from 'node:path'
import { DataLoader } from '../../../data'
import type { Module } from '../../../nn'
import { LambdaLR, SGD } from '../../../optim'
import type { Trained, TrainRequest } from '../../../pipeline'
import { manualSeed, type Tensor, tidyAsync } from '../../../tensor'
import { fitModel, Trainer, type TrainerOptions } from '../../../train'
import { type Config, scheduleOf } from './config'
import { checkWindow, labelledVolumes, type TrainingSample, VolumeSamples } from './data'
import { mapLoss } from './loss'
import { MapNetwork } from './model'

/** The released schedule: SGD with a warm-up and two falls of the rate, on random parts of the volumes. */
export async function train(request: TrainRequest<Config>): Promise<Trained> {
  const { config, device, folder, resume, signal, progress } = request
  const { seed, batchSize, window } = config.training
  checkWindow(window, 'training.window')
  manualSeed(seed)
  const { steps } = scheduleOf(config)
  return tidyAsync(async () => {
    const model = new MapNetwork(config).to(device)
    using samples = new VolumeSamples(await labelledVolumes('train', request), config, steps)
    const loader = new DataLoader(samples, { batchSize, seed })
    const trainer = mapTrainer(model, config, { folder: join(folder, 'maps'), progress })
    // Within the scope: the volumes are there until the training has ended.
    const limits = { epochs: 1, steps, resume, signal }
    return await fitModel(trainer, loader, limits, ({ loss }) => ({ model, values: { loss } }))
  })
}

/** Trains a network on samples. */
export function mapTrainer(
  model: MapNetwork,
  config: Config,
  options: Pick<TrainerOptions<TrainingSample>, 'folder' | 'progress' | 'onRecord' | 'logEvery' | 'curves'> = {},
): Trainer<TrainingSample> {
  const { momentum, weightDecay, warmup, milestones, dice, seed, checkpointSteps } = config.training
  const { learningRate } = scheduleOf(config)
  const optimizer = mapOptimiser(model, { learningRate, momentum, weightDecay })
  return new Trainer<TrainingSample>({
    ...options,
    ...{ model, optimizer, seed },
    checkpointEverySteps: checkpointSteps,
    schedule: {
      scheduler: new LambdaLR(optimizer, { lrLambda: (step) => rateShare(step, warmup, milestones) }),
      every: 'step',
    },
    loss: ({ image, targets }) => mapLoss(model.forward(image), targets, model.representation, dice),
  })
}

const FIRST_SHARE = 0.001

/** Share of the learning rate in a step: a straight rise from a thousandth, then a tenth after each milestone. */
export function rateShare(step: number, warmup: number, milestones: readonly number[]): number {
  const a = warmup === 0 ? 1 : Math.min(step / warmup, 1)
  return (FIRST_SHARE * (1 - a) + a) * 0.1 ** milestones.filter((milestone) => milestone <= step).length
}

/** SGD that lets the weights of convolutions decay, and neither norms nor biases. */
function mapOptimiser(
  model: Module,
  { learningRate: lr, momentum, weightDecay }: { learningRate: number; momentum: number; weightDecay: number },
): SGD {
  const [weights, others]: [Tensor[], Tensor[]] = [[], []]
  for (const parameter of model.parameters()) (parameter.ndim > 1 ? weights : others).push(parameter)
  return new SGD(
    [
      { params: weights, weightDecay },
      { params: others, weightDecay: 0 },
    ],
    { lr, momentum },
  )
}
