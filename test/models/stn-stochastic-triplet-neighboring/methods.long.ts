// Checks 8, 9 and 11: the methods trained on eight made-up pictures, paired by seed.
import { expect, test } from 'vitest'
import {
  Config,
  DenoisingUNet,
  objectiveOf,
  scoreCrops,
} from '../../../lib/models/enhancement/stn-stochastic-triplet-neighboring'
import { StoredCrops } from '../../../lib/models/enhancement/stn-stochastic-triplet-neighboring/crops'
import { testCrops, trainingCrops } from '../../../lib/models/enhancement/stn-stochastic-triplet-neighboring/data'
import { needsTarget } from '../../../lib/models/enhancement/stn-stochastic-triplet-neighboring/objective'
import { milestones } from '../../../lib/models/enhancement/stn-stochastic-triplet-neighboring/schedule'
import { Adam, MultiStepLR } from '../../../lib/optim'
import { parseConfig } from '../../../lib/pipeline'
import { manualSeed, tidyAsync } from '../../../lib/tensor'
import { Trainer } from '../../../lib/train'

const EPOCHS = 300
const SEEDS = [0, 1, 2]
// The card asks for width 48; 16, at which its second implementation compared, takes a ninth of the time.
const WIDTH = 16

const RUNS = {
  'STN [1, 2]': {},
  'STN [−1, 0]': { mixing: { low: -1, high: 0 } },
  NB2NB: { method: 'nb2nb' },
  N2N: { method: 'n2n' },
  N2C: { method: 'n2c' },
} as const

interface Outcome {
  readonly noisy: number
  readonly last: number
  readonly best: number
}

const request = { data: 'synthetic', device: 'cpu' as const, note: () => {} }

function trained(run: keyof typeof RUNS, seed: number): Promise<Outcome> {
  const config = parseConfig(
    Config,
    { ...RUNS[run], network: { width: WIDTH, initScale: 1 }, data: { crop: 64 }, training: { seed, epochs: EPOCHS } },
    'test',
  )
  return tidyAsync(async () => {
    const crops = await trainingCrops(request, config)
    const tests = await testCrops(request, config)
    manualSeed(seed)
    const model = new DenoisingUNet(config.network)
    const optimizer = new Adam(model.parameters(), { lr: config.training.learningRate })
    const { batchSize, regularisation } = config.training
    const data = new StoredCrops(
      crops.map(({ noisy }) => noisy),
      needsTarget(config.method) ? crops.map(({ second, clean }) => second ?? clean ?? expect.fail()) : undefined,
      { batchSize, seed, epochs: EPOCHS, regularisation },
    )
    const scheduler = new MultiStepLR(optimizer, { milestones: milestones(EPOCHS), gamma: 0.5 })
    const loss = objectiveOf(model, config)
    const trainer = new Trainer({ model, optimizer, loss, schedule: scheduler, seed, progress: false })
    await trainer.fit(data, { epochs: EPOCHS })
    const { means } = await scoreCrops(model.eval(), config, tests, request)
    return { noisy: means.noisyPsnr as number, last: means.psnr as number, best: means.psnr as number }
  })
}

test('8, 9, 11. methods beat the noisy pictures, STN and NB2NB are alike, and supervision does not lose', async () => {
  const table = new Map<keyof typeof RUNS, Outcome[]>()
  for (const run of Object.keys(RUNS) as (keyof typeof RUNS)[]) {
    const outcomes: Outcome[] = []
    for (const seed of SEEDS) {
      const started = performance.now()
      const outcome = await trained(run, seed)
      outcomes.push(outcome)
      const seconds = ((performance.now() - started) / 1000).toFixed(0)
      console.log(
        `${run}, seed ${seed}: ${outcome.last.toFixed(2)} dB (noisy ${outcome.noisy.toFixed(2)}), ${seconds} s`,
      )
    }
    table.set(run, outcomes)
  }
  const mean = (run: keyof typeof RUNS) =>
    (table.get(run) ?? []).reduce((sum, { last }) => sum + last, 0) / SEEDS.length
  const noisy = (table.get('N2C') ?? []).reduce((sum, outcome) => sum + outcome.noisy, 0) / SEEDS.length
  for (const run of table.keys()) console.log(`${run}: mean ${mean(run).toFixed(2)} dB, noisy ${noisy.toFixed(2)}`)

  expect(mean('STN [1, 2]')).toBeGreaterThan(noisy + 3)
  expect(mean('NB2NB')).toBeGreaterThan(noisy + 3)
  for (const [index, { last }] of (table.get('STN [1, 2]') ?? []).entries()) {
    expect(Math.abs(last - (table.get('NB2NB')?.[index]?.last ?? 0))).toBeLessThan(0.3)
  }
  expect(Math.abs(mean('STN [1, 2]') - mean('STN [−1, 0]'))).toBeLessThan(0.3)
  expect(mean('N2C')).toBeGreaterThan(mean('N2N') - 0.1)
  expect(mean('N2N')).toBeGreaterThan(noisy)
}, 7_200_000)
