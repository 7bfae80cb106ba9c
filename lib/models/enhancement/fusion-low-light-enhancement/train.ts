import { join } from 'node:path'
import { DataLoader } from '../../../data'
import type { Trained, TrainRequest } from '../../../pipeline'
import { manualSeed } from '../../../tensor'
import type { FitResult } from '../../../train'
import type { Config } from './config'
import { Crops, cropFor, FusionCrops, fusionPictures, trainingPictures } from './data'
import { LowLightNetworks } from './model'
import { brightnessTrainer, fusionTrainer } from './stages'

/** The smallest picture that a crop is cut from. */
const LEAST_SIDE = 16

/** The paper's schedule: the brightness network first, then the fusion network on what the first gives. */
export async function train(request: TrainRequest<Config>): Promise<Trained> {
  const { config, device, folder, resume, signal, progress } = request
  const { seed, crop, brightness, fusion } = config.training
  manualSeed(seed)
  const model = new LowLightNetworks(config).to(device)
  const pictures = await trainingPictures(request, LEAST_SIDE)
  const size = await cropFor(pictures, crop)
  const values: Record<string, number> = {}

  if (config.ablation !== 'noBAB') {
    const { learningRate, batchSize, epochs } = brightness
    const trainer = brightnessTrainer(model, { learningRate, seed, progress, folder: join(folder, 'brightness') })
    const loader = new DataLoader(new Crops(pictures, size), { batchSize, shuffle: true, seed })
    values.brightnessLoss = lastLoss(await trainer.fit(loader, { epochs, resume, signal }))
  }
  if (config.ablation !== 'noFM') {
    const { learningRate, batchSize, epochs } = fusion
    const stacked = await fusionPictures(pictures, model, join(folder, 'guides'), request)
    const trainer = fusionTrainer(model, { learningRate, seed, progress, folder: join(folder, 'fusion') })
    const loader = new DataLoader(new FusionCrops(stacked, size), { batchSize, shuffle: true, seed })
    values.fusionLoss = lastLoss(await trainer.fit(loader, { epochs, resume, signal }))
  }
  return { model, values }
}

const lastLoss = ({ records }: FitResult): number => records.at(-1)?.loss ?? Number.NaN
