import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeImage } from '../../../io'
import { PSNR, SSIM } from '../../../metrics'
import { Adam, MultiStepLR } from '../../../optim'
import type { Trained, TrainRequest } from '../../../pipeline'
import { cat, dispose, manualSeed, type Tensor, tidyAsync } from '../../../tensor'
import { type EpochRecord, type FitOptions, type FitResult, Trainer, type TrainingRecord } from '../../../train'
import { mirrorPadToMultiple } from '../../../vision'
import type { Config } from './config'
import { StoredCrops } from './crops'
import { type NoisyCrop, type ScoredCrop, testCrops, trainingCrops } from './data'
import { denoiserOf, quantise } from './denoise'
import { DenoisingUNet, MULTIPLE } from './model'
import { type DenoisingBatch, needsTarget, objectiveOf } from './objective'
import { milestones } from './schedule'
import { type Scores, scoreCrops, scoresAsCsv } from './scores'

/** After so many steps the network should show more than a mean colour. */
const PATIENCE = 1000
/** Pictures on each sheet of samples. */
const SAMPLES = 8

/** The paper's training: one stored crop of each picture with its noise, Adam, the rate halved four times. */
export function train(request: TrainRequest<Config>): Promise<Trained> {
  const { config, folder, device, note, signal } = request
  const { epochs, batchSize, regularisation, seed, sampleEpochs } = config.training
  return tidyAsync(async () => {
    const crops = await trainingCrops(request, config)
    const tests = await testCrops(request, config)
    manualSeed(seed)
    const model = new DenoisingUNet(config.network).to(device)
    const targets = needsTarget(config.method) ? crops.map(targetOf) : undefined
    const noisy = crops.map((crop) => crop.noisy)
    const data = new StoredCrops(noisy, targets, { batchSize, seed, epochs, regularisation })
    using trainer = trainerOf(model, request, tests)

    try {
      // Trained up to each epoch whose pictures are asked for, then on from its checkpoint.
      const stops = [...new Set([...sampleEpochs.filter((epoch) => epoch < epochs), epochs])].sort((a, b) => a - b)
      let result: FitResult | undefined
      for (const [place, stop] of stops.entries()) {
        result = await trainer.fit(data, { epochs: stop, resume: request.resume || place > 0, signal })
        if (result.epochs === stop) await writeSamples(join(folder, 'samples', `epoch-${stop}`), model, tests, request)
      }
      const records = result?.records ?? []
      await writeFile(join(folder, 'curve.csv'), curveAsCsv(records))
      const scores = await scoreCrops(model, config, tests, { device, signal })
      await writeFile(join(folder, 'scores.csv'), scoresAsCsv(scores.images))
      warnWhenFlat(records, note)
      const loss = lastEpoch(records)?.loss ?? Number.NaN
      const best: Scores = result?.best === undefined ? {} : { bestEpochPsnr: result.best }
      return { model, values: { loss, ...scores.means, ...best } }
    } catch (error) {
      // What a stopped training holds is freed now, not when it is found to be unreachable.
      dispose([model, trainer.optimizer])
      throw error
    }
  })
}

const targetOf = ({ second, clean, noisy }: NoisyCrop): Tensor => second ?? clean ?? noisy

function trainerOf(model: DenoisingUNet, request: TrainRequest<Config>, tests: readonly ScoredCrop[]) {
  const { config, folder, progress } = request
  const { epochs, seed, learningRate: lr, validateEvery } = config.training
  const optimizer = new Adam(model.parameters(), { lr })
  const metrics = { psnr: new PSNR(), ssim: new SSIM({ dataRange: 255 }) }
  const validation = {
    data: new StoredCrops(
      tests.map(({ noisy }) => noisy),
      tests.map(({ clean }) => clean),
      { batchSize: 1, seed, epochs, regularisation: 0 },
    ),
    predict: ({ noisy }: DenoisingBatch) => {
      const padded = mirrorPadToMultiple(noisy, MULTIPLE)
      return quantise(model.forward(padded).narrow(2, 0, noisy.size(2)).narrow(3, 0, noisy.size(3)))
    },
    update: (output: Tensor, { noisy, target = noisy }: DenoisingBatch) => {
      const truth = quantise(target)
      metrics.psnr.update(output, truth)
      metrics.ssim.update(output.to('float64'), truth.to('float64'))
    },
    metrics,
    everyEpochs: validateEvery,
  }
  const trainer = new Trainer({
    model,
    optimizer,
    loss: objectiveOf(model, config),
    schedule: new MultiStepLR(optimizer, { milestones: milestones(epochs), gamma: 0.5 }),
    seed,
    folder,
    progress,
    ...(tests.length > 0 && { validation, best: { metric: 'psnr', mode: 'max' as const } }),
  })
  return {
    optimizer,
    fit: (data: StoredCrops, options: FitOptions) => trainer.fit(data, options),
    [Symbol.dispose]: () => {
      for (const metric of Object.values(metrics)) metric.dispose()
    },
  }
}

/** Noisy, denoised and clean test pictures side by side. */
async function writeSamples(
  folder: string,
  model: DenoisingUNet,
  tests: readonly ScoredCrop[],
  { config, device, signal }: TrainRequest<Config>,
): Promise<void> {
  if (tests.length === 0) return
  await mkdir(folder, { recursive: true })
  using denoise = denoiserOf(model, config)
  for (const { name, noisy, clean } of tests.slice(0, SAMPLES)) {
    await tidyAsync(async () => {
      const denoised = (await denoise(noisy.to(device).unsqueeze(0), { signal })).squeeze(0).to('cpu')
      const sheet = cat([noisy, denoised, clean], { dim: 2 }).clamp({ min: 0, max: 1 })
      await writeImage(sheet, join(folder, `${name.replace(/\.[^.]+$/, '')}.png`))
    })
  }
}

const isEpoch = (record: TrainingRecord): record is EpochRecord => record.kind === 'epoch'
const lastEpoch = (records: readonly TrainingRecord[]) => records.findLast(isEpoch)

/** Loss and scores after each epoch (Figs. 3 and 4). */
function curveAsCsv(records: readonly TrainingRecord[]): string {
  const rows = records
    .filter(isEpoch)
    .map(({ epoch, loss, validation }) => [epoch, loss, validation?.psnr ?? '', validation?.ssim ?? ''].join())
  return `${['epoch,loss,psnr,ssim', ...rows].join('\n')}\n`
}

/** Says so when the first weights were too small for the network to begin to learn. */
function warnWhenFlat(records: readonly TrainingRecord[], note: (text: string) => void): void {
  const last = lastEpoch(records)
  const contrast = last?.values?.contrast
  if (last === undefined || contrast === undefined || last.step < PATIENCE || contrast > 0.5) return
  note(
    `after ${last.step} steps the results vary ${contrast.toPrecision(2)} times as much as the pictures: the training has hardly begun; set network.initScale to 1`,
  )
}
