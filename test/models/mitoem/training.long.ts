// Check 12 and the order of the decoders: trainings on made-up tissue, judged on volumes that were held out.
import { existsSync, mkdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { z } from 'zod'
import { openVolume } from '../../../lib/datasets'
import { writeNpz } from '../../../lib/io'
import {
  ap75,
  type Config,
  decodeMaps,
  decodingOf,
  instanceReport,
  type MapNetwork,
  syntheticVolume,
  system,
  VolumeSegmenter,
} from '../../../lib/models/segmentation/mitoem'
import { loadNetworks, parseConfig, trainSystem } from '../../../lib/pipeline'
import { cat, type Tensor, tidyAsync } from '../../../lib/tensor'
import { temporaryFolder } from '../../support/temporary-folder'

const folder = temporaryFolder()
const TRAINING = 40
const HELD_OUT = 10

async function writeVolumes(): Promise<void> {
  for (const [part, count, first] of [
    ['train', TRAINING, 0],
    ['val', HELD_OUT, 500],
  ] as const) {
    mkdirSync(folder('data', part), { recursive: true })
    for (let i = 0; i < count; i++) {
      await tidyAsync(async () => {
        const { image, labels } = syntheticVolume(first + i)
        await writeNpz(folder('data', part, `${String(i).padStart(2, '0')}.npz`), { volume: image, labels })
      })
    }
  }
}

const CONFIG: z.input<typeof Config> = {
  network: { width: 0.5 },
  training: {
    window: [8, 64, 64],
    batchSize: 2,
    steps: 160,
    learningRate: 0.05,
    warmup: 10,
    milestones: [120],
    checkpointSteps: 160,
  },
  augmentation: { enabled: false },
  inference: { window: [8, 64, 64], stride: [8, 64, 64], pad: [0, 0, 0], views: 'none' },
  decoding: { smallest: 32 },
}

const DECODERS = [
  ['B+CC', 'B', { decoder: 'cc' }],
  ['B+MW', 'B', { decoder: 'mw' }],
  ['BC+CC', 'BC', { decoder: 'cc' }],
  ['BC+MW', 'BC', { decoder: 'mw' }],
] as const

/** Six minutes on a machine that is half busy. */
const PATIENCE_MS = 1_800_000

test.each([1, 2, 3])(
  '12. with seed %d contours part what touches, and masks alone do not',
  async (seed) => {
    if (!existsSync(folder('data'))) await writeVolumes()
    await tidyAsync(async () => {
      const config = { ...CONFIG, training: { ...CONFIG.training, seed } }
      const run = folder(`run ${seed}`)
      const trained = await trainSystem(system, {
        data: folder('data'),
        folder: run,
        config,
        device: 'cpu',
        progress: false,
      })
      const loaded = await loadNetworks(system, { weights: trained.weights, device: 'cpu' })
      using model = loaded.model as MapNetwork
      using segmenter = new VolumeSegmenter(model, loaded.config, 'cpu')
      const found = new Map<string, Tensor[]>(DECODERS.map(([name]) => [name, []]))
      const truths: Tensor[] = []
      for (let i = 0; i < HELD_OUT; i++) {
        const path = folder('data', 'val', `${String(i).padStart(2, '0')}.npz`)
        const maps = await segmenter.maps(await openVolume(path))
        const labels = await openVolume(path, { labels: true })
        truths.push((await labels.read([0, 0, 0], labels.shape)).add(1000 * i))
        for (const [name, representation, decoding] of DECODERS) {
          const options = decodingOf(
            parseConfig(
              system.config,
              { ...CONFIG, network: { representation }, decoding: { smallest: 32, ...decoding } },
              'test',
            ),
          )
          const objects = await decodeMaps(maps.narrow(0, 0, representation === 'B' ? 1 : 2), representation, options)
          found.get(name)?.push(objects.add(1000 * i))
        }
      }
      // Numbers of volumes lie apart; a multiple of 1000 is background.
      const joined = (parts: readonly Tensor[]) => {
        const all = cat(parts.map((part) => part.flatten()))
        return all.maskedFill(all.remainder(1000).eq(0), 0)
      }
      const truth = joined(truths)
      const scores = Object.fromEntries(
        [...found].map(([name, parts]) => {
          const report = instanceReport(joined(parts), truth)
          return [
            name,
            {
              ap75: ap75(report),
              ap50: report.precision.all?.[0] ?? 0,
              found: report.rows.length,
              objects: report.objects.all,
            },
          ]
        }),
      )
      console.log(
        `seed ${seed}, ${trained.seconds.toFixed(0)} s, loss ${trained.values.loss?.toFixed(4)}:`,
        JSON.stringify(scores),
      )
      const of = (name: string) => scores[name]?.ap75 ?? 0
      expect(Math.max(of('BC+CC'), of('BC+MW'))).toBeGreaterThan(0.8)
      expect(Math.min(of('BC+CC'), of('BC+MW')) - of('B+CC')).toBeGreaterThan(0.3)
    })
  },
  PATIENCE_MS,
)
