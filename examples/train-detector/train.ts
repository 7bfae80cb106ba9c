// Trains a detector on a folder of one's own pictures: `npm run example:train-detector -- FOLDER [--epochs 100] [--resume]`.
// Options: --base n|s|m|l|x (size of the network), --size SIDE (of the squares that pictures are fitted into), --run FOLDER
// (of the run), --device, --skip-broken.
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { SmallObjectDetector, system } from '@lab/vision-native/models/detection/cau-csa-yolov5'
import { trainSystem } from '@lab/vision-native/pipeline'
import { type Base, heldOutPicture, isBase } from './arguments'

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    epochs: { type: 'string', default: '100' },
    base: { type: 'string', default: 'n' },
    size: { type: 'string', default: '640' },
    batch: { type: 'string', default: '8' },
    run: { type: 'string', default: 'build/detector' },
    device: { type: 'string', default: 'auto' },
    resume: { type: 'boolean', default: false },
    'skip-broken': { type: 'boolean', default: false },
  },
})
const [data] = positionals
if (data === undefined) throw new Error('name a folder with images/train, labels/train and data.yaml; see README.md')
if (!isBase(options.base)) throw new Error(`--base is '${options.base}'; it is one of n, s, m, l, x`)
const base: Base = options.base

// Ctrl-C ends the run after a checkpoint; --resume goes on from there.
const stop = new AbortController()
process.once('SIGINT', () => stop.abort())

const batchSize = Number(options.batch)
const report = await trainSystem(system, {
  data,
  folder: options.run,
  resume: options.resume,
  skipBroken: options['skip-broken'],
  device: options.device === 'cuda' ? 'cuda' : options.device === 'cpu' ? 'cpu' : 'auto',
  signal: stop.signal,
  note: (line) => console.log(line),
  config: {
    network: { base },
    size: Number(options.size),
    training: {
      epochs: Number(options.epochs),
      batchSize,
      // A folder of one's own is small beside COCO: a step for each batch, a short warm-up, averages over few steps.
      nominalBatch: batchSize,
      warmupSteps: 20,
      averageRamp: 100,
      // In squares much smaller than 640 objects would otherwise count too little to be found.
      gainSize: 640,
    },
  },
}).catch((error: unknown) => {
  if (!stop.signal.aborted) throw error
  console.log(`stopped; --resume goes on with the run of ${options.run}`)
  process.exit(130)
})
console.log(`trained in ${report.seconds.toFixed(0)} s on ${report.device}`, report.values)
console.log(`weights: ${report.weights}`)

const picture = heldOutPicture(data)
if (picture !== undefined) {
  using detector = await SmallObjectDetector.load({ weights: report.weights })
  using found = await detector.run(picture)
  const drawn = join(options.run, 'found.png')
  await found.toFile(drawn)
  console.log(`${picture}: drawn to ${drawn}\n${found.describe()}`)
}
