// Trains a small network on handwritten digits, three times from different seeds: `npm run example:digits`.
// Options: --json, --resume (goes on after a kill), --epochs N, --seeds 1,2,3, --folder PATH.
import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { manualSeed } from '@lab/vision-native'
import { DataLoader } from '@lab/vision-native/data'
import { Accuracy } from '@lab/vision-native/metrics'
import { CrossEntropyLoss } from '@lab/vision-native/nn'
import { AdamW, CosineAnnealingLR } from '@lab/vision-native/optim'
import { Trainer } from '@lab/vision-native/train'
import { augment, loadDigits } from './data'
import { DigitNet } from './model'

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    resume: { type: 'boolean', default: false },
    epochs: { type: 'string', default: '20' },
    seeds: { type: 'string', default: '1,2,3' },
    folder: { type: 'string', default: 'build/digits' },
  },
})
const epochs = Number(options.epochs)
const batchSize = 64

async function train(seed: number) {
  const folder = join(options.folder, `seed-${seed}`)
  if (!options.resume) rmSync(folder, { recursive: true, force: true })
  const digits = await loadDigits({ testShare: 0.2, seed })
  const loader = new DataLoader(digits.train, { batchSize, shuffle: true, seed })

  manualSeed(seed)
  const model = new DigitNet()
  const criterion = new CrossEntropyLoss({ labelSmoothing: 0.05 })
  const steps = epochs * Math.ceil(digits.train.length / batchSize)
  const optimizer = new AdamW(model.parameters(), { lr: 2e-3, weightDecay: 0.02 })
  const accuracy = new Accuracy()
  const trainer = new Trainer({
    model,
    optimizer,
    loss: ([images, labels]) => criterion.forward(model.forward(augment(images)), labels),
    schedule: { scheduler: new CosineAnnealingLR(optimizer, { tMax: steps }), every: 'step' },
    validation: {
      data: new DataLoader(digits.test, { batchSize: 360 }),
      predict: ([images]) => model.forward(images),
      update: (logits, [, labels]) => accuracy.update(logits, labels),
      metrics: { accuracy },
    },
    seed,
    folder,
    checkpointEverySteps: 50,
    progress: !options.json,
  })
  const { validation } = await trainer.fit(loader, { epochs, resume: options.resume })
  const hash = createHash('sha256')
  for (const tensor of model.stateDict().values()) hash.update(Buffer.from(tensor.dataSync().buffer))
  return {
    seed,
    testAccuracy: validation?.accuracy ?? Number.NaN,
    weights: hash.digest('hex'),
    curves: join(folder, 'curves.png'),
  }
}

const start = performance.now()
const runs = []
for (const seed of options.seeds.split(',')) runs.push(await train(Number(seed)))
const testAccuracy = runs.reduce((sum, run) => sum + run.testAccuracy, 0) / runs.length
const seconds = (performance.now() - start) / 1000

if (options.json) console.log(JSON.stringify({ testAccuracy, seconds, runs }))
else {
  for (const run of runs) console.log(`seed ${run.seed}: ${(run.testAccuracy * 100).toFixed(2)} %  ${run.curves}`)
  console.log(`test accuracy ${(testAccuracy * 100).toFixed(2)} %, mean of ${runs.length} in ${seconds.toFixed(0)} s`)
}
