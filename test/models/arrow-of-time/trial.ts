// Small networks trained and judged on clips in memory.
import { DataLoader, RandomSampler } from '../../../lib/data'
import { Config, createNetwork, type DirectedClip, TCam } from '../../../lib/models/video/arrow-of-time'
import { ClipWindows } from '../../../lib/models/video/arrow-of-time/data'
import { ArrowPredictor } from '../../../lib/models/video/arrow-of-time/predict'
import { arrowTrainer } from '../../../lib/models/video/arrow-of-time/train'
import { mergeConfigs } from '../../../lib/pipeline'
import { manualSeed, noGrad, stack, tidyAsync } from '../../../lib/tensor'

const SMALL = {
  network: { width: 0.0625, dropout: 0.2 },
  input: { shortSide: 32, crop: 32 },
  training: { batchSize: 16, accumulate: 1, firstLearningRate: 0.02, learningRate: 0.02, epochs: 1 },
  inference: { groups: 1, crops: 1, flip: false },
}

export function smallConfig(over: object = {}): Config {
  return Config.parse(mergeConfigs(SMALL, over))
}

/** Trains a network for some steps, and gives its share of correct directed clips. */
export async function accuracyAfter(
  steps: number,
  config: Config,
  seed: number,
  training: readonly DirectedClip[],
  tests: readonly DirectedClip[],
  look?: (predictor: ArrowPredictor, tests: readonly DirectedClip[]) => Promise<void>,
): Promise<number> {
  return tidyAsync(async () => {
    manualSeed(seed)
    using model = createNetwork(config)
    if (!(model instanceof TCam)) throw new Error('a T-CAM is to be trained')
    const { batchSize } = config.training
    const windows = new ClipWindows(training, config)
    const sampler = new RandomSampler(windows, { replacement: true, numSamples: steps * batchSize, seed })
    const loader = new DataLoader(windows, { batchSize, sampler, seed })
    await arrowTrainer(model, config, { progress: false }).fit(loader, { steps })
    model.eval()
    using predictor = new ArrowPredictor(model, config, 'cpu')
    let right = 0
    // One window of the middle a clip, a hundred clips at a time.
    for (let i = 0; i < tests.length; i += 100) {
      const part = tests.slice(i, i + 100)
      right += await tidyAsync(async () => {
        const { span } = predictor.layout
        const raw = await Promise.all(part.map((clip) => clip.read(Math.floor((clip.length - span) / 2), span)))
        const scores = noGrad(() => model.forward(stack(raw.map((bytes) => predictor.centre(bytes).view)))).toArray()
        return part.filter((clip, k) => ((scores as number[])[k] ?? 0) > 0 === clip.forward).length
      })
    }
    await look?.(predictor, tests)
    return right / tests.length
  })
}

/** A row a seed. */
export function table(title: string, rows: readonly Readonly<Record<string, number | string>>[]): void {
  const keys = Object.keys(rows[0] ?? {})
  const line = (cells: readonly (string | number)[]) =>
    `| ${cells.map((cell) => (typeof cell === 'number' && !Number.isInteger(cell) ? cell.toFixed(3) : cell)).join(' | ')} |`
  console.log(
    [title, line(keys), line(keys.map(() => '---')), ...rows.map((row) => line(Object.values(row)))].join('\n'),
  )
}
