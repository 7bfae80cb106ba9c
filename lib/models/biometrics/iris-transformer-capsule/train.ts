import { existsSync } from 'node:fs'
import { extname, join } from 'node:path'
import { DataLoader } from '../../../data'
import { loadPth, readSafetensors, stateDictOf } from '../../../io'
import { SGD } from '../../../optim'
import type { Trained, TrainRequest } from '../../../pipeline'
import { manualSeed, tidyAsync } from '../../../tensor'
import { fitModel, Trainer, type TrainerOptions } from '../../../train'
import { pullWeights } from '../../../weights'
import type { Config } from './config'
import { HalfGenuineBatches, IrisPairs, type PairSample } from './data'
import { networkInput } from './enhance'
import { scoredPairs, thresholdFor } from './evaluate'
import { irisLoss } from './loss'
import { TransCapsIris } from './model'
import { irisParts, Strips, sourcesOf, withStrips } from './strips'

/** The paper's schedule: SGD at one rate, pairs drawn anew each epoch; the model of the last epoch is kept. */
export async function train(request: TrainRequest<Config>): Promise<Trained> {
  const { config, device, folder, resume, signal, progress, skipBroken, note } = request
  const { seed, epochs, batchSize, shift, trunkWeights } = config.training
  const parts = await irisParts(request)
  const strips = await Strips.of(sourcesOf([...parts.train, ...parts.validation]), {
    ...{ config, signal, skipBroken, note },
    folder: request.data === 'synthetic' ? undefined : join(folder, 'strips'),
  })
  const pairs = new IrisPairs(withStrips(parts.train, strips), strips, shift)
  manualSeed(seed)
  const model = new TransCapsIris(config).to(device)
  if (trunkWeights !== undefined) await initialiseTrunk(model, trunkWeights, signal)
  const batchSampler = new HalfGenuineBatches(pairs.length / 2, batchSize, seed)
  const trainer = irisTrainer(model, { folder: join(folder, 'iris'), progress })
  const loader = new DataLoader(pairs, { batchSampler, seed })
  return fitModel(trainer, loader, { epochs, resume, signal }, async ({ loss, records }): Promise<Trained> => {
    const validation = withStrips(parts.validation, strips)
    const own = { loss, ...records.at(-1)?.values }
    if (validation.length < 2) return { model, values: own }
    // The paper's operating point is where so many imposters are accepted.
    const scored = await scoredPairs(model.eval(), validation, strips, { config, device, signal, genuinePairs: 'all' })
    const threshold = thresholdFor(scored, config.inference.falseAcceptRate)
    const inference = { ...config.inference, threshold }
    return { model, values: { ...own, validationEer: scored.eer, threshold }, config: { ...config, inference } }
  })
}

/** What trains a network, on batches of pairs. */
export function irisTrainer(
  model: TransCapsIris,
  options: Pick<TrainerOptions<PairSample>, 'folder' | 'progress' | 'onRecord' | 'logEvery' | 'curves'> = {},
): Trainer<PairSample> {
  const { learningRate: lr, momentum, weightDecay, seed } = model.config.training
  const { size } = model.config.input
  return new Trainer<PairSample>({
    ...{ model, seed, ...options },
    optimizer: new SGD(model.parameters(), { lr, momentum, weightDecay }),
    loss: ({ first, second, label }) =>
      irisLoss(model, model.forward(networkInput(first, size), networkInput(second, size)), label),
  })
}

/** First values of the trunk from a file of torchvision's network, or from the table of published weights. */
async function initialiseTrunk(model: TransCapsIris, weights: string, signal: AbortSignal | undefined): Promise<void> {
  const path = existsSync(weights) ? weights : (await pullWeights(weights, { signal })).path
  await tidyAsync(async () => {
    const state = extname(path) === '.safetensors' ? await readSafetensors(path) : stateDictOf(await loadPth(path))
    const { trunk } = model.extractor
    const own = trunk.stateDict()
    // The classifier is not part of the trunk, nor are stages that are left out.
    trunk.loadStateDict(new Map([...state].filter(([name]) => own.has(name))))
  })
}
