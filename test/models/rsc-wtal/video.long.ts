// Check 14: twenty seconds of a made-up video, from frames to actions.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { writeVideo } from '../../../lib/io'
import { ActionLocalizer } from '../../../lib/models/video/rsc-wtal'
import { manualSeed, rand, stack, tidyAsync } from '../../../lib/tensor'
import { temporaryFolder } from '../../support/temporary-folder'

const folder = temporaryFolder()

test(
  '14. twenty seconds of video become 31 rows of both streams, and a result',
  () =>
    tidyAsync(async () => {
      manualSeed(14)
      const pattern = rand([3, 64, 96 + 500])
        .mul(255)
        .to('uint8')
      const frames = stack(Array.from({ length: 500 }, (_, t) => pattern.narrow(2, t, 96)))
      await writeVideo(frames, folder('moving.mp4'), { fps: 25, layout: 'TCHW' })
      using localizer = await ActionLocalizer.load({ weights: 'random', config: { host: 'cola' }, device: 'cpu' })
      const started = performance.now()
      const features = await localizer.features(folder('moving.mp4'))
      console.log(`500 frames in ${((performance.now() - started) / 1000).toFixed(0)} s`)
      expect(features.shape).toEqual([31, 2048])
      expect(features.isfinite().all().item()).toBe(true)
      const [rgb, flow] = features.chunk(2, { dim: 1 })
      const result = await localizer.run({ rgb: rgb ?? features, flow: flow ?? features, name: 'moving' })
      await result.toFile(folder('moving.json'))
      const { results } = JSON.parse(readFileSync(folder('moving.json'), 'utf8'))
      expect(results.moving.length).toBe(result.segments.length)
      for (const { segment } of results.moving) {
        expect(segment[0]).toBeGreaterThanOrEqual(0)
        expect(segment[1]).toBeLessThanOrEqual(31 * 0.64 + 1e-9)
      }
    }),
  1_200_000,
)
