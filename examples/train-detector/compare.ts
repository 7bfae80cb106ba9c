// The paper's ablation on a folder of one's own: `npx tsx examples/train-detector/compare.ts FOLDER [--epochs 100]`.
// Trains YOLOv5, + CAU, + CSA and both alike, and prints the columns of the paper's Table 1.
import { parseArgs } from 'node:util'
import { resolveDevice } from '@lab/vision-native'
import { Config, compareVariants, variantTable } from '@lab/vision-native/models/detection/cau-csa-yolov5'
import { parseConfig } from '@lab/vision-native/pipeline'

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    epochs: { type: 'string', default: '100' },
    base: { type: 'string', default: 'n' },
    size: { type: 'string', default: '640' },
    batch: { type: 'string', default: '8' },
    seed: { type: 'string', default: '0' },
    run: { type: 'string', default: 'build/detector-comparison' },
    resume: { type: 'boolean', default: false },
  },
})
const [data = 'synthetic'] = positionals
const batchSize = Number(options.batch)
const rows = await compareVariants({
  data,
  folder: options.run,
  resume: options.resume,
  progress: true,
  device: resolveDevice('auto').device,
  note: (line) => console.log(line),
  config: parseConfig(
    Config,
    {
      network: { base: options.base },
      size: Number(options.size),
      training: {
        ...{ epochs: Number(options.epochs), seed: Number(options.seed) },
        ...{ batchSize, nominalBatch: batchSize, warmupSteps: 20, averageRamp: 100, gainSize: 640 },
      },
    },
    'compare',
  ),
})
console.log(variantTable(rows))
