// 8. Sixteen clips are learnt by heart, and every stage learns.
import { expect, test } from 'vitest'
import {
  ActionPredictor,
  actionData,
  BinaryUnit,
  createNetwork,
  reestimateNorms,
  STAGES,
  scoreVideos,
  topAccuracy,
  trainStage,
} from '../../../lib/models/video/binary-3d-bitconv'
import { SYNTHETIC } from '../../../lib/pipeline'
import { manualSeed, tidyAsync } from '../../../lib/tensor'
import { toyConfig } from './toy'

test('8. 1-bit C3D of an eighth of the channels reaches 100 % on 16 moving squares', async () => {
  await tidyAsync(async () => {
    const config = toyConfig(100, { synthetic: { clips: 16 }, training: { reestimate: 1 } })
    const { videos, classes } = await actionData('train', { data: SYNTHETIC, device: 'cpu', note: () => {} }, config)
    manualSeed(0)
    using model = createNetwork({ ...config, classes: [...classes] })
    const units = [...model.modules()].filter((module) => module instanceof BinaryUnit)
    const signs = () => units.map((unit) => unit.conv.weight.detach().ge(0))
    let before = signs()
    const mean = (losses: readonly number[]) => losses.reduce((a, b) => a + b) / losses.length
    for (const stage of STAGES) {
      before = signs()
      const losses: number[] = []
      const started = performance.now()
      await trainStage(model, stage, config, videos, { progress: false, onLoss: (loss) => void losses.push(loss) })
      const seconds = (performance.now() - started) / 1000
      expect(losses.length).toBe(100)
      const [first, last] = [mean(losses.slice(0, 5)), mean(losses.slice(-5))]
      console.log(`${stage}: loss ${first.toFixed(3)} → ${last.toFixed(4)} in 100 steps, ${seconds.toFixed(0)} s`)
      expect(last, stage).toBeLessThan(first)
    }
    const flipped = signs().map((after, i) =>
      Number(
        after
          .ne(before[i] as never)
          .sum()
          .item(),
      ),
    )
    console.log(`signs changed in the last stage, 2a to 5b: ${flipped.join(', ')}`)
    expect(flipped.length).toBe(7)
    for (const count of flipped) expect(count).toBeGreaterThan(0)
    await reestimateNorms(model, config, videos)
    using predictor = new ActionPredictor(model.eval(), config, 'cpu')
    const scores = await scoreVideos(predictor, videos)
    expect(topAccuracy(scores, 1)).toBe(1)
  })
}, 1_800_000)
