// Check 9: the order of the paper's ablation on small shapes, over three seeds; a direction, not a proof.
import { expect, test } from 'vitest'
import {
  Config,
  createDetector,
  evaluateDetector,
  syntheticPictures,
} from '../../../lib/models/detection/cau-csa-yolov5'
import { VARIANTS } from '../../../lib/models/detection/cau-csa-yolov5/ablations'
import { detectorTrainer } from '../../../lib/models/detection/cau-csa-yolov5/train'
import { parseConfig } from '../../../lib/pipeline'
import { manualSeed, tidyAsync } from '../../../lib/tensor'

const SEEDS = [0, 1, 2]
const STEPS = 1200
const PICTURES = 512
const BATCH = 8
// YOLOv5's weights of the loss are for the 80 classes of COCO; three would hardly count beside the boxes.
const CLASS_GAIN = (0.5 * 80) / 3

async function scoreOf(variant: (typeof VARIANTS)[keyof typeof VARIANTS], seed: number) {
  return tidyAsync(async () => {
    const options = { side: 96, objects: 4, sizes: [8, 16], kind: 'shapes' } as const
    const data = syntheticPictures(PICTURES, { ...options, seed: 10_000 * (seed + 1) })
    const validation = syntheticPictures(64, { ...options, seed: 1_000_000 })
    const epochs = Math.ceil((STEPS * BATCH) / PICTURES)
    const training = {
      ...{ seed, epochs, batchSize: BATCH, nominalBatch: BATCH, gainSize: 640, classGain: CLASS_GAIN },
      // The usual average remembers ten times as many steps as are taken here.
      ...{ averageDecay: 0.99, averageRamp: 50 },
      ...{
        mosaic: 0,
        hue: 0,
        saturation: 0,
        value: 0,
        translate: 0,
        scale: 0,
        flip: 0,
        warmupEpochs: 0,
        warmupSteps: 50,
      },
    }
    const given = { network: { base: 'n', ...variant }, classes: [...data.classes], size: 96, training }
    const config = parseConfig(Config, given, 'test')
    manualSeed(seed)
    using model = createDetector(config)
    const { trainer, loader, average } = detectorTrainer(model, config, data, { progress: false })
    using held = average
    await trainer.fit(loader, { steps: STEPS })
    held?.swap()
    const { summary } = await evaluateDetector(model.eval(), validation, config, { device: 'cpu' })
    return { apSmall: summary.apSmall ?? -1, ap50: summary.ap50 }
  })
}

test('9. mean AP_s of CAU + CSA is not below that of YOLOv5 by more than a point', async () => {
  const means = new Map<string, number>()
  for (const [name, variant] of Object.entries(VARIANTS)) {
    const scores = []
    for (const seed of SEEDS) {
      const started = performance.now()
      const score = await scoreOf(variant, seed)
      scores.push(score.apSmall)
      const seconds = ((performance.now() - started) / 1000).toFixed(0)
      console.log(
        `${name}, seed ${seed}: AP_s ${(100 * score.apSmall).toFixed(1)}, AP50 ${(100 * score.ap50).toFixed(1)}, ${seconds} s`,
      )
    }
    means.set(name, scores.reduce((sum, score) => sum + score, 0) / scores.length)
    console.log(`${name}: mean AP_s ${(100 * (means.get(name) ?? 0)).toFixed(2)}`)
  }
  expect(means.get('+ CAU + CSA') ?? 0).toBeGreaterThan((means.get('base') ?? 1) - 0.01)
}, 10_800_000)
